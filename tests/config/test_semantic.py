"""The `[semantic]` table: a folder that has to be there, and a package."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from digest.config import Settings, load
from digest.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path


def settings(folder: Path, table: str | None) -> Settings:
    (folder / "papers.jsonl").touch()
    text = '[mail]\nfrom = "digest@lab.example"\n[[sources]]\ntype = "jsonl"\npath = "papers.jsonl"\n'
    (folder / "config.toml").write_text(text if table is None else f"{text}[semantic]\n{table}", encoding="utf-8")
    return load(folder / "config.toml", {})


def mistakes(folder: Path, table: str) -> list[tuple[str, str]]:
    """Key and message of each."""
    with pytest.raises(ConfigError) as caught:
        settings(folder, table)
    return [(problem.key, problem.message) for problem in caught.value.problems]


def test_without_the_table_only_words_count(tmp_path: Path) -> None:
    assert settings(tmp_path, None).semantic is None


def test_the_folder_is_relative_to_the_file_and_two_papers_may_be_added(tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()

    section = settings(tmp_path, 'model = "model"\n').semantic

    assert section is not None
    assert (tmp_path / "model", 2) == (section.model, section.extra_papers)


def test_a_folder_that_is_missing_is_a_mistake(tmp_path: Path) -> None:
    assert [("semantic.model", "the folder of the model is missing")] == mistakes(tmp_path, "")
    assert [("semantic.model", "there is no such folder")] == mistakes(tmp_path, 'model = "minishlab/potion-base-8M"\n')


def test_without_the_package_the_command_to_install_it_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "model").mkdir()
    monkeypatch.setitem(sys.modules, "model2vec", None)

    with pytest.raises(ConfigError) as caught:
        settings(tmp_path, 'model = "model"\n')

    (problem,) = caught.value.problems
    assert "semantic" == problem.key
    assert "pip install 'paper-digest[semantic]'" in problem.hint


@pytest.mark.parametrize("count", ["-1", "51", '"two"'])
def test_how_many_may_be_added_is_a_small_number(tmp_path: Path, count: str) -> None:
    (tmp_path / "model").mkdir()

    assert ["semantic.extra_papers"] == [
        key for key, _ in mistakes(tmp_path, f'model = "model"\nextra_papers = {count}\n')
    ]
