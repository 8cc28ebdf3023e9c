"""Invented digests that use every block of the templates, so that a mistake in one is found before a morning."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

from digest.compose.card import Detail
from digest.compose.invitation import Invitation, Way, write_invitation
from digest.compose.letter import Letter, Letterhead, write
from digest.model import WEEKDAYS, Digest, Followup, Match, Missed, Paper, Pick, Similar, Subscriber, Thumbnail, Trend

_PAPER = Paper(
    key="arxiv:2609.99999",
    title="An Invented Paper about Mixture of Experts",
    abstract="This paper does not exist. It shows how an abstract looks.",
    authors=("Ada Lovelace", "Emmy Noether", "Mary Somerville", "Sofia Kovalevskaya", "Grace Hopper"),
    url="https://example.org/paper",
    version=2,
    published=datetime(2026, 9, 14, tzinfo=UTC),
    categories=("cs.LG",),
    announce="replace",
    sources=("arxiv", "huggingface"),
    organization="Example University",
    pdf_url="https://example.org/paper.pdf",
    code_url="https://example.org/code",
    project_url="https://example.org/project",
    discussion_url="https://example.org/discussion",
    ai_summary="A paper that does not exist.",
)
_TREND = Trend(upvotes=142, upvotes_change=84, comments=12, stars=1234, stars_change=5, change_days=1)
_MATCH = Match("mixture of experts", ("title",), words=("Mixture of Experts",))
#: four grey pixels
_THUMBNAIL = Thumbnail(
    "a7c1e5f0",
    2,
    2,
    "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDABsSFBcUERsXFhceHBsgKEIrKCUlKFE6PTBCYFVlZF9VXVtqeJmBanGQc1tdhbWGkJ6jq62rZ4C8ybqm"
    "x5moq6T/wAALCAACAAIBAREA/8QAFAABAAAAAAAAAAAAAAAAAAAABv/EABQQAQAAAAAAAAAAAAAAAAAAAAD/2gAIAQEAAD8AQv/Z",
)
_FULL = Digest(
    subscriber=Subscriber(
        "reader@example.org",
        keywords=tuple(f"keyword {n}" for n in range(20)),
        images="embedded",
        token="sample",  # noqa: S106 — no secret
    ),
    local_date=date(2026, 9, 15),
    planned_at=datetime(2026, 9, 15, 6, 0, tzinfo=UTC),
    picks=(
        Pick(
            _PAPER,
            "for_you",
            (_MATCH,),
            _TREND,
            "“mixture of experts” in the title",
            similar=(
                Similar("arxiv:2609.99996", "An Invented Similar Paper", "https://example.org/similar"),
                Similar("list:x/1", "A Similar Paper without an Address", ""),
            ),
            thumbnail=_THUMBNAIL,
        ),
        Pick(replace(_PAPER, title="Another One"), "for_you", why="“keyword 1” in the abstract"),
        Pick(replace(_PAPER, url=""), "trending", trend=_TREND, why="▲ 142"),
        Pick(replace(_PAPER, abstract=""), "trending"),
    ),
    scores=(1.0, 0.9, 1.0, 0.9),
    missed=(
        Missed("arxiv:2609.99998", "An Invented Near Miss", "https://example.org/other", "below your 10 papers"),
        Missed("url:", "Another Invented Near Miss", "", "score 0.12 under your floor 0.2"),
    ),
    followups=(
        Followup("arxiv:2609.99997", "An Invented Older Paper", "https://example.org/older", "code appeared"),
        Followup("url:", "Another Invented Older Paper", "", "version 2: fixes a proof"),
    ),
    considered=300,
    matched=20,
)
_BARE = replace(
    _FULL,
    subscriber=Subscriber("reader@example.org"),
    picks=(Pick(Paper("url:", ""), "trending"),),
    scores=(0.0,),
    missed=(),
    followups=(),
)
_WEEKLY = replace(_FULL, subscriber=replace(_FULL.subscriber, frequency="weekly"))
_QUIET = replace(_FULL, picks=(), scores=(), followups=(), seen_before=11)
_LETTERHEAD = Letterhead(
    from_address="Paper digest <digest@example.org>",
    base_url="https://digest.example.org",
    archive_url="https://papers.example.org",
    has_feeds=True,
    credits=(("arXiv", "https://arxiv.org/"), ("A list without an address", "")),
    feedback="feedback@example.org",
    secret="sample",  # noqa: S106 — none
)


def digests() -> tuple[Digest, ...]:
    """A full digest, one without anything that may be missing, one of a week, and one of a day without papers."""
    return (_FULL, _BARE, _WEEKLY, _QUIET)


def invitations() -> tuple[Invitation, ...]:
    """A question to somebody with very many keywords, and one to somebody without any."""
    way = Way("feedback@example.org", "confirm 20260915T060000Z [sample.sample]", days=14)
    many = replace(_FULL.subscriber, keywords=_FULL.subscriber.keywords * 3)
    return (write_invitation(many, _LETTERHEAD, way), write_invitation(_BARE.subscriber, _LETTERHEAD, way))


def samples() -> tuple[Letter, ...]:
    """The same as letters."""
    full, bare = write(_FULL, _LETTERHEAD, Detail()), write(_BARE, Letterhead("digest@example.org"), Detail())
    weekdays = replace(_BARE, subscriber=replace(_BARE.subscriber, frequency="weekdays"))
    daily = replace(_BARE, subscriber=replace(_BARE.subscriber, days=WEEKDAYS))
    others = (
        *(_WEEKLY, _QUIET, weekdays, daily),
        # the reasons for which there may be nothing
        replace(_QUIET, seen_before=0),
        replace(_QUIET, seen_before=20),
        replace(_QUIET, seen_before=20, days=8, waiting=True),
        replace(_QUIET, matched=0, seen_before=0, missed=(), subscriber=_WEEKLY.subscriber),
        replace(_BARE, picks=()),
        replace(_BARE, picks=(), considered=0),
        replace(_BARE, picks=(), considered=0, subscriber=_WEEKLY.subscriber),
    )
    return (replace(full, left_out=1), bare, *(write(digest, _LETTERHEAD, Detail()) for digest in others))
