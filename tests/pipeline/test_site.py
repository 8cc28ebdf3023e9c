"""The archive as the daemon keeps it: how it went is a verdict."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from digest import story
from digest.config import load
from digest.pipeline.made import MARK
from digest.pipeline.site import keep_archive
from digest.state.store import State, open_state
from tests.makers import NOW
from tests.publish.cases import fill

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from digest.config import Settings

LATER = NOW + timedelta(minutes=1)
CONFIG = """
[mail]
from = "digest@lab.example"
[state]
url = "sqlite:///state.sqlite3"
[[sources]]
type = "jsonl"
path = "papers.jsonl"
[archive]
path = "site"
"""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    (tmp_path / "papers.jsonl").touch()
    (tmp_path / "config.toml").write_text(CONFIG, encoding="utf-8")
    return load(tmp_path / "config.toml", {})


@pytest.fixture
def state(settings: Settings) -> Iterator[State]:
    with open_state(settings.state_url, now=NOW) as state:
        fill(state)
        yield state


def told(state: State) -> tuple[tuple[str, ...], bool]:
    (today,) = story.tell(state.runs.verdicts(), now=LATER, days=1)
    return today.lines, today.trouble


def test_what_changed_is_counted(settings: Settings, state: State) -> None:
    first = keep_archive(settings, state, clock=lambda: NOW)
    again = keep_archive(settings, state, clock=lambda: LATER)
    changed, files = re.findall(r"[\d,]+", first.verdicts[0].sentence)

    assert 20 < int(changed) == int(files)
    assert f"archive: 0 of {files} files changed" == again.verdicts[0].sentence
    assert (again.verdicts[0].sentence, False) == (told(state)[0][-1], told(state)[1])


def test_a_folder_that_cannot_be_written_is_trouble_until_it_can(
    settings: Settings, state: State, tmp_path: Path
) -> None:
    (tmp_path / "site").write_text("a file")
    keep_archive(settings, state, clock=lambda: NOW)

    assert (f"archive: it could not be written: {tmp_path / 'site'}: Not a directory", True) == (
        told(state)[0][-1],
        told(state)[1],
    )
    (tmp_path / "site").unlink()
    keep_archive(settings, state, clock=lambda: LATER)
    assert not told(state)[1]


def test_it_stops_when_asked_to_and_goes_on_at_the_next_run(settings: Settings, state: State, tmp_path: Path) -> None:
    stopped = keep_archive(settings, state, clock=lambda: NOW, stop=lambda: True)
    there = (tmp_path / "site" / "index.html").exists()
    keep_archive(settings, state, clock=lambda: NOW)

    assert ("archive: stopped before it was whole; the next run goes on", False) == (
        stopped.verdicts[0].sentence,
        there,
    )
    assert (tmp_path / "site" / "index.html").exists()


def test_what_was_made_before_it_stopped_is_remembered(settings: Settings, state: State, tmp_path: Path) -> None:
    keep_archive(settings, state, clock=lambda: NOW, stop=lambda: True)

    files = json.loads((tmp_path / "site" / MARK).read_text())["files"]
    assert ["2026-09-14"] == [group for group in files if group]
    assert "2026-09-14/index.html" in files["2026-09-14"]
