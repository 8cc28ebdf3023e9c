"""Sending: claimed before the first byte, settled before the next mail, tried again or given up as promised."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import time, timedelta
from typing import TYPE_CHECKING

import pytest

from digest.model import Receipt
from digest.pipeline.clerk import retry_after
from tests.installation import (
    ADA,
    BOB,
    CAT,
    Installation,
    findings,
    item,
    message_id,
    picked,
    reader,
    sentences,
)
from tests.makers import NOW, TODAY, subscriber
from tests.smtp_server import DROP, smtp_server
from tests.state.shortcuts import claim_one, settle_one

if TYPE_CHECKING:
    from pathlib import Path

    from digest.model import LedgerRow
    from tests.http_server import HttpServer
    from tests.smtp_server import SmtpServer

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
LATER = "450 4.2.1 not now"
NO_SUCH_USER = "550 5.1.1 no such user"
THREE = tuple(reader(email) for email in (ADA, BOB, CAT))


def states(home: Installation) -> list[tuple[str, str, int]]:
    return [(row.email, row.state, row.attempts) for row in home.rows()]


def only_row(home: Installation) -> LedgerRow:
    (row,) = home.rows()
    return row


def recipients(relay: SmtpServer) -> list[str]:
    return [mail.recipient for mail in relay.accepted]


# --- the claim and the receipt ----------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_everybody_gets_one_mail_and_a_second_run_sends_none(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path, http_server: HttpServer
) -> None:
    url = request.getfixturevalue("postgresql_server").new_database() if kind == "postgresql" else ""
    home = Installation(tmp_path, http_server, *THREE, url=url)
    home.publish(item(1))
    home.pull()
    with smtp_server() as relay:
        home.use_relay(relay)

        first, second = home.send(), home.send(NOW + MINUTE)

    assert [(ADA, "sent"), (BOB, "sent"), (CAT, "sent")] == findings(first)
    assert [(ADA, "done"), (BOB, "done"), (CAT, "done")] == findings(second)
    assert [ADA, BOB, CAT] == recipients(relay)
    assert [(ADA, "sent", 1), (BOB, "sent", 1), (CAT, "sent", 1)] == states(home)


def test_the_claim_is_durable_before_the_first_byte_and_the_receipt_before_the_next_dot(
    pulled: Installation, relay: SmtpServer
) -> None:
    """Looked at from outside, while the relay is being told the reader's name and at the end of each mail."""
    seen: dict[str, list[tuple[str, ...]]] = {"mail": [], "dot": []}

    def look(step: str) -> None:
        with closing(sqlite3.connect(f"file:{pulled.folder}/state.sqlite3?mode=ro", uri=True)) as connection:
            states = connection.execute("SELECT state FROM ledger ORDER BY email")
            seen[step].append(tuple(state for (state,) in states))

    relay.on["mail"] = lambda _recipient: look("mail")
    relay.on["dot"] = lambda _recipient: look("dot")

    pulled.send()

    assert ["sending"] * 3 == [states[number] for number, states in enumerate(seen["mail"])]
    assert [
        ("sending", "sending", "sending"),
        ("sent", "sending", "sending"),
        ("sent", "sent", "sending"),
    ] == seen["dot"]


# --- not now, never ---------------------------------------------------------------------------------------------


def test_the_wait_doubles_up_to_six_hours() -> None:
    waits = [retry_after(attempts, first=30 * MINUTE) for attempts in (1, 2, 3, 4, 5, 6, 100)]

    assert [HOUR / 2, HOUR, 2 * HOUR, 4 * HOUR, 6 * HOUR, 6 * HOUR, 6 * HOUR] == waits


def test_a_mail_that_is_put_off_is_tried_again_in_its_time(home: Installation, relay: SmtpServer) -> None:
    home.publish(item(1))
    home.pull()
    relay.script["rcpt"] = LATER

    first = home.send()
    assert NOW + 30 * MINUTE == only_row(home).next_attempt_at
    too_early = home.send(NOW + 29 * MINUTE)
    second = home.send(NOW + 30 * MINUTE)
    assert NOW + 90 * MINUTE == only_row(home).next_attempt_at
    del relay.script["rcpt"]
    third = home.send(NOW + 90 * MINUTE)

    where = f"127.0.0.1:{relay.port}"
    assert [
        f"{ADA}: not delivered yet; next attempt 2026-09-15 06:30 UTC ({where}: {LATER} (at RCPT TO))",
        f"{ADA}: the digest of 2026-09-15 waits, next attempt 2026-09-15 06:30 UTC: {LATER} (at RCPT TO)",
        f"{ADA}: not delivered yet; next attempt 2026-09-15 07:30 UTC ({where}: {LATER} (at RCPT TO))",
        f"{ADA}: 1 for you sent; 1 new paper, 1 matched ({where}: 250 2.0.0 queued)",
    ] == sentences(first) + sentences(too_early) + sentences(second) + sentences(third)
    assert ("sent", 3) == (only_row(home).state, only_row(home).attempts)


def test_a_mail_is_given_up_after_two_days_and_that_is_said(home: Installation, relay: SmtpServer) -> None:
    """Also on the very run in which the same reader gets the next digest."""
    home.publish(item(1))
    home.pull()
    relay.script["rcpt"] = LATER
    home.send()
    del relay.script["rcpt"]

    report = home.send(NOW + 2 * DAY)

    assert [(ADA, "expired"), (ADA, "sent")] == findings(report)
    assert (
        f"{ADA}: the digest of 2026-09-15 was given up after 1 attempt; the last answer: {LATER} (at RCPT TO)"
        == sentences(report)[0]
    )
    with home.state() as state:
        assert [(ADA, "sent"), (ADA, "expired")] == [(v.name, v.finding) for v in state.runs.verdicts(name=ADA)][:2]


def test_yesterdays_mail_that_is_put_off_again_is_told_beside_todays(home: Installation, relay: SmtpServer) -> None:
    home.publish(item(1))
    home.pull()
    relay.script["rcpt"] = LATER
    home.send()
    home.publish(item(1), item(2))
    home.pull(NOW + DAY)
    relay.on["rset"] = lambda _recipient: relay.script.clear()

    report = home.send(NOW + DAY)

    assert [(ADA, "deferred"), (ADA, "sent")] == findings(report)
    assert [[2]] == [picked(mail.data) for mail in relay.accepted]


def test_a_refused_mail_is_never_tried_again(pulled: Installation, relay: SmtpServer) -> None:
    relay.script["rcpt", BOB] = NO_SUCH_USER

    report, again = pulled.send(), pulled.send(NOW + 12 * HOUR)

    assert [(ADA, "sent"), (BOB, "refused"), (CAT, "sent")] == findings(report)
    assert f"{BOB}: the digest of 2026-09-15 was refused for good: {NO_SUCH_USER} (at RCPT TO)" == sentences(again)[1]
    assert 3 == relay.heard.count("rcpt")


def test_an_address_that_is_refused_on_three_days_gets_no_more_mail_until_resumed(
    home: Installation, relay: SmtpServer
) -> None:
    relay.script["rcpt"] = NO_SUCH_USER
    reports = []
    for day in range(4):
        home.publish(*map(item, range(1, day + 2)))
        home.pull(NOW + day * DAY)
        reports.append(home.send(NOW + day * DAY))
    relay.script.clear()
    with home.state() as state:
        assert state.subscribers.resume(ADA, now=NOW + 3 * DAY)

    home.send(NOW + 3 * DAY + HOUR)

    assert [[(ADA, "refused")]] * 3 + [[(ADA, "paused")]] == list(map(findings, reports))
    answer = f"127.0.0.1:{relay.port}: {NO_SUCH_USER} (at RCPT TO)"
    mend = f"if the address works again: digest subscribers resume {ADA}"
    assert [
        f"{ADA}: refused on 3 days in a row, so no more mail ({answer}); {mend}",
        f"{ADA}: paused: refused on 3 days in a row, the last time with: {NO_SUCH_USER} (at RCPT TO)",
    ] == sentences(reports[2]) + sentences(reports[3])
    assert [[1, 2, 3, 4]] == [sorted(picked(mail.data)) for mail in relay.accepted]


def test_after_a_resume_refusals_are_counted_afresh(home: Installation, relay: SmtpServer) -> None:
    relay.script["rcpt"] = NO_SUCH_USER
    reports = []
    for day in range(6):
        home.publish(*map(item, range(1, day + 2)))
        home.pull(NOW + day * DAY)
        reports.append(home.send(NOW + day * DAY, any_hour=True))
        if day == 2:
            with home.state() as state:
                assert state.subscribers.resume(ADA, now=NOW + day * DAY + HOUR)

    assert [False, False, True, False, False, True] == ["in a row" in sentences(report)[0] for report in reports]


# --- perhaps ----------------------------------------------------------------------------------------------------


def test_a_mail_in_doubt_is_sent_again_byte_for_byte(home: Installation, relay: SmtpServer) -> None:
    """Although the paper has other votes and another version by then."""
    home.publish(item(1, upvotes=3))
    home.pull()
    relay.script["dot"] = DROP
    first = home.send()
    relay.script.clear()
    home.publish(item(1, upvotes=500, abstract="Rewritten."))
    home.pull(NOW + 30 * MINUTE)

    second = home.send(NOW + 30 * MINUTE)

    assert [(ADA, "in_doubt"), (ADA, "sent")] == findings(first) + findings(second)
    assert first.verdicts[0].trouble
    before, after = (mail.data for mail in relay.accepted)
    assert before == after
    assert only_row(home).message_id == message_id(after)
    assert ("sent", 2) == (only_row(home).state, only_row(home).attempts)


def test_after_a_change_of_the_sender_a_resent_mail_is_another_mail(home: Installation, relay: SmtpServer) -> None:
    """Its readers may then see two: the operator is warned of this."""
    home.publish(item(1))
    home.pull()
    relay.script["dot"] = DROP
    home.send()
    relay.script.clear()
    home.sender = "digest@moved.example"

    home.send(NOW + 30 * MINUTE)

    before, after = (message_id(mail.data) for mail in relay.accepted)
    assert before.endswith("@example.org>")
    assert after.endswith("@moved.example>")


def test_a_mail_in_doubt_is_held_back_if_so_configured(home: Installation, relay: SmtpServer) -> None:
    home.sections["delivery"] = 'in_doubt = "hold"'
    home.publish(item(1))
    home.pull()
    relay.script["dot"] = DROP

    first = home.send()
    relay.script.clear()
    second = home.send(NOW + 12 * HOUR)

    assert [(ADA, "in_doubt"), (ADA, "in_doubt")] == findings(first) + findings(second)
    held = "held back, as delivery.in_doubt says (the server closed the connection (after the final dot))"
    assert [
        f"{ADA}: sent, but no answer came, so it may or may not have arrived; {held}",
        f"{ADA}: the digest of 2026-09-15 may or may not have arrived; {held}; to send it: digest send --held",
    ] == sentences(first) + sentences(second)
    assert ("held", 1, 1) == (only_row(home).state, only_row(home).attempts, len(relay.accepted))


def test_what_is_held_back_is_never_given_up_and_goes_out_when_somebody_says_so(
    home: Installation, relay: SmtpServer
) -> None:
    """Given up, its papers would come again although they may have arrived."""
    home.sections["delivery"] = 'in_doubt = "hold"'
    home.publish(item(1))
    home.pull()
    relay.script["dot"] = DROP
    home.send()
    relay.script.clear()

    home.send(NOW + 3 * DAY)
    waiting = only_row(home)
    released = home.send(NOW + 3 * DAY, release_held=True)

    assert "held" == waiting.state
    assert (ADA, "sent") in findings(released)
    before, after = (mail.data for mail in relay.accepted)
    assert before == after


@pytest.mark.parametrize(("policy", "expected"), [("resend", "sent"), ("hold", "in_doubt")])
def test_a_mail_that_was_being_sent_when_its_sender_died_is_told(
    home: Installation, relay: SmtpServer, policy: str, expected: str
) -> None:
    """Even at an hour at which nothing is due."""
    home.sections["delivery"] = f'in_doubt = "{policy}"'
    home.publish(item(1))
    home.pull()
    home.plan()
    with home.state() as state:
        assert claim_one(state, ADA, TODAY, owner="victim:1", now=NOW)

    report = home.send(NOW + 20 * HOUR)

    assert (ADA, expected) in findings(report)
    assert (policy == "resend") == (len(relay.accepted) == 1)


def test_what_was_sent_before_a_crash_is_not_forgotten_by_why(pulled: Installation, relay: SmtpServer) -> None:
    """The report of a run that was killed is lost; the next one says what the ledger knows."""
    pulled.plan()
    relay.script["rcpt", BOB] = LATER
    with pulled.state() as state:
        digest = claim_one(state, ADA, TODAY, owner="victim:1", now=NOW)
        assert digest is not None
        settle_one(state, ADA, TODAY, Receipt("delivered", 250, "queued", NOW, "mx"), "sent")
        assert claim_one(state, CAT, TODAY, owner="victim:1", now=NOW)

    pulled.send(NOW + MINUTE)

    with pulled.state() as state:
        told = {verdict.name: verdict.sentence for verdict in state.runs.verdicts(scope="subscriber")}
    assert {ADA, BOB, CAT} == told.keys()
    assert f"{ADA}: the digest of 2026-09-15 was sent before" == told[ADA]


# --- readers who leave ------------------------------------------------------------------------------------------


def test_who_left_or_paused_after_planning_gets_nothing(pulled: Installation, relay: SmtpServer) -> None:
    dan = "dan@example.org"
    pulled.readers = (*THREE, reader(dan))
    pulled.plan()
    pulled.readers = (reader(ADA), reader(CAT), reader(dan, paused_until="2026-10-01"))
    with pulled.state() as state:
        state.subscribers.pause(CAT, until=None, reason="on holiday", now=NOW)

    report = pulled.send(NOW + MINUTE)

    assert [ADA] == recipients(relay)
    assert sorted(
        [
            f"{ADA}: 1 for you sent; 1 new paper, 1 matched (127.0.0.1:{relay.port}: 250 2.0.0 queued)",
            f"{BOB}: the digest of 2026-09-15 was dropped: no longer subscribed",
            f"{CAT}: the digest of 2026-09-15 was dropped: paused: on holiday",
            f"{dan}: the digest of 2026-09-15 was dropped: paused until Thu 1 Oct 2026",
        ]
    ) == sorted(sentences(report))


# --- readers who cannot be read ---------------------------------------------------------------------------------


def join(home: Installation, email: str, timezone: str = "UTC") -> None:
    with home.state() as state:
        state.subscribers.put(subscriber(email, at=time(6), timezone=timezone), now=NOW)


def test_a_reader_who_cannot_be_read_costs_the_others_nothing(home: Installation, relay: SmtpServer) -> None:
    """As one whose time zone an upgrade of the system took away."""
    home.readers = ()
    for email, timezone in ((ADA, "UTC"), (BOB, "Mars/Olympus"), (CAT, "UTC")):
        join(home, email, timezone)
    home.publish(item(1))
    home.pull()

    report = home.send()

    assert [ADA, CAT] == recipients(relay)
    told = (
        f"{BOB}: cannot be read, so no mail: timezone: there is no 'Mars/Olympus'; "
        f"add them anew: digest subscribers add {BOB}"
    )
    assert [told] == [one.sentence for one in report.verdicts if one.trouble]
    assert {"sent": 2, "unreadable": 1} == report.tally
    with home.state() as state:
        assert [told] == [one.sentence for one in state.runs.verdicts(scope="subscriber", name=BOB)]


def test_if_nobody_can_be_read_it_is_said_of_each(home: Installation, relay: SmtpServer) -> None:
    home.readers = ()
    join(home, ADA, "Mars/Olympus")
    join(home, BOB, "../etc")
    home.publish(item(1))
    home.pull()

    report = home.send()

    assert [(ADA, "unreadable"), (BOB, "unreadable")] == findings(report)
    assert (False, []) == (report.unfinished, recipients(relay))


def test_who_is_in_the_configuration_need_not_be_readable_in_the_state(home: Installation) -> None:
    join(home, ADA, "Mars/Olympus")
    home.publish(item(1))
    home.pull()

    assert [(ADA, "sent")] == findings(home.send())


def test_a_mail_whose_contents_cannot_be_read_is_named_at_once(pulled: Installation) -> None:
    pulled.plan()
    with closing(sqlite3.connect(pulled.folder / "state.sqlite3")) as connection:
        connection.execute("delete from snapshot")
        connection.commit()

    report = pulled.send()

    assert {"deferred"} == {finding for _, finding in findings(report)}
    assert all("its contents cannot be read" in sentence for sentence in sentences(report))


def test_a_mail_whose_reader_can_no_longer_be_read_waits(home: Installation, relay: SmtpServer) -> None:
    """It is not dropped as if they had left."""
    home.readers = ()
    join(home, ADA)
    join(home, BOB)
    home.publish(item(1))
    home.pull()
    home.plan()
    join(home, BOB, "Mars/Olympus")

    report = home.send(NOW + MINUTE)

    assert [(ADA, "sent"), (BOB, "deferred")] == [one for one in findings(report) if one[1] != "unreadable"]
    assert "the reader cannot be read: timezone: there is no 'Mars/Olympus'" in sentences(report)[1]
    join(home, BOB)
    assert (BOB, "sent") in findings(home.send(NOW + HOUR))
    assert [ADA, BOB] == recipients(relay)
