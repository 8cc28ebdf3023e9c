"""Planning while mail goes out: what is delivered between two looks into the ledger is not planned once more."""

from __future__ import annotations

from datetime import timedelta
from itertools import count
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import Engine, event

from digest.model import Receipt
from digest.pipeline.plan import plan
from tests.installation import ADA, Installation, item
from tests.makers import NOW, TODAY
from tests.state.shortcuts import claim_one, rows_of, settle_one

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

TOMORROW = NOW + timedelta(days=1)


@pytest.fixture
def at_look() -> Iterator[Callable[[int, Callable[[], object]], None]]:
    """`at_look(number, do)`: something is done before the ledger is read for the number-th time from now on."""
    listeners = []

    def listen(number: int, do: Callable[[], object]) -> None:
        looks = count(1)

        def before(_connection: object, _cursor: object, statement: str, *_: object) -> None:
            if statement.startswith("SELECT") and "FROM ledger" in statement and next(looks) == number:
                do()

        listeners.append(before)
        event.listen(Engine, "before_cursor_execute", before)

    yield listen
    for listener in listeners:
        event.remove(Engine, "before_cursor_execute", listener)


@pytest.mark.parametrize("number", range(1, 7))
def test_what_is_delivered_while_the_ledger_is_read_is_not_planned_again(
    home: Installation, at_look: Callable[[int, Callable[[], object]], None], number: int
) -> None:
    """A paper that trends is offered to everybody who has not got it, however old their last digest is."""
    home.readers = (f'[[subscribers]]\nemail = "{ADA}"\n',)
    home.publish(item(1, upvotes=9))
    home.pull()
    home.plan()
    settings, receipt = home.settings(), Receipt("delivered", 250, "queued", TOMORROW, "mx")
    with home.state() as state, home.state() as sender:
        assert claim_one(sender, ADA, TODAY, owner="sender:1", now=NOW)
        at_look(number, lambda: settle_one(sender, ADA, TODAY, receipt, "sent"))

        for _ in plan(settings, state, now=TOMORROW):
            pass

        assert [TODAY] == [row.local_date for row in rows_of(state)]
