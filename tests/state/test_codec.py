"""The model's values survive being written and read, and texts of other versions can be read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any, Literal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from digest.model import Digest, Match, Paper, Pick, Signals, SourceMemory, Subscriber, Trend
from digest.state.codec import BodyError, Codec, dumps, loads, text_encoder
from tests.makers import HOSTILE_TITLE, NOW, digest, paper, pick, subscriber

SHARES = st.floats(0, 1)
MOMENTS = st.datetimes(datetime(1900, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
PAPERS = st.builds(Paper, published=st.none() | MOMENTS)
PICKS = st.builds(
    Pick,
    paper=PAPERS,
    matches=st.lists(st.builds(Match, score=SHARES), max_size=2).map(tuple),
    trend=st.builds(Trend, score=SHARES),
)
DIGESTS = st.builds(
    Digest,
    subscriber=st.builds(Subscriber, min_score=SHARES),
    planned_at=MOMENTS,
    picks=st.lists(PICKS, max_size=3).map(tuple),
    scores=st.lists(SHARES, max_size=3).map(tuple),
)
MEMORIES = st.builds(SourceMemory, first_pull_at=MOMENTS, last_pull_at=st.none(), last_fresh_at=st.none())


@given(DIGESTS)
@example(digest(pick(paper=paper(title=HOSTILE_TITLE + "\ud800"))))
def test_a_digest_read_back_is_equal(value: Digest) -> None:
    assert value == loads(Digest, dumps(Digest, value))


@given(DIGESTS)
def test_the_fast_way_to_text_gives_the_same_text(value: Digest) -> None:
    assert dumps(Digest, value) == text_encoder(Digest)(value)
    assert dumps(Subscriber, value.subscriber) == text_encoder(Subscriber)(value.subscriber)


def test_a_number_that_equals_another_kind_of_number_keeps_its_own_text() -> None:
    encode = text_encoder(Subscriber)

    assert [dumps(Subscriber, subscriber(min_score=score)) for score in (1, 1.0, 0, 0.0)] == [
        encode(subscriber(min_score=score)) for score in (1, 1.0, 0, 0.0)
    ]


@given(MEMORIES)
def test_a_memory_with_its_validators_read_back_is_equal(value: SourceMemory) -> None:
    assert value == loads(SourceMemory, dumps(SourceMemory, value))


@given(PAPERS, PAPERS)
def test_papers_have_equal_texts_exactly_if_they_are_equal(first: Paper, second: Paper) -> None:
    """Snapshots are addressed by the hash of the text."""
    assert (first == second) == (dumps(Paper, first) == dumps(Paper, second))


@dataclass(frozen=True)
class Choices:
    name: str = ""
    until: date | None = None
    days: tuple[str, ...] = ()
    at: time = time(8, 0)
    most: int = 10
    share: float = 0.0


def test_empty_fields_are_not_written_and_choices_are() -> None:
    """A later default of 09:00 must not move the mail of somebody who joined when it was 08:00."""
    assert dumps(Choices, Choices()) == '{"at":"08:00:00","most":10}'


def test_text_is_ascii_so_that_every_database_takes_it() -> None:
    assert dumps(Paper, paper(title="β\x00\ud800")).isascii()


def test_a_moment_in_another_zone_is_the_same_moment() -> None:
    body = '{"key":"a:1","title":"T","published":"2026-09-15T08:00:00+02:00"}'

    assert NOW == loads(Paper, body).published


@dataclass(frozen=True)
class Newer:
    email: str
    shoe_size: int


def test_fields_that_are_not_known_are_ignored() -> None:
    body = dumps(Newer, Newer("ada@example.org", 38))

    assert Subscriber("ada@example.org") == loads(Subscriber, body)


def test_a_field_that_there_was_once_is_ignored() -> None:
    assert Trend(comments=3) == loads(Trend, '{"comments":3,"comments_change":2}')


def test_fields_that_are_missing_take_their_defaults() -> None:
    assert subscriber(name="", keywords=()) == loads(Subscriber, '{"email":"ada@example.org"}')


@pytest.mark.parametrize(
    ("kind", "body", "message"),
    [
        (Paper, "", "it is not JSON (Expecting value: line 1 column 1 (char 0))"),
        (Paper, "[]", "dict expected, list found"),
        (Paper, '{"title":"T"}', "Paper without key"),
        (Paper, '{"key":1,"title":"T"}', "key: str expected, int found"),
        (Paper, '{"key":"k","title":"T","version":true}', "version: int expected, bool found"),
        (Paper, '{"key":"k","title":"T","published":"2026-09-15T08:00:00"}', None),
        (Paper, '{"key":"k","title":"T","announce":"old"}', None),
        (Paper, '{"key":"k","title":"T","signals":{"upvotes":"many"}}', "signals: upvotes: int expected, str found"),
        (Subscriber, '{"email":"e","at":"half past eight"}', "at: Invalid isoformat string: 'half past eight'"),
        (Subscriber, '{"email":"e","keywords":["a",2]}', "keywords: str expected, int found"),
        (SourceMemory, '{"name":"n","validators":[]}', "validators: dict expected, list found"),
    ],
)
def test_a_text_that_holds_something_else_names_the_field(kind: type, body: str, message: str | None) -> None:
    with pytest.raises(BodyError) as caught:
        loads(kind, body)

    assert message in {None, str(caught.value)}


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_what_is_no_number_is_not_written(value: float) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        dumps(Digest, digest(scores=(value,)))


def test_a_moment_without_zone_is_not_written() -> None:
    with pytest.raises(ValueError, match="no time zone"):
        dumps(Paper, paper(published=datetime(2026, 9, 15)))  # noqa: DTZ001


def test_a_type_can_be_written_as_something_shorter() -> None:
    codec = Codec(encoders={Paper: lambda one: one.key}, decoders={Paper: lambda key: paper(key=key)})
    value = digest(pick(paper=paper(key="a:1")))

    body = codec.dumps(Digest, value)

    assert '"paper":"a:1"' in body
    assert value == codec.loads(Digest, body)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (tuple[str, ...], ("a", "b")),
        (dict[str, int], {"new": 1}),
        (Signals, Signals(upvotes=0)),
        (time, time(8, 30)),
        (date, date(2026, 9, 15)),
    ],
)
def test_plain_values_read_back_are_equal(kind: Any, value: object) -> None:
    """No upvotes and an unknown number of upvotes are two things."""
    assert value == loads(kind, dumps(kind, value))


def test_a_literal_is_one_of_its_words() -> None:
    assert loads(Literal["a", "b"], '"a"') == "a"  # type: ignore[arg-type]
