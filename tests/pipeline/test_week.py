"""Weekly digests: what they are chosen from, what they name besides, and what becomes of who changes to them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from digest.pipeline.plan import preview
from tests.installation import ADA, BOB, findings, item, reader, sentences
from tests.makers import NOW, TODAY

if TYPE_CHECKING:
    from digest.model import Digest, Verdict
    from tests.installation import Installation

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
FRIDAY = datetime(2026, 9, 18, 6, 0, tzinfo=UTC)
WEEK = 7 * DAY


def weekly(email: str = ADA, *keywords: str, **keys: Any) -> str:
    return reader(email, *keywords, frequency="weekly", **keys)


def run(home: Installation, first: datetime, days: int) -> None:
    """Each day a paper more, an hour before the digests are due."""
    for number in range(days):
        home.publish(*map(item, range(1, number + 2)))
        home.pull(first + number * DAY - HOUR)
        home.send(first + number * DAY)


def preview_of(home: Installation, at: datetime) -> Digest:
    settings = home.settings()
    with home.state() as state:
        return preview(settings, state, settings.subscribers[0], now=at)


def test_a_weekly_digest_comes_once_a_week_with_the_papers_of_seven_days(home: Installation) -> None:
    home.readers = (weekly(max_papers=50, trending=0),)

    run(home, FRIDAY, 15)

    assert [date(2026, 9, 18), date(2026, 9, 25), date(2026, 10, 2)] == [row.local_date for row in home.rows()]
    assert {ADA: [[1], [2, 3, 4, 5, 6, 7, 8], [9, 10, 11, 12, 13, 14, 15]]} == {
        email: [sorted(mail) for mail in mails] for email, mails in home.mailed().items()
    }


def test_after_a_friday_on_which_nothing_ran_it_comes_on_saturday(home: Installation) -> None:
    """As on a laptop that was shut. From then on it is Friday again."""
    home.readers = (weekly(max_papers=50, trending=0),)
    for number in (-1, 1, 2, 7, 8):
        home.publish(*map(item, range(1, number + 3)))
        home.pull(FRIDAY + number * DAY - HOUR)
        home.send(FRIDAY + number * DAY)

    assert [date(2026, 9, 19), date(2026, 9, 25)] == [row.local_date for row in home.rows()]


def test_a_run_that_was_stopped_early_on_friday_costs_nobody_their_week(home: Installation) -> None:
    """There are more readers than are planned at once."""
    others = [weekly(f"reader{number}@example.org", "bees") for number in range(499)]
    home.readers = (weekly(ADA), *others, weekly(BOB))
    home.publish(item(1))
    home.pull()
    home.send()
    home.send(FRIDAY, stop=lambda: True)

    home.send(FRIDAY + DAY)

    assert {ADA: [[1]], BOB: [[1]]} == home.mailed()


def test_a_run_that_died_on_friday_brings_nobody_a_second_digest_of_the_week(home: Installation) -> None:
    home.readers = (weekly(ADA, max_papers=1), weekly(BOB, max_papers=1))
    home.publish(item(1), item(2))
    home.pull()
    home.send()

    def die(_verdict: Verdict) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        home.send(FRIDAY, on_verdict=die)
    report = home.send(FRIDAY + DAY)

    assert {ADA: [[1]], BOB: [[1]]} == home.mailed()
    assert "not_due" in dict(findings(report)).values()


def test_on_other_days_it_is_said_when_the_weekly_digest_comes(home: Installation) -> None:
    home.readers = (weekly(timezone="Europe/Berlin", time="08:00"),)
    home.publish(item(1))
    home.pull()

    report = home.send()

    assert [(ADA, "not_due")] == findings(report)
    assert [f"{ADA}: the weekly digest is next on Friday 08:00 Europe/Berlin"] == sentences(report)


def test_what_was_sent_is_said_to_be_of_the_week(home: Installation) -> None:
    home.readers = (weekly(),)
    home.publish(item(1), item(2, "Bees", upvotes=40))
    home.pull(FRIDAY - DAY)

    (sentence,) = sentences(home.send(FRIDAY))

    assert sentence.startswith(f"{ADA}: of the week 1 for you + 1 trending sent; 2 new papers, 1 matched")


@pytest.mark.parametrize("late", [timedelta(), 17 * HOUR], ids=["in time", "late"])
def test_nothing_is_lost_between_two_weeks_of_which_the_second_comes_late(home: Installation, late: timedelta) -> None:
    """A paper that came just after last week's digest is more than seven days old when the next one is late."""
    home.readers = (weekly(),)
    home.publish(item(1))
    home.pull(FRIDAY - HOUR)
    home.send(FRIDAY)
    home.publish(item(1), item(2))
    home.pull(FRIDAY + timedelta(minutes=1))

    home.send(FRIDAY + WEEK + late)

    assert {ADA: [[1], [2]]} == home.mailed()


def test_a_week_without_a_digest_is_in_the_next_one_as_far_as_the_look_back_reaches(home: Installation) -> None:
    home.readers = (weekly(),)
    home.sections["digest"] += "\nlookback_days = 15"
    home.publish(item(1))
    home.pull(FRIDAY - HOUR)
    home.send(FRIDAY)
    home.publish(item(1), item(2))
    home.pull(FRIDAY + HOUR)

    home.send(FRIDAY + 2 * WEEK)

    assert {ADA: [[1], [2]]} == home.mailed()


def test_after_a_week_that_had_nothing_a_run_that_comes_late_misses_nothing(home: Installation) -> None:
    """The last digest is out of the look-back's reach; that does not make its reader a new one."""
    home.readers = (weekly(),)
    home.publish(item(1))
    home.pull(FRIDAY - HOUR)
    home.send(FRIDAY)
    home.send(FRIDAY + WEEK)
    home.publish(item(1), item(2))
    home.pull(FRIDAY + WEEK + HOUR)

    home.send(FRIDAY + 2 * WEEK + 2 * HOUR)

    assert {ADA: [[1], [2]]} == home.mailed()


def test_what_is_older_than_a_week_is_no_news_of_the_week(home: Installation) -> None:
    home.readers = (weekly(),)
    home.sections["digest"] += "\nlookback_days = 30"
    home.publish(item(1))
    home.pull(FRIDAY - WEEK - HOUR)
    home.publish(item(1), item(2))
    home.pull(FRIDAY - WEEK + HOUR)

    home.send(FRIDAY)

    assert {ADA: [[2]]} == home.mailed()


def test_the_week_is_seven_days_however_short_the_others_look_back(home: Installation) -> None:
    home.readers = (weekly(), reader(BOB))
    home.sections["digest"] += "\nlookback_days = 1\ntrending_days = 1"
    home.publish(item(1), item(2, "Bees", upvotes=40))
    home.pull(FRIDAY - 6 * DAY)

    home.send(FRIDAY)

    assert {ADA: [[1, 2]]} == home.mailed()


def test_who_changes_to_weekly_and_back_gets_no_paper_twice_and_misses_none(home: Installation) -> None:
    daily = reader(frequency="daily", max_papers=50, trending=0)
    published: list[dict[str, Any]] = []
    for number in range(21):
        home.readers = (daily if number < 4 or number >= 17 else weekly(max_papers=50, trending=0),)
        published.append(item(number + 1))
        home.publish(*published)
        home.pull(FRIDAY + number * DAY - HOUR)
        home.send(FRIDAY + number * DAY)

    sent = [number for mail in home.mailed()[ADA] for number in mail]
    assert list(range(1, 22)) == sorted(sent)
    assert [0, 1, 2, 3, 7, 14, 17, 18, 19, 20] == [(row.local_date - FRIDAY.date()).days for row in home.rows()]


def test_a_change_on_the_day_of_a_digest_brings_no_second_one(home: Installation) -> None:
    home.publish(item(1))
    home.pull(FRIDAY - HOUR)
    home.send(FRIDAY)
    home.readers = (weekly(),)
    home.publish(item(1), item(2))
    home.pull(FRIDAY + HOUR)

    report = home.send(FRIDAY + 2 * HOUR)

    assert [(ADA, "done")] == findings(report)
    assert 1 == len(home.rows())


def test_the_week_is_that_of_the_readers_clock_when_it_changes(home: Installation) -> None:
    """The week with the autumn change has an hour more, and the paper of that hour is in it."""
    sunday = datetime(2026, 10, 18, 6, 0, tzinfo=UTC)  # 08:00 in Berlin; a week later that is 07:00 UTC
    home.readers = (weekly(days=["sun"], timezone="Europe/Berlin", time="08:00"),)
    home.publish(item(1))
    home.pull(sunday - HOUR)
    home.send(sunday)
    home.publish(item(1), item(2))
    home.pull(sunday + HOUR / 2)

    early = home.send(sunday + WEEK)
    home.send(sunday + WEEK + HOUR)

    assert [(ADA, "not_due")] == findings(early)
    assert {ADA: [[1], [2]]} == home.mailed()


# --- what else there was ----------------------------------------------------------------------------------------


def test_it_names_near_misses_and_what_everybody_reads_by_title(home: Installation) -> None:
    home.readers = (weekly(max_papers=1, trending=1),)
    near = [item(number) for number in range(1, 10)]
    popular = [item(number, "Bees", upvotes=100 - number) for number in range(20, 30)]
    home.publish(*near, *popular)
    home.pull(FRIDAY - DAY)

    digest = preview_of(home, FRIDAY)

    assert (1, 1) == tuple([pick.part for pick in digest.picks].count(part) for part in ("for_you", "trending"))
    reasons = [missed.why for missed in digest.missed]
    assert ["below your 1 paper"] * 5 == reasons[:5]
    assert ["everybody reads it: ▲ 79", "everybody reads it: ▲ 78"] == reasons[5:7]
    assert 10 == len({missed.key for missed in digest.missed} - {pick.paper.key for pick in digest.picks})


def test_it_names_nothing_that_was_sent_before(home: Installation) -> None:
    daily = reader(frequency="daily", trending=5)
    home.readers = (daily,)
    home.publish(item(1, upvotes=9), *(item(number, "Bees", upvotes=number) for number in range(10, 16)))
    home.pull()
    home.send()
    home.readers = (weekly(trending=1),)

    digest = preview_of(home, NOW + HOUR)

    sent = {f"arxiv:2609.{number:05d}" for mail in home.mailed()[ADA] for number in mail}
    assert 6 == len(sent)
    assert not sent & {one.key for one in digest.missed} | sent & {pick.paper.key for pick in digest.picks}


def test_who_wants_nothing_trending_is_not_told_what_everybody_reads(home: Installation) -> None:
    home.readers = (weekly(trending=0),)
    home.publish(item(1), item(2, "Bees", upvotes=40))
    home.pull(FRIDAY - DAY)

    assert () == preview_of(home, FRIDAY).missed


def test_votes_are_those_of_the_week(home: Installation) -> None:
    home.readers = (weekly(), reader(BOB, "bees"))
    for day, votes in enumerate((10, 40, 70, 75)):
        home.publish(item(1, "Bees", upvotes=votes))
        home.pull(FRIDAY - (3 - day) * DAY - HOUR)
    ada, bob = home.settings().subscribers

    with home.state() as state:
        of_week, of_day = (preview(home.settings(), state, one, now=FRIDAY).picks[0].trend for one in (ada, bob))

    assert (75, 65, 3) == (of_week.upvotes, of_week.upvotes_change, of_week.change_days)
    assert (75, 5, 1) == (of_day.upvotes, of_day.upvotes_change, of_day.change_days)


def test_readers_of_both_kinds_are_planned_together(home: Installation) -> None:
    home.readers = (weekly(), reader(BOB))
    home.publish(item(1))
    home.pull(FRIDAY - HOUR)

    report = home.send(FRIDAY)

    assert [(ADA, "sent"), (BOB, "sent")] == findings(report)
    assert {ADA: [[1]], BOB: [[1]]} == home.mailed()
    assert TODAY + 3 * DAY == home.rows()[0].local_date
