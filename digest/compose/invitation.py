"""The question whether somebody wants mail, as a template needs it: Subscriber and Letterhead go in. Pure.

It shows what they would get as it was asked for, since somebody else may have asked. Nothing in it is about others.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

from digest.answer import in_link
from digest.compose.letter import contact
from digest.compose.text import one_line
from digest.languages.language import language

if TYPE_CHECKING:
    from digest.compose.letter import Letterhead
    from digest.model import Subscriber

_KEYWORDS_SHOWN = 50


@dataclass(frozen=True, slots=True)
class Way:
    """How to say yes."""

    #: the bare address that reads answers
    address: str
    #: the subject of the mail that says yes, see `digest.answer`
    line: str
    #: days that an answer is waited for
    days: int


@dataclass(frozen=True, kw_only=True)
class Invitation:
    """One question, ready to print."""

    #: tag of the language (RFC 5646) in which it is asked
    language: str
    #: the address that was given
    reader: str
    #: what would be looked for, as typed, and how many entries more than are shown; empty: nothing, only what trends
    keywords: tuple[str, ...]
    more_keywords: int
    #: True if a mail would be of a week, and if one would say that there is nothing
    weekly: bool
    notes: bool
    #: when mail would come: `every day`, `on Monday and Thursday`; `07:30`; `Europe/Berlin`
    days: str
    time: str
    timezone: str
    #: most papers of either part
    max_papers: int
    trending: int
    #: `mailto:` (RFC 6068) with the subject that says yes; the address and the subject by themselves
    confirm_link: str
    confirm_address: str
    confirm_line: str
    #: days that an answer is waited for
    patience: int
    #: where to write with questions; a bare address
    contact: str
    user_agent: str


def write_invitation(reader: Subscriber, letterhead: Letterhead, way: Way) -> Invitation:
    """The question to somebody who would get what `reader` says."""
    spoken = language(reader.language)
    return Invitation(
        language=spoken.tag,
        reader=one_line(reader.email),
        keywords=tuple(one_line(keyword, 120) for keyword in reader.keywords[:_KEYWORDS_SHOWN]),
        more_keywords=max(len(reader.keywords) - _KEYWORDS_SHOWN, 0),
        weekly=reader.frequency == "weekly",
        notes=reader.quiet == "note",
        days=spoken.weekdays(reader.days),
        time=f"{reader.at:%H:%M}",
        timezone=one_line(reader.timezone),
        max_papers=reader.max_papers,
        trending=reader.trending,
        confirm_link=f"mailto:{quote(way.address, safe='@+')}?subject={in_link(way.line)}",
        confirm_address=one_line(way.address),
        confirm_line=way.line,
        patience=way.days,
        contact=contact(letterhead),
        user_agent=one_line(letterhead.user_agent, 60),
    )
