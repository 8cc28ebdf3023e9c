"""`digest demo`: the real pipeline over the bundled papers, on loopback, in a folder of its own.

A small server answers as arXiv and Hugging Face would on two days in a row; everything else is what runs every
morning: collecting, deduplicating, ranking, the ledger, rendering, a Maildir. Only the clock is turned.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime, time, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from threading import Thread
from typing import TYPE_CHECKING, Self
from urllib.parse import parse_qs, urlsplit

from digest.cli.console import print_report, say
from digest.cli.preview import print_digest, write_preview
from digest.clock import utc_now
from digest.compose.message import compose
from digest.config import load
from digest.pipeline.archive import Archive
from digest.pipeline.letterhead import letterhead, open_renderer
from digest.pipeline.plan import preview
from digest.pipeline.pull import pull
from digest.pipeline.send import send
from digest.publish.feeds import Address
from digest.state.store import open_state

if TYPE_CHECKING:
    from pathlib import Path

    from digest.config import Settings
    from digest.state.store import State

_DATA = files("digest.demo")
#: when the demo's days happen: after both sources have published
_HOUR = time(12, 0)


def run_demo(folder: Path) -> Path:
    """Run both days in `folder`, telling what happens; returns a page to look at."""
    days = _two_weekdays(utc_now().date())
    first, second = (datetime.combine(day, _HOUR, tzinfo=UTC) for day in days)
    with _Sources(days) as sources:
        config = folder / "config.toml"
        config.write_text(_config(sources.url, folder), encoding="utf-8")
        settings = load(config, {})
        with open_state(settings.state_url, now=first) as state:
            _pull(settings, state, first)
            _send(settings, state, first)
            sources.today = 1
            _pull(settings, state, second)
            pages = _previews(settings, state, folder / "previews", second)
            _send(settings, state, second)
            say("\nOnce more, a minute later", bold=True)
            _send(settings, state, second + timedelta(minutes=1))
            Archive(state, folder / "archive", Address("example.org"), today=days[1], since=None).write(lambda: None)
    _print_files(folder, settings)
    return pages[0]


def _pull(settings: Settings, state: State, now: datetime) -> None:
    say(f"\n{now:%A %-d %B}", bold=True)
    print_report(asyncio.run(pull(settings, state, clock=lambda: now)))


def _send(settings: Settings, state: State, now: datetime) -> None:
    print_report(asyncio.run(send(settings, state, clock=lambda: now, any_hour=True)))


def _two_weekdays(today: date) -> tuple[date, date]:
    """The last two days in a row, up to today, on which both sources publish."""
    while today.weekday() not in {1, 2, 3, 4}:
        today -= timedelta(days=1)
    return today - timedelta(days=1), today


def _config(url: str, folder: Path) -> str:
    """The bundled configuration, with the sources at `url` and everything else in `folder`."""
    text = _DATA.joinpath("config.toml").read_text(encoding="utf-8")
    return (
        text.replace("[[sources]]", f'[[sources]]\nbase_url = "{url}"')
        .replace("[http]", '[http]\nallow_private_hosts = ["127.0.0.1"]')
        .replace("[mail]", f'[state]\nurl = "sqlite:///{folder.absolute() / "state.sqlite3"}"\n\n[mail]')
        + '\n[maildir]\npath = "outbox"\n'
    )


def _previews(settings: Settings, state: State, folder: Path, now: datetime) -> list[Path]:
    """Show and write what every reader is about to get."""
    head, renderer = letterhead(settings), open_renderer(settings)
    pages = []
    for reader in settings.subscribers:
        digest = preview(settings, state, reader, now=now)
        say()
        print_digest(digest)
        pages.append(write_preview(compose(digest, head, renderer), folder))
    say()
    return pages


def _print_files(folder: Path, settings: Settings) -> None:
    say("\nWhere everything is", bold=True)
    say(f"  previews  {folder / 'previews'}  (.html, .txt, .eml for each reader)")
    say(f"  archive   {folder / 'archive' / 'index.html'}  (all papers, to read, sort and search)")
    say(f"  mails     {settings.maildir_path}  (a Maildir: mutt -f {settings.maildir_path})")
    say(f"  state     {folder / 'state.sqlite3'}")
    say(f"  config    {settings.path}")
    say(f"\nAsk it why: digest why --days 7 --config {settings.path}")
    say("Make it yours: digest init")


class _Sources:
    """Answers on loopback as arXiv and Hugging Face would, on the day that `today` counts from 0."""

    def __init__(self, days: tuple[date, date]) -> None:
        self.today = 0
        self._days = days
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def answer(self, target: str) -> bytes | None:
        """The body for a path with query; None if there is no such thing."""
        parts = urlsplit(target)
        if parts.path.startswith("/atom/"):
            return self._read(f"atom/{parts.path.removeprefix('/atom/')}.day{self.today + 1}.xml")
        if parts.path == "/api/daily_papers":
            query = {name: values[0] for name, values in parse_qs(parts.query).items()}
            listed = {day.isoformat(): f"day{number}" for number, day in enumerate(self._days, 1)}
            day = listed.get(query.get("date", ""))
            body = self._read(f"pull{self.today + 1}/daily.{day}.json") if query.get("p", "0") == "0" else None
            return body or b"[]"
        return None

    def _read(self, name: str) -> bytes | None:
        file = _DATA.joinpath(*name.split("/"))
        if not file.is_file():
            return None
        text = file.read_text(encoding="utf-8")
        for number, day in enumerate(self._days, 1):
            text = text.replace(f"{{{{day{number}}}}}", day.isoformat())
        return text.encode()

    def _handler(sources) -> type[BaseHTTPRequestHandler]:  # noqa: N805 - `self` is the request's below
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                """Answer from the bundled files."""
                body = sources.answer(self.path)
                self.send_response(404 if body is None else 200)
                self.send_header("Content-Length", str(len(body or b"")))
                self.end_headers()
                self.wfile.write(body or b"")

            def log_message(self, *_: object) -> None:
                """Say nothing: the report says it."""

        return Handler
