"""An installation as somebody would have it, whose `digest send` is measured: configuration, state, papers, readers.

Everything goes the public way: papers from a list by `digest pull`, readers into the state, mail by `digest send`.
"""

from __future__ import annotations

import json
import random
import re
import shutil
import sys
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks import compose
from benchmarks.day import Language
from benchmarks.measured import BenchmarkError, run
from digest.model import WEEKDAYS, Subscriber
from digest.state.store import open_state

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.measured import Cost
    from benchmarks.sink import Sink
    from digest.model import Digest, Paper

_DIGEST = (sys.executable, "-m", "digest")
_SEED = 1
#: papers in a mail: For you, Trending
PARTS = (7, 3)
_CONFIG = """\
[http]
contact = "bench@example.org"
[mail]
from = "Paper digest <digest@papers.example.org>"
base_url = "https://papers.example.org"
[smtp]
host = "127.0.0.1"
port = {port}
security = "none"
local_hostname = "papers.example.org"
connections = {connections}
[state]
url = "sqlite:///state.sqlite3"
[[sources]]
type = "jsonl"
name = "papers"
path = "papers.jsonl"
"""


@dataclass(frozen=True, slots=True)
class Installation:
    """A folder in which all papers are pulled, all readers are due, and nothing was sent yet."""

    folder: Path
    subscribers: int

    @classmethod
    def prepare(cls, folder: Path, papers: int, subscribers: int) -> Installation:
        """Fill an empty folder; the same papers and readers each time.

        Raises:
            BenchmarkError: a command failed.
        """
        language = Language(_SEED)
        pool = [stored.paper for stored in compose.papers(papers, language)]
        now = datetime.now(UTC)
        lines = [json.dumps(_line(paper, now)) for paper in pool]
        (folder / "papers.jsonl").write_text("\n".join(lines), encoding="utf-8")
        path = folder / "config.toml"
        path.write_text(_CONFIG.format(port=25, connections=1), encoding="utf-8")
        with open_state(f"sqlite:///{folder}/state.sqlite3", now=now) as state:
            for reader in readers(subscribers, language):
                state.subscribers.put(reader, now=now)
        run(*_DIGEST, "pull", "--config", path)
        return cls(folder, subscribers)

    def send(self, port: int, *, connections: int = 1) -> Cost:
        """What the first `digest send` of this installation takes; the installation stays as it is.

        Raises:
            BenchmarkError: a mail was not sent.
        """
        place = self.folder / "run"
        shutil.copytree(self.folder, place)
        try:
            path = place / "config.toml"
            path.write_text(_CONFIG.format(port=port, connections=connections), encoding="utf-8")
            cost = run(*_DIGEST, "send", "--now", "--json", "--config", path)
        finally:
            shutil.rmtree(place)
        report: dict[str, Any] = json.loads(cost.output)["send"]
        stages = {name: float(seconds) for name, seconds in (report.get("stages") or {}).items()}
        return replace(cost, output="", stages=stages)

    def check_each(self, filled: Sink) -> None:
        """Everybody's mail arrived exactly once, by recipient and by Message-ID; the sink has kept all it took.

        Raises:
            BenchmarkError: otherwise.
        """
        due = {address(number) for number in range(self.subscribers)}
        reached = re.findall(rb"^X-Rcpt-Args: <([^>]*)>", filled.dump, flags=re.MULTILINE)
        names = re.findall(rb"^Message-ID: (<[^>]*>)", filled.dump, flags=re.MULTILINE)
        if sorted(reached) != sorted(email.encode() for email in due):
            raise BenchmarkError(f"{len(due):,} readers, but mails to {len(set(reached)):,} of them: {len(reached):,}")
        if not len(names) == len(set(names)) == self.subscribers:
            raise BenchmarkError(f"{self.subscribers:,} mails with {len(set(names)):,} Message-IDs")


def address(number: int) -> str:
    return f"reader{number}@example.org"


def readers(count: int, language: Language) -> list[Subscriber]:
    """Readers of 5 to 15 phrases, common ones more often, who are due at any time."""
    chance = random.Random(2)
    return [
        Subscriber(
            address(number),
            f"Reader {number}",
            tuple(dict.fromkeys(language.some_phrases(chance.randint(5, 15)))),
            at=time(0, 0),
            days=WEEKDAYS,
            max_papers=PARTS[0],
            trending=PARTS[1],
        )
        for number in range(count)
    ]


def chosen_for_rivals(papers: int, mails: int) -> Sequence[Digest]:
    """Digests of the same papers for the first readers, ready to be rendered."""
    language = Language(_SEED)
    return compose.digests(mails, compose.papers(papers, language), language)


def _line(paper: Paper, published: datetime) -> dict[str, object]:
    """The paper as a list has it."""
    return {
        "id": paper.key.partition(":")[2],
        "title": paper.title,
        "abstract": paper.abstract,
        "authors": paper.authors,
        "url": paper.url,
        "published": published.date().isoformat(),
        "categories": paper.categories,
        "upvotes": paper.signals.upvotes,
        "comments": paper.signals.comments,
        "code": paper.code_url,
    }
