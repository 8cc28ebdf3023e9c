"""`digest semantic`: the model that finds papers which say the same in other words."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from digest.cli.console import say
from digest.cli.options import examples

app = typer.Typer(
    name="semantic", help="Find papers that use other words.", no_args_is_help=True, rich_markup_mode=None
)


def register(parent: typer.Typer) -> None:
    """Add this file's commands."""
    parent.add_typer(app)


@app.callback()
def _semantic() -> None:
    """Find papers that use other words."""


@app.command(
    epilog=examples(
        "digest semantic install model", "digest semantic install model --from minishlab/potion-multilingual-128M"
    )
)
def install(
    folder: Annotated[Path, typer.Argument(help="Folder to make; it must not exist.", metavar="FOLDER")],
    *,
    name: Annotated[
        str | None, typer.Option("--from", help="Model on the Hugging Face hub.", metavar="OWNER/MODEL")
    ] = None,
) -> None:
    """Download a model of word vectors.

    This is the only moment at which anything is downloaded.
    """
    from digest.pipeline.semantic import USUAL_MODEL
    from digest.pipeline.semantic import install as fetch

    fetch(name or USUAL_MODEL, folder)
    say(f"Installed: {name or USUAL_MODEL} in {folder}\n\nPut this into the configuration:\n")
    say(f'  [semantic]\n  model = "{folder.absolute()}"\n\nAfter that: digest check')
