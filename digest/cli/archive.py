"""`digest archive`: the editions as a static site, and readers' own feeds beside it."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlsplit

import typer

from digest.cli.console import UsageError, many, plain, print_json, progress, say, table
from digest.cli.options import ConfigOption, JsonOption, examples, load_settings, open_settings_state
from digest.clock import utc_now
from digest.errors import DigestError

if TYPE_CHECKING:
    from collections.abc import Mapping


#: where so many have feeds, nobody wants to read them on the terminal
_MOST_TOLD = 20


def register(app: typer.Typer) -> None:
    """Add this file's command."""
    app.command(
        epilog=examples(
            "digest archive /var/www/papers --base-url https://papers.example.org",
            "digest archive site --since 2026-01-01",
            "digest archive site --private",
        )
    )(archive)


def archive(
    folder: Annotated[Path, typer.Argument(help="New or empty folder, or an archive.", metavar="DIR")],
    *,
    base_url: Annotated[
        str,
        typer.Option(help="Where DIR will be read, for sitemap and feeds. Default: mail.archive_url.", metavar="URL"),
    ] = "",
    since: Annotated[
        str,
        typer.Option(help="Write days from this one on anew. Default: the last 31.", metavar="DATE"),
    ] = "",
    private: Annotated[
        bool, typer.Option("--private", help="Also each reader's own feed, .bib and .ris, in DIR/private.")
    ] = False,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Write the papers of all days as a site of plain files.

    It needs no server: a page for each day and each paper, months, years, search and feeds, which work from a folder
    and under any address. Days that are not there yet are written, recent ones again, because votes move; older pages
    stay as they are.
    """
    from digest.pipeline.archive import Archive
    from digest.pipeline.private import staying
    from digest.publish.feeds import Address

    first = _date(since)
    settings = load_settings(config)
    address = Address(settings.mail.ascii_domain, _base(base_url or settings.mail.archive_url))
    _check(folder)
    with open_settings_state(settings, create=False) as state:
        if not state.papers.editions():
            raise DigestError("no papers are known", hint="fetch some with: digest pull")
        writing = Archive(state, folder, address, today=utc_now().date(), since=first)
        with progress("writing days", writing.days) as step:
            done = writing.write(step)
        readers: dict[str, str] = {}
        if private or writing.has_private:
            feeds = writing.private(staying(settings, state))
            feeds.drop()
            if private:
                with progress("writing readers' feeds", feeds.readers) as step:
                    feeds.write(step)
                readers = feeds.folders
    written, files = writing.written
    if as_json:
        print_json({**plain(done), "files": files, "written": written, "private": readers})
        return
    say(
        f"{many(done.editions, 'edition')}, {many(done.papers, 'paper')}, {written:,} of {many(files, 'file')} "
        f"written to {folder}."
    )
    _print_readers(readers)
    say(f"Open {folder / 'index.html'}")


def _print_readers(readers: Mapping[str, str]) -> None:
    if readers and len(readers) <= _MOST_TOLD:
        say(table([("READER", "THEIR OWN FEED AND PICKS"), *readers.items()]))
    elif readers:
        say(f"{many(len(readers), 'reader')} have feeds of their own in private; --json tells which is whose.")


def _date(typed: str) -> date | None:
    try:
        return date.fromisoformat(typed) if typed else None
    except ValueError as error:
        raise UsageError(f"--since {typed}: this is no date", hint="write it as 2026-11-20") from error


def _base(url: str) -> str:
    """The address with a slash at its end; empty for none."""
    from digest.compose.text import http_link

    if not url:
        return ""
    link = http_link(url)
    parts = urlsplit(link)
    if not link or parts.query or parts.fragment:
        raise UsageError(
            f"--base-url {url}: this is no address of a folder", hint="write it as https://example.org/papers"
        )
    return link.rstrip("/") + "/"


def _check(folder: Path) -> None:
    """Refuse a folder that holds something else: its files would be written over.

    Raises:
        UsageError: it is a file, or is neither empty nor an archive.
    """
    from digest.pipeline.made import MARK

    try:
        taken = not (folder / MARK).is_file() and folder.exists() and any(folder.iterdir())
    except OSError as error:
        raise UsageError(f"{folder}: {error.strerror}", hint="name a folder") from error
    if taken:
        raise UsageError(f"{folder}: it is not empty, and no archive", hint="name a new folder")
