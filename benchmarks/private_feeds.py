"""Readers' own feeds and lists in the archive: for the first time, with nothing new, and after the next day's mails.

usage: python benchmarks/private_feeds.py [READERS …]

Each reader had 10 of 300 papers a day, on ten days. What is measured is `digest.pipeline.private.PrivateFeeds` on one
core, from a state in a file to files in a folder. Seconds are of the processor; disks add to them.
"""

from __future__ import annotations

import random
import sys
import tempfile
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from benchmarks.archive import fill
from digest.model import Digest, Pick, Receipt, Subscriber
from digest.pipeline.archive import Archive
from digest.publish.feeds import Address
from digest.state.ledger import Settlement
from digest.state.store import State, open_state

_TODAY = date(2026, 9, 15)
_DAYS, _PAPERS, _PICKS = 10, 300, 10
_SHARD = 500


def deliver(state: State, chance: random.Random, readers: list[str], day: date) -> None:
    at = datetime(day.year, day.month, day.day, 8, tzinfo=UTC)
    picks = [Pick(one.paper, "for_you") for one in state.papers.edition(day)]
    for start in range(0, len(readers), _SHARD):
        shard = readers[start : start + _SHARD]
        scores = (1.0,) * _PICKS
        digests = [Digest(Subscriber(email), day, at, tuple(chance.sample(picks, _PICKS)), scores) for email in shard]
        state.ledger.plan(((one, f"<{one.subscriber.email}.{day}@lab.example>") for one in digests), now=at)
        receipt = Receipt("delivered", 250, "ok", at, "relay")
        state.ledger.settle_all([Settlement(email, day, receipt, "sent") for email in shard])


def measure(count: int) -> str:
    readers = [f"reader{number}@example.org" for number in range(count)]
    chance, told = random.Random(1), []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with open_state(f"sqlite:///{folder / 'state.sqlite3'}", now=datetime(2026, 9, 15, tzinfo=UTC)) as state:
            fill(state, chance, _PAPERS, range(_DAYS))
            days = [_TODAY - timedelta(days=ago) for ago in reversed(range(_DAYS))]
            for day in days[:-1]:
                deliver(state, chance, readers, day)
            tokens = {token: email for email, token in state.subscribers.tokens(readers).items()}
            for what in ("first", "nothing new", "next day"):
                if what == "next day":
                    deliver(state, chance, readers, _TODAY)
                archive = Archive(state, folder / "site", Address("lab.example"), today=_TODAY, since=None)
                start = time.process_time()
                archive.private(tokens).write(lambda: None)
                seconds = time.process_time() - start
                told.append(f"{what} {seconds:.2f} s ({1000 * seconds / count:.2f} ms each)")
    return f"{count:,} readers: {', '.join(told)}"


def main() -> None:
    for count in map(int, sys.argv[1:] or ("5000",)):
        print(measure(count), flush=True)


if __name__ == "__main__":
    main()
