"""What is published of a paper: as it is known now, with what was said about it day by day. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING

from digest.compose.card import heading, title_line
from digest.compose.text import one_line, plain
from digest.languages.language import ENGLISH
from digest.model import DaySignals, Paper, Signals

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date, datetime

    from digest.languages.language import Language
    from digest.model import StoredPaper

#: most characters of a title and of a name
_TITLE = 1_000
_NAME = 200
_COUNTS = ("upvotes", "comments", "stars")


@dataclass(frozen=True, slots=True, eq=False)
class Record:
    """A paper to publish. By identity: what is written of one is kept, and comparing all fields would cost more."""

    #: its `signals` are the latest known
    paper: Paper
    #: the UTC day it is listed under; None: it is in no edition
    edition: date | None
    #: when it became known here
    first_seen_at: datetime
    #: what sources said about it, oldest first; of the last weeks, for older words are forgotten
    history: tuple[DaySignals, ...] = ()

    @property
    def title(self) -> str:
        """As a reader of English expects it, never empty."""
        return self.title_in(ENGLISH)

    def title_in(self, language: Language) -> str:
        """As a reader of a language expects it: in the paper's own words, or what that language calls one without."""
        return title_line(self.paper.title, _TITLE, language)

    @property
    def authors(self) -> tuple[str, ...]:
        """Display names in the paper's order; those without anything visible are left out."""
        return tuple(filter(None, (one_line(plain(name), _NAME) for name in self.paper.authors)))

    @property
    def abstract(self) -> str:
        """One paragraph; perhaps empty."""
        return _read(self.paper.abstract)

    @property
    def link(self) -> str:
        """The landing page, http(s); empty if there is none."""
        return heading(self.paper, (), 1, limit=_TITLE).link

    @property
    def arxiv_id(self) -> str:
        """Without version, empty if it has none."""
        return self._named("arxiv:")

    @property
    def doi(self) -> str:
        """Empty if it has none."""
        return self._named("doi:")

    def _named(self, scheme: str) -> str:
        keys = (self.paper.key, *self.paper.aliases)
        return next((one_line(key.removeprefix(scheme)) for key in keys if key.startswith(scheme)), "")


@lru_cache(maxsize=1024)
def _read(abstract: str) -> str:
    return plain(abstract)


def record(stored: StoredPaper, history: Sequence[DaySignals] = ()) -> Record:
    """The record of a paper, from what the state knows of it."""
    paper = replace(stored.paper, signals=_latest(stored.paper.signals, history))
    return Record(paper, stored.edition, stored.first_seen_at, tuple(history))


def _latest(stored: Signals, history: Iterable[DaySignals]) -> Signals:
    """Of what each source said last the highest count and the best place; without history, what came with the paper."""
    last: dict[str, dict[str, int]] = {kind: {} for kind in (*_COUNTS, "position")}
    for said in history:
        for kind, by_source in last.items():
            if (number := getattr(said.signals, kind)) is not None:
                by_source[said.source] = number
    found: dict[str, int | None] = {kind: max(last[kind].values(), default=getattr(stored, kind)) for kind in _COUNTS}
    return Signals(**found, position=min(last["position"].values(), default=stored.position))


def by_votes(records: Iterable[Record]) -> list[Record]:
    """The most voted for first, then by stars, by place in a source's list, and by key: an order that stays."""

    def order(one: Record) -> tuple[object, ...]:
        counts = one.paper.signals
        place = counts.position if counts.position is not None else 10**9
        return -(counts.upvotes or 0), -(counts.stars or 0), place, one.paper.key

    return sorted(records, key=order)
