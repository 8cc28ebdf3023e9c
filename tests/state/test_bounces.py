"""What came back, by reader."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from digest.state.bounces import StoredBounce
from digest.state.store import State
from tests.makers import NOW, TODAY, digest, pick, subscriber

ADA, BOB = "ada@example.org", "bob@example.org"
HARD = StoredBounce(ADA, "hard", "<1@example.org>", NOW, "5.1.1", "550 5.1.1 no such user")
LATER = replace(HARD, at=NOW + timedelta(microseconds=1))


def test_each_reader_has_a_history_oldest_first(state: State) -> None:
    bobs = replace(HARD, email=BOB, message_id="", diagnostic="\x00")
    state.bounces.record([bobs, LATER])
    state.bounces.record([HARD])

    assert [(ADA, (HARD, LATER)), (BOB, (replace(bobs, diagnostic="\N{REPLACEMENT CHARACTER}"),))] == list(
        state.bounces.histories()
    )


def test_the_same_bounce_read_again_counts_once(state: State) -> None:
    state.bounces.record([HARD])
    state.bounces.record([HARD, LATER])
    state.bounces.record([])

    assert [(ADA, (HARD, LATER))] == list(state.bounces.histories())


def test_a_reader_who_is_resumed_starts_afresh(state: State) -> None:
    state.bounces.record([HARD, replace(HARD, email=BOB)])
    state.subscribers.pause(ADA, until=None, reason="bounced", now=NOW)

    resumed = [state.subscribers.resume(email, now=NOW) for email in (ADA, "nobody@example.org")]

    assert [True, False] == resumed
    assert [BOB] == [email for email, _ in state.bounces.histories()]


def test_a_mail_is_known_by_its_message_id(state: State) -> None:
    state.ledger.plan([(digest(pick(1), subscriber=subscriber(BOB), local_date=TODAY), "<1@x>")], now=NOW)

    assert [BOB, None] == [state.ledger.recipient_of("<1@x>"), state.ledger.recipient_of("1@x")]
