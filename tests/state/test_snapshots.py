"""A digest read back is the digest that was planned, whatever is in it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from itertools import count
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digest.model import Digest, Followup, Match, Missed, Pick, Receipt, Similar, Thumbnail, Trend
from digest.state.store import State, open_state
from tests.makers import HOSTILE_TITLE, NOW, TODAY, digest, paper, pick, subscriber
from tests.state.shortcuts import claim_one, row_of, settle_one

TEXTS = st.text(max_size=5) | st.sampled_from(['"', "\\", "\n", "\ud800", "“β”", HOSTILE_TITLE])
SOME = st.lists(TEXTS, max_size=2).map(tuple)
NUMBERS = st.floats(0, 1) | st.just(0) | st.just(1)
MATCHES = st.builds(Match, TEXTS, SOME, SOME, NUMBERS)
TRENDS = st.builds(Trend, NUMBERS, st.none() | st.integers(), change_days=st.none() | st.integers(0, 9))
PICKS = st.builds(
    Pick,
    TEXTS.map(lambda title: paper(title=title)),
    st.sampled_from(["for_you", "trending"]),
    st.lists(MATCHES, max_size=2).map(tuple),
    TRENDS,
    TEXTS,
    TEXTS,
    TEXTS,
    st.lists(st.builds(Similar, TEXTS, TEXTS, TEXTS), max_size=2).map(tuple),
    st.none() | st.builds(Thumbnail, TEXTS, st.integers(0, 9), st.integers(0, 9), TEXTS),
)
MISSED = st.builds(Missed, TEXTS, TEXTS, TEXTS, TEXTS)
SCORED = st.lists(st.tuples(PICKS, NUMBERS), max_size=2)
DIGESTS = st.builds(
    lambda scored, reader, *rest: Digest(
        reader, TODAY, NOW, tuple(one for one, _ in scored), tuple(score for _, score in scored), *rest
    ),
    SCORED,
    st.builds(lambda name, keywords: subscriber(name=name, keywords=keywords, token="t"), TEXTS, SOME),
    st.lists(MISSED, max_size=2).map(tuple),
    st.lists(st.builds(Followup, TEXTS, TEXTS, TEXTS, TEXTS), max_size=2).map(tuple),
    *[st.integers(0, 9)] * 3,
)


@pytest.fixture(scope="module")
def one_state(tmp_path_factory: pytest.TempPathFactory) -> Iterator[State]:
    """For all examples; each is of a day of its own."""
    with open_state(f"sqlite:///{tmp_path_factory.mktemp('state')}/digest.sqlite3", now=NOW) as opened:
        yield opened


@pytest.fixture(scope="module")
def days() -> Iterator[int]:
    return count()


@given(value=DIGESTS)
@settings(max_examples=50, deadline=None)
def test_a_claimed_digest_is_the_planned_one_whatever_is_in_it(
    one_state: State, days: Iterator[int], value: Digest
) -> None:
    day = TODAY + timedelta(days=next(days))
    planned = replace(value, local_date=day)
    one_state.ledger.plan([(planned, f"<{day}@x>")], now=NOW)

    assert planned == claim_one(one_state, planned.subscriber.email, day, now=NOW)


def test_readers_who_share_picks_have_their_own_numbers(state: State) -> None:
    """What is encoded once for all of them is the text, not the score."""
    match, trend = Match("β", ("title",), ("β",), 0.25), Trend(0.5, 12)
    first = pick(1, matches=(match,), trend=trend, why="“β” in title")
    second = replace(first, matches=(replace(match, score=0.125),))
    digests = [
        digest(one, scores=(0.5 + number / 4,), subscriber=subscriber(f"reader{number}@example.org"))
        for number, one in enumerate((first, first, second, replace(first, part="trending")))
    ]
    state.ledger.plan([(one, f"<{one.subscriber.email}>") for one in digests], now=NOW)

    claims = state.ledger.claim_all([(one.subscriber.email, TODAY) for one in digests], owner="", now=NOW)

    assert digests == [claim.digest for claim in claims.values()]


def test_what_readers_share_is_stored_once(state: State) -> None:
    picks, missed = (pick(1), pick(2, part="trending")), (Missed("arxiv:1", "Bees", "", "below your 10 papers"),)
    digests = [
        replace(digest(*picks, subscriber=subscriber(f"reader{number}@example.org")), missed=missed)
        for number in range(9)
    ]

    state.ledger.plan([(one, f"<{one.subscriber.email}>") for one in digests], now=NOW)

    # two papers, a pick of each, and what was missed
    assert 5 == len([row for row in state.export_rows() if row.get("table") == "snapshot"])
    assert digests[8] == claim_one(state, "reader8@example.org", TODAY, now=NOW)


def test_a_picture_is_stored_once_for_all_who_are_sent_it(state: State) -> None:
    thumbnail = Thumbnail("a1", 320, 172, "AAEC")
    digests = [
        digest(pick(1, why=f"“{number}”", thumbnail=thumbnail), subscriber=subscriber(f"reader{number}@example.org"))
        for number in range(9)
    ]

    state.ledger.plan([(one, f"<{one.subscriber.email}>") for one in digests], now=NOW)

    bodies = [row["body"] for row in state.export_rows() if row.get("table") == "snapshot"]
    assert 1 == sum("AAEC" in body for body in bodies)
    assert digests[8] == claim_one(state, "reader8@example.org", TODAY, now=NOW)


def test_what_was_undone_is_stored_by_the_next_digest_that_names_it(state: State) -> None:
    """Who remembers what is stored must not remember what a failed transaction wrote."""
    first, second = (digest(pick(1), subscriber=subscriber(f"reader{number}@example.org")) for number in range(2))
    with suppress(RuntimeError), state.transaction():
        state.ledger.plan([(first, "<1@x>")], now=NOW)
        raise RuntimeError

    state.ledger.plan([(second, "<2@x>")], now=NOW)

    assert second == claim_one(state, "reader1@example.org", TODAY, now=NOW)


def test_what_was_forgotten_is_stored_by_the_next_digest_that_names_it(state: State) -> None:
    """Who let go of a text because it was stored must have it again when it is not stored any more."""
    missed = (Missed("arxiv:9", "Bees", "", "below your 10 papers"),)
    first = replace(digest(pick(1, why="“β” in title")), missed=missed)
    later = NOW + timedelta(days=5)
    second = replace(first, local_date=TODAY + timedelta(days=5), planned_at=later)
    state.ledger.plan([(first, "<1@x>")], now=NOW)
    settle_one(state, "ada@example.org", TODAY, Receipt("delivered", 250, "ok", NOW, "x"), "sent")

    assert state.prune(now=later)["snapshots"] == 3  # the paper, the pick and what was missed

    state.ledger.plan([(second, "<2@x>")], now=later)

    assert second == claim_one(state, "ada@example.org", second.local_date, now=later)


def test_a_digest_written_in_full_by_an_older_version_is_read(state: State, tmp_path: Path) -> None:
    """Until then the picks and missed papers of a body were in it, and papers in picks by name."""
    missed = (Missed("arxiv:1", "Bees", "", "below your 10 papers"),)
    planned = replace(digest(pick(1, why="“β” in title"), scores=(0.5,)), missed=missed)
    state.ledger.plan([(planned, "<1@x>")], now=NOW)
    rows = list(state.export_rows())
    parts = {row["hash"]: json.loads(row["body"]) for row in rows if row.get("table") == "snapshot"}
    for row in rows:
        if row.get("table") == "planned":
            tree = json.loads(row["body"])
            tree["picks"] = [parts[name] | {"score": score} for name, score in tree["picks"]]
            tree["missed"] = [parts[name] for name in tree["missed"]]
            row["body"] = json.dumps(tree)

    with open_state(f"sqlite:///{tmp_path}/old.sqlite3", now=NOW) as older:
        older.import_rows(rows)

        assert planned == claim_one(older, "ada@example.org", TODAY, now=NOW)


@pytest.mark.parametrize("body", ["[]", '{"picks": 1}', '{"picks": [[]]}', '{"picks": [["?", 1]], "missed": []}'])
def test_a_body_that_is_no_digest_is_set_aside(state: State, tmp_path: Path, body: str) -> None:
    state.ledger.plan([(digest(pick(1)), "<1@x>")], now=NOW)
    rows = [row | ({"body": body} if row.get("table") == "planned" else {}) for row in state.export_rows()]

    with open_state(f"sqlite:///{tmp_path}/bad.sqlite3", now=NOW) as bad:
        bad.import_rows(rows)

        assert claim_one(bad, "ada@example.org", TODAY, now=NOW) is None
        assert "cannot be read" in getattr(row_of(bad, "ada@example.org", TODAY), "answer", "")


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_a_score_that_is_no_number_is_not_planned(state: State, number: float) -> None:
    """It could not be read back, and the mail would wait in vain."""
    with pytest.raises(ValueError, match="not JSON compliant"):
        state.ledger.plan([(digest(pick(), scores=(number,)), "<1@x>")], now=NOW)

    assert row_of(state, "ada@example.org", TODAY) is None
