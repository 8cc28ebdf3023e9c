"""A morning on which all mail is planned, so that what a sender does is the send phase and little else."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from digest.config.relays import SmtpSection
from tests.http_server import HttpServer
from tests.installation import Installation, item, message_id, reader, where_it_is_morning
from tests.pipeline import children, tracing
from tests.pipeline.sink import sink

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from tests.smtp_server import Accepted

_SEVERAL = "connections" in SmtpSection.model_fields
#: to the relay at the same time
CONNECTIONS = (1, 3) if _SEVERAL else (1,)


def planned_morning(folder: Path, readers: Sequence[str]) -> Installation:
    """A mail with two papers waits for every reader."""
    with HttpServer() as server:
        zone = where_it_is_morning()
        home = Installation(folder, server, *(reader(email, timezone=zone) for email in readers))
        home.publish(item(1, upvotes=7), item(2))
        home.pull(datetime.now(UTC))
        home.plan(datetime.now(UTC), any_hour=True)
    return home


def more_keys(connections: int) -> str:
    """For `[smtp]`."""
    return f"connections = {connections}\n" if _SEVERAL else ""


def undisturbed(morning: Installation, folder: Path, connections: int) -> Mapping[str, range]:
    """The numbers of the system calls in a send phase that nothing disturbs, by name."""
    home = children.copied(morning, folder / "home")
    with sink() as relay:
        relay.serve(home, more_keys(connections))
        before = tracing.traced(folder / "log", "connect", *tracing.CALLS)
        code, output, errors = children.finish(children.start(home, "send", "--now", before=before))
        assert 0 == code, output + errors
        assert 0 == duplicates(home, relay.mails())
    return tracing.numbers_after_connecting(folder / "log", relay.port)


def duplicates(home: Installation, mails: Sequence[Accepted]) -> int:
    """How many mails came again, now that all is done; everything else is as promised."""
    rows = home.rows()
    assert {"sent"} == {row.state for row in rows}
    assert {(row.email, row.message_id) for row in rows} == {(mail.recipient, message_id(mail.data)) for mail in mails}
    assert len(rows) == len({(mail.recipient, mail.data) for mail in mails})
    assert [("ok",)] == asked(home.folder, "PRAGMA integrity_check")
    return len(mails) - len(rows)


def check_claims(folder: Path, mails: Sequence[Accepted]) -> None:
    """Whoever got a mail has a claim in the state in `folder`, and whoever is said to have got one did.

    Opening the state tidies it up, so `folder` had better be a copy of what a sender has left.
    """
    states = {email: state for email, state in asked(folder, "SELECT email, state FROM ledger")}  # noqa: C416
    arrived = {mail.recipient for mail in mails}
    assert arrived <= {email for email, state in states.items() if state in {"sending", "sent"}}
    assert {email for email, state in states.items() if state == "sent"} <= arrived
    assert [("ok",)] == asked(folder, "PRAGMA integrity_check")


def asked(folder: Path, query: str) -> list[tuple[str, ...]]:
    """What the state in this folder answers to a query."""
    with closing(sqlite3.connect(folder / "state.sqlite3")) as connection:
        return connection.execute(query).fetchall()
