"""One pull of one source, one verdict: what counts as fresh, and which silence is trouble."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from digest.curate.calendar import Calendar
from digest.curate.freshness import Tally, doubt, fingerprint, judge
from digest.model import Batch, Problem, SourceMemory, Verdict
from tests.makers import NOW, paper

#: Tuesday's arXiv batch has been due for two hours at NOW, which is within the grace
MONDAY_MORNING = datetime(2026, 9, 14, 6, 0, tzinfo=UTC)
TUESDAY_NOON = datetime(2026, 9, 15, 12, 0, tzinfo=UTC)
SUNDAY_NOON = datetime(2026, 9, 20, 12, 0, tzinfo=UTC)
TWO = (paper(1), paper(2))


def memory(last_fresh_at: datetime | None = MONDAY_MORNING, *, batch: str = "", failures: int = 0) -> SourceMemory:
    first = datetime(2026, 9, 1, 6, 0, tzinfo=UTC)
    return SourceMemory(
        "arxiv", first, last_fresh_at, last_fresh_at, fingerprint=batch, failures=failures, most_new=200
    )


def verdict(
    batch: Batch,
    tally: Tally,
    remembered: SourceMemory,
    *,
    calendar: Calendar | None = "arxiv",
    now: datetime = TUESDAY_NOON,
) -> Verdict:
    return judge(batch, tally, remembered, calendar=calendar, display="arxiv", now=now)


def told(found: Verdict) -> tuple[str, str, bool]:
    return found.finding, found.sentence, found.trouble


def test_a_verdict_has_the_sentence_and_the_numbers_behind_it() -> None:
    found = verdict(Batch("arxiv", TWO), Tally(new=187, elsewhere=5, updated=3, repeats=1017), memory(), now=NOW)

    assert found == Verdict(
        scope="source",
        name="arxiv",
        finding="fresh",
        sentence=("arxiv: 1,212 papers, 187 new, 5 known from other sources, 3 in a newer version, 1,017 seen before"),
        at=NOW,
        counts={"papers": 1212, "new": 187, "noted": 0, "elsewhere": 5, "updated": 3, "repeats": 1017},
        trouble=False,
    )


@pytest.mark.parametrize(
    ("tally", "sentence"),
    [
        (Tally(new=1), "arxiv: 1 paper, 1 new"),
        (Tally(elsewhere=2), "arxiv: 2 papers, 0 new, 2 known from other sources"),
        (Tally(updated=2, repeats=1), "arxiv: 3 papers, 0 new, 2 in a newer version, 1 seen before"),
        (Tally(new=1, noted=2), "arxiv: 3 papers, 1 new, 2 older in a new version and only noted"),
    ],
)
def test_anything_the_source_had_not_said_before_makes_it_fresh(tally: Tally, sentence: str) -> None:
    """A list of Hugging Face whose papers are all known from arXiv is still today's list."""
    assert ("fresh", sentence, False) == told(verdict(Batch("arxiv", TWO), tally, memory()))


@pytest.mark.parametrize(
    ("tally", "sentence"),
    [
        (Tally(new=20, noted=185), "arxiv: first pull: 20 newest of 205 may be mailed, 185 only noted"),
        (
            Tally(new=20, noted=5, elsewhere=1),
            "arxiv: first pull: 20 newest of 25 may be mailed, 5 only noted, 1 known from other sources",
        ),
        (Tally(new=205), "arxiv: first pull: 205 papers, 205 new"),
    ],
)
def test_a_first_pull_says_how_many_may_be_mailed(tally: Tally, sentence: str) -> None:
    assert ("fresh", sentence, False) == told(verdict(Batch("arxiv", TWO), tally, SourceMemory("arxiv")))


def test_a_fresh_batch_of_which_a_part_failed_is_trouble() -> None:
    batch = Batch("arxiv", TWO, failure="cs.AI: HTTP 503", hint="try again later")

    assert (
        "fresh",
        "arxiv: 2 papers, 2 new; but a part could not be read: cs.AI: HTTP 503; try again later",
        True,
    ) == told(verdict(batch, Tally(new=2), memory()))


@pytest.mark.parametrize(
    ("batch", "tally", "failures", "sentence"),
    [
        (Batch("arxiv", failure="no route to host"), Tally(), 0, "arxiv: no route to host"),
        (
            Batch("arxiv", failure="HTTP 404", hint="check the category"),
            Tally(),
            2,
            "arxiv: HTTP 404; check the category; 3 failed pulls in a row",
        ),
        (
            Batch("arxiv", TWO, failure="cs.AI: HTTP 503"),
            Tally(repeats=2),
            0,
            "arxiv: cs.AI: HTTP 503; the rest brought 2 papers, all seen before",
        ),
    ],
)
def test_a_failure_without_news_is_told_with_all_that_came(
    batch: Batch, tally: Tally, failures: int, sentence: str
) -> None:
    assert ("failed", sentence, True) == told(verdict(batch, tally, memory(failures=failures)))


SAME = fingerprint(TWO)


@pytest.mark.parametrize(
    ("batch", "last_fresh_at", "now", "expected"),
    [
        pytest.param(
            Batch("arxiv", TWO),
            NOW,
            NOW + timedelta(hours=1),
            ("unchanged", "arxiv: the same 2 papers as last time; the next batch is due Wed 16 Sep 04:00 UTC", False),
            id="polled again an hour later",
        ),
        pytest.param(
            Batch("arxiv", TWO[:1]),
            NOW,
            NOW + timedelta(hours=1),
            ("unchanged", "arxiv: 1 paper, all seen before; the next batch is due Wed 16 Sep 04:00 UTC", False),
            id="part of it",
        ),
        pytest.param(
            Batch("arxiv", not_modified=True),
            NOW,
            NOW + timedelta(hours=1),
            (
                "unchanged",
                "arxiv: not modified since the last pull; the next batch is due Wed 16 Sep 04:00 UTC",
                False,
            ),
            id="304",
        ),
        pytest.param(
            Batch("arxiv", TWO),
            MONDAY_MORNING,
            NOW,
            (
                "unchanged",
                "arxiv: the same 2 papers as last time; the batch due Tue 15 Sep 04:00 UTC is not there yet",
                False,
            ),
            id="two hours late",
        ),
        pytest.param(
            Batch("arxiv", TWO),
            MONDAY_MORNING,
            datetime(2026, 9, 15, 7, 0, tzinfo=UTC),
            (
                "stale",
                "arxiv: the same 2 papers as last time, though a batch was due since Tue 15 Sep 04:00 UTC",
                True,
            ),
            id="three hours late",
        ),
        pytest.param(
            Batch("arxiv", not_modified=True),
            MONDAY_MORNING,
            TUESDAY_NOON,
            (
                "stale",
                "arxiv: not modified since the last pull, though a batch was due since Tue 15 Sep 04:00 UTC",
                True,
            ),
            id="304 for a batch that should have changed",
        ),
        pytest.param(
            Batch("arxiv", TWO),
            datetime(2026, 9, 15, 4, 0, tzinfo=UTC),
            TUESDAY_NOON,
            ("unchanged", "arxiv: the same 2 papers as last time; the next batch is due Wed 16 Sep 04:00 UTC", False),
            id="the batch came the moment it was due",
        ),
        pytest.param(
            Batch("arxiv", TWO),
            datetime(2026, 9, 18, 6, 0, tzinfo=UTC),
            SUNDAY_NOON,
            ("unchanged", "arxiv: the same 2 papers as last time; the next batch is due Mon 21 Sep 04:00 UTC", False),
            id="Friday's batch on Sunday",
        ),
    ],
)
def test_nothing_new_is_stale_only_when_a_batch_was_due(
    batch: Batch, last_fresh_at: datetime, now: datetime, expected: tuple[str, str, bool]
) -> None:
    tally = Tally(repeats=len(batch.papers))

    assert expected == told(verdict(batch, tally, memory(last_fresh_at, batch=SAME), now=now))


@pytest.mark.parametrize(
    ("last_fresh_at", "now", "calendar", "expected"),
    [
        pytest.param(
            datetime(2026, 9, 18, 6, 0, tzinfo=UTC),
            SUNDAY_NOON,
            "arxiv",
            ("arxiv: an empty list, as always on a weekend; the next batch is due Mon 21 Sep 04:00 UTC", False),
            id="Sunday",
        ),
        pytest.param(
            datetime(2026, 9, 7, 6, 0, tzinfo=UTC),
            datetime(2026, 9, 8, 12, 0, tzinfo=UTC),
            "arxiv",
            ("arxiv: an empty list, as always on a holiday; the next batch is due Wed 9 Sep 04:00 UTC", False),
            id="the day after Labor Day",
        ),
        pytest.param(
            MONDAY_MORNING,
            TUESDAY_NOON,
            "arxiv",
            ("arxiv: an empty list, though a batch was due since Tue 15 Sep 04:00 UTC", True),
            id="a Tuesday",
        ),
        pytest.param(
            MONDAY_MORNING,
            NOW,
            "arxiv",
            ("arxiv: an empty list; the batch due Tue 15 Sep 04:00 UTC is not there yet", False),
            id="early on a Tuesday",
        ),
        pytest.param(
            NOW,
            TUESDAY_NOON,
            "arxiv",
            ("arxiv: an empty list; today's batch came earlier; the next batch is due Wed 16 Sep 04:00 UTC", False),
            id="after the day's batch",
        ),
        pytest.param(None, TUESDAY_NOON, None, ("arxiv: an empty list", True), id="without calendar"),
    ],
)
def test_an_empty_list_is_trouble_unless_the_calendar_explains_it(
    last_fresh_at: datetime | None, now: datetime, calendar: Calendar | None, expected: tuple[str, bool]
) -> None:
    found = verdict(Batch("arxiv"), Tally(), memory(last_fresh_at), calendar=calendar, now=now)

    assert ("empty", *expected) == told(found)


def test_a_list_of_which_no_item_could_be_read_is_trouble_even_on_a_sunday() -> None:
    batch = Batch("arxiv", problems=(Problem("item 1", "no title"), Problem("item 2", "no title")))

    assert ("empty", "arxiv: no paper could be read, 2 items left out", True) == told(
        verdict(batch, Tally(), memory(SUNDAY_NOON), now=SUNDAY_NOON)
    )


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        (13, ("unchanged", "arxiv: the same 2 papers as last time", False)),
        (14, ("stale", "arxiv: the same 2 papers as last time; nothing new for 14 days", True)),
    ],
)
def test_a_source_without_calendar_may_be_silent_for_two_weeks(days: int, expected: tuple[str, str, bool]) -> None:
    last = TUESDAY_NOON - timedelta(days=days)

    assert expected == told(verdict(Batch("arxiv", TWO), Tally(repeats=2), memory(last, batch=SAME), calendar=None))


def test_news_that_a_clock_that_was_ahead_wrote_down_is_not_the_batch_that_is_due() -> None:
    ahead = memory(TUESDAY_NOON + timedelta(days=40), batch=SAME)

    assert (
        "stale",
        "arxiv: the same 2 papers as last time, though a batch was due since Tue 15 Sep 04:00 UTC",
        True,
    ) == told(verdict(Batch("arxiv", TWO), Tally(repeats=2), ahead))


def test_a_fingerprint_is_of_keys_and_versions_only() -> None:
    """Order, dates and votes change without a new batch."""
    later = paper(1, published=NOW, title="Another title")

    assert fingerprint([paper(1), paper(2)]) == fingerprint([paper(2), later])
    assert fingerprint([paper(1)]) != fingerprint([paper(1, version=2)])
    assert fingerprint([paper(1)]) != fingerprint([paper(1), paper(2)])


# --- is it known what there is? -----------------------------------------------------------------------------------


def doubted(remembered: SourceMemory | None, *, calendar: Calendar | None = "arxiv", now: datetime = NOW) -> str:
    return doubt(remembered, calendar=calendar, display="arxiv", now=now, patience=timedelta(days=1))


def test_what_was_read_since_its_batch_was_due_is_known() -> None:
    assert "" == doubted(memory(datetime(2026, 9, 15, 5, 0, tzinfo=UTC)))
    assert "" == doubted(memory(datetime(2026, 9, 18, 5, 0, tzinfo=UTC)), now=SUNDAY_NOON)
    assert "" == doubted(memory(NOW - timedelta(hours=23)), calendar=None)


@pytest.mark.parametrize(
    ("remembered", "calendar", "expected"),
    [
        (None, "arxiv", "arxiv was not read yet"),
        (SourceMemory("arxiv"), "arxiv", "arxiv was not read yet"),
        (SourceMemory("arxiv", failures=2), "arxiv", "arxiv could not be read"),
        (memory(NOW, failures=1), "arxiv", "arxiv could not be read"),
        (memory(), "arxiv", "the batch of arxiv due Tue 15 Sep 04:00 UTC has not come"),
        (memory(NOW - timedelta(hours=25)), None, "arxiv was last read Mon 14 Sep 05:00 UTC"),
        # by a clock that was ahead
        (memory(NOW + timedelta(days=40)), "arxiv", "the batch of arxiv due Tue 15 Sep 04:00 UTC has not come"),
        (memory(NOW + timedelta(days=40)), None, "arxiv was last read Sun 25 Oct 06:00 UTC"),
    ],
)
def test_what_was_not_read_or_may_come_yet_is_not_known(
    remembered: SourceMemory | None, calendar: Calendar | None, expected: str
) -> None:
    assert expected == doubted(remembered, calendar=calendar)
