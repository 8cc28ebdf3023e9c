"""What a reader brought and said → a profile, and the profile → how it moves the papers that match. Pure.

    n papers brought (interests)    1/√n for each, times its likeness to a paper of the run
    “more” or “less” of a paper     1/2 times that likeness, forward or backward; half of it after 90 days
    “more” or “less” of an author   1 for the papers of that author, or those with the word; fading in the same way
    or a word
    “mute” of any of these          these papers are left out, as by an excluding keyword; does not fade

Likeness is the cosine of the two papers' stems above what is usual among the run's papers, 0.25 counting as 1. The sum
of it all (Rocchio 1971, not brought to length 1 at the end: a second “more” is to say more), cut off at -1 and 1, is
how a paper leans to the profile. The lean times `MOST` is added to what the keywords say for the paper: enough to lift
a weak match over the floor or to push it under, and less than one good match in a title. It only orders and drops what
matches; finding is left to keywords. Readers without a profile cost nothing.
"""

from __future__ import annotations

import functools
import math
from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np

from digest.curate.bags import Bags
from digest.curate.query import parse
from digest.curate.vector import mask
from digest.errors import QueryError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from digest.curate.rank import Ranking, Standing
    from digest.curate.vector import Numbers, Values

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
#: numbers kept in memory, one for each paper and text: 32 MB
_REMEMBERED = 4_000_000
#: what speaks for a paper that matches stays above 0
_LEAST = 1e-6

Verb = Literal["more", "less", "mute"]
Kind = Literal["paper", "author", "word"]


@dataclass(frozen=True, slots=True)
class Text:
    """What a paper is compared by."""

    title: str
    #: empty: unknown
    abstract: str = ""


@dataclass(frozen=True, slots=True)
class Opinion:
    """One thing a reader said that counts."""

    verb: Verb
    kind: Kind
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
class Profile:
    """One reader's, against the papers of one run."""

    #: how each paper of the run leans to it, -1..1; None: nothing was said but mutes
    lean: Values | None
    #: papers that are never shown; None: there are none
    muted: Numbers | None


def entry(kind: Kind, what: str) -> str:
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

    def of(self, told: Told) -> Profile:
        """The profile of one reader."""
        return Profile(self._lean(told), self._muted(told))

    def applied(self, standing: Standing, profile: Profile) -> Standing:
        """How the papers stand once the profile has its say: the same papers, but for what is muted."""
        numbers, totals, excluded = standing.numbers, standing.totals, standing.excluded
        if profile.muted is not None:
            unwanted = mask([profile.muted], len(self._ranking.papers))
            left = ~unwanted[numbers]
            numbers, totals = numbers[left], totals[left]
            excluded = unwanted if excluded is None else excluded | unwanted
        if profile.lean is not None:
            totals = np.maximum(totals + MOST * profile.lean[numbers], _LEAST)
        return replace(standing, numbers=numbers, totals=totals, excluded=excluded, lean=profile.lean)

    def _lean(self, told: Told) -> Values | None:
        said = [one for one in told.opinions if one.verb != "mute"][-_MOST_COUNTED:]
        if not (told.interests or said):
            return None
        lean = self._space.likeness(self._direction(told.interests[-_MOST_COUNTED:]))
        for one in said:
            if one.text is not None:
                lean += _SAID * _fading(one) * self._likeness(one.text)
        lean /= _FULL
        for one in said:
            if one.kind != "paper":
                lean[self._named(one)] += _fading(one)
        return np.clip(lean, -1.0, 1.0)

    def _direction(self, interests: Sequence[tuple[Text, float]]) -> Mapping[str, float]:
        """The sum of the papers' directions: what is like it is as like the papers together."""
        length = math.hypot(*(weight for _, weight in interests)) or 1.0
        direction: dict[str, float] = {}
        for bag, (_, weight) in zip(
            self._bags.of((text.title, text.abstract) for text, _ in interests), interests, strict=True
        ):
            for stem, value in self._space.direction(bag).items():
                direction[stem] = direction.get(stem, 0.0) + value * weight / length
        return direction

    def _find_likeness(self, text: Text) -> Values:
        (bag,) = self._bags.of([(text.title, text.abstract)])
        return self._space.likeness(self._space.direction(bag))

    def _muted(self, told: Told) -> Numbers | None:
        found = [self._named(said) for said in told.opinions if said.verb == "mute"]
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
        weights = {stem: of for stem, of in spread.items() if len(of) <= most}
        self._papers = papers
        self._places = {stem: place for place, stem in enumerate(weights)}
        self._rarities = {stem: self._rarity(len(of)) if len(of) <= most else 0.0 for stem, of in spread.items()}
        counts = np.array([len(of) for of in weights.values()], np.intp)
        #: where each stem's papers begin in the two arrays below, and where the last one's end
        self._starts = np.concatenate(([0], np.cumsum(counts))).astype(np.intp)
        self._numbers = np.array([number for of in weights.values() for number in of], np.intp)
        frequency = np.array([weight for of in weights.values() for weight in of.values()], np.float64)
        rarity = np.array([self._rarities[stem] for stem in weights], np.float64)
        values = (1 + np.log(frequency)) * np.repeat(rarity, counts)
        lengths = np.sqrt(np.maximum(np.bincount(self._numbers, values * values, papers), 1e-12))
        self._values = values / lengths[self._numbers]

    def _rarity(self, having: int) -> float:
        return math.log((self._papers + _BACKGROUND) / (having + 0.5))

    def direction(self, bag: Mapping[str, float]) -> Mapping[str, float]:
        """A text's stems, weighed as those of the papers are, at length 1."""
        unheard = self._rarity(0)
        weighed = {stem: (1 + math.log(w)) * self._rarities.get(stem, unheard) for stem, w in bag.items()}
        length = math.hypot(*weighed.values()) or 1.0
        return {stem: value / length for stem, value in weighed.items() if value}

    def likeness(self, direction: Mapping[str, float]) -> Values:
        """For each paper its cosine with a direction, times the direction's length, above the mean of all papers."""
        known = [stem for stem in direction if stem in self._places]
        if not known:
            return np.zeros(self._papers)
        places = np.array([self._places[stem] for stem in known], np.intp)
        values = np.array([direction[stem] for stem in known], np.float64)
        counts = self._starts[places + 1] - self._starts[places]
        # the cells of all stems in a row: where each stem's begin, and how far each cell is behind that
        ends = np.cumsum(counts)
        cells = np.arange(ends[-1]) + np.repeat(self._starts[places] - ends + counts, counts)
        found = np.bincount(self._numbers[cells], self._values[cells] * np.repeat(values, counts), self._papers)
        return np.asarray(found - found.mean(), np.float64)


def weighed_texts(told: Told) -> list[tuple[Text, float]]:
    """Everything that a reader brought or said “more” or “less” of, with how much it counts: below 0 for “less”."""
    said = ((one.text, _fading(one)) for one in told.opinions if one.verb != "mute")
    return [*told.interests, *((text, weight) for text, weight in said if text is not None)]


def _fading(said: Opinion) -> float:
    """1 for a “more” said now, -1 for such a “less”."""
    sign = 1.0 if said.verb == "more" else -1.0
    return sign * math.pow(0.5, max(said.age_days, 0.0) / HALF_LIFE_DAYS)
