"""Two days of papers: usual ones, one that is hostile in every field, one in other scripts, and how votes moved."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

from digest.model import DaySignals, Paper, Receipt, Signals, StoredPaper
from tests.makers import HOSTILE_TITLE, NOW, TODAY, digest, paper, pick, subscriber
from tests.state.shortcuts import claim_one, settle_one

if TYPE_CHECKING:
    from digest.state.store import State

YESTERDAY = TODAY - timedelta(days=1)
HOSTILE_LINK = "javascript:alert(1)"
HOSTILE_KEY = 'url:https://evil.example/../../x?"><script>alert(1)</script>'

USUAL = paper(
    1,
    title="Experts That Sleep: Routing in a Mixture of Experts",
    abstract="A mixture of experts has many experts, and most of them sleep. We let them. " * 3,
    authors=("Ada Lovelace", "Emmy Noether", "Ludwig van Beethoven", "Mary Somerville", "Sofia Kovalevskaya"),
    aliases=("doi:10.5555/sleep",),
    categories=("cs.LG", "cs.CL"),
    organization="Institute of Naps",
    code_url="https://github.com/naps/experts",
    pdf_url="https://arxiv.org/pdf/2609.00001",
    discussion_url="https://huggingface.co/papers/2609.00001",
    ai_summary="Experts may sleep.",
    ai_keywords=("mixture of experts", "sleep"),
    comment="12 pages, 3 naps",
    licence="https://creativecommons.org/licenses/by/4.0/",
    sources=("arxiv", "huggingface"),
)
PLAIN = paper(2, title="Sleeping Experts in Small Mixtures", abstract="Experts sleep in small mixtures too.")
HOSTILE = Paper(
    key=HOSTILE_KEY,
    title=HOSTILE_TITLE,
    abstract=HOSTILE_TITLE,
    authors=(HOSTILE_TITLE[:90], "O'Brien <b>&amp;"),
    url=HOSTILE_LINK,
    code_url=HOSTILE_LINK,
    pdf_url='https://user@evil.example/"><script>alert(1)</script>',
    project_url="//evil.example",
    discussion_url="data:text/html,<script>alert(1)</script>",
    licence=HOSTILE_LINK,
    categories=('"><script>', "cs.LG"),
    organization="<img src=x onerror=alert(1)>",
    ai_summary="</p><script>alert(1)</script>",
    ai_keywords=("<i>",),
    comment="]]>",
    sources=("list",),
)
WORLD = paper(4, title="混合专家 مزيج الخبراء", abstract="专家在睡觉。", authors=("小林 直樹", "محمد"), categories=())
OLD = paper(5, title="Yesterday's Experts", code_url="https://github.com/x/y")

STORED = tuple(
    StoredPaper(one, datetime(2026, 9, day.day, 5, number, tzinfo=UTC), day)
    for number, (one, day) in enumerate(
        [(OLD, YESTERDAY), (USUAL, TODAY), (PLAIN, TODAY), (HOSTILE, TODAY), (WORLD, TODAY)]
    )
)


def said(day: int, **counts: int) -> DaySignals:
    return DaySignals("huggingface", date(2026, 9, day), Signals(**counts))


SIGNALS = (
    *((USUAL.key, said(day, upvotes=12 * (day - 9), comments=day, stars=100 + day)) for day in range(10, 16)),
    (PLAIN.key, said(15, upvotes=3)),
)


def deliver(state: State, email: str, day: date, *papers: Paper, at: datetime = NOW) -> None:
    """A mail with these papers reached its reader."""
    mail = digest(*(pick(paper=one) for one in papers), subscriber=subscriber(email), local_date=day)
    state.ledger.plan([(mail, f"<{email}.{day}@lab.example>")], now=NOW)
    claim_one(state, email, day, owner="test", now=NOW)
    settle_one(state, email, day, Receipt("delivered", 250, "ok", at, "relay"), "sent")


def fill(state: State) -> None:
    """Store all of it."""
    state.papers.store(STORED, signals=SIGNALS)
