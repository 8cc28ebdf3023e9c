"""Reports and verdicts."""

from __future__ import annotations

from datetime import timedelta

import pytest

from digest.model import RunReport, Verdict
from digest.state.runs import UNFINISHED
from digest.state.store import State
from tests.makers import NOW
from tests.state.shortcuts import reports_of

FRESH = Verdict("source", "arxiv", "fresh", "arxiv: 2 papers, 2 new", NOW, {"papers": 2, "new": 2})
STALE = Verdict("source", "hf", "stale", "nothing\x1b[31m new", NOW + timedelta(hours=1), {}, trouble=True)
SENT = Verdict("subscriber", "ada@example.org", "sent", "10 papers", NOW + timedelta(hours=2), {"for_you": 10})


def report(hours: int, *verdicts: Verdict, notes: tuple[str, ...] = ()) -> RunReport:
    started = NOW + timedelta(hours=hours)
    return RunReport("pull", started, started + timedelta(seconds=3), verdicts, notes)


def test_reports_come_back_whole_oldest_first(state: State) -> None:
    early, late, empty = report(0, FRESH, STALE, notes=("a note",)), report(2, SENT), report(3)
    for one in (late, early, empty):
        state.runs.record(one)

    assert (early, late, empty) == reports_of(state, since=NOW)
    assert (late, empty) == reports_of(state, since=NOW + timedelta(hours=2))


def test_verdicts_are_found_by_scope_name_and_time_newest_first(state: State) -> None:
    state.runs.record(report(0, FRESH, STALE))
    state.runs.record(report(2, SENT))

    assert (SENT, STALE, FRESH) == state.runs.verdicts()
    assert (STALE, FRESH) == state.runs.verdicts(scope="source")
    assert (FRESH,) == state.runs.verdicts(until=NOW + timedelta(minutes=59))
    assert (FRESH,) == state.runs.verdicts(name="arxiv")
    assert (SENT, STALE) == state.runs.verdicts(since=NOW + timedelta(hours=1))
    assert state.runs.verdicts(scope="subscriber", name="arxiv") == ()


def test_the_starts_of_a_command_are_told_oldest_first(state: State) -> None:
    for hours in (3, 0, 1, 2):
        state.runs.record(report(hours))
    state.runs.begin("send", NOW)
    moments = [NOW + timedelta(hours=hours) for hours in (1, 2)]

    assert tuple(moments) == state.runs.starts("pull", since=moments[0], until=moments[1])


def test_a_run_can_be_kept_bit_by_bit(state: State) -> None:
    whole = report(0, FRESH, STALE, SENT, notes=("a note",))

    recording = state.runs.begin("pull", whole.started_at)
    recording.add([FRESH, STALE])
    recording.add([])
    recording.add([SENT])
    recording.finish(whole.finished_at, whole.notes)

    assert (whole,) == reports_of(state, since=NOW)


def test_a_run_that_died_does_not_look_finished_but_its_verdicts_stay(state: State) -> None:
    state.runs.begin("send", NOW).add([SENT])

    assert (RunReport("send", NOW, NOW, (SENT,), (UNFINISHED,)),) == reports_of(state, since=NOW)
    assert (SENT,) == state.runs.verdicts()


def test_a_run_that_died_before_it_found_anything_is_on_record(state: State) -> None:
    state.runs.begin("send", NOW)

    assert (RunReport("send", NOW, NOW, (), (UNFINISHED,)),) == reports_of(state, since=NOW)


def test_what_could_not_be_added_can_be_added_again(state: State) -> None:
    naive = Verdict("source", "hf", "stale", "nothing", NOW.replace(tzinfo=None))

    recording = state.runs.begin("pull", NOW)
    with pytest.raises(ValueError, match="no time zone"):
        recording.add([FRESH, naive])
    recording.add([FRESH])
    recording.finish(NOW)

    assert (RunReport("pull", NOW, NOW, (FRESH,)),) == reports_of(state, since=NOW)


def test_runs_that_are_kept_at_the_same_time_are_two(state: State) -> None:
    pull, send = state.runs.begin("pull", NOW), state.runs.begin("send", NOW)
    pull.add([FRESH])
    send.add([SENT])
    pull.finish(NOW)
    send.finish(NOW)

    assert [("pull", (FRESH,)), ("send", (SENT,))] == [
        (run.command, run.verdicts) for run in reports_of(state, since=NOW)
    ]


def test_what_was_said_about_readers_lately(state: State) -> None:
    state.runs.record(report(0, FRESH, SENT))

    def said(email: str, since: timedelta = timedelta(0), until: timedelta = timedelta(0)) -> set[tuple[str, str]]:
        return state.runs.said([email, "arxiv", "x"], since=SENT.at + since, until=SENT.at + until)

    second = timedelta(seconds=1)
    assert {("ada@example.org", "10 papers")} == said("ada@example.org")
    assert set() == said("ada@example.org", since=second, until=second)
    assert set() == said("ada@example.org", since=-second, until=-second)
    assert set() == said("bob@example.org", since=NOW - SENT.at)


def test_a_clock_that_was_set_back_shows_in_the_order_of_runs(state: State) -> None:
    def begin(hours: int, command: str = "send") -> bool:
        state.runs.begin(command, NOW + timedelta(hours=hours))
        return state.runs.was_set_back(NOW)

    assert not begin(-9)
    assert not begin(3)
    assert not begin(2)
    assert not begin(-1, "pull")  # one that took long: it is recorded when it ends
    assert begin(-1)
    assert begin(4)
    assert not state.runs.was_set_back(NOW + timedelta(hours=5))
