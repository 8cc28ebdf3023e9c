"""The same promises against Postfix's own test server, a second reading of RFC 5321."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import replace
from email import message_from_bytes
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import pytest

from digest.deliver.outbox import deliver_one
from digest.deliver.settings import SmtpSettings
from digest.deliver.smtp import Smtp, check
from digest.errors import DeliveryError
from tests.deliver.box import Box
from tests.makers import NOW, mail
from tests.smtp_server import smtp_sink

if TYPE_CHECKING:
    from digest.model import Mail, Receipt


def settings(port: int) -> SmtpSettings:
    return SmtpSettings("127.0.0.1", port, "none", timeout_s=5.0, answer_timeout_s=5.0)


def send(port: int, *mails: Mail) -> list[Receipt]:
    async def work() -> list[Receipt]:
        async with Smtp(settings(port)) as smtp:
            return [await deliver_one(smtp, m, now=lambda: NOW) for m in mails]

    return asyncio.run(work())


def test_check_names_it() -> None:
    with smtp_sink("-h", "sink.example.org") as port:
        assert (
            f"127.0.0.1:{port} answers “sink.example.org ESMTP”, unencrypted, without login, with pipelining"
        ) == asyncio.run(check(settings(port)))


def test_mails_arrive() -> None:
    with TemporaryDirectory() as folder:  # not tmp_path, which the sink's user cannot enter
        with smtp_sink(dump=Path(folder)) as port:
            receipts = send(port, *map(mail, range(20)))
        stored = [file.read_bytes() for file in Path(folder).iterdir()]

    assert ["delivered"] * 20 == [receipt.outcome for receipt in receipts]
    assert 20 == len(stored)
    # smtp-sink writes LF, and headers of its own in front
    bodies = {m.data.replace(b"\r\n", b"\n").partition(b"\n\n")[2] for m in map(mail, range(20))}
    assert bodies == {content.partition(b"\n\n")[2].rstrip(b"\n") + b"\n" for content in stored}


@pytest.mark.parametrize("options", [(), ("-p",)], ids=["pipelining", "no pipelining"])
@pytest.mark.parametrize("connections", [1, 4])
def test_many_mails_arrive_once_each(options: tuple[str, ...], connections: int) -> None:
    box = Box(map(mail, range(250)))

    async def work(port: int) -> str:
        relay = replace(settings(port), connections=connections, messages_per_connection=40)
        async with Smtp(relay) as smtp:
            return await smtp.deliver_all(box, now=box.now)

    with TemporaryDirectory() as folder:
        with smtp_sink(*options, dump=Path(folder)) as port:
            assert "" == asyncio.run(work(port))
        stored = [message_from_bytes(file.read_bytes()) for file in Path(folder).iterdir()]

    assert ["delivered"] * 250 == box.outcomes()
    assert {mail(n).message_id: 1 for n in range(250)} == Counter(message["Message-ID"] for message in stored)


@pytest.mark.parametrize("option", ["-r", "-f", "-q", "-Q"])
@pytest.mark.parametrize("command", ["CONNECT", "EHLO"])
def test_a_relay_that_does_not_want_us(option: str, command: str) -> None:
    with smtp_sink(option, command) as port, pytest.raises(DeliveryError) as caught:
        send(port, mail())

    assert command.lower() == caught.value.stage


@pytest.mark.parametrize("option", ["-r", "-f", "-q", "-Q"])
@pytest.mark.parametrize("command", ["MAIL", "RCPT", "DATA", "."])
def test_every_fault_at_every_command(option: str, command: str) -> None:
    """Its 5xx is `500 5.3.0`: trouble of the mail system, so the reader is not to blame."""
    with smtp_sink(option, command) as port:
        [receipt] = send(port, mail())

    assert ("in_doubt" if (option, command) == ("-q", ".") else "deferred") == receipt.outcome
    assert {"-r": 450, "-f": 500, "-q": None, "-Q": 421}[option] == receipt.code


@pytest.mark.parametrize("command", ["RCPT", "DATA", "."])
def test_an_unknown_reader_is_refused(command: str) -> None:
    with smtp_sink("-f", command, "-B", "550 5.1.1 no such user") as port:
        receipts = send(port, mail(1), mail(2))

    assert [("refused", 550)] * 2 == [(receipt.outcome, receipt.code) for receipt in receipts]


def test_a_550_in_the_middle_of_a_message_is_heard_before_the_dot() -> None:
    bulky = mail(data=mail().data + (b"x" * 76 + b"\r\n") * 200_000)
    with smtp_sink("-A", "0") as port:
        [receipt] = send(port, bulky)

    assert "(in DATA, before the final dot)" in receipt.text
    assert receipt.outcome in {"deferred", "refused"}
