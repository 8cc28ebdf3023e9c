"""What was made lately, within a number of bytes. Pure, and not for several threads at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Hashable


class Sized(Protocol):
    """Something that knows how large it is."""

    @property
    def size(self) -> int:
        """Bytes of memory, about."""


T = TypeVar("T", bound=Sized)


class Cache(Generic[T]):
    """Values by key, at most `limit` bytes of them.

    There are two generations. When the young one is half of `limit`, it becomes the old one, and what was in the old
    one and not asked for since is forgotten. Unlike an order of last use this costs nothing when a value is found.
    """

    def __init__(self, limit: int) -> None:
        self._half = limit // 2
        self._young: dict[Hashable, T] = {}
        self._old: dict[Hashable, T] = {}
        self._young_size = self._old_size = 0
        #: how often a value was not there
        self.misses = 0

    @property
    def size(self) -> int:
        """Bytes of all values, about."""
        return self._young_size + self._old_size

    def get(self, key: Hashable) -> T | None:
        """The value, if it is there."""
        return self._young.get(key) or self._rescued(key)

    def put(self, key: Hashable, value: T) -> T:
        """Keep a value that `get` did not have, unless it is larger than half of the limit, and return it."""
        if value.size > self._half:
            return value
        if self._young_size + value.size > self._half:
            self._old, self._old_size = self._young, self._young_size
            self._young, self._young_size = {}, 0
        self._young[key] = value
        self._young_size += value.size
        return value

    def _rescued(self, key: Hashable) -> T | None:
        value = self._old.pop(key, None)
        if value is None:
            self.misses += 1
            return None
        self._old_size -= value.size
        return self.put(key, value)
