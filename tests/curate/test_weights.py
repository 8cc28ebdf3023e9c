"""Sparse tables of what terms say of papers."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from digest.curate.weights import join, occurring, rarity, unit_rows

_OCCURRENCES = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 6)), min_size=1, max_size=40)


@given(_OCCURRENCES)
def test_a_table_multiplies_as_a_dense_one_does(occurrences: list[tuple[int, int]]) -> None:
    papers, terms = 7, 7
    counts = np.zeros((papers, terms), np.float32)
    for paper, term in occurrences:
        counts[paper, term] += 1
    factors = np.arange(terms, dtype=np.float32)
    vectors = np.eye(terms, 3, dtype=np.float32) + 1
    dense = unit_rows(counts**0.8 * factors)

    numbers, kinds = np.array(occurrences).T
    table = occurring(join(numbers, kinds), papers).scaled(factors).unit()
    padded = np.zeros_like(dense)
    padded[table.numbers, table.terms] = table.weights

    np.testing.assert_allclose(dense, padded, atol=1e-6)
    np.testing.assert_allclose(dense @ vectors, table.times(vectors), atol=1e-5)
    for number in range(papers):
        np.testing.assert_allclose(dense @ dense[number], table.product(number), atol=1e-6)


def test_what_all_of_a_few_papers_have_counts_still() -> None:
    """Forty papers of one subject: else its words would count nothing, as in a formula with their number alone."""
    rare, common = rarity(np.array([1, 40]), 40)

    assert 0.3 * rare < common < rare
