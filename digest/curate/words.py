r"""Text → the words it is compared by: the same for papers and for keywords, whatever they were typed with.

Case, accents, hyphens, TeX and Greek letters make no difference: `$\beta$-VAE`, `β-VAE` and `Beta VAE` are the words
`beta vae`; `S$^{2}$FT`, `S²FT` and `S^2FT` are `s2ft`; `Andr\'e` is `andre`; `don't` is `dont`. Plus and hash signs
count after a single letter (`C++`, `C#`), a full stop before a name (`.NET` is `dotnet`, so that it is not a net).
Stemming is left to the index. Reads and writes nothing.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Iterator

#: what may stand inside a word without ending it: TeX accents and braces, `$`, `^`, `_` before a digit, apostrophes,
#: combining marks, soft hyphens and other invisible characters
_GLUE = r"""(?:\\['`"^~=.]|\\[Hbcdkruv]\s*(?=\{)|[{}$^'’\u0300-\u036f\u00ad\u200b-\u200d\u2060]|_(?=\{?\d))"""
_LETTER = r"[^\W_]"
_WORD = re.compile(
    rf"""
    \\[A-Za-z]+\s*\{{                               # a TeX command with an argument: dropped, the argument stays
    | \\[A-Za-z]+                                   # a TeX command without one: \beta
    | (?<!{_LETTER})[A-Za-z](?:\+\+|\#)(?!{_LETTER})  # C++, C#
    | (?:(?<=[\s(])|^)\.[A-Za-z]{_LETTER}*          # .NET
    | {_LETTER}(?:{_LETTER}|{_GLUE}+(?={_LETTER}))*
    """,
    re.VERBOSE,
)
_IN_WORD = re.compile(_GLUE)
#: what makes words more than letters and digits in a row; without any of it, an ASCII text is read in half of the time
_SPECIAL = re.compile(r"""[\\{}$^'`+#_]""")
_DOTTED = re.compile(r"\.(?:(?<=[\s(]\.)|(?<=^\.))[A-Za-z]")
_PLAIN_WORD = re.compile(r"[A-Za-z0-9]+")

_GREEK = map(chr, (*range(0x3B1, 0x3C2), *range(0x3C3, 0x3CA)))
#: letters that Unicode does not decompose, and the Greek ones by their names
_FOLDED = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i"}
    | {letter: unicodedata.name(letter).split()[-1].lower() for letter in _GREEK}
)


def words(text: str) -> list[str]:
    """The folded words of a text, in order.

    >>> words("Mixture-of-Experts for β-VAE: S$^2$FT in C++")
    ['mixture', 'of', 'experts', 'for', 'beta', 'vae', 's2ft', 'in', 'c++']
    """
    if _is_plain(text):
        return _PLAIN_WORD.findall(text.lower())
    return [word for word in map(_fold, _WORD.findall(text)) if word]


def spans(text: str) -> Iterator[tuple[int, int]]:
    """Start (inclusive) and end (exclusive) in `text` of every word that `words` gives, in the same order."""
    if _is_plain(text):
        return (found.span() for found in _PLAIN_WORD.finditer(text))
    return (found.span() for found in _WORD.finditer(text) if _fold(found[0]))


def _is_plain(text: str) -> bool:
    return text.isascii() and not _SPECIAL.search(text) and not _DOTTED.search(text)


@functools.lru_cache(maxsize=65_536)
def _fold(piece: str) -> str:
    if piece.isascii() and piece.isalnum():
        return piece.lower()
    if piece.startswith("\\"):
        return "" if piece.endswith("{") else piece[1:].lower()
    if piece.startswith("."):
        piece = "dot" + piece[1:]
    if piece.endswith(("+", "#")):
        return piece.lower()
    # Cherokee is folded to capitals (Unicode Standard, 5.18)
    plain = unicodedata.normalize("NFKD", _IN_WORD.sub("", piece)).casefold().lower().translate(_FOLDED)
    return "".join(char for char in plain if char.isalnum())


@functools.lru_cache(maxsize=65_536)
def singular(word: str) -> str:
    """The word without the ending of a regular English plural; at worst something no reader sees.

    >>> [singular(word) for word in ("experts", "queries", "losses", "analysis", "gas")]
    ['expert', 'query', 'loss', 'analysis', 'gas']
    """
    if len(word) < 4 or not word.endswith("s") or word.endswith(("ss", "us", "is")):
        return word
    if word.endswith("ies"):
        return word[:-3] + "y"
    return word[:-2] if word.endswith(("sses", "xes", "ches", "shes")) else word[:-1]


#: words that carry no subject: never a keyword of their own, and not asked for when words are matched loosely
STOP_WORDS = frozenset(
    words(
        "a an and are as at be been but by can for from has have how in into is it its more most no not of on or our"
        " over such than that the their these they this those through to up use used using via was we were what when"
        " which while who why will with without you your"
    )
)


def subject_words(text: str) -> frozenset[str]:
    """The words of a text that carry its subject, in the singular.

    >>> sorted(subject_words("On the Routing of Experts"))
    ['expert', 'routing']
    """
    return frozenset(map(singular, words(text))) - STOP_WORDS
