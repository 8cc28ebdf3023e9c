"""Mails on their way out: at the pace of each domain, put back when there is no time, told however many there are."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from digest.pipeline import tally
from tests.installation import ADA, BOB, CAT, Installation, findings, item, reader, sentences
from tests.makers import NOW
from tests.smtp_server import smtp_server

if TYPE_CHECKING:
    from tests.smtp_server import SmtpServer

MINUTE = timedelta(minutes=1)
HERE = tuple(f"reader{number}@here.example" for number in range(3))
THERE = "reader@there.example"
BUSY = "451 4.7.1 too many mails from your address, try again later"


class Clock:
    """Time that passes only when somebody sleeps; the clock on the wall may be set besides."""

    def __init__(self) -> None:
        self.now = NOW
        self.passed_s = 0.0

    def __call__(self) -> datetime:
        return self.now

    def timer(self) -> float:
        return self.passed_s

    async def sleep(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)
        self.passed_s += seconds


@pytest.fixture
def full(home: Installation) -> Installation:
    """Three readers at one domain, one at another, a paper for each."""
    home.readers = tuple(reader(email) for email in (*HERE, THERE))
    home.publish(item(1))
    home.pull()
    return home


def arrivals(relay: SmtpServer, clock: Clock) -> list[tuple[str, float]]:
    """Notes for each mail that arrives its reader and the minutes since the beginning."""
    found: list[tuple[str, float]] = []
    relay.on["dot"] = lambda email: found.append((email, (clock.now - NOW) / MINUTE))
    return found


# --- pace -------------------------------------------------------------------------------------------------------


def test_mails_to_a_domain_are_spaced_and_others_go_ahead(full: Installation, relay: SmtpServer) -> None:
    full.use_relay(relay, more='per_domain_rate = {"here.example" = "6/hour"}\n')
    clock = Clock()
    found = arrivals(relay, clock)

    report = full.send_by(clock, sleep=clock.sleep)

    assert [(HERE[0], 0), (THERE, 0), (HERE[1], 10), (HERE[2], 20)] == [(who, round(when)) for who, when in found]
    assert {"sent": 4} == report.tally
    assert not report.unfinished


def test_all_mails_keep_the_pace_of_the_relay(full: Installation, relay: SmtpServer) -> None:
    full.use_relay(relay, more='rate = "1/minute"\n')
    clock = Clock()
    found = arrivals(relay, clock)

    full.send_by(clock, sleep=clock.sleep)

    assert [0, 1, 2, 3] == [round(when) for _, when in found]


@pytest.mark.parametrize("limit", ['rate = "1/minute"\n', 'per_domain_rate = "1/minute"\n'], ids=["relay", "domain"])
def test_a_clock_that_is_set_back_in_mid_run_holds_up_no_mail(
    full: Installation, relay: SmtpServer, limit: str
) -> None:
    full.use_relay(relay, more=limit)
    clock, slept = Clock(), 0.0

    async def sleep(seconds: float) -> None:
        nonlocal slept
        # while somebody waits
        clock.now += timedelta(seconds=seconds) - timedelta(days=2 if 0 < slept < 1 else 0)
        slept += seconds

    report = full.send_by(clock, sleep=sleep)

    assert {"sent": 4} == report.tally
    assert slept <= 5 * 60


def test_a_round_of_limited_length_leaves_the_rest_unclaimed(full: Installation, relay: SmtpServer) -> None:
    full.use_relay(relay, more='per_domain_rate = "6/hour"\n')
    clock = Clock()

    report = full.send_by(clock, sleep=clock.sleep, timer=clock.timer, at_most=5 * MINUTE)

    assert report.unfinished
    assert {"planned": 2, "sent": 2} == report.tally
    assert [("planned", 0), ("planned", 0), ("sent", 1), ("sent", 1)] == sorted(
        (row.state, row.attempts) for row in full.rows()
    )


@pytest.mark.parametrize(
    ("step", "tally"),
    [(timedelta(days=1), {"sent": 4}), (-timedelta(days=1), {"planned": 1, "sent": 3})],
    ids=["ahead", "back"],
)
def test_a_clock_that_is_set_in_mid_run_makes_no_round_shorter_or_longer(
    step: timedelta, tally: dict[str, int], full: Installation, relay: SmtpServer
) -> None:
    """With a day ahead, a round of minutes would be over at once; with a day back, it would go on for a day."""
    full.use_relay(relay)
    clock = Clock()

    def arrive(_email: str) -> None:
        # the first mail takes a minute, and the clock is set; then the relay is slow with each
        clock.now += step if len(relay.accepted) == 0 else timedelta()
        clock.passed_s += 60 if step > timedelta() else 120

    relay.on["dot"] = arrive
    report = full.send_by(clock, sleep=clock.sleep, timer=clock.timer, at_most=5 * MINUTE)

    assert tally == report.tally


def test_a_domain_that_asks_for_patience_is_left_alone_by_its_other_mails_too(
    full: Installation, relay: SmtpServer
) -> None:
    full.readers = (*full.readers, *(reader(f"late{number}@here.example") for number in range(100)))
    relay.script["rcpt", HERE[0]] = BUSY
    clock = Clock()

    report = full.send_by(clock, sleep=clock.sleep)
    asked = relay.heard.count("rcpt")
    relay.script.clear()
    clock.now = NOW + 31 * MINUTE
    later = full.send_by(clock, sleep=clock.sleep)

    # what was claimed together with the first goes out before its answer comes
    assert asked < 104
    assert report.tally["deferred"] == 104 - report.tally["sent"] > 1
    waiting = [text for text in sentences(report) if "here.example asked for patience" in text]
    assert waiting
    assert "next attempt 2026-09-15 06:05 UTC: here.example asked for patience: 4.7.1 too many mails" in waiting[0]
    assert {"sent": report.tally["deferred"], "done": report.tally["sent"]} == later.tally
    assert 104 == len({mail.recipient for mail in relay.accepted}) == len(relay.accepted)


# --- stop -------------------------------------------------------------------------------------------------------


def test_what_was_claimed_ahead_and_not_sent_has_no_attempt(pulled: Installation, relay: SmtpServer) -> None:
    report = pulled.send(stop=lambda: bool(relay.accepted))

    assert [("planned", 0), ("planned", 0), ("sent", 1)] == sorted((row.state, row.attempts) for row in pulled.rows())
    assert {"planned": 2, "sent": 1} == report.tally
    assert report.unfinished
    assert ("it was stopped before everything was sent; the next run goes on",) == report.notes


def test_a_stop_after_the_last_mail_leaves_nothing_unfinished(pulled: Installation, relay: SmtpServer) -> None:
    report = pulled.send(stop=lambda: len(relay.accepted) == 3)

    assert {"sent": 3} == report.tally
    assert not report.unfinished
    assert () == report.notes


def test_a_reader_who_leaves_during_a_run_gets_nothing_more(home: Installation, relay: SmtpServer) -> None:
    many = [f"reader{number:03}@example.org" for number in range(200)]
    home.readers = tuple(map(reader, many))
    home.publish(item(1))
    home.pull()

    def pause(_recipient: str) -> None:
        with home.state() as state:
            state.subscribers.pause(many[-1], until=None, reason="enough", now=NOW)
        relay.on.clear()

    relay.on["dot"] = pause

    report = home.send()

    assert {"paused": 1, "sent": 199} == report.tally
    assert f"{many[-1]}: the digest of 2026-09-15 was dropped: paused: enough" in sentences(report)


def test_with_hold_nothing_is_claimed_ahead(pulled: Installation, relay: SmtpServer) -> None:
    """What was claimed by a process that dies would be held back, although it never left."""
    pulled.sections["delivery"] = 'in_doubt = "hold"'
    claimed: list[int] = []

    def look(_recipient: str) -> None:
        claimed.append(sum(row.state == "sending" for row in pulled.rows()))

    relay.on["mail"] = look

    pulled.send()

    assert [1, 1, 1] == claimed


# --- several connections ----------------------------------------------------------------------------------------


def test_several_connections_send_every_mail_once(home: Installation, relay: SmtpServer) -> None:
    home.use_relay(relay, more="connections = 3\nmessages_per_connection = 10\n")
    many = [f"reader{number:03}@example.org" for number in range(150)]
    home.readers = tuple(map(reader, many))
    home.publish(item(1))
    home.pull()

    report = home.send()

    assert {"sent": 150} == report.tally
    assert many == sorted(mail.recipient for mail in relay.accepted)


def test_the_fallback_gets_what_the_first_relay_does_not_take(pulled: Installation, relay: SmtpServer) -> None:
    with smtp_server() as dead:
        port = dead.port
    pulled.use_relay(port, more=f'[[smtp.fallback]]\nhost = "127.0.0.1"\nport = {relay.port}\nsecurity = "none"\n')

    report = pulled.send()

    assert [(ADA, "sent"), (BOB, "sent"), (CAT, "sent")] == findings(report)
    assert 3 == len(relay.accepted)


# --- the report -------------------------------------------------------------------------------------------------


def test_a_report_counts_everybody_and_lists_some(
    home: Installation, relay: SmtpServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those in trouble have a list of their own, so that many good ones cannot crowd them out."""
    monkeypatch.setattr(tally, "SHOWN", 2)
    many = [f"reader{number}@example.org" for number in range(5)]
    home.readers = tuple(map(reader, many))
    home.publish(item(1))
    home.pull()
    relay.script["rcpt", many[4]] = "550 5.1.1 no such user"

    report = home.send()

    assert {"refused": 1, "sent": 4} == report.tally
    assert [many[0], many[1], many[4]] == [verdict.name for verdict in report.verdicts]
    assert ("2 more are not listed here; about each: digest why EMAIL",) == report.notes
    with home.state() as state:
        assert set(many) == {verdict.name for verdict in state.runs.verdicts(scope="subscriber")}
