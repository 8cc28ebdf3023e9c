"""What is made of values that many share, made once of each. Pure, and not for several threads at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")
M = TypeVar("M")


class Once(Generic[T, M]):
    """Calls a function once for each value, as long as it is remembered.

    Values are told apart by identity, for comparing their fields each time would cost more than all the rest. Each is
    kept with what was made of it, so that no other object can get its identity.

    Args:
        make: gives the same for the same value whenever it is called.
        most: values that are remembered; of those that are too many, the older half is forgotten.
    """

    def __init__(self, make: Callable[[T], M], *, most: int) -> None:
        self._make, self._most = make, most
        self._known: dict[int, tuple[T, M]] = {}

    def __call__(self, value: T) -> M:
        """What is made of the value."""
        known = self._known.get(id(value))
        if known is None:
            if len(self._known) >= self._most:
                for old in [*self._known][: (self._most + 1) // 2]:
                    del self._known[old]
            known = self._known[id(value)] = (value, self._make(value))
        return known[1]
