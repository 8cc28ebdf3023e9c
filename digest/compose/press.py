"""Digest → Mail for many readers: each piece of a mail is printed once, and mails are joined from pieces.

Readers share papers. What depends on a paper alone, or on a paper and what matched in it, is rendered, styled and
encoded once and kept; a reader's own pieces are made for each mail. The bytes are those of `message.compose`. Where
templates of an installation's own cannot be taken apart, mails are composed whole.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from digest.compose.cache import Cache
from digest.compose.card import body, close, heading, matched_words, missed_card, words_in
from digest.compose.form import Forms
from digest.compose.frame import CARD_PIECES, Frame, Gap, Page, Piece, frame
from digest.compose.letter import cover, occasion, shown_missed
from digest.compose.message import DETAILS, addressed, compose, compose_with, fitting
from digest.compose.sample import digests
from digest.compose.styles import PieceError
from digest.errors import TemplateError

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence
    from datetime import date

    from digest.compose.card import Detail
    from digest.compose.letter import Letterhead
    from digest.compose.render import Renderer
    from digest.compose.styles import Element
    from digest.model import Digest, Mail, Missed, Paper, Pick, Trend

#: bytes of pieces and of frames that are kept
_PIECES, _FRAMES = 56_000_000, 8_000_000
#: papers with their trends known by number; a few days' worth
_PAPERS = 20_000
#: cards known by what they show: about 500 bytes each, with what they keep alive
_CARDS = 30_000


class Press:
    """Prints the mails of one letterhead.

    Args:
        letterhead: who sends.
        renderer: the templates.

    Raises:
        TemplateError: a template cannot be rendered.
    """

    def __init__(self, letterhead: Letterhead, renderer: Renderer) -> None:
        self._letterhead = letterhead
        self._renderer = renderer
        self._forms = Forms(renderer)
        self._frames = Cache[Frame](_FRAMES)
        self._pieces = Cache[Piece](_PIECES)
        #: the last of each key, and all
        self._papers: dict[str, tuple[Paper, Trend, int]] = {}
        self._numbers: dict[tuple[Paper, Trend], int] = {}
        self._numbered = 0
        self._cards: dict[Hashable, tuple[object, tuple[Piece, ...]]] = {}
        self._cards_of = 0
        #: why mails are composed whole, one sentence without a full stop; empty if they are not
        self.hindrance = self._try_out()

    def compose(self, digest: Digest) -> Mail:
        """What `message.compose` gives, but `text` and `html` may be empty.

        Raises:
            TemplateError: a template cannot be rendered.
            DigestError: an address cannot be written into a header, or the mail cannot be made small enough.
        """
        if not self.hindrance:
            try:
                return fitting(digest, lambda detail: self._compose_with(detail, digest))
            except (PieceError, TemplateError):
                pass  # whatever is wrong with a piece: the whole mail will be right, or name the fault
        return compose(digest, self._letterhead, self._renderer)

    @property
    def memory(self) -> int:
        """Bytes of what is kept, about."""
        return self._pieces.size + self._frames.size

    @property
    def printed(self) -> int:
        """How many of the pieces that papers share were printed so far."""
        return self._pieces.misses

    def _try_out(self) -> str:
        for digest in digests():
            for detail in (DETAILS[0], DETAILS[-1]):
                whole = compose_with(detail, digest, self._letterhead, self._renderer)
                try:
                    if self._compose_with(detail, digest).data != whole.data:
                        return _hindrance("the sample joined from pieces is not the sample rendered whole")
                except PieceError as error:
                    return _hindrance(str(error))
                except TemplateError as error:
                    return _hindrance(error.message)
        return ""

    def _compose_with(self, detail: Detail, digest: Digest) -> Mail:
        own = cover(digest, self._letterhead, detail)
        picks, missed = digest.picks[: detail.papers], shown_missed(digest, detail)
        shape = (digest.local_date, tuple([pick.part for pick in picks]), len(missed), own.left_out)
        page = self._frames.get(shape) or self._frames.put(shape, self._frame(*shape))
        around = page.around
        pieces = [self._forms.own("head", around[0], own), self._forms.own("reader", around[1], own)]
        for number, pick in enumerate(picks, start=1):
            pieces += self._known_card(pick, number, detail, page, len(pieces))
        for near in missed:
            pieces.append(self._missed(near, detail, around[len(pieces)]))
        text, html = page.filled(pieces)
        return addressed(digest, self._letterhead, own, subject=self._forms.subject(own), text=text, html=html)

    def _frame(self, local_date: date, parts: tuple[str, ...], missed: int, left_out: int) -> Frame:
        gaps = [(part, Gap(number)) for number, part in enumerate(parts, start=1)]
        page = Page(
            **vars(occasion(local_date, self._letterhead)),
            left_out=left_out,
            for_you=tuple(gap for part, gap in gaps if part == "for_you"),
            trending=tuple(gap for part, gap in gaps if part == "trending"),
            missed=tuple(map(Gap, range(1, missed + 1))),
        )
        return frame(self._renderer, page)

    def _known_card(self, pick: Pick, number: int, detail: Detail, page: Frame, start: int) -> tuple[Piece, ...]:
        """The pieces of a card.

        What a card shows of a pick are objects that readers share: many readers' picks differ in their scores only.
        """
        shown = (pick.paper, pick.matches, pick.trend, pick.similar, page)
        key = (*map(id, shown), pick.why, pick.summary, pick.summary_by, number, id(detail))
        if known := self._cards.get(key):
            return known[1]
        # the pieces must not outlive their cache
        if self._cards_of != self._pieces.generation or len(self._cards) >= _CARDS:
            self._cards.clear()
            self._cards_of = self._pieces.generation
        pieces = self._card(pick, number, detail, page.around[start : start + len(CARD_PIECES)])
        self._cards[key] = (shown, pieces)  # kept alive, so that their identities stay their own
        return pieces

    def _card(self, pick: Pick, number: int, detail: Detail, around: Sequence[Element | None]) -> tuple[Piece, ...]:
        paper, words, trend, why = pick.paper, matched_words(pick), pick.trend, pick.why
        same, room = self._number_of(paper, trend), detail.room(number)
        in_title, in_abstract = (words_in(paper.title, words), words_in(paper.abstract, words)) if words else ((), ())
        title, under, end = around
        get = self._pieces.get
        # a key: kind, what is around the piece, and all that its values are made of
        key: tuple[str, *tuple[Hashable, ...]] = ("title", title, same, in_title, number, detail.title)
        first = get(key) or self._printed(key, title, heading(paper, in_title, number, limit=detail.title))
        key = ("paper", under, same, in_abstract, room)
        second = get(key) or self._printed(key, under, body(paper, in_abstract, trend, room=room))
        key = ("why", end, same, why, room is None)
        third = get(key) or self._printed(key, end, close(paper, why, trend, room=room))
        return first, second, third

    def _missed(self, missed: Missed, detail: Detail, around: Element | None) -> Piece:
        key = ("missed", around, missed, detail.title)
        return self._pieces.get(key) or self._printed(key, around, missed_card(missed, detail))

    def _printed(self, key: tuple[str, *tuple[Hashable, ...]], around: Element | None, given: object) -> Piece:
        return self._pieces.put(key, self._forms.piece(key[0], around, given))

    def _number_of(self, paper: Paper, trend: Trend) -> int:
        """A number that only equal papers with equal trends share: comparing is cheaper than hashing."""
        known = self._papers.get(paper.key)
        if known:
            last, its_trend, number = known
            if (last is paper or last == paper) and (its_trend is trend or its_trend == trend):
                return number
        if len(self._numbers) >= _PAPERS:
            self._papers.clear()
            self._numbers.clear()
        number = self._numbers.get((paper, trend), 0)
        if not number:
            self._numbered += 1
            number = self._numbers[paper, trend] = self._numbered
        self._papers[paper.key] = (paper, trend, number)
        return number


def _hindrance(reason: str) -> str:
    return f"your templates cannot be taken apart, so every mail is rendered whole, which takes longer: {reason}"
