"""Texts → the stems they are made of, by which papers are compared. Pure; SQLite works in memory only."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

from digest.curate.words import words

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

#: what one occurrence counts; a title names the subject, as in `index`
_TITLE, _ABSTRACT = 3.0, 1.0


def bags(texts: Sequence[tuple[str, str]]) -> list[Mapping[str, float]]:
    """For each title and abstract its stems, and the weight of all their occurrences together.

    The stems are those of `index`: Porter's, as SQLite's FTS5 makes them.

    >>> bags([("Optimizers", "An optimizer")])
    [{'an': 1.0, 'optim': 4.0}]
    """
    found: list[dict[str, float]] = [{} for _ in texts]
    db = sqlite3.connect(":memory:")
    try:
        db.execute(
            "CREATE VIRTUAL TABLE t USING"
            " fts5(title, abstract, tokenize=\"porter unicode61 remove_diacritics 2 tokenchars '+#'\")"
        )
        db.execute("CREATE VIRTUAL TABLE occurrence USING fts5vocab(t, instance)")
        rows = ((n, " ".join(words(title)), " ".join(words(abstract))) for n, (title, abstract) in enumerate(texts))
        db.executemany("INSERT INTO t(rowid, title, abstract) VALUES (?, ?, ?)", rows)
        for stem, number, column in db.execute("SELECT term, doc, col FROM occurrence"):
            bag = found[number]
            bag[stem] = bag.get(stem, 0.0) + (_TITLE if column == "title" else _ABSTRACT)
    finally:
        db.close()
    return list(found)
