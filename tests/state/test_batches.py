"""Claims and settlements of many mails share one transaction, and each mail keeps its own promise."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import text

from digest.errors import StateError
from digest.model import Digest, LedgerState, MailKey, Receipt
from digest.state.database import connect
from digest.state.ledger import Claim, Settlement
from digest.state.store import State
from tests.makers import NOW, TODAY, digest, pick, subscriber
from tests.state.shortcuts import row_of, rows_of

ADA, BOB, EVE = "ada@example.org", "bob@example.org", "eve@example.org"
EVERYBODY = ((ADA, TODAY), (BOB, TODAY), (EVE, TODAY))
LATER = NOW + timedelta(hours=1)
YESTERDAY = TODAY - timedelta(days=1)


def plan(state: State, *mails: MailKey) -> dict[MailKey, Digest]:
    digests = {
        (email, day): digest(pick(1), subscriber=subscriber(email), local_date=day) for email, day in mails or EVERYBODY
    }
    state.ledger.plan(((one, f"<{email}.{day}>") for (email, day), one in digests.items()), now=NOW)
    return digests


def claim_all(state: State, mails: Iterable[MailKey] = EVERYBODY) -> dict[MailKey, Claim]:
    return state.ledger.claim_all(mails, owner="host:1", now=NOW)


def settlement(email: str, after: LedgerState, *, text: str = "ok") -> Settlement:
    return Settlement(email, TODAY, Receipt("delivered", 250, text, LATER, "mail.example.org:25"), after)


def states(state: State) -> list[tuple[str, int]]:
    return [(row.state, row.attempts) for row in rows_of(state)]


def test_all_that_are_due_are_claimed_and_say_how_often(state: State) -> None:
    planned = plan(state)
    claim_all(state, EVERYBODY[:2])
    state.ledger.settle_all([settlement(ADA, "deferred"), settlement(BOB, "sent")])

    claims = claim_all(state, [*EVERYBODY, ("nobody@example.org", TODAY)])

    expected = {
        (ADA, TODAY): Claim(planned[ADA, TODAY], 2, "deferred"),
        (EVE, TODAY): Claim(planned[EVE, TODAY], 1, "planned"),
    }
    assert expected == claims
    assert list(expected) == list(claims)
    assert [("sending", 2), ("sent", 1), ("sending", 1)] == states(state)


def test_claims_may_be_of_many_days(state: State) -> None:
    mails = ((BOB, TODAY), (ADA, YESTERDAY), (ADA, TODAY))
    plan(state, *mails)

    claims = claim_all(state, [(BOB, TODAY), (ADA, YESTERDAY), (BOB, YESTERDAY)])

    assert [(BOB, TODAY), (ADA, YESTERDAY)] == list(claims)
    assert "planned" == getattr(row_of(state, ADA, TODAY), "state", "")


def test_a_digest_that_is_known_is_not_read_again(state: State) -> None:
    plan(state)
    fresh = digest(considered=77)

    claims = state.ledger.claim_all(EVERYBODY, owner="host:1", now=NOW, known={(ADA, TODAY): fresh})

    assert claims[ADA, TODAY].digest is fresh
    assert BOB == claims[BOB, TODAY].digest.subscriber.email


def test_what_is_known_but_not_in_the_ledger_is_not_given(state: State) -> None:
    assert state.ledger.claim_all([(ADA, TODAY)], owner="", now=NOW, known={(ADA, TODAY): digest()}) == {}


def test_a_mail_that_cannot_be_read_costs_the_others_nothing(state: State, url: str) -> None:
    plan(state)
    database = connect(url, create=False, busy_timeout_s=1)
    with database.writing() as connection:
        connection.execute(text(f"UPDATE planned SET body = '{{' WHERE email = '{BOB}'"))
    database.close()

    claims = claim_all(state)

    assert [(ADA, TODAY), (EVE, TODAY)] == list(claims)
    row = row_of(state, BOB, TODAY)
    assert row is not None
    assert ("deferred", 1, LATER) == (row.state, row.attempts, row.next_attempt_at)
    assert row.answer.startswith("its contents cannot be read: ")


def test_each_of_many_settlements_keeps_its_own_rules(state: State) -> None:
    plan(state)
    claim_all(state)
    state.ledger.settle_all([settlement(ADA, "sent")])

    waiting = replace(settlement(BOB, "deferred", text="greylisted"), next_attempt_at=LATER)
    state.ledger.settle_all([settlement(ADA, "deferred"), waiting, settlement(EVE, "held")])

    assert [("sent", 1), ("deferred", 1), ("held", 1)] == states(state)
    row = row_of(state, BOB, TODAY)
    assert row is not None
    assert ("250 greylisted", LATER, LATER) == (row.answer, row.next_attempt_at, row.updated_at)


def test_a_settlement_without_a_row_is_told_and_the_others_are_written(state: State) -> None:
    plan(state)
    claim_all(state)

    with pytest.raises(StateError, match=r"there is no mail for nobody@example\.org on 2026-09-15 to settle"):
        state.ledger.settle_all([settlement(email, "sent") for email in (ADA, "nobody@example.org", EVE)])

    assert [("sent", 1), ("sending", 1), ("sent", 1)] == states(state)


def test_nothing_to_claim_settle_postpone_or_give_back_is_no_trouble(state: State) -> None:
    state.ledger.settle_all([])
    state.ledger.postpone([], until=LATER, reason="", now=NOW)
    state.ledger.release_claims({}, now=NOW)

    assert claim_all(state, []) == {}


@pytest.mark.parametrize("before", ["planned", "deferred", "in_doubt"])
def test_claims_given_back_leave_no_attempt(state: State, before: LedgerState) -> None:
    plan(state)
    if before != "planned":
        claim_all(state)
        state.ledger.settle_all([settlement(email, before) for email, _ in EVERYBODY])
    was = rows_of(state)
    claims = claim_all(state)

    state.ledger.release_claims({mail: claims[mail] for mail in EVERYBODY[:2]}, now=NOW)

    assert [(row.state, row.attempts, row.answer) for row in was[:2]] == [
        (row.state, row.attempts, row.answer) for row in rows_of(state)[:2]
    ]
    assert "sending" == rows_of(state)[2].state
    again = claim_all(state)
    assert {mail: claims[mail] for mail in EVERYBODY[:2]} == again


def test_a_claim_that_was_settled_or_claimed_anew_is_not_given_back(state: State) -> None:
    plan(state)
    claims = claim_all(state)
    state.ledger.settle_all([settlement(ADA, "sent"), settlement(BOB, "deferred")])
    claim_all(state, [(BOB, TODAY)])

    state.ledger.release_claims(claims, now=NOW)

    assert [("sent", 1), ("sending", 2), ("planned", 0)] == states(state)


def test_postponed_mail_waits_without_an_attempt(state: State) -> None:
    planned = plan(state)

    state.ledger.postpone(EVERYBODY[:2], until=LATER, reason="example.org asks\r\nfor patience", now=NOW)

    assert [(EVE, TODAY)] == list(state.ledger.due(NOW))
    assert list(EVERYBODY) == list(state.ledger.due(LATER))
    row = row_of(state, ADA, TODAY)
    assert row is not None
    assert ("deferred", 0, "example.org asks for patience", LATER) == (
        row.state,
        row.attempts,
        row.answer,
        row.next_attempt_at,
    )
    claims = state.ledger.claim_all([(ADA, TODAY)], owner="", now=LATER)
    assert {(ADA, TODAY): Claim(planned[ADA, TODAY], 1, "deferred")} == claims


def test_postponing_never_brings_an_attempt_forward_nor_forgets_a_doubt(state: State) -> None:
    plan(state)
    claim_all(state)
    much_later = LATER + timedelta(hours=5)
    state.ledger.settle_all(
        [
            replace(settlement(ADA, "deferred"), next_attempt_at=much_later),
            replace(settlement(BOB, "in_doubt"), next_attempt_at=NOW),
        ]
    )

    state.ledger.postpone(EVERYBODY, until=LATER, reason="patience", now=NOW)

    rows = [(row.state, row.next_attempt_at) for row in rows_of(state)]
    assert [("deferred", much_later), ("in_doubt", LATER), ("sending", None)] == rows


@pytest.mark.parametrize("after", ["sent", "refused", "expired", "held"])
def test_what_is_final_or_held_is_not_postponed(state: State, after: LedgerState) -> None:
    plan(state)
    claim_all(state)
    state.ledger.settle_all([settlement(email, after) for email, _ in EVERYBODY])

    state.ledger.postpone(EVERYBODY, until=LATER, reason="patience", now=NOW)

    assert [(after, 1)] * 3 == states(state)


def test_rows_of_some_mails_can_be_asked_for_at_once(state: State) -> None:
    plan(state, (ADA, TODAY), (ADA, YESTERDAY), (BOB, TODAY))

    found = state.ledger.entered([(ADA, YESTERDAY), (BOB, TODAY), (BOB, YESTERDAY)])

    rows = {(row.email, row.local_date): row for row in rows_of(state)}
    assert found == {key: rows[key] for key in [(ADA, YESTERDAY), (BOB, TODAY)]}
