"""Score the shipped ranking on judged profiles, beside a plain substring count in the same run.

    python benchmarks/relevance.py FOLDER

FOLDER holds papers.jsonl (`id`, `title`, `abstract`), profiles.json (`id`, `keywords`, `exclude`) and qrels.json
(profile → paper → grade). Grades: 3 = belongs at the top, 2 = clearly relevant, 1 = marginal, 0 or absent = not.

nDCG@10 has gain 2^grade - 1 and discount log2(rank + 1) (Järvelin and Kekäläinen 2002; Burges 2005); P@10 and average
precision count grades 2 and 3 as relevant.
"""

from __future__ import annotations

import json
import math
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from digest.curate.query import Query, parse
from digest.curate.rank import Ranking
from digest.model import Paper

CUT = 10
RELEVANT = 2


@dataclass(frozen=True, slots=True)
class Profile:
    """A subscriber with judged papers."""

    name: str
    keywords: tuple[str, ...]
    exclude: tuple[str, ...]
    grades: Mapping[str, int]


def main(folder: Path) -> None:
    papers = read_papers(folder)
    profiles = read_profiles(folder)
    started = time.perf_counter()
    ranking = Ranking(papers)
    orders = [shipped(ranking, profile) for profile in profiles]
    seconds = time.perf_counter() - started
    print(f"{'':8}{'shipped':^24}{'substring count':^24}")
    print(f"{'':8}" + 2 * f"{'nDCG@10':>8}{'P@10':>8}{'AP':>8}")
    rows = [
        (*measures(order, profile.grades), *measures(substring_count(papers, profile), profile.grades))
        for order, profile in zip(orders, profiles, strict=True)
    ]
    for profile, row in zip(profiles, rows, strict=True):
        print(f"{profile.name:8}" + "".join(f"{value:8.3f}" for value in row) + "   " + ", ".join(profile.keywords))
    print(f"{'mean':8}" + "".join(f"{sum(column) / len(rows):8.4f}" for column in zip(*rows, strict=True)))
    print(f"{len(papers)} papers indexed and {len(profiles)} profiles ranked in {seconds:.2f} s")


def read_papers(folder: Path) -> list[Paper]:
    lines = (folder / "papers.jsonl").read_text(encoding="utf-8").splitlines()
    items = [json.loads(line) for line in lines if line.strip()]
    return [Paper(key=item["id"], title=item["title"], abstract=item["abstract"]) for item in items]


def read_profiles(folder: Path) -> list[Profile]:
    judged = json.loads((folder / "qrels.json").read_text(encoding="utf-8"))
    return [
        Profile(item["id"], tuple(item["keywords"]), tuple(item["exclude"]), judged[item["id"]])
        for item in json.loads((folder / "profiles.json").read_text(encoding="utf-8"))
    ]


def queries(profile: Profile) -> list[Query]:
    return [*map(parse, profile.keywords), *(parse(f"-({phrase})") for phrase in profile.exclude)]


def shipped(ranking: Ranking, profile: Profile) -> list[str]:
    return [scored.paper.key for scored in ranking.rank(queries(profile), related=True)]


def substring_count(papers: Sequence[Paper], profile: Profile) -> list[str]:
    """What a simple bot does: occurrences of the keywords, those in the title twice."""
    counts = {}
    for paper in papers:
        title, text = paper.title.lower(), f"{paper.title} {paper.abstract}".lower()
        if not any(phrase.lower() in text for phrase in profile.exclude):
            counts[paper.key] = sum(text.count(word) + title.count(word) for word in map(str.lower, profile.keywords))
    return sorted(counts, key=lambda key: (-counts[key], key))


def measures(order: Sequence[str], grades: Mapping[str, int]) -> tuple[float, float, float]:
    """NDCG@10, P@10 and average precision of one order of keys."""
    gained = [grades.get(key, 0) for key in order]
    relevant = [grade >= RELEVANT for grade in gained]
    precisions = [sum(relevant[:rank]) / rank for rank, hit in enumerate(relevant, 1) if hit]
    best = sorted(grades.values(), reverse=True)
    return (
        _discounted_gain(gained) / _discounted_gain(best),
        sum(relevant[:CUT]) / CUT,
        sum(precisions) / sum(grade >= RELEVANT for grade in best),
    )


def _discounted_gain(grades: Sequence[int]) -> float:
    return math.fsum((2.0**grade - 1) / math.log2(rank + 1) for rank, grade in enumerate(grades[:CUT], 1))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(Path(sys.argv[1]))
