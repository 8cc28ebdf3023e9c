"""Mails that this server cannot take are not offered to it."""

from __future__ import annotations

from typing import Any

import pytest

from digest.deliver.lane import GIVE_UP_AFTER
from digest.model import Outcome, Receipt
from tests.deliver.dialogue import send, to
from tests.makers import NOW, mail
from tests.smtp_server import SmtpServer, smtp_server


@pytest.mark.parametrize(
    ("fields", "outcome", "text"),
    [
        ({"recipient": "a b@example.org"}, "refused", "the recipient address cannot be written in SMTP"),
        ({"recipient": "a@b\r\nDATA"}, "refused", "the recipient address cannot be written in SMTP"),
        ({"recipient": "a@example.org> SIZE=1 <x@y"}, "refused", "the recipient address cannot be written in SMTP"),
        ({"recipient": ""}, "refused", "the recipient address cannot be written in SMTP"),
        ({"recipient": "nobody"}, "refused", "the recipient address cannot be written in SMTP"),
        ({"recipient": "a\udc80@example.org"}, "refused", "the recipient address cannot be written in SMTP"),
        ({"recipient": f"{'a' * 65}@example.org"}, "refused", "the recipient address cannot be written in SMTP"),
        ({"recipient": f"{'é' * 33}@example.org"}, "refused", "the recipient address cannot be written in SMTP"),
        ({"recipient": f"a@{'b.' * 130}org"}, "refused", "the recipient address cannot be written in SMTP"),
        ({"envelope_from": "a\0@b"}, "deferred", "the sender address cannot be written in SMTP"),
        (
            {"data": b"a\n.\nQUIT\r\n"},
            "deferred",
            "a line of the message does not end with CRLF, a fault of digest",
        ),
        (
            {"data": b"a\r\n.\rb\r\n"},
            "deferred",
            "a line of the message does not end with CRLF, a fault of digest",
        ),
        ({"data": b"no end"}, "deferred", "a line of the message does not end with CRLF, a fault of digest"),
        ({"data": b""}, "deferred", "a line of the message does not end with CRLF, a fault of digest"),
        (
            {"recipient": "jörg@example.org"},
            "refused",
            "the address needs SMTPUTF8 (RFC 6531), which the relay has not",
        ),
        (
            {"envelope_from": "jörg@example.org"},
            "deferred",
            "sender or message need SMTPUTF8 (RFC 6531), which the relay has not",
        ),
        ({"recipient": "a@b@example.org"}, "refused", "the recipient address cannot be written in SMTP"),
        ({"data": b"x" * 1998 + b"\r\n"}, "deferred", "2000 bytes, and the relay takes 1999 at most"),
    ],
)
def test_what_cannot_be_sent_is_not_offered(fields: dict[str, Any], outcome: Outcome, text: str) -> None:
    with smtp_server(max_size=1999) as server:
        receipts = send(to(server), mail(1, **fields), mail(2))

        assert [
            Receipt(outcome, None, f"not offered: {text}", NOW, f"127.0.0.1:{server.port}"),
            Receipt("delivered", 250, "2.0.0 queued", NOW, f"127.0.0.1:{server.port}"),
        ] == receipts
        assert ["connect", "ehlo", "mail", "rcpt", "data", "quit"] == server.heard


def test_mails_that_cannot_be_sent_do_not_make_the_relay_look_dead(server: SmtpServer) -> None:
    receipts = send(to(server), *[mail(recipient="nobody")] * GIVE_UP_AFTER, mail())

    assert "delivered" == receipts[-1].outcome


def test_a_size_beyond_all_numbers_is_no_limit(server: SmtpServer) -> None:
    server.script["ehlo"] = f"250-mx\r\n250 SIZE {'9' * 5000}"

    assert "deferred" == send(to(server), mail())[0].outcome  # aiosmtpd has not noticed the scripted EHLO


def test_an_address_beyond_ascii_goes_to_a_server_that_offers_smtputf8() -> None:
    international = mail(recipient="jörg@bücher.example", data="To: jörg@bücher.example\r\n\r\nx\r\n".encode())
    with smtp_server(smtputf8=True) as server:
        [receipt] = send(to(server), international)

        assert "delivered" == receipt.outcome
        assert [("jörg@bücher.example", international.data)] == [(a.recipient, a.data) for a in server.accepted]
