"""Records → BibTeX and RIS, for reference managers. Pure.

BibTeX is UTF-8, as biber and every reference manager read it; what means something to TeX is written as its command.
RIS as in https://en.wikipedia.org/wiki/RIS_(file_format), one line per value. Nothing that comes from outside can end
an entry, a field or a line.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from digest.compose.text import http_link, one_line, plain

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from digest.publish.record import Record

#: braces as commands: BibTeX counts them even behind a backslash
_TEX = {
    "\\": r"\textbackslash{}",
    "{": r"\textbraceleft{}",
    "}": r"\textbraceright{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    **{character: f"\\{character}" for character in "&%$#_"},
}
_SPECIAL = re.compile(r"[\\{}~^&%$#_]")
#: letters, and what may stand between those of a name
_WESTERN = re.compile(r"[^\W\d_](?:[^\W\d_]|[ .'’-])*")
#: records whose entries are kept: many readers were sent the same papers
_KEPT = 8192
#: as bibtexparser writes it
_BETWEEN_ENTRIES = "\n\n"
#: words of a title that name nothing
_SMALL = frozenset(
    {"a", "an", "and", "are", "can", "do", "does", "for", "how", "in", "is", "of", "on", "the", "to", "what"}
)


def bibtex(records: Sequence[Record]) -> str:
    """A `.bib` file with one entry per record, in their order; keys like `lovelace2026engines`, all different."""
    taken: set[str] = set()
    entries = []
    for one in records:
        before, key, after = _bibtex_entry(one)
        entries.append(f"{before}{_free(key, taken)}{after}")
    return _BETWEEN_ENTRIES.join(entries)


@lru_cache(maxsize=_KEPT)
def _bibtex_entry(one: Record) -> tuple[str, str, str]:
    """An entry, in front of its key and behind it, and the key that it has if it is free."""
    from bibtexparser.entrypoint import write_string
    from bibtexparser.library import Library
    from bibtexparser.model import Entry, Field

    fields = [Field(name, f"{{{value}}}") for name, value in _bibtex_fields(one).items() if value]
    key = _citation_key(one)
    written = str(write_string(Library([Entry(_bibtex_type(one), key, fields)]), unparse_stack=[]))
    before, _, after = written.partition(key)
    return before, key, after


def _bibtex_type(one: Record) -> str:
    return "article" if _journal(one) else "misc"


def _bibtex_fields(one: Record) -> Mapping[str, str]:
    paper, published = one.paper, one.paper.published
    preprint = {
        "eprint": one.arxiv_id,
        "archiveprefix": "arXiv",
        "primaryclass": escaped(one_line(paper.categories[0], 40)) if paper.categories else "",
    }
    return {
        # in braces again, so that styles leave its capitals alone
        "title": f"{{{escaped(one.title)}}}",
        "author": " and ".join(map(_bibtex_name, one.authors)),
        "journal": escaped(_journal(one)),
        "year": str(published.year) if published else "",
        "month": str(published.month) if published else "",
        **(preprint if one.arxiv_id else {}),
        "doi": escaped(one.doi),
        # addresses are read as they stand; what would end a field is percent-encoded in them
        "url": one.link,
        "abstract": escaped(one.abstract),
    }


def _bibtex_name(name: str) -> str:
    """In braces where BibTeX would read it as something else than one name in its usual order."""
    written = escaped(name)
    return f"{{{written}}}" if "," in name or re.search(r"(?i)(?:^|\s)(?:and|others)(?:\s|$)", name) else written


def _citation_key(one: Record) -> str:
    """First author, year, first word of the title that says something; in ASCII letters and digits."""
    author = _word(_family(one.authors[0])[0]) if one.authors else ""
    year = str(one.paper.published.year) if one.paper.published else ""
    words = [word for word in map(_word, re.split(r"[\s:–—/-]+", one.title)) if word]
    named = next((word for word in words if word not in _SMALL), words[0] if words else "")
    key = f"{author[:30]}{year}{named[:30]}"
    return key if key[:1].isalpha() else f"paper{key}"


def _word(text: str) -> str:
    return re.sub("[^a-z0-9]", "", unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower())


def _free(key: str, taken: set[str]) -> str:
    """The key, or with the first number from 2 on that makes it another than those taken."""
    free, number = key, 2
    while free in taken:
        free, number = f"{key}-{number}", number + 1
    taken.add(free)
    return free


def escaped(text: str) -> str:
    r"""A text as TeX prints it.

    >>> escaped("10% of R&D {sic}")
    '10\\% of R\\&D \\textbraceleft{}sic\\textbraceright{}'
    """
    return _SPECIAL.sub(lambda found: _TEX[found[0]], text)


def _journal(one: Record) -> str:
    return one_line(plain(one.paper.journal_ref))


def ris(records: Sequence[Record]) -> str:
    """A `.ris` file with one reference per record, in their order."""
    return "\n".join(map(_ris_reference, records))


@lru_cache(maxsize=_KEPT)
def _ris_reference(one: Record) -> str:
    return str(_ris_writer().formats([{name: value for name, value in _ris_fields(one).items() if value}]))


@lru_cache(maxsize=1)
def _ris_writer() -> Any:
    from rispy.writer import RisWriter

    class Writer(RisWriter):  # type: ignore[misc] # rispy has no annotations
        """Without the number that rispy puts before each reference, which is none of the format's."""

        def set_header(self, count: int) -> str:  # noqa: ARG002
            return ""

    return Writer()


def _ris_fields(one: Record) -> Mapping[str, object]:
    paper, published = one.paper, one.paper.published
    return {
        "type_of_reference": "JOUR" if _journal(one) else "UNPB",
        "title": one.title,
        "authors": [", ".join(filter(None, _family(name))) for name in one.authors],
        "journal_name": _journal(one),
        "year": str(published.year) if published else "",
        "date": f"{published:%Y/%m/%d}" if published else "",
        "doi": one.doi,
        "urls": list(filter(None, [one.link])),
        "file_attachments1": http_link(paper.pdf_url),
        "keywords": list(filter(None, (one_line(plain(word)) for word in (*paper.categories, *paper.ai_keywords)))),
        "abstract": one.abstract,
        "id": one_line(paper.key),
    }


def _family(name: str) -> tuple[str, str]:
    """Family and given names; what is not plainly given name first, as `小林 直樹`, is left whole.

    >>> _family("Ludwig van Beethoven"), _family("The LIGO Collaboration (Pisa)"), _family("Plato")
    (('van Beethoven', 'Ludwig'), ('The LIGO Collaboration (Pisa)', ''), ('Plato', ''))
    """
    words = name.split()
    if len(words) < 2 or not _WESTERN.fullmatch(name) or _is_east_asian(name):
        return name, ""
    first = len(words) - 1
    while first > 1 and words[first - 1][0].islower():
        first -= 1
    return " ".join(words[first:]), " ".join(words[:first])


def _is_east_asian(name: str) -> bool:
    return any(unicodedata.east_asian_width(character) in "WF" for character in name)
