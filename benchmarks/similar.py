"""Score `digest similar` on judged papers, beside tf-idf cosine as scikit-learn has it, in the same run.

    python benchmarks/similar.py FOLDER [JUDGED.json] [--model FOLDER]

FOLDER holds papers.jsonl, lines as the jsonl source takes them. JUDGED.json, by default FOLDER/similar.json, says which
papers are similar: paper → paper → grade (3 = much the same subject, 2 = similar, 1 = somewhat, 0 = not). Without one,
FOLDER/qrels.json serves, as benchmarks/relevance.py reads it (profile → paper → grade): papers that are relevant to the
same profile are taken for similar, as much as the less relevant of the two.

Every order is scored twice: over all papers, those that nobody judged counting as not similar, and over the judged ones
alone. NDCG has gain 2^grade - 1 and discount log2(rank + 1). Rivals: 1-2-grams with logarithmic term frequency, the
same without English stop words, and as scikit-learn has it by default without them; left out without scikit-learn.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import json
import math
import sys
import time
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent))

from digest.collect.jsonl import paper_id, parse_jsonl
from digest.curate.semantic import Semantics
from digest.curate.similar import SimilarIndex
from digest.pipeline.semantic import load_encoder

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from digest.curate.vector import Values
    from digest.model import Paper

#: of one paper to all papers
Similarity: TypeAlias = "Callable[[int], Values]"
Judged: TypeAlias = "Mapping[str, Mapping[str, int]]"

CUTS = (10, 20)
RELEVANT = 2


def main(folder: Path, judged_file: Path | None = None, *, model: Path | None = None) -> None:
    papers = read_papers(folder)
    judged = read_judged(folder, judged_file)
    print(f"{len(papers):,} papers, {len(judged):,} of them asked about")
    print(f"{'NDCG@':28}" + "".join(f"{cut:>9}" for cut in ("10", "20", "all", "judged")) + f"{'seconds':>9}")
    rivals: list[tuple[str, Callable[[Sequence[Paper]], Similarity]]] = [("digest", ours)]
    if model is not None:
        semantics = Semantics(load_encoder(model))
        rivals.append(("digest with this model", lambda them: SimilarIndex(them, semantics).similarity))
    if importlib.util.find_spec("sklearn"):
        rivals += [
            ("tf-idf cosine", tf_idf),
            ("tf-idf cosine, stop words", lambda them: tf_idf(them, stop="english")),
            ("tf-idf cosine, words alone", lambda them: tf_idf(them, stop="english", longest=1, logarithm=False)),
        ]
    for name, rival in rivals:
        started = time.process_time()
        means = np.mean(scores(papers, judged, rival), axis=0)
        seconds = time.process_time() - started
        print(f"{name:28}" + "".join(f"{value:9.4f}" for value in means) + f"{seconds:9.2f}")


def read_papers(folder: Path) -> Sequence[Paper]:
    papers, problems = parse_jsonl((folder / "papers.jsonl").read_bytes(), source="list")
    if problems:
        sys.exit(f"papers.jsonl: {problems[0].where}: {problems[0].message}")
    return papers


def read_judged(folder: Path, judged_file: Path | None) -> Judged:
    """Paper → paper → grade, by the ids of papers.jsonl."""
    direct = judged_file or folder / "similar.json"
    if direct.exists():
        found: dict[str, dict[str, int]] = json.loads(direct.read_text(encoding="utf-8"))
        return found
    judged: defaultdict[str, dict[str, int]] = defaultdict(dict)
    for grades in json.loads((folder / "qrels.json").read_text(encoding="utf-8")).values():
        for one in (key for key, grade in grades.items() if grade >= RELEVANT):
            for other, grade in grades.items():
                if other != one:
                    judged[one][other] = max(judged[one].get(other, 0), min(grade, grades[one]))
    return judged


def scores(
    papers: Sequence[Paper], judged: Judged, rival: Callable[[Sequence[Paper]], Similarity]
) -> list[list[float]]:
    """NDCG at every cut, of the whole order, and of the judged papers alone; for each paper asked about."""
    similarity = rival(papers)
    numbers = {paper_id(paper): number for number, paper in enumerate(papers)}
    rows = []
    for asked, named in judged.items():
        grades = {numbers[other]: grade for other, grade in named.items()}
        if any(grades.values()):
            similar = similarity(numbers[asked])
            order = sorted(set(range(len(papers))) - {numbers[asked]}, key=lambda number: (-similar[number], number))
            among = [number for number in order if number in grades]
            rows.append([*(ndcg(order[:cut], grades, cut) for cut in (*CUTS, len(papers))), ndcg(among, grades, None)])
    return rows


def ndcg(order: Sequence[int], grades: Mapping[int, int], cut: int | None) -> float:
    best = sorted(grades.values(), reverse=True)[:cut]
    return _gain([grades.get(number, 0) for number in order]) / _gain(best)


def _gain(grades: Sequence[int]) -> float:
    return math.fsum((2.0**grade - 1) / math.log2(rank + 1) for rank, grade in enumerate(grades, 1))


def ours(papers: Sequence[Paper]) -> Similarity:
    return SimilarIndex(papers).similarity


def tf_idf(papers: Sequence[Paper], stop: str | None = None, *, longest: int = 2, logarithm: bool = True) -> Similarity:
    text: Any = importlib.import_module("sklearn.feature_extraction.text")
    vectorizer = text.TfidfVectorizer(ngram_range=(1, longest), sublinear_tf=logarithm, stop_words=stop)
    vectors = vectorizer.fit_transform([f"{paper.title} {paper.abstract}" for paper in papers])
    return lambda number: (vectors @ vectors[number].T).toarray().ravel()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("judged", type=Path, nargs="?", help="JUDGED.json")
    parser.add_argument("--model", type=Path, help="folder of a model2vec model, for digest with it")
    options = parser.parse_args()
    main(options.folder, options.judged, model=options.model)
