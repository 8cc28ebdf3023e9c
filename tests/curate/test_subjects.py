"""Where papers stand among the subjects of all."""

from __future__ import annotations

import numpy as np
import pytest

from digest.curate import subjects
from digest.curate.subjects import Subjects
from tests.makers import paper

_WORDS = {
    "sea": ["whale", "whales", "ocean", "diving", "salt", "wave", "reef", "current"],
    "desert": ["dune", "dunes", "sand", "barchan", "wind", "grain", "camel", "heat"],
    "sky": ["cloud", "clouds", "thunder", "rain", "storm", "pressure", "front", "frost"],
}
_PAPERS = [
    paper(
        n, title=" ".join(words[(n + k) % 8] for k in (0, 1)), abstract=" ".join(words[(n * k) % 8] for k in (2, 3, 5))
    )
    for n in range(120)
    for words in [list(_WORDS.values())[n % 3]]
]


@pytest.mark.parametrize("learned", [1000, 60])
def test_papers_of_one_subject_stand_together_learned_from_or_not(
    learned: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subjects, "_LEARNED", learned)
    monkeypatch.setattr(subjects, "_SUBJECTS", 3)

    likeness = Subjects(_PAPERS).likeness(1, np.arange(120))

    assert likeness[1] == pytest.approx(1.0, abs=1e-5)
    assert np.mean(likeness[1::3]) > np.mean(likeness[0::3]) + 0.3
    assert np.mean(likeness[1::3]) > np.mean(likeness[2::3]) + 0.3


def test_papers_without_a_word_stand_nowhere() -> None:
    blank = [paper(n, title="∎", abstract="") for n in range(3)]

    assert [0.0, 0.0, 0.0] == Subjects(blank).likeness(0, np.arange(3)).tolist()
    assert Subjects([*_PAPERS, blank[0]]).likeness(120, np.arange(120)).tolist() == pytest.approx([0.0] * 120)
