"""Lists of references, in every format that reference managers write."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.collect.references import parse_references
from digest.model import Paper, Problem
from tests.makers import HOSTILE_TITLE

BIBTEX = r"""
@comment{made by hand}
@article{moe, title = {{Mixture} of {E}xperts with $x^{2}$}, author = {Li, Bo and Ann Ro}, year = 2024,
  eprint = {2401.01234}, archivePrefix = {arXiv}, abstract = {We gain 10\% more.}, doi = {10.1000/XYZ}}
@inproceedings{broken, title = {No end
@misc{quoted, title = "Quoted", howpublished = "arXiv preprint arXiv:2402.00001"}
@misc{moe, title = "The Same Key"}
@misc{untitled, year = 1999}
"""
RIS = """TY  - JOUR
TI  - On Whales
AB  - They sing.
AU  - Li, Bo
DO  - 10.1000/whales
ER  -
TY - CONF
T1 - On Gears
UR - https://arxiv.org/abs/2401.00002v3
"""
RDF = """<?xml version="1.0" encoding="UTF-8"?>
<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:z="http://www.zotero.org/namespaces/export#"
 xmlns:bib="http://purl.org/net/biblio#" xmlns:foaf="http://xmlns.com/foaf/0.1/"
 xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:dcterms="http://purl.org/dc/terms/">
  <bib:Article rdf:about="https://arxiv.org/abs/2401.00003">
    <z:itemType>journalArticle</z:itemType>
    <bib:authors><rdf:Seq><rdf:li><foaf:Person><foaf:surname>Li</foaf:surname><foaf:givenName>Bo</foaf:givenName>
    </foaf:Person></rdf:li></rdf:Seq></bib:authors>
    <dc:title>On &lt;i&gt;Moss&lt;/i&gt; &amp; Ferns</dc:title>
    <dcterms:abstract>Green.</dcterms:abstract>
    <dc:identifier>DOI 10.1000/moss</dc:identifier>
  </bib:Article>
  <bib:Journal rdf:about="urn:issn:1"><dc:title>A Journal</dc:title></bib:Journal>
  <z:Attachment rdf:about="#item_2"><z:itemType>attachment</z:itemType><dc:title>PDF</dc:title></z:Attachment>
  <rdf:Description rdf:about="#item_3"><z:itemType>preprint</z:itemType></rdf:Description>
</rdf:RDF>
"""
CSL = [
    {"title": "On Sand", "abstract": "Dunes.", "author": [{"given": "Bo", "family": "Li"}, {"literal": "The Lab"}],
     "DOI": "10.1000/SAND", "id": "http://zotero.org/users/1/items/A"},
    {"title": "On Glass", "number": "arXiv:2401.00004", "URL": "http://arxiv.org/abs/2401.00004"},
    "no object",
]  # fmt: skip
PLAIN = """# mine
- 2401.00005
[3] https://doi.org/10.1000/abc
12. Attention to whales

2401.00006: A title after an id
---
"""


def read(text: str | bytes) -> tuple[str, list[tuple[str, str]], tuple[Problem, ...]]:
    """The format, keys and titles, and the problems."""
    name, (papers, problems) = parse_references(text.encode() if isinstance(text, str) else text)
    return name, [(paper.key, paper.title) for paper in papers], problems


def first(text: str) -> Paper:
    _, (papers, _) = parse_references(text.encode())
    return papers[0]


def test_bibtex() -> None:
    name, found, problems = read(BIBTEX)

    assert "BibTeX" == name
    assert [
        ("arxiv:2401.01234", "Mixture of Experts with $x^{2}$"),
        ("arxiv:2402.00001", "Quoted"),
        ("list:interests/the same key", "The Same Key"),
    ] == found
    assert ["line 5", "untitled"] == [problem.where for problem in problems]
    one = first(BIBTEX)
    assert (("Li, Bo", "Ann Ro"), "We gain 10\\% more.", ("doi:10.1000/xyz",)) == (
        one.authors,
        one.abstract,
        one.aliases,
    )


def test_ris_also_as_careless_programs_write_it() -> None:
    assert ("RIS", [("doi:10.1000/whales", "On Whales"), ("arxiv:2401.00002", "On Gears")], ()) == read(RIS)
    assert read(RIS) == read(RIS.replace("\n", "\r\n"))
    assert "They sing." == first(RIS).abstract


def test_zotero_rdf() -> None:
    name, found, problems = read(RDF)

    assert ("Zotero RDF", [("arxiv:2401.00003", "On Moss & Ferns")]) == (name, found)
    assert (Problem("item 4", "has no title and no identifier"),) == problems
    assert (("Bo Li",), "Green.") == (first(RDF).authors, first(RDF).abstract)


@pytest.mark.parametrize(
    "text", [json.dumps(CSL), json.dumps({"items": CSL}), "\n".join(map(json.dumps, CSL[:2])) + "\n{"]
)
def test_csl_json(text: str) -> None:
    name, found, problems = read(text)

    assert ("CSL-JSON", [("doi:10.1000/sand", "On Sand"), ("arxiv:2401.00004", "On Glass")]) == (name, found)
    assert ["item 3"] == [problem.where for problem in problems]
    assert ("Bo Li", "The Lab") == first(text).authors


def test_titles_that_begin_like_fields_are_a_plain_list() -> None:
    name, (papers, problems) = parse_references(b"RL - An Overview\nQA - From Tables\n2401.00005\n")

    assert ("plain", ()) == (name, problems)
    assert ["RL - An Overview", "QA - From Tables", "arxiv:2401.00005"] == [paper.title for paper in papers]


def test_a_line_that_begins_with_an_at_sign_is_a_title() -> None:
    name, (papers, problems) = parse_references(b"@home (a study)\n@scale (with care, and time) we train\n2401.00005\n")

    assert ("plain", ()) == (name, problems)
    assert ["@home (a study)", "@scale (with care, and time) we train", "arxiv:2401.00005"] == [p.title for p in papers]


def test_bibtex_may_have_parentheses() -> None:
    name, (papers, _) = parse_references(b"@article(moss,\n  title = {On Moss})\n")

    assert ("BibTeX", ["On Moss"]) == (name, [paper.title for paper in papers])


def test_a_plain_list_of_ids_and_titles() -> None:
    name, found, problems = read(PLAIN)

    assert "plain" == name
    assert [
        ("arxiv:2401.00005", "arxiv:2401.00005"),
        ("doi:10.1000/abc", "doi:10.1000/abc"),
        ("list:interests/attention to whales", "Attention to whales"),
        ("arxiv:2401.00006", "A title after an id"),
    ] == found
    assert (Problem("line 7", "has no title and no identifier"),) == problems


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_encodings_of_older_programs_are_understood(encoding: str) -> None:
    assert "On Müller cells" == read("@misc{m, title = {On Müller cells}}".encode(encoding))[1][0][1]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "is empty"),
        (b"%PDF-1.7 ...", "is no text"),
        (b"\x89PNG\0\0", "is no text"),
        (b"<html><body>hello</body></html>", "is XML, but not Zotero RDF"),
        (b"<rdf:RDF", "is not well-formed XML"),
        (b'<!DOCTYPE r [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><r>&b;</r>', "declares a document type"),
        (('<!DOCTYPE r [<!ENTITY f SYSTEM "file:///etc/passwd">]><r>&f;</r>').encode("utf-16"), "declares a document"),
    ],
)
def test_what_is_no_list_is_named(data: bytes, reason: str) -> None:
    _, found, problems = read(data)

    assert [] == found
    assert problems[0].message.startswith(reason)


@pytest.mark.parametrize(
    "text",
    [
        "@misc{h, title = {%s}}",
        "TY  - JOUR\nTI  - %s\nER  - \n",
        '[{"title": %s}]',
        "Title: %s",
    ],
)
def test_a_hostile_title_stays_one_line(text: str) -> None:
    # a text with a NUL is no text
    title = json.dumps(HOSTILE_TITLE) if "[{" in text else HOSTILE_TITLE.replace("\0", "")

    _, (papers, _) = parse_references((text % title).encode())

    assert papers
    assert all("\n" not in paper.title and "\0" not in paper.title for paper in papers)


@given(st.one_of(st.binary(max_size=300), st.text("@{}[]<>TYER - \n\"',=ab1", max_size=200).map(str.encode)))
def test_whatever_is_in_a_file_it_is_read_or_named(data: bytes) -> None:
    _, (papers, problems) = parse_references(data)

    assert all(paper.title and paper.key for paper in papers)
    assert all(problem.where and problem.message for problem in problems)


values = st.recursive(
    st.none() | st.integers() | st.text(max_size=9), lambda inner: st.lists(inner, max_size=3), max_leaves=5
)
fields = st.sampled_from(["title", "author", "DOI", "URL", "id"])


@given(st.lists(st.dictionaries(fields, values), max_size=4))
def test_fields_of_the_wrong_type_cost_their_item_at_most(items: list[dict[str, Any]]) -> None:
    name, (papers, problems) = parse_references(json.dumps(items).encode())

    assert "CSL-JSON" == name
    assert len(papers) + len(problems) <= len(items)
