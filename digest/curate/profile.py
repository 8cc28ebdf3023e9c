"""What a reader brought and said → a profile, and the profile → how it moves the papers that match. Pure.

    n papers brought (interests)    1/√n for each, times its likeness to a paper of the run
    “more” or “less” of a paper     1/2 times that likeness, forward or backward; half of it after 90 days
    “more” or “less” of an author   1 for the papers of that author, or those with the word; fading in the same way
    or a word
    “mute” of any of these          these papers are left out, as by an excluding keyword; does not fade

Likeness is the cosine of the two papers' stems above what is usual among the run's papers, 0.25 counting as 1. The
papers brought are added up to one `Direction` that can be kept from run to run: how rare a stem is among the run's
papers is put in when it meets them. The sum of it all (Rocchio 1971, not brought to length 1 at the end: a second
“more” is to say more), cut off at -1 and 1, is how a paper leans to the profile. The lean times `MOST` is added to what
the keywords say for the paper: enough to lift a weak match over the floor or to push it under, and less than one good
match in a title. It only orders and drops what matches; finding is left to keywords. Readers without a profile cost
nothing.
"""

from __future__ import annotations

import functools
import heapq
import itertools
import math
from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from digest.curate.bags import Bags
from digest.curate.query import parse
from digest.curate.vector import mask
from digest.errors import QueryError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from digest.curate.rank import Ranking, Standing
    from digest.curate.vector import Numbers, Values
    from digest.model import FeedbackKind, FeedbackVerb

# Settled on the twelve judged profiles of `rank`, a random part of their relevant papers being the profile and the rest
# judged: with ten of them precision@10 gains 0.013 and average precision 0.005, with ten “more” and ten “less” 0.013
# and 0.004; of `_FULL` from 0.1 to 0.4 and `MOST` from 0.25 to 1 none moves the latter by more than 0.008.
#: most that a profile adds to a paper's evidence, or takes from it
MOST = 0.5
#: the likeness, above the usual, that counts fully
_FULL = 0.25
#: how long one “more” or “less” is, beside all interests together
_SAID = 0.5
#: days after which a “more” or “less” counts half
HALF_LIFE_DAYS = 90.0
#: a stem counts as if this many further papers without it were in the run, as in `index`
_BACKGROUND = 500
#: a stem that more than a fifth of the papers have, and so many, says nothing and would cost half the time
_COMMON = 50
#: of a reader's interests, and of what they said, so many of the latest count: each takes a tenth of a millisecond
_MOST_COUNTED = 200
#: of a direction, so many of the strongest stems; twenty papers have 900, a hundred 2,100
_MOST_STEMS = 2_000
#: so many of the commonest stems have three in four of all places in the papers; readers meet them as matrices do
_DENSE = 512
#: a direction made in a run with fewer papers than this part of the present ones is made again: what is rare was not
#: well known then
_ENOUGH = 0.5
#: numbers kept in memory, one for each paper and text: 32 MB
_REMEMBERED = 4_000_000
#: numbers in the making, one for each paper and reader: 8 MB
_AT_ONCE = 1_000_000
#: readers whose rare stems are looked up at once: the numbers of more leave the processor's cache
_IN_CACHE = 32
#: what speaks for a paper that matches stays above 0
_LEAST = 1e-6

#: of what `Profiles.direction` gives: raised whenever the same papers would give another one than before, by a change
#: there, in `bags`, `words` or the stemmer; one that was kept is made again then
DIRECTION_VERSION = 1


@dataclass(frozen=True, slots=True)
class Text:
    """What a paper is compared by."""

    title: str
    #: empty: unknown
    abstract: str = ""


@dataclass(frozen=True, slots=True)
class Opinion:
    """One thing a reader said that counts."""

    verb: FeedbackVerb
    kind: FeedbackKind
    #: the paper's key, or the author or word as typed
    what: str
    #: days since it was said, ≥ 0
    age_days: float = 0.0
    #: the paper's; None: it is not known any more, or this is about no paper
    text: Text | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """Everything one reader brought and said."""

    #: papers brought, each with how much it counts (above 0)
    interests: Sequence[tuple[Text, float]] = ()
    opinions: Sequence[Opinion] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Direction:
    """The papers that one reader brought, as one. What is like it is as like these papers together."""

    #: different
    stems: Sequence[str]
    #: for each stem the sum over the papers of how much it is of them but for its rarity: 1 + the log of how often it
    #: is there, over the paper's length, times the paper's part in all
    amounts: Values
    #: for each stem the sum of the squares of the same: times the rarities squared they add up to 1 in the run in
    #: which it was made. What they add up to in another says how much longer or shorter its papers are there
    squares: Values
    #: of the run in which it was made
    papers: int


@dataclass(frozen=True, slots=True, eq=False)
class Profile:
    """One reader's, against the papers of one run."""

    #: how each paper of the run leans to it, -1..1; None: nothing was said but mutes
    lean: Values | None
    #: papers that are never shown; None: there are none
    muted: Numbers | None


def entry(kind: FeedbackKind, what: str) -> str:
    """The keyword entry that names the papers of an author, or those with a word or phrase.

    >>> entry("author", "Ada Lovelace")
    'author:"Ada Lovelace"'

    Raises:
        QueryError: there is no word in it.
    """
    plain = " ".join(what.replace('"', " ").replace("\\", " ").split())
    typed = f'author:"{plain}"' if kind == "author" else f'"{plain}"'
    parse(typed)
    return typed


class Profiles:
    """The profiles of any number of readers against the papers of one run. Made when the first is asked for."""

    def __init__(self, ranking: Ranking) -> None:
        self._ranking = ranking
        self._space = _Space(ranking.terms(), len(ranking.papers))
        self._bags = Bags()
        # a paper that many spoke of is read once
        self._likeness = functools.lru_cache(maxsize=_REMEMBERED // (len(ranking.papers) + 1))(self._find_likeness)

    def direction(self, interests: Sequence[tuple[Text, float]]) -> Direction:
        """The papers that a reader brought, each with how much it counts (above 0), latest last, as one."""
        interests = interests[-_MOST_COUNTED:]
        length = math.hypot(*(weight for _, weight in interests)) or 1.0
        amounts: defaultdict[str, float] = defaultdict(float)
        squares: defaultdict[str, float] = defaultdict(float)
        bags = self._bags.of((text.title, text.abstract) for text, _ in interests)
        for bag, (_, weight) in zip(bags, interests, strict=True):
            part = weight / length
            for stem, value in self._space.shares(bag):
                amounts[stem] += part * value
                squares[stem] += (part * value) ** 2
        strongest = heapq.nlargest(_MOST_STEMS, amounts, key=lambda stem: amounts[stem] * self._space.rarity(stem))
        rarities = np.array([self._space.rarity(stem) for stem in strongest], np.float64)
        square = np.array([squares[stem] for stem in strongest], np.float64)
        return Direction(
            strongest,
            np.array([amounts[stem] for stem in strongest], np.float64),
            square / (square @ (rarities * rarities) or 1.0),
            len(self._ranking.papers),
        )

    def suits(self, version: int, papers: int) -> bool:
        """Whether a direction that was made so, and in a run with so many papers, still is what it should be."""
        return version == DIRECTION_VERSION and papers >= _ENOUGH * len(self._ranking.papers)

    def of(self, readers: Iterable[tuple[Direction | None, Sequence[Opinion]]]) -> Iterator[Profile]:
        """The profiles of some readers, in order: of what they brought (None: nothing), and of what they said.

        Some hundred together take half the time.
        """
        # met one after the other, so that no more than one direction's stems are in memory
        rest = ((None if one is None else self._space.met(one), opinions) for one, opinions in readers)
        while some := list(itertools.islice(rest, _AT_ONCE // (len(self._ranking.papers) + 1) + 1)):
            likeness = iter(self._space.likeness([one for one, _ in some if one is not None]))
            for one, opinions in some:
                lean = None if one is None else next(likeness)
                yield Profile(self._lean(lean, opinions), self._muted(opinions))

    def applied(self, standing: Standing, profile: Profile) -> Standing:
        """How the papers stand once the profile has its say: the same papers, but for what is muted."""
        totals, excluded = standing.totals, standing.excluded
        if profile.muted is not None:
            unwanted = mask([profile.muted], len(self._ranking.papers))
            totals = totals * ~unwanted
            excluded = unwanted if excluded is None else excluded | unwanted
        if profile.lean is not None:
            totals = np.where(totals > 0, np.maximum(totals + MOST * profile.lean, _LEAST), 0.0)
        return replace(standing, totals=totals, excluded=excluded, lean=profile.lean)

    def _lean(self, brought: Values | None, opinions: Sequence[Opinion]) -> Values | None:
        said = [one for one in opinions if one.verb != "mute"][-_MOST_COUNTED:]
        if brought is None and not said:
            return None
        lean = np.zeros(len(self._ranking.papers)) if brought is None else brought
        for one in said:
            if one.text is not None:
                lean = lean + _SAID * _fading(one) * self._likeness(one.text)
        lean = lean / _FULL
        for one in said:
            if one.kind != "paper":
                lean[self._named(one)] += _fading(one)
        # the last digits depend on how many readers there are together
        return np.asarray(np.clip(lean, -1.0, 1.0).round(6), np.float64)

    def _find_likeness(self, text: Text) -> Values:
        return np.asarray(self._space.likeness([self._space.met(self.direction([(text, 1.0)]))])[0], np.float64)

    def _muted(self, opinions: Sequence[Opinion]) -> Numbers | None:
        found = [self._named(said) for said in opinions if said.verb == "mute"]
        return np.concatenate(found) if found else None

    def _named(self, said: Opinion) -> Numbers:
        if said.kind == "paper":
            number = self._ranking.numbers.get(said.what)
            return np.array([] if number is None else [number], np.intp)
        try:
            return self._ranking.exactly(entry(said.kind, said.what))
        except QueryError:  # not typed here but brought in with a state: it names nothing
            return np.array([], np.intp)


class _Space:
    """The papers of a run by their stems: for each stem its papers, and how much it is of each (tf-idf, length 1)."""

    def __init__(self, terms: Iterable[tuple[str, int, float]], papers: int) -> None:
        spread: defaultdict[str, dict[int, float]] = defaultdict(dict)
        for stem, number, weight in terms:
            of = spread[stem]
            of[number] = of.get(number, 0.0) + weight
        most = max(_COMMON, papers // 5)
        # by number of papers; those of which there are too many have no cells, and the last place is for unheard stems
        weights = dict(sorted(spread.items(), key=lambda item: (len(item[1]) <= most, len(item[1])), reverse=True))
        self._papers = papers
        self._places = {stem: place for place, stem in enumerate(weights)}
        counts = np.array([len(of) if len(of) <= most else 0 for of in weights.values()] + [0], np.intp)
        self._rarities = np.where(counts > 0, np.log((papers + _BACKGROUND) / (counts + 0.5)), 0.0)
        self._rarities[-1] = math.log((papers + _BACKGROUND) / 0.5)
        #: where each stem's papers begin in the two arrays below, and where the last one's end
        self._starts = np.concatenate(([0], np.cumsum(counts))).astype(np.intp)
        cells = [cell for of in weights.values() if len(of) <= most for cell in of.items()]
        self._numbers = np.array([number for number, _ in cells], np.intp)
        values = (1 + np.log([weight for _, weight in cells])) * np.repeat(self._rarities, counts)
        lengths = np.sqrt(np.maximum(np.bincount(self._numbers, values * values, papers), 1e-12))
        self._values = values / lengths[self._numbers]
        self._dense = np.zeros((_DENSE, papers), np.float32)
        dense = slice(0, self._starts[: _DENSE + 1][-1])
        self._dense[np.repeat(np.arange(len(counts)), counts)[dense], self._numbers[dense]] = self._values[dense]

    def rarity(self, stem: str) -> float:
        """How much a stem counts here; 0 if too many papers have it."""
        return float(self._rarities[self._places.get(stem, -1)])

    def shares(self, bag: Mapping[str, float]) -> list[tuple[str, float]]:
        """How much of a text each of its stems is, over the text's length, but for its rarity."""
        weighed = [(stem, 1 + math.log(weight)) for stem, weight in bag.items()]
        length = math.hypot(*(value * self.rarity(stem) for stem, value in weighed)) or 1.0
        return [(stem, value / length) for stem, value in weighed]

    def met(self, direction: Direction) -> tuple[Numbers, Values]:
        """The places of its stems, and how much these are of it, by the rarities of this run."""
        unheard = len(self._places)
        places = np.fromiter(
            map(self._places.get, direction.stems, itertools.repeat(unheard)), np.intp, len(direction.stems)
        )
        rarities = self._rarities[places]
        return places, direction.amounts * rarities / (math.sqrt(direction.squares @ (rarities * rarities)) or 1.0)

    def likeness(self, directions: Sequence[tuple[Numbers, Values]]) -> Values:
        """For each direction, and each paper, their cosine times the direction's length, above the mean of all papers.

        Common stems have many cells and are looked up as a matrix, rare ones cell by cell.
        """
        found = np.zeros((len(directions), self._papers))
        if not found.size:
            return found
        matrix = np.zeros((len(directions), _DENSE), np.float32)
        for first in range(0, len(directions), _IN_CACHE):
            some = directions[first : first + _IN_CACHE]
            rows = np.repeat(np.arange(len(some)), [len(places) for places, _ in some])
            places = np.concatenate([places for places, _ in some])
            values = np.concatenate([values for _, values in some])
            common = places < _DENSE
            matrix[first + rows[common], places[common]] = values[common]
            rare = ~common
            found[first : first + len(some)] = self._by_cells(rows[rare], places[rare], values[rare], len(some))
        found += matrix @ self._dense
        found -= found.mean(axis=1, keepdims=True)
        return found

    def _by_cells(self, rows: Numbers, places: Numbers, values: Values, readers: int) -> Values:
        counts = self._starts[places + 1] - self._starts[places]
        # the cells of all stems in a row: where each stem's begin, and how far each cell is behind that
        ends = np.cumsum(counts)
        cells = np.arange(counts.sum()) + np.repeat(self._starts[places] - ends + counts, counts)
        where = np.repeat(rows * self._papers, counts) + self._numbers[cells]
        weights = self._values[cells] * np.repeat(values, counts)
        found: Values = np.bincount(where, weights, readers * self._papers).astype(np.float64, copy=False)
        return found.reshape(readers, self._papers)


def weighed_texts(told: Told) -> list[tuple[Text, float]]:
    """Everything that a reader brought or said “more” or “less” of, with how much it counts: below 0 for “less”."""
    said = ((one.text, _fading(one)) for one in told.opinions if one.verb != "mute")
    return [*told.interests, *((text, weight) for text, weight in said if text is not None)]


def _fading(said: Opinion) -> float:
    """1 for a “more” said now, -1 for such a “less”."""
    sign = 1.0 if said.verb == "more" else -1.0
    return sign * math.pow(0.5, max(said.age_days, 0.0) / HALF_LIFE_DAYS)
