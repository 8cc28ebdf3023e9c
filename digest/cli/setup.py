"""The commands before the first mail: demo, init, check."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from digest.cli.console import EXIT_FAILED, UsageError, exit_code, many, progress, say, tick
from digest.cli.options import ConfigOption, examples, load_and_warn, nothing_asked_for, open_settings_state, run_to_end
from digest.clock import utc_now
from digest.errors import DigestError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from digest.config import Settings
    from digest.model import Batch


def register(app: typer.Typer) -> None:
    """Add this file's commands."""
    app.command(epilog=examples("digest demo", "digest demo --open", "digest demo --out somewhere/new"))(demo)
    app.command(epilog=examples("digest init", "digest init ~/.config/digest/config.toml"))(init)
    app.command(epilog=examples("digest check", "digest check --offline"))(check)


def demo(
    *,
    out: Annotated[
        Path | None,
        typer.Option(help="New or empty folder for the files. Default: a temporary one.", metavar="FOLDER"),
    ] = None,
    open_: Annotated[bool, typer.Option("--open", help="Show a digest in the browser.")] = False,
) -> None:
    """Try it all on invented papers: no config, no network.

    Two days, two sources, three readers, and everything that happens on a real morning, with a folder for a relay.
    """
    import tempfile

    from digest.cli.demo import run_demo

    folder = _empty(out) if out else Path(tempfile.mkdtemp(prefix="digest-demo-"))
    page = run_demo(folder)
    if open_:
        typer.launch(page.absolute().as_uri())


def _empty(folder: Path) -> Path:
    """A folder without anything in it, made if need be: the demo must not write over somebody's configuration."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        taken = any(folder.iterdir())
    except OSError as error:
        reason = "it is a file" if folder.is_file() else error.strerror
        raise UsageError(f"--out {folder}: {reason}", hint="name a folder that you may write to") from error
    if taken:
        raise UsageError(f"--out {folder}: it is not empty", hint="name a new folder, or leave --out away")
    return folder


def init(
    path: Annotated[Path, typer.Argument(help="File to write.", metavar="FILE")] = Path("config.toml"),
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
    except OSError as error:
        if path.is_file() and isinstance(error, FileExistsError):
            hint = "name another file, or replace it with --force"
            raise DigestError(f"{path} exists already", hint=hint) from None
        raise DigestError(f"{path}: {error.strerror}", hint="name a file in a folder that you may write to") from error
    option = "" if path == Path("config.toml") else f" --config {path}"
    say(f"Written: {path}\nPut your addresses and keywords into it, then: digest check{option}")


def check(
    *,
    offline: Annotated[
        bool, typer.Option("--offline", help="Ask no source, relay, mailbox, language model or GitHub.")
    ] = False,
    config: ConfigOption = None,
) -> None:
    """Find out today what would fail tomorrow morning.

    Looks at configuration, templates, state, schedule, relay, mailbox, language model, GitHub and sources; sends and
    remembers nothing.
    """
    settings = load_and_warn(config)
    counts = f"{many(len(settings.sources), 'source')}, {many(len(settings.subscribers), 'subscriber')}"
    tick("✓", f"{settings.path}: {counts}, no mistakes")
    steps: list[Callable[[Settings], str]] = [_check_templates, _check_state, _check_signing]
    steps += [] if settings.semantic is None else [_check_vectors]
    steps += [] if offline else [_check_relay]
    steps += [] if offline or settings.bounces is None else [_check_mailbox]
    steps += [] if offline or settings.llm is None else [_check_model]
    steps += [] if offline or settings.github is None else [_check_github]
    codes = [_checked(step, settings) for step in steps]
    for warning in _warnings(settings):
        tick("!", warning)
    if not offline:
        codes += _check_sources(settings)
    raise typer.Exit(max(codes))


def _checked(step: Callable[[Settings], str], settings: Settings) -> int:
    """Say what a step found; returns the exit code that it deserves."""
    try:
        tick("✓", step(settings))
    except DigestError as error:
        tick("!", error.message)
        if error.hint:
            say(f"  → {error.hint}")
        return exit_code(error)
    return 0


def _check_templates(settings: Settings) -> str:
    from digest.pipeline.letterhead import open_renderer

    open_renderer(settings).check()
    return f"templates: {settings.mail.templates or 'those of the package'}"


def _warnings(settings: Settings) -> Iterator[str]:
    """What works and is hardly what was meant; one sentence each, with what to do about it."""
    from digest.pipeline.letterhead import useless_templates

    if folder := settings.mail.templates:
        for name, meant in useless_templates(folder).items():
            cure = f"did you mean {meant}?" if meant else "templates lie in mail/, like mail/digest.html"
            yield f"{folder / name} replaces no template: {cure}"


def _check_vectors(settings: Settings) -> str:
    from digest.pipeline.semantic import open_semantics

    semantics = open_semantics(settings)
    if semantics is None:
        return "word vectors: none; only words count"
    length = semantics.encode(["mixture of experts"]).shape[1]
    return f"word vectors: {length} numbers each; at most {many(semantics.extra_papers, 'related paper')} a digest"


def _check_state(settings: Settings) -> str:
    """Opened once: what is wrong with it is one mistake, whatever is asked of it."""
    from digest.pipeline.readers import asks_for_nothing, next_digest, subscribers

    now = utc_now()
    with open_settings_state(settings) as state:
        counts = state.counts()
        kept = f", {many(counts['subscribers'], 'subscriber')}" if counts["subscribers"] else ""
        tick("✓", f"state: {state.place}, {many(counts['papers'], 'paper')}{kept}")
        readers, pauses = subscribers(settings, state), state.subscribers.pauses()
    if emails := [reader.email for reader in readers if asks_for_nothing(reader)]:
        tick("!", nothing_asked_for(emails))
    if not readers:
        return "next digest: none, as there are no subscribers; add one: digest subscribers add you@example.org"
    moments = [moment for reader in readers if (moment := next_digest(reader, pauses, now))]
    if not moments:
        return "next digest: none, as nobody has confirmed and is not paused; see: digest subscribers list"
    return f"next digest: {min(moments):%A %-d %B %H:%M} UTC"


def _check_signing(settings: Settings) -> str:
    from digest.pipeline.sign import open_signer

    signer = open_signer(settings)
    if signer is None:
        return "signatures: left to the relay, as there is no [dkim] section"
    return f"signatures: mails are signed; the key in the DNS is {signer.dns_name} (see digest dkim show)"


def _check_relay(settings: Settings) -> str:
    from digest.deliver.maildir import Maildir
    from digest.deliver.smtp import check as ask

    if settings.smtp is not None:
        return f"relay: {run_to_end(ask(*settings.smtp.relays))}"

    async def prepare() -> None:
        async with Maildir(settings.maildir_path):
            pass

    run_to_end(prepare())
    return f"no [smtp] section: mails are put into the Maildir {settings.maildir_path}"


def _check_mailbox(settings: Settings) -> str:
    from digest.pipeline.returns import open_mailbox

    with open_mailbox(settings):
        where = settings.bounces and (settings.bounces.maildir or settings.bounces.host)
    return f"returned mail: {where}"


def _check_model(settings: Settings) -> str:
    from digest.pipeline.summaries import try_out

    if settings.llm is None:
        return "language model: none"
    return f"language model: {settings.llm.model} answers, in {try_out(settings.llm):.1f} s"


def _check_github(settings: Settings) -> str:
    from digest.pipeline.pull import http_policy
    from digest.pipeline.stars import allowance

    granted = run_to_end(allowance(settings, http_policy(settings), now=utc_now()))
    if granted is None:
        return "GitHub: answers"
    return f"GitHub: {granted.remaining:,} of {granted.limit:,} requests are left this hour"


def _check_sources(settings: Settings) -> list[int]:
    from digest.collect import collect
    from digest.pipeline.pull import http_policy

    with progress("asking the sources", len(settings.sources)) as step:
        batches = run_to_end(
            collect(settings.sources, {}, http_policy(settings), now=utc_now(), on_progress=lambda _batch: step())
        )
    return [_print_source(batch) for batch in batches]


def _print_source(batch: Batch) -> int:
    for problem in batch.problems[:3]:
        say(f"  {batch.source}: {problem.where}: {problem.message}")
    if not batch.failure:
        tick("✓", f"{batch.source}: {many(len(batch.papers), 'paper')} in {batch.seconds:.1f} s")
        return 0
    tick("!", f"{batch.source}: {batch.failure}")
    if batch.hint:
        say(f"  → {batch.hint}")
    return EXIT_FAILED
