"""Returned mail in a folder."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from digest.bounces.entity import MAX_BYTES
from digest.bounces.mailbox import Returned
from digest.bounces.maildir import MaildirMailbox
from digest.errors import FetchError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for part in ("new", "cur", "tmp"):
        (tmp_path / part).mkdir()
    return tmp_path


def put(folder: Path, name: str, arrived: int, data: bytes = b"Subject: x\r\n\r\n") -> Path:
    path = folder / name
    path.write_bytes(data)
    os.utime(path, (arrived, arrived))
    return path


def unread(folder: Path) -> list[str]:
    with MaildirMailbox(folder) as mailbox:
        return [mail.name for mail in mailbox.unread()]


def test_what_nobody_has_seen_is_read_the_oldest_first(folder: Path) -> None:
    put(folder, "new/3.b", 300)
    put(folder, "cur/1.a:2,R", 100, b"first\r\n")
    put(folder, "cur/2.a:2,RS", 200)
    put(folder, "cur/2.b:2,F", 200)
    put(folder, "tmp/0.a", 50)
    put(folder, "new/.hidden", 60)

    with MaildirMailbox(folder) as mailbox:
        [first, flagged, last] = mailbox.unread()

    assert Returned("cur/1.a:2,R", datetime.fromtimestamp(100, UTC), b"first\r\n") == first
    assert (("cur/2.b:2,F", True), ("new/3.b", False)) == (
        (flagged.name, flagged.is_flagged),
        (last.name, last.is_flagged),
    )


def test_what_is_done_is_seen_and_still_there(folder: Path) -> None:
    put(folder, "new/1.a", 100)
    put(folder, "cur/2.b:2,RT", 200)

    with MaildirMailbox(folder) as mailbox:
        for mail in mailbox.unread():
            mailbox.done(mail.name)

    assert [] == unread(folder)
    assert {"1.a:2,S", "2.b:2,RST"} == {path.name for path in (folder / "cur").iterdir()}
    assert [] == list((folder / "new").iterdir())


def test_what_is_not_done_comes_again(folder: Path) -> None:
    put(folder, "new/1.a", 100)

    assert ["new/1.a"] == unread(folder) == unread(folder)


def test_a_mail_that_another_program_takes_away_is_no_trouble(folder: Path) -> None:
    put(folder, "new/1.a", 100)
    gone = put(folder, "new/2.b", 200)

    with MaildirMailbox(folder) as mailbox:
        mails = mailbox.unread()
        first = next(mails)
        gone.unlink()
        mailbox.done("new/2.b")

        assert ("new/1.a", []) == (first.name, list(mails))


def test_only_the_beginning_of_a_huge_mail_is_read(folder: Path) -> None:
    put(folder, "new/1.a", 100, b"x" * (MAX_BYTES + 1))

    with MaildirMailbox(folder) as mailbox:
        [mail] = mailbox.unread()

    assert MAX_BYTES == len(mail.data)


def test_links_and_folders_are_no_mails(folder: Path) -> None:
    (folder / "new" / "link").symlink_to("/etc/hostname")
    (folder / "new" / "folder").mkdir()

    assert [] == unread(folder)


def test_a_folder_that_is_no_maildir_is_an_error_with_a_hint(tmp_path: Path) -> None:
    with pytest.raises(FetchError) as caught, MaildirMailbox(tmp_path):
        pass

    assert f"{tmp_path}: this is no Maildir" == str(caught.value)
    assert "name the folder of the mailbox that has “new” and “cur” in it" == caught.value.hint


def test_a_folder_that_vanishes_is_an_error(folder: Path) -> None:
    put(folder, "new/1.a", 100)
    with MaildirMailbox(folder) as mailbox:
        (folder / "cur").rmdir()
        with pytest.raises(FetchError, match="No such file or directory"):
            list(mailbox.unread())
