"""Adding up a number per paper, all papers at once."""

from __future__ import annotations

import doctest

from hypothesis import given
from hypothesis import strategies as st

import digest.curate.lanes
from digest.curate.lanes import pack, rows_in, unpack

_ROW = st.lists(st.integers(0, 2**40), min_size=7, max_size=7)


@given(_ROW, _ROW, st.integers(0, 2**20))
def test_packed_numbers_add_up_and_multiply_as_they_do_one_by_one(ones: list[int], others: list[int], by: int) -> None:
    packed = pack(enumerate(ones), 7) + by * pack(enumerate(others), 7)

    assert [one + by * other for one, other in zip(ones, others, strict=True)] == unpack(packed, 7)


def test_what_overflows_beyond_the_last_paper_is_lost() -> None:
    assert [1, 0] == unpack(pack([(0, 1), (1, 2**63)], 2) + pack([(1, 2**63)], 2), 2)
    assert [] == unpack(0, 0)


def test_rows_are_counted_by_their_size() -> None:
    assert (2, 1, 1) == (rows_in(16_000, 1000), rows_in(7, 1), rows_in(1, 0))


def test_the_examples_in_the_documentation_are_true() -> None:
    assert 0 == doctest.testmod(digest.curate.lanes).failed
