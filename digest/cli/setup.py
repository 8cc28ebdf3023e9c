"""The commands before the first mail: demo, init, check."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from digest.cli.console import EXIT_FAILED, progress
from digest.cli.options import ConfigOption, load_settings, open_settings_state
from digest.clock import utc_now
from digest.errors import DigestError

if TYPE_CHECKING:
    from collections.abc import Callable

    from digest.config import Settings
    from digest.model import Batch


def register(app: typer.Typer) -> None:
    """Add this file's commands."""
    app.command(epilog="Example: digest demo --open")(demo)
    app.command(epilog="Examples: digest init · digest init ~/.config/digest/config.toml")(init)
    app.command(epilog="Examples: digest check · digest check --offline")(check)


def demo(
    *,
    out: Annotated[
        Path | None, typer.Option(help="Folder for the files. Default: a new temporary one.", file_okay=False)
    ] = None,
    open_: Annotated[bool, typer.Option("--open", help="Show a digest in the browser.")] = False,
) -> None:
    """Run the whole way on invented papers: two days, two sources, three readers. No config, no network, no SMTP."""
    import tempfile

    from digest.cli.demo import run_demo

    folder = out or Path(tempfile.mkdtemp(prefix="digest-demo-"))
    folder.mkdir(parents=True, exist_ok=True)
    page = run_demo(folder)
    if open_:
        typer.launch(page.absolute().as_uri())


def init(
    path: Annotated[Path, typer.Argument(help="File to write.")] = Path("config.toml"),
    *,
    force: Annotated[bool, typer.Option("--force", help="Replace the file if it exists.")] = False,
) -> None:
    """Write a commented configuration to start from."""
    from digest.config import example

    flags = os.O_WRONLY | os.O_CREAT | (os.O_TRUNC if force else os.O_EXCL)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # only for its owner: a password may be written into it later
        with os.fdopen(os.open(path, flags, 0o600), "w", encoding="utf-8") as file:
            file.write(example())
    except FileExistsError:
        raise DigestError(f"{path} exists already", hint="name another file, or replace it with --force") from None
    except OSError as error:
        raise DigestError(f"{path}: {error.strerror}", hint="name a file in a folder that you may write to") from error
    typer.echo(f"Written: {path}\nPut your keywords and addresses into it, then: digest check --config {path}")


def check(
    *,
    offline: Annotated[bool, typer.Option("--offline", help="Ask no source and no relay.")] = False,
    config: ConfigOption = None,
) -> None:
    """Find out today what would fail tomorrow morning: configuration, templates, state, sources, relay."""
    settings = load_settings(config)
    typer.echo(
        f"✓ {settings.path}: {len(settings.sources)} sources, {len(settings.subscribers)} subscribers, no mistakes"
    )
    steps: list[Callable[[Settings], str]] = [_check_templates, _check_state, _check_schedule]
    steps += [] if offline else [_check_relay]
    passed = [_passes(step, settings) for step in steps]
    if not offline:
        passed += _check_sources(settings)
    if not all(passed):
        raise typer.Exit(EXIT_FAILED)


def _passes(step: Callable[[Settings], str], settings: Settings) -> bool:
    try:
        typer.echo(f"✓ {step(settings)}")
    except DigestError as error:
        typer.secho(f"! {error.message}", fg=typer.colors.YELLOW)
        if error.hint:
            typer.echo(f"  → {error.hint}")
        return False
    return True


def _check_templates(settings: Settings) -> str:
    from digest.pipeline.letterhead import open_renderer

    open_renderer(settings).check()
    return f"templates: {settings.mail.templates or 'those of the package'}"


def _check_state(settings: Settings) -> str:
    with open_settings_state(settings) as state:
        return f"state: {state.place}, {state.counts()['papers']:,} papers"


def _check_schedule(settings: Settings) -> str:
    from digest.due import next_due

    now = utc_now()
    moments = [moment for reader in settings.subscribers if (moment := next_due(reader, now))]
    return f"next digest: {min(moments):%A %-d %B %H:%M} UTC" if moments else "next digest: none is due"


def _check_relay(settings: Settings) -> str:
    from digest.deliver.maildir import Maildir
    from digest.deliver.smtp import check as ask
    from digest.pipeline.send import smtp_settings

    if settings.smtp is not None:
        return f"relay: {asyncio.run(ask(smtp_settings(settings.smtp)))}"

    async def prepare() -> None:
        async with Maildir(settings.maildir_path):
            pass

    asyncio.run(prepare())
    return f"no [smtp] section: mails are put into the Maildir {settings.maildir_path}"


def _check_sources(settings: Settings) -> list[bool]:
    from digest.collect import collect
    from digest.pipeline.pull import http_policy

    with progress("asking the sources", len(settings.sources)) as step:
        batches = asyncio.run(
            collect(settings.sources, {}, http_policy(settings), now=utc_now(), on_progress=lambda _batch: step())
        )
    return [_print_source(batch) for batch in batches]


def _print_source(batch: Batch) -> bool:
    for problem in batch.problems[:3]:
        typer.echo(f"  {batch.source}: {problem.where}: {problem.message}")
    if not batch.failure:
        typer.echo(f"✓ {batch.source}: {len(batch.papers)} papers in {batch.seconds:.1f} s")
        return True
    typer.secho(f"! {batch.source}: {batch.failure}", fg=typer.colors.YELLOW)
    if batch.hint:
        typer.echo(f"  → {batch.hint}")
    return False
