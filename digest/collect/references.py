"""A reader's list of references, as their reference manager or they themselves wrote it → papers.

    BibTeX          `@article{key, title = {…}, eprint = {2401.01234}, …}`; Zotero, JabRef, Google Scholar
    RIS             `TY  - JOUR`, `TI  - …`, `ER  -`; EndNote, Mendeley, publishers' sites
    Zotero RDF      https://www.zotero.org/support/kb/exporting (Bibliontology is another format, and not read)
    CSL-JSON        https://citeproc-js.readthedocs.io/en/latest/csl-json/markup.html, also one object per line
    plain           one arXiv id, DOI, address or title per line, perhaps with a bullet or number in front

The format is told by what is in the file, whatever its name. Pure.
"""

from __future__ import annotations

import codecs
import json
import logging
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

from digest.collect.items import UnusableError, nothing, read_items
from digest.collect.text import MAX_ABSTRACT, MAX_TITLE, link, names, one_line, plain
from digest.identity import best_key, identify, own_key
from digest.model import Paper, Problem

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from digest.collect.items import Parsed

#: name of the source in keys of references that only their title names
SOURCE = "interests"
#: bytes; a library of 10,000 papers with abstracts has 20 MB
MAX_BYTES = 64 * 2**20

#: `@article{`, or `@article(key, title =`: in lists, “@bot (a study)” is a title
_BIBTEX = re.compile(r"^[ \t]*@[ \t]*[A-Za-z]+\s*(?:\{|\([^(),=]{0,200},\s*[\w-]{1,50}\s*=)", re.MULTILINE)
_RIS_LINE = re.compile(r"^[ \t]*([A-Z][A-Z0-9])[ \t]*-(?:[ \t]+|$)", re.MULTILINE)
_RIS_BEGIN = re.compile(r"^TY {2}- ", re.MULTILINE)
#: every reference begins so; of other lines that look alike, titles do too: “RL - an overview”
_RIS = re.compile(r"^[ \t]*TY[ \t]*-", re.MULTILINE)
#: what may stand in front of a line of a plain list: `- `, `* `, `12. `, `[3] `
_BULLET = re.compile(r"^(?:[-*•–·]\s+|\[\d{1,4}\]\s*|\d{1,4}[.)]\s+)")
#: letters of the shortest line that is taken for a title
_FEWEST_LETTERS = 4
#: an arXiv id inside a journal field: “arXiv preprint arXiv:2401.01234”
_ARXIV_INSIDE = re.compile(r"arxiv:\s*([a-z.-]+/\d{7}|\d{4}\.\d{4,5})", re.IGNORECASE)

_RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
_DC = "{http://purl.org/dc/elements/1.1/}"
_DCTERMS = "{http://purl.org/dc/terms/}"
_ZOTERO = "{http://www.zotero.org/namespaces/export#}"
_FOAF = "{http://xmlns.com/foaf/0.1/}"
_BIB = "{http://purl.org/net/biblio#}"
#: Zotero's kinds of items that are no works
_NO_WORKS = {"attachment", "note", "annotation"}


@dataclass(frozen=True, slots=True)
class _Reference:
    """What the formats have in common, as a stranger wrote it."""

    #: for the problem, if it makes no paper
    where: str
    title: object = ""
    abstract: object = ""
    authors: Iterable[object] = ()
    #: DOI, arXiv id, address: whatever may name the work
    names: Iterable[object] = ()


def parse_references(data: bytes) -> tuple[str, Parsed]:
    """The name of the format, and the papers in the order of the list; what cannot be read gives a problem each.

    A paper that only an identifier names has that key as its title. One without any identifier has a key of the
    source `SOURCE`.
    """
    text = _text(data)
    begin = text.lstrip()[:1]
    if not text.strip():
        return "plain", nothing("is empty", "the file")
    if "\0" in text or text.startswith("%PDF"):
        return "unknown", nothing("is no text", "the file")
    if begin == "<":
        return "Zotero RDF", _read(_zotero(text))
    if begin in "[{" and (items := _json(text)) is not None:
        return "CSL-JSON", _read(_csl(item, number) for number, item in enumerate(items, 1))
    if _BIBTEX.search(text):
        return "BibTeX", _with(_bibtex(text))
    if _RIS.search(text):
        return "RIS", _with(_ris(text))
    return "plain", _read(_plain(text))


def _text(data: bytes) -> str:
    """UTF-8, UTF-16 with its mark, else Windows' Western encoding, in which older programs export."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return data.decode("utf-16", "replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")


def _read(references: Iterable[_Reference] | Parsed) -> Parsed:
    if isinstance(references, tuple):
        return references
    return read_items(references, _paper, lambda _number, one: one.where)


def _with(found: tuple[list[_Reference], list[Problem]]) -> Parsed:
    references, problems = found
    papers, more = _read(references)
    return papers, (*problems, *more)


def _paper(one: _Reference) -> Paper:
    title = plain(one.title, MAX_TITLE)
    found = [identifier.key for name in one.names if (identifier := identify(one_line(name, 2_000)))]
    keys = [key for key in found if not key.startswith("url:")] or found
    if not (title or keys):
        raise UnusableError("has no title and no identifier")
    key = best_key(keys) if keys else own_key(SOURCE, title.casefold())
    return Paper(
        key=key,
        title=title or key,
        abstract=plain(one.abstract, MAX_ABSTRACT),
        authors=names(one.authors),
        url=next((address for name in one.names if (address := link(name))), ""),
        aliases=tuple(sorted(set(keys) - {key})),
        sources=(SOURCE,),
    )


# --- BibTeX -----------------------------------------------------------------------------------------------------


def _bibtex(text: str) -> tuple[list[_Reference], list[Problem]]:
    from bibtexparser.entrypoint import parse_string
    from bibtexparser.model import DuplicateBlockKeyBlock, Entry

    # it says there what `failed_blocks` says as well
    logging.getLogger("bibtexparser").setLevel(logging.CRITICAL)
    library = parse_string(text)
    entries, problems = list(library.entries), []
    for block in library.failed_blocks:
        again = block.ignore_error_block if isinstance(block, DuplicateBlockKeyBlock) else None
        if isinstance(again, Entry):
            entries.append(again)
        else:
            problems.append(
                Problem(f"line {(block.start_line or 0) + 1}", "holds an entry that is not closed or not BibTeX")
            )
    entries.sort(key=lambda entry: entry.start_line or 0)
    return [_bibtex_entry({f.key.lower(): f.value for f in entry.fields}, entry.key) for entry in entries], problems


def _bibtex_entry(fields: Mapping[str, Any], key: str) -> _Reference:
    eprint = fields.get("eprint")
    inside = _ARXIV_INSIDE.search(
        f"{fields.get('journal', '')} {fields.get('note', '')} {fields.get('howpublished', '')}"
    )
    return _Reference(
        where=one_line(key) or "an entry",
        title=_unbraced(fields.get("title")),
        abstract=_unbraced(fields.get("abstract")),
        authors=re.split(r"\s+and\s+", _unbraced(fields.get("author"))) if fields.get("author") else (),
        names=[eprint, inside[1] if inside else "", fields.get("doi"), fields.get("url")],
    )


def _unbraced(value: object) -> str:
    """Without the braces that keep capitals and group, and quotation marks around it; formulas stay as they are."""
    if not isinstance(value, str):
        return ""
    if len(value) > 1 and value[0] == value[-1] == '"':  # left there in an entry whose key was used before
        value = value[1:-1]
    return "".join(
        part if part.startswith("$") else re.sub(r"(?<!\\)[{}]", "", part) for part in re.split(r"(\$[^$]*\$)", value)
    )


# --- RIS --------------------------------------------------------------------------------------------------------


def _ris(text: str) -> tuple[list[_Reference], list[Problem]]:
    import rispy

    # two blanks, a hyphen, a blank; programs write fewer. A last entry may lack its end
    tidy = _RIS_LINE.sub(lambda found: f"{found[1]}  - ", text.replace("\r\n", "\n").replace("\r", "\n"))
    entries = rispy.loads(f"{tidy}\nER  - \n")
    lost = len(_RIS_BEGIN.findall(tidy)) - len(entries)
    problems = [Problem("the file", f"has {lost} entries without an end")] if lost > 0 else []
    return [_ris_entry(entry, number) for number, entry in enumerate(entries, 1)], problems


def _ris_entry(entry: Mapping[str, Any], number: int) -> _Reference:
    inside = _ARXIV_INSIDE.search(f"{entry.get('journal_name', '')} {entry.get('secondary_title', '')}")
    return _Reference(
        where=f"entry {number}",
        title=entry.get("title") or entry.get("primary_title"),
        abstract=entry.get("abstract") or entry.get("notes_abstract"),
        authors=entry.get("authors") or entry.get("first_authors") or (),
        names=[inside[1] if inside else "", entry.get("doi"), *(entry.get("urls") or ())],
    )


# --- CSL-JSON ---------------------------------------------------------------------------------------------------


def _json(text: str) -> list[Any] | None:
    """The items of a JSON list, of the object that holds one, or of lines; None if the text is no JSON."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return _json_lines(text)
    if isinstance(value, dict):
        items = value.get("items")
        return items if isinstance(items, list) else [value]
    return value if isinstance(value, list) else None


def _json_lines(text: str) -> list[Any] | None:
    """One object per line; a line that is none counts as an item that makes no paper."""
    lines = [line for line in text.splitlines() if line.strip()]
    if not all(line.lstrip().startswith("{") for line in lines):
        return None
    items: list[Any] = []
    for line in lines:
        try:
            items.append(json.loads(line))
        except (ValueError, RecursionError):
            items.append(None)
    return items


def _csl(item: Any, number: int) -> _Reference:
    where = f"item {number}"
    if not isinstance(item, dict):
        return _Reference(where)
    people = item.get("author")
    written = (_csl_name(person) for person in people) if isinstance(people, list) else ()
    fields = ("number", "DOI", "doi", "URL", "url", "id")
    return _Reference(where, item.get("title"), item.get("abstract"), written, [_csl_id(item.get(f)) for f in fields])


def _csl_id(value: object) -> object:
    """An arXiv number or DOI; an address that is no such thing is kept as one, a manager's own id is not."""
    return value if isinstance(value, str) and "zotero.org/" not in value else ""


def _csl_name(person: Any) -> str:
    if not isinstance(person, dict):
        return one_line(person)
    parts = (person.get("given"), person.get("non-dropping-particle"), person.get("family"))
    return one_line(person.get("literal")) or " ".join(filter(None, map(one_line, parts)))


# --- Zotero RDF -------------------------------------------------------------------------------------------------


def _zotero(text: str) -> Iterator[_Reference] | Parsed:
    # Zotero writes no document type; what one may declare (XML 1.0 §4) has eaten memory and read files elsewhere
    if re.search(r"<!(?:DOCTYPE|ENTITY)", text, re.IGNORECASE):
        return nothing("declares a document type, which no Zotero RDF does", "the file")
    try:
        root = ET.fromstring(re.sub(r"^\s*<\?xml[^>]*\?>", "", text))  # noqa: S314 - no declarations: see above
    except ET.ParseError as error:
        return nothing(f"is not well-formed XML: {error}", "the file")
    if root.tag != f"{_RDF}RDF":
        return nothing("is XML, but not Zotero RDF", "the file")
    return (_zotero_item(item, number) for number, item in enumerate(root, 1) if _is_work(item))


def _is_work(item: ET.Element) -> bool:
    kind = item.findtext(f"{_ZOTERO}itemType")
    return kind is not None and kind.strip() not in _NO_WORKS


def _zotero_item(item: ET.Element, number: int) -> _Reference:
    people = item.iterfind(f"{_BIB}authors/{_RDF}Seq/{_RDF}li/{_FOAF}Person")
    identifiers = [found for element in item.iterfind(f"{_DC}identifier") for found in _zotero_ids(element)]
    return _Reference(
        where=f"item {number}",
        title=item.findtext(f"{_DC}title"),
        abstract=item.findtext(f"{_DCTERMS}abstract"),
        authors=[_zotero_name(person) for person in people],
        names=[*identifiers, item.get(f"{_RDF}about")],
    )


def _zotero_ids(element: ET.Element) -> Iterator[str]:
    """`DOI 10.1000/xyz`, or an address inside."""
    yield (element.text or "").strip().removeprefix("DOI ")
    yield from (value.text or "" for value in element.iter(f"{_RDF}value"))


def _zotero_name(person: ET.Element) -> str:
    parts = (person.findtext(f"{_FOAF}givenName"), person.findtext(f"{_FOAF}surname"))
    return " ".join(filter(None, map(one_line, parts)))


# --- plain ------------------------------------------------------------------------------------------------------


def _plain(text: str) -> Iterator[_Reference]:
    for number, line in enumerate(text.splitlines(), 1):
        written = _BULLET.sub("", line.strip()).strip()
        if not written or written.startswith("#"):
            continue
        first, _, rest = written.partition(" ")
        if identify(written):
            yield _Reference(f"line {number}", names=[written])
        elif identify(first.rstrip(":,;")):
            yield _Reference(f"line {number}", title=rest.strip(), names=[first.rstrip(":,;")])
        elif sum(char.isalpha() for char in written) < _FEWEST_LETTERS:
            yield _Reference(f"line {number}")
        else:
            yield _Reference(f"line {number}", title=written)
