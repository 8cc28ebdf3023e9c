"""Reports and verdicts."""

from __future__ import annotations

from datetime import timedelta

from digest.model import RunReport, Verdict
from digest.state.store import State
from tests.makers import NOW

FRESH = Verdict("source", "arxiv", "fresh", "arxiv: 2 papers, 2 new", NOW, {"papers": 2, "new": 2})
STALE = Verdict("source", "hf", "stale", "nothing\x1b[31m new", NOW + timedelta(hours=1), {}, trouble=True)
SENT = Verdict("subscriber", "ada@example.org", "sent", "10 papers", NOW + timedelta(hours=2), {"picks": 10})


def report(hours: int, *verdicts: Verdict, notes: tuple[str, ...] = ()) -> RunReport:
    started = NOW + timedelta(hours=hours)
    return RunReport("pull", started, started + timedelta(seconds=3), verdicts, notes)


def test_reports_come_back_whole_oldest_first(state: State) -> None:
    early, late, empty = report(0, FRESH, STALE, notes=("a note",)), report(2, SENT), report(3)
    for one in (late, early, empty):
        state.runs.record(one)

    assert (early, late, empty) == state.runs.reports(since=NOW)
    assert (late, empty) == state.runs.reports(since=NOW + timedelta(hours=2))


def test_verdicts_are_found_by_scope_name_and_time_newest_first(state: State) -> None:
    state.runs.record(report(0, FRESH, STALE))
    state.runs.record(report(2, SENT))

    assert (SENT, STALE, FRESH) == state.runs.verdicts()
    assert (STALE, FRESH) == state.runs.verdicts(scope="source")
    assert (FRESH,) == state.runs.verdicts(name="arxiv")
    assert (SENT, STALE) == state.runs.verdicts(since=NOW + timedelta(hours=1))
    assert state.runs.verdicts(scope="subscriber", name="arxiv") == ()
