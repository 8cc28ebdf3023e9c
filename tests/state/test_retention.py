"""What is forgotten and what is not."""

from __future__ import annotations

from datetime import timedelta

import pytest

from digest.model import DaySignals, Receipt, RunReport, Signals, StoredPaper, Verdict
from digest.state.bounces import StoredBounce
from digest.state.store import State
from tests.makers import NOW, TODAY, digest, paper, pick
from tests.state.shortcuts import claim_one, reports_of, settle_one

ADA = "ada@example.org"


def plan(state: State, age_days: int, number: int) -> None:
    then, day = NOW - timedelta(days=age_days), TODAY - timedelta(days=age_days)
    state.ledger.plan([(digest(pick(number), local_date=day, planned_at=then), f"<{age_days}@x>")], now=then)


def send(state: State, age_days: int, number: int) -> None:
    plan(state, age_days, number)
    then, day = NOW - timedelta(days=age_days), TODAY - timedelta(days=age_days)
    claim_one(state, ADA, day, now=then)
    settle_one(state, ADA, day, Receipt("delivered", 250, "ok", then, "x"), "sent")


def rows(state: State, table: str) -> int:
    return sum(row.get("table") == table for row in state.export_rows())


def test_runs_are_kept_as_long_as_asked_for(state: State) -> None:
    old, new = (
        RunReport("pull", then, then, (Verdict("source", "a", "fresh", "s", then),))
        for then in (NOW - timedelta(days=31), NOW - timedelta(days=30))
    )
    state.runs.record(old)
    state.runs.record(new)

    pruned = state.prune(now=NOW, keep_days=30)

    assert {"runs": 1, "verdicts": 1}.items() <= pruned.items()
    assert (new,) == reports_of(state, since=NOW - timedelta(days=99))


def test_signals_are_kept_sixty_days(state: State) -> None:
    days = [DaySignals("hf", TODAY - timedelta(days=age), Signals(upvotes=age)) for age in (61, 60, 0)]
    state.papers.store([StoredPaper(paper(), NOW, TODAY)], signals=[(paper().key, one) for one in days])

    assert state.prune(now=NOW)["signals"] == 1
    assert {paper().key: tuple(days[1:])} == state.papers.signals([paper().key], TODAY - timedelta(days=99))


def test_what_was_delivered_is_remembered_for_four_hundred_days(state: State) -> None:
    send(state, 401, 1)
    send(state, 400, 2)

    state.runs.begin("send", NOW - timedelta(days=31))

    assert state.prune(now=NOW, keep_days=0)["mails"] == 1
    assert {ADA: {paper(2).key}} == state.ledger.seen([ADA], since=TODAY - timedelta(days=999))


@pytest.mark.parametrize("runs", [(-1,), (-31, 0, -500)], ids=["the clock was just put right", "it was set back"])
def test_mail_stays_while_its_date_may_be_wrong(state: State, runs: tuple[int, ...]) -> None:
    send(state, 500, 1)
    for days in runs:
        state.runs.begin("send", NOW + timedelta(days=days))

    assert state.prune(now=NOW)["mails"] == 0


def test_a_run_that_shows_a_clock_set_back_stays_as_long_as_those_before_it(state: State) -> None:
    for days in (-100, -80, -85, -1):
        state.runs.begin("send", NOW + timedelta(days=days))

    assert state.prune(now=NOW, keep_days=82)["runs"] == 1
    assert state.runs.was_set_back(NOW - timedelta(days=81))
    assert state.prune(now=NOW, keep_days=2)["runs"] == 2


def test_contents_of_final_mail_go_and_those_of_other_mail_stay(state: State) -> None:
    send(state, 5, 1)
    plan(state, 4, 2)
    send(state, 3, 3)

    pruned = state.prune(now=NOW)

    assert {"digests": 2, "snapshots": 2, "mails": 0}.items() <= pruned.items()
    # a paper and a pick of it in each
    assert (1, 4, 3) == (rows(state, "planned"), rows(state, "snapshot"), rows(state, "ledger"))
    assert digest(pick(2), local_date=TODAY - timedelta(days=4), planned_at=NOW - timedelta(days=4)) == (
        claim_one(state, ADA, TODAY - timedelta(days=4), now=NOW)
    )


def test_a_snapshot_stays_while_any_open_mail_needs_it(state: State) -> None:
    """The same paper in an old mail that is final and in a newer one that is not."""
    send(state, 50, 1)
    plan(state, 40, 1)
    send(state, 30, 2)

    state.prune(now=NOW)

    assert claim_one(state, ADA, TODAY - timedelta(days=40), now=NOW) is not None


def test_snapshots_of_the_last_day_stay_because_somebody_may_be_planning(state: State) -> None:
    send(state, 0, 1)

    assert state.prune(now=NOW + timedelta(hours=23))["snapshots"] == 0
    assert state.prune(now=NOW + timedelta(hours=25))["snapshots"] == 2


def test_bounces_are_kept_ninety_days(state: State) -> None:
    old, new = (StoredBounce(ADA, "soft", "", NOW - timedelta(days=age), "4.2.2", "full") for age in (91, 90))
    state.bounces.record([old, new])

    assert state.prune(now=NOW)["bounces"] == 1
    assert [(ADA, (new,))] == list(state.bounces.histories())


def test_pruning_an_empty_state_finds_nothing(state: State) -> None:
    assert set(state.prune(now=NOW).values()) == {0}
