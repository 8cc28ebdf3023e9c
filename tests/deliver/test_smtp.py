"""Mails over a real SMTP dialogue: what every way it can go wrong makes of the receipt."""

from __future__ import annotations

import asyncio
import gc
from typing import TYPE_CHECKING

import pytest

from digest.deliver.lane import GIVE_UP_AFTER
from digest.deliver.outbox import deliver_one
from digest.deliver.settings import SmtpSettings
from digest.deliver.smtp import Smtp
from digest.model import Outcome, Receipt
from tests.deliver.dialogue import now, send, to
from tests.makers import NOW, mail
from tests.smtp_server import DROP, SILENCE, Authority, SmtpServer, patience_s, smtp_server

if TYPE_CHECKING:
    pass

US_NOT_THEM = "the relay objects to this sender or machine, not to the reader: "
#: more than the sockets of both sides hold, so that a server can hang up before the final dot is on its way
BULKY = mail(data=mail().data + (b"x" * 76 + b"\r\n") * 200_000)


# --- it works ---


def test_a_mail_arrives_byte_for_byte_with_its_own_envelope(server: SmtpServer) -> None:
    """The sender is the envelope's, not the one in `From:`."""
    receipts = send(to(server), mail())

    assert [Receipt("delivered", 250, "2.0.0 queued", NOW, f"127.0.0.1:{server.port}")] == receipts
    [accepted] = server.accepted
    assert ("bounces@example.org", "reader1@example.org", mail().data, mail().message_id) == (
        accepted.sender,
        accepted.recipient,
        accepted.data,
        accepted.message_id,
    )


def test_many_mails_share_one_connection(server: SmtpServer) -> None:
    send(to(server), mail(1), mail(2), mail(3))

    assert ["connect", "ehlo", *["mail", "rcpt", "data"] * 3, "quit"] == server.heard


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_mails_large_and_small_arrive_over_tls(authority: Authority, security: str) -> None:
    """The write buffer behaves otherwise under TLS."""
    context = authority.context("127.0.0.1")
    large = mail(2, data=mail(2).data + (b"x" * 76 + b"\r\n") * 20_000)
    with smtp_server(tls=context) if security == "tls" else smtp_server(starttls=context) as server:
        receipts = send(to(server, security=security, ca_file=authority.ca_file), mail(1), large, mail(3))

        assert ["delivered"] * 3 == [receipt.outcome for receipt in receipts]
        assert [mail(1).data, large.data, mail(3).data] == [accepted.data for accepted in server.accepted]


@pytest.mark.parametrize(
    "body", [b".\r\n", b"..\r\n...\r\n", b"a\r\n.\r\nb\r\n", b"\r\n.\r\n.\r\n", b".a\r\n", b"a\r\n\r\n\r\n"]
)
def test_lines_with_dots_arrive_as_they_are(server: SmtpServer, body: bytes) -> None:
    """RFC 5321 §4.5.2; also at the very beginning."""
    send(to(server), mail(data=body), mail(data=b"X: y\r\n\r\n" + body))

    assert [body, b"X: y\r\n\r\n" + body] == [accepted.data for accepted in server.accepted]


def test_the_sender_may_be_nobody(server: SmtpServer) -> None:
    """The empty reverse path of RFC 5321 §4.5.5, to which nothing bounces."""
    send(to(server), mail(envelope_from=""))

    assert ["<>"] == [accepted.sender for accepted in server.accepted]


# --- the server says no ---


@pytest.mark.parametrize(
    ("step", "reply", "outcome", "text"),
    [
        ("mail", "451 4.3.0 later", "deferred", "4.3.0 later (at MAIL FROM)"),
        ("mail", "550 5.7.1 not you", "deferred", f"{US_NOT_THEM}5.7.1 not you (at MAIL FROM)"),
        ("rcpt", "450 4.2.1 greylisted", "deferred", "4.2.1 greylisted (at RCPT TO)"),
        ("rcpt", "550 5.1.1 no such user", "refused", "5.1.1 no such user (at RCPT TO)"),
        ("rcpt", "554 5.7.1 relay denied", "deferred", f"{US_NOT_THEM}5.7.1 relay denied (at RCPT TO)"),
        ("data", "451 4.3.0 later", "deferred", "4.3.0 later (in DATA, before the final dot)"),
        ("data", "550 no", "refused", "no (in DATA, before the final dot)"),
        ("data", "250 yes?", "deferred", "yes? (in DATA, before the final dot)"),
        ("dot", "452 4.3.1 disk full", "deferred", "4.3.1 disk full (after the final dot)"),
        ("dot", "554 5.6.0 bad content", "refused", "5.6.0 bad content (after the final dot)"),
        ("dot", "550 5.7.26 no SPF", "deferred", f"{US_NOT_THEM}5.7.26 no SPF (after the final dot)"),
        ("dot", "354 what?", "in_doubt", "what? (after the final dot)"),
        ("dot", "550-5.1.1 no\r\n550 5.1.1 really", "refused", "5.1.1 no 5.1.1 really (after the final dot)"),
    ],
)
def test_a_refusal_costs_one_mail_and_the_next_one_goes_on(
    server: SmtpServer, step: str, reply: str, outcome: Outcome, text: str
) -> None:
    key = step if step == "mail" else (step, "reader1@example.org")
    server.script[key] = reply
    settings = to(server)

    async def work() -> list[Receipt]:
        async with Smtp(settings) as smtp:
            first = await deliver_one(smtp, mail(1), now=now)
            del server.script[key]
            return [first, await deliver_one(smtp, mail(2), now=now)]

    assert [
        Receipt(outcome, int(reply[:3]), text, NOW, settings.relay),
        Receipt("delivered", 250, "2.0.0 queued", NOW, settings.relay),
    ] == asyncio.run(work())
    assert [mail(2).data] == [accepted.data for accepted in server.accepted]


@pytest.mark.parametrize("step", ["mail", "rcpt", "data"])
def test_after_a_refusal_the_transaction_is_reset(server: SmtpServer, step: str) -> None:
    server.script[step] = "451 4.3.0 later"

    send(to(server), mail(1), mail(2), mail(3))

    assert 2 == server.heard.count("rset")
    assert 1 == server.heard.count("connect")


@pytest.mark.parametrize("action", ["500 what?", DROP])
def test_a_server_that_does_not_reset_is_left(server: SmtpServer, action: str) -> None:
    server.script["rset"] = action
    server.script["rcpt", "reader1@example.org"] = "550 5.1.1 no such user"

    receipts = send(to(server), mail(1), mail(2))

    assert ["refused", "delivered"] == [receipt.outcome for receipt in receipts]
    assert 2 == server.heard.count("connect")


@pytest.mark.parametrize("step", ["mail", "rcpt", "data", "dot"])
def test_421_defers_and_the_next_mail_takes_a_new_connection(server: SmtpServer, step: str) -> None:
    key = (step, "reader1@example.org") if step != "mail" else step
    server.script[key] = "421 4.3.2 shutting down"
    settings = to(server)

    async def work() -> list[Receipt]:
        async with Smtp(settings) as smtp:
            first = await deliver_one(smtp, mail(1), now=now)
            server.script.clear()
            return [first, await deliver_one(smtp, mail(2), now=now)]

    first, second = asyncio.run(work())

    assert ("deferred", 421, "delivered") == (first.outcome, first.code, second.outcome)
    assert [mail(2).data] == [accepted.data for accepted in server.accepted]


# --- the line breaks ---


@pytest.mark.parametrize(
    ("step", "outcome", "where"),
    [
        ("mail", "deferred", "at MAIL FROM"),
        ("rcpt", "deferred", "at RCPT TO"),
        ("data", "deferred", "in DATA, before the final dot"),
        ("dot", "in_doubt", "after the final dot"),
    ],
)
@pytest.mark.parametrize("action", [DROP, SILENCE])
def test_without_an_answer_all_depends_on_the_final_dot(
    server: SmtpServer, step: str, outcome: Outcome, where: str, action: str
) -> None:
    server.script[step] = action

    [receipt] = send(to(server, timeout_s=patience_s(action), answer_timeout_s=patience_s(action)), mail())

    assert (outcome, None) == (receipt.outcome, receipt.code)
    assert receipt.text.endswith(f"({where})")
    assert (outcome == "in_doubt") == bool(server.accepted)


@pytest.mark.parametrize(
    ("action", "code", "outcome"),
    [
        (DROP, None, "deferred"),
        (SILENCE, None, "deferred"),
        ("451 4.3.0 enough", 451, "deferred"),
        ("552 5.3.4 too big", 552, "deferred"),
        ("552 5.2.3 too big", 552, "refused"),
        ("421 4.3.2 bye", 421, "deferred"),
        ("250 2.0.0 already?", 250, "deferred"),
    ],
)
def test_the_end_in_the_middle_of_a_message_is_never_in_doubt(
    server: SmtpServer, action: str, code: int | None, outcome: Outcome
) -> None:
    """The dot has not been sent, so whatever the server says or does, it has no message."""
    server.script["body"] = action

    [receipt] = send(to(server, timeout_s=1.0), BULKY)

    assert outcome == receipt.outcome
    assert receipt.text.endswith("(in DATA, before the final dot)")
    # an answer can get lost on the way if the server hangs up on unread data (TCP RST); the outcome cannot
    assert receipt.code in {code, None}
    assert [] == server.accepted


def test_the_answer_to_the_final_dot_is_waited_for_longer(server: SmtpServer) -> None:
    """RFC 5321 §4.5.3.2.6: ten minutes; giving up earlier makes duplicates."""
    server.script["dot"] = SILENCE

    [receipt] = send(to(server, timeout_s=5.0, answer_timeout_s=0.1), mail())

    assert "no answer within 0.1 s (after the final dot)" == receipt.text
    assert 600 == SmtpSettings("mx.example.org").answer_timeout_s


@pytest.mark.parametrize("goodbye", ["", "421 4.7.0 enough for one connection"])
def test_a_server_that_hangs_up_after_some_messages_gets_all_of_them(server: SmtpServer, goodbye: str) -> None:
    server.close_after = 2
    server.goodbye = goodbye

    receipts = send(to(server), *map(mail, range(5)))

    assert ["delivered"] * 5 == [receipt.outcome for receipt in receipts]
    assert [mail(n).data for n in range(5)] == [accepted.data for accepted in server.accepted]
    assert 3 == server.heard.count("connect")


def test_a_relay_that_is_gone_defers() -> None:
    async def work() -> Receipt:
        with smtp_server() as server:
            smtp = await Smtp(to(server)).__aenter__()
        try:
            return await deliver_one(smtp, mail(), now=now)
        finally:
            await smtp.__aexit__(None, None, None)

    receipt = asyncio.run(work())

    reason = "not tried: the relay failed 3 times in a row, the last time: nothing listens there (connecting)"
    assert ("deferred", None, reason) == (receipt.outcome, receipt.code, receipt.text)


def test_after_three_failures_nothing_more_is_tried(server: SmtpServer) -> None:
    server.script["mail"] = DROP

    receipts = send(to(server), *map(mail, range(10)))

    assert {"deferred"} == {receipt.outcome for receipt in receipts}
    closed = "the server closed the connection (at MAIL FROM)"
    not_tried = f"not tried: the relay failed 3 times in a row, the last time: {closed}"
    assert [closed] * GIVE_UP_AFTER + [not_tried] * 7 == [receipt.text for receipt in receipts]
    assert 1 + GIVE_UP_AFTER == server.heard.count("connect")


def test_a_mail_that_gets_an_answer_shows_that_the_relay_lives(server: SmtpServer) -> None:
    """Mails that make the server hang up cost themselves only."""
    for number in (1, 2, 4, 5, 7):
        server.script["rcpt", f"reader{number}@example.org"] = DROP
    server.script["rcpt", "reader3@example.org"] = "550 5.1.1 no such user"

    receipts = send(to(server), *map(mail, range(1, 9)))

    assert [
        "deferred",
        "deferred",
        "refused",
        "deferred",
        "deferred",
        "delivered",
        "deferred",
        "delivered",
    ] == [receipt.outcome for receipt in receipts]


def test_a_delivery_cut_short_leaves_no_answer_behind_for_the_next_mail(server: SmtpServer) -> None:
    server.script["dot", "reader1@example.org"] = SILENCE

    async def work() -> Receipt:
        async with Smtp(to(server)) as smtp:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.2):
                    await deliver_one(smtp, mail(1), now=now)
            return await deliver_one(smtp, mail(2), now=now)

    assert "delivered" == asyncio.run(work()).outcome
    assert 2 == server.heard.count("connect")


def test_a_goodbye_cut_short_closes_the_connection_all_the_same(server: SmtpServer) -> None:
    """As when the daemon is told to stop; what stays open would be a ResourceWarning, an error in these tests."""
    server.script["quit"] = SILENCE

    async def work() -> None:
        async with asyncio.timeout(0.1), Smtp(to(server)):
            pass

    with pytest.raises(TimeoutError):
        asyncio.run(work())
    gc.collect()


def test_a_server_that_talks_nonsense_is_left(server: SmtpServer) -> None:
    server.script["rcpt", "reader1@example.org"] = "<html>"

    receipts = send(to(server), mail(1), mail(2))

    assert "the answer is not SMTP: <html> (at RCPT TO)" == receipts[0].text
    assert ["deferred", "delivered"] == [receipt.outcome for receipt in receipts]


def test_a_server_that_answers_twice_cannot_make_a_mail_look_delivered(server: SmtpServer) -> None:
    """One answer too many, and all later ones would belong to the command before."""
    for step in ("mail", "rcpt", "data"):
        server.script = {step: "250 ok\r\n250 ok\r\n250 ok"}

        [receipt] = send(to(server), mail())

        assert "deferred" == receipt.outcome
    assert [] == server.accepted


def test_a_server_that_never_stops_talking_is_left(server: SmtpServer) -> None:
    server.script["rcpt"] = "\r\n".join(["250 ok"] * 100)

    [receipt] = send(to(server), mail())

    assert "deferred" == receipt.outcome
