"""What mails that come back say: Postfix is asked itself, the others are invented in its competitors' shapes."""

from __future__ import annotations

import base64
import quopri
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.bounces.bounce import Bounce
from digest.bounces.maildir import MaildirMailbox
from digest.bounces.report import is_letter, read_report, reader_of
from tests.bounces import mails
from tests.bounces.mails import MESSAGE_ID, TOKEN, notification
from tests.bounces.postfix import postfix
from tests.makers import NOW
from tests.smtp_server import smtp_server

if TYPE_CHECKING:
    from digest.model import BounceKind

GONE = Bounce("hard", "gone@example.net", MESSAGE_ID, "5.1.1", "550 5.1.1 no such user", NOW)
BLOCK = (
    "Final-Recipient: rfc822; gone@example.net\nAction: failed\nStatus: 5.1.1\n"
    "Diagnostic-Code: smtp; 550 5.1.1 no such user\n"
)
ABOUT = "Reporting-MTA: dns; mx.example.net\n\n"


def read(message: bytes) -> tuple[Bounce, ...]:
    return read_report(message, at=NOW)


# --- the programs -----------------------------------------------------------------------------------------------


def test_what_postfix_returns() -> None:
    refusals = {
        "gone@example.net": "550 5.1.1 no such user",
        "full@example.net": "552 5.2.2 mailbox full",
        "plain@example.net": "550 we do not like you",
        "policy@example.net": "554 5.7.1 your network is blocked",
    }
    with smtp_server() as server, postfix(server.port) as relay:
        for recipient, reply in refusals.items():
            server.script["rcpt", recipient] = reply
            relay.send(f"bounces+{TOKEN}@example.org", recipient, f"<1.{recipient}>")
        relay.wait_for(len(refusals))
        with MaildirMailbox(relay.maildir) as mailbox:
            returned = list(mailbox.unread())

    found = {bounce.recipient: bounce for mail in returned for bounce in read(mail.data)}
    expected: list[tuple[BounceKind, str, str]] = [
        ("hard", "gone@example.net", "5.1.1"),
        ("soft", "full@example.net", "5.2.2"),
        ("hard", "plain@example.net", "5.0.0"),
        ("other", "policy@example.net", "5.7.1"),
    ]
    assert found == {
        recipient: Bounce(kind, recipient, f"<1.{recipient}>", status, refusals[recipient], NOW, TOKEN)
        for kind, recipient, status in expected
    }


def test_what_exim_returns() -> None:
    assert (replace(GONE, diagnostic="550 5.1.1 User unknown", token=TOKEN),) == read(mails.EXIM)


def test_what_older_exim_returns() -> None:
    diagnostic = "550 5.1.1 <gone@example.net>: no such user"

    assert (replace(GONE, diagnostic=diagnostic),) == read(mails.OLD_EXIM)


def test_what_gmail_returns() -> None:
    diagnostic = (
        "550-5.1.1 The email account that you tried to reach does not exist. Please try 550-5.1.1 double-checking the "
        "recipient's email address for typos or 550 5.1.1 unnecessary spaces. - gsmtp"
    )

    assert (replace(GONE, recipient="gone@gmail.example", diagnostic=diagnostic),) == read(mails.GMAIL)


def test_what_exchange_returns() -> None:
    diagnostic = (
        "550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient gone@contoso.example not found by SMTP address lookup"
    )

    assert (replace(GONE, recipient="gone@contoso.example", status="5.1.10", diagnostic=diagnostic),) == read(
        mails.EXCHANGE
    )


# --- delivery status notifications ------------------------------------------------------------------------------


def test_each_recipient_is_a_bounce() -> None:
    other = BLOCK.replace("gone@", "other@").replace("5.1.1", "5.2.2")

    assert (
        GONE,
        replace(GONE, kind="soft", recipient="other@example.net", status="5.2.2", diagnostic="550 5.2.2 no such user"),
    ) == read(notification(f"{ABOUT}{BLOCK}\n{other}"))


@pytest.mark.parametrize("action", ["delayed", "delivered", "relayed", "expanded", "Delayed (for 4 hours)"])
def test_what_is_no_failure_is_held_against_nobody(action: str) -> None:
    report = ABOUT + BLOCK.replace("failed", action)

    assert ["other"] == [bounce.kind for bounce in read(notification(report))]


@pytest.mark.parametrize(
    ("status", "diagnostic", "kind", "best"),
    [
        ("5.1.1", "smtp; 550 5.1.1 no", "hard", "5.1.1"),
        ("5.1.1 (bad destination mailbox address)", "", "hard", "5.1.1"),
        ("5.0.0", "smtp; 550 5.7.1 blocked", "other", "5.7.1"),
        ("5.0.0", "smtp; 550 no such user", "hard", "5.0.0"),
        ("5.0.0", "smtp; 450 4.2.2 odd", "hard", "5.0.0"),
        ("", "smtp; 552 5.2.2 full", "soft", "5.2.2"),
        ("", "smtp; 550 no", "hard", "5.0.0"),
        ("", "smtp; 450 later", "soft", "4.0.0"),
        ("", "", "hard", ""),
        ("4.4.7", "smtp; delivery time expired", "soft", "4.4.7"),
        ("4.4.1", "X-Postfix; connect to 192.0.2.1[192.0.2.1]:25: timed out", "soft", "4.4.1"),
        ("2.0.0", "", "other", "2.0.0"),
        ("nonsense", "550 192.0.2.1.5 5.1.1.1", "hard", "5.0.0"),
    ],
)
def test_the_most_telling_code_decides(status: str, diagnostic: str, kind: BounceKind, best: str) -> None:
    report = f"{ABOUT}Final-Recipient: rfc822; a@example.net\nAction: failed\nStatus: {status}\n"
    [bounce] = read(notification(f"{report}Diagnostic-Code: {diagnostic}\n" if diagnostic else report))

    assert (kind, best) == (bounce.kind, bounce.status)


def test_the_address_we_wrote_comes_before_the_one_it_was_forwarded_to() -> None:
    report = f"{ABOUT}Original-Recipient: rfc822;ada+papers@example.net\n{BLOCK}"

    assert ["ada+papers@example.net"] == [bounce.recipient for bounce in read(notification(report))]


def test_an_internationalised_address_is_read() -> None:
    report = ABOUT + BLOCK.replace("rfc822; gone@example.net", "utf-8; jürgen@example.net")
    message = notification(report).replace(b"message/delivery-status", b"message/global-delivery-status")

    assert ["jürgen@example.net"] == [bounce.recipient for bounce in read(message)]


def test_without_the_mail_the_envelope_id_names_it() -> None:
    report = f"Original-Envelope-Id: {MESSAGE_ID}\n{ABOUT}{BLOCK}"

    assert (GONE,) == read(notification(report, returned=""))


def test_the_block_about_the_message_may_be_missing() -> None:
    assert (GONE,) == read(notification(BLOCK))


@pytest.mark.parametrize("header", ["To", "Delivered-To", "X-Original-To", "Envelope-To"])
def test_the_address_it_came_to_gives_the_token(header: str) -> None:
    message = notification(ABOUT + BLOCK, more=f"{header}: Bounces <bounces+{TOKEN}@example.org>, x@example.org\n")

    assert (replace(GONE, token=TOKEN),) == read(message)


@pytest.mark.parametrize("encoding", ["base64", "quoted-printable"])
def test_an_encoded_report_is_read(encoding: str) -> None:
    """RFC 6522 §3 does not want it."""
    report = (ABOUT + BLOCK).encode()
    encoded = base64.encodebytes(report) if encoding == "base64" else quopri.encodestring(report)
    message = notification(encoded.decode()).replace(
        b"message/delivery-status\r\n", f"message/delivery-status\r\nContent-Transfer-Encoding: {encoding}\r\n".encode()
    )

    assert (GONE,) == read(message)


def test_bare_line_feeds_and_a_cut_end_do_not_matter() -> None:
    whole = notification(ABOUT + BLOCK).replace(b"\r\n", b"\n")

    assert (GONE,) == read(whole)
    assert (GONE,) == read(whole[: whole.index(b"Subject: 15 Sep")])


# --- complaints, unsubscribe mails, and what is nothing ---------------------------------------------------------


def test_a_complaint_names_the_reader_by_token() -> None:
    assert (Bounce("complaint", "gone@example.net", MESSAGE_ID, "", "feedback report: abuse", NOW, TOKEN),) == read(
        mails.feedback()
    )


@pytest.mark.parametrize("kind", ["not-spam", "auth-failure", "virus", "other", "x-invented"])
def test_other_feedback_is_no_complaint(kind: str) -> None:
    assert ["other"] == [bounce.kind for bounce in read(mails.feedback(kind))]


@pytest.mark.parametrize(
    "subject",
    [
        f"unsubscribe {TOKEN}",
        f"Unsubscribe: {TOKEN}",
        f"  UNSUBSCRIBE  {TOKEN} ",
        f"=?gb18030?Q?unsubscribe_{TOKEN.replace('_', '=5F')}?=",
    ],
)
def test_an_unsubscribe_mail(subject: str) -> None:
    assert (Bounce("unsubscribe", "", "", "", "", NOW, TOKEN),) == read(mails.unsubscribe(subject))


@pytest.mark.parametrize(
    "message",
    [
        b"",
        b"\r\n",
        b"no mail at all",
        mails.VACATION,
        mails.unsubscribe(f"unsubscribe {TOKEN}", "Auto-Submitted: auto-replied\n"),
        mails.unsubscribe(f"Re: unsubscribe {TOKEN}"),
        mails.unsubscribe("unsubscribe ada@example.org"),
        mails.unsubscribe("unsubscribe"),
        mails.unsubscribe("550 5.1.1 no such user"),
        notification(""),
        notification("Nothing: here\n"),
        notification(ABOUT),
        notification(BLOCK).replace(b"boundary=", b"border="),
        notification(BLOCK).replace(b"message/delivery-status", b"message/disposition-notification"),
    ],
)
def test_everything_else_is_nothing(message: bytes) -> None:
    assert () == read(message)


# --- who it is about --------------------------------------------------------------------------------------------

TOKENS = {TOKEN: "ada@example.org"}
MESSAGES = {MESSAGE_ID: "emmy@example.org"}


@pytest.mark.parametrize(
    ("bounce", "reader"),
    [
        (replace(GONE, token=TOKEN), "ada@example.org"),
        (replace(GONE, token="A" * 22), "emmy@example.org"),
        (GONE, "emmy@example.org"),
        (replace(GONE, message_id="<forged@example.org>"), None),
        (replace(GONE, message_id=""), None),
        (replace(GONE, kind="unsubscribe", token=TOKEN), "ada@example.org"),
        (replace(GONE, kind="unsubscribe", token="A" * 22), None),
    ],
)
def test_a_bounce_counts_only_with_something_that_we_gave_away(bounce: Bounce, reader: str | None) -> None:
    assert reader == reader_of(bounce, by_token=TOKENS.get, by_message_id=MESSAGES.get)


# --- hostile mail -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "field",
    [
        "Auto-Submitted: auto-replied (vacation)",
        "Precedence: Auto_Reply",
        "X-Auto-Response-Suppress: All",
        "List-Id: <papers.example.org>",
        "Return-Path: <>",
        "Content-Type: multipart/report; boundary=x",
        "From: Mail Delivery Subsystem <MAILER-DAEMON@mx.example.net>",
    ],
)
def test_what_a_program_wrote_is_no_letter(field: str) -> None:
    assert not is_letter(mails.crlf(f"{field}\nTo: bounces@example.org\nSubject: Hello\n\nHello\n"))


@pytest.mark.parametrize(
    "letter",
    [
        mails.LETTER,
        mails.unsubscribe("unsubscribe"),
        mails.unsubscribe("Hello", "Auto-Submitted: no\nReturn-Path: <ada@example.net>\n"),
        b"no fields at all",
    ],
)
def test_what_a_person_wrote_is_a_letter(letter: bytes) -> None:
    assert is_letter(letter)


def test_texts_of_strangers_become_one_clean_line() -> None:
    diagnostic = "smtp; 550 5.1.1 \x1b[31mred\x00 \u202eevil\u2066 " + "x" * 5000
    report = ABOUT + BLOCK.replace("smtp; 550 5.1.1 no such user", diagnostic)
    [bounce] = read(notification(report))

    assert bounce.diagnostic.startswith("550 5.1.1 [31mred evil xxx")
    assert 300 == len(bounce.diagnostic)
    assert bounce.diagnostic.isprintable()


NESTED = b"".join(
    b"Content-Type: multipart/report; boundary=b%d\r\n\r\n--b%d\r\n" % (level, level) for level in range(6000)
)


@pytest.mark.parametrize(
    "message",
    [
        NESTED,
        b"Content-Type: multipart/mixed; boundary=x\r\n\r\n" + b"--x\r\n\r\n" * 60_000,
        notification((ABOUT + BLOCK + "\n") * 4000),
        b"a: \r\n" * 60_000,
        b"X: y\r\n z" + b"\r\n " * 100_000,
        b"Subject: unsubscribe " + b"a" * 250_000,
        b"X-Failed-Recipients: " + b"a@b," * 60_000 + b"\r\n\r\n" + b"550 " * 60_000,
        b"Content-Type: multipart/report; boundary=" + b"\\" * 70 + b"\r\n\r\n" + b"\n-" * 100_000,
        b"To: " + b"bounces+" * 30_000,
        notification("Diagnostic-Code: smtp; " + "5.1." * 60_000),
        notification(" \n" * 100_000),
        b"\n" * 260_000,
    ],
)
def test_a_bomb_costs_nothing(message: bytes) -> None:
    """They take a few hundredths of a second; time that grows with the square would be minutes."""
    started = time.process_time()
    bounces = read(message)

    assert time.process_time() - started < 3
    assert len(bounces) <= 50


PIECES = st.sampled_from(
    [
        b"\r\n",
        b"\n\n",
        b"--b",
        b"--b--",
        b"Content-Type: multipart/report; boundary=b\r\n",
        b"Content-Type: message/delivery-status\r\n\r\n",
        b"Content-Type: message/feedback-report\r\n\r\n",
        b"Content-Type: message/rfc822\r\n\r\n",
        b"Content-Transfer-Encoding: base64\r\n",
        b"Final-Recipient: rfc822; a@b\r\n",
        b"Action: failed\r\n",
        b"Status: 5.1.1\r\n",
        b"X-Failed-Recipients: a@b\r\n",
        b"Message-ID: <a@b>\r\n",
        b"Subject: unsubscribe ",
        b"\xff\x00",
    ]
)


@given(st.lists(PIECES | st.binary(max_size=20), max_size=40).map(b"".join))
def test_no_mail_raises_and_every_text_is_clean(message: bytes) -> None:
    for bounce in read(message):
        for text in (bounce.recipient, bounce.message_id, bounce.status, bounce.diagnostic, bounce.token):
            assert text.isprintable()
            assert len(text) <= 330
