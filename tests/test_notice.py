"""When the operator is told that a whole day brought nothing."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from digest.model import SourceFinding, SubscriberFinding, Verdict
from digest.notice import lines
from tests.makers import NOW

LONG_AGO = NOW - timedelta(days=30)


def source(finding: SourceFinding, *, trouble: bool = False, hours_ago: float = 0) -> Verdict:
    return Verdict("source", "arxiv", finding, f"arxiv: {finding}", NOW - timedelta(hours=hours_ago), trouble=trouble)


def reader(finding: SubscriberFinding, email: str = "ada@example.org", *, hours_ago: float = 0) -> Verdict:
    return Verdict("subscriber", email, finding, f"{email}: {finding}", NOW - timedelta(hours=hours_ago))


def noticed(*verdicts: Verdict, last_notice: datetime | None = None, started: datetime = LONG_AGO) -> tuple[str, ...]:
    return lines(verdicts, now=NOW, last_notice=last_notice, started=started)


def test_a_day_of_failures_is_reported_with_the_last_word_on_each_source() -> None:
    assert ("No source brought a new paper for a whole day:", "- arxiv: stale") == noticed(
        source("failed", trouble=True, hours_ago=5), source("stale", trouble=True)
    )


@pytest.mark.parametrize(
    "verdicts",
    [
        [source("empty")],
        [source("fresh", hours_ago=20), source("failed", trouble=True)],
        [source("stale", trouble=True, hours_ago=20), source("unchanged")],
        [source("stale", trouble=True, hours_ago=30)],
        [],
    ],
    ids=["weekend", "something fresh that day", "mended itself", "older than a day", "nothing ran"],
)
def test_what_is_no_reason_to_write(verdicts: list[Verdict]) -> None:
    assert () == noticed(*verdicts)


def test_undelivered_mail_is_reported_unless_some_went_out() -> None:
    stuck = (reader("deferred", hours_ago=24), reader("deferred"))

    assert (
        "Digests were due and none could be delivered for a whole day:",
        "- ada@example.org: deferred",
    ) == noticed(*stuck)
    assert () == noticed(*stuck, reader("sent", "bob@example.org", hours_ago=12))


@pytest.mark.parametrize(
    "before",
    [
        [],
        [reader("quiet", hours_ago=30)],
        [reader("deferred", hours_ago=22)],
        [reader("deferred", hours_ago=30), reader("sent", hours_ago=25)],
        [reader("deferred", hours_ago=24 * 7)],
    ],
    ids=["weekend", "nothing due", "some hours", "mended since", "another week"],
)
def test_mail_that_is_stuck_for_less_than_a_day_is_not_reported(before: list[Verdict]) -> None:
    assert () == noticed(*before, reader("deferred"))


def test_mail_that_is_stuck_no_more_is_not_reported() -> None:
    assert () == noticed(reader("deferred", hours_ago=24), reader("paused"))


def test_many_undelivered_mails_are_counted_not_listed() -> None:
    many = [f"reader{n}@example.org" for n in range(25)]

    told = noticed(reader("refused", many[0], hours_ago=24), *(reader("refused", email) for email in many))

    assert 12 == len(told)
    assert "- and 15 more" == told[-1]


def test_it_is_said_once_a_day_and_not_by_an_installation_younger_than_a_day() -> None:
    failed = source("failed", trouble=True)

    assert () == noticed(failed, last_notice=NOW - timedelta(hours=22))
    assert noticed(failed, last_notice=NOW - timedelta(hours=24))
    assert () == noticed(failed, started=NOW - timedelta(hours=22))
