"""The benchmark of the ranking measures what it says."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.relevance import before_after, main, measures

_GRADES = {"a": 3, "b": 2, "c": 1, "d": 0}
#: 2^grade - 1 over log2(rank + 1), best order
_IDEAL = 7 / 1 + 3 / 1.584963 + 1 / 2


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ("abcd", (1.0, 0.2, 1.0)),
        ("dcba", ((1 / 1.584963 + 3 / 2 + 7 / 2.321928) / _IDEAL, 0.2, (1 / 3 + 2 / 4) / 2)),
        ("xa", (7 / 1.584963 / _IDEAL, 0.1, (1 / 2) / 2)),
        ("xyz", (0.0, 0.0, 0.0)),
    ],
)
def test_measures_of_an_order(order: str, expected: tuple[float, float, float]) -> None:
    assert pytest.approx(expected, rel=1e-5) == measures(list(order), _GRADES)


@pytest.fixture
def judged(tmp_path: Path) -> Path:
    """A folder of two papers and one profile."""
    papers = [
        {"id": "p1", "title": "Robots that see", "abstract": "Sand."},
        {"id": "p2", "title": "Sand", "abstract": "A robot's vision of robots."},
    ]
    (tmp_path / "papers.jsonl").write_text("\n".join(map(json.dumps, papers)), encoding="utf-8")
    profile = {"id": "q1", "keywords": ["robots"], "exclude": ["whales"]}
    (tmp_path / "profiles.json").write_text(json.dumps([profile]), encoding="utf-8")
    (tmp_path / "qrels.json").write_text(json.dumps({"q1": {"p1": 3}}), encoding="utf-8")
    return tmp_path


def test_a_folder_of_judged_profiles_is_scored_beside_what_others_do(
    judged: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(judged)

    told = capsys.readouterr().out.splitlines()
    for name in ("digest", "digest, in mails", "substring count, title twice"):
        assert [f"{name:34}   1.0000   0.1000   1.0000"] == [line for line in told if line.startswith(f"{name} ")]


def test_the_best_by_counting_phrases_stand_beside_the_shipped_ones(
    judged: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before_after(judged, ["q1"])

    _, _, heading, *rows = capsys.readouterr().out.splitlines()
    assert "q1: robots, -whales; nDCG@10 1.000 → 1.000" == heading
    assert [f" 1  {'3 Robots that see':60}3 Robots that see", f" 2  {'- Sand':60}- Sand"] == rows


def test_an_unknown_profile_is_answered_with_those_that_there_are(judged: Path) -> None:
    with pytest.raises(SystemExit, match="has no profile q2; it has q1"):
        before_after(judged, ["q2"])
