"""Where values come from, later ones winning: the file, systemd's credentials, the environment.

    DIGEST_SMTP__PASSWORD=…             one key of a table: upper case, `__` between table and key
    DIGEST_DIGEST__DAYS='["mon"]'       lists are JSON
    $CREDENTIALS_DIRECTORY/smtp_password    a file, as systemd's LoadCredential= provides it; also
                                        bounces_password, github_token and dkim_key

What pydantic-settings lets pass in silence, a variable that names no key, is a mistake here.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic_settings import BaseSettings, EnvSettingsSource, SettingsConfigDict, SettingsError

from digest.config.schema import LISTS, TABLES, ConfigFile, keys
from digest.config.secret import SECRETS
from digest.config.values import did_you_mean
from digest.errors import ConfigProblem

if TYPE_CHECKING:
    from collections.abc import Mapping

PREFIX = "DIGEST_"
#: variables that are ours but no keys: the configuration file's path, and how the golden mails are tested
RESERVED = frozenset({"DIGEST_CONFIG", "DIGEST_GOLDEN"})
#: key that names a file → what the systemd credential is called that takes its place
_CREDENTIAL_FILES = {(table, f"{key}_file"): f"{table}_{key}" for table, key in SECRETS.items()} | {
    ("dkim", "key_file"): "dkim_key"
}
#: key of a secret ↔ key of its file
_OTHER = {key: f"{key}_file" for key in SECRETS.values()} | {f"{key}_file": key for key in SECRETS.values()}

#: variable name → key path
VARIABLES: dict[str, tuple[str, ...]] = {
    PREFIX + "__".join(path).upper(): path
    for table, section in TABLES.items()
    for path in ([(table,)] if table in LISTS else [(table, key) for key in keys(section)])
}


class _Variables(ConfigFile, BaseSettings):
    """The same keys, as pydantic-settings reads them from variables."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_nested_delimiter="__")


@dataclass(frozen=True, slots=True)
class Layered:
    """All layers in one: nested values as TOML gives them."""

    values: dict[str, Any]
    #: dotted key → origin of what does not come from the file
    origins: dict[str, str] = field(default_factory=dict)
    problems: tuple[ConfigProblem, ...] = ()


def layered(file: Mapping[str, Any], env: Mapping[str, str]) -> Layered:
    """Lay credentials and environment over the values of the file. Empty variables count as absent."""
    values = copy.deepcopy(dict(file))
    origins: dict[str, str] = {}
    problems: list[ConfigProblem] = []
    variables = {n: v for n, v in sorted(env.items()) if n.startswith(PREFIX) and n not in RESERVED and v}
    for path, name in _CREDENTIAL_FILES.items():
        credential = Path(env.get("CREDENTIALS_DIRECTORY", "")) / name
        if credential.is_absolute() and credential.is_file() and path[0] in values:
            _put(values, origins, path, str(credential), "systemd credential")
    for name, text in variables.items():
        if name not in VARIABLES:
            problems.append(_unknown(name))
            continue
        try:
            value = _read(name, text)
        except SettingsError:
            problems.append(_unreadable(name))
            continue
        _put(values, origins, VARIABLES[name], value, f"environment {name}")
    return Layered(values, origins, tuple(problems))


def _read(name: str, text: str) -> Any:
    """The value of one variable, JSON decoded where the key holds a list."""
    source = EnvSettingsSource(_Variables)
    source.env_vars = {name.lower(): text}
    value: Any = source()
    for key in VARIABLES[name]:
        value = value[key]
    return value


def _put(values: dict[str, Any], origins: dict[str, str], path: tuple[str, ...], value: Any, origin: str) -> None:
    """Set one key. A secret, however given, takes the place of one that a weaker layer gave in the other way."""
    table = values.setdefault(path[0], {}) if len(path) > 1 else values
    if not isinstance(table, dict):
        return  # the file has something else there, which will be reported
    table[path[-1]] = value
    origins[".".join(path)] = origin
    other = _OTHER.get(path[-1], "")
    if other in table and not origins.get(f"{path[0]}.{other}", "").startswith("environment"):
        del table[other]
        origins.pop(f"{path[0]}.{other}", None)


def _unknown(name: str) -> ConfigProblem:
    hint = did_you_mean(name, VARIABLES, otherwise="see config.example.toml for the keys, or unset it")
    return ConfigProblem("", "this variable names no key of the configuration", hint, origin=f"environment {name}")


def _unreadable(name: str) -> ConfigProblem:
    key = ".".join(VARIABLES[name])
    return ConfigProblem(
        key, "a list in a variable must be JSON", """write it like '["mon", "thu"]'""", origin=f"environment {name}"
    )
