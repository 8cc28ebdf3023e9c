"""Returned mail on a real IMAP server, over real TLS."""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from itertools import count
from typing import TYPE_CHECKING

import pytest

from digest.bounces.entity import MAX_BYTES
from digest.bounces.imap import ImapMailbox, ImapSecurity, ImapSettings
from digest.bounces.mailbox import Returned
from digest.errors import FetchError
from tests.bounces.dovecot import PASSWORD, USER, Dovecot, dovecot

if TYPE_CHECKING:
    from collections.abc import Iterator

NUMBERS = count(1)


@pytest.fixture(scope="module")
def running() -> Iterator[Dovecot]:
    with dovecot() as server:
        yield server


@pytest.fixture
def server(running: Dovecot) -> Dovecot:
    """With an empty mailbox."""
    for path in [*running.maildir.glob("new/*"), *running.maildir.glob("cur/*")]:
        path.unlink()
    return running


def put(server: Dovecot, data: bytes, arrived: int = 1_789_452_000) -> None:
    name = f"{next(NUMBERS)}.mail"  # Dovecot remembers what a name stood for, as the format allows
    path = server.maildir / "tmp" / name
    path.write_bytes(data)
    path.chmod(0o666)
    os.utime(path, (arrived, arrived))
    path.rename(server.maildir / "new" / name)


def settings(server: Dovecot) -> ImapSettings:
    return ImapSettings("localhost", USER, PASSWORD, server.tls_port, "tls", ca_file=server.ca_file, timeout_s=10.0)


def unread(wanted: ImapSettings) -> list[Returned]:
    with ImapMailbox(wanted) as mailbox:
        return list(mailbox.unread())


@contextmanager
def trouble(wanted: ImapSettings) -> Iterator[list[FetchError]]:
    """The error of opening the mailbox, which never says the password."""
    found: list[FetchError] = []
    yield found
    with pytest.raises(FetchError) as caught, ImapMailbox(wanted):
        pass
    assert wanted.password not in f"{caught.value!r} {caught.value.hint}"
    found.append(caught.value)


def test_unseen_mails_are_read_with_their_time_and_stay_unseen(server: Dovecot) -> None:
    put(server, b"Subject: one\r\n\r\nHello\r\n")
    put(server, b"Subject: two\r\n\r\n\xff\x00\r\n", arrived=1_789_452_060)

    first, second = unread(settings(server))

    assert (datetime(2026, 9, 15, 6, 0, tzinfo=UTC), b"Subject: one\r\n\r\nHello\r\n") == (first.arrived_at, first.data)
    assert datetime(2026, 9, 15, 6, 1, tzinfo=UTC) == second.arrived_at
    assert [first, second] == unread(settings(server))


def test_starttls_is_as_good(server: Dovecot) -> None:
    put(server, b"Subject: one\r\n\r\n")

    assert 1 == len(unread(replace(settings(server), port=server.starttls_port, security="starttls")))


def test_what_is_done_is_seen(server: Dovecot) -> None:
    put(server, b"Subject: one\r\n\r\n")
    put(server, b"Subject: two\r\n\r\n")

    with ImapMailbox(settings(server)) as mailbox:
        mails = mailbox.unread()
        mailbox.done(next(mails).name)

    assert [b"Subject: two\r\n\r\n"] == [mail.data for mail in unread(settings(server))]


def test_what_is_done_can_be_moved(server: Dovecot) -> None:
    handled = server.maildir / '.Done "so"'
    for part in ("new", "cur", "tmp"):
        (handled / part).mkdir(parents=True, exist_ok=True)
    for path in [handled, *handled.iterdir()]:
        path.chmod(0o777)
    put(server, b"Subject: one\r\n\r\n")

    with ImapMailbox(replace(settings(server), handled_folder='Done "so"')) as mailbox:
        [mail] = mailbox.unread()
        mailbox.done(mail.name)
        mailbox.done(mail.name)  # gone by now: nothing happens

    assert 1 == len(list((handled / "cur").iterdir()))
    assert [] == [*server.maildir.glob("new/*"), *server.maildir.glob("cur/*")]


def test_a_missing_folder_for_what_is_done_is_an_error(server: Dovecot) -> None:
    put(server, b"Subject: one\r\n\r\n")
    with ImapMailbox(replace(settings(server), handled_folder="Missing")) as mailbox:
        [mail] = mailbox.unread()
        with pytest.raises(FetchError, match=r"move: the server refuses: .*Missing"):
            mailbox.done(mail.name)


def test_only_the_beginning_of_a_huge_mail_is_fetched(server: Dovecot) -> None:
    put(server, b"Subject: huge\r\n\r\n" + b"x" * 60 * MAX_BYTES)

    [mail] = unread(settings(server))

    assert MAX_BYTES == len(mail.data)


def test_an_empty_mailbox(server: Dovecot) -> None:
    assert [] == unread(settings(server))


def test_a_wrong_password_is_an_error_that_does_not_say_it(server: Dovecot) -> None:
    with trouble(replace(settings(server), password="not this one")) as errors:
        pass

    assert [f"imaps://localhost:{server.tls_port}/INBOX: user name or password not accepted"] == list(map(str, errors))
    assert errors[0].hint.startswith("check user name and password")


@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_a_certificate_that_nobody_vouches_for_is_refused(server: Dovecot, security: ImapSecurity) -> None:
    port = server.tls_port if security == "tls" else server.starttls_port
    with trouble(replace(settings(server), ca_file="", port=port, security=security)) as errors:
        pass

    assert "connect: its certificate is signed by nobody this machine trusts" in str(errors[0])
    assert "bounces.ca_file" in errors[0].hint


def test_a_certificate_for_another_name_is_refused(server: Dovecot) -> None:
    with trouble(replace(settings(server), host="127.0.0.1")) as errors:
        pass

    assert "connect: its certificate is for another host name" in str(errors[0])
    assert "set bounces.host to the name in the certificate" == errors[0].hint


def test_a_missing_folder_is_named(server: Dovecot) -> None:
    with trouble(replace(settings(server), folder="Bounces")) as errors:
        pass

    assert "Mailbox doesn't exist: Bounces" in str(errors[0])
    assert "check the name of the folder" == errors[0].hint


@pytest.mark.parametrize("folder", ["Rückläufer", "a\r\nA1 LOGOUT", ""])
def test_a_folder_that_cannot_be_written_is_refused(server: Dovecot, folder: str) -> None:
    with trouble(replace(settings(server), folder=folder)):
        pass


def test_a_connection_that_breaks_is_an_error() -> None:
    with dovecot() as server, ImapMailbox(settings(server)) as mailbox:
        server.drop_connections()
        with pytest.raises(FetchError, match=f"^imaps://localhost:{server.tls_port}/INBOX: search: ") as caught:
            list(mailbox.unread())

    assert "run the command again; nothing was lost" == caught.value.hint


def test_nothing_listening_is_an_error(server: Dovecot) -> None:
    with trouble(replace(settings(server), port=1)) as errors:
        pass

    assert "imaps://localhost:1/INBOX: connect: Connection refused" == str(errors[0])


def test_a_server_without_tls_is_not_talked_to(server: Dovecot) -> None:
    with trouble(replace(settings(server), port=server.starttls_port)) as errors:
        pass

    assert "connect: " in str(errors[0])


def test_a_missing_certificate_file_is_an_error(server: Dovecot) -> None:
    with trouble(replace(settings(server), ca_file="/nowhere/ca.pem")) as errors:
        pass

    assert "connect: No such file or directory" in str(errors[0])


def test_the_password_is_not_part_of_what_is_printed(server: Dovecot) -> None:
    assert PASSWORD not in repr(settings(server))


def test_it_must_be_open(server: Dovecot) -> None:
    with pytest.raises(ValueError, match="the mailbox is not open"):
        list(ImapMailbox(settings(server)).unread())
