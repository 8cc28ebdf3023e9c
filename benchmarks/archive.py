"""The archive of a month: the first time, with nothing new, with votes, on a new day, with more of that day.

usage: python benchmarks/archive.py [PAPERS_A_DAY …]

What is measured is `digest.pipeline.archive.Archive` on one core, from a state in a file to pages in a folder. Seconds
are of the processor, which on an idle machine are those of the clock; disks add to them.
"""

from __future__ import annotations

import random
import resource
import sys
import tempfile
import time
from datetime import UTC, date, datetime, timedelta
from itertools import accumulate
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from digest.model import DaySignals, Paper, Signals, StoredPaper
from digest.pipeline.archive import Archive
from digest.publish.feeds import Address
from digest.state.store import State, open_state

_TODAY = date(2026, 9, 15)
_DAYS = 31
#: words and how common they are (Zipf)
_WORDS = [f"w{number}" for number in range(20_000)]
_WEIGHTS = list(accumulate(1 / (rank + 3) for rank in range(20_000)))
#: of the papers of a day so many are voted for, on seven days
_VOTED = 0.4
_MORE = DaySignals("votes", _TODAY, Signals(upvotes=500))


def text(chance: random.Random, words: int) -> str:
    return " ".join(chance.choices(_WORDS, cum_weights=_WEIGHTS, k=words))


def fill(state: State, chance: random.Random, count: int, days_ago: range, name: str = "") -> None:
    for ago in reversed(days_ago):
        day = _TODAY - timedelta(days=ago)
        at = datetime(day.year, day.month, day.day, 5, tzinfo=UTC)
        papers = [
            Paper(f"doi:10.5555/{day}.{n}{name}", text(chance, 9), text(chance, 150), ("Ada Lovelace", "Emmy Noether"))
            for n in range(count)
        ]
        said = [
            (one.key, DaySignals("votes", day + timedelta(days=later), Signals(upvotes=later * chance.randrange(20))))
            for one in papers[: int(count * _VOTED)]
            for later in range(7)
        ]
        state.papers.store([StoredPaper(one, at, day) for one in papers], signals=said)


def measure(count: int) -> str:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with open_state(f"sqlite:///{folder / 'state.sqlite3'}", now=datetime(2026, 9, 15, tzinfo=UTC)) as state:
            chance = random.Random(1)
            fill(state, chance, count, range(1, _DAYS))
            told = []
            today = _TODAY - timedelta(days=1)
            for what in ("first", "nothing new", "votes", "a new day", "more of it"):
                if what == "votes":
                    papers = state.papers.edition(_TODAY - timedelta(days=2))[: int(count * _VOTED)]
                    state.papers.store([], signals=[(one.paper.key, _MORE) for one in papers])
                elif what == "a new day":
                    today = _TODAY
                    fill(state, chance, count, range(1))
                elif what == "more of it":
                    fill(state, chance, count // 10, range(1), "more")
                start = time.process_time()
                archive = Archive(state, folder / "site", Address("lab.example"), today=today, since=None)
                archive.write(lambda: None)
                told.append(f"{what} {time.process_time() - start:.1f} s ({archive.written[0]:,} files written)")
    return f"{count * _DAYS:,} papers: {', '.join(told)}"


def main() -> None:
    for count in map(int, sys.argv[1:] or ("20", "100")):
        print(measure(count), flush=True)
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024} MB")


if __name__ == "__main__":
    main()
