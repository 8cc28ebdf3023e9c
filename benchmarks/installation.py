"""An installation as somebody would have it, whose `digest send` is measured: configuration, state, papers, readers.

Everything goes the public way: papers from a list by `digest pull`, readers into the state, mail by `digest send`.
"""

from __future__ import annotations

import asyncio
import json
import random
import re
import shutil
import sys
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks import compose
from benchmarks.day import Language
from benchmarks.measured import BenchmarkError, run
from digest.config import load
from digest.model import WEEKDAYS, Digest, Pick, Receipt, Subscriber
from digest.pipeline.pull import pull
from digest.state.ledger import Settlement
from digest.state.store import open_state

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.measured import Cost
    from benchmarks.sink import Sink
    from digest.model import Paper
    from digest.state.store import State

_DIGEST = (sys.executable, "-m", "digest")
_SEED = 1
#: mails written down at once
_TOGETHER = 1_000
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
    def prepare(cls, folder: Path, papers: int, subscribers: int, *, days: int = 1) -> Installation:
        """Fill an empty folder; the same papers and readers each time.

        Args:
            folder: where.
            papers: of each day.
            subscribers: readers.
            days: of papers; on all days but the last everybody was sent some.

        Raises:
            BenchmarkError: a command failed.
        """
        language = Language(_SEED)
        pool = [stored.paper for stored in compose.papers(papers * days, language)]
        everybody, now = readers(subscribers, language), datetime.now(UTC)
        path = folder / "config.toml"
        path.write_text(_CONFIG.format(port=25, connections=1), encoding="utf-8")
        with open_state(f"sqlite:///{folder}/state.sqlite3", now=now - timedelta(days=days)) as state:
            for reader in everybody:
                state.subscribers.put(reader, now=now - timedelta(days=days))
            for day in range(1, days):
                moment, some = now - timedelta(days=days - day), pool[papers * (day - 1) : papers * day]
                _publish(folder, some, moment)
                asyncio.run(pull(load(path, {}), state, clock=lambda at=moment: at))  # type: ignore[misc]
                _mail(state, everybody, some, moment)
        _publish(folder, pool[papers * (days - 1) :], now)
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


def _publish(folder: Path, papers: Sequence[Paper], published: datetime) -> None:
    """These are what the source has from now on."""
    lines = [json.dumps(_line(paper, published)) for paper in papers]
    (folder / "papers.jsonl").write_text("\n".join(lines), encoding="utf-8")


def _mail(state: State, everybody: Sequence[Subscriber], papers: Sequence[Paper], at: datetime) -> None:
    """Write down that everybody was sent some of the papers."""
    chance = random.Random(3)
    picks = [Pick(paper, "for_you") for paper in papers]
    for start in range(0, len(everybody), _TOGETHER):
        digests = [
            Digest(
                subscriber=reader,
                local_date=at.date(),
                planned_at=at,
                picks=tuple(chance.sample(picks, sum(PARTS))),
                scores=(0.5,) * sum(PARTS),
                considered=len(papers),
                matched=len(papers),
            )
            for reader in everybody[start : start + _TOGETHER]
        ]
        named = [(one, f"<{one.subscriber.email}.{one.local_date}@papers.example.org>") for one in digests]
        mails = state.ledger.plan(named, now=at)
        state.ledger.claim_all(mails, owner="bench", now=at)
        receipt = Receipt("delivered", 250, "2.0.0 Ok", at, "127.0.0.1:25")
        state.ledger.settle_all([Settlement(email, day, receipt, "sent") for email, day in mails])


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
