"""Readers who joined at run time, pauses, tokens."""

from __future__ import annotations

from collections.abc import Callable
from datetime import time, timedelta
from itertools import count

import pytest

from digest.errors import StateError
from digest.model import RunReport, Subscriber, Verdict
from digest.state.bounces import StoredBounce
from digest.state.codec import loads
from digest.state.feedback import StoredFeedback
from digest.state.store import State, open_state
from digest.state.subscribers import Pause, new_token
from tests.makers import NOW, TODAY, digest, pick, subscriber
from tests.state.shortcuts import readers_of

ADA, BOB = "ada@example.org", "bob@example.org"


def test_readers_come_back_as_they_were_put_by_address(state: State) -> None:
    ada, bob = subscriber(ADA, keywords=("“β”", "x"), at=time(23, 59)), subscriber(BOB, days=("sun",))
    state.subscribers.put(bob, now=NOW)
    state.subscribers.put(ada, now=NOW)

    assert (ada, bob) == readers_of(state)


def test_addresses_come_with_the_tokens_that_there_are(state: State) -> None:
    for email in (ADA, BOB):
        state.subscribers.put(subscriber(email), now=NOW)
    token = state.subscribers.tokens([ADA])[ADA]
    state.subscribers.tokens(["of-the-configuration@example.org"])

    assert {ADA: token, BOB: ""} == state.subscribers.addresses()


def test_a_reader_who_joined_before_there_were_frequencies_has_the_rhythm_that_they_had() -> None:
    found = loads(Subscriber, '{"email": "ada@example.org", "days": ["mon", "sun"]}')

    assert (("mon", "sun"), "daily", "skip") == (found.days, found.frequency, found.quiet)


@pytest.mark.parametrize("ask", [readers_of, lambda state: state.subscribers.find([BOB])])
def test_a_reader_who_cannot_be_read_is_named(state: State, ask: Callable[[State], object]) -> None:
    """As one whom a newer version wrote, or whose time zone an upgrade of the system took away."""
    for email in (ADA, BOB):
        state.subscribers.put(subscriber(email, timezone="Mars/Olympus" if email == BOB else "UTC"), now=NOW)

    with pytest.raises(StateError, match=f"subscriber {BOB}: timezone: there is no 'Mars/Olympus'"):
        ask(state)


def test_when_a_reader_joined_is_kept_when_they_change(state: State) -> None:
    state.subscribers.put(subscriber(ADA), now=NOW)
    state.subscribers.put(subscriber(ADA, name="Augusta"), now=NOW + timedelta(days=1))

    assert (NOW, None) == (state.subscribers.joined(ADA), state.subscribers.joined(BOB))


def test_a_reader_put_again_is_replaced_and_has_no_token_of_its_own(state: State) -> None:
    state.subscribers.put(subscriber(ADA, name="Augusta"), now=NOW)
    state.subscribers.put(subscriber(ADA, token="x"), now=NOW)

    assert (subscriber(ADA),) == readers_of(state)


def test_a_removed_reader_is_gone_but_its_pause_and_token_stay(state: State) -> None:
    state.subscribers.put(subscriber(ADA), now=NOW)
    state.subscribers.pause(ADA, until=None, reason="unsubscribed", now=NOW)
    name = state.subscribers.tokens([ADA])[ADA]

    assert [True, False] == [state.subscribers.remove(ADA), state.subscribers.remove(ADA)]

    assert readers_of(state) == ()
    assert {ADA: Pause(None, "unsubscribed", NOW)} == state.subscribers.pauses()
    assert state.subscribers.by_token(name) == ADA


def test_a_pause_holds_for_readers_of_the_configuration_and_can_change_and_end(state: State) -> None:
    later = NOW + timedelta(hours=1)
    state.subscribers.pause(ADA, until=None, reason="bounced", now=NOW)
    state.subscribers.pause(ADA, until=TODAY, reason="holidays\x00", now=later)

    assert {ADA: Pause(TODAY, "holidays\N{REPLACEMENT CHARACTER}", later)} == state.subscribers.pauses()
    assert [True, False] == [state.subscribers.resume(ADA, now=later) for _ in range(2)]
    assert state.subscribers.pauses() == {}


def test_who_is_asked_stays_so_until_they_have_said_so(state: State) -> None:
    asked = subscriber(ADA, asked_at=NOW)
    state.subscribers.put(asked, now=NOW)
    state.subscribers.put(subscriber(BOB), now=NOW)

    assert (asked, subscriber(BOB)) == readers_of(state) == state.subscribers.find([ADA, BOB])
    state.subscribers.put(subscriber(ADA), now=NOW)
    assert (subscriber(ADA),) == state.subscribers.find([ADA])


def test_who_confirms_is_a_reader_like_any_other(state: State) -> None:
    state.subscribers.put(subscriber(ADA, asked_at=NOW), now=NOW)
    assert 1 == state.counts()["unconfirmed"]

    assert [True, False, False] == [state.subscribers.confirm(email) for email in (ADA, ADA, BOB)]

    assert (subscriber(ADA),) == readers_of(state)
    assert 0 == state.counts()["unconfirmed"]


def test_who_does_not_answer_is_forgotten_with_their_address(state: State) -> None:
    """Nothing that names them is left; who confirmed in the last moment stays."""
    for email, asked_at in ((ADA, NOW), (BOB, NOW + timedelta(seconds=1)), ("cat@example.org", None)):
        state.subscribers.put(subscriber(email, asked_at=asked_at), now=NOW)
        state.subscribers.tokens([email])
        state.feedback.record([StoredFeedback(email, NOW, "mute", "word", "x")])
        state.bounces.record([StoredBounce(email, "hard", "", NOW, "", "")])
        state.runs.record(RunReport("send", NOW, NOW, (Verdict("subscriber", email, "paused", email, NOW),)))

    assert [1, 0] == [state.subscribers.forget_unanswered(before=NOW + timedelta(seconds=1)) for _ in range(2)]

    rows = [str(row) for row in state.export_rows()]
    assert [0, 5, 5] == [sum(email in row for row in rows) for email in (ADA, BOB, "cat@example.org")]


def test_of_who_had_mail_or_silence_that_is_remembered(state: State) -> None:
    for email in (ADA, BOB):
        state.subscribers.put(subscriber(email, asked_at=NOW), now=NOW)
    names = state.subscribers.tokens([ADA, BOB])
    state.ledger.plan([(digest(pick(), subscriber=subscriber(ADA)), "<1@x>")], now=NOW)
    state.subscribers.pause(BOB, until=None, reason="unsubscribed by mail", now=NOW)

    state.subscribers.forget([ADA, BOB])

    assert () == readers_of(state)
    assert [ADA, BOB] == [state.subscribers.by_token(names[email]) for email in (ADA, BOB)]
    assert {BOB} == state.subscribers.pauses().keys()


def test_each_address_gets_one_token_for_good(url: str) -> None:
    numbers = count(1)
    with open_state(url, now=NOW, make_token=lambda: f"token{next(numbers)}") as state:
        first = state.subscribers.tokens([ADA])
        both = state.subscribers.tokens([BOB, ADA])

        assert {ADA: "token1"} == first
        assert {ADA: "token1", BOB: "token2"} == both
        assert state.subscribers.by_token("token2") == BOB
        assert state.subscribers.by_token("token3") is None


def test_tokens_cannot_be_guessed_and_need_no_quoting() -> None:
    made = {new_token() for _ in range(100)}

    assert len(made) == 100
    assert all(len(name) == 22 and name.replace("-", "").replace("_", "").isalnum() for name in made)


def test_readers_come_in_pages_by_address_while_others_join_and_leave(state: State) -> None:
    readers = [subscriber(f"reader{number}@example.org") for number in range(5)]
    for reader in readers:
        state.subscribers.put(reader, now=NOW)

    pages = state.subscribers.pages(size=2)
    first = next(pages)
    state.subscribers.put(subscriber(ADA), now=NOW)
    state.subscribers.remove(readers[3].email)

    assert tuple(readers[:2]) == first
    assert [(readers[2], readers[4])] == list(pages)
    assert [(subscriber(ADA), *readers[:3], readers[4])] == list(state.subscribers.pages(size=5))


def test_pages_bring_tokens_if_asked_and_none_is_made_for_that(state: State) -> None:
    for email in (ADA, BOB):
        state.subscribers.put(subscriber(email), now=NOW)
    token = state.subscribers.tokens([ADA])[ADA]

    assert [(subscriber(ADA, token=token), subscriber(BOB))] == list(state.subscribers.pages(tokens=True))
    assert [(subscriber(ADA), subscriber(BOB))] == list(state.subscribers.pages())


def test_nobody_makes_no_page(state: State) -> None:
    assert list(state.subscribers.pages()) == []


def test_pauses_can_be_asked_for_by_address(state: State) -> None:
    state.subscribers.pause(ADA, until=None, reason="bounced", now=NOW)
    state.subscribers.pause("eve@example.org", until=None, reason="bounced", now=NOW)

    assert {ADA: Pause(None, "bounced", NOW)} == state.subscribers.pauses([ADA, BOB])


def test_readers_can_be_asked_for_by_address(state: State) -> None:
    for email in (ADA, BOB):
        state.subscribers.put(subscriber(email), now=NOW)

    assert (subscriber(BOB),) == state.subscribers.find([BOB, "eve@example.org"])
