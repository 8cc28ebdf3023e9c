"""One paper as a template needs it: a Pick goes in, a Card comes out, with every text cleaned and every line ready.

Pure. Nothing is escaped here: the HTML template escapes everything it prints.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from digest.compose.marking import Segment, mark
from digest.compose.picture import NO_PICTURE, Picture
from digest.compose.text import cut_at_sentence, http_link, one_line, plain
from digest.compose.words import source_name
from digest.languages.language import ENGLISH

if TYPE_CHECKING:
    from collections.abc import Sequence

    from digest.languages.language import Language
    from digest.model import Followup, Missed, Paper, Pick, Similar, Trend

#: characters of an abstract that are read at all; the longest excerpt is far shorter
_ABSTRACT_READ = 4000
#: authors named, and in a dense list
_NAMES_SHOWN, _NAMES_IN_LIST = 3, 1
#: most characters of an AI summary; sources promise one sentence
_SUMMARY = 300
#: most characters of the title of a similar paper
_SIMILAR_TITLE = 120
#: where a canonical key leads if a source gave no usable address
_RESOLVERS = {
    "arxiv": "https://arxiv.org/abs/",
    "doi": "https://doi.org/",
    "openreview": "https://openreview.net/forum?id=",
    "url": "",
}


class Room(NamedTuple):
    """How much of one paper is shown below its title."""

    #: most characters of its abstract; 0: none, and no AI summary
    abstract: int
    #: a few lines close together: who, where, how many votes, and why
    compact: bool = False


@dataclass(frozen=True, slots=True)
class Detail:
    """How much of each paper is shown."""

    #: most characters of a title and of an abstract
    title: int = 300
    abstract: int = 420
    #: papers from the top that keep abstract and AI summary
    abstracts: int = 100
    #: papers from the top that keep authors, origin, badges, links and reasons; of the others there are titles, linked
    facts: int = 100
    #: papers from the top that are shown at all
    papers: int = 100
    #: a dense list: no abstracts and summaries, and no links beside the title's
    compact: bool = False

    def room(self, number: int) -> Room | None:
        """What there is room for below the title of the `number`th paper (from 1); None: no facts."""
        if number > self.facts:
            return None
        return Room(self.abstract if number <= self.abstracts and not self.compact else 0, self.compact)


@dataclass(frozen=True, slots=True)
class Badge:
    """One small fact about a paper."""

    #: as shown: `▲ 142 (+84 since yesterday)`, `Code`
    text: str
    #: the same for a screen reader, without symbols: `142 upvotes, 84 more since yesterday`
    label: str
    #: where it leads; empty if nowhere
    link: str = ""


@dataclass(frozen=True, kw_only=True)
class Heading:
    """A paper's title line."""

    #: place in the mail, from 1, counted through all parts
    number: int
    title: str
    #: the title again, in pieces, with the matched words marked
    title_segments: tuple[Segment, ...]
    #: landing page, http(s)
    link: str


@dataclass(frozen=True, kw_only=True)
class Body:
    """What a paper says of itself, and sources of it. Empty strings and tuples: there is nothing to show."""

    #: True if the lines of the card stand close together
    compact: bool = False
    #: `Ada Lovelace, Emmy Noether, Mary Somerville and 4 more · DeepMind`
    authors: str = ""
    #: `arXiv, Hugging Face · cs.LG · 14 Sep 2026 · v2`
    origin: str = ""
    #: votes, stars, number of sources: facts that lead nowhere
    badges: tuple[Badge, ...] = ()
    #: one sentence written by a machine; must be marked as such wherever it is shown
    ai_summary: str = ""
    #: whole sentences of the abstract: from the beginning, or those that say what is new
    abstract: str = ""
    abstract_segments: tuple[Segment, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Close:
    """The end of a card: where to read on, and why the paper is here."""

    #: discussion, code, project, PDF: facts that lead somewhere
    links: tuple[Badge, ...] = ()
    #: the reasons for this pick, without a full stop
    why: str = ""
    #: titles of papers that are like it, most like it first, and where they lead
    similar: tuple[Badge, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Answers:
    """Links by which one reader says what they think of a paper: `mailto:` addresses (RFC 6068); empty: none."""

    #: “more like this”, “less like this”
    more_link: str = ""
    less_link: str = ""


NO_ANSWERS = Answers()


@dataclass(frozen=True, kw_only=True)
class Card(Heading, Picture, Body, Close, Answers):
    """One paper, ready to print. It has pieces because each but the reader's own is shared by mails: see `press`."""


@dataclass(frozen=True, slots=True)
class MissedCard:
    """A paper that nearly made it."""

    title: str
    link: str
    why: str


@dataclass(frozen=True, slots=True)
class FollowupCard:
    """News of a paper that was sent before."""

    title: str
    link: str
    news: str


def card(
    pick: Pick,
    number: int,
    detail: Detail,
    answers: Answers = NO_ANSWERS,
    picture: Picture = NO_PICTURE,
    language: Language = ENGLISH,
) -> Card:
    """The pick as the `number`th card of a mail (from 1)."""
    paper, words, room = pick.paper, matched_words(pick), detail.room(number)
    return Card(
        **vars(heading(paper, words_in(paper.title, words), number, language, limit=detail.title)),
        **vars(picture),
        **vars(body(pick, words_in(excerpt(pick), words), language, room=room)),
        **vars(close(pick, language, room=room)),
        **vars(answers),
    )


def matched_words(pick: Pick) -> tuple[str, ...]:
    """What is to be marked, as the paper writes it."""
    return tuple([word for match in pick.matches for word in match.words])


def words_in(text: str, words: Sequence[str]) -> tuple[str, ...]:
    """Those of the words that may be marked in this text, in an order of their own.

    Readers with other keywords often have these in common, and then the marked text is the same.
    """
    folded = _folded(text[:_ABSTRACT_READ])
    return tuple(sorted({word for word in words if _folded(word) in folded}))


@lru_cache(maxsize=16_384)
def _folded(text: str) -> str:
    return plain(text).casefold()


def heading(paper: Paper, words: Sequence[str], number: int, language: Language = ENGLISH, *, limit: int) -> Heading:
    """The paper's title of at most `limit` characters as the `number`th of a mail (from 1), with `words` marked."""
    title = title_line(paper.title, limit, language)
    return Heading(number=number, title=title, title_segments=mark(title, words), link=_landing(paper.url, paper.key))


def excerpt(pick: Pick) -> str:
    """The paper's own words that the card shows; empty if a machine's are shown instead."""
    if not pick.summary:
        return pick.paper.abstract
    return pick.summary if pick.summary_by == "extract" else ""


def body(pick: Pick, words: Sequence[str], language: Language, *, room: Room | None) -> Body:
    """As much of the paper as `Detail.room` allows, with `words` marked."""
    return marked(unmarked(pick, language, room=room), words)


def marked(body: Body, words: Sequence[str]) -> Body:
    """An unmarked body with `words` marked."""
    return replace(body, abstract_segments=mark(body.abstract, words)) if body.abstract else body


def unmarked(pick: Pick, language: Language, *, room: Room | None) -> Body:
    """A body without segments: the same for all who get this paper, whatever matched."""
    if room is None:
        return Body()
    paper, trend, own = pick.paper, pick.trend, excerpt(pick)
    if room.compact:
        names, origin = _authors(paper, _NAMES_IN_LIST, language), _origin(paper, language, in_list=True)
        return Body(compact=True, authors=names, origin=origin, badges=_counters(paper, trend, language, changes=False))
    machine = paper.ai_summary if own or not pick.summary else pick.summary
    abstract, summary = (plain(text[:_ABSTRACT_READ]) if room.abstract else "" for text in (own, machine))
    return Body(
        authors=_authors(paper, _NAMES_SHOWN, language),
        origin=_origin(paper, language),
        badges=_badges(paper, trend, language),
        ai_summary=cut_at_sentence(summary, _SUMMARY),
        abstract=cut_at_sentence(abstract, room.abstract),
    )


def close(pick: Pick, language: Language, *, room: Room | None) -> Close:
    """Links, reasons and similar papers, if `Detail.room` allows them."""
    return told(pick, links(pick, language, room=room), language, room=room)


def links(pick: Pick, language: Language, *, room: Room | None) -> tuple[Badge, ...]:
    """Where to read on: the same for all who get this paper."""
    return _links(pick.paper, pick.trend, language) if room and not room.compact else ()


def told(pick: Pick, links: tuple[Badge, ...], language: Language, *, room: Room | None) -> Close:
    """These links, and what is told to those to whom the paper matters for the same reasons."""
    if room is None:
        return Close()
    if room.compact:
        return Close(why=one_line(plain(pick.why)))
    return Close(
        links=links,
        why=one_line(plain(pick.why)),
        similar=tuple(_similar(one, language) for one in pick.similar),
    )


def _similar(similar: Similar, language: Language) -> Badge:
    title = title_line(similar.title, _SIMILAR_TITLE, language)
    return Badge(title, title, _landing(similar.url, similar.key))


def missed_card(missed: Missed, detail: Detail, language: Language = ENGLISH) -> MissedCard:
    """A near miss as one line."""
    return MissedCard(
        title=title_line(missed.title, detail.title, language),
        link=_landing(missed.url, missed.key),
        why=one_line(plain(missed.why), 120),
    )


def followup_card(followup: Followup, detail: Detail, language: Language = ENGLISH) -> FollowupCard:
    """News as one line."""
    return FollowupCard(
        title=title_line(followup.title, detail.title, language),
        link=_landing(followup.url, followup.key),
        news=one_line(plain(followup.news)),
    )


def title_line(title: str, limit: int, language: Language = ENGLISH) -> str:
    """The title as a reader sees it, at most `limit` characters."""
    # A title of nothing but invisible characters still needs something to click on
    return one_line(plain(title), limit) or language.say("Untitled")


def _landing(url: str, key: str) -> str:
    scheme, _, name = key.partition(":")
    return http_link(url) or http_link(_RESOLVERS.get(scheme, "") + name)


def _authors(paper: Paper, shown: int, language: Language) -> str:
    first = [one_line(plain(name), 60) for name in paper.authors[: shown + 1]]
    names = [*filter(None, first), *paper.authors[shown + 1 :]]
    return " · ".join(filter(None, (language.listed(names, shown), one_line(plain(paper.organization), 60))))


def _origin(paper: Paper, language: Language, *, in_list: bool = False) -> str:
    published = None if in_list else paper.published
    facts = [
        ", ".join(source_name(one_line(name, 40)) for name in paper.sources[:3]),
        ", ".join(one_line(category, 20) for category in paper.categories[: 1 if in_list else 3]),
        language.middle_day(published.date()) if published else "",
        f"v{paper.version}" if paper.version and paper.version > 1 else "",
        language.say("updated") if paper.announce.startswith("replace") else "",
    ]
    return " · ".join(filter(None, facts))


def _counters(paper: Paper, trend: Trend, language: Language, *, changes: bool = True) -> tuple[Badge, ...]:
    badges, days = [], trend.change_days if changes else None
    if votes := _known(trend.upvotes, paper.signals.upvotes):
        label = language.counted(votes, "%(count)s upvote", "%(count)s upvotes")
        badges.append(_counter("▲", votes, label, trend.upvotes_change, days, language))
    if stars := _known(trend.stars, paper.signals.stars):
        label = language.counted(stars, "%(count)s star", "%(count)s stars")
        badges.append(_counter("★", stars, label, trend.stars_change, days, language))
    return tuple(badges)


def _badges(paper: Paper, trend: Trend, language: Language) -> tuple[Badge, ...]:
    badges = [*_counters(paper, trend, language)]
    # two searches of one site are one source, if anybody counted
    if (sources := trend.sources or len(paper.sources)) > 1:
        text = language.counted(sources, "in %(count)s source", "in %(count)s sources")
        badges.append(Badge(text, text))
    return tuple(badges)


def _known(*numbers: int | None) -> int:
    """The first number that is known, else 0: what nobody counted and what nobody gave look the same to a reader."""
    return next((number for number in numbers if number is not None), 0)


def _counter(symbol: str, number: int, label: str, change: int | None, days: int | None, language: Language) -> Badge:
    text = f"{symbol} {language.compact(number)}"
    if not change or change < 0 or days is None:
        return Badge(text, label)
    return Badge(
        language.grown(text, language.compact(change), days),
        _more_since(label, language.number(change), days, language),
    )


def _more_since(label: str, change: str, days: int, language: Language) -> str:
    if days <= 1:
        return language.say("%(total)s, %(change)s more since yesterday", total=label, change=change)
    return language.counted(
        days,
        "%(total)s, %(change)s more in %(count)s day",
        "%(total)s, %(change)s more in %(count)s days",
        total=label,
        change=change,
    )


def _links(paper: Paper, trend: Trend, language: Language) -> tuple[Badge, ...]:
    discussion, code, pdf = language.say("Discussion"), language.say("Code"), language.say("PDF")
    if comments := _known(trend.comments, paper.signals.comments):
        discussion = language.counted(comments, "%(count)s comment", "%(count)s comments")
    links = (
        Badge(discussion, discussion, http_link(paper.discussion_url)),
        Badge(code, code, http_link(paper.code_url)),
        Badge(language.say("Project"), language.say("Project page"), http_link(paper.project_url)),
        Badge(pdf, pdf, http_link(paper.pdf_url)),
    )
    return tuple(link for link in links if link.link)
