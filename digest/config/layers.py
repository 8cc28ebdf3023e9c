"""Where values come from, later ones winning: the file, systemd's credentials, the environment.

    DIGEST_SMTP__PASSWORD=…             one key of a table: upper case, `__` between table and key
    DIGEST_DIGEST__MAX_PAPERS=5         numbers, true and false are read from the text
    DIGEST_DIGEST__DAYS='["mon"]'       lists are JSON
    $CREDENTIALS_DIRECTORY/smtp_password    a file, as systemd's LoadCredential= provides it; also
                                        bounces_password, github_token and dkim_key

What pydantic-settings lets pass in silence, a variable that names no key, is a mistake here.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_origin

from pydantic import TypeAdapter, ValidationError
from pydantic_settings import BaseSettings, EnvSettingsSource, SettingsConfigDict, SettingsError

from digest.config.mistakes import FALLBACK, shown
from digest.config.schema import LISTS, TABLES, ConfigFile, keys
from digest.config.secret import SECRETS
from digest.config.values import closest
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
#: kinds of values that a file spells without quotes → what is wanted, and an example of it
_SPELLED: dict[Any, tuple[str, str]] = {
    bool: ("true or false", "true"),
    int: ("a whole number", "5"),
    float: ("a number", "0.5"),
}
_A_LIST = ("a list in JSON", """'["mon", "thu"]'""")
_A_LIST_OF_TABLES = ("a list of tables in JSON", """'[{"…": "…"}]'""")
_TABLES: TypeAdapter[list[dict[str, Any]]] = TypeAdapter(list[dict[str, Any]])
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
            value = _typed(VARIABLES[name], _read(name, text))
        except (SettingsError, ValidationError):
            problems.append(_unreadable(name, text))
        else:
            _put(values, origins, VARIABLES[name], value, f"environment {name}")
    return Layered(values, origins, tuple(problems))


def _read(name: str, text: str) -> Any:
    """The value of one variable, JSON decoded where the key holds a list, or a table that no text stands for.

    Raises:
        SettingsError: it is not JSON.
    """
    source = EnvSettingsSource(_Variables)
    source.env_vars = {name.lower(): text}
    try:
        value: Any = source()
    except SettingsError:
        if get_origin(_kind(VARIABLES[name])) is dict:
            return text
        raise
    for key in VARIABLES[name]:
        value = value[key]
    return value


def _kind(path: tuple[str, ...]) -> Any:
    """The type of a key: of one that `_SPELLED` knows the type itself, of others whatever pydantic keeps."""
    field = TABLES[path[0]].model_fields.get(path[-1])
    return field and field.annotation


def _typed(path: tuple[str, ...], value: Any) -> Any:
    """What the text of a variable means where the key wants a number, or true or false, which a file spells itself.

    Raises:
        ValidationError: the text means no such thing, or is no list of tables where one is wanted.
    """
    if _holds_tables(path):
        return _TABLES.validate_python(value)
    kind = _kind(path)
    return TypeAdapter(kind).validate_python(value) if kind in _SPELLED else value


def _holds_tables(path: tuple[str, ...]) -> bool:
    return path[0] in LISTS or path == FALLBACK


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
    # without what all of them begin with, which makes any two of them look alike
    meant = closest(name.removeprefix(PREFIX), (known.removeprefix(PREFIX) for known in VARIABLES))
    rule = f"variables are called {PREFIX}TABLE__KEY, like DIGEST_SMTP__PASSWORD; or type: unset {name}"
    hint = f"did you mean {PREFIX}{meant}?" if meant else rule
    return ConfigProblem("", "this variable names no key of the configuration", hint, origin=f"environment {name}")


def _unreadable(name: str, text: str) -> ConfigProblem:
    path = VARIABLES[name]
    what, example = _SPELLED.get(_kind(path)) or (_A_LIST_OF_TABLES if _holds_tables(path) else _A_LIST)
    value = shown(text) if _kind(path) in _SPELLED else None  # a list may hold a password
    hint = f"write it like {name}={example}"
    return ConfigProblem(".".join(path), f"must be {what}", hint, value, f"environment {name}")
