"""One bad item costs one item."""

from __future__ import annotations

import doctest
from typing import TYPE_CHECKING

import digest.collect.items
from digest.collect.items import UnusableError, failure_of, read_items
from digest.model import Paper, Problem
from tests.makers import paper

if TYPE_CHECKING:
    from digest.collect.items import Parsed


def read(number: int) -> Paper:
    if number == 0:
        raise UnusableError("has no title")
    return paper(100 // (number - 1))


def test_the_examples_in_the_docstrings_hold() -> None:
    assert 0 == doctest.testmod(digest.collect.items).failed


def test_what_cannot_be_read_becomes_a_problem_and_the_rest_stays_in_order() -> None:
    papers, problems = read_items([2, 0, 1, 3], read, lambda number, item: f"no. {number}\n({item})")

    assert (paper(100), paper(50)) == papers
    assert (
        Problem("no. 2 (0)", "has no title"),
        Problem("no. 3 (1)", "cannot be read (ZeroDivisionError)"),
    ) == problems


def numbered(*papers: Paper) -> Parsed:
    return read_items(papers, lambda item: item, lambda number, _: f"no. {number}")


def test_the_second_of_two_with_the_same_key_is_left_out() -> None:
    assert ((paper(1, title="Counting"),), ()) == numbered(paper(1, title="Counting"), paper(1, title="COUNTING"))


def test_items_left_out_that_have_another_title_are_told_once_for_all() -> None:
    message = "was left out: another item with the same identifier has another title"

    _, one = numbered(paper(1), paper(1, title="Again"))
    papers, several = numbered(paper(1), paper(2), paper(1, title="Again"), paper(2, title="Too"), paper(1, title="?"))

    assert (Problem("no. 2", message),) == one
    assert ((paper(1), paper(2)), (Problem("no. 3", f"{message}, as were 2 more"),)) == (papers, several)


def test_a_million_bad_items_are_told_by_their_number() -> None:
    _, problems = read_items([0] * 150, read, lambda number, _: f"no. {number}")

    assert (101, Problem("the answer", "has 50 more unreadable items")) == (len(problems), problems[-1])


def test_many_bad_items_and_no_good_one_are_told_by_the_first() -> None:
    problems = (Problem("line 1", "is not JSON"), Problem("line 2", "has no title"))

    assert "no item could be read; the first: line 1 is not JSON" == failure_of(((), problems))
    assert "" == failure_of(((paper(),), problems))
