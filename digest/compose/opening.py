"""The sentences above the papers of a mail: what was looked at, what was found, what could not be read. Pure."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from digest.compose.text import one_line, plain
from digest.languages.language import language

if TYPE_CHECKING:
    from digest.languages.language import Language
    from digest.model import Digest, Gap

#: sources named as not read
_SOURCES_NAMED = 4


def found(digest: Digest) -> str:
    """How many papers were looked at, what of that matches, and why there is no For you if there is none.

    Of a digest with picks.
    """
    reader, spoken = digest.subscriber, language(digest.subscriber.language)
    has_own, weekly = digest.picks[0].part == "for_you", reader.frequency == "weekly"
    if not digest.considered:
        return _nothing_came(spoken, weekly=weekly)
    looked_at = _looked_at(digest.considered, spoken, weekly=weekly)
    if not reader.keywords:
        return spoken.say("%(considered)s; these are trending.", considered=looked_at)
    matched = _matched(digest.considered, digest.matched, spoken)
    if has_own:
        return spoken.say("%(considered)s, %(matched)s.", considered=looked_at, matched=matched)
    if digest.matched:
        matched = _unfit(matched, digest, spoken)
    return spoken.say("%(considered)s, %(matched)s; these are trending.", considered=looked_at, matched=matched)


def span(digest: Digest) -> str:
    """Since when the papers came that were looked at: `within 8 days`."""
    spoken = language(digest.subscriber.language)
    if not digest.days:
        return spoken.say("since your last mail with papers")
    return spoken.counted(digest.days, "within %(count)s day", "within %(count)s days")


def came(digest: Digest) -> str:
    """How many papers these are: `1,204 papers have come within 8 days`."""
    spoken = language(digest.subscriber.language)
    return spoken.counted(
        digest.considered,
        "%(count)s paper has come %(span)s",
        "%(count)s papers have come %(span)s",
        span=span(digest),
    )


def unread(digest: Digest) -> str:
    """That papers may be missing, of which sources and days; empty if all was read."""
    return _unread(digest.unread, language(digest.subscriber.language)) if digest.unread else ""


def _nothing_came(spoken: Language, *, weekly: bool) -> str:
    if weekly:
        return spoken.say("No new papers this week; these are trending.")
    return spoken.say("No new papers today; these are trending.")


@lru_cache(maxsize=1024)
def _looked_at(papers: int, spoken: Language, *, weekly: bool) -> str:
    if weekly:
        return spoken.counted(
            papers, "In seven days %(count)s paper looked at", "In seven days %(count)s papers looked at"
        )
    return spoken.counted(papers, "%(count)s paper looked at", "%(count)s papers looked at")


@lru_cache(maxsize=8192)
def _matched(papers: int, matched: int, spoken: Language) -> str:
    if papers == 1 and matched:
        return spoken.say("and it matches your keywords")
    if papers == 1:
        return spoken.say("and it matches none of your keywords")
    if not matched:
        return spoken.say("none matches your keywords")
    return spoken.counted(matched, "%(count)s matches your keywords", "%(count)s match your keywords")


def _unfit(matched: str, digest: Digest, spoken: Language) -> str:
    """What matches, and why none of it is in the digest."""
    if digest.matched == digest.seen_before:
        return spoken.say("%(matched)s, but nothing of that is new to you", matched=matched)
    floor = spoken.decimal(f"{digest.subscriber.min_score:g}")
    return spoken.say("%(matched)s, but nothing new scores above your floor of %(floor)s", matched=matched, floor=floor)


@lru_cache(maxsize=64)
def _unread(gaps: tuple[Gap, ...], spoken: Language) -> str:
    days: dict[str, list[str]] = {}
    for gap in gaps:
        days.setdefault(one_line(plain(gap.source), 60), []).append(spoken.short_days(gap.first, gap.last))
    sources = [f"{name} ({', '.join(when)})" for name, when in days.items()]
    shown = spoken.listed(sources, _SOURCES_NAMED)
    return spoken.say("Not read in full, so papers may be missing: %(sources)s.", sources=shown)
