"""The commands: the one place where errors become words and exit codes, and the one that asks the clock.

Each file of this package holds the commands of one need; heavy modules are imported inside the commands, so that
`digest --help` loads nothing heavier than typer.

Exit codes: 0 done · 1 failed · 2 usage or configuration · 75 something was deferred and stays for later, or another
`digest run` is at work (EX_TEMPFAIL of sysexits.h: cron and systemd may simply try again).
"""

from __future__ import annotations

import errno
import os
import sys
from io import TextIOWrapper
from typing import Annotated

import typer

from digest import __version__
from digest.cli import (
    archive,
    ask,
    bounces,
    data,
    dkim,
    feedback,
    interests,
    keywords,
    lint,
    preview,
    run,
    semantic,
    setup,
    similar,
    subscribers,
    suggest,
)
from digest.cli.console import report_error
from digest.errors import DigestError

app = typer.Typer(
    name="digest",
    help="Trending papers in your inbox once a day, chosen by your keywords.",
    epilog="\b\nStart with:\n  digest demo\n  digest init\n  digest check\n  digest preview --open",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(value: bool) -> None:  # noqa: FBT001 - typer calls it with the flag's value
    if value:
        typer.echo(f"digest {__version__}")
        raise typer.Exit


@app.callback()
def _top(
    *,
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and leave.", callback=_print_version, is_eager=True)
    ] = False,
) -> None:
    """Trending papers in your inbox once a day, chosen by your keywords."""


for module in (
    setup,
    preview,
    lint,
    run,
    bounces,
    archive,
    ask,
    keywords,
    suggest,
    feedback,
    interests,
    similar,
    subscribers,
    dkim,
    semantic,
    data,
):
    module.register(app)


def main() -> None:
    """Run the command line; every error of our own becomes one plain sentence and an exit code."""
    # numpy's OpenBLAS, which is loaded later, would wait for work in a busy loop on every processor: a send to 10,000
    # took 1.1 ms of processor time a mail instead of 1.9 beside other work, and the same as before without any
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    # a character that the terminal's encoding does not know must not end the run
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        app()
    except DigestError as error:
        sys.exit(report_error(error))
    except OSError as error:
        # of places of ours it is told in their own words; what is left is the output
        if error.errno not in {errno.EIO, errno.ENOSPC}:
            raise
        sys.exit(report_error(DigestError(f"the output cannot be written: {error.strerror}", hint="is the disk full?")))
