"""What `digest why` tells: days of plain sentences, silence included."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import pytest

from digest.model import SourceFinding, SubscriberFinding, Verdict
from digest.story import Day, tell
from tests.makers import NOW, TODAY, subscriber


def source(
    finding: SourceFinding, sentence: str, *, at: datetime = NOW, new: int = 0, trouble: bool = False
) -> Verdict:
    return Verdict("source", "arxiv", finding, sentence, at, {"new": new}, trouble=trouble)


def reader(
    finding: SubscriberFinding, email: str = "ada@example.org", *, at: datetime = NOW, trouble: bool = False
) -> Verdict:
    return Verdict("subscriber", email, finding, f"{email}: {finding}", at, trouble=trouble)


def test_a_day_on_which_nothing_ran_says_so() -> None:
    assert (Day(TODAY, ("No pull ran: nothing was fetched", "No digest was due, or no send ran")),) == tell(
        [], now=NOW, days=1
    )


def test_days_come_oldest_first_and_verdicts_fall_on_their_day() -> None:
    old = source("fresh", "arxiv: 9 new", at=datetime(2026, 9, 14, 6, tzinfo=UTC))

    told = tell([reader("sent"), source("unchanged", "arxiv: nothing new"), old], now=NOW, days=2)

    assert (
        Day(date(2026, 9, 14), ("arxiv: 9 new", "No digest was due, or no send ran")),
        Day(TODAY, ("arxiv: nothing new", "Subscribers: 1 sent")),
    ) == told


def test_several_fresh_pulls_of_a_day_are_added_up_and_later_trouble_is_told() -> None:
    verdicts = [
        source("fresh", "arxiv: 5 new", new=5, at=NOW.replace(hour=4)),
        source("fresh", "arxiv: 2 new", new=2, at=NOW.replace(hour=5)),
        source("failed", "arxiv: no answer", trouble=True),
    ]

    (day,) = tell(verdicts, now=NOW, days=1)

    assert day.trouble
    assert ("arxiv: 7 new papers in 2 pulls; the last: arxiv: 2 new", "arxiv: no answer") == day.lines[:2]


def test_only_the_last_word_on_a_subscriber_counts_and_trouble_is_named() -> None:
    verdicts = [
        reader("deferred", trouble=True, at=NOW.replace(hour=4)),
        reader("sent"),
        reader("refused", "bob@example.org", trouble=True),
        reader("quiet", "eve@example.org"),
    ]

    (day,) = tell(verdicts, now=NOW, days=1)

    assert (
        "No pull ran: nothing was fetched",
        "Subscribers: 1 sent, 1 quiet (nothing matched), 1 refused",
        "bob@example.org: refused",
    ) == day.lines


def test_a_reader_hears_that_their_hour_has_not_come_or_their_day_was_not_chosen() -> None:
    early = subscriber(at=time(7, 30), days=("tue",))

    told = tell([], now=NOW, days=2, reader=early)

    assert [
        "No digest for ada@example.org: Monday is not one of the days chosen (tue)",
        "No digest for ada@example.org: due at 07:30 UTC, now it is 06:00 there",
    ] == [day.lines[-1] for day in told]


def test_a_weekly_reader_hears_when_the_next_digest_comes() -> None:
    ada = subscriber(frequency="weekly", days=("fri",), timezone="Europe/Berlin", at=time(8))

    (day,) = tell([], now=NOW, days=1, reader=ada)

    assert "No digest for ada@example.org: the weekly digest is next on Friday 08:00 Europe/Berlin" == day.lines[-1]


def test_a_reader_hears_that_no_send_ran_after_their_hour() -> None:
    (day,) = tell([], now=NOW, days=1, reader=subscriber(at=time(5, 0)))

    assert "No digest for ada@example.org: it was due at 05:00 UTC, but no send ran since" == day.lines[-1]


def test_a_reader_hears_again_what_a_send_found_again_after_midnight() -> None:
    """It was not kept a second time."""
    ada, seven = subscriber(at=time(6, 0)), NOW.replace(hour=7)
    evening = reader("quiet", at=seven - timedelta(hours=11))

    (day,) = tell([evening], now=NOW.replace(hour=12), days=1, reader=ada, sends=[evening.at, seven])

    assert "ada@example.org: quiet" == day.lines[-1]


@pytest.mark.parametrize(
    ("verdicts", "hour", "words"),
    [
        ([], 7, "and the send of 07:00 left no word on it"),
        ([reader("quiet", at=NOW - timedelta(hours=13))], 7, "and the send of 07:00 left no word on it"),
        ([reader("sent", at=NOW - timedelta(hours=9))], 7, "and the send of 07:00 left no word on it"),
        ([reader("quiet", at=NOW + timedelta(days=40))], 7, "and the send of 07:00 left no word on it"),
        ([reader("quiet", at=NOW - timedelta(hours=9))], 5, "but no send ran since"),
    ],
    ids=["it died", "too long ago", "something else", "a clock that was ahead", "before their hour"],
)
def test_a_reader_hears_whether_a_send_ran_that_said_nothing(verdicts: list[Verdict], hour: int, words: str) -> None:
    ada, sent = subscriber(at=time(6, 0)), NOW.replace(hour=hour)

    (day,) = tell(verdicts, now=NOW.replace(hour=12), days=1, reader=ada, sends=[sent])

    assert f"No digest for ada@example.org: it was due at 06:00 UTC, {words}" == day.lines[-1]


def test_everybody_s_day_on_which_a_send_found_nothing_new() -> None:
    (day,) = tell([], now=NOW, days=1, sends=[NOW])

    assert "No digest was due, or all was as said the day before" == day.lines[-1]


def test_before_they_joined_nothing_was_due() -> None:
    berliner = subscriber(at=time(5, 0), timezone="Europe/Berlin")
    joined = datetime(2026, 9, 14, 22, 30, tzinfo=UTC)  # the 15th in Berlin

    before, since = tell([], now=NOW, days=2, reader=berliner, joined=joined)

    assert "No digest for ada@example.org, who joined on 2026-09-15" == before.lines[-1]
    assert "it was due at 05:00 Europe/Berlin" in since.lines[-1]


def test_a_recorded_pause_is_the_reason() -> None:
    (day,) = tell([], now=NOW, days=1, reader=subscriber(at=time(5, 0)), paused="paused: refused on 3 days")

    assert "No digest for ada@example.org: paused: refused on 3 days" == day.lines[-1]


def test_a_readers_days_are_local_and_others_are_not_mentioned() -> None:
    """22:30 UTC on the 14th is the 15th in Tokyo."""
    evening = datetime(2026, 9, 14, 22, 30, tzinfo=UTC)
    verdicts = [reader("sent", at=evening), reader("refused", "bob@example.org", at=evening)]

    (day,) = tell(verdicts, now=NOW, days=1, reader=subscriber(timezone="Asia/Tokyo"))

    assert Day(TODAY, ("No pull ran: nothing was fetched", "ada@example.org: sent")) == day
