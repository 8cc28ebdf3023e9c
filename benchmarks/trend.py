"""Trends of 1,000 and 2,000 papers with 60 days of votes, comments, stars and places, on one core.

usage: python benchmarks/trend.py [PAPERS …]

What is measured is `digest.curate.trend.trends` alone, the best of five; reading the history from the state is not.
Seconds are of the processor, which on an idle machine are those of the clock.
"""

from __future__ import annotations

import random
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from digest.curate.trend import trends
from digest.model import DaySignals, Paper, Signals, StoredPaper

_NOW = datetime(2026, 9, 15, 9, 0, tzinfo=UTC)
_DAYS = 60


def history(chance: random.Random) -> list[DaySignals]:
    """Of one paper: a long tail of votes, as there is everywhere."""
    votes, comments, stars, said = 0, 0, 0, []
    for ago in range(_DAYS):
        votes += int(chance.paretovariate(1.2)) - 1
        comments += chance.randrange(2)
        stars += chance.randrange(50)
        at = _NOW - timedelta(days=_DAYS - 1 - ago)
        said.append(DaySignals("votes", at.date(), Signals(votes, comments, stars, chance.randint(1, 100)), at))
    return said


def seconds(count: int) -> float:
    chance = random.Random(1)
    papers = [Paper(f"arxiv:2609.{number:05d}", f"On {number}", sources=("votes",)) for number in range(count)]
    stored = [StoredPaper(one, _NOW - timedelta(days=chance.uniform(0, _DAYS)), _NOW.date()) for one in papers]
    said = {one.key: history(chance) for one in papers}
    taken = []
    for _ in range(5):
        start = time.process_time()
        trends(stored, said, now=_NOW)
        taken.append(time.process_time() - start)
    return min(taken)


def main() -> None:
    for count in map(int, sys.argv[1:] or ("1000", "2000")):
        print(f"{count:,} papers, {_DAYS} days: {seconds(count):.2f} s")


if __name__ == "__main__":
    main()
