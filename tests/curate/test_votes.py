"""How papers that a reader wants speak for others."""

from __future__ import annotations

import numpy as np

from digest.curate.vector import Numbers, Values
from digest.curate.votes import Votes

#: a survey is somewhat like everything; two papers on whales and two on sand are like their own kind
SURVEY, WHALES, SONGS, SAND, DUNES = range(5)
LIKENESS = np.zeros((5, 5))
LIKENESS[:, SURVEY] = LIKENESS[SURVEY, :] = 0.5
LIKENESS[WHALES, SONGS] = LIKENESS[SONGS, WHALES] = LIKENESS[SAND, DUNES] = LIKENESS[DUNES, SAND] = 0.4
np.fill_diagonal(LIKENESS, 0.0)


def ballots(*voters: int) -> tuple[Numbers, Values, Numbers]:
    return np.array(voters), np.ones(len(voters)), np.zeros(len(voters), np.intp)


def votes(*voters: int) -> list[float]:
    def neighbours(number: int) -> tuple[Numbers, Values]:
        others = np.flatnonzero(LIKENESS[number])
        return others, LIKENESS[number, others]

    counted: list[float] = Votes(5, neighbours).count(*ballots(*voters), 1)[0].tolist()
    return counted


def test_what_is_a_little_like_everything_comes_after_what_is_like_the_voter() -> None:
    given = votes(WHALES)

    assert given[SONGS] > given[SURVEY] > 0
    assert given[SAND] == given[DUNES] == 0


def test_a_voter_is_a_little_like_itself() -> None:
    given = votes(WHALES, SONGS, SAND)

    assert given[WHALES] == given[SONGS] > votes(SONGS, SAND)[WHALES] - 1e-12
    assert 0 < votes(WHALES)[WHALES] < votes(WHALES)[SONGS]


def test_votes_add_up() -> None:
    together = np.array(votes(WHALES)) + np.array(votes(SAND))

    assert np.allclose(together, votes(WHALES, SAND))


def test_without_anything_in_common_only_the_voter_has_votes() -> None:
    nothing = np.zeros(0, np.intp), np.zeros(0)

    assert [0.0, 0.1] == Votes(2, lambda _: nothing).count(*ballots(1), 1)[0].tolist()
