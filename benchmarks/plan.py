"""Plan for 1,000, 10,000 and 100,000 subscribers of 1,000 papers on one core, beside scikit-learn's tf-idf.

usage: python benchmarks/plan.py [PAPERS [SUBSCRIBERS …]]

A plan here is what `digest.curate` decides: index the papers, rank them for every subscriber's 5 to 15 keywords, and
choose a whole digest: For you with reasons and marked words, Trending, missed. Keywords are drawn from 500 phrases, the
common ones more often (Zipf); half of the papers have votes. scikit-learn, if it is installed, does less: a matrix of
the papers, one row per subscriber, and the ten greatest products; no phrases, no reasons, no copies left out.

Every measurement is a process of its own, so that peak memory is its own too. Seconds are of its processor, which on
an idle machine are those of the clock.
"""

from __future__ import annotations

import importlib
import importlib.util
import random
import resource
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).parent.parent))

from benchmarks.day import Language

if TYPE_CHECKING:
    from collections.abc import Callable

    from digest.model import Paper, Subscriber

_NOW = datetime(2026, 9, 15, 9, 0, tzinfo=UTC)
#: subscribers whose digests or products are in memory at once
_SHARD = 500
_TOP = 10


def papers_of_a_day(count: int, language: Language) -> list[Paper]:
    from digest.model import Paper

    return [
        Paper(f"arxiv:2609.{number:05d}", language.text(9, 1).title(), language.text(165, 3)) for number in range(count)
    ]


def readers(count: int, language: Language) -> list[Subscriber]:
    from digest.model import Subscriber

    chance = random.Random(2)
    return [
        Subscriber(
            f"r{number}@example.org", keywords=tuple(dict.fromkeys(language.some_phrases(chance.randint(5, 15))))
        )
        for number in range(count)
    ]


def ours(papers: list[Paper], subscribers: list[Subscriber]) -> int:
    """Number of picks."""
    from digest.curate.offer import Offer, Request
    from digest.curate.query import parse
    from digest.curate.rank import Ranking
    from digest.curate.trend import trends
    from digest.model import DaySignals, Signals, StoredPaper
    from digest.pipeline.garbage import rarely_collected

    chance = random.Random(3)
    pool = [StoredPaper(paper, _NOW - timedelta(hours=chance.randrange(20)), _NOW.date()) for paper in papers]
    votes = {
        paper.key: [DaySignals("votes", _NOW.date(), Signals(upvotes=chance.randrange(200)))] for paper in papers[::2]
    }
    keys = frozenset(paper.key for paper in papers)
    ranking = Ranking(papers)
    offer = Offer(ranking, pool, trends(pool, votes, now=_NOW), trending_from=keys)
    picks = 0
    with rarely_collected():
        for start in range(0, len(subscribers), _SHARD):
            requests = [
                Request(
                    subscriber,
                    [parse(entry) for entry in subscriber.keywords],
                    since=_NOW - timedelta(days=1),
                    seen=frozenset(),
                    local_date=_NOW.date(),
                    planned_at=_NOW,
                )
                for subscriber in subscribers[start : start + _SHARD]
            ]
            digests = list(offer.select_all(requests))
            picks += sum(len(digest.picks) for digest in digests)
    return picks


def scikit_learn(papers: list[Paper], subscribers: list[Subscriber]) -> int:
    """Number of papers found."""
    # by name, since type checkers must not need them either
    np = importlib.import_module("numpy")
    text = importlib.import_module("sklearn.feature_extraction.text")
    vectorizer = text.TfidfVectorizer(ngram_range=(1, 2))
    matrix = vectorizer.fit_transform(f"{paper.title} {paper.abstract}" for paper in papers).T.tocsr()
    found = 0
    for start in range(0, len(subscribers), _SHARD):
        shard = vectorizer.transform(" ; ".join(one.keywords) for one in subscribers[start : start + _SHARD])
        scores = (shard @ matrix).toarray()
        best = np.argpartition(-scores, _TOP, axis=1)[:, :_TOP]
        found += int((np.take_along_axis(scores, best, axis=1) > 0).sum())
    return found


_PLANNERS: dict[str, Callable[[list[Paper], list[Subscriber]], int]] = {"digest": ours, "scikit-learn": scikit_learn}


def measure(name: str, papers: int, subscribers: int) -> None:
    """One line about one planner, its seconds first; to be run in a process of its own."""
    language = Language(seed=1)
    offered, asking = papers_of_a_day(papers, language), readers(subscribers, language)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    started = time.process_time()
    found = _PLANNERS[name](offered, asking)
    seconds = time.process_time() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"{seconds} {name:13}{papers:8,}{subscribers:13,}{found:12,}{seconds:9.2f}{seconds / subscribers * 1e6:10.0f}"
        f"{peak:9.0f}{before:9.0f}"
    )


def main(papers: int = 1000, *sizes: int) -> None:
    installed = importlib.util.find_spec("sklearn") is not None
    print(
        f"{'':13}{'papers':>8}{'subscribers':>13}{'found':>12}{'seconds':>9}{'µs each':>10}{'peak MB':>9}{'input':>9}"
    )
    for subscribers in sizes or (1_000, 10_000, 100_000):
        seconds = []
        for name in _PLANNERS if installed else ["digest"]:
            command = [sys.executable, __file__, "--only", name, str(papers), str(subscribers)]
            took, _, line = subprocess.run(command, check=True, capture_output=True, text=True).stdout.partition(" ")
            seconds.append(float(took))
            print(line, end="", flush=True)
        if installed:
            print(f"{'':13}{seconds[0] / seconds[1]:.2f} times scikit-learn's")
    if not installed:
        print("scikit-learn is not installed")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--only"]:
        measure(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
    else:
        main(*map(int, sys.argv[1:]))
