"""One phrase or boolean node → how strongly it speaks for each paper of a batch. Every node is computed once.

    in these words                 1      three quarters of it for the words as typed, one for their stems
    spelled otherwise              1      `fine-tuning`, `finetuning`; whichever is more
    as an acronym, or its meaning  0.5    `MoE`, `mixture of experts`, if a paper of the batch says so
    words near each other          0.5    + for each word what it would count alone
    words of it anywhere           0.2    the same; this is no match, only a hint which of the matches are better
    the same in other words        see `semantic`; no match either, and only where there is a model

A value is this times term frequency times rarity (see `index`); values of a subscriber's entries are added up.
"""

from __future__ import annotations

import functools
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from typing import get_args

from digest.curate.acronyms import acronyms
from digest.curate.index import Column, Table, TextIndex
from digest.curate.names import AuthorIndex, CategoryIndex
from digest.curate.query import And, Boost, Field, Node, Not, Or, Phrase
from digest.curate.semantic import Meanings
from digest.curate.words import STOP_WORDS, singular
from digest.model import Paper

# Round numbers, measured as told in `rank`: half or double of any moves nDCG@10 (0.902) by less than 0.015.
_STEMMED = 0.25
_ACRONYM = 0.5
_NEAR = 0.5
_ANYWHERE = 0.2
#: an author or organization is named on purpose, as a title is; a category is a large drawer
_AUTHOR = 0.8
_CATEGORY = 0.4
#: nodes kept in memory, the latest used, for those they are parts of; one on a thousand papers takes 10 to 60 kB. What
#: whole entries say is kept as vectors
_REMEMBERED = 128

_COLUMNS: Mapping[Field | None, tuple[Column, ...]] = {
    None: ("title", "abstract", "topic"),
    "title": ("title",),
    "abstract": ("abstract",),
    "topic": ("topic",),
    "organization": ("organization",),
}
_FIELD_ORDER: tuple[Field, ...] = get_args(Field)


@dataclass(frozen=True, slots=True)
class Evidence:
    """What speaks for the papers of a batch, by their numbers."""

    #: papers that match
    matched: AbstractSet[int]
    #: above 0; every matched paper, and papers that only share words
    values: Mapping[int, float]


class EvidenceIndex:
    """The papers of a batch, ready to be asked by nodes of the keyword language."""

    def __init__(self, papers: Sequence[Paper], meanings: Meanings | None = None) -> None:
        """Index the papers.

        Args:
            papers: of the run.
            meanings: the same papers by their vectors; None: only words count.
        """
        self.text = TextIndex(papers)
        self._meanings = meanings
        self._authors = AuthorIndex(papers)
        self._categories = CategoryIndex(papers)
        self._acronyms = acronyms(text for paper in papers for text in (paper.title, paper.abstract))
        self._known = functools.lru_cache(maxsize=_REMEMBERED)(self._compute)
        self._other_forms = functools.lru_cache(maxsize=_REMEMBERED)(self._find_other_forms)

    def of(self, node: Node) -> Evidence:
        """What the node speaks for."""
        return self._known(node)

    def _compute(self, node: Node) -> Evidence:
        if isinstance(node, Phrase):
            return self._phrase(node)
        if isinstance(node, Boost):
            part = self.of(node.part)
            return Evidence(part.matched, {number: value * node.weight for number, value in part.values.items()})
        if isinstance(node, Or):
            return _any_of([self.of(part) for part in node.parts])
        if isinstance(node, And):
            return self._all_of(node)
        raise TypeError(f"{node!r} stands outside an And")

    def _all_of(self, node: And) -> Evidence:
        wanted = [self.of(part) for part in node.parts if not isinstance(part, Not)]
        matched = set(wanted[0].matched).intersection(*(part.matched for part in wanted[1:]))
        for part in node.parts:
            if isinstance(part, Not):
                matched -= self.exactly(part.part)
        return Evidence(matched, {number: sum(part.values[number] for part in wanted) for number in matched})

    def exactly(self, node: Node) -> AbstractSet[int]:
        """The papers that have the words of the node as typed: what an exclusion leaves out.

        Nothing looser, since nobody sees what an exclusion took away: `-general` must not cost a paper on generation.
        """
        return self.of(_as_typed(node)).matched

    def almost(self, node: Node) -> Mapping[int, float]:
        """Papers that do not match but have most of the node's words, and what those count."""
        phrases = [phrase for phrase in _phrases(node) if phrase.where not in {"author", "category"}]
        asked = {word: phrase for phrase in phrases for word in phrase.words if word not in STOP_WORDS}
        values: defaultdict[int, list[float]] = defaultdict(list)
        for word, phrase in asked.items():
            for number, value in self._in_these_words(Phrase((word,), phrase.where), [word]).items():
                values[number].append(value)
        matched = self.of(node).matched
        return {n: sum(found) for n, found in values.items() if n not in matched and 2 * len(found) > len(asked)}

    # --- one phrase -------------------------------------------------------------------------------------------------

    def _phrase(self, phrase: Phrase) -> Evidence:
        if phrase.where == "author":
            return self._named(self._authors.find(phrase.words, prefix=phrase.prefix), _AUTHOR)
        if phrase.where == "category":
            return self._named(self._categories.find(phrase.words[0], prefix=phrase.prefix), _CATEGORY)
        values = self._in_these_words(phrase, phrase.words)
        for other, factor in self._other_forms(phrase):
            for number, value in self._in_these_words(phrase, other).items():
                values[number] = max(values.get(number, 0.0), factor * value)
        return self._with_company(phrase, values)

    def _named(self, found: Mapping[int, object], value: float) -> Evidence:
        value *= self.text.rarity(len(found))
        return Evidence(found.keys(), dict.fromkeys(found, value))

    def _in_these_words(self, phrase: Phrase, text: Sequence[str]) -> dict[int, float]:
        columns = _COLUMNS[phrase.where]
        typed = self.text.score("typed", text, columns, prefix=phrase.prefix)
        if phrase.exact or phrase.prefix:
            return typed
        values = {number: (1 - _STEMMED) * value for number, value in typed.items()}
        for number, value in self.text.score("stemmed", text, columns, prefix=False).items():
            values[number] = values.get(number, 0.0) + _STEMMED * value
        return values

    def _find_other_forms(self, phrase: Phrase) -> list[tuple[tuple[str, ...], float]]:
        """Words that mean the same, and what they count."""
        if phrase.exact or phrase.prefix:
            return []
        respelled = [form for form in _respelled(phrase.words) if self.text.has(form)]
        meant = self._acronyms.get(tuple(map(singular, phrase.words)), frozenset())
        return [(form, 1.0) for form in respelled] + [(form, _ACRONYM) for form in sorted(meant)]

    def _with_company(self, phrase: Phrase, values: dict[int, float]) -> Evidence:
        company = _company(phrase)
        near = self.text.near(company, _COLUMNS[phrase.where]) if company else set()
        matched = values.keys() | near
        for word in company:
            for number, value in self._in_these_words(phrase, [word]).items():
                values[number] = values.get(number, 0.0) + value * (_NEAR if number in near else _ANYWHERE)
        return Evidence(matched, self._with_meaning(phrase, values))

    def _with_meaning(self, phrase: Phrase, values: dict[int, float]) -> dict[int, float]:
        for number, value in self._meaning(phrase).items():
            values[number] = values.get(number, 0.0) + value
        return values

    def _meaning(self, phrase: Phrase) -> Mapping[int, float]:
        """What the vectors say; nothing for a phrase in quotation marks or of a field, which wants its words."""
        if self._meanings is None or phrase.where is not None or phrase.exact or phrase.prefix:
            return {}
        return self._meanings.like(phrase.text or " ".join(phrase.words))

    def meant(self, node: Node) -> AbstractSet[int]:
        """Papers that are more like what a phrase of the node says than most, in whatever words."""
        return {number for phrase in _phrases(node) for number in self._meaning(phrase)}

    # --- where it stands --------------------------------------------------------------------------------------------

    def places(self, node: Node, number: int) -> list[tuple[Field, str]]:
        """Field and surface text of everything in one paper that the node matched; titles first, without repeats."""
        found = dict.fromkeys(place for phrase in _phrases(node) for place in self._places(phrase, number))
        return sorted(found, key=lambda place: _FIELD_ORDER.index(place[0]))

    def _places(self, phrase: Phrase, number: int) -> Iterable[tuple[Field, str]]:
        if phrase.where == "author":
            names = self._authors.find(phrase.words, prefix=phrase.prefix)
            return [("author", name) for name in names.get(number, ())]
        if phrase.where == "category":
            codes = self._categories.find(phrase.words[0], prefix=phrase.prefix)
            return [("category", code) for code in codes.get(number, ())]
        forms = [phrase.words, *(form for form, _ in self._other_forms(phrase))]
        table: Table = "typed" if phrase.exact or phrase.prefix else "stemmed"
        return self.text.pieces(number, table, forms, _company(phrase), _COLUMNS[phrase.where], prefix=phrase.prefix)


def _company(phrase: Phrase) -> list[str]:
    """The words of a loose phrase that may also stand apart; none if that would leave a single one."""
    if phrase.exact or phrase.prefix:
        return []
    company = [word for word in dict.fromkeys(phrase.words) if word not in STOP_WORDS]
    return company if len(company) > 1 else []


def _respelled(phrase: tuple[str, ...]) -> list[tuple[str, ...]]:
    """The phrase with two neighbours written as one word (`fine tuning`), or one word as two (`finetuning`)."""
    joined = [(*phrase[:i], phrase[i] + phrase[i + 1], *phrase[i + 2 :]) for i in range(len(phrase) - 1)]
    word = phrase[0]
    split = [(word[:i], word[i:]) for i in range(2, len(word) - 1)] if len(phrase) == 1 else []
    return joined + split


def _any_of(parts: Sequence[Evidence]) -> Evidence:
    """The strongest part counts: alternatives are ways to say the same."""
    values: defaultdict[int, float] = defaultdict(float)
    for part in parts:
        for number, value in part.values.items():
            values[number] = max(values[number], value)
    return Evidence(set().union(*(part.matched for part in parts)), values)


def _phrases(node: Node) -> Iterable[Phrase]:
    """The phrases that a match can consist of."""
    if isinstance(node, Phrase):
        return [node]
    if isinstance(node, Not):
        return []
    parts = [node.part] if isinstance(node, Boost) else node.parts
    return [phrase for part in parts for phrase in _phrases(part)]


def _as_typed(node: Node) -> Node:
    if isinstance(node, Phrase):
        return replace(node, exact=True)
    if isinstance(node, Not | Boost):
        return replace(node, part=_as_typed(node.part))
    return replace(node, parts=tuple(_as_typed(part) for part in node.parts))
