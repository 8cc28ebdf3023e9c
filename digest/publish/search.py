"""Records → an index that a page without a server searches, in script files. Pure.

    search/papers-N.js   digestIndex("papers-N", [[file name, title, authors, day], …])     papers N·1000 … N·1000+999
    search/words-AB.js   digestIndex("words-AB", {word: [step, weight, step, weight, …]})   words that begin with AB

Scripts, because a page opened from a folder may load them, and nothing else. A page loads the two or three files that
hold what is asked. Papers are numbered in the order in which they came, so that what is new changes few files; a step
is the distance to the number before. Words are folded here as in `templates/web/search.js`.
"""

from __future__ import annotations

import json
import re
import unicodedata
from array import array
from collections import defaultdict
from typing import TYPE_CHECKING

from digest.publish.names import paper_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from digest.languages.language import Language
    from digest.publish.record import Record

#: papers in one file
SHARD = 1000
#: words that nobody looks for
SMALL = frozenset(
    {"a", "an", "and", "are", "as", "at", "be", "by", "can", "do", "for", "from", "has", "have", "in", "is", "it"}
    | {"of", "on", "or", "our", "that", "the", "this", "to", "we", "with"}
)
#: from so many papers on, files of words go by two letters
_MANY = 3000
#: how much a word counts by where it stands
_TITLE, _NAME, _ABSTRACT = 5, 3, 1
_MOST_NAMES = 3
_EACH_ALONE = re.compile("[\u3040-\u30ff\u3400-\u9fff]")
_WORD = re.compile(r"[^\W_]+")
_ASCII = re.compile("[a-z0-9]+")


class SearchIndex:
    """The index, filled paper by paper, the oldest first; it finds words of all languages, and names days in one."""

    def __init__(self, language: Language) -> None:
        self._language = language
        self._papers: list[tuple[str, str, str, str]] = []
        #: by word, numbers and weights of the papers that have it, in turn
        self._words: defaultdict[str, array[int]] = defaultdict(lambda: array("i"))

    def __len__(self) -> int:
        return len(self._papers)

    def add(self, one: Record) -> None:
        """Add a paper."""
        weights: defaultdict[str, int] = defaultdict(int)
        title, names = (
            one.title_in(self._language),
            (*one.authors, one.paper.organization, *one.paper.categories, *one.paper.ai_keywords),
        )
        for weight, texts in ((_TITLE, (title,)), (_NAME, names), (_ABSTRACT, (one.abstract,))):
            for word in {word for text in texts for word in words(text)}:
                weights[word] += weight
        number = len(self._papers)
        for word, weight in weights.items():
            self._words[word].extend((number, weight))
        day = self._language.long_day(one.edition) if one.edition else ""
        authors = self._language.listed(one.authors, _MOST_NAMES)
        self._papers.append((paper_name(one.paper.key), title, authors, day))

    @property
    def width(self) -> int:
        """How many letters a file of words goes by."""
        return 1 if len(self) < _MANY else 2

    def files(self) -> Iterator[tuple[str, bytes]]:
        """Name, without folder, and contents of every file."""
        for start in range(0, len(self), SHARD):
            yield _script(f"papers-{start // SHARD}", self._papers[start : start + SHARD])
        files: defaultdict[str, dict[str, list[int]]] = defaultdict(dict)
        for word in sorted(self._words):
            files[_file(word, self.width)][word] = _steps(self._words[word])
        for name, known in sorted(files.items()):
            yield _script(name, known)


def words(text: str) -> list[str]:
    """What is looked for, in order: without accents, case and plural.

    >>> words("Mixtures of Éxperts in C, 混合")
    ['mixture', 'expert', '混', '合']
    """
    if text.isascii():
        folded = text.lower()  # nearly always, and five times as fast
    else:
        folded = "".join(c for c in unicodedata.normalize("NFKD", text) if unicodedata.category(c)[0] != "M").lower()
    found = _WORD.findall(_EACH_ALONE.sub(r" \g<0> ", folded))
    return [_singular(word) for word in found if (len(word) > 1 or word > "\x7f") and word not in SMALL]


def _singular(word: str) -> str:
    if len(word) > 3 and word[-1] == "s" and word[-2] not in "su":
        return word[:-3] + "y" if word.endswith("ies") else word[:-1]
    return word


def _file(word: str, width: int) -> str:
    first = word[:width]
    return f"words-{first}" if _ASCII.fullmatch(first) else f"words-u{ord(word[0]) >> 8:x}"


def _steps(entries: array[int]) -> list[int]:
    numbers = entries[::2]
    before = (0, *numbers[:-1])
    return [
        part
        for here, there, weight in zip(numbers, before, entries[1::2], strict=True)
        for part in (here - there, weight)
    ]


def _script(name: str, contents: list[tuple[str, str, str, str]] | Mapping[str, list[int]]) -> tuple[str, bytes]:
    written = json.dumps(contents, separators=(",", ":")).replace("<", "\\u003c")
    return f"{name}.js", f'digestIndex("{name}",{written});\n'.encode("ascii")
