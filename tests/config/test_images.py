"""The choice of pictures: a package, and for linked ones an archive, that have to be there."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from digest.config import Settings, load
from digest.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

ARCHIVE = 'archive_url = "https://papers.example.org"\n'
LINKED = '[digest]\nimages = "linked"\n'


def settings(folder: Path, tables: str = "", mail: str = "") -> Settings:
    (folder / "papers.jsonl").touch()
    text = f'[mail]\nfrom = "digest@lab.example"\n{mail}[[sources]]\ntype = "jsonl"\npath = "papers.jsonl"\n'
    (folder / "config.toml").write_text(f'{text}{tables}[[subscribers]]\nemail = "ada@lab.example"\n', encoding="utf-8")
    return load(folder / "config.toml", {})


def mistakes(folder: Path, tables: str) -> list[tuple[str, str]]:
    """Key and hint of each."""
    with pytest.raises(ConfigError) as caught:
        settings(folder, tables)
    return [(problem.key, problem.hint) for problem in caught.value.problems]


def test_there_are_no_pictures_unless_somebody_wants_them(tmp_path: Path) -> None:
    assert ["none"] == [reader.images for reader in settings(tmp_path).subscribers]
    assert ["linked"] == [reader.images for reader in settings(tmp_path, LINKED, ARCHIVE).subscribers]


def test_linked_pictures_need_the_address_of_the_archive(tmp_path: Path) -> None:
    hint = 'add archive_url = "https://papers.example.org" under [mail], or write "embedded"'
    own = '[[subscribers]]\nemail = "bob@lab.example"\nimages = "linked"\n'

    assert [("digest.images", hint), ("subscribers.0.images", hint)] == mistakes(tmp_path, LINKED + own)


@pytest.mark.parametrize("mine", [False, True])
def test_without_the_package_mails_go_out_and_the_command_to_install_it_is_said(
    mine: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A night on which an upgrade forgot the package is no night without mail."""
    monkeypatch.setitem(sys.modules, "PIL", None)
    own = '[[subscribers]]\nemail = "bob@lab.example"\nimages = "embedded"\n'

    (warning,) = settings(tmp_path, own if mine else '[digest]\nimages = "embedded"\n').warnings

    assert "pictures need the package Pillow, which is not installed" in warning
    assert "pip install 'paper-digest[images]'" in warning
    assert () == settings(tmp_path).warnings
