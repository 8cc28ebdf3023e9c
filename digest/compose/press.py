"""Digest → Mail for many readers: each piece of a mail is printed once, and mails are joined from pieces.

Readers share papers. What depends on a paper alone, or on a paper and what matched in it, is rendered, styled and
encoded once and kept; a reader's own pieces are made for each mail. The bytes are those of `message.compose`. Where
templates of an installation's own cannot be taken apart, mails are composed whole.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

from digest.compose.cache import Cache, Lately
from digest.compose.card import (
    excerpt,
    followup_card,
    heading,
    links,
    marked,
    matched_words,
    missed_card,
    told,
    unmarked,
    words_in,
)
from digest.compose.form import Forms
from digest.compose.frame import CARD_PIECES, Frame, Gap, Page, Piece, frame
from digest.compose.letter import answers, cover, issue, occasion, shown_followups, shown_missed
from digest.compose.message import COMPACT_DETAILS, DETAILS, addressed, compose, compose_with, fitting
from digest.compose.picture import attachments, pictures
from digest.compose.sample import digests
from digest.compose.styles import PieceError
from digest.errors import TemplateError
from digest.languages.language import ENGLISH, language
from digest.once import Once

if TYPE_CHECKING:
    from collections.abc import Hashable

    from digest.compose.card import Badge, Body, Detail, Room
    from digest.compose.letter import Issue, Letterhead
    from digest.compose.picture import Picture
    from digest.compose.render import Renderer
    from digest.compose.styles import Element
    from digest.languages.language import Language
    from digest.model import Digest, Followup, Mail, Missed, Paper, Pick, Trend

#: what stands where a page has no piece of the kind
_NO_PIECE = Piece(b"", 0, 0, b"")
#: bytes of pieces and of pages that are kept
_PIECES, _PAGES = 40_000_000, 6_000_000
#: what is known by number, and picks whose numbers are known: about 200 and 700 bytes each, with what they keep alive.
#: Of 10,000 readers 11,791 picks showed something of their own, in 20,293 numbers: those of picks that are known stay
_NUMBERED, _SHOWN = 40_000, 20_000
#: papers whose bodies and links are known before anything is marked in them, about 1,500 bytes each
_KNOWN = 4_000


class _Shape(NamedTuple):
    """What mails of one detail must have in common to share a frame."""

    issue: Issue
    #: of each paper
    parts: tuple[str, ...]
    #: how many near misses, and follow-ups
    missed: int
    followups: int
    left_out: int
    pictures: bool


@dataclass(frozen=True, slots=True)
class _Page:
    """A frame for mails of one detail."""

    frame: Frame
    #: of every piece: a number for its kind, what is around it and how much of a paper it shows
    places: tuple[int, ...]
    #: whether it shows any picture
    has_pictures: bool

    @property
    def size(self) -> int:
        """Bytes of memory, about."""
        return self.frame.size


@dataclass(frozen=True, slots=True)
class _Shown:
    """What the pieces of a pick's card show, each by number, wherever in a mail it stands."""

    title: int
    paper: int
    why: int
    #: paper and trend alone, and with the words that are shown of the paper; by number too
    same: int
    words: int
    #: what is to be marked
    in_title: tuple[str, ...]
    in_abstract: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class _Tongue:
    """What mails in one language are made with; what is kept of them is kept together with all others."""

    language: Language
    renderer: Renderer
    forms: Forms


class _Numbers:
    """Small numbers for what is slow to compare; no two things ever have the same."""

    def __init__(self) -> None:
        self._known: OrderedDict[Hashable, int] = OrderedDict()
        self._last = 0

    def of(self, *thing: Hashable) -> int:
        """The number of what equals this; those not asked for the longest are forgotten, and get new ones."""
        number = self._known.get(thing)
        if number is not None:
            self._known.move_to_end(thing)
            return number
        if len(self._known) >= _NUMBERED:
            self._known.popitem(last=False)
        self._last += 1
        self._known[thing] = self._last
        return self._last


class Press:
    """Prints the mails of one letterhead, in all languages.

    Args:
        letterhead: who sends.
        renderer: the templates.

    Raises:
        TemplateError: a template cannot be rendered.
    """

    def __init__(self, letterhead: Letterhead, renderer: Renderer) -> None:
        self._letterhead = letterhead
        self._renderer = renderer
        self._pages = Cache[_Page](_PAGES)
        self._pieces = Cache[Piece](_PIECES)
        self._numbers = _Numbers()
        #: those of places, which are few, and must not be forgotten for what stands there
        self._places = _Numbers()
        self._shown = Once(self._show, most=_SHOWN)
        self._bodies: Lately[Body] = Lately(_KNOWN)
        self._links: Lately[tuple[Badge, ...]] = Lately(_KNOWN)
        #: the last of each key, with its number
        self._papers: dict[str, tuple[Paper, Trend, int]] = {}
        #: by language, each tried out, and why mails in it are composed whole; empty if they are not
        self._tongues: dict[Language, tuple[_Tongue, str]] = {}
        #: the same of English, one sentence without a full stop
        self.hindrance = self._speaking(ENGLISH)[1]

    def compose(self, digest: Digest) -> Mail:
        """What `message.compose` gives, but `text` and `html` may be empty.

        Raises:
            TemplateError: a template cannot be rendered.
            DigestError: an address cannot be written into a header, or the mail cannot be made small enough.
        """
        spoken = language(digest.subscriber.language)
        tongue, hindrance = self._tongues.get(spoken) or self._speaking(spoken)
        if not hindrance:
            try:
                return fitting(digest, lambda detail: self._compose_with(detail, digest, tongue))
            except (PieceError, TemplateError):
                pass  # whatever is wrong with a piece: the whole mail will be right, or name the fault
        return compose(digest, self._letterhead, self._renderer)

    @property
    def memory(self) -> int:
        """Bytes of what is kept, about."""
        return self._pieces.size + self._pages.size

    @property
    def printed(self) -> int:
        """How many of the pieces that papers share were printed so far."""
        return self._pieces.misses

    def _speaking(self, spoken: Language) -> tuple[_Tongue, str]:
        renderer = self._renderer.speaking(spoken.code)
        tongue = _Tongue(spoken, renderer, Forms(renderer))
        self._tongues[spoken] = tongue, self._try_out(tongue)
        return self._tongues[spoken]

    def _try_out(self, tongue: _Tongue) -> str:
        for sample in digests():
            digest = replace(sample, subscriber=replace(sample.subscriber, language=tongue.language.code))
            for detail in (DETAILS[0], DETAILS[-1], COMPACT_DETAILS[0]):
                whole = compose_with(detail, digest, self._letterhead, self._renderer)
                try:
                    if self._compose_with(detail, digest, tongue).data != whole.data:
                        return _hindrance("the sample joined from pieces is not the sample rendered whole")
                except PieceError as error:
                    return _hindrance(str(error))
                except TemplateError as error:
                    return _hindrance(error.message)
        return ""

    def _compose_with(self, detail: Detail, digest: Digest, tongue: _Tongue) -> Mail:
        own = cover(digest, self._letterhead, detail)
        picks = digest.picks[: detail.papers]
        missed, followups = shown_missed(digest, detail), shown_followups(digest, detail)
        parts = tuple([pick.part for pick in picks])
        shape = _Shape(issue(digest), parts, len(missed), len(followups), own.left_out, own.pictures)
        shown_pictures = pictures(digest, self._letterhead, detail) if own.pictures else ()
        page = self._pages.get((shape, detail)) or self._pages.put((shape, detail), self._page(detail, shape))
        around, places = page.frame.around, page.places
        forms, form = tongue.forms, tongue.forms.shape(own)
        pieces = [forms.piece("head", around[0], own, form), forms.piece("reader", around[1], own, form)]
        get = self._pieces.get
        for number, pick in enumerate(picks, start=1):
            shown = self._shown(pick)
            at = len(pieces)
            # a piece is known by its place, and by what stands there
            title, paper, why = (places[at], shown.title), (places[at + 1], shown.paper), (places[at + 2], shown.why)
            pieces += (
                get(title) or self._title(title, around[at], pick, shown, number, detail, tongue),
                get(paper) or self._paper(paper, around[at + 1], pick, shown, detail.room(number), tongue),
                get(why) or self._why(why, around[at + 2], pick, shown, detail.room(number), tongue),
                self._answer(around[at + 3], pick, digest, detail.room(number), tongue) if own.answers else _NO_PIECE,
                self._picture(places[at + 4], around[at + 4], shown_pictures[number - 1], tongue)
                if shown_pictures
                else _NO_PIECE,
            )
        for near in missed:
            at = len(pieces)
            key = (places[at], near)
            pieces.append(get(key) or self._near(key, around[at], near, detail, tongue))
        for one in followups:
            at = len(pieces)
            told = (places[at], one)
            pieces.append(get(told) or self._news(told, around[at], one, detail, tongue))
        text, html = page.frame.filled(pieces)
        # a page of one's own may leave pictures out
        attached = attachments(digest, self._letterhead, shown_pictures) if page.has_pictures else ()
        subject = forms.subject(own, form)
        return addressed(digest, self._letterhead, own, subject=subject, text=text, html=html, pictures=attached)

    def _page(self, detail: Detail, shape: _Shape) -> _Page:
        frame = self._frame(shape, compact=detail.compact)
        code = shape.issue.language
        around, places = frame.around, [0, 0]
        for number in range(1, len(shape.parts) + 1):
            title, paper, why, _, picture = around[len(places) : len(places) + len(CARD_PIECES)]
            room = detail.room(number)
            places += (
                self._places.of("title", code, title, number, detail.title),
                self._places.of("paper", code, paper, room),
                self._places.of("why", code, why, room and room.compact),
                0,
                self._places.of("picture", code, picture),
            )
        kinds = ["missed"] * shape.missed + ["followup"] * shape.followups
        rest = zip(kinds, around[len(places) :], strict=True)
        places += [self._places.of(kind, code, element, detail.title) for kind, element in rest]
        has_pictures = any(frame.around[2 + len(CARD_PIECES) * place + 4] for place in range(len(shape.parts)))
        return _Page(frame, tuple(places), has_pictures)

    def _frame(self, shape: _Shape, *, compact: bool) -> Frame:
        gaps = [(part, Gap(number)) for number, part in enumerate(shape.parts, start=1)]
        page = Page(
            **vars(occasion(shape.issue, self._letterhead)),
            left_out=shape.left_out,
            compact=compact,
            pictures=shape.pictures,
            for_you=tuple(gap for part, gap in gaps if part == "for_you"),
            trending=tuple(gap for part, gap in gaps if part == "trending"),
            missed=tuple(map(Gap, range(1, shape.missed + 1))),
            followups=tuple(map(Gap, range(1, shape.followups + 1))),
        )
        return frame(self._renderer.speaking(shape.issue.language), page)

    def _show(self, pick: Pick) -> _Shown:
        """What a pick shows. Picks that differ may show the same."""
        paper, trend = pick.paper, pick.trend
        words, same, of = matched_words(pick), self._number_of(paper, trend), self._numbers.of
        in_title, in_abstract = words_in(paper.title, words), words_in(excerpt(pick), words)
        own = of("words", same, pick.summary, pick.summary_by)
        numbers = of("title", same, in_title), of("paper", own, in_abstract), of("why", same, pick.why, pick.similar)
        return _Shown(*numbers, same, own, in_title, in_abstract)

    def _title(
        self,
        key: Hashable,
        around: Element | None,
        pick: Pick,
        shown: _Shown,
        number: int,
        detail: Detail,
        tongue: _Tongue,
    ) -> Piece:
        given = heading(pick.paper, shown.in_title, number, tongue.language, limit=detail.title)
        return self._printed(key, "title", around, given, tongue)

    def _paper(
        self, key: Hashable, around: Element | None, pick: Pick, shown: _Shown, room: Room | None, tongue: _Tongue
    ) -> Piece:
        known_by = shown.words, room, tongue.language.code
        body = self._bodies.get(known_by)
        if body is None:
            body = self._bodies.put(known_by, unmarked(pick, tongue.language, room=room))
        return self._printed(key, "paper", around, marked(body, shown.in_abstract), tongue)

    def _why(
        self, key: Hashable, around: Element | None, pick: Pick, shown: _Shown, room: Room | None, tongue: _Tongue
    ) -> Piece:
        known_by = shown.same, room, tongue.language.code
        to = self._links.get(known_by)
        if to is None:
            to = self._links.put(known_by, links(pick, tongue.language, room=room))
        return self._printed(key, "why", around, told(pick, to, tongue.language, room=room), tongue)

    def _picture(self, place: int, around: Element | None, picture: Picture, tongue: _Tongue) -> Piece:
        key = (place, picture)
        return self._pieces.get(key) or self._printed(key, "picture", around, picture, tongue)

    def _answer(self, around: Element | None, pick: Pick, digest: Digest, room: Room | None, tongue: _Tongue) -> Piece:
        """The one piece of a card that is a reader's own."""
        own = answers(pick.paper.key, digest.subscriber.token, self._letterhead, room)
        return tongue.forms.piece("answer", around, own)

    def _near(self, key: Hashable, around: Element | None, near: Missed, detail: Detail, tongue: _Tongue) -> Piece:
        return self._printed(key, "missed", around, missed_card(near, detail, tongue.language), tongue)

    def _news(self, key: Hashable, around: Element | None, told: Followup, detail: Detail, tongue: _Tongue) -> Piece:
        return self._printed(key, "followup", around, followup_card(told, detail, tongue.language), tongue)

    def _printed(self, key: Hashable, kind: str, around: Element | None, given: object, tongue: _Tongue) -> Piece:
        return self._pieces.put(key, tongue.forms.piece(kind, around, given))

    def _number_of(self, paper: Paper, trend: Trend) -> int:
        """A number that only equal papers with equal trends share: comparing is cheaper than hashing."""
        known = self._papers.get(paper.key)
        if known:
            last, its_trend, number = known
            if (last is paper or last == paper) and (its_trend is trend or its_trend == trend):
                return number
        if len(self._papers) >= _NUMBERED:
            self._papers.clear()
        number = self._numbers.of(paper, trend)
        self._papers[paper.key] = (paper, trend, number)
        return number


def _hindrance(reason: str) -> str:
    return f"your templates cannot be taken apart, so every mail is rendered whole, which takes longer: {reason}"
