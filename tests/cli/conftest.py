"""`cli("pull", "--json")` runs `main()` in this process, which is ten times faster than a process of its own."""

from __future__ import annotations

import json
import logging
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
import structlog

from digest.cli import main
from tests.commands import Place

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@dataclass(frozen=True)
class Said:
    """What a command printed, and how it ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """A folder with a configuration of one reader."""
    made = Place(tmp_path)
    made.configure()
    return made


@pytest.fixture
def cli(
    place: Place, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Callable[..., Said]]:
    """Runs a command in the folder of `place`."""
    monkeypatch.chdir(place.folder)
    for name, value in place.environment().items():
        monkeypatch.setenv(name, value)

    def run(*arguments: str) -> Said:
        monkeypatch.setattr(sys, "argv", ["digest", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        printed = capsys.readouterr()
        code = ended.value.code
        assert code is None or isinstance(code, int)
        return Said(code or 0, printed.out, printed.err)

    yield run
    # they would go on writing to this test's standard error
    structlog.reset_defaults()
    logging.getLogger().handlers.clear()
