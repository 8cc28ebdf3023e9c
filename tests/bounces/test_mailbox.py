"""What every mailbox promises, held against a folder and a real server."""

from __future__ import annotations

import os
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from digest.bounces.imap import ImapMailbox, ImapSettings
from digest.bounces.maildir import MaildirMailbox
from tests.bounces.dovecot import PASSWORD, USER, dovecot

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from digest.bounces.mailbox import Mailbox

#: a Maildir, and what opens it as a mailbox
Place = tuple["Path", "Callable[[], Mailbox]"]


@contextmanager
def folder(path: Path) -> Iterator[Place]:
    for part in ("new", "cur", "tmp"):
        (path / part).mkdir()
    yield path, lambda: MaildirMailbox(path)


@contextmanager
def server(_path: Path) -> Iterator[Place]:
    with dovecot() as running:
        settings = ImapSettings("localhost", USER, PASSWORD, running.tls_port, ca_file=running.ca_file)
        yield running.maildir, lambda: ImapMailbox(settings)


@pytest.fixture(params=[folder, server])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    with request.param(tmp_path) as made:
        yield made


def test_a_mail_comes_again_until_it_is_done(place: Place) -> None:
    """Whatever a crash interrupts is read again; what is done is not."""
    maildir, opened = place
    arrived = [1_789_452_000, 1_789_452_060]
    for number, when in enumerate(arrived):
        path = maildir / "tmp" / f"{when}.{number}"
        path.write_bytes(b"Subject: %d\r\n\r\n" % number)
        path.chmod(0o666)
        os.utime(path, (when, when))
        path.rename(maildir / "new" / path.name)

    with opened() as mailbox:
        first = list(mailbox.unread())
    with opened() as mailbox:
        again = list(mailbox.unread())
        mailbox.done(again[0].name)
        mailbox.done(again[0].name)
    with opened() as mailbox:
        rest = list(mailbox.unread())

    assert [b"Subject: 0\r\n\r\n", b"Subject: 1\r\n\r\n"] == [mail.data for mail in first]
    assert [datetime.fromtimestamp(when, UTC) for when in arrived] == [mail.arrived_at for mail in first]
    assert [mail.data for mail in first] == [mail.data for mail in again]
    assert [b"Subject: 1\r\n\r\n"] == [mail.data for mail in rest]


def test_a_letter_that_is_left_comes_as_flagged_and_stays_unread(place: Place) -> None:
    maildir, opened = place
    for number in range(2):
        path = maildir / "tmp" / f"{number}.mail"
        path.write_bytes(b"Subject: %d\r\n\r\n" % number)
        path.chmod(0o666)
        path.rename(maildir / "new" / path.name)

    with opened() as mailbox:
        first, second = mailbox.unread()
        mailbox.leave(first.name)
        mailbox.leave(first.name)
        mailbox.done(second.name)
    with opened() as mailbox:
        rest, left = [(mail.data, mail.is_flagged) for mail in mailbox.unread()], mailbox.left()

    flags = {path.read_bytes()[9:10]: path.name.partition(":2,")[2] for path in (maildir / "cur").iterdir()}
    assert ([(b"Subject: 0\r\n\r\n", True)], 1) == (rest, left)
    assert {b"0": "F", b"1": "S"} == flags
