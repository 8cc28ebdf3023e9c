"""The `[llm]` table: which language model is asked, with which key; and every way to get it wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from digest.config import Settings, load
from digest.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

TABLE = 'base_url = "http://localhost:11434/v1"\nmodel = "small-1"\n'


def written(folder: Path, table: str | None) -> Path:
    (folder / "papers.jsonl").touch()
    text = '[mail]\nfrom = "digest@lab.example"\n[[sources]]\ntype = "jsonl"\npath = "papers.jsonl"\n'
    path = folder / "config.toml"
    more = "" if table is None else f"[llm]\n{table}"
    path.write_text(f'{text}[digest]\nsummaries = "llm"\n{more}', encoding="utf-8")
    path.chmod(0o600)
    return path


def key_of(settings: Settings) -> str:
    assert settings.llm
    return settings.llm.api_key.get_secret_value() if settings.llm.api_key else ""


def test_a_key_comes_from_a_file_the_environment_or_systemd(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("from-file\n", encoding="utf-8")
    (tmp_path / "llm_api_key").write_text("from-systemd\n", encoding="utf-8")
    path = written(tmp_path, TABLE + 'api_key_file = "key"')

    assert "from-file" == key_of(load(path, {}))
    assert "from-environment" == key_of(load(path, {"DIGEST_LLM__API_KEY": "from-environment"}))
    assert "from-systemd" == key_of(load(path, {"CREDENTIALS_DIRECTORY": str(tmp_path)}))
    assert "" == key_of(load(written(tmp_path, TABLE), {}))
    assert "from-file" not in repr(load(path, {}))


@pytest.mark.parametrize(
    ("table", "key", "words"),
    [
        (None, "digest.summaries", "there is no [llm]"),
        ("", "llm.base_url", "is missing"),
        ('base_url = "http://localhost/v1"', "llm.model", "is missing"),
        (TABLE + 'api_key = "x"\napi_key_file = "config.toml"', "llm.api_key_file", "only one can be right"),
        (TABLE + 'api_key_file = "missing"', "llm.api_key_file", "cannot be read"),
        (TABLE + 'language = "in German"', "llm.language", ""),
        (TABLE + 'proxy = "proxy.lab:3128"', "llm.proxy", "not a web address"),
        ('base_url = "http://llm.example/v1"\nmodel = "m"\napi_key = "x"', "llm.base_url", "not encrypted"),
    ],
)
def test_mistakes_are_named_with_what_to_do(tmp_path: Path, table: str | None, key: str, words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(written(tmp_path, table), {})

    problem = next(one for one in caught.value.problems if one.key == key)
    assert words in problem.message
    assert problem.hint


def test_a_key_in_a_file_that_others_can_read_is_warned_of(tmp_path: Path) -> None:
    path = written(tmp_path, TABLE + 'api_key = "x"')
    path.chmod(0o644)

    assert any("llm.api_key" in warning for warning in load(path, {}).warnings)
