"""Papers that an entry matches, among all → the phrases that would narrow it. Pure."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from digest.curate.words import STOP_WORDS, singular, words

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from digest.model import Paper

#: most words of a phrase; those of more are seldom shared
_LONGEST = 3
#: a phrase that fewer papers have narrows to an accident
_FEWEST = 3
#: words that begin with so many equal letters are taken for forms of one word
_AKIN = 3
#: what one that is as usual among all papers counts, so that there is a choice even if everything matches
_USUAL = 0.05


@dataclass(frozen=True, slots=True)
class Narrower:
    """A phrase that would leave a part of the papers."""

    #: folded words, as a keyword is typed
    phrase: str
    #: how many of the papers have it in title or abstract
    papers: int


def narrower(entry: str, matching: Sequence[Paper], papers: Sequence[Paper], *, n: int) -> list[Narrower]:
    """At most `n` phrases that some of the matching papers have, best first.

    At least three of them and at most half have each, and no more of all papers than the entry matches. The best are
    had by many of them, and by more of them than of all papers: count · ln(share / share of all).

    Args:
        entry: as typed; its own words in another form are no such phrase.
        matching: what it matches.
        papers: all papers, those among them.
        n: how many.
    """
    among, everywhere = Counter(_each(matching)), Counter(_each(papers))
    values = {
        phrase: count * (_USUAL + math.log(count / len(matching) / (everywhere[phrase] / len(papers))))
        for phrase, count in among.items()
        if _FEWEST <= count <= len(matching) / 2 and everywhere[phrase] <= len(matching)
    }
    said, chosen = [_stubs(words(entry))], list[tuple[str, ...]]()
    for phrase in sorted(values, key=lambda phrase: (-values[phrase], -len(phrase), phrase)):
        if len(chosen) == n:
            break
        stubs = _stubs(phrase)
        if not stubs <= said[0] and not any(stubs <= other or other <= stubs for other in said[1:]):
            chosen.append(phrase)
            said.append(stubs)
    return [Narrower(" ".join(phrase), among[phrase]) for phrase in chosen]


def _stubs(phrase: Iterable[str]) -> set[str]:
    """What forms of one word have in common, roughly."""
    return {word[:_AKIN] for word in phrase}


def _each(papers: Iterable[Paper]) -> Iterator[tuple[str, ...]]:
    """The phrases of every paper, each once for a paper."""
    for paper in papers:
        yield from {phrase for text in (paper.title, paper.abstract) for phrase in _phrases(text)}


def _phrases(text: str) -> Iterator[tuple[str, ...]]:
    """Two words or three that neither begin nor end with a small one; plurals folded."""
    found = [singular(word) for word in words(text)]
    for length in range(2, _LONGEST + 1):
        for start in range(len(found) - length + 1):
            phrase = tuple(found[start : start + length])
            if phrase[0] not in STOP_WORDS and phrase[-1] not in STOP_WORDS:
                yield phrase
