"""A day's work on one core: pull 2,000 papers and plan for 100 subscribers, beside feedparser's own share of it.

usage: python benchmarks/day.py [PAPERS [SUBSCRIBERS]]

The feed is made here and served on loopback, so that the network costs nothing. Prints seconds per step and the peak
memory of the process that did it.
"""

from __future__ import annotations

import asyncio
import http.server
import random
import resource
import sys
import tempfile
import threading
import time
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

if TYPE_CHECKING:
    from collections.abc import Iterator

#: syllables of which a vocabulary is made
_SYLLABLES = "ba ce di fo gu ha ke li mo nu pa que ri so tu va we xi yo zu tion ment ing al er".split()  # noqa: SIM905
#: words and phrases occur as in real text: the n-th most common 1/n times as often as the first (Zipf)
_VOCABULARY = 6000
_PHRASES = 500


class Language:
    """Text with the statistics that an index feels: a long tail of words, and phrases that readers look for."""

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)
        words = {
            "".join(self._chance.choices(_SYLLABLES, k=self._chance.randint(2, 4))) for _ in range(2 * _VOCABULARY)
        }
        self._words = sorted(words)[:_VOCABULARY]
        self._chance.shuffle(self._words)
        self._word_weights = list(accumulate(1 / rank for rank in range(1, len(self._words) + 1)))
        self.phrases = [" ".join(self._chance.sample(self._words[50:2000], 2)) for _ in range(_PHRASES)]
        self._phrase_weights = list(accumulate(1 / rank for rank in range(1, _PHRASES + 1)))

    def some_phrases(self, count: int) -> list[str]:
        """Phrases, common ones more often."""
        return self._chance.choices(self.phrases, cum_weights=self._phrase_weights, k=count)

    def text(self, length: int, phrases: int) -> str:
        """`length` words with `phrases` phrases among them."""
        words = self._chance.choices(self._words, cum_weights=self._word_weights, k=length)
        for phrase in self.some_phrases(phrases):
            words.insert(self._chance.randrange(len(words)), phrase)
        return " ".join(words)


def feed(papers: int, language: Language) -> bytes:
    """An Atom feed in arXiv's shape with `papers` entries of about 180 words."""
    entries = []
    for number in range(papers):
        title, body = language.text(9, 1).title(), language.text(165, 3)
        entries.append(
            f"<entry><id>oai:arXiv.org:2609.{number:05d}v1</id><title>{escape(title)} {number}</title>"
            f'<link href="https://arxiv.org/abs/2609.{number:05d}" rel="alternate" type="text/html"/>'
            f"<summary>arXiv:2609.{number:05d}v1 Announce Type: new \nAbstract: {escape(body)}.</summary>"
            '<category term="cs.LG"/><published>2026-09-15T00:00:00-04:00</published>'
            "<arxiv:announce_type>new</arxiv:announce_type><dc:creator>Ada Lovelace, Emmy Noether</dc:creator></entry>"
        )
    head = (
        '<?xml version="1.0" encoding="UTF-8"?><feed xmlns:arxiv="http://arxiv.org/schemas/atom" '
        'xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns="http://www.w3.org/2005/Atom">'
        "<id>https://rss.arxiv.org/atom/cs.LG</id><title>cs.LG updates</title>"
        "<updated>2026-09-15T04:00:00Z</updated>"
    )
    return (head + "".join(entries) + "</feed>").encode()


@contextmanager
def serving(body: bytes) -> Iterator[int]:
    """A loopback server that answers everything with `body`; yields its port."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "application/atom+xml")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_args: object) -> None:
            """Say nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()


def config(port: int, subscribers: int, language: Language) -> str:
    """A configuration with one source and `subscribers` readers of 5 to 15 keywords each."""
    chance = random.Random(2)
    lines = [
        '[state]\nurl = "sqlite:///state.sqlite3"',
        '[http]\ncontact = "bench@example.org"\nallow_private_hosts = ["127.0.0.1"]',
        '[mail]\nfrom = "digest@example.org"\n[maildir]\npath = "outbox"',
        f'[[sources]]\ntype = "arxiv"\ncategories = ["cs.LG"]\nbase_url = "http://127.0.0.1:{port}"',
    ]
    for number in range(subscribers):
        words = [f'"{phrase}"' for phrase in dict.fromkeys(language.some_phrases(chance.randint(5, 15)))]
        lines.append(f'[[subscribers]]\nemail = "reader{number}@example.org"\nkeywords = [{", ".join(words)}]')
    return "\n".join(lines)


def main(papers: int = 2000, subscribers: int = 100) -> None:
    import feedparser

    from digest import config as configuration
    from digest.pipeline.plan import plan
    from digest.pipeline.pull import pull
    from digest.state.store import open_state

    language = Language(seed=1)
    body, now = feed(papers, language), datetime(2026, 9, 15, 9, 0, tzinfo=UTC)
    with tempfile.TemporaryDirectory() as folder, serving(body) as port:
        path = Path(folder, "config.toml")
        path.write_text(config(port, subscribers, language))
        settings = configuration.load(path, {})
        with open_state(settings.state_url, now=now) as state:
            started = time.perf_counter()
            asyncio.run(pull(settings, state, clock=lambda: now))
            pulled = time.perf_counter()
            digests = sum(len(shard.digests) for shard in plan(settings, state, now=now, any_hour=True))
            planned = time.perf_counter()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    parse_started = time.perf_counter()
    feedparser.parse(body)
    parsing = time.perf_counter() - parse_started
    print(f"papers {papers:,}, feed {len(body) / 2**20:.1f} MiB, subscribers {subscribers:,}, digests {digests:,}")
    print(f"pull   {pulled - started:6.2f} s   of which feedparser alone {parsing:.2f} s, measured afterwards")
    print(f"plan   {planned - pulled:6.2f} s   {(planned - pulled) / subscribers * 1000:.1f} ms per subscriber")
    print(f"total  {planned - started:6.2f} s   {(planned - started) / parsing:.1f} x feedparser alone")
    print(f"peak memory {peak:.0f} MB")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:3]))
