"""`digest lint`: what receivers, filters and readers would mind about the mails of this installation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from digest.cli.console import EXIT_FAILED, UsageError, print_json, say, tick
from digest.cli.options import ConfigOption, ForOption, JsonOption, examples, load_settings, open_settings_state
from digest.clock import utc_now
from digest.errors import DigestError

if TYPE_CHECKING:
    from digest.cli.console import Mark
    from digest.model import Finding

_MARKS: dict[str, Mark] = {"good": "✓", "advice": "!", "wrong": "✗", "unchecked": "·"}


def register(app: typer.Typer) -> None:
    """Add this file's commands."""
    app.command(
        epilog=examples(
            "digest lint", "digest lint --for ada@example.org --online", "digest lint --online --nameserver 192.0.2.53"
        )
    )(lint)


def lint(
    *,
    email: ForOption = "",
    online: Annotated[
        bool, typer.Option("--online", help="Also ask the DNS for SPF, DKIM and DMARC of the sender's domain.")
    ] = False,
    nameserver: Annotated[
        str, typer.Option(help="With --online: the server to ask. Default: the system's.", metavar="ADDRESS[:PORT]")
    ] = "",
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Judge a mail before others do.

    Size, links, headers, both parts, the way out, your templates, and contrast in light and dark; of one subscriber's
    digest of now, or without --for of an invented one that uses every block. Nothing is sent, and nothing counts as
    seen. Ends with 1 if something is wrong (✗); advice (!) and what could not be looked at (·) change nothing.
    """
    from digest.pipeline.lint import chosen, lint_mail, lint_sender
    from digest.pipeline.readers import reader_named

    settings = load_settings(config)
    ask = None
    if online:
        from digest.deliver.sender_dns import open_txt

        try:
            ask = open_txt(nameserver)
        except DigestError as error:
            raise UsageError(error.message, hint=error.hint) from error
    with open_settings_state(settings) as state:
        reader = reader_named(settings, state, email) if email else None
        digest, is_sample = chosen(settings, state, reader, now=utc_now())
        findings = list(lint_mail(settings, state, digest))
    if ask is not None:
        findings += lint_sender(settings, ask)
    if as_json:
        print_json({"reader": digest.subscriber.email, "sample": is_sample, "findings": findings})
    else:
        _print(findings, _told(email, is_sample=is_sample))
    raise typer.Exit(EXIT_FAILED if any(finding.level == "wrong" for finding in findings) else 0)


def _told(email: str, *, is_sample: bool) -> str:
    if not is_sample:
        return f"The digest that {email} would get now:"
    return f"There is nothing new for {email}; an invented digest instead:" if email else "An invented digest:"


def _print(findings: list[Finding], heading: str) -> None:
    say(heading)
    for finding in findings:
        # what is in a link or in the DNS must not look like a line of ours
        tick(_MARKS[finding.level], " ".join(f"{finding.check}: {finding.sentence}".split()))
        if finding.cure:
            say(f"  → {finding.cure}")
