"""Papers as Markdown, JSON and CSV."""

from __future__ import annotations

import csv
import io
import json

from digest.model import Signals, StoredPaper
from digest.publish.listing import markdown, to_csv, to_json
from digest.publish.record import Record, record
from tests.makers import HOSTILE_TITLE, NOW, TODAY, paper


def made(**fields: object) -> Record:
    return record(StoredPaper(paper(**fields), NOW, TODAY))  # type: ignore[arg-type]


def test_a_paper_in_markdown_has_its_title_as_link() -> None:
    assert markdown([made(signals=Signals(upvotes=1200, stars=3))]) == (
        "- **[On the Number 1](<https://arxiv.org/abs/2609.00001>)**  \n"
        "  Ada Lovelace, Emmy Noether · ▲ 1,200 · ★ 3\n"
        "\n"
        "  We study the number 1 and find it to be a number.\n"
    )


def test_markdown_of_strangers_is_text() -> None:
    written = markdown([made(title=HOSTILE_TITLE, abstract="1. # <b>[x](javascript:y)</b> `*_~|", url="javascript:x")])

    assert "\\<script\\>alert(1)\\</script\\>" in written
    assert "  1\\. \\# \\<b\\>\\[x\\](javascript:y)\\</b\\> \\`\\*\\_\\~\\|" in written
    assert "(<javascript" not in written


def test_json_says_what_is_known() -> None:
    (told,) = json.loads(to_json([made(aliases=("doi:10.1000/x",), signals=Signals(upvotes=7))]))

    assert {
        "key": "arxiv:2609.00001", "arxiv": "2609.00001", "doi": "10.1000/x", "upvotes": 7, "stars": None,
        "edition": "2026-09-15", "authors": ["Ada Lovelace", "Emmy Noether"], "pdf": "",
    }.items() <= told.items()  # fmt: skip


def test_no_cell_of_a_table_is_a_formula() -> None:
    title = '=HYPERLINK("https://evil.example","x")'
    rows = list(csv.DictReader(io.StringIO(to_csv([made(title=title, authors=("@a", "-b"), abstract="")]))))

    assert [(f"'{title}", "'@a; -b", "")] == [(row["title"], row["authors"], row["abstract"]) for row in rows]
