"""Plan → claim → settle: nothing is lost, nothing is sent twice without need."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from digest.errors import StateError
from digest.model import Digest, LedgerRow, LedgerState, Match, Missed, Outcome, Receipt, Signals, StoredPaper, Trend
from digest.state.database import connect
from digest.state.store import State
from tests.makers import HOSTILE_TITLE, NOW, TODAY, digest, paper, pick, subscriber
from tests.state.shortcuts import claim_one, row_of, settle_one

ADA, BOB = "ada@example.org", "bob@example.org"
TOMORROW = TODAY + timedelta(days=1)
YESTERDAY = TODAY - timedelta(days=1)
LATER = NOW + timedelta(hours=1)


def rich(**fields: object) -> Digest:
    """A digest in which every field says something."""
    first = pick(
        1,
        paper=paper(1, title=HOSTILE_TITLE, signals=Signals(upvotes=12), aliases=("doi:10.1/a",)),
        matches=(Match("“β”", ("title",), ("β",), 0.3),),
        trend=Trend(0.5, 12, 3, change_days=1),
        why="“β” in the title; ▲ 12",
    )
    second = pick(2, part="trending")
    missed = (Missed("arxiv:1", "Nearly", "https://x/", "score 0.1"),)
    values: dict[str, Any] = {"scores": (0.1 + 0.2, 1.0), "missed": missed, "seen_before": 2}
    return digest(first, second, subscriber=subscriber(ADA, token="t"), **(values | fields))


def plan(state: State, email: str = ADA, day: date = TODAY, *numbers: int, planned_at: datetime = NOW) -> Digest:
    picks = [pick(number) for number in numbers or (1,)]
    one = digest(*picks, subscriber=subscriber(email), local_date=day, planned_at=planned_at)
    state.ledger.plan([(one, f"<{day}.{email}>")], now=planned_at)
    return one


def claim(state: State, email: str = ADA, day: date = TODAY, *, now: datetime = NOW) -> Digest | None:
    return claim_one(state, email, day, owner="host:1", now=now)


def receipt(outcome: Outcome = "delivered", code: int | None = 250, text: str = "ok", at: datetime = NOW) -> Receipt:
    return Receipt(outcome, code, text, at, "mail.example.org:587")


def settle(state: State, after: LedgerState, email: str = ADA, day: date = TODAY, **fields: datetime | None) -> None:
    outcome: Outcome = "delivered" if after == "sent" else "deferred"
    settle_one(state, email, day, receipt(outcome), after, **fields)


def send(state: State, email: str = ADA, day: date = TODAY, *numbers: int, planned_at: datetime = NOW) -> None:
    plan(state, email, day, *numbers, planned_at=planned_at)
    assert claim(state, email, day, now=planned_at) is not None
    settle(state, "sent", email, day)


def test_a_reader_gets_one_digest_per_local_day(state: State) -> None:
    first, second, tomorrow = rich(), rich(considered=9), rich(local_date=TOMORROW)

    assert {(ADA, TODAY)} == state.ledger.plan([(first, "<1@x>"), (second, "<2@x>")], now=NOW)
    assert {(ADA, TOMORROW)} == state.ledger.plan([(second, "<2@x>"), (tomorrow, "<3@x>")], now=NOW)

    assert first == claim(state)
    assert "<1@x>" == getattr(row_of(state, ADA, TODAY), "message_id", "")


def test_a_claimed_digest_is_the_planned_one(state: State) -> None:
    planned = rich()
    state.ledger.plan([(planned, "<1@x>")], now=NOW)

    assert planned == claim(state)


def test_a_digest_claimed_again_has_its_papers_as_they_were_when_planned(state: State) -> None:
    """The mail of a resumed run is the same mail, byte for byte."""
    planned = rich()
    was = planned.picks[0].paper
    state.papers.store([StoredPaper(was, NOW, TODAY)])
    state.ledger.plan([(planned, "<1@x>")], now=NOW)
    assert planned == claim(state)

    moved = replace(was, title="Another title", signals=Signals(upvotes=500), version=2)
    state.papers.store([StoredPaper(moved, NOW, TODAY)])
    state.ledger.plan([(digest(pick(paper=moved), local_date=TOMORROW), "<2@x>")], now=LATER)
    state.ledger.recover(now=LATER, in_doubt="resend")

    assert planned == claim(state, now=LATER)
    tomorrow = claim(state, day=TOMORROW)
    assert tomorrow is not None
    assert moved == tomorrow.picks[0].paper


def test_a_row_tells_the_whole_story(state: State) -> None:
    plan(state)
    planned = LedgerRow(ADA, TODAY, "planned", f"<{TODAY}.{ADA}>", NOW, updated_at=NOW)
    assert planned == row_of(state, ADA, TODAY)

    claim(state, now=LATER)
    sending = replace(planned, state="sending", attempts=1, updated_at=LATER)
    assert sending == row_of(state, ADA, TODAY)

    refusal = receipt("deferred", 451, "4.7.1 greylisted\r\n come\x00 back", at=LATER)
    settle_one(state, ADA, TODAY, refusal, "deferred", next_attempt_at=LATER + timedelta(minutes=30))
    answer = "451 4.7.1 greylisted come\N{REPLACEMENT CHARACTER} back"
    deferred = replace(
        sending, state="deferred", answer=answer, next_attempt_at=LATER + timedelta(minutes=30), updated_at=LATER
    )
    assert deferred == row_of(state, ADA, TODAY)
    assert row_of(state, BOB, TODAY) is None


def test_what_is_claimed_cannot_be_claimed_again(state: State) -> None:
    plan(state)

    assert [True, False] == [claim(state) is not None, claim(state) is not None]


def test_nothing_can_be_claimed_that_was_not_planned(state: State) -> None:
    assert claim(state) is None


def test_deferred_mail_waits_for_its_time(state: State) -> None:
    planned = plan(state)
    claim(state)
    settle(state, "deferred", next_attempt_at=LATER)

    assert claim(state, now=LATER - timedelta(seconds=1)) is None
    assert planned == claim(state, now=LATER)
    assert 2 == getattr(row_of(state, ADA, TODAY), "attempts", 0)


@pytest.mark.parametrize("after", ["sent", "refused", "expired", "held"])
def test_mail_that_is_final_or_held_is_not_claimed(state: State, after: LedgerState) -> None:
    plan(state)
    claim(state)
    settle(state, after)

    assert claim(state, now=LATER) is None
    assert list(state.ledger.due(LATER)) == []


def test_mail_in_doubt_is_claimed_again(state: State) -> None:
    planned = plan(state)
    claim(state)
    settle(state, "in_doubt")

    assert [(ADA, TODAY)] == list(state.ledger.due(NOW))
    assert planned == claim(state)


@pytest.mark.parametrize("table", ["planned", "snapshot"])
def test_mail_whose_contents_are_gone_waits_and_the_others_go_out(state: State, url: str, table: str) -> None:
    """One row that cannot be read must not keep everybody behind it from their mail, today and tomorrow."""
    plan(state, ADA)
    plan(state, BOB, TODAY, 2)
    database = connect(url, create=False, busy_timeout_s=1)
    with database.writing() as connection:
        which = {"planned": f"email = '{ADA}'", "snapshot": "body LIKE '%2609.00001%'"}[table]
        assert 1 == connection.execute(text(f"DELETE FROM {table} WHERE {which}")).rowcount
    database.close()

    claimed = {email: claim(state, email) for email, _ in state.ledger.due(NOW)}

    assert [True, False] == [claimed[ADA] is None, claimed[BOB] is None]
    row = row_of(state, ADA, TODAY)
    assert row is not None
    assert ("deferred", 1, LATER) == (row.state, row.attempts, row.next_attempt_at)
    assert "its contents cannot be read: " in row.answer
    assert claim(state, ADA, now=LATER) is None


def test_delivered_mail_stays_delivered_whatever_a_second_sender_says(state: State) -> None:
    send(state)

    settle(state, "deferred")

    assert "sent" == getattr(row_of(state, ADA, TODAY), "state", "")


def test_settling_what_is_not_there_is_an_error(state: State) -> None:
    with pytest.raises(StateError, match=r"there is no mail for ada@example\.org on 2026-09-15 to settle"):
        settle(state, "sent")


def test_due_comes_by_day_and_address_and_leaves_out_what_cannot_be_claimed(state: State) -> None:
    plan(state, BOB, TODAY)
    plan(state, ADA, TODAY)
    plan(state, BOB, YESTERDAY)
    plan(state, ADA, YESTERDAY)
    claim(state, ADA, YESTERDAY)
    settle(state, "deferred", ADA, YESTERDAY, next_attempt_at=LATER)

    assert [(BOB, YESTERDAY), (ADA, TODAY), (BOB, TODAY)] == list(state.ledger.due(NOW))
    assert (ADA, YESTERDAY) == next(state.ledger.due(LATER))


def test_due_goes_through_thousands_of_rows_that_change_meanwhile(state: State) -> None:
    emails = [f"reader{number:04}@example.org" for number in range(2100)]
    state.ledger.plan(((digest(subscriber=subscriber(email)), f"<{email}>") for email in emails), now=NOW)

    found = []
    for number, (email, day) in enumerate(state.ledger.due(NOW)):
        found.append(email)
        if number % 100 == 0:
            claim(state, email, day)
            settle(state, "deferred", email, day)

    assert emails == found


def test_recover_puts_interrupted_mail_in_doubt(state: State) -> None:
    plan(state, ADA)
    plan(state, BOB)
    claim(state, ADA)

    recovered = state.ledger.recover(now=LATER, in_doubt="resend")

    assert (row_of(state, ADA, TODAY),) == recovered
    assert ("in_doubt", "interrupted while it was being sent by host:1", LATER, 1) == (
        recovered[0].state,
        recovered[0].answer,
        recovered[0].updated_at,
        recovered[0].attempts,
    )
    assert [(ADA, TODAY), (BOB, TODAY)] == list(state.ledger.due(LATER))
    assert state.ledger.recover(now=LATER, in_doubt="resend") == ()


def test_recover_holds_interrupted_mail_if_told_so(state: State) -> None:
    plan(state)
    claim(state)

    assert ["held"] == [row.state for row in state.ledger.recover(now=LATER, in_doubt="hold")]
    assert claim(state, now=LATER) is None


def test_expire_gives_up_what_waited_too_long_but_nothing_that_is_being_sent(state: State) -> None:
    plan(state, ADA, YESTERDAY)
    plan(state, BOB, YESTERDAY)
    plan(state, ADA, TODAY, planned_at=NOW + timedelta(seconds=1))
    send(state, BOB, TODAY)
    claim(state, BOB, YESTERDAY)
    four_days = timedelta(days=4)

    assert state.ledger.expire(NOW + four_days - timedelta(seconds=1), four_days) == ()
    expired = state.ledger.expire(NOW + four_days, four_days)

    assert [(ADA, YESTERDAY, "expired")] == [(row.email, row.local_date, row.state) for row in expired]
    assert {"planned": 1, "sent": 1, "sending": 1, "expired": 1}.items() <= state.counts().items()


def test_rows_come_by_day_and_address(state: State) -> None:
    for email, day in ((BOB, TODAY), (ADA, TODAY), (ADA, YESTERDAY)):
        plan(state, email, day)

    expired = state.ledger.expire(NOW, timedelta())

    assert [(ADA, YESTERDAY), (ADA, TODAY), (BOB, TODAY)] == [(row.email, row.local_date) for row in expired]


@pytest.mark.parametrize("after", ["deferred", "refused", "in_doubt", "held", "expired"])
def test_papers_are_seen_when_their_mail_is_delivered_never_earlier(state: State, after: LedgerState) -> None:
    plan(state, ADA, TODAY, 1, 2)
    claim(state)
    settle(state, after)
    nothing = state.ledger.seen([ADA], since=YESTERDAY)

    settle(state, "sent")

    assert {ADA: set()} == nothing
    assert {ADA: {paper(1).key, paper(2).key}, BOB: set()} == state.ledger.seen([ADA, BOB], since=YESTERDAY)
    assert {ADA: set()} == state.ledger.seen([ADA], since=TOMORROW)


def test_what_was_delivered_under_an_absorbed_key_counts_as_the_other(state: State) -> None:
    state.papers.store([StoredPaper(paper(number), NOW, TODAY) for number in (1, 2, 3)])
    send(state, ADA, TODAY, 1, 3)
    plan(state, BOB, TODAY, 1)

    merged = paper(2, aliases=(paper(1).key,))
    state.papers.store([StoredPaper(merged, NOW, TODAY)], absorbed={paper(1).key: merged.key})

    assert {ADA: {merged.key, paper(3).key}} == state.ledger.seen([ADA], since=TODAY)
    assert {BOB: {merged.key}} == state.ledger.open_keys([BOB])


def test_open_keys_are_those_in_mail_that_may_still_go_out(state: State) -> None:
    states: tuple[LedgerState, ...] = ("deferred", "in_doubt", "held", "sent", "refused", "expired")
    for number, after in enumerate(states, 1):
        day = TODAY - timedelta(days=number)
        plan(state, ADA, day, number)
        claim(state, ADA, day)
        settle(state, after, ADA, day)
    plan(state, ADA, TODAY, 10)
    plan(state, ADA, TOMORROW, 11)
    claim(state, ADA, TOMORROW)

    assert {ADA: {paper(number).key for number in (1, 2, 3, 10, 11)}, BOB: set()} == state.ledger.open_keys([ADA, BOB])


def test_undelivered_are_the_papers_of_mail_that_was_given_up(state: State) -> None:
    """They never arrived, so they may come again, also after a later mail did arrive."""
    state.papers.store([StoredPaper(paper(number), NOW, TODAY) for number in range(1, 8)])
    states: tuple[LedgerState, ...] = ("expired", "refused", "sent", "deferred", "in_doubt", "held", "expired")
    for number, after in enumerate(states, 1):
        day = TODAY - timedelta(days=number)
        plan(state, ADA, day, number)
        claim(state, ADA, day)
        settle(state, after, ADA, day)
    merged = paper(3, aliases=(paper(2).key,))
    state.papers.store([StoredPaper(merged, NOW, TODAY)], absorbed={paper(2).key: merged.key})

    since = TODAY - timedelta(days=6)
    assert {ADA: {paper(1).key, merged.key}, BOB: set()} == state.ledger.undelivered([ADA, BOB], since=since)
    assert {ADA: {paper(1).key}} == state.ledger.undelivered([ADA], since=YESTERDAY)


def test_last_sent_is_when_the_newest_delivered_digest_was_planned(state: State) -> None:
    send(state, ADA, YESTERDAY, planned_at=NOW - timedelta(days=1))
    send(state, ADA, TODAY)
    send(state, BOB, YESTERDAY, planned_at=NOW - timedelta(days=1))
    plan(state, BOB, TODAY)

    assert {ADA: NOW, BOB: NOW - timedelta(days=1)} == state.ledger.last_sent(
        [ADA, BOB, "x"], since=YESTERDAY, until=NOW
    )
    assert {ADA: NOW} == state.ledger.last_sent([ADA, BOB], since=TODAY, until=NOW)
    earlier = NOW - timedelta(days=1)
    assert {ADA: earlier, BOB: earlier} == state.ledger.last_sent([ADA, BOB], since=YESTERDAY, until=earlier)


def test_refused_days_count_from_the_last_delivery(state: State) -> None:
    for offset, after in enumerate(("refused", "sent", "refused", "deferred", "refused")):
        day = TODAY + timedelta(days=offset)
        plan(state, ADA, day)
        claim(state, ADA, day)
        settle(state, after, ADA, day)  # type: ignore[arg-type]

    assert 2 == state.ledger.refused_days(ADA)
    assert 0 == state.ledger.refused_days(BOB)


def test_what_was_refused_before_a_reader_was_resumed_is_forgiven(state: State) -> None:
    for offset in range(3):
        day, at = TODAY + timedelta(days=offset), NOW + timedelta(days=offset)
        plan(state, ADA, day)
        claim(state, ADA, day)
        settle_one(state, ADA, day, Receipt("refused", 550, "no", at, "x"), "refused")
        state.subscribers.resume(BOB, now=at)
        if offset == 1:
            state.subscribers.resume(ADA, now=at)

    assert 1 == state.ledger.refused_days(ADA)


def test_many_steps_can_share_one_durable_commit(state: State) -> None:
    plan(state, ADA)
    plan(state, BOB)

    with state.transaction():
        claim(state, ADA)
        settle(state, "sent", ADA)
        claim(state, BOB)

    assert {"sent": 1, "sending": 1}.items() <= state.counts().items()
