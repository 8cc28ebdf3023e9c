"""Pictures are kept by the address of what they were made of."""

from __future__ import annotations

from base64 import b64decode
from dataclasses import replace
from datetime import timedelta

from digest.model import Thumbnail
from digest.state.store import State
from tests.makers import NOW, subscriber

ONE = Thumbnail("a1", 320, 172, "AAECAwT/")
DAY = timedelta(days=1)


def test_a_picture_is_read_as_it_was_kept(state: State) -> None:
    state.thumbnails.put({"https://x/1": ONE, "https://x/2": None, "https://x/3\0": replace(ONE, name="b2")}, at=NOW)

    urls = ["https://x/1", "https://x/2", "https://x/3\0", "https://x/4"]
    assert {"https://x/1": ONE, "https://x/3\0": replace(ONE, name="b2")} == state.thumbnails.get(urls)
    assert {"a1", "b2"} == state.thumbnails.names()
    assert (b64decode(ONE.data), None) == (state.thumbnails.file("a1"), state.thumbnails.file("c3"))


def test_what_had_no_picture_is_tried_again_later(state: State) -> None:
    state.thumbnails.put({"https://x/1": ONE, "https://x/2": None}, at=NOW)
    urls = ["https://x/1", "https://x/2", "https://x/3"]

    assert {"https://x/1", "https://x/2"} == state.thumbnails.tried(urls, after=NOW - DAY)
    assert {"https://x/1"} == state.thumbnails.tried(urls, after=NOW)

    state.thumbnails.put({"https://x/2": replace(ONE, name="b2")}, at=NOW + DAY)

    assert {"https://x/1", "https://x/2"} == state.thumbnails.tried(urls, after=NOW + DAY)


def test_pictures_are_kept_sixty_days_and_are_not_exported(state: State) -> None:
    state.thumbnails.put({"https://x/1": ONE}, at=NOW - 61 * DAY)
    state.thumbnails.put({"https://x/2": replace(ONE, name="b2")}, at=NOW - 60 * DAY)

    assert {"thumbnails": 1}.items() <= state.prune(now=NOW).items()
    assert {"b2"} == state.thumbnails.names()
    assert [] == [row for row in state.export_rows() if row.get("table") == "thumbnail"]


def test_whether_anybody_wants_pictures_is_told(state: State) -> None:
    state.subscribers.put(subscriber("ada@example.org", keywords=('"images":"linked"', "images")), now=NOW)
    before = state.subscribers.want_pictures()
    state.subscribers.put(subscriber("bob@example.org", images="linked"), now=NOW)

    assert (False, True) == (before, state.subscribers.want_pictures())
