"""Mails in a folder that mail readers understand."""

from __future__ import annotations

import asyncio
import mailbox
import resource
import shutil
import stat
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from digest.deliver.maildir import Maildir, file_name
from digest.deliver.outbox import deliver_one
from digest.errors import DeliveryError
from tests.makers import NOW, mail

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from digest.model import Mail, Receipt


def store(path: Path, *mails: Mail) -> list[Receipt]:
    async def work() -> list[Receipt]:
        async with Maildir(path) as maildir:
            return [await deliver_one(maildir, m, now=lambda: NOW) for m in mails]

    return asyncio.run(work())


@contextmanager
def full_disk(limit: int) -> Iterator[None]:
    """No file can grow beyond `limit` bytes (setrlimit(2)), which fails in write(2) as a full disk does."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_mail_reader_finds_them_with_all_their_text(tmp_path: Path) -> None:
    store(tmp_path / "out", mail(1), mail(2))

    found = mailbox.Maildir(tmp_path / "out", create=False)

    assert {"Papers 1", "Papers 2"} == {message["Subject"] for message in found}
    assert [b".a line that begins with a dot\nBody\n"] * 2 == [m.get_payload(decode=True) for m in found]


def test_the_receipt_names_the_file(tmp_path: Path) -> None:
    [receipt] = store(tmp_path, mail())

    [file] = (tmp_path / "new").iterdir()
    assert ("delivered", None, f"stored as {file}", NOW, str(tmp_path)) == (
        receipt.outcome,
        receipt.code,
        receipt.text,
        receipt.at,
        receipt.relay,
    )
    assert file.name.startswith("reader1@example.org.")
    assert ".eml" == file.suffix
    assert mail().data == file.read_bytes()


def test_nobody_else_can_read_them(tmp_path: Path) -> None:
    store(tmp_path / "out", mail())

    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "out").rglob("*")}

    assert {"new": 0o700, "cur": 0o700, "tmp": 0o700, file_name(mail()): 0o600} == modes
    assert 0o700 == stat.S_IMODE((tmp_path / "out").stat().st_mode)


def test_a_mail_that_was_looked_at_is_replaced_where_it_is(tmp_path: Path) -> None:
    """A reader has moved it to `cur` and flagged it as seen; sent again, it is still one mail."""
    store(tmp_path, mail(data=b"old\r\n"))
    [file] = (tmp_path / "new").iterdir()
    seen = tmp_path / "cur" / f"{file.name}:2,S"
    file.rename(seen)

    store(tmp_path, mail())

    assert [] == list((tmp_path / "new").iterdir())
    assert [seen] == list((tmp_path / "cur").iterdir())
    assert mail().data == seen.read_bytes()


def test_the_name_is_the_same_for_the_same_mail_only() -> None:
    assert file_name(mail(1)) == file_name(mail(1, data=b"other bytes\r\n"))
    assert file_name(mail(1)) != file_name(mail(1, message_id="<other@example.org>"))
    assert file_name(mail(1)) != file_name(mail(1, recipient="reader2@example.org"))


@pytest.mark.parametrize("recipient", ["../../etc/passwd", "a/b@c", "", "...", "x:2,S@y", "a\0b", "é" * 300, "\udc80"])
def test_no_recipient_leads_out_of_the_folder(tmp_path: Path, recipient: str) -> None:
    [receipt] = store(tmp_path / "out", mail(recipient=recipient))

    assert "delivered" == receipt.outcome
    assert [tmp_path / "out"] == list(tmp_path.iterdir())
    assert 1 == len(mailbox.Maildir(tmp_path / "out", create=False))


def test_a_full_disk_defers_and_leaves_nothing_behind(tmp_path: Path) -> None:
    store(tmp_path, mail(1))
    with full_disk(100):
        receipts = store(tmp_path, mail(1), mail(2))

    assert ["deferred"] * 2 == [receipt.outcome for receipt in receipts]
    assert f"cannot write {tmp_path / 'new' / file_name(mail(1))}: File too large" == receipts[0].text
    assert [] == list((tmp_path / "tmp").iterdir())
    assert [mail(1).data] == [file.read_bytes() for file in (tmp_path / "new").iterdir()]


def test_a_folder_that_vanishes_defers(tmp_path: Path) -> None:
    async def work() -> Receipt:
        async with Maildir(tmp_path / "out") as maildir:
            shutil.rmtree(tmp_path / "out")
            return await deliver_one(maildir, mail(), now=lambda: NOW)

    receipt = asyncio.run(work())

    assert "deferred" == receipt.outcome
    assert receipt.text.endswith(": No such file or directory")


def test_a_folder_that_cannot_be_made_is_an_error_with_a_hint(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")

    with pytest.raises(DeliveryError) as caught:
        store(tmp_path / "file" / "out", mail())

    assert (
        f"{tmp_path / 'file' / 'out'}: maildir: Not a directory",
        "name a folder that this user may create or write to",
    ) == (
        str(caught.value),
        caught.value.hint,
    )
