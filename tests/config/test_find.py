"""Which file applies."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from platformdirs import user_config_path

from digest.config import find
from digest.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path


def test_the_option_goes_before_the_variable_and_that_before_the_folder(tmp_path: Path) -> None:
    for name in ("option.toml", "variable.toml", "config.toml"):
        (tmp_path / name).touch()
    env = {"DIGEST_CONFIG": "variable.toml"}
    option = tmp_path / "option.toml"

    assert [option, tmp_path / "variable.toml", tmp_path / "config.toml"] == [
        find(option, env, tmp_path),
        find(None, env, tmp_path),
        find(None, {}, tmp_path),
    ]


@pytest.mark.parametrize("env", [{}, {"DIGEST_CONFIG": "named.toml"}])
def test_a_named_file_that_is_missing_is_an_error_although_another_one_exists(
    tmp_path: Path, env: dict[str, str]
) -> None:
    (tmp_path / "config.toml").touch()

    with pytest.raises(ConfigError) as caught:
        find(None if env else tmp_path / "named.toml", env, tmp_path)

    assert [(str(tmp_path / "named.toml"), "there is no such file", "write a commented one with: digest init")] == [
        (problem.origin, problem.message, problem.hint) for problem in caught.value.problems
    ]


def test_a_home_folder_nobody_has_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        find(None, {"DIGEST_CONFIG": "~nobody-of-this-name/config.toml"}, tmp_path)

    assert ["whose home folder ~ means is not known"] == [problem.message for problem in caught.value.problems]


def test_without_any_file_the_places_looked_at_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "home" / "config"))
    with pytest.raises(ConfigError) as caught:
        find(None, {}, tmp_path)

    usual = user_config_path("digest") / "config.toml"
    assert [
        (
            f"there is no configuration, neither {tmp_path / 'config.toml'} nor {usual}",
            "write a commented one with: digest init, or name one with --config",
        )
    ] == [(problem.message, problem.hint) for problem in caught.value.problems]
