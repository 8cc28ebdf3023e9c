"""Twelve mails before outside judges, in one table, and the pages of an archive in another.

usage: python -m tests.judges [FOLDER]

Writes the mails, their HTML, an archive and pictures of them to FOLDER (`out/judge` if left out). Prints a row for each
mail and page and a column for each mark, and below what was found where a mark is missed. Ends with 0 if every mark is
reached, with 1 if one is missed, and with 2 if a judge could not be heard.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tests.judges.mails import composed
from tests.judges.pages import HASHES, written
from tests.judges.panel import Column, JudgeError, judged, judged_pages

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


def table(columns: Sequence[Column], names: Sequence[str]) -> str:
    """A row for each mail or page, a column for each mark; a missed mark has a `!` behind it."""
    rows = [["", *(column.name for column in columns)]]
    for name in names:
        opinions = [(column.opinions[name], column.places) for column in columns]
        rows.append([name, *(f"{one.figure:,.{places}f}{'!' if one.missed else ' '}" for one, places in opinions)])
    first, *others = [max(map(len, cells)) for cells in zip(*rows, strict=True)]
    lines = [
        row[0].ljust(first) + "".join(f"  {cell:>{width}}" for cell, width in zip(row[1:], others, strict=True))
        for row in rows
    ]
    marks = [f"{column.name}: {column.mark}" for column in columns]
    return "\n".join([*(line.rstrip() for line in lines), "", f"Marks: {'; '.join(marks)}"])


def misses(columns: Sequence[Column]) -> Iterator[str]:
    """A line for each missed mark of each mail or page, with all that was found."""
    for column in columns:
        for name, opinion in column.opinions.items():
            if opinion.missed:
                yield f"{name}: {column.name}: {' | '.join(opinion.found) or f'{opinion.figure:,.{column.places}f}'}"


def main(folder: Path) -> int:
    folder.mkdir(parents=True, exist_ok=True)
    mails = composed()
    for name, mail in mails.items():
        (folder / f"{name}.eml").write_bytes(mail.data)
        (folder / f"{name}.html").write_text(mail.html, encoding="utf-8")
    try:
        columns = judged(folder, list(mails))
        pages = written(folder / "site")
        columns_of_pages = judged_pages(folder, pages, HASHES)
    except JudgeError as error:
        print(error, file=sys.stderr)
        return 2
    print(table(columns, list(mails)))
    print(f"\n{table(columns_of_pages, [page.stem for page in pages])}")
    missed = [*misses(columns), *misses(columns_of_pages)]
    print("\n".join(["", *missed]) if missed else "Every mark is reached.")
    print(f"The mails, the pages and their pictures are in {folder}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1] if len(sys.argv) > 1 else "out/judge").resolve()))
