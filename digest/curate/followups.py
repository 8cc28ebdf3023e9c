"""What became of papers after they were sent: noticed once at each pull, then told to those who got them. Pure.

`happened` compares a paper before and after a pull; its answers are remembered with the moment. A reader is told what
happened after their last mail was planned, so each of it once, and in the next mail that goes out: news alone make no
mail. Votes are compared by whole days: 100 more than at the end of the day on which the paper was sent, then 200, ….
"""

from __future__ import annotations

import re
from bisect import bisect_left
from datetime import timedelta
from functools import lru_cache
from operator import itemgetter
from typing import TYPE_CHECKING, NamedTuple, get_args

from digest.curate.sentences import sentences
from digest.languages.language import ENGLISH, message
from digest.model import Followup, News, NewsKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import date, datetime

    from digest.languages.language import Language
    from digest.model import DaySignals, Delivered, Paper

#: most follow-ups in one mail; of more, the gravest and latest
MOST = 5
#: days for which papers are followed after they were sent
FOLLOWED_DAYS = 30
#: every so many votes more are news
VOTES_STEP = 100

#: characters of a source's own words that a sentence quotes at most
_QUOTED = 120
#: follow-ups kept in memory, the latest used: those who were sent a paper on one day are told the same
_REMEMBERED = 32_768
_DAY = timedelta(days=1)
_KINDS: tuple[NewsKind, ...] = get_args(NewsKind)


class _Phrase(NamedTuple):
    """What is remembered of a piece of news in English, and told in any language."""

    message: str
    #: finds what was put into the message
    pattern: re.Pattern[str]


def _phrase(text: str) -> _Phrase:
    parts = re.split(r"%\((\w+)\)s", text)
    pattern = "".join(f"(?P<{part}>.+)" if place % 2 else re.escape(part) for place, part in enumerate(parts))
    return _Phrase(text, re.compile(pattern, re.DOTALL))


_WITHDRAWAL, _WITHDRAWAL_FOR = _phrase(message("withdrawn")), _phrase(message("withdrawn %(reason)s"))
_PUBLISHED = _phrase(message("published: %(place)s"))
_DOI = _phrase(message("DOI %(name)s"))
_APPEARED = _phrase(message("code appeared: %(place)s"))
_VERSION, _VERSION_WITH = _phrase(message("version %(number)s")), _phrase(message("version %(number)s: %(changes)s"))
#: those of each kind of news, the longest first; what is none of them is a source's own words
_PHRASES: dict[NewsKind, tuple[_Phrase, ...]] = {
    "withdrawn": (_WITHDRAWAL_FOR, _WITHDRAWAL),
    "venue": (_PUBLISHED,),
    "doi": (_DOI,),
    "code": (_APPEARED,),
    "version": (_VERSION_WITH, _VERSION),
}

# as a sentence of its own: a paper may be about retracted papers, or withdrawn from a workshop
_WITHDRAWN = re.compile(
    r"(?:^\W*|[.;:,(]\s*)(?:(?:this|the|our)\s+)?(?:arxiv\s+)?"
    r"(?:(?:paper|article|submission|manuscript|preprint|version|work)\s+)?(?:(?:has\s+been|is|was)\s+)?"
    r"(?:withdrawn|retracted)(?=\s+(?:by|due|because|as|since|for|pending|until|from\s+arxiv)\b|\s*[.,;:)!]|\s*$)",
    re.IGNORECASE,
)
_REASON = re.compile(r"\b(?:due to|because|as|since|for)\b.+", re.IGNORECASE)
_VENUE = re.compile(
    r"\b(?:accepted|to appear|to be published|published|appeared|oral|spotlight)\b(?:\s+\w+){0,3}?"
    r"\s+(?:at|by|in|to|for)\s+(?!\S*(?:://|github|gitlab))[^;(]+",
    re.IGNORECASE,
)
# at the end of a word of a venue a full stop is no end: “Phys. Rev. Lett.”, “Proc. Natl. Acad. Sci. USA”
_ABBREVIATED = re.compile(
    r"\b(?:acad|adv|algebr?|amer|anal|ann|appl|assoc|astron|astrophys|biol|bull|chem|cim|class|commun|comp|comput|conf"
    r"|cosmol|curr|dyn|electron|eng|eur|exp|found|geom|geophys|grav|high|instrum?|int|intell|j|jpn|lab|lect|lett|lin"
    r"|mach|magn|mater|math|mech|med|methods?|mod|mon|nat|natl|not|nucl|numer|nuovo|opt|part|philos|phys|pol|proc|prog"
    r"|quantum|quant|r|rep|res|rev|roy|sci|ser|soc|softw|sov|stat|stud|suppl|symp|syst?|technol|theor|top|topol|trans"
    r"|univ|vis)\.$",
    re.IGNORECASE,
)
_NAMED_ON = re.compile(r"&|[A-Z]+\b|\w+\.|\w+$")
_CODE = re.compile(r"https?://(?:www\.)?(?:github\.com|gitlab\.com|codeberg\.org)/[\w.-]+/[\w.-]+", re.IGNORECASE)
# as in “v2: fixes a proof”, “Version 2 adds experiments”, “(v3) typos corrected”
_OF_VERSION = r"\(?\b(?:v|ver\.?|version\s?)\s?0*{number}\b\)?\s*[:,–—-]?\s*(?P<what>[^;]+)"
_CHANGED = re.compile(
    r"\b(?:add(?:s|ed)?|adding|fix(?:es|ed)?|correct(?:s|ed|ions?)|revis(?:es|ed|ions?)|updat(?:es|ed)|extend(?:s|ed)"
    r"|improved|minor|major|typos?|errat(?:um|a)|changes|changed|rewritten"
    r"|new (?:results?|experiments?|sections?|proofs?))\b",
    re.IGNORECASE,
)


# --- what happened ----------------------------------------------------------------------------------------------


def happened(before: Paper, after: Paper, *, at: datetime) -> tuple[News, ...]:
    """What a pull brought that is new about a known paper, the gravest first; mostly nothing.

    A withdrawal is the only news of a pull: the version that announces it is nobody's progress.

    Args:
        before: as it was known.
        after: as it is known from now on.
        at: the moment of the pull.
    """
    if withdrawn := _withdrawn(after):
        return () if _withdrawn(before) else (News(after.key, at, "withdrawn", _withdrawal(withdrawn)),)
    return tuple(News(after.key, at, kind, sentence) for kind, sentence in _progress(before, after))


def _progress(before: Paper, after: Paper) -> Iterator[tuple[NewsKind, str]]:
    if venue := _venue(before, after):
        yield "venue", venue
    old = {name for name in (before.key, *before.aliases) if name.startswith("doi:")}
    new = [name for name in (after.key, *after.aliases) if name.startswith("doi:") and name not in old]
    if new and not old:
        yield "doi", _said(_DOI, name=_quoted(new[0].removeprefix("doi:")))
    if (code := _code(after)) and not _code(before):
        yield "code", _said(_APPEARED, place=_quoted(code.partition("://")[2]))
    # without a number before, the paper only became known from a source that counts
    if before.version and (after.version or 0) > before.version:
        number, changes = after.version, _changes(before, after)
        with_changes = _said(_VERSION_WITH, number=number, changes=changes)
        yield "version", with_changes if changes else _said(_VERSION, number=number)


def _said(phrase: _Phrase, **values: object) -> str:
    return ENGLISH.say(phrase.message, **values)


def told(news: News, language: Language) -> str:
    """What happened, in a language; a source's own words stay as they are."""
    for phrase in _PHRASES[news.kind]:
        if found := phrase.pattern.fullmatch(news.sentence):
            return language.say(phrase.message, **found.groupdict())
    return news.sentence


def _withdrawn(paper: Paper) -> re.Match[str] | None:
    return _WITHDRAWN.search(paper.comment) or _WITHDRAWN.match(paper.abstract)


def _withdrawal(said: re.Match[str]) -> str:
    reason = _REASON.search(said.string, said.end())
    return _said(_WITHDRAWAL_FOR, reason=_quoted(reason[0])) if reason else _said(_WITHDRAWAL)


def _venue(before: Paper, after: Paper) -> str:
    if after.journal_ref and not before.journal_ref:
        return _said(_PUBLISHED, place=_shortened(after.journal_ref))
    accepted = _VENUE.search(after.comment)
    if accepted and not _VENUE.search(before.comment) and not before.journal_ref:
        return _lower_first(_shortened(_whole_venue(accepted[0])))
    return ""


def _whole_venue(text: str) -> str:
    """The first sentence, in which journals are abbreviated."""
    found, *rest = sentences(text)
    for piece in rest:
        # “Phys. Rev. Lett. Code: …” ends with the third word
        if not (_ABBREVIATED.search(found) and _NAMED_ON.match(piece)):
            break
        found = f"{found} {piece}"
    return found


def _code(paper: Paper) -> str:
    """Address of the paper's code; empty if none is named."""
    texts = (paper.comment, paper.abstract)
    return paper.code_url or next((link[0] for text in texts if (link := _CODE.search(text))), "")


def _changes(before: Paper, after: Paper) -> str:
    """What the comment says of the new version; empty if it says nothing."""
    if told := re.search(_OF_VERSION.format(number=after.version), after.comment, re.IGNORECASE):
        return _quoted(told["what"])
    if after.comment == before.comment:
        return ""
    clauses = (clause.strip() for clause in re.split(r"[;,.]\s|[;.]$", after.comment))
    return _quoted(next((one for one in clauses if _CHANGED.search(one) and one not in before.comment), ""))


def _lower_first(text: str) -> str:
    return text[:1].lower() + text[1:]


def _quoted(text: str) -> str:
    """The first sentence of a source's words, for a sentence of ours: one line, no full stop, not too long."""
    return _shortened(next(iter(sentences(text)), ""))


def _shortened(text: str) -> str:
    """The same of words that are no sentences."""
    text = " ".join(text.split()).strip(" .,;:")
    # as in “(v2 fixes a proof)”
    text = text if "(" in text else text.rstrip(").")
    return text if len(text) <= _QUOTED else text[: _QUOTED - 1].rsplit(" ", 1)[0].rstrip(" .,;:(") + "…"


# --- who is told ------------------------------------------------------------------------------------------------


class FollowUps:
    """What there is to tell in one run.

    Args:
        papers: those that something happened to, as they are now, by key.
        names: every key and alias of these papers → key; a mail may know a paper by another name.
        news: what happened to them, in any order.
        votes: what was said of them day by day, in the order of days, by key; those without any may be missing.
        now: nothing later is told: it will be news for the next mail.
    """

    def __init__(
        self,
        papers: Mapping[str, Paper],
        names: Mapping[str, str],
        news: Iterable[News],
        votes: Mapping[str, Sequence[DaySignals]],
        *,
        now: datetime,
    ) -> None:
        self._papers, self._names, self._now = papers, names, now
        self._news: dict[str, list[News]] = {}
        for one in sorted(news, key=lambda one: (one.at, -_KINDS.index(one.kind)), reverse=True):
            if one.at <= now:
                self._news.setdefault(one.key, []).append(one)
        self._votes = {key: _Votes(days) for key, days in votes.items()}
        self._tell = lru_cache(maxsize=_REMEMBERED)(self._find)

    def __bool__(self) -> bool:
        """False if there is nothing for anybody."""
        return bool(self._names)

    def for_reader(self, delivered: Delivered, language: Language = ENGLISH) -> tuple[Followup, ...]:
        """What one reader is told now: withdrawals first, then the latest; at most MOST.

        Args:
            delivered: papers sent to them, of mails of the last FOLLOWED_DAYS.
            language: theirs.
        """
        news: dict[str, tuple[tuple[object, ...], Followup]] = {}
        names, until = self._names, delivered.told_until
        for day, keys in delivered.mails:
            for name in names.keys() & keys:
                key = names[name]
                if key not in news and (found := self._tell(key, day, until, language)):
                    news[key] = found
        return tuple(followup for _, followup in sorted(news.values(), key=itemgetter(0)))[:MOST]

    def _find(
        self, key: str, day: date, until: datetime, language: Language
    ) -> tuple[tuple[object, ...], Followup] | None:
        """One follow-up and its place among others; the same objects for all readers who are told the same."""
        latest: dict[NewsKind, News] = {}
        for one in self._news.get(key, ()):
            if one.at > until:
                latest.setdefault(one.kind, one)
        votes = self._votes[key].told(day, until.date(), self._now.date(), language) if key in self._votes else ""
        if not latest and not votes:
            return None
        sentences = [told(latest[kind], language) for kind in _KINDS if kind in latest]
        paper = self._papers[key]
        news = language.chained([*sentences, votes] if votes else sentences)
        at = max((one.at for one in latest.values()), default=until)
        place = ("withdrawn" not in latest, -at.timestamp(), key)
        return place, Followup(paper.key, paper.title, paper.url, news)


class _Votes:
    """How a paper's votes stood at the end of each UTC day: the highest any source said until then."""

    def __init__(self, days: Sequence[DaySignals]) -> None:
        self._days: list[date] = []
        self._counts: list[int] = []
        for said in days:
            if said.signals.upvotes is not None:
                self._days.append(said.day)
                self._counts.append(max(said.signals.upvotes, self._counts[-1] if self._counts else 0))

    def told(self, sent: date, told: date, today: date, language: Language) -> str:
        """The news, or nothing, of a paper sent on one day, for who was told on another.

        Only days that have ended count, so that what one mail left untold is exactly what the next one tells.
        """
        base = self._before(sent + _DAY)
        known, passed = (max(self._before(day) - base, 0) // VOTES_STEP for day in (told, today))
        if passed <= known:
            return ""
        return language.counted(
            passed * VOTES_STEP,
            "%(count)s more vote since it was sent: ▲ %(votes)s",
            "%(count)s more votes since it was sent: ▲ %(votes)s",
            votes=language.number(self._before(today)),
        )

    def _before(self, day: date) -> int:
        place = bisect_left(self._days, day)
        return self._counts[place - 1] if place else 0
