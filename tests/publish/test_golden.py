"""Pages, feeds and lists, kept byte for byte. `make golden` writes them anew and deletes those no case uses."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path

import pytest

from digest.languages.language import available, language
from digest.pipeline.archive import Archive
from digest.private import private_name
from digest.publish.feeds import Address
from digest.publish.names import paper_path
from digest.state.store import open_state
from tests.makers import NOW, TODAY
from tests.publish.cases import HOSTILE, OLD, USUAL, YESTERDAY, deliver, fill

GOLDEN = Path(__file__).parent / "golden"
WRITE = os.environ.get("DIGEST_GOLDEN") == "write"
TOKEN = "p4Zq9sLr2VxT7mKd"
#: name here → path in the archive
FILES = {
    "edition.html": "2026-09-15/index.html",
    "paper.html": paper_path(USUAL.key),
    "hostile.html": paper_path(HOSTILE.key),
    "month.html": "2026-09/index.html",
    "year.html": "2026/index.html",
    "search.html": "search/index.html",
    "feed.atom": "feed.atom",
    "feed.json": "feed.json",
    "sitemap.xml": "sitemap.xml",
    "papers.bib": "2026-09-15/papers.bib",
    "papers.ris": "2026-09-15/papers.ris",
    "empty.html": "2026-09-16/index.html",
    "index.html": "index.html",
    "private.atom": f"private/{private_name(TOKEN)}/feed.atom",
    "private.json": f"private/{private_name(TOKEN)}/feed.json",
    "private.bib": f"private/{private_name(TOKEN)}/picks.bib",
}
#: languages → name here → path in the archive
TRANSLATED = {
    code: {f"edition.{code}.html": FILES["edition.html"], f"paper.{code}.html": FILES["paper.html"]}
    for code in available()
    if code != "en"
}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("golden")
    with open_state(f"sqlite:///{folder / 'state.sqlite3'}", now=NOW) as state:
        fill(state)
        address = Address("lab.example", "https://papers.example.org/x/")
        deliver(state, "ada@example.org", YESTERDAY, OLD)
        deliver(state, "ada@example.org", TODAY, USUAL, HOSTILE)
        archive = Archive(state, folder / "site", address, today=TODAY + timedelta(days=1), since=None)
        archive.write(lambda: None)
        archive.private({TOKEN: "ada@example.org"}).write(lambda: None)
        for code in TRANSLATED:
            own = folder / "site" / code
            Archive(state, own, address, today=TODAY, since=None, language=language(code)).write(lambda: None)
    return folder / "site"


@pytest.mark.parametrize("name", FILES)
def test_a_file_is_the_same_to_the_byte(name: str, site: Path) -> None:
    compare(name, (site / FILES[name]).read_bytes())


@pytest.mark.parametrize("code", TRANSLATED)
def test_a_page_in_another_language_is_the_same_to_the_byte(code: str, site: Path) -> None:
    for name, path in TRANSLATED[code].items():
        compare(name, (site / code / path).read_bytes())


def compare(name: str, content: bytes) -> None:
    if WRITE:
        GOLDEN.mkdir(exist_ok=True)
        (GOLDEN / name).write_bytes(content)

    assert (GOLDEN / name).read_bytes() == content, f"{name} differs; see `git diff` after `make golden`"


def test_no_golden_file_is_without_a_case() -> None:
    names = {*FILES, *(name for names in TRANSLATED.values() for name in names)}
    unused = {path.name for path in GOLDEN.iterdir()} - names
    if WRITE:
        for name in unused:
            (GOLDEN / name).unlink()

    assert names == {path.name for path in GOLDEN.iterdir()}
