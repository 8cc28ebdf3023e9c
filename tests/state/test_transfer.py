"""Export and import: whole, into an empty state only, also from one kind of database to the other."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from digest.errors import StateError
from digest.languages.language import ENGLISH, language
from digest.model import DaySignals, News, Receipt, RunReport, Signals, SourceMemory, StoredPaper, Verdict
from digest.state.bounces import StoredBounce
from digest.state.feedback import StoredFeedback
from digest.state.interests import StoredDirection, StoredInterest
from digest.state.store import State, open_state
from digest.state.summaries import StoredSummary
from digest.state.transfer import Imported
from tests.makers import HOSTILE_TITLE, NOW, TODAY, digest, paper, pick, subscriber
from tests.postgresql import Server
from tests.state.shortcuts import claim_one, readers_of, reports_of, settle_one

ADA, BOB = "ada@example.org", "bob@example.org"


def fill(state: State) -> None:
    """Something in every table and every column."""
    one = paper(1, title=HOSTILE_TITLE, aliases=("doi:10.1/a",))
    said = DaySignals("hf", TODAY, Signals(upvotes=3, position=1))
    state.papers.store(
        [StoredPaper(one, NOW, TODAY), StoredPaper(paper(2), NOW, None)],
        signals=[(one.key, said)],
        memories=[SourceMemory("hf", NOW)],
    )
    state.news.record([News(one.key, NOW, "code", "code appeared")])
    state.subscribers.put(subscriber(ADA), now=NOW)
    state.subscribers.pause(BOB, until=TODAY, reason="holidays", now=NOW + timedelta(microseconds=1))
    state.subscribers.tokens([ADA])
    for email in (ADA, BOB):
        planned = digest(pick(paper=one), subscriber=subscriber(email))
        state.ledger.plan([(planned, f"<{email}>")], now=NOW)
        claim_one(state, email, TODAY, owner="host:1", now=NOW)
    deferred = Receipt("deferred", 451, "later", NOW, "x")
    settle_one(state, ADA, TODAY, deferred, "deferred", next_attempt_at=NOW)
    state.bounces.record([StoredBounce(ADA, "hard", f"<{ADA}>", NOW, "5.1.1", "550 5.1.1 no such user")])
    state.feedback.record([StoredFeedback(ADA, NOW, "more", "paper", one.key, undone_at=NOW)])
    state.feedback.secret()
    state.interests.put([StoredInterest(ADA, one.key, one.title, "", one.key, 1.5, "mine.bib", NOW)])
    state.summaries.put([StoredSummary(one.key, "a" * 64, "en", "small-1", "It counts.", NOW)])
    state.summaries.spend(TODAY, "small-1", calls=1, tokens=300)
    state.runs.record(
        RunReport("pull", NOW, NOW, (Verdict("source", "hf", "fresh", "s", NOW, {"n": 1}, trouble=True),))
    )


def on_paper(rows: Iterator[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows as they come back from a file."""
    found: list[dict[str, Any]] = json.loads(json.dumps(list(rows)))
    return found


@pytest.fixture
def other(tmp_path: Path) -> Iterator[State]:
    with open_state(f"sqlite:///{tmp_path}/other.sqlite3", now=NOW) as opened:
        yield opened


def test_an_exported_state_imported_elsewhere_is_the_same(state: State, other: State) -> None:
    fill(state)
    rows = on_paper(state.export_rows())

    assert Imported(len(rows) - 2, whole=True) == other.import_rows(rows)
    assert rows == on_paper(other.export_rows())
    assert claim_one(state, ADA, TODAY, owner="", now=NOW) == claim_one(other, ADA, TODAY, now=NOW)
    assert {"end": len(rows) - 2} == rows[-1]
    assert {row["table"] for row in rows[1:-1]} == {
        *("paper", "alias", "signal", "news", "source", "subscriber", "token", "pause", "bounce"),
        *("feedback", "interest", "secret", "summary", "usage"),
        *("ledger", "planned", "snapshot", "run", "verdict"),
    }


def test_what_follows_from_the_rest_is_not_exported(state: State) -> None:
    fill(state)
    before = list(state.export_rows())
    state.interests.keep([(StoredDirection(ADA, 1, 300, (), "bee", b"\0" * 8), state.interests.of([ADA])[ADA])])

    assert [ADA] == [*state.interests.directions([ADA])]
    assert before == list(state.export_rows())


def test_a_small_installation_can_grow_into_postgresql(other: State, postgresql_server: Server) -> None:
    fill(other)
    rows = on_paper(other.export_rows())

    with open_state(postgresql_server.new_database(), now=NOW) as grown:
        grown.import_rows(rows)

        assert rows == on_paper(grown.export_rows())
        grown.runs.record(RunReport("pull", NOW, NOW))
        assert 2 == len(reports_of(grown, since=NOW))


def test_an_export_is_of_one_moment_though_others_write(state: State, url: str) -> None:
    fill(state)
    rows = state.export_rows()
    head = [next(rows), next(rows)]

    with open_state(url, now=NOW) as second:
        second.subscribers.put(subscriber("new@example.org"), now=NOW)
        whole = head + list(rows)

    assert "new@example.org" not in {row.get("email") for row in whole}


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ([], "not a state of version"),
        ([{"format": "something else"}], "not a state of version"),
        ([{"format": "paper-digest state", "version": "9999"}], "not a state of version"),
        ([{"table": "schema_version", "version_num": "9999"}], "row 3 names no table"),
        ([["a list"]], "not a state of version"),
        ([None], "not a state of version"),
        ([{"table": "token", "email": "x", "token": "u"}, ["a list"]], "row 4 names no table"),
        ([{"table": ["token"]}], "row 3 names no table"),
        (
            [
                {
                    "table": "run",
                    "id": 2**70,
                    "command": "",
                    "started_at": NOW.isoformat(),
                    "finished_at": NOW.isoformat(),
                    "notes": "[]",
                }
            ],
            "rows of run do not fit",
        ),
        ([{"table": "token", "email": "x"}], "a row of token has no usable token"),
        ([{"table": "pause", "email": "x", "until": "soon", "reason": "", "at": ""}], "of pause has no usable until"),
        ([{"table": "pause", "email": "x", "until": None, "reason": "", "at": 7}], "of pause has no usable at"),
        ([{"table": "token", "email": 7, "token": "u"}], "rows of token do not fit, the first of them is row 2"),
        ([{"table": "token", "email": "first", "token": "u"}], "rows of token do not fit"),
        ([{"table": "alias", "alias": "a:1", "paper": "a:1"}], "rows of alias do not fit"),
    ],
)
def test_what_is_no_export_changes_nothing(state: State, rows: list[Any], reason: str) -> None:
    head, end = state.export_rows()
    if rows and isinstance(rows[0], dict) and "table" in rows[0]:
        rows = [head, {"table": "token", "email": "first", "token": "t"}, *rows, {"end": len(rows) + 1}]

    with pytest.raises(StateError, match=reason):
        state.import_rows(rows)

    assert [head, end] == list(state.export_rows())


def test_an_export_that_was_cut_off_anywhere_is_not_imported(state: State, other: State) -> None:
    """A pipe that broke ends between two rows as well as within one."""
    fill(state)
    rows = on_paper(state.export_rows())
    empty = list(other.export_rows())

    for end in range(1, len(rows)):
        with pytest.raises(StateError, match=f"breaks off after {end - 1} rows?, before its end"):
            other.import_rows(rows[:end])
    assert empty == list(other.export_rows())


@pytest.mark.parametrize(
    ("end", "reason"),
    [
        ([{"end": 3}], "holds 2 rows, and 3 were exported"),
        ([{"end": "2"}, {"end": 2}], "holds 2 rows, and 2 were exported"),
        ([{"end": 2}, {"table": "token", "email": "x", "token": "z"}], "goes on after its end, which is row 4"),
    ],
    ids=["a row is missing", "no number", "two exports in one file"],
)
def test_an_export_holds_as_many_rows_as_its_end_says(state: State, end: list[Any], reason: str) -> None:
    empty = list(state.export_rows())
    tokens = [{"table": "token", "email": name, "token": name} for name in "ab"]

    with pytest.raises(StateError, match=reason):
        state.import_rows([empty[0], *tokens, *end])
    assert empty == list(state.export_rows())


def test_an_export_of_before_there_was_an_end_is_imported_and_not_called_whole(state: State, other: State) -> None:
    fill(state)
    head, *rows, _ = on_paper(state.export_rows())
    del head["has_end"]

    assert Imported(len(rows), whole=False) == other.import_rows([head, *rows])
    assert rows == on_paper(other.export_rows())[1:-1]


@pytest.mark.parametrize(
    ("reader", "reason"),
    [
        ({"frequency": "monthly"}, "frequency: one of daily, weekdays, weekly expected, 'monthly' found"),
        ({"layout": ["full"]}, "layout: one of full, compact expected"),
        ({"images": "https://x"}, "images: one of none, linked, embedded expected"),
        ({"days": []}, "days: there are none"),
        ({"timezone": "../../etc/passwd"}, "timezone: there is no '../../etc/passwd'"),
        ({"email": BOB}, f"email: '{BOB}' found"),
    ],
)
def test_a_reader_by_whom_nothing_can_be_planned_is_not_imported(
    state: State, reader: dict[str, Any], reason: str
) -> None:
    """Every run reads all readers: one like that would end each of them."""
    row = {"table": "subscriber", "email": ADA, "created_at": NOW.isoformat(), "asked_at": None}
    good = {"email": ADA, "days": ["mon"], "timezone": "UTC"}

    with pytest.raises(StateError, match=re.escape(f"a row of subscriber cannot be used: subscriber {ADA}: {reason}")):
        state.import_rows([next(state.export_rows()), row | {"body": json.dumps(good | reader)}, {"end": 1}])
    assert () == readers_of(state)


def test_a_language_that_is_not_there_is_no_hindrance(state: State) -> None:
    """Who reads a language of whose file another machine knows nothing gets mail in English."""
    row = {"table": "subscriber", "email": ADA, "created_at": NOW.isoformat(), "asked_at": None}
    body = json.dumps({"email": ADA, "language": "../../x", "unknown": 1})
    state.import_rows([next(state.export_rows()), row | {"body": body}, {"end": 1}])

    (reader,) = readers_of(state)
    assert ("../../x", ENGLISH) == (reader.language, language(reader.language))


def test_a_state_that_holds_something_is_not_overwritten(state: State) -> None:
    fill(state)
    before = list(state.export_rows())

    with pytest.raises(StateError, match="it is not empty"):
        state.import_rows(before)

    assert before == list(state.export_rows())
