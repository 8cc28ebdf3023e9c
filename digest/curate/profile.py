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
        self._known: dict[Text, Values] = {}

    def of(self, told: Iterable[Told]) -> list[Profile]:
        """The profile of each reader, in their order; those of one shard together, since reading texts has its cost."""
        told = list(told)
        likeness = self._read({text for one in told for text in _texts(one)})
        return [Profile(self._lean(one, likeness), self._muted(one)) for one in told]

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

    def _read(self, texts: set[Text]) -> Mapping[Text, Values]:
        """How like each text the papers are; remembered, so that a paper that many spoke of is read once."""
        unread = [text for text in texts if text not in self._known]
        if (len(self._known) + len(unread)) * len(self._ranking.papers) > _REMEMBERED:
            self._known, unread = {}, list(texts)
        read = zip(unread, self._bags.of((text.title, text.abstract) for text in unread), strict=True)
        self._known |= {text: self._space.likeness(bag) for text, bag in read}
        return self._known

    def _lean(self, told: Told, likeness: Mapping[Text, Values]) -> Values | None:
        length = math.hypot(*(weight for _, weight in told.interests)) or 1.0
        weights = [weight / length for _, weight in told.interests]
        said = [one for one in told.opinions if one.verb != "mute"]
        weights += [_SAID * _fading(one) for one in said if one.text is not None]
        texts = [text for text, _ in told.interests] + [one.text for one in said if one.text is not None]
        if not texts and not said:
            return None
        lean = np.zeros(len(self._ranking.papers))
        if texts:
            lean += np.array(weights) @ np.array([likeness[text] for text in texts]) / _FULL
        for one in said:
            if one.kind != "paper":
                lean[self._named(one)] += _fading(one)
        return np.clip(lean, -1.0, 1.0)

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
        self._common = spread.keys() - weights.keys()
        #: each stem's place among the stems
        self._places = {stem: place for place, stem in enumerate(weights)}
        counts = np.array([len(of) for of in weights.values()], np.intp)
        #: where each stem's papers begin in the two arrays below, and where the last one's end
        self._starts = np.concatenate(([0], np.cumsum(counts))).astype(np.intp)
        self._numbers = np.array([number for of in weights.values() for number in of], np.intp)
        frequency = np.array([weight for of in weights.values() for weight in of.values()], np.float64)
        #: by the number of papers that have it
        self._rarity = np.log((papers + _BACKGROUND) / (np.arange(papers + 1) + 0.5))
        values = (1 + np.log(frequency)) * np.repeat(self._rarity[counts], counts)
        lengths = np.sqrt(np.maximum(np.bincount(self._numbers, values * values, papers), 1e-12))
        self._values = values / lengths[self._numbers]

    def likeness(self, bag: Mapping[str, float]) -> Values:
        """For each paper its cosine with a text of these stems and weights, above the mean of all papers."""
        bag = {stem: weight for stem, weight in bag.items() if stem not in self._common}
        if not bag or not self._papers:
            return np.zeros(self._papers)
        places = np.array([self._places.get(stem, -1) for stem in bag], np.intp)
        counts = np.where(places < 0, 0, self._starts[places + 1] - self._starts[places])
        values = (1 + np.log(np.fromiter(bag.values(), np.float64, len(bag)))) * self._rarity[counts]
        values /= math.sqrt(float(values @ values))
        # the cells of all stems in a row: where each stem's begin, and how far each cell is behind that
        ends = np.cumsum(counts)
        cells = np.arange(ends[-1]) + np.repeat(self._starts[places] - ends + counts, counts)
        found = np.bincount(self._numbers[cells], self._values[cells] * np.repeat(values, counts), self._papers)
        return np.asarray(found - found.mean(), np.float64)


def weighed_texts(told: Told) -> list[tuple[Text, float]]:
    """Everything that a reader brought or said “more” or “less” of, with how much it counts: below 0 for “less”."""
    said = ((one.text, _fading(one)) for one in told.opinions if one.verb != "mute")
    return [*told.interests, *((text, weight) for text, weight in said if text is not None)]


def _texts(told: Told) -> Iterable[Text]:
    yield from (text for text, _ in told.interests)
    yield from (said.text for said in told.opinions if said.text is not None)


def _fading(said: Opinion) -> float:
    """1 for a “more” said now, -1 for such a “less”."""
    sign = 1.0 if said.verb == "more" else -1.0
    return sign * math.pow(0.5, max(said.age_days, 0.0) / HALF_LIFE_DAYS)
