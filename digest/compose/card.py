"""One paper as a template needs it: a Pick goes in, a Card comes out, with every text cleaned and every line ready.

Pure. Nothing is escaped here: the HTML template escapes everything it prints.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from digest.compose.marking import Segment, mark
from digest.compose.text import cut_at_sentence, http_link, one_line, plain
from digest.compose.words import compact, counted, listed, short_day, since, source_name

if TYPE_CHECKING:
    from digest.model import Missed, Paper, Pick, Trend

#: characters of an abstract that are read at all; the longest excerpt is far shorter
_ABSTRACT_READ = 4000
_NAMES_SHOWN = 3
#: most characters of an AI summary; sources promise one sentence
_SUMMARY = 300
#: where a canonical key leads if a source gave no usable address
_RESOLVERS = {
    "arxiv": "https://arxiv.org/abs/",
    "doi": "https://doi.org/",
    "openreview": "https://openreview.net/forum?id=",
    "url": "",
}


@dataclass(frozen=True, slots=True)
class Detail:
    """How much of each paper is shown."""

    #: most characters of a title and of an abstract
    title: int = 300
    abstract: int = 600
    #: papers from the top that keep abstract and AI summary
    abstracts: int = 100
    #: authors, origin, badges, links and reasons are shown; without them a title and its link are left
    facts: bool = True
    #: papers from the top that are shown at all
    papers: int = 100


@dataclass(frozen=True, slots=True)
class Badge:
    """One small fact about a paper."""

    #: as shown: `▲ 142 (+84 since yesterday)`, `Code`
    text: str
    #: the same for a screen reader, without symbols: `142 upvotes, 84 more since yesterday`
    label: str
    #: where it leads; empty if nowhere
    link: str = ""


@dataclass(frozen=True, slots=True)
class Card:
    """One paper, ready to print. Empty strings and tuples: there is nothing to show."""

    #: place in the mail, from 1, counted through all parts
    number: int
    title: str
    #: the title again, in pieces, with the matched words marked
    title_segments: tuple[Segment, ...]
    #: landing page, http(s)
    link: str
    #: `Ada Lovelace, Emmy Noether, Mary Somerville and 4 more · DeepMind`
    authors: str = ""
    #: `arXiv, Hugging Face · cs.LG · 14 Sep 2026 · v2`
    origin: str = ""
    #: votes, stars, number of sources: facts that lead nowhere
    badges: tuple[Badge, ...] = ()
    #: discussion, code, project, PDF: facts that lead somewhere
    links: tuple[Badge, ...] = ()
    #: one sentence written by a machine; must be marked as such wherever it is shown
    ai_summary: str = ""
    #: whole sentences from the beginning of the abstract
    abstract: str = ""
    abstract_segments: tuple[Segment, ...] = ()
    #: the reasons for this pick, without a full stop
    why: str = ""


@dataclass(frozen=True, slots=True)
class MissedCard:
    """A paper that nearly made it."""

    title: str
    link: str
    why: str


def card(pick: Pick, number: int, detail: Detail) -> Card:
    """The pick as the `number`th card of a mail (from 1)."""
    paper = pick.paper
    words = [word for match in pick.matches for word in match.words]
    title = _title(paper.title, detail.title)
    shown = detail.facts and number <= detail.abstracts
    abstract = cut_at_sentence(plain(paper.abstract[:_ABSTRACT_READ]), detail.abstract) if shown else ""
    return Card(
        number=number,
        title=title,
        title_segments=mark(title, words),
        link=_landing(paper.url, paper.key),
        authors=_authors(paper) if detail.facts else "",
        origin=_origin(paper) if detail.facts else "",
        badges=_badges(paper, pick.trend) if detail.facts else (),
        links=_links(paper, pick.trend) if detail.facts else (),
        ai_summary=cut_at_sentence(plain(paper.ai_summary[:_ABSTRACT_READ]), _SUMMARY) if shown else "",
        abstract=abstract,
        abstract_segments=mark(abstract, words),
        why=one_line(plain(pick.why)) if detail.facts else "",
    )


def missed_card(missed: Missed, detail: Detail) -> MissedCard:
    """A near miss as one line."""
    return MissedCard(
        title=_title(missed.title, detail.title),
        link=_landing(missed.url, missed.key),
        why=one_line(plain(missed.why), 120),
    )


def _title(title: str, limit: int) -> str:
    # A title of nothing but invisible characters still needs something to click on
    return one_line(plain(title), limit) or "Untitled"


def _landing(url: str, key: str) -> str:
    scheme, _, name = key.partition(":")
    return http_link(url) or http_link(_RESOLVERS.get(scheme, "") + name)


def _authors(paper: Paper) -> str:
    first = [one_line(plain(name), 60) for name in paper.authors[: _NAMES_SHOWN + 1]]
    names = [*filter(None, first), *paper.authors[_NAMES_SHOWN + 1 :]]
    return " · ".join(filter(None, (listed(names, _NAMES_SHOWN), one_line(plain(paper.organization), 60))))


def _origin(paper: Paper) -> str:
    facts = [
        ", ".join(source_name(one_line(name, 40)) for name in paper.sources[:3]),
        ", ".join(one_line(category, 20) for category in paper.categories[:3]),
        f"{short_day(paper.published)} {paper.published.year}" if paper.published else "",
        f"v{paper.version}" if paper.version and paper.version > 1 else "",
        "updated" if paper.announce.startswith("replace") else "",
    ]
    return " · ".join(filter(None, facts))


def _badges(paper: Paper, trend: Trend) -> tuple[Badge, ...]:
    badges = []
    if votes := _known(trend.upvotes, paper.signals.upvotes):
        badges.append(_counter("▲", votes, "upvote", trend.upvotes_change, trend.change_days))
    if stars := _known(trend.stars, paper.signals.stars):
        badges.append(_counter("★", stars, "star", trend.stars_change, trend.change_days))
    if len(paper.sources) > 1:
        text = f"in {len(paper.sources)} sources"
        badges.append(Badge(text, text))
    return tuple(badges)


def _known(*numbers: int | None) -> int:
    """The first number that is known, else 0: what nobody counted and what nobody gave look the same to a reader."""
    return next((number for number in numbers if number is not None), 0)


def _counter(symbol: str, number: int, noun: str, change: int | None, days: int | None) -> Badge:
    text, label = f"{symbol} {compact(number)}", counted(number, noun)
    if change is not None and change > 0 and days is not None:
        text += f" (+{compact(change)} {since(days)})"
        label += f", {change:,} more {since(days)}"
    return Badge(text, label)


def _links(paper: Paper, trend: Trend) -> tuple[Badge, ...]:
    comments = _known(trend.comments, paper.signals.comments)
    discussion = counted(comments, "comment") if comments else "Discussion"
    links = (
        Badge(discussion, discussion, http_link(paper.discussion_url)),
        Badge("Code", "Code", http_link(paper.code_url)),
        Badge("Project", "Project page", http_link(paper.project_url)),
        Badge("PDF", "PDF", http_link(paper.pdf_url)),
    )
    return tuple(link for link in links if link.link)
