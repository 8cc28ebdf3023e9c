"""Papers → a full-text index in memory, asked by phrases. Lives as long as one run; touches no disk.

Two SQLite FTS5 tables hold the same words (https://sqlite.org/fts5.html): `typed` with plurals folded, `stemmed` with
Porter's stemmer, to which `optimizer` and `optimal` are one word. Only words from `words` reach the query syntax of
FTS5, always in quotation marks; those words hold letters and digits, `+` and `#`.
"""

from __future__ import annotations

import contextlib
import functools
import itertools
import math
import sqlite3
import weakref
from array import array
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Literal, TypeAlias

from digest.curate.words import singular, spans, words
from digest.model import Paper

Column: TypeAlias = Literal["title", "abstract", "topic", "organization"]
Table: TypeAlias = Literal["typed", "stemmed"]

COLUMNS: tuple[Column, ...] = ("title", "abstract", "topic", "organization")
#: what one occurrence counts, per column. A title names the subject; 2 to 6 rank about equally well
_WEIGHTS = (3.0, 1.0, 1.0, 1.0)
#: how FTS5 tells words apart: as `words` has done before
_TOKENS = "unicode61 remove_diacritics 2 tokenchars '+#'"
#: constants of FTS5's bm25(), which cannot be changed there
_K1 = 1.2
_LEAST_IDF = 1e-6
#: a word counts as if this many further papers without it were in the batch, so that small batches have rare words too
_BACKGROUND = 500
#: what a word that is in every paper still counts, of 1 for a word in a single paper
_COMMONEST = 0.2
#: words farther apart than this many others do not stand together
_NEAR = 10

_OPEN, _CLOSE = "[", "]"


class TextIndex:
    """Titles, abstracts, topics and organizations of some papers, by their place in the sequence."""

    def __init__(self, papers: Sequence[Paper]) -> None:
        self._papers = papers
        # whoever lets go of the index closes it, in whichever thread that is
        self._db = sqlite3.connect(":memory:", check_same_thread=False)
        weakref.finalize(self, self._db.close)
        columns = ", ".join(COLUMNS)
        for table, stemmer in (("typed", ""), ("stemmed", "porter ")):
            self._db.execute(f'CREATE VIRTUAL TABLE {table} USING fts5({columns}, tokenize="{stemmer}{_TOKENS}")')
        # one paper at a time: the words of all papers would take three times the memory of the tables
        for number, paper in enumerate(papers):
            text = [words(_text(paper, column)) for column in COLUMNS]
            self._insert("stemmed", number, text)
            self._insert("typed", number, [map(singular, column) for column in text])

    def _insert(self, table: Table, number: int, text: Iterable[Iterable[str]]) -> None:
        self._db.execute(
            f"INSERT INTO {table}(rowid, {', '.join(COLUMNS)}) VALUES (?, ?, ?, ?, ?)",  # noqa: S608 (names of ours)
            (number, *map(" ".join, text)),
        )

    def terms(self) -> Iterator[tuple[str, int, float]]:
        """Stem, paper and weight of every occurrence of a word.

        SQLite is asked for the stem of each different word: to read every occurrence from it takes two fifths longer.
        """
        # words by number, in the order of their first occurrence: 4 bytes for each occurrence instead of 60
        place_of = defaultdict[str, int](itertools.count().__next__)
        texts = [
            array("i", map(place_of.__getitem__, words(_text(paper, column))))
            for paper in self._papers
            for column in COLUMNS
        ]
        stem = stems([*place_of])
        for (number, weight), text in zip(itertools.product(range(len(self._papers)), _WEIGHTS), texts, strict=True):
            yield from zip(map(stem.__getitem__, text), itertools.repeat(number), itertools.repeat(weight))

    def score(
        self, table: Table, phrase: Sequence[str], columns: Sequence[Column], *, prefix: bool
    ) -> dict[int, float]:
        """How strongly a phrase speaks for each paper that has it: 0 to 1, by place (title), number and rarity.

        BM25 with its two factors apart, each between 0 and 1: term frequency as FTS5 computes it, and rarity.
        """
        expression = _within(columns, _quoted(table, phrase, prefix=prefix))
        rows = self._db.execute(
            f"SELECT rowid, bm25({table}, {', '.join(map(str, _WEIGHTS))}) FROM {table} WHERE {table} MATCH ?",  # noqa: S608
            (expression,),
        ).fetchall()
        count, total = len(rows), len(self._papers)
        idf = max(math.log((total - count + 0.5) / (count + 0.5)), _LEAST_IDF)
        factor = self.rarity(count) / (idf * (_K1 + 1))
        return {number: -score * factor for number, score in rows}

    def rarity(self, count: int) -> float:
        """What a hit counts that `count` papers share: near 1 for one paper, 0.2 and more for all."""
        total = len(self._papers) + _BACKGROUND
        return _COMMONEST + (1 - _COMMONEST) * math.log(total / (count + 0.5)) / math.log(total)

    def near(self, company: Sequence[str], columns: Sequence[Column]) -> set[int]:
        """Papers in which the words stand near each other, in any order and form."""
        rows = self._db.execute(
            "SELECT rowid FROM stemmed WHERE stemmed MATCH ?", (_within(columns, _company(company)),)
        )
        return {number for (number,) in rows}

    def has(self, phrase: Sequence[str]) -> bool:
        """Whether the words stand in some paper next to each other, as typed."""
        rows = self._db.execute("SELECT 1 FROM typed WHERE typed MATCH ? LIMIT 1", (_quoted("typed", phrase),))
        return rows.fetchone() is not None

    def pieces(
        self,
        number: int,
        table: Table,
        phrases: Sequence[Sequence[str]],
        company: Sequence[str],
        columns: Sequence[Column],
        *,
        prefix: bool,
    ) -> list[tuple[Column, str]]:
        """Column and surface text of every place where one of the phrases, or the company, stands in one paper."""
        alternatives = [_quoted(table, phrase, prefix=prefix) for phrase in phrases]
        if company:
            alternatives.append(_company(company))
        marked = ", ".join(f"highlight({table}, {n}, '{_OPEN}', '{_CLOSE}')" for n in range(len(COLUMNS)))
        row = self._db.execute(
            f"SELECT {marked} FROM {table} WHERE {table} MATCH ? AND rowid = ?",  # noqa: S608
            (_within(columns, " OR ".join(alternatives)), number),
        ).fetchone()
        return [
            (column, piece)
            for column, text in zip(COLUMNS, row or (), strict=False)
            for piece in _surface(text, _text(self._papers[number], column))
        ]


def stems(vocabulary: Sequence[str]) -> list[str]:
    """The stem of each word, as `stemmed` has it; the words are from `words` and different.

    >>> stems(["routing", "routed", "c++"])
    ['rout', 'rout', 'c++']
    """
    found = list(vocabulary)
    with contextlib.closing(sqlite3.connect(":memory:")) as db:
        db.execute(f'CREATE VIRTUAL TABLE one USING fts5(word, detail=none, tokenize="porter {_TOKENS}")')
        db.executemany("INSERT INTO one(rowid, word) VALUES (?, ?)", enumerate(vocabulary))
        db.execute("CREATE VIRTUAL TABLE stem USING fts5vocab(one, instance)")
        for stem, number in db.execute("SELECT term, doc FROM stem"):
            found[number] = stem
    return found


def _text(paper: Paper, column: Column) -> str:
    if column == "title":
        return paper.title
    if column == "abstract":
        return paper.abstract
    return paper.organization if column == "organization" else " ; ".join(paper.ai_keywords)


def _quoted(table: Table, phrase: Sequence[str], *, prefix: bool = False) -> str:
    if table == "typed":
        phrase = [*map(singular, phrase[:-1]), phrase[-1] if prefix else singular(phrase[-1])]
    return f'"{" ".join(phrase)}"' + " *" * prefix


def _company(company: Sequence[str]) -> str:
    return f"NEAR({' '.join(_quoted('stemmed', [word]) for word in company)}, {_NEAR})"


def _within(columns: Sequence[Column], expression: str) -> str:
    return f"{{{' '.join(columns)}}} : ({expression})"


def _surface(marked: str, text: str) -> Iterator[str]:
    """The marked words as they stand in the text: words are told from each other by spaces, so their places agree."""
    if _OPEN not in marked:
        return
    places = _places(text)
    position = 0
    for index, part in enumerate(marked.replace(_CLOSE, _OPEN).split(_OPEN)):
        last = position + part.count(" ")
        if index % 2:
            yield _whole(text, places[2 * position], places[2 * last + 1])
        position = last


# several keywords mark the same paper; 1.5 kB for an abstract
@functools.lru_cache(maxsize=4096)
def _places(text: str) -> array[int]:
    """Start and end of each word in turn."""
    return array("i", itertools.chain.from_iterable(spans(text)))


def _whole(text: str, start: int, end: int) -> str:
    """The piece, with the TeX braces and dollar signs that it opens."""
    while end < len(text) and (
        (text[end] == "}" and text.count("{", start, end) > text.count("}", start, end))
        or (text[end] == "$" and text.count("$", start, end) % 2)
    ):
        end += 1
    return text[start:end]
