"""The help texts, for every command there is."""

from __future__ import annotations

import shlex
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
import typer

from digest import __version__
from digest.cli import app

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.cli.conftest import Said

ROOT: Any = typer.main.get_command(app)


def commands(group: Any = ROOT, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every command with the words that call it; groups come before what is in them."""
    for name, command in group.commands.items():
        words = (*path, name)
        yield words, command
        if hasattr(command, "commands"):
            yield from commands(command, words)


ALL = dict(commands())
LEAVES = {words: command for words, command in ALL.items() if not hasattr(command, "commands")}


def examples(command: Any) -> list[str]:
    return [line.strip() for line in command.epilog.splitlines() if line.strip().startswith(("digest ", "gunzip "))]


@pytest.mark.parametrize("words", LEAVES, ids=" ".join)
def test_every_command_has_examples_that_call_it(words: tuple[str, ...]) -> None:
    found = examples(LEAVES[words])

    assert found
    assert all(f"digest {' '.join(words)}" in example for example in found)


@pytest.mark.parametrize("words", LEAVES, ids=" ".join)
def test_every_option_of_an_example_exists(words: tuple[str, ...]) -> None:
    known = {name for parameter in LEAVES[words].params for name in parameter.opts}
    used = {
        word
        for example in examples(LEAVES[words])
        for word in shlex.split(example.partition("|")[0])
        # what follows a bare `--` is no option
        if (word.startswith("--") and word != "--") or word in {"-k", "-n"}
    }

    assert used <= known


@pytest.mark.parametrize("words", ALL, ids=" ".join)
def test_help_fits_eighty_columns_and_no_sentence_of_a_list_is_cut(
    words: tuple[str, ...], cli: Callable[..., Said]
) -> None:
    said = cli(*words, "--help")

    assert 0 == said.code
    assert [] == [line for line in said.out.splitlines() if len(line) > 80]
    assert "..." not in said.out.replace("[ARGS]...", "")


def test_the_list_of_commands_cuts_no_sentence(cli: Callable[..., Said]) -> None:
    assert "..." not in cli("--help").out.replace("[ARGS]...", "")


def test_the_version_is_the_package_s(cli: Callable[..., Said]) -> None:
    assert f"digest {__version__}\n" == cli("--version").out


def test_without_a_command_the_help_comes_and_the_exit_code_says_usage(cli: Callable[..., Said]) -> None:
    said = cli()

    assert 2 == said.code
    assert "Commands:" in said.out + said.err


@pytest.mark.parametrize("arguments", [("nonsense",), ("pull", "--nonsense"), ("why", "--days", "0"), ("rank",)])
def test_a_wrong_command_line_is_a_usage_error_on_standard_error(
    arguments: tuple[str, ...], cli: Callable[..., Said]
) -> None:
    said = cli(*arguments)

    assert (2, "") == (said.code, said.out)
    assert "Error: " in said.err


def test_help_loads_nothing_heavier_than_typer() -> None:
    """What typer itself loads is its own affair; everything of ours that takes time is loaded by the commands."""
    heavy = {
        "alembic", "apscheduler", "asyncio", "css_inline", "email_validator", "feedparser", "httpx2", "jinja2", "lxml",
        "luqum", "nh3", "platformdirs", "premailer", "pydantic", "pylatexenc", "rich", "sqlalchemy", "stamina",
        "structlog",
    }  # fmt: skip
    script = "import sys; sys.argv = ['digest', '--help']\ntry:\n    from digest.cli import main; main()\nfinally:\n"
    script += "    print(*sorted(set(sys.modules)), sep='\\n', file=sys.stderr)"

    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert set() == heavy & set(done.stderr.splitlines())
