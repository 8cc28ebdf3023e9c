"""`digest dkim`: the key that mails are signed with, for those whose relay does not sign."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from digest.cli.console import say
from digest.cli.options import ConfigOption, examples, load_settings
from digest.clock import utc_now
from digest.errors import DigestError

app = typer.Typer(name="dkim", help="Sign mail, if the relay does not.", no_args_is_help=True, rich_markup_mode=None)


def register(parent: typer.Typer) -> None:
    """Add this file's commands."""
    parent.add_typer(app)


@app.callback()
def _dkim() -> None:
    """Sign mail, if the relay does not."""


@app.command(epilog=examples("digest dkim new dkim.pem", "digest dkim new dkim.pem --ed25519"))
def new(
    path: Annotated[Path, typer.Argument(help="File to write; it must not exist.", metavar="FILE")],
    *,
    ed25519: Annotated[
        bool, typer.Option("--ed25519", help="A short key, which large receivers ignore. Default: RSA, 2048 bits.")
    ] = False,
) -> None:
    """Make a key, and say what configuration and DNS need."""
    from digest.deliver.dkim_key import new_key, read_key

    pem = new_key("ed25519-sha256" if ed25519 else "rsa-sha256")
    _write(path, pem)
    selector = f"digest{utc_now():%Y}"
    say(f"Written: {path}, which only you can read\n\nPut this into the configuration:\n")
    say(f'  [dkim]\n  selector = "{selector}"\n  key_file = "{path.absolute()}"\n')
    say("and this into the DNS of the domain in mail.from:\n")
    _print_entry(f"{selector}._domainkey", read_key(pem, origin=str(path)).dns_value)
    say("\nAfter that: digest check, and once more with the whole name: digest dkim show")


def _write(path: Path, pem: bytes) -> None:
    """Write the key for its owner only, and never over another one: mails on their way are signed with that."""
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(pem)
    except FileExistsError:
        raise DigestError(f"{path} exists already", hint="name another file; keys are never replaced") from None
    except OSError as error:
        raise DigestError(f"{path}: {error.strerror}", hint="name a file in a folder that you may write to") from error


@app.command(epilog=examples("digest dkim show", "digest dkim show --config /etc/digest/config.toml"))
def show(*, config: ConfigOption = None) -> None:
    """Say what the DNS must hold for the configured key."""
    from digest.pipeline.sign import open_signer

    settings = load_settings(config)
    signer = open_signer(settings)
    if signer is None:
        hint = "make a key, if your relay does not sign: digest dkim new dkim.pem"
        raise DigestError(f"there is no [dkim] section in {settings.path}, so nothing is signed here", hint=hint)
    say("In a form on the web:\n")
    _print_entry(signer.dns_name, signer.dns_value)
    say(f"\nIn a zone file:\n\n  {signer.dns_record()}")


def _print_entry(name: str, value: str) -> None:
    say(f"  name   {name}\n  type   TXT\n  value  {value}")
