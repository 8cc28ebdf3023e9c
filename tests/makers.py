"""Makers of valid objects: a test names only what matters to it."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

from digest.model import Digest, Mail, Paper, Pick, Signals, Subscriber

#: a Tuesday on which arXiv announces; the "now" of most tests
NOW = datetime(2026, 9, 15, 6, 0, tzinfo=UTC)
TODAY = date(2026, 9, 15)

#: everything a hostile or careless title can hold: markup, entity, CRLF header, encoded word, bidi, NUL, emoji
HOSTILE_TITLE = (
    "<script>alert(1)</script> <b>Bold</b> & \r\nBcc: victim@example.org =?utf-8?q?a=0D=0ABcc=3A_x=40y=0D=0A?= "
    "\u202egnp.exe\u202c \x00\x07 🚀 " + "long " * 100
)


def paper(number: int = 1, **fields: Any) -> Paper:
    """A paper like `arxiv:2609.00001`; `number` makes another one."""
    values: dict[str, Any] = {
        "key": f"arxiv:2609.{number:05d}",
        "title": f"On the Number {number}",
        "abstract": f"We study the number {number} and find it to be a number.",
        "authors": ("Ada Lovelace", "Emmy Noether"),
        "url": f"https://arxiv.org/abs/2609.{number:05d}",
        "version": 1,
        "published": datetime(2026, 9, 14, 17, 0, tzinfo=UTC),
        "categories": ("cs.LG",),
        "sources": ("arxiv",),
    }
    return Paper(**(values | fields))


def signals(**fields: int) -> Signals:
    return Signals(**fields)


def subscriber(email: str = "ada@example.org", **fields: Any) -> Subscriber:
    values: dict[str, Any] = {"email": email, "name": "Ada", "keywords": ("mixture of experts",)}
    return Subscriber(**(values | fields))


def pick(number: int = 1, **fields: Any) -> Pick:
    values: dict[str, Any] = {"paper": paper(number), "part": "for_you"}
    return Pick(**(values | fields))


def digest(*picks: Pick, **fields: Any) -> Digest:
    values: dict[str, Any] = {
        "subscriber": subscriber(),
        "local_date": TODAY,
        "planned_at": NOW,
        "picks": picks,
        "scores": (1.0,) * len(picks),
        "considered": len(picks),
        "matched": len(picks),
    }
    return Digest(**(values | fields))


def mail(number: int = 1, **fields: Any) -> Mail:
    """A small valid mail to `reader1@example.org`."""
    recipient = f"reader{number}@example.org"
    message_id = f"<{number}.digest@example.org>"
    head = (
        f"Date: Tue, 15 Sep 2026 06:00:00 +0000\r\nFrom: digest@example.org\r\nTo: {recipient}\r\n"
        f"Message-ID: {message_id}\r\nSubject: Papers {number}\r\n\r\n"
    )
    values: dict[str, Any] = {
        "envelope_from": "bounces@example.org",
        "recipient": recipient,
        "message_id": message_id,
        "subject": f"Papers {number}",
        "data": head.encode() + b".a line that begins with a dot\r\nBody\r\n",
        "text": ".a line that begins with a dot\nBody\n",
        "html": "<p>Body</p>",
    }
    return Mail(**(values | fields))
