"""`digest archive`: the editions as a static site, and readers' own feeds beside it."""

from __future__ import annotations

import shlex
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlsplit

import typer

from digest.cli.console import UsageError, many, plain, print_json, progress, say, table
from digest.cli.options import ConfigOption, JsonOption, QuietOption, examples, load_settings, open_settings_state
from digest.clock import utc_now

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
            "digest archive",
        )
    )(archive)


def archive(
    folder: Annotated[
        Path | None,
        typer.Argument(help="New or empty folder, or an archive. Default: archive.path.", metavar="DIR"),
    ] = None,
    *,
    base_url: Annotated[
        str,
        typer.Option(help="Where DIR will be read, for sitemap and feeds. Default: mail.archive_url.", metavar="URL"),
    ] = "",
    since: Annotated[
        str,
        typer.Option(help="Compose days from this one on anew, whether or not they changed.", metavar="DATE"),
    ] = "",
    private: Annotated[
        bool, typer.Option("--private", help="Also each reader's own feed, .bib and .ris, in DIR/private.")
    ] = False,
    quiet: QuietOption = False,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Write the papers of all days as a site of plain files.

    It needs no server: a page for each day and each paper, months, years, search and feeds, which work from a folder
    and under any address. Composed is what is new or changed, in the last 31 days; older pages stay as they are. Feeds
    of readers who left are removed. `digest run` does it after each pull, with [archive] in the configuration.
    """
    from digest.pipeline.site import refusal, write_site

    first = _date(since)
    settings = load_settings(config, quiet=quiet)
    configured = settings.archive.path if settings.archive else None
    given = folder or configured
    if given is None:
        raise UsageError("no folder is named", hint='type: digest archive DIR, or add [archive] with path = "site"')
    if reason := refusal(given):
        raise UsageError(reason, hint="name a new folder")
    # what the configuration says of its own folder
    with_feeds = private or (settings.archive is not None and settings.archive.private and given == configured)
    with open_settings_state(settings, create=False) as state:
        site = write_site(
            settings,
            state,
            given,
            base_url=_base(base_url or settings.mail.archive_url),
            today=utc_now().date(),
            since=first,
            private=with_feeds,
            progress=progress,
        )
    if as_json:
        told = {"files": site.files, "written": site.written, "private": site.readers}
        print_json({**plain(site.pages), **told, "in_another_language": site.in_another_language})
        return
    if quiet:
        return
    say(
        f"{many(site.pages.editions, 'edition')}, {many(site.pages.papers, 'paper')}, {site.written:,} of "
        f"{many(site.files, 'file')} written to {given}."
    )
    if site.in_another_language:
        days = many(len(site.in_another_language), "older day")
        typed = [str(folder)] * bool(folder) + ["--base-url", base_url] * bool(base_url)
        say(f"{days} stayed in another language. In this one, without votes that are forgotten, with:")
        say("  " + shlex.join(["digest", "archive", *typed, "--since", str(site.in_another_language[0])]))
    _print_readers(site.readers)
    say(f"Open {given / 'index.html'}")


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
