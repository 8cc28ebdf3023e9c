"""A whole mail as a template needs it: Digest and Letterhead go in, a Letter comes out. Pure.

The templates hold the words and the look; everything that must be decided, counted, cut or cleaned is decided here.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from email.utils import parseaddr
from functools import lru_cache
from typing import TYPE_CHECKING, Literal, NamedTuple
from urllib.parse import quote, urlsplit

from digest.answer import can_answer, in_link, line
from digest.compose import opening
from digest.compose.card import (
    NO_ANSWERS,
    Answers,
    Card,
    Detail,
    FollowupCard,
    MissedCard,
    Room,
    card,
    followup_card,
    missed_card,
    title_line,
)
from digest.compose.picture import NO_PICTURE, pictures
from digest.compose.text import http_link, one_line, plain
from digest.languages.language import language
from digest.model import WEEKDAYS
from digest.private import private_name

if TYPE_CHECKING:
    from datetime import date

    from digest.languages.language import Language
    from digest.model import Digest, Followup, Frequency, Missed, Subscriber

_KEYWORDS_SHOWN = 12
#: characters of a subject
_SUBJECT = 70
#: at most so many of the leading title in it: `15 Sep: ` before and ` + 49 more` after it leave them, and
#: `Week of 28 Dec – 3 Jan: `
_SUBJECT_LEAD, _SUBJECT_LEAD_OF_WEEK = 50, 36


@dataclass(frozen=True, slots=True)
class Letterhead:
    """Who sends: the same for every mail of an installation."""

    #: `Paper digest <digest@example.org>` or a bare address
    from_address: str
    #: empty: answers go to `from_address`
    reply_to: str = ""
    #: RFC 5321 reverse path, where bounces go; empty: the address in `from_address`
    envelope_from: str = ""
    #: public web address without a slash at the end; empty: there are no web pages
    base_url: str = ""
    #: public web address of the archive, without a slash at the end; empty: there is none
    archive_url: str = ""
    #: readers have feeds of their own in the archive
    has_feeds: bool = False
    #: address that reads unsubscribe requests; empty: `reply_to`, `operator` or `from_address`
    unsubscribe_mailto: str = ""
    #: `digest/0.1.0`: the User-Agent header and the last line of every mail
    user_agent: str = "digest"
    #: (name, address) of every source, in the order to thank them
    credits: tuple[tuple[str, str], ...] = ()
    #: address of the person who runs this installation; empty: unknown
    operator: str = ""
    #: address that reads what readers say of papers; empty: there are no such links
    feedback: str = ""
    #: signs these links
    secret: str = field(default="", repr=False)

    def __hash__(self) -> int:
        # looked up several times a mail; all fields would cost a microsecond each time, and there are few letterheads
        return hash((self.from_address, self.base_url))


class Issue(NamedTuple):
    """What tells which mails look the same but for papers and reader."""

    local_date: date
    frequency: Frequency | Literal[""]
    #: True if there is nothing to show, and the mail says so
    quiet: bool
    #: tag of the language in which it is written
    language: str


@dataclass(frozen=True, kw_only=True)
class Occasion:
    """What is the same in every mail of one issue. All addresses are ASCII and safe to link to."""

    #: tag of the language (RFC 5646) in which it is written
    language: str
    #: what the digest covers, for templates to choose their words by; `daily` is every day, empty any choice of days
    frequency: Frequency | Literal[""]
    #: True if there is nothing to show
    quiet: bool
    #: `Tuesday, 15 September 2026`, and `15 Sep` for the subject
    day: str
    short_day: str
    #: the seven days that end with it: `9–15 September 2026`, `9–15 Sep`
    week: str
    short_week: str
    #: where to write to change anything; a bare address
    contact: str
    #: (name, address) of every source
    credits: tuple[tuple[str, str], ...]
    #: True if arXiv is among the sources: it asks to be thanked in fixed words
    #: (https://info.arxiv.org/help/api/tou.html)
    thanks_arxiv: bool
    user_agent: str
    #: True if papers have links by which readers say more or less of them
    answers: bool


@dataclass(frozen=True, kw_only=True)
class Cover(Occasion):
    """What is one reader's own: everything in a mail but the papers."""

    #: the first paper's title, the same short enough for a subject, and how many papers follow it
    lead: str
    subject_lead: str
    more: int
    #: papers looked at, and how many of them matched a keyword
    considered: int
    matched: int
    #: of these, how many are in an earlier mail, and how many in none
    seen_before: int
    unseen: int
    #: where there is something to show: `312 papers looked at, 14 match your keywords.`
    found: str
    #: where there is nothing to show: since when papers were looked at, `within 8 days`, and how many they are,
    #: `1,204 papers have come within 8 days`
    span: str
    came: str
    #: True if an earlier mail may still be on its way
    waiting: bool
    #: that papers may be missing, of which sources and days; empty: all was read
    unread: str
    #: the least relevance that they ask for: `0.2`
    floor: str
    #: picks that did not fit into a mail of bearable size; 0 but for absurd input
    left_out: int
    #: True if papers are a dense list
    compact: bool
    #: True if any of them has a picture
    pictures: bool
    #: the subscriber's address
    reader: str
    #: their first keywords as typed, and how many more there are: `sparse attention, title:routing and 3 more`
    keywords: str
    #: the archive's page of the day on which the papers were chosen; empty if there is no archive
    archive_link: str
    #: the reader's own feed; empty if there is none
    feed_link: str
    #: the unsubscribe page; empty if there are no web pages
    unsubscribe_link: str
    #: `mailto:` with a subject that names the subscriber
    unsubscribe_mailto: str


@dataclass(frozen=True, kw_only=True)
class Letter(Cover):
    """One mail, ready to print."""

    for_you: tuple[Card, ...]
    trending: tuple[Card, ...]
    missed: tuple[MissedCard, ...]
    followups: tuple[FollowupCard, ...]


def write(digest: Digest, letterhead: Letterhead, detail: Detail) -> Letter:
    """The digest as a letter, with as much of every paper as `detail` allows."""
    picks = digest.picks[: detail.papers]
    token, spoken = digest.subscriber.token, language(digest.subscriber.language)
    shown = pictures(digest, letterhead, detail) or (NO_PICTURE,) * len(picks)
    cards = [
        (
            pick.part,
            card(
                pick, number, detail, answers(pick.paper.key, token, letterhead, detail.room(number)), picture, spoken
            ),
        )
        for number, (pick, picture) in enumerate(zip(picks, shown, strict=True), start=1)
    ]
    return Letter(
        **vars(cover(digest, letterhead, detail)),
        for_you=tuple(card for part, card in cards if part == "for_you"),
        trending=tuple(card for part, card in cards if part == "trending"),
        missed=tuple(missed_card(missed, detail, spoken) for missed in shown_missed(digest, detail)),
        followups=tuple(followup_card(followup, detail, spoken) for followup in shown_followups(digest, detail)),
    )


def shown_missed(digest: Digest, detail: Detail) -> tuple[Missed, ...]:
    """The near misses that a mail of this detail names."""
    return digest.missed if detail.facts else ()


def shown_followups(digest: Digest, detail: Detail) -> tuple[Followup, ...]:
    """The news of older papers that a mail of this detail tells."""
    return digest.followups if detail.facts else ()


def issue(digest: Digest) -> Issue:
    """Which issue a digest's mail is of."""
    reader = digest.subscriber
    frequency = "" if reader.frequency == "daily" and len(reader.days) < len(WEEKDAYS) else reader.frequency
    return Issue(digest.local_date, frequency, not digest.picks, language(reader.language).code)


@lru_cache(maxsize=64)
def occasion(issue: Issue, letterhead: Letterhead) -> Occasion:
    """What the mails of one issue have in common."""
    spoken = language(issue.language)
    return Occasion(
        language=spoken.tag,
        frequency=issue.frequency,
        quiet=issue.quiet,
        day=spoken.long_day(issue.local_date),
        short_day=spoken.short_day(issue.local_date),
        week=spoken.week(issue.local_date),
        short_week=spoken.short_week(issue.local_date),
        contact=contact(letterhead),
        credits=tuple((one_line(plain(name), 60), http_link(url)) for name, url in letterhead.credits),
        thanks_arxiv=any(_host(url) in {"arxiv.org", "www.arxiv.org"} for _, url in letterhead.credits),
        user_agent=one_line(letterhead.user_agent, 60),
        answers=bool(letterhead.feedback),
    )


def cover(digest: Digest, letterhead: Letterhead, detail: Detail) -> Cover:
    """Everything in the digest's mail but the papers; of these only the first titles."""
    reader, spoken = digest.subscriber, language(digest.subscriber.language)
    same = occasion(issue(digest), letterhead)
    room = _subject_room(issue(digest))
    lead, subject_lead = _leading(digest.picks[0].paper.title, detail.title, room, spoken) if digest.picks else ("", "")
    return Cover(
        **vars(same),
        lead=lead,
        subject_lead=subject_lead,
        more=max(len(digest.picks) - 1, 0),
        considered=digest.considered,
        matched=digest.matched,
        seen_before=digest.seen_before,
        unseen=digest.matched - digest.seen_before,
        found=opening.found(digest) if digest.picks else "",
        span="" if digest.picks else opening.span(digest),
        came="" if digest.picks else opening.came(digest),
        waiting=digest.waiting,
        unread=opening.unread(digest),
        floor=spoken.decimal(f"{reader.min_score:g}"),
        left_out=max(len(digest.picks) - detail.papers, 0),
        compact=detail.compact,
        pictures=bool(pictures(digest, letterhead, detail)),
        reader=one_line(reader.email),
        keywords=_keywords(reader, spoken),
        archive_link=_archive_link(digest.planned_at.date(), letterhead),
        feed_link=feed_link(reader, letterhead),
        unsubscribe_link=unsubscribe_link(reader, letterhead),
        unsubscribe_mailto=unsubscribe_mailto(reader, letterhead),
    )


@lru_cache(maxsize=8192)
def _leading(title: str, limit: int, room: int, spoken: Language) -> tuple[str, str]:
    """A title shortened for the front of a mail, and for the subject."""
    line = title_line(title, limit, spoken)
    return one_line(line, 150), one_line(line, room)


@lru_cache(maxsize=64)
def _subject_room(issue: Issue) -> int:
    """Characters that a subject has for the leading title."""
    spoken, day = language(issue.language), issue.local_date
    weekly = issue.frequency == "weekly"
    begin = spoken.say("Week of %(short_week)s", short_week=spoken.short_week(day)) if weekly else spoken.short_day(day)
    end = spoken.counted(49, "+ %(count)s more", "+ %(count)s more")
    return min(_SUBJECT_LEAD_OF_WEEK if weekly else _SUBJECT_LEAD, _SUBJECT - len(f"{begin}:  {end}"))


def _keywords(reader: Subscriber, spoken: Language) -> str:
    shown = ", ".join([one_line(keyword, 60) for keyword in reader.keywords[:_KEYWORDS_SHOWN]])
    more = len(reader.keywords) - _KEYWORDS_SHOWN
    if more <= 0:
        return shown
    return spoken.counted(more, "%(keywords)s and %(count)s more", "%(keywords)s and %(count)s more", keywords=shown)


@lru_cache(maxsize=64)
def contact(letterhead: Letterhead) -> str:
    """The bare address at which somebody reads what subscribers write."""
    candidates = (letterhead.reply_to, letterhead.operator, letterhead.from_address)
    return next((address for written in candidates if (address := parseaddr(written)[1])), "")


def answers(key: str, token: str, letterhead: Letterhead, room: Room | None) -> Answers:
    """The links of one paper for the reader of this token, if the letterhead has such links and there is room."""
    if not (letterhead.feedback and room and not room.compact and can_answer(key, token)):
        return NO_ANSWERS
    mail, secret = _feedback_mail(letterhead), letterhead.secret
    return Answers(
        more_link=mail + in_link(line("more", key, token, secret=secret)),
        less_link=mail + in_link(line("less", key, token, secret=secret)),
    )


@lru_cache(maxsize=64)
def _feedback_mail(letterhead: Letterhead) -> str:
    return f"mailto:{quote(parseaddr(letterhead.feedback)[1], safe='@+')}?subject="


@lru_cache(maxsize=64)
def _archive_link(day: date, letterhead: Letterhead) -> str:
    """The page of a UTC day: it is there as soon as the archive was written on that day."""
    return http_link(f"{letterhead.archive_url}/{day.isoformat()}/") if letterhead.archive_url else ""


def feed_link(reader: Subscriber, letterhead: Letterhead) -> str:
    """The Atom feed of what this reader is sent; empty if there are no such feeds, or without a token."""
    folder = _feed_folder(letterhead)
    return f"{folder}{private_name(reader.token)}/feed.atom" if folder and reader.token else ""


@lru_cache(maxsize=64)
def _feed_folder(letterhead: Letterhead) -> str:
    is_there = letterhead.has_feeds and letterhead.archive_url
    return http_link(f"{letterhead.archive_url}/private/") if is_there else ""


def unsubscribe_link(reader: Subscriber, letterhead: Letterhead) -> str:
    """The reader's own unsubscribe page; empty without a public web address or a token."""
    pages = _unsubscribe_pages(letterhead)
    return pages + _quoted(reader.token) if pages and reader.token else ""


def unsubscribe_mailto(reader: Subscriber, letterhead: Letterhead) -> str:
    """A `mailto:` address (RFC 6068) whose subject names the reader by token, else by address."""
    return _unsubscribe_mail(letterhead) + _quoted(reader.token or reader.email)


def _quoted(text: str) -> str:
    return text if text.isascii() and text.isalnum() else quote(text, safe="", errors="replace")


@lru_cache(maxsize=64)
def _unsubscribe_pages(letterhead: Letterhead) -> str:
    return http_link(f"{letterhead.base_url.rstrip('/')}/unsubscribe/") if letterhead.base_url else ""


@lru_cache(maxsize=64)
def _unsubscribe_mail(letterhead: Letterhead) -> str:
    address = parseaddr(letterhead.unsubscribe_mailto)[1] or contact(letterhead)
    return f"mailto:{quote(address, safe='@+')}?subject=unsubscribe%20"


def _host(url: str) -> str:
    return urlsplit(http_link(url)).hostname or ""
