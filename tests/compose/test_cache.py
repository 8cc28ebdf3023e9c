from __future__ import annotations

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from digest.compose.cache import Cache, Lately


@dataclass(frozen=True)
class Thing:
    size: int


@given(
    keys=st.lists(st.integers(0, 9), max_size=100),
    limit=st.integers(0, 50),
)
def test_a_cache_never_grows_beyond_its_limit_and_gives_back_what_was_put(keys: list[int], limit: int) -> None:
    cache = Cache[Thing](limit)
    for key in keys:
        assert (cache.get(key) or cache.put(key, Thing(key))) == Thing(key)
        assert cache.size <= limit


def test_what_is_asked_for_again_and_again_stays() -> None:
    cache = Cache[Thing](100)
    cache.put("popular", Thing(10))
    for number in range(100):
        assert Thing(10) == cache.get("popular")
        cache.put(number, Thing(10))

    assert 0 == cache.misses
    assert cache.get(0) is None
    assert 1 == cache.misses


def test_all_that_fits_stays_and_then_the_longest_unasked_goes() -> None:
    cache = Cache[Thing](100)
    for number in range(10):
        cache.put(number, Thing(10))
    assert [Thing(10)] * 20 == [cache.get(number) for number in (*range(10), *range(9, -1, -1))]

    cache.put("new", Thing(10))

    assert [9] == [number for number in range(10) if cache.get(number) is None]


@given(keys=st.lists(st.integers(0, 9), max_size=100), most=st.integers(1, 10))
def test_of_what_was_put_lately_half_stays_at_least(keys: list[int], most: int) -> None:
    lately = Lately[int](most)
    for place, key in enumerate(keys):
        if lately.get(key) is None:
            lately.put(key, key)
        known = [other for other in range(10) if lately.get(other) is not None]
        assert min(len(set(keys[: place + 1])), most // 2 + 1) <= len(known) <= most
        assert lately.get(key) == key
