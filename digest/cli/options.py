"""Options that several commands share, and opening what nearly every command needs: settings and state."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from digest.clock import utc_now

if TYPE_CHECKING:
    from digest.config import Settings
    from digest.state.store import State

ConfigOption = Annotated[
    Path | None,
    typer.Option(
        "--config",
        help="Configuration file. Else $DIGEST_CONFIG, ./config.toml, then the user's config folder.",
        metavar="FILE",
        show_default=False,
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON instead of sentences.")]


def load_settings(config: Path | None) -> Settings:
    """The settings of the file that applies; warnings go to standard error.

    Raises:
        ConfigError: with every mistake found.
    """
    from digest import config as configuration

    log_to_stderr()
    path = configuration.find(config, os.environ, Path.cwd())
    settings = configuration.load(path, os.environ)
    for warning in settings.warnings:
        typer.echo(f"digest: {warning}", err=True)
    return settings


def log_to_stderr() -> None:
    """Send log lines to standard error, as JSON where nobody watches, so that they never mix with what we print."""
    import logging

    import structlog

    watched = sys.stderr.isatty()
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso"),
            structlog.processors.format_exc_info,
            structlog.dev.ConsoleRenderer() if watched else structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        cache_logger_on_first_use=True,
    )
    # APScheduler and aiosmtplib use the standard library's logging
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(levelname)s %(name)s: %(message)s")


def open_settings_state(settings: Settings) -> State:
    """The state that the settings name, created on first use; to be used in a `with` statement."""
    from digest.state.store import open_state

    return open_state(settings.state_url, now=utc_now())
