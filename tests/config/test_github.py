"""The table [github]."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from digest.config import load
from digest.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

HEAD = '[mail]\nfrom = "digest@example.org"\n[[sources]]\ntype = "jsonl"\npath = "list.jsonl"\n[github]\n'


def write(folder: Path, github: str) -> Path:
    (folder / "list.jsonl").touch()
    path = folder / "config.toml"
    path.write_text(HEAD + github + '[[subscribers]]\nemail = "ada@example.org"\n')
    return path


def token(folder: Path, github: str, env: dict[str, str]) -> str:
    section = load(write(folder, github), env).github
    assert section is not None
    return section.token.get_secret_value() if section.token else ""


def test_a_token_comes_from_a_file_the_environment_or_systemd(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("of the file\n")
    (tmp_path / "github_token").write_text("of systemd")

    assert not token(tmp_path, "", {})
    assert "here" == token(tmp_path, 'token = "here"\n', {})
    assert "of the file" == token(tmp_path, 'token_file = "mine"\n', {})
    assert "of the variable" == token(tmp_path, 'token_file = "mine"\n', {"DIGEST_GITHUB__TOKEN": "of the variable"})
    assert "of systemd" == token(tmp_path, 'token = "here"\n', {"CREDENTIALS_DIRECTORY": str(tmp_path)})


def test_a_token_is_shown_nowhere(tmp_path: Path) -> None:
    path = write(tmp_path, 'token = "geheim"\n')
    path.chmod(0o644)

    settings = load(path, {})

    assert "geheim" not in repr(settings)
    assert any("holds github.token and everybody on this machine can read it" in one for one in settings.warnings)


@pytest.mark.parametrize(
    ("github", "key", "reason"),
    [
        ('token = "a"\ntoken_file = "mine"\n', "github.token_file", "only one can be right"),
        ('token_file = "none"\n', "github.token_file", "the file cannot be read"),
        ('token = "a"\nbase_url = "http://github.example.org"\n', "github.base_url", "would travel unencrypted"),
        ("per_run = 0\n", "github.per_run", "1"),
        ("per_day = 5\n", "github.per_day", ""),
    ],
)
def test_mistakes_are_named(tmp_path: Path, github: str, key: str, reason: str) -> None:
    (tmp_path / "mine").write_text("b")

    with pytest.raises(ConfigError) as caught:
        load(write(tmp_path, github), {})

    (problem,) = caught.value.problems
    assert (key, True) == (problem.key, reason in problem.message), problem
