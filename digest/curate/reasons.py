"""Matches and trend → the reasons in words, as they stand under a paper. English; pure.

“mixture of experts” in title and abstract; “MoE”, written “mixture of experts”, in abstract; by Yann LeCun;
▲ 142 (+84 since yesterday); 12 comments; ★ 1.2k; rising again; in 3 sources; first seen 3 days ago
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence

from digest.curate.query import Boost, Phrase, parse
from digest.curate.words import words
from digest.model import Match, Trend

_PLACES = {
    "title": "title",
    "abstract": "abstract",
    "author": "authors",
    "category": "categories",
    "organization": "organization",
    "topic": "topics",
}
#: how a match in one of these fields alone begins; the paper's own names follow
_NAMED = {"author": "by", "category": "in", "organization": "from"}
_FOND = "like papers you chose"
#: words that begin with so many equal letters are taken for forms of one word
_AKIN = 4


def why(matches: Sequence[Match], trend: Trend, *, fond: bool = False) -> str:
    """All reasons, joined by semicolons, without a full stop; empty if there is none.

    Args:
        matches: what the subscriber's entries found.
        trend: how the paper is doing with everybody.
        fond: it is much like what the subscriber brought along or wanted more of.
    """
    found = [_match(match.keyword, match.fields, match.words) for match in matches]
    return "; ".join([*found, *[_FOND] * fond, *_trend(trend)])


# a popular keyword's best papers are shown to many, for the same reason
@functools.lru_cache(maxsize=16_384)
def _match(keyword: str, fields: tuple[str, ...], pieces: tuple[str, ...]) -> str:
    if len(fields) == 1 and fields[0] in _NAMED and pieces:
        return f"{_NAMED[fields[0]]} {_listed(pieces)}"
    if not fields:
        return _spoken(keyword, pieces)
    return f"{_spoken(keyword, pieces)} in {_listed([_PLACES[field] for field in fields])}"


def _spoken(keyword: str, pieces: tuple[str, ...]) -> str:
    """A phrase without its syntax, and how the paper puts it if that looks different; other entries as typed."""
    node = parse(keyword).node
    while isinstance(node, Boost):
        node = node.part
    if not isinstance(node, Phrase):
        return _quoted(keyword.strip())
    asked_for = _quoted(f"{node.text}*" if node.prefix else node.text)
    asked = {word[:_AKIN] for word in node.words}
    if any(word[:_AKIN] in asked for piece in pieces for word in words(piece)) or not pieces:
        return asked_for
    return f"{asked_for}, written {_quoted(pieces[0])},"


def _trend(trend: Trend) -> Iterator[str]:
    """The numbers that are there, what they mean, and how long the paper has been known."""
    if trend.upvotes:
        yield f"▲ {_short(trend.upvotes)}{_since(trend.upvotes_change, trend.change_days)}"
    if trend.comments:
        yield f"{_short(trend.comments)} comment{'s' * (trend.comments != 1)}"
    if trend.stars:
        yield f"★ {_short(trend.stars)}{_since(trend.stars_change, trend.change_days)}"
    if trend.rising_again:
        yield "rising again"
    if trend.sources > 1:
        yield f"in {trend.sources} sources"
    # what became known yesterday is today's news in a daily mail
    if trend.known_days is not None and trend.known_days > 1:
        yield f"first seen {trend.known_days} days ago"


def _since(change: int | None, days: int | None) -> str:
    if not change or change < 0 or not days:
        return ""
    return f" (+{_short(change)} {'since yesterday' if days == 1 else f'in {days} days'})"


def _short(count: int) -> str:
    """At most four characters: 999, 1.2k, 45k, 1.3M."""
    for size, unit in ((1_000_000, "M"), (1_000, "k")):
        if count >= size:
            tenths = count * 10 // size
            return f"{tenths // 10}{unit}" if tenths >= 100 or not tenths % 10 else f"{tenths / 10}{unit}"
    return str(count)


def _quoted(text: str) -> str:
    return f"“{text}”"


def _listed(items: Sequence[str]) -> str:
    """One; one and two; one, two and three."""
    return " and ".join(filter(None, [", ".join(items[:-1]), items[-1]]))
