"""What a reader brought and liked → phrases that would make good keywords. Pure.

A phrase is one to four words in a row that begin and end with a word that carries a subject. It is worth
n · log(lift) · (1 + 0.4 for each further word), where n is how many of the reader's papers have it, those wanted less
taken off, and lift is how much more often they do than the papers of the archive (pointwise mutual information,
weighted by number as Manning and Schütze 1999 §5.4 advise, since rare words win it otherwise). Of phrases that stand in
much the same papers the one worth most is kept. First come the words of which the reader wants more; with those of
which they want less, or none, no phrase is proposed.
"""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from digest.curate.profile import weighed_texts
from digest.curate.words import STOP_WORDS, singular, words

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from digest.curate.profile import Told
    from digest.model import Paper

_LONGEST = 4
#: what a further word adds to a phrase's worth: “graph neural network” says more than “graph”
_LONGER = 0.4
#: how much more often the reader's papers have it, at least
_LEAST_LIFT = 2.0
#: the archive counts as if it had this many further papers, in one of which the phrase stands
_BACKGROUND = 100
#: phrases of which the smaller's papers are shared so far say the same
_SAME = 0.6
#: of a reader's papers, so many have a phrase that is no chance; with fewer than that many papers, one of them
_FEWEST, _FEW_PAPERS = 2, 4
#: of more texts, the weightiest are read
_MOST_TEXTS = 2_000

_BREAK = re.compile(r"[.,;:!?()\[\]“”\"—–]+(?:\s|$)|[()\[\]“”\"]|\s[—–-]+\s")
#: at the end of a keyword: how much it counts
_WEIGHT = re.compile(r"\^[\d.]+$")
#: what papers of any subject say of themselves
_OF_ANY = frozenset(
    map(
        singular,
        words(
            "able achieve achieves across address addresses advance advances advent after aim all allow allows also"
            " amount analysis analyze another any application applications approach approaches art available base"
            " based baseline baselines benchmark benchmarks better both build builds built call called case"
            " challenge challenges code compare compared comparison competitive comprehensive consider current"
            " data dataset datasets demonstrate demonstrates design develop development different directly due"
            " during each effect effective effectively effectiveness effects efficient efficiently enable enables"
            " evaluate evaluation every existing experiment experimental experiments explore extensive few field"
            " find findings first five four framework full further furthermore general give given gives good"
            " higher highly however idea if impact important improve improved improvement improvements improves"
            " include including introduce introduces investigate issue key kind know known lack large larger lead"
            " least less leverage leverages limited make makes many method methods moreover much multiple need"
            " needs new novel number offer one only open other others outperform outperforms paper papers perform"
            " performance present presents problem problems project propose proposed proposes provide provides"
            " range recent recently relevant remain remains require requires research result results same scarcity"
            " set several show shown shows significant significantly simple single some state strong studies study"
            " substantial success superior system systems task tasks technique techniques than then there"
            " therefore three thus time together towards train trained two type under understand understanding"
            " various verify very via well where whether while wide widely within work works yet"
        ),
    )
)


@dataclass(frozen=True, slots=True)
class Phrase:
    """A phrase, and why it is proposed."""

    #: as it is mostly written, folded
    text: str
    #: how many of the reader's papers have it
    papers: int
    #: what it is worth beside the others, above 0; infinite for what the reader named
    worth: float


def phrases(told: Told, archive: Iterable[Paper], *, known: Sequence[str] = (), most: int = 10) -> list[Phrase]:
    """At most so many phrases, the one worth most first.

    Args:
        told: what the reader brought and said; papers of which they want less count against.
        archive: papers that are nobody's in particular.
        known: keywords the reader has; what they ask for, or would find anyway, is not proposed.
        most: of phrases.
    """
    texts = sorted(weighed_texts(told), key=lambda one: -abs(one[1]))[:_MOST_TEXTS]
    having: defaultdict[str, dict[int, float]] = defaultdict(dict)
    written: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for number, (text, weight) in enumerate(texts):
        for phrase, form in _phrases(f"{text.title}. {text.abstract}"):
            having[phrase][number] = weight
            written[phrase][form] += 1
    wanted = sum(weight > 0 for _, weight in texts)
    fewest = _FEWEST if wanted >= _FEW_PAPERS else 1
    often = {phrase: of for phrase, of in having.items() if _wanting(of) >= fewest}
    for fragment in _fragments(often):
        del often[fragment]
    usual, papers = _usual(archive, often.keys())
    worth = {phrase: _worth(phrase, of, usual[phrase], wanted, papers) for phrase, of in often.items()}
    asked = {_singular(_WEIGHT.sub("", entry)) for entry in known}
    named = {_singular(said.what): said for said in told.opinions if said.kind == "word"}
    unwanted = [f" {phrase} " for phrase, said in named.items() if said.verb != "more"]
    chosen = [phrase for phrase, said in named.items() if said.verb == "more" and phrase not in asked]
    chosen = [phrase for phrase in chosen if any(map(_weighty, phrase.split()))][:most]
    first = [
        Phrase(" ".join(words(named[phrase].what)), _wanting(having.get(phrase, {})), math.inf) for phrase in chosen
    ]
    found = [phrase for phrase in asked if phrase in having]
    for phrase in sorted(worth, key=lambda phrase: (-worth[phrase], phrase)):
        if len(chosen) == most or worth[phrase] <= 0:
            break
        if phrase in asked or phrase in named or any(part in f" {phrase} " for part in unwanted):
            continue
        if not any(_says_the_same(phrase, other, having) for other in (*found, *chosen)):
            chosen.append(phrase)
    return [*first, *(_made(written[phrase], often[phrase], worth[phrase]) for phrase in chosen[len(first) :])]


def _singular(text: str) -> str:
    return " ".join(map(singular, words(text)))


def _wanting(of: Mapping[int, float]) -> int:
    return sum(weight > 0 for weight in of.values())


def _made(forms: Counter[str], of: Mapping[int, float], worth: float) -> Phrase:
    form = min(forms, key=lambda form: (-forms[form], form))
    return Phrase(form, _wanting(of), worth)


def _worth(phrase: str, of: dict[int, float], usual: int, wanted: int, papers: int) -> float:
    count = sum(of.values())
    if count <= 0:
        return 0.0
    lift = (count / max(wanted, 1)) / ((usual + 1) / (papers + _BACKGROUND))
    return 0.0 if lift < _LEAST_LIFT else count * math.log(lift) * (1 + _LONGER * phrase.count(" "))


def _usual(archive: Iterable[Paper], asked: Iterable[str]) -> tuple[Counter[str], int]:
    """In how many papers of the archive each phrase stands, and how many papers there are."""
    wanted, counts, papers = frozenset(asked), Counter[str](), 0
    for paper in archive:
        papers += 1
        counts.update({phrase for phrase, _ in _phrases(f"{paper.title}. {paper.abstract}")} & wanted)
    return counts, papers


def _phrases(text: str) -> Iterator[tuple[str, str]]:
    """Every phrase of a text in the singular, and as written."""
    for piece in _BREAK.split(text):
        form = words(piece)
        stem = list(map(singular, form))
        for start in range(len(form)):
            if _weighty(stem[start]):
                for end in range(start + 1, min(start + _LONGEST + 1, len(form)) + 1):
                    if _weighty(stem[end - 1]) and not STOP_WORDS.intersection(form[start:end]) - {"of"}:
                        yield " ".join(stem[start:end]), " ".join(form[start:end])


def _weighty(word: str) -> bool:
    return len(word) > 1 and word not in STOP_WORDS and word not in _OF_ANY and not word.isdigit()


def _fragments(having: dict[str, dict[int, float]]) -> set[str]:
    """Phrases that never stand without one and the same word in front or behind, and those too long to be typed."""
    found = {phrase for phrase in having if phrase.count(" ") >= _LONGEST}
    for phrase, of in having.items():
        for part in (phrase.partition(" ")[2], phrase.rpartition(" ")[0]):
            if part in having and len(of) > 1 and len(having[part]) == len(of):
                found.add(part)
    return found


def _says_the_same(phrase: str, other: str, having: dict[str, dict[int, float]]) -> bool:
    if not set(phrase.split()) & set(other.split()):
        return False
    # a word that the reader named may be in none of their papers
    one, two = having[phrase].keys(), having.get(other, {}).keys()
    return bool(two) and len(one & two) >= _SAME * min(len(one), len(two))
