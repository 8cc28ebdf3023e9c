"""Which sources are due for a look: a table of moments. 2026-09-15 is a Tuesday; New York is four hours behind UTC."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from digest.config import load
from digest.model import SourceMemory
from digest.schedule import sources_due

if TYPE_CHECKING:
    from digest.config import Settings

#: polls arXiv every 20 minutes, Hugging Face every 2 hours, feeds every 3
CONFIG = """
[http]
contact = "ada@lab.example"
[mail]
from = "digest@lab.example"
[[sources]]
type = "arxiv"
categories = ["cs.LG"]
[[sources]]
type = "huggingface"
[[sources]]
type = "feed"
url = "https://example.org/feed"
[[sources]]
type = "arxiv-api"
query = "all:lora"
"""
EVERYTHING = ["arxiv", "huggingface", "feed", "arxiv-api"]


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    path: Path = tmp_path_factory.mktemp("config") / "config.toml"
    path.write_text(CONFIG)
    return load(path, {})


def at(text: str) -> datetime:
    """`09-15 06:00` of 2026, in UTC."""
    return datetime.strptime(f"2026-{text}", "%Y-%m-%d %H:%M").replace(tzinfo=UTC)


def due(settings: Settings, source: str, now: str, *, fresh: str = "", pulled: str = "", tried: str = "") -> bool:
    """Whether a source is due `now`, if it was last fresh, pulled and tried at these moments."""
    memory = SourceMemory(
        source,
        last_pull_at=at(pulled or fresh) if pulled or fresh else None,
        last_fresh_at=at(fresh) if fresh else None,
    )
    attempts = {source: at(tried)} if tried else {}
    return source in [one.name for one in sources_due(settings, {source: memory}, attempts, now=at(now))]


def test_what_was_never_read_is_due_at_once(settings: Settings) -> None:
    names = [source.name for source in sources_due(settings, {}, {}, now=at("09-15 06:00"))]

    assert EVERYTHING == names


def test_what_was_just_tried_is_not_due_whatever_came_of_it(settings: Settings) -> None:
    now = at("09-15 06:00")

    assert [] == sources_due(settings, {}, dict.fromkeys(EVERYTHING, now), now=now)


@pytest.mark.parametrize(
    ("now", "fresh", "pulled", "expected"),
    [
        ("09-15 03:59", "09-14 04:10", "09-14 07:00", False),  # Monday's batch has come, Tuesday's is due at 04:00
        ("09-15 04:00", "09-14 04:10", "", True),
        ("09-15 04:10", "09-14 04:10", "09-15 04:00", False),  # looked ten minutes ago
        ("09-15 04:20", "09-14 04:10", "09-15 04:00", True),
        ("09-15 06:59", "09-14 04:10", "09-15 06:39", True),
        ("09-15 07:05", "09-14 04:10", "09-15 06:39", False),  # three hours late: hourly now
        ("09-15 07:39", "09-14 04:10", "09-15 06:39", True),
        ("09-15 06:59", "09-15 04:05", "", False),  # it has come
        ("09-15 07:00", "09-15 04:05", "", True),  # once more, for what came late in one category
        ("09-15 07:05", "09-15 04:05", "09-15 07:00", False),
        ("09-15 23:00", "09-15 04:05", "09-15 07:00", False),
        ("09-19 12:00", "09-18 04:05", "09-18 07:00", False),  # Saturday
        ("09-20 23:59", "09-18 04:05", "09-18 07:00", False),  # Sunday, before Monday's batch
        ("09-21 04:00", "09-18 04:05", "09-18 07:00", True),  # Monday
        ("09-08 12:00", "09-07 04:05", "09-07 07:00", False),  # Labor Day: no announcement on its evening
        ("09-09 04:00", "09-07 04:05", "09-07 07:00", True),
        ("11-03 04:30", "11-02 05:05", "11-02 08:00", False),  # winter: New York is five hours behind
        ("11-03 05:00", "11-02 05:05", "11-02 08:00", True),
    ],
)
def test_arxiv_is_read_from_the_moment_its_batch_is_due_until_it_has_come(
    settings: Settings, now: str, fresh: str, pulled: str, expected: bool
) -> None:
    assert expected == due(settings, "arxiv", now, fresh=fresh, pulled=pulled)


@pytest.mark.parametrize(
    ("source", "minutes"), [("huggingface", 120), ("feed", 180), ("arxiv-api", 180)], ids=["votes", "feed", "search"]
)
@pytest.mark.parametrize("day", ["09-15", "09-19"], ids=["Tuesday", "Saturday"])
def test_what_has_no_hour_is_read_through_the_day(settings: Settings, source: str, minutes: int, day: str) -> None:
    last = at(f"{day} 06:00")

    for passed, expected in ((minutes - 1, False), (minutes, True)):
        now = f"{last + timedelta(minutes=passed):%m-%d %H:%M}"
        assert expected == due(settings, source, now, fresh=f"{day} 06:00")


@pytest.mark.parametrize("source", EVERYTHING)
def test_a_failing_source_is_asked_no_more_often_than_others(settings: Settings, source: str) -> None:
    """Its memory says nothing of the attempts, as nothing of them was worth remembering."""
    start, looks = at("09-15 04:00"), 0
    tried: dict[str, datetime] = {}
    memory = SourceMemory(source, failures=9)
    for minute in range(0, 24 * 60, 5):
        now = start + timedelta(minutes=minute)
        if source in [one.name for one in sources_due(settings, {source: memory}, tried, now=now)]:
            looks, tried = looks + 1, {source: now}

    assert {"arxiv": 9 + 21, "huggingface": 12, "feed": 8, "arxiv-api": 8}[source] == looks


def test_a_batch_of_which_a_part_failed_has_not_come(settings: Settings) -> None:
    memory = SourceMemory("arxiv", last_pull_at=at("09-15 04:05"), last_fresh_at=at("09-15 04:05"), failures=1)

    names = [source.name for source in sources_due(settings, {"arxiv": memory}, {}, now=at("09-15 04:25"))]

    assert "arxiv" in names


@pytest.mark.parametrize("source", EVERYTHING)
@pytest.mark.parametrize("noted", [{"fresh": "10-25 04:05"}, {"tried": "10-25 04:05"}], ids=["in the state", "here"])
def test_what_a_clock_that_was_ahead_wrote_down_puts_no_look_off(
    settings: Settings, source: str, noted: dict[str, str]
) -> None:
    assert due(settings, source, "09-15 04:05", **noted)


def test_a_pull_by_hand_counts_as_a_look(settings: Settings) -> None:
    assert not due(settings, "feed", "09-15 12:00", fresh="09-15 11:00", tried="09-15 08:00")
