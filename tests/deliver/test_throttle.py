"""Rates, and the pause that a domain asks for."""

from __future__ import annotations

import itertools
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.deliver.reply import Reply, Stage, slow_down
from digest.deliver.throttle import FIRST_PAUSE, LONGEST_PAUSE, Pace, Rate, Throttle
from digest.model import Outcome, Receipt
from tests.makers import NOW

MINUTE = timedelta(minutes=1)


def receipt(outcome: Outcome = "deferred", *, at: datetime = NOW, slow_down: bool = True) -> Receipt:
    return Receipt(outcome, 421, "4.7.28 slower, please", at, "mx:25", slow_down)


@pytest.mark.parametrize(
    ("text", "interval"),
    [
        ("1/second", timedelta(seconds=1)),
        ("600/minute", timedelta(milliseconds=100)),
        ("20000 / hour", timedelta(milliseconds=180)),
        ("24/DAY", timedelta(hours=1)),
    ],
)
def test_a_rate_is_read(text: str, interval: timedelta) -> None:
    assert interval == Rate.parse(text).interval


@pytest.mark.parametrize("text", ["", "fast", "0/hour", "-1/hour", "1.5/hour", "5/week", "5", "/hour", "٥/hour"])
def test_what_is_no_rate(text: str) -> None:
    with pytest.raises(ValueError, match="is no rate"):
        Rate.parse(text)


@given(st.integers(1, 10_000), st.lists(st.integers(0, 5_000), max_size=60))
def test_however_late_mails_come_there_are_never_more_than_the_rate(per_minute: int, waits_ms: list[int]) -> None:
    rate = Rate(per_minute, MINUTE)
    pace, now, moments = Pace(rate), NOW, []
    for wait in waits_ms:
        now = max(now + timedelta(milliseconds=wait), pace.ready_at(now))
        pace.taken(now)
        moments.append(now)

    assert all(later - earlier >= rate.interval for earlier, later in itertools.pairwise(moments))


def test_after_a_clock_was_set_back_a_mail_waits_for_one_interval() -> None:
    pace, now = Pace(Rate(1, MINUTE)), NOW - timedelta(days=2)
    pace.taken(NOW)

    assert now + MINUTE == pace.ready_at(now)
    assert now + MINUTE == pace.ready_at(now + MINUTE)


def test_without_a_rate_nothing_waits() -> None:
    throttle = Throttle({})
    throttle.taken("example.org", NOW)

    assert NOW == throttle.ready_at("example.org", NOW)


def test_each_domain_has_a_pace_of_its_own() -> None:
    throttle = Throttle({"gmail.com": Rate(1, MINUTE), "*": Rate(60, MINUTE)})
    for domain in ("gmail.com", "example.org"):
        throttle.taken(domain, NOW)

    moments = [throttle.ready_at(domain, NOW) for domain in ("GMail.com", "example.org", "example.net")]

    assert [NOW + MINUTE, NOW + timedelta(seconds=1), NOW] == moments


@pytest.mark.parametrize("other", ["BÜCHER.example", "xn--bcher-kva.example", "xn--bcher-kva.example."])
def test_one_domain_however_it_is_spelled(other: str) -> None:
    throttle = Throttle({"bücher.example": Rate(1, MINUTE)})
    throttle.taken("bücher.example", NOW)

    assert NOW + MINUTE == throttle.ready_at(other, NOW)


def test_sharp_s_is_a_letter_of_its_own() -> None:
    """IDNA 2003 took straße.example for strasse.example, which belongs to somebody else (RFC 5894 §7.2)."""
    throttle = Throttle({"xn--strae-oqa.example": Rate(1, MINUTE), "strasse.example": Rate(1, MINUTE)})
    throttle.taken("straße.example", NOW)

    assert NOW + MINUTE == throttle.ready_at("xn--strae-oqa.example", NOW)
    assert NOW == throttle.ready_at("strasse.example", NOW)


@given(st.text(max_size=80))
def test_any_domain_whatever_is_one(domain: str) -> None:
    assert NOW == Throttle({}).ready_at(domain, NOW)


def test_a_domain_that_asks_for_less_is_left_alone() -> None:
    throttle = Throttle({})
    throttle.answered("gmail.com", receipt())

    assert (NOW + FIRST_PAUSE, "4.7.28 slower, please") == throttle.backing_off("gmail.com", NOW)
    assert NOW + FIRST_PAUSE == throttle.ready_at("gmail.com", NOW)
    assert None is throttle.backing_off("example.org", NOW)
    assert None is throttle.backing_off("gmail.com", NOW + FIRST_PAUSE)


def test_the_pause_doubles_up_to_some_hours() -> None:
    throttle, now, pauses = Throttle({}), NOW, []
    for _ in range(8):
        throttle.answered("gmail.com", receipt(at=now))
        pauses.append(throttle.ready_at("gmail.com", now) - now)
        now = throttle.ready_at("gmail.com", now)

    assert [minutes * MINUTE for minutes in (5, 10, 20, 40, 80, 160, 180, 180)] == pauses
    assert LONGEST_PAUSE == pauses[-1]


def test_mails_on_their_way_when_the_pause_began_change_nothing() -> None:
    throttle = Throttle({})
    for late in (receipt(), receipt(at=NOW + MINUTE), receipt("delivered", at=NOW + MINUTE)):
        throttle.answered("gmail.com", late)

    assert NOW + FIRST_PAUSE == throttle.ready_at("gmail.com", NOW)


def test_a_delivery_ends_the_series() -> None:
    throttle, later = Throttle({}), NOW + FIRST_PAUSE
    throttle.answered("gmail.com", receipt())
    throttle.answered("gmail.com", receipt("delivered", at=later))
    throttle.answered("gmail.com", receipt(at=later))

    assert later + FIRST_PAUSE == throttle.ready_at("gmail.com", later)


def test_after_a_clock_was_set_back_a_pause_is_as_long_as_it_was() -> None:
    throttle, now = Throttle({}), NOW - timedelta(days=2)
    throttle.answered("gmail.com", receipt())

    assert (now + FIRST_PAUSE, "4.7.28 slower, please") == throttle.backing_off("gmail.com", now)
    assert now + FIRST_PAUSE == throttle.ready_at("gmail.com", now + MINUTE)
    assert None is throttle.backing_off("gmail.com", now + FIRST_PAUSE)


def test_another_refusal_begins_no_pause() -> None:
    throttle = Throttle({})
    throttle.answered("gmail.com", receipt(slow_down=False))

    assert NOW == throttle.ready_at("gmail.com", NOW)


@pytest.mark.parametrize(
    ("stage", "code", "text", "expected"),
    [
        ("rcpt", 421, "4.7.28 unusual rate of unsolicited mail", True),
        ("dot", 421, "4.7.0 [TSS04] temporarily deferred", True),
        ("dot", 421, "RP-001 rate limit exceeded", True),
        ("rcpt", 451, "4.7.500 server busy", True),
        ("dot", 450, "4.7.1 try again later", True),
        ("dot", 454, "4.7.0 throttling failure", True),
        # the relay, not the domain
        ("dot", 421, "4.3.2 shutting down", False),
        ("mail", 421, "4.7.0 too many connections", False),
        # each recipient once more, and soon
        ("rcpt", 451, "4.7.1 Greylisting in action", False),
        ("rcpt", 450, "4.7.1 you have been graylisted", False),
        # this mailbox, this message, for good
        ("rcpt", 450, "4.2.1 mailbox busy", False),
        ("rcpt", 452, "4.3.1 disk full", False),
        ("rcpt", 550, "5.7.1 policy", False),
        ("dot", 250, "2.0.0 queued", False),
    ],
)
def test_what_asks_for_less(stage: Stage, code: int, text: str, expected: bool) -> None:
    assert expected == slow_down(stage, Reply(code, text))
