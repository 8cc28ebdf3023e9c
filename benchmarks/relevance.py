"""Score the shipped ranking on judged profiles, beside what others do, all in one run.

usage: python -m benchmarks.relevance FOLDER [-v] [--model FOLDER] [--leave-one-out]
       python -m benchmarks.relevance FOLDER --before-after [PROFILE …] [--model FOLDER]

FOLDER holds papers.jsonl (`id`, `title`, `abstract`), profiles.json (`id`, `keywords`, `exclude`) and qrels.json
(profile → paper → grade). Grades: 3 = belongs at the top, 2 = clearly relevant, 1 = marginal, 0 or absent = not.

nDCG@10 has gain 2^grade - 1 and discount log2(rank + 1) (Järvelin and Kekäläinen 2002; Burges 2005); P@10 and average
precision count grades 2 and 3 as relevant. The others are a count of substrings, scikit-learn's tf-idf, bm25s and an
embedding of the keywords, each where it is installed; `pip install --group rivals` brings the first two of these.

The shipped ranking puts all papers in order that have something to do with a profile, as `digest rank` does; mails have
only those that match, and a few related ones where there are word vectors, which is measured beside it.

With `--leave-one-out`, the weights of `rank` and `votes` are chosen anew for each profile, and with a model those of
`semantic`: those that are best on all the other profiles. What they reach on the one that had no say tells how the
ranking does on profiles it never saw.

With `--before-after`, nothing is measured but what a reader would see: the ten best papers by counting phrases beside
those that a mail has, each with its grade, of the profiles named or of all.
"""

from __future__ import annotations

import argparse
import importlib.util
import itertools
import json
import math
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias
from unittest.mock import patch

from digest.curate.query import Query, parse
from digest.curate.rank import Ranking
from digest.curate.semantic import Semantics
from digest.curate.vector import exact, greatest
from digest.model import Paper
from digest.pipeline.semantic import load_encoder

CUT = 10
RELEVANT = 2
#: as many papers that match no keyword as a mail has by default, where there are word vectors
EXTRA_PAPERS = 2
#: letters of a title in a list beside another
TITLE = 56
#: what leaving one out chooses from: half and double of each weight, about
CHOICES = {
    "digest.curate.votes._SELF": (0.05, 0.1, 0.2),
    "digest.curate.votes._FAIRNESS": (0.5, 0.75, 1.0),
    "digest.curate.rank._VOTERS": (10, 15, 20, 30),
    "digest.curate.rank._FEEDBACK": (0.75, 1.0, 1.5, 2.0),
}
#: the same of word vectors
MEANT = {
    "digest.curate.semantic._DEVIATION": (0.05, 0.1, 0.15, 0.2, 0.3),
    "digest.curate.semantic._SHARE": (0.0, 0.1, 0.2, 0.35),
}


@dataclass(frozen=True, slots=True)
class Profile:
    """A subscriber with judged papers."""

    name: str
    keywords: tuple[str, ...]
    exclude: tuple[str, ...]
    grades: Mapping[str, int]


#: keys of a profile's papers, best first
System: TypeAlias = Callable[[Profile], Sequence[str]]
#: nDCG@10, P@10 and average precision
Measures: TypeAlias = tuple[float, float, float]


def main(folder: Path, *, verbose: bool = False, model: Path | None = None, leave_one_out: bool = False) -> None:
    papers, profiles = read_papers(folder), read_profiles(folder)
    started = time.perf_counter()
    ranking = Ranking(papers)
    scored = {"digest": [measures(shipped(ranking, profile), profile.grades) for profile in profiles]}
    seconds = time.perf_counter() - started
    scored["digest, in mails"] = [measures(mailed(ranking, profile), profile.grades) for profile in profiles]
    for name, system in others(papers, model):
        scored[name] = [measures(system(profile), profile.grades) for profile in profiles]
    print(f"{'':34}{'nDCG@10':>9}{'P@10':>9}{'MAP':>9}")
    for name, rows in scored.items():
        print(f"{name:34}" + "".join(f"{value:9.4f}" for value in means(rows)))
        for profile, row in zip(profiles, rows, strict=True) if verbose else ():
            print(
                f"  {profile.name:32}" + "".join(f"{value:9.3f}" for value in row) + "   " + ", ".join(profile.keywords)
            )
    if leave_one_out:
        print(
            f"{'digest, each profile left out':34}" + "".join(f"{v:9.4f}" for v in left_out(papers, profiles, CHOICES))
        )
        if model is not None:
            knowing = left_out(papers, profiles, MEANT, Semantics(load_encoder(model)))
            print(f"{'the same with this model':34}" + "".join(f"{v:9.4f}" for v in knowing))
    print(f"{len(papers)} papers indexed and {len(profiles)} profiles ranked in {seconds:.2f} s")


def before_after(folder: Path, names: Sequence[str], model: Path | None = None) -> None:
    """Print the ten best papers of profiles by counting phrases beside the ten of a mail, the grade before each title.

    Args:
        folder: the judged papers.
        names: of the profiles; none: all of them.
        model: folder of word vectors that the ranking has; None: it has none.
    """
    papers = read_papers(folder)
    ranking = Ranking(papers, Semantics(load_encoder(model), EXTRA_PAPERS) if model else None)
    titles = {paper.key: paper.title for paper in papers}
    known = {profile.name: profile for profile in read_profiles(folder)}
    if unknown := [name for name in names if name not in known]:
        sys.exit(f"{folder} has no profile {', '.join(unknown)}; it has {', '.join(known)}")
    print(f"{'    phrases counted, title twice':{TITLE + 8}}digest      (3 top, 2 relevant, 1 marginal, - not)")
    for name in names or known:
        profile = known[name]
        orders = substring_count(papers, profile)[:CUT], mailed(ranking, profile)[:CUT]
        before, after = (measures(order, profile.grades)[0] for order in orders)
        wanted = ", ".join((*profile.keywords, *(f"-{phrase}" for phrase in profile.exclude)))
        print(f"\n{name}: {wanted}; nDCG@{CUT} {before:.3f} → {after:.3f}")
        for place, row in enumerate(itertools.zip_longest(*orders), 1):
            left, right = (_graded(profile.grades.get(key, 0), titles[key]) if key else "" for key in row)
            print(f"{place:2}  {left:{TITLE + 4}}{right}".rstrip())


def _graded(grade: int, title: str) -> str:
    return f"{grade or '-'} {title if len(title) <= TITLE else title[: TITLE - 1] + '…'}"


def means(rows: Sequence[Measures]) -> list[float]:
    return [math.fsum(column) / len(rows) for column in zip(*rows, strict=True)]


def left_out(
    papers: Sequence[Paper],
    profiles: Sequence[Profile],
    choices: Mapping[str, Sequence[float]],
    semantics: Semantics | None = None,
) -> list[float]:
    """Mean measures on profiles that had no say in choosing the weights."""
    tried = []
    for weights in itertools.product(*choices.values()):
        with ExitStack() as changed:
            for name, weight in zip(choices, weights, strict=True):
                changed.enter_context(patch(name, weight))
            ranking = Ranking(papers, semantics)
            tried.append([measures(shipped(ranking, profile), profile.grades) for profile in profiles])
    return means([max(tried, key=lambda rows: _without(rows, place))[place] for place in range(len(profiles))])


def _without(rows: Sequence[Measures], place: int) -> float:
    """NDCG@10 and average precision of all profiles but one, together."""
    return math.fsum(ndcg + precision for n, (ndcg, _, precision) in enumerate(rows) if n != place)


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


def mailed(ranking: Ranking, profile: Profile) -> list[str]:
    """What a mail would list if it had room: papers that match, and as many related ones as there may be."""
    standing = ranking.standing(queries(profile))
    extra, keys = ranking.extra_papers, []
    numbers = standing.numbers
    for number in numbers[greatest(exact(standing.totals[numbers]), len(numbers))].tolist():
        if number not in standing.related or extra:
            extra -= number in standing.related
            keys.append(ranking.papers[number].key)
    return keys


# --- what others do -------------------------------------------------------------------------------------------------


def others(papers: Sequence[Paper], model: Path | None) -> Iterator[tuple[str, System]]:
    """Rankings to compare with, each told by name; those that are not installed are said to be missing."""
    yield "substring count, title twice", lambda profile: substring_count(papers, profile)
    for name, module, make in (
        ("tf-idf cosine (scikit-learn)", "sklearn", tf_idf),
        ("BM25, stemmed (bm25s)", "bm25s", bm25),
    ):
        if importlib.util.find_spec(module) is None:
            print(f"{module} is not installed: pip install --group rivals")
        else:
            yield name, make(papers)
    if model is not None:
        yield "embedding of the keywords", embedding(papers, model)
        knowing = Ranking(papers, Semantics(load_encoder(model), EXTRA_PAPERS))
        yield "digest with this model", lambda profile: shipped(knowing, profile)
        yield "digest with this model, in mails", lambda profile: mailed(knowing, profile)


def tf_idf(papers: Sequence[Paper]) -> System:
    """Cosine of 1–2-gram vectors, a title counting as one more sentence."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    vectorizer = TfidfVectorizer(ngram_range=(1, 2), stop_words="english", sublinear_tf=True)
    matrix = vectorizer.fit_transform([f"{paper.title}. {paper.abstract}" for paper in papers])
    return lambda profile: _best_first(papers, profile, matrix @ vectorizer.transform([" ".join(profile.keywords)]).T)


def bm25(papers: Sequence[Paper]) -> System:
    """BM25 of stemmed words."""
    import bm25s
    import Stemmer

    stemmer = Stemmer.Stemmer("english")

    def tokens(texts: list[str]) -> Any:
        return bm25s.tokenize(texts, stopwords="en", stemmer=stemmer, show_progress=False, return_ids=False)

    index = bm25s.BM25()
    index.index(tokens([f"{paper.title} {paper.abstract}" for paper in papers]), show_progress=False)
    return lambda profile: _best_first(papers, profile, index.get_scores(tokens([" ".join(profile.keywords)])[0]))


def embedding(papers: Sequence[Paper], model: Path) -> System:
    """The greatest cosine with any keyword, by static vectors."""
    import numpy as np
    from model2vec import StaticModel

    encoder = StaticModel.from_pretrained(model, normalize=True, force_download=False)
    vectors = encoder.encode([f"{paper.title}. {paper.abstract}" for paper in papers])
    return lambda profile: _best_first(
        papers, profile, np.max(vectors @ encoder.encode(list(profile.keywords)).T, axis=1)
    )


def _best_first(papers: Sequence[Paper], profile: Profile, scores: Any) -> list[str]:
    """Keys by score; an exclusion takes away what has its letters."""
    if hasattr(scores, "toarray"):
        scores = scores.toarray().ravel()
    places = sorted(range(len(papers)), key=lambda place: (-scores[place], papers[place].key))
    texts = [f"{papers[place].title} {papers[place].abstract}".lower() for place in places]
    unwanted = [phrase.lower() for phrase in profile.exclude]
    return [
        papers[place].key
        for place, text in zip(places, texts, strict=True)
        if not any(phrase in text for phrase in unwanted)
    ]


def substring_count(papers: Sequence[Paper], profile: Profile) -> list[str]:
    """What a simple bot does: occurrences of the keywords, those in the title twice."""

    def count(paper: Paper) -> int:
        title, text = paper.title.lower(), f"{paper.title} {paper.abstract}".lower()
        return sum(text.count(word) + title.count(word) for word in map(str.lower, profile.keywords))

    return _best_first(papers, profile, list(map(count, papers)))


# --- measures -------------------------------------------------------------------------------------------------------


def measures(order: Sequence[str], grades: Mapping[str, int]) -> Measures:
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
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("-v", "--verbose", action="store_true", help="every profile, not only the means")
    parser.add_argument(
        "--model",
        type=Path,
        help="folder of a model2vec model, for an embedding, and for digest with it",
    )
    parser.add_argument("--leave-one-out", action="store_true", help="choose the weights anew, each profile left out")
    parser.add_argument(
        "--before-after", nargs="*", metavar="PROFILE", help="print the ten best of profiles instead, beside a count"
    )
    options = parser.parse_args()
    if options.before_after is not None:
        before_after(options.folder, options.before_after, options.model)
        sys.exit()
    main(options.folder, verbose=options.verbose, model=options.model, leave_one_out=options.leave_one_out)
