"""What one mail of ten papers costs to compose: the usual way, whole, and joined from pieces.

usage: python -m benchmarks.compose [SUBSCRIBERS [PAPERS]]

Digests are chosen by the real ranking, for readers with 5 to 15 keywords, popular ones more often (Zipf). Prints
microseconds per mail on one core, how often a piece was there already, and the memory of the pieces.
"""

from __future__ import annotations

import random
import sys
import time
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr
from pathlib import Path
from typing import TYPE_CHECKING

import css_inline
import jinja2
import premailer

from benchmarks.day import Language
from digest.compose.card import Detail
from digest.compose.letter import Letterhead, unsubscribe_link, write
from digest.compose.message import compose, message_id
from digest.compose.press import Press
from digest.compose.render import Renderer, breakable, wrap
from digest.compose.translation import Sentences, speak
from digest.curate.offer import Offer, Request
from digest.curate.query import parse
from digest.curate.rank import Ranking
from digest.curate.trend import trends
from digest.languages.language import ENGLISH
from digest.model import Paper, Signals, StoredPaper, Subscriber

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from digest.model import Digest

_NOW = datetime(2026, 9, 15, 6, 0, tzinfo=UTC)
_LETTERHEAD = Letterhead(
    from_address="Paper digest <digest@papers.example.org>",
    base_url="https://papers.example.org",
    credits=(("arXiv", "https://arxiv.org/"), ("Hugging Face", "https://huggingface.co/papers")),
    user_agent="digest/1.0",
)
#: mails of the slow ways; they are timed by the first few
_FEW = 40


def papers(count: int, language: Language) -> list[StoredPaper]:
    """A day's papers; every tenth has votes, code and a summary."""
    stored = []
    for number in range(count):
        name = f"2609.{number:05d}"
        liked = number % 10 == 0
        paper = Paper(
            key=f"arxiv:{name}",
            title=f"{language.text(9, 1).title()} {number}",
            abstract=sentences(language.text(165, 3)),
            authors=("Ada Lovelace", "Emmy Noether", "Mary Somerville", "Sofia Kovalevskaya", "Grace Hopper"),
            url=f"https://arxiv.org/abs/{name}",
            published=_NOW,
            categories=("cs.LG",),
            sources=("arxiv", "huggingface") if liked else ("arxiv",),
            pdf_url=f"https://arxiv.org/pdf/{name}",
            code_url=f"https://github.com/example/{number}" if liked else "",
            ai_summary=f"{language.text(18, 0).capitalize()}." if liked else "",
            signals=Signals(upvotes=count - number, comments=3) if liked else Signals(),
        )
        stored.append(StoredPaper(paper, _NOW, _NOW.date()))
    return stored


def sentences(text: str) -> str:
    words = text.split()
    return " ".join(" ".join(words[start : start + 18]).capitalize() + "." for start in range(0, len(words), 18))


def digests(subscribers: int, pool: Sequence[StoredPaper], language: Language) -> list[Digest]:
    """One digest per reader, as the planner chooses them."""
    chance = random.Random(2)
    ranking, keys = Ranking([stored.paper for stored in pool]), frozenset(stored.paper.key for stored in pool)
    offer = Offer(ranking, pool, trends(pool, {}, now=_NOW), trending_from=keys)
    chosen = []
    for number in range(subscribers):
        words = tuple(f'"{phrase}"' for phrase in dict.fromkeys(language.some_phrases(chance.randint(5, 15))))
        reader = Subscriber(
            f"reader{number}@example.org", f"Reader {number}", words, max_papers=7, trending=3, token=f"{number:032x}"
        )
        request = Request(
            reader,
            [parse(entry) for entry in words],
            since=_NOW - timedelta(days=1),
            seen=frozenset(),
            local_date=_NOW.date(),
            planned_at=_NOW,
        )
        chosen.append(offer.select(request))
    return chosen


def usual(inline: Callable[[str], str]) -> Callable[[Digest], object]:
    """Render, inline and write each mail whole, with the standard library's message."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parents[1] / "templates"),
        extensions=[Sentences],
        autoescape=jinja2.select_autoescape(["html"]),
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    speak(environment, ENGLISH)
    environment.globals["_"] = ENGLISH.say
    environment.filters |= {"wrap": wrap, "breakable": breakable, "counted": ENGLISH.counted}
    subject, text, html = (environment.get_template(f"mail/digest.{end}") for end in ("subject.txt", "txt", "html"))

    def mail(digest: Digest) -> object:
        letter = write(digest, _LETTERHEAD, Detail())
        message = EmailMessage()
        message["From"] = _LETTERHEAD.from_address
        message["To"] = digest.subscriber.email
        message["Subject"] = subject.render(letter=letter).strip()
        message["Date"] = format_datetime(digest.planned_at)
        domain = parseaddr(_LETTERHEAD.from_address)[1].partition("@")[2]
        message["Message-ID"] = message_id(
            digest.subscriber.email, digest.local_date, domain, token=digest.subscriber.token
        )
        message["List-Unsubscribe"] = f"<{unsubscribe_link(digest.subscriber, _LETTERHEAD)}>"
        message.set_content(text.render(letter=letter), cte="quoted-printable")
        message.add_alternative(inline(html.render(letter=letter)), subtype="html", cte="quoted-printable")
        return message.as_bytes()

    return mail


def whole(renderer: Renderer) -> Callable[[Digest], object]:
    """The product's own way for one mail, without the press."""
    return lambda digest: compose(digest, _LETTERHEAD, renderer)


def timed(name: str, mail: Callable[[Digest], object], chosen: Sequence[Digest]) -> None:
    started = time.perf_counter()
    for digest in chosen:
        mail(digest)
    each = (time.perf_counter() - started) / len(chosen)
    print(f"{name:<58} {each * 1e6:10,.0f} µs  {1 / each:9,.0f} mails/s")


def main(subscribers: int = 2000, count: int = 1000) -> None:
    language = Language(seed=1)
    chosen = digests(subscribers, papers(count, language), language)
    shown = sum(len(digest.picks) for digest in chosen) / len(chosen)
    few = chosen[:_FEW]
    print(f"papers {count:,}, subscribers {subscribers:,}, papers in a mail {shown:.1f}")
    timed(
        "usual: jinja2, premailer, EmailMessage",
        usual(lambda html: premailer.transform(html, allow_network=False)),
        few,
    )
    timed("usual with css-inline", usual(css_inline.CSSInliner(keep_at_rules=True).inline), few)
    timed("message.compose, premailer", whole(Renderer(inliner="premailer")), few)
    timed("message.compose, css-inline", whole(Renderer(inliner="css-inline")), few)
    started = time.perf_counter()
    press = Press(_LETTERHEAD, Renderer())
    print(f"{'press made ready':<58} {(time.perf_counter() - started) * 1e6:10,.0f} µs")
    shared = sum(3 * len(digest.picks) + len(digest.missed) for digest in chosen)
    for name in ("press, first round", "press, second round"):
        printed = press.printed
        timed(name, press.compose, chosen)
        there = 1 - (press.printed - printed) / shared
        print(f"    {there:.1%} of what papers share was there already; it takes {press.memory / 1e6:.1f} MB")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:3]))
