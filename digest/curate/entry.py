"""A typed keyword entry → its pieces: phrases, fields, operators, signs, parentheses and weights, each with its column.

This is where people's spelling is understood before any grammar is: words in a row are one phrase, `C++` and `k-NN`
hold no operators, typographic quotation marks are quotation marks. Reads and writes nothing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from digest.errors import QueryError

#: far more than anybody types, and little enough for the recursion of a parser
LONGEST_ENTRY = 1000
DEEPEST_NESTING = 30
HEAVIEST = 100.0

#: the fields of the language by the name that is typed
FIELDS = ("title", "abstract", "author", "cat", "org", "topic")

_OPERATORS = frozenset({"AND", "OR", "NOT"})
_QUOTES = '"“”„'
_QUOTED = re.compile(rf"[{_QUOTES}]((?:\\.|[^{_QUOTES}\\])*)[{_QUOTES}]", re.DOTALL)
_WORD = re.compile(rf"[^\s(){_QUOTES}]+")
_FIELD = re.compile(r"([^\W\d_]+):")
_WEIGHT = re.compile(r"\^(-?[\d.,]*)\Z")
_WEIGHT_AFTER = re.compile(rf"\^([^\s(){_QUOTES}]*)")
_FUZZY = re.compile(r"~[\d.]*\Z")
_IN_QUOTES = "to search for the characters themselves, put the entry in quotation marks"

Kind = Literal["phrase", "field", "operator", "sign", "open", "close", "weight"]


@dataclass(frozen=True, slots=True)
class Piece:
    """One piece of an entry."""

    kind: Kind
    #: a phrase as typed without quotation marks and star; a field's name; an operator or sign as typed
    text: str
    #: its first character's place in the entry, from 1
    column: int
    #: the phrase stood in quotation marks
    quoted: bool = False
    #: the phrase ended in a star: its last word is the beginning of a word
    prefix: bool = False
    #: value of a weight, 0 < weight ≤ 100
    weight: float = 1.0


def pieces(entry: str) -> list[Piece]:
    """The pieces of an entry in the order typed; never empty.

    Raises:
        QueryError: the entry is empty or too long, or something in it cannot be a piece.
    """
    if not entry.strip():
        raise QueryError(entry, 1, "the entry is empty", hint="type a word or a phrase, or delete the entry")
    if len(entry) > LONGEST_ENTRY:
        raise QueryError(
            entry[:40] + "…",
            LONGEST_ENTRY + 1,
            f"the entry is longer than {LONGEST_ENTRY} characters",
            hint="make several entries of it",
        )
    return _Reader(entry).read()


class _Reader:
    """Reads one entry from left to right."""

    def __init__(self, entry: str) -> None:
        self.entry = entry
        self.at = 0
        self.found: list[Piece] = []
        #: places of the parentheses that are open
        self.opened: list[int] = []

    def read(self) -> list[Piece]:
        while self.at < len(self.entry):
            char = self.entry[self.at]
            if char.isspace():
                self._skip_space()
            elif char in "()":
                self._parenthesis(char)
            elif char in _QUOTES:
                self._quotation()
            else:
                self._word()
        if self.opened:
            raise self._error(self.opened[-1], "this parenthesis is never closed", "add the missing )")
        return self.found

    def _error(self, at: int, reason: str, hint: str) -> QueryError:
        return QueryError(self.entry, at + 1, reason, hint=hint)

    def _add(self, kind: Kind, text: str, at: int, *, quoted: bool = False, prefix: bool = False) -> None:
        self.found.append(Piece(kind, text, at + 1, quoted=quoted, prefix=prefix))

    def _parenthesis(self, char: str) -> None:
        if char == "(":
            self.opened.append(self.at)
            if len(self.opened) > DEEPEST_NESTING:
                raise self._error(self.at, "parentheses are nested too deeply", "make several entries of it")
        elif self.opened:
            self.opened.pop()
        else:
            raise self._error(self.at, "this parenthesis was never opened", "add the missing (, or remove it")
        self._add("open" if char == "(" else "close", char, self.at)
        self.at += 1
        if char == ")":
            self._weight_after()

    def _quotation(self) -> None:
        quotation = _QUOTED.match(self.entry, self.at)
        if quotation is None:
            raise self._error(self.at, "this quotation mark is never closed", 'add the missing "')
        self._add("phrase", re.sub(r"\\(.)", r"\1", quotation[1]), self.at, quoted=True)
        self.at = quotation.end()
        self._weight_after()

    def _weight_after(self) -> None:
        if weight := _WEIGHT_AFTER.match(self.entry, self.at):
            self._weight(weight[1], self.at)
            self.at = weight.end()

    def _weight(self, text: str, at: int) -> None:
        try:
            weight = float(text)
        except ValueError:
            weight = 0.0
        if not 0.0 < weight <= HEAVIEST:
            reason = f"the weight {text!r} is not a number above 0 and up to {HEAVIEST:g}"
            raise self._error(at, reason, f"write ^2 for twice as important; {_IN_QUOTES}")
        self.found.append(Piece("weight", text, at + 1, weight=weight))

    def _word(self) -> None:
        word = self._peek()
        if word in _OPERATORS:
            self._add("operator", word, self.at)
            self.at += len(word)
        elif word[0] in "+-":
            self._sign(word[0])
        elif field := _FIELD.match(word):
            self._field(field[1])
        else:
            self._phrase()

    def _peek(self) -> str:
        found = _WORD.match(self.entry, self.at)
        return found[0] if found else ""

    def _sign(self, sign: str) -> None:
        follower = self.entry[self.at + 1 : self.at + 2]
        if not follower.strip() or follower in ")+-":
            raise self._error(
                self.at, f"nothing follows this {sign}", f"write {sign}word without a space; {_IN_QUOTES}"
            )
        self._add("sign", sign, self.at)
        self.at += 1

    def _field(self, name: str) -> None:
        names = ", ".join(f"{field}:" for field in FIELDS)
        if name.lower() not in FIELDS:
            raise self._error(self.at, f"there is no field {name!r}", f"the fields are {names}; {_IN_QUOTES}")
        if self.found and self.found[-1].kind == "field":
            raise self._error(self.at, f"nothing follows the field {self.found[-1].text!r}", "write field:word")
        self._add("field", name.lower(), self.at)
        self.at += len(name) + 1

    def _phrase(self) -> None:
        """Words in a row, up to a star, a weight, or anything that is no plain word. A category is one word."""
        start = end = self.at
        one_word = bool(self.found) and self.found[-1].kind == "field" and self.found[-1].text == "cat"
        weight, prefix = None, False
        while self._plain(word := self._peek()):
            weight = _WEIGHT.search(word)
            text = word[: weight.start()] if weight else word
            self._check_marks(text)
            prefix = text.endswith("*")
            end = self.at + len(text)
            self.at += len(word)
            if weight or prefix or one_word:
                break
            self._skip_space()
        if prefix and not weight and not one_word:
            self._check_star_is_last(end - 1)
        self._add("phrase", self.entry[start:end].rstrip("*"), start, prefix=prefix)
        if weight:
            self._weight(weight[1], end)

    def _check_marks(self, text: str) -> None:
        """Refuse the marks of Lucene that are not understood, where they would otherwise be overlooked."""
        if _FUZZY.search(text):
            at = self.at + text.rindex("~")
            raise self._error(at, "there is no search for similar spellings (~)", f"remove the ~; {_IN_QUOTES}")
        if text.startswith("*"):
            raise self._error(self.at, "a star cannot begin a word", f"write the beginning of the word; {_IN_QUOTES}")

    def _check_star_is_last(self, at: int) -> None:
        self._skip_space()
        if self._plain(self._peek()):
            hint = "write word* AND other, or put a star that is part of the name in quotation marks"
            raise self._error(at, "a star can only end a phrase", hint)

    def _skip_space(self) -> None:
        while self.entry[self.at : self.at + 1].isspace():
            self.at += 1

    @staticmethod
    def _plain(word: str) -> bool:
        return bool(word) and word not in _OPERATORS and word[0] not in "+-" and not _FIELD.match(word)
