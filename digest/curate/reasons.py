"""Matches and trend → the reasons in words of the reader's language, as they stand under a paper. Pure.

“mixture of experts” in title and abstract; “MoE”, written “mixture of experts”, in abstract; by Yann LeCun;
▲ 142 (+84 since yesterday); 12 comments; ★ 1.2k; rising again; in 3 sources; first seen 3 days ago
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence

from digest.curate.query import Boost, Phrase, parse
from digest.curate.words import singular, words
from digest.languages.language import ENGLISH, Language, message
from digest.model import Match, Trend

_PLACES = {
    "title": message("title"),
    "abstract": message("abstract"),
    "author": message("authors"),
    "category": message("categories"),
    "organization": message("organization"),
    "topic": message("topics"),
}
#: how a match in one of these fields alone is told; the paper's own names are in it
_NAMED = {
    "author": message("by %(names)s"),
    "category": message("in %(names)s"),
    "organization": message("from %(names)s"),
}
#: letters of the shortest word that is seen at the beginning of another
_SHORTEST = 3


def why(matches: Sequence[Match], trend: Trend, language: Language = ENGLISH, *, fond: bool = False) -> str:
    """All reasons, joined by semicolons, without a full stop; empty if there is none.

    Args:
        matches: what the subscriber's entries found.
        trend: how the paper is doing with everybody.
        language: the subscriber's.
        fond: it is much like what the subscriber brought along or wanted more of.
    """
    found = [_match(match.keyword, match.fields, match.words, language) for match in matches]
    if fond:
        found.append(language.say("like papers you chose"))
    return language.chained([*found, *_trend(trend, language)])


# a popular keyword's best papers are shown to many, for the same reason
@functools.lru_cache(maxsize=16_384)
def _match(keyword: str, fields: tuple[str, ...], pieces: tuple[str, ...], language: Language) -> str:
    if len(fields) == 1 and fields[0] in _NAMED and pieces:
        return language.say(_NAMED[fields[0]], names=language.joined(pieces))
    entry, found = _asked_and_found(keyword, pieces)
    entry, found = (language.say("“%(text)s”", text=text) if text else "" for text in (entry, found))
    places = language.joined(tuple([language.say(_PLACES[field]) for field in fields])) if fields else ""
    if found and places:
        return language.say("%(entry)s, written %(found)s, in %(places)s", entry=entry, found=found, places=places)
    if places:
        return language.say("%(entry)s in %(places)s", entry=entry, places=places)
    return language.say("%(entry)s, written %(found)s", entry=entry, found=found) if found else entry


def _asked_and_found(keyword: str, pieces: tuple[str, ...]) -> tuple[str, str]:
    """A phrase without its syntax, and how the paper puts it if that looks different; other entries as typed."""
    node = parse(keyword).node
    while isinstance(node, Boost):
        node = node.part
    if not isinstance(node, Phrase):
        return keyword.strip(), ""
    asked_for = f"{node.text}*" if node.prefix else node.text
    found = [word for piece in pieces for word in words(piece)]
    if not pieces or any(_is_seen_in(asked, word) for asked in node.words for word in found):
        return asked_for, ""
    return asked_for, pieces[0]


def _is_seen_in(asked: str, found: str) -> bool:
    """Whether a reader sees one word in the other: `FPGA` in `FPGAs`, but not `accelerator` in `acceleration`."""
    short, long = sorted((asked, found), key=len)
    return singular(found) == singular(asked) or (len(short) >= _SHORTEST and long.startswith(short))


def _trend(trend: Trend, language: Language) -> Iterator[str]:
    """The numbers that are there, what they mean, and how long the paper has been known."""
    if trend.upvotes:
        yield _grown("▲", trend.upvotes, trend.upvotes_change, trend.change_days, language)
    if trend.comments:
        count = language.compact(trend.comments)
        yield language.counted(trend.comments, "%(count)s comment", "%(count)s comments", count=count)
    if trend.stars:
        yield _grown("★", trend.stars, trend.stars_change, trend.change_days, language)
    if trend.rising_again:
        yield language.say("rising again")
    if trend.sources > 1:
        yield language.counted(trend.sources, "in %(count)s source", "in %(count)s sources")
    # what became known yesterday is today's news in a daily mail
    if trend.known_days is not None and trend.known_days > 1:
        yield language.counted(trend.known_days, "first seen %(count)s day ago", "first seen %(count)s days ago")


def _grown(symbol: str, number: int, change: int | None, days: int | None, language: Language) -> str:
    total = f"{symbol} {language.compact(number)}"
    if not change or change < 0 or not days:
        return total
    return language.grown(total, language.compact(change), days)
