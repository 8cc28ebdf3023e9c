"""What a digest says of days on which a source was not read, for then papers are missing from it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from typing import TYPE_CHECKING

import pytest

from tests.collect.feeds import arxiv_entry
from tests.http_server import Reply
from tests.installation import item, reader
from tests.pipeline.test_pull import ARXIV, announce, use

if TYPE_CHECKING:
    from tests.installation import Installation

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
#: Thursday; each of arXiv's batches is due at four
FIRST = datetime(2026, 9, 10, 6, 0, tzinfo=UTC)
FRIDAY = FIRST + 8 * DAY
DOWN = Reply(404)


def head(home: Installation) -> str:
    """The first lines of the last mail, which stand above its papers."""
    return " ".join(_part(home, "plain").partition("----")[0].split())


def html(home: Installation) -> str:
    return _part(home, "html")


def _part(home: Installation, kind: str) -> str:
    part = message_from_bytes(home.letters()[-1], policy=policy.default).get_body((kind,))
    assert part is not None
    content: str = part.get_content()
    return content


def read_arxiv(home: Installation, *days: int, down: tuple[int, ...] = (), hour: int = 0) -> None:
    """A pull on each of the days after the first, of which some find nobody there."""
    for day in days:
        announce(home, arxiv_entry(f"2609.{day + 10:05d}", title=f"Mixture of experts, number {day}"))
        if day in down:
            home.server.routes["/atom/cs.CL"] = DOWN
        home.pull(FIRST + day * DAY + hour * HOUR)


@pytest.fixture
def weekly(home: Installation) -> Installation:
    """Ada gets a weekly digest, on Fridays, of what arXiv announces."""
    use(home, ARXIV)
    home.readers = (reader(frequency="weekly"),)
    return home


def test_a_weekly_mail_says_of_which_days_a_source_was_not_read(weekly: Installation) -> None:
    read_arxiv(weekly, 0, 1, 4, 5, 6, 7, 8, down=(5, 6))

    weekly.send(FRIDAY)

    expected = "Not read in full, so papers may be missing: arXiv (15–16 Sep)."
    assert expected in head(weekly)
    assert expected in html(weekly)


def test_days_on_which_nothing_ran_are_missing_as_well(weekly: Installation) -> None:
    read_arxiv(weekly, 0, 1, 5, 7, 8)

    weekly.send(FRIDAY)

    assert "may be missing: arXiv (14 Sep, 16 Sep)." in head(weekly)


def test_what_a_later_pull_of_the_day_made_up_for_is_no_alarm(weekly: Installation) -> None:
    """Neither are a weekend, and the time before there was an installation."""
    read_arxiv(weekly, 5, 6, 7, down=(6,))
    read_arxiv(weekly, 6, hour=3)
    read_arxiv(weekly, 7, down=(7,), hour=3)
    read_arxiv(weekly, 8)

    weekly.send(FRIDAY)

    assert "may be missing" not in head(weekly)


def test_a_batch_that_came_after_the_only_look_for_it_is_missing(weekly: Installation) -> None:
    """Unlike one for which it was looked in vain later, or whose list was empty: on that day there was none."""
    read_arxiv(weekly, 0, 1)
    weekly.pull(FIRST + 4 * DAY)
    weekly.pull(FIRST + 5 * DAY + 9 * HOUR)
    announce(weekly)
    weekly.pull(FIRST + 6 * DAY)
    read_arxiv(weekly, 7, 8)

    weekly.send(FRIDAY)

    assert "may be missing: arXiv (14 Sep)." in head(weekly)


def test_what_last_weeks_mail_has_told_is_not_told_again(weekly: Installation) -> None:
    read_arxiv(weekly, -7, -6, -3, -2, -1, 0, 1, down=(-1,))
    weekly.send(FIRST + DAY)
    told = head(weekly)
    read_arxiv(weekly, 4, 5, 6, 7, 8)

    weekly.send(FRIDAY)

    assert "may be missing: arXiv (9 Sep)." in told
    assert "may be missing" not in head(weekly)


@pytest.mark.parametrize("down", [3 * HOUR, 9 * HOUR], ids=["briefly", "long"])
def test_of_a_source_that_keeps_its_papers_only_what_is_still_missing_is_told(
    home: Installation, down: timedelta
) -> None:
    """Two days ago it failed too, and the next pull brought what was missed. A moment's trouble is not worth a word."""
    home.publish(item(1))
    home.pull(FIRST)
    home.server.routes["/list"] = DOWN
    home.pull(FIRST + 10 * HOUR)
    home.publish(item(1), item(2))
    home.pull(FIRST + DAY)
    home.server.routes["/list"] = DOWN
    home.pull(FIRST + DAY + down)

    home.send(FIRST + DAY + down)

    assert ("may be missing: list (11 Sep)." in head(home)) == (down > 6 * HOUR)


def test_a_note_of_a_quiet_week_says_it_and_not_that_nothing_escaped(weekly: Installation) -> None:
    weekly.readers = (reader(frequency="weekly", quiet="note", trending=0),)
    read_arxiv(weekly, 0, 1)
    weekly.send(FIRST + DAY)
    announce(weekly)
    for day in (4, 5, 6, 7, 8):
        weekly.server.routes["/atom/cs.CL"] = DOWN
        if day != 5:
            announce(weekly, arxiv_entry(f"2609.{day:05d}", title="Bees"))
        weekly.pull(FIRST + day * DAY)

    weekly.send(FRIDAY)

    assert "none of them matches your keywords" in head(weekly)
    assert "may be missing: arXiv (15 Sep)." in head(weekly)


def test_an_empty_weekend_makes_up_for_no_friday(weekly: Installation) -> None:
    """Fridays' papers are gone from the list then, as those of the day before a holiday are."""
    read_arxiv(weekly, 0, 1, down=(1,))
    announce(weekly)
    weekly.pull(FIRST + 2 * DAY)
    weekly.pull(FIRST + 3 * DAY)
    read_arxiv(weekly, 4, 5, 6, 7, 8)

    weekly.send(FRIDAY)

    assert "may be missing: arXiv (11 Sep)." in head(weekly)


def test_on_saturday_it_is_told_that_nothing_ran_on_friday(home: Installation) -> None:
    _with_a_list(home)
    home.readers = (reader(frequency="daily"),)
    read_arxiv(home, 0)
    home.send(FIRST)
    announce(home)
    home.publish(item(1), item(2))
    home.pull(FIRST + 2 * DAY)

    home.send(FIRST + 2 * DAY)

    assert "may be missing: arXiv (11 Sep)." in head(home)


def test_who_has_mail_in_the_evening_hears_of_a_batch_that_was_lost_in_the_night(home: Installation) -> None:
    """At that time of the day before it could still have come."""
    _with_a_list(home)
    home.readers = (reader(timezone="America/Los_Angeles", time="18:00"),)
    read_arxiv(home, 1)
    home.pull(FIRST + 4 * DAY)
    home.send(FIRST + 4 * DAY + 19 * HOUR)
    before = head(home)
    home.publish(item(1), item(2))
    read_arxiv(home, 5)

    home.send(FIRST + 5 * DAY + 19 * HOUR)
    told = head(home)
    home.publish(item(1), item(2), item(3))
    read_arxiv(home, 6)
    home.send(FIRST + 6 * DAY + 19 * HOUR)

    assert "may be missing" not in before
    assert "may be missing: arXiv (14 Sep)." in told
    assert len(home.letters()) == 3
    assert "may be missing" not in head(home)


def _with_a_list(home: Installation) -> None:
    use(home, ARXIV)
    home.sources += f'[[sources]]\ntype = "jsonl"\nname = "list"\nurl = "{home.server.url}/list"\n'
    home.readers = (reader(),)
    home.publish(item(1))


def test_several_sources_are_named_with_their_days(home: Installation) -> None:
    _with_a_list(home)
    home.readers = (reader(language="de"),)
    read_arxiv(home, 0)
    home.server.routes["/list"] = DOWN
    read_arxiv(home, 1, down=(1,))

    home.send(FIRST + DAY)

    expected = "Nicht vollständig gelesen, es können also Artikel fehlen: arXiv (11. Sept.), list (11. Sept.)."
    assert expected in head(home)
