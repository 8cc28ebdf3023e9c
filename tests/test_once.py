"""What is made of shared values, once of each."""

from __future__ import annotations

from digest.model import Signals
from digest.once import Once


class Maker:
    """Remembers what it was asked for."""

    def __init__(self) -> None:
        self.asked: list[int | None] = []

    def __call__(self, value: Signals) -> int | None:
        self.asked.append(value.upvotes)
        return value.upvotes


def test_it_is_made_once_of_each_value_and_again_of_an_equal_one() -> None:
    make = Maker()
    once = Once(make, most=9)
    one, other = Signals(1), Signals(1)

    assert [1, 1, 1, 1] == [once(one), once(one), once(other), once(one)]
    assert [1, 1] == make.asked


def test_the_older_half_of_too_many_is_forgotten() -> None:
    values = [Signals(number) for number in range(6)]
    make = Maker()
    once = Once(make, most=4)

    assert [0, 1, 2, 3, 4, 2, 3, 0] == [once(values[number]) for number in (0, 1, 2, 3, 4, 2, 3, 0)]
    assert [0, 1, 2, 3, 4, 0] == make.asked


def test_no_other_object_can_be_taken_for_one_that_is_remembered() -> None:
    """Their identities are those of objects that are kept."""
    once = Once(Maker(), most=100)

    assert list(range(1000)) == [once(Signals(number)) for number in range(1000)]
