r"""The keyword language: one entry of a subscriber's list → a `Query`.

    mixture of experts            words in a row are a phrase; also matched in other forms, in other words' company
    "mixture of experts"          in quotation marks: these words, nothing looser
    transform*                    words that begin so
    title:agents                  also abstract: author: cat: org: topic:
    author:"Yann LeCun"           also finds “LeCun, Yann” and “Y. LeCun”
    cat:cs.CL  cat:cs.*           one category; a whole archive
    diffusion AND (image OR video)    AND, OR and NOT in capitals; side by side means AND, joined last of all
    reasoning^2                   counts twice, 0 < weight ≤ 100
    -survey  NOT survey           leading: papers that match are left out of the digest
    +cat:cs.CL                    leading: papers that do not match are left out

Lucene's syntax, parsed by luqum (https://luqum.readthedocs.io/), with one difference: Lucene joins words in a row
by OR. Reads and writes nothing.
"""

from __future__ import annotations

import bisect
import functools
import itertools
import re
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from luqum import tree
from luqum.exceptions import ParseError

from digest.curate.entry import Piece, pieces
from digest.curate.lucene import parse_lucene
from digest.curate.words import STOP_WORDS, words
from digest.errors import QueryError

#: where a phrase may be looked for, in the words of `Match.fields`
Field: TypeAlias = Literal["title", "abstract", "author", "category", "organization", "topic"]

_FIELDS: dict[str, Field] = {
    "title": "title",
    "abstract": "abstract",
    "author": "author",
    "cat": "category",
    "org": "organization",
    "topic": "topic",
}


@dataclass(frozen=True, slots=True)
class Phrase:
    """Words to be found next to each other."""

    #: folded by `words`; a category's code in small letters as the only word
    words: tuple[str, ...]
    #: None: title, abstract and topics
    where: Field | None = None
    #: the last word is only the beginning of one
    prefix: bool = False
    #: only these words, singular or plural; otherwise also other forms, spellings, acronyms, and the words near by
    exact: bool = False
    #: as typed, for people
    text: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class And:
    """All parts match; parts that are `Not` must not."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """At least one part matches."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """The part does not match; stands only inside an `And` with a part that is not a `Not`."""

    part: Node


@dataclass(frozen=True, slots=True)
class Boost:
    """The part matches, and counts `weight` times."""

    part: Node
    #: 0 < weight ≤ 100
    weight: float


Node: TypeAlias = Phrase | And | Or | Not | Boost


@dataclass(frozen=True, slots=True)
class Query:
    """One entry, understood."""

    #: as typed
    entry: str
    #: what is looked for; of an excluding entry, what is unwanted. Never a `Not`
    node: Node
    #: papers that match are left out
    excludes: bool = False
    #: papers that do not match are left out
    required: bool = False


@functools.lru_cache(maxsize=65_536)
def parse(entry: str) -> Query:
    """What an entry of the keyword language asks for.

    >>> parse("Mixture of Experts").node
    Phrase(words=('mixture', 'of', 'experts'), where=None, prefix=False, exact=False, text='Mixture of Experts')
    >>> parse("-survey").excludes
    True

    Raises:
        QueryError: the entry cannot be understood, with the column, the reason and what to type instead.
    """
    return _Parser(entry).parse()


class _Parser:
    """Hands an entry's pieces to luqum under short names, and makes nodes of what it answers."""

    def __init__(self, entry: str) -> None:
        self.entry = entry
        self.pieces = pieces(entry)
        names = [_lucene(number, piece) for number, piece in enumerate(self.pieces)]
        self.lucene = " ".join(names)
        #: where each piece begins in `lucene`
        self.starts = [0, *itertools.accumulate(len(name) + 1 for name in names[:-1])]

    def parse(self) -> Query:
        try:
            root = parse_lucene(self.lucene)
        except ParseError as error:
            raise self._misplaced(str(error)) from None
        node = self._node(root, None)
        if isinstance(node, Not):
            return Query(self.entry, node.part, excludes=True)
        return Query(self.entry, node, required=_is_required(root))

    def _node(self, item: Any, where: Field | None) -> Node:
        if isinstance(item, tree.Word):
            return self._phrase(self.pieces[int(item.value[1:])], where)
        if isinstance(item, tree.SearchField):
            return self._node(item.expr, _FIELDS[item.name])
        if isinstance(item, tree.Not | tree.Prohibit):
            return Not(self._wanted(item.a, where))
        if isinstance(item, tree.Boost):
            return Boost(self._wanted(item.expr, where), self.pieces[int(item.force)].weight)
        if isinstance(item, tree.OrOperation):
            return Or(tuple(self._wanted(part, where) for part in item.operands))
        if isinstance(item, tree.AndOperation | tree.UnknownOperation):
            return _all_of(tuple(self._node(part, where) for part in item.operands))
        return self._node(item.children[0], where)  # a group or a plus sign

    def _wanted(self, item: Any, where: Field | None) -> Node:
        """A part that has to name something: of all papers but some there is no best one."""
        node = self._node(item, where)
        if isinstance(node, Not):
            raise QueryError(
                self.entry,
                self._piece_at(item.pos).column,
                "an exclusion stands where something to search for is needed",
                hint="exclude from something (word AND NOT other), or make the exclusion an entry of its own",
            )
        return node

    def _phrase(self, piece: Piece, where: Field | None) -> Phrase:
        text = piece.text.strip()
        if where == "category":
            return self._category(piece, text)
        folded = tuple(words(text))
        if not folded:
            hint = "type at least one letter or digit"
            raise QueryError(self.entry, piece.column, f"there is no word in {text!r}", hint=hint)
        begins = piece.prefix and len(folded) == 1 and len(text) > 1  # over* is not about “over”
        free = where in {None, "title", "abstract"} and text == text.lower()
        if free and not begins and STOP_WORDS.issuperset(folded):
            hint = "add a word that says what about; write an acronym in capitals"
            raise QueryError(self.entry, piece.column, f"{text!r} is in every paper", hint=hint)
        return Phrase(folded, where, prefix=piece.prefix, exact=piece.quoted, text=text)

    def _category(self, piece: Piece, text: str) -> Phrase:
        if not text or re.search(r"\s", text):
            hint = "write cat:cs.CL, or cat:(cs.CL OR cs.LG)"
            raise QueryError(self.entry, piece.column, f"{text!r} is not one category", hint=hint)
        return Phrase((text.lower(),), "category", prefix=piece.prefix, exact=True, text=text)

    def _misplaced(self, message: str) -> QueryError:
        """What luqum could not place: it names the offset, or else the entry ends too soon."""
        offset = re.search(r"at position (\d+)", message)
        if offset is None:
            last = self.pieces[-1]
            hint = f"write something after {last.text}"
            return QueryError(self.entry, last.column, f"nothing follows {last.text!r}", hint=hint)
        piece = self._piece_at(int(offset[1]))
        hint = "AND and OR need something on both sides; in small letters they are words of a phrase"
        return QueryError(self.entry, piece.column, f"{piece.text!r} cannot stand here", hint=hint)

    def _piece_at(self, offset: int) -> Piece:
        return self.pieces[bisect.bisect_right(self.starts, offset) - 1]


def _lucene(number: int, piece: Piece) -> str:
    if piece.kind == "phrase":
        return f"w{number}"
    if piece.kind == "weight":
        return f"^{number}"
    return f"{piece.text}:" if piece.kind == "field" else piece.text


def _all_of(parts: tuple[Node, ...]) -> Node:
    """`And`; of exclusions alone (`-a -b`), the exclusion of any."""
    unwanted = tuple(part.part for part in parts if isinstance(part, Not))
    return Not(Or(unwanted)) if len(unwanted) == len(parts) else And(parts)


def _is_required(root: Any) -> bool:
    """Whether a plus sign stands before everything that is not excluded: `+a`, `+a +b`, `+a -b`."""
    parts = root.operands if isinstance(root, tree.UnknownOperation) else [root]
    wanted = [part for part in parts if not isinstance(part, tree.Not | tree.Prohibit)]
    return all(isinstance(part, tree.Plus) for part in wanted)
