"""What the README shows works as shown."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import typer

from digest import config
from digest.cli import app

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    found = re.findall(r"^```(\w*)\n(.*?)^```$", README, flags=re.DOTALL | re.MULTILINE)
    return [text for named, text in found if named == language]


def commands() -> list[str]:
    """Every `digest …` line of the shell blocks and the crontab, without comments."""
    lines = "\n".join(blocks("sh") + blocks("")).splitlines()
    return [match[1].strip() for line in lines if (match := re.search(r"(?:^|\s)(digest [a-z][^#]*)", line))]


def test_the_configuration_is_valid(tmp_path: Path) -> None:
    (tmp_path / "smtp_password").write_text("secret")
    (text,) = blocks("toml")
    path = tmp_path / "config.toml"
    path.write_text(text.replace("/etc/digest/smtp_password", "smtp_password"), encoding="utf-8")

    settings = config.load(path, {})

    assert ["ada@example.net"] == [reader.email for reader in settings.subscribers]


@pytest.mark.parametrize("line", commands())
def test_every_command_and_option_exists(line: str) -> None:
    command: Any = typer.main.get_command(app)
    options = set()
    for word in line.split()[1:]:
        if word in getattr(command, "commands", {}):
            command = command.commands[word]
        elif word.startswith("-"):
            options.add(word)

    assert not hasattr(command, "commands"), f"{line}: no such command"
    assert options <= {name for parameter in command.params for name in parameter.opts}


def test_the_commands_named_in_the_table_are_all_there_are() -> None:
    named = set(re.findall(r"[a-z]+", " ".join(re.findall(r"^\| `(?:digest )?(.*?)\|", README, flags=re.MULTILINE))))
    top: Any = typer.main.get_command(app)

    assert set(top.commands) <= named


def test_make_targets_exist() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE))

    assert set(re.findall(r"make ([a-z]+)", README)) <= targets


def test_every_promise_is_kept_by_tests_that_exist() -> None:
    promises = README.partition("## Promises and limits")[2].partition("\n## ")[0]
    named = set(re.findall(r"`(test_\w+)`", promises))
    sources = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("test_*.py"))

    assert named <= set(re.findall(r"def (test_\w+)\(", sources))
    assert len(named) > 20
