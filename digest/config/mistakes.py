"""pydantic's errors, one by one, in words: which key, what is wrong, what to write instead. Never a secret."""

from __future__ import annotations

import datetime as dt
import math
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from digest.config.relays import FallbackSection
from digest.config.schema import LISTS, TABLES, ConfigFile, keys
from digest.config.secret import SECRETS
from digest.config.values import closest, did_you_mean
from digest.errors import ConfigProblem

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from pydantic_core import ErrorDetails

_SHOWN = 60
#: the one list of tables within a table
FALLBACK = ("smtp", "fallback")
#: keys of secrets, and of addresses that may hold one
_SECRETS = frozenset({*SECRETS.values(), "proxy"})
#: what pydantic's error types begin with → what is wanted
_WANTED = {
    "string": "text in quotes",
    "int": "a whole number",
    "float": "a number",
    "finite": "a number",
    "bool": "true or false",
    "tuple": "a list in square brackets",
    "model": "a table of keys",
}
_KINDS: tuple[tuple[type, str], ...] = (
    (bool, "true or false"),
    (str, "text"),
    (int, "a whole number"),
    (float, "a number with decimals"),
    (list, "a list"),
    (dict, "a table"),
    (dt.datetime, "a date with a time"),
    (dt.date, "a date"),
    (dt.time, "a time"),
)
_BOUNDS = {
    "greater_than_equal": ("must be at least {ge:g}", "write {ge:g} or more"),
    "less_than_equal": ("must be at most {le:g}", "write {le:g} or less"),
    "string_too_long": ("must be at most {max_length} characters long", "shorten it"),
    "too_short": ("must have at least {min_length} entry", "leave the key out for its default"),
}


def validated(values: dict[str, Any], folder: Path) -> tuple[ConfigFile, list[ConfigProblem]]:
    """The configuration without its bad values, so that the rest can be checked too, and what was bad about them.

    Args:
        values: as TOML gives them; bad ones are removed.
        folder: where relative paths start.
    """
    context = {"folder": folder}
    try:
        return ConfigFile.model_validate(values, context=context), []
    except ValidationError as error:
        errors = error.errors(include_url=False)
    found = [_problem(error) for error in errors]
    bad = {_removable(error["loc"]) for error in errors}
    for path in bad:
        # what is left out whole takes its parts along
        if not any(path[:length] in bad for length in range(1, len(path))):
            _remove(values, path)
    return ConfigFile.model_validate(values, context=context), found


def _removable(path: tuple[int | str, ...]) -> tuple[int | str, ...]:
    """What to leave out for one bad value: a key, or a whole table of a list (which becomes an empty one)."""
    while isinstance(path[-1], int) and len(path) > 2:
        path = path[:-1]
    return path


def _remove(values: Any, path: tuple[int | str, ...]) -> None:
    for key in path[:-1]:
        values = values[key]
    if isinstance(values, list):
        values[int(path[-1])] = {}
    else:
        del values[path[-1]]


def shown(value: object) -> str | None:
    """A value on one line, shortened, without the password of a URL; None for tables and lists."""
    if isinstance(value, dict | list | tuple):
        return None
    if isinstance(value, bool):
        return str(value).lower()
    # up to the last "@": a password typed as it is may hold "/" and "@" too; `user:password@host` is half an address
    login = r"(?<=://).*@" if "://" in str(value) else r"^\S*:.*@"
    text = re.sub(login, "…@", str(value), flags=re.DOTALL)
    text = "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"


def _problem(error: ErrorDetails) -> ConfigProblem:
    path, kind, value = error["loc"], error["type"], error["input"]
    key = ".".join(map(str, path))
    if kind == "extra_forbidden":
        return ConfigProblem(key, "there is no such key", _known_key(path))  # its value may be a misplaced secret
    message, hint = _words(error)
    if path[-1] in _SECRETS:
        return ConfigProblem(key, message, "write it in quotes" if kind == "string_type" else hint)
    hidden = kind == "model_type"  # what stands in the place of a table may hold anything
    return ConfigProblem(key, message, hint, None if hidden else shown(value))


def named(problem: ConfigProblem, config: ConfigFile) -> ConfigProblem:
    """A problem of one source or subscriber with its name, since nobody counts tables from 0."""
    table, *rest = problem.key.split(".")
    if table not in LISTS or len(rest) < 2:
        return problem
    entry = getattr(config, table)[int(rest[0])]
    if table == "subscribers":
        who = f"subscriber {entry.email}" if entry.email and rest[1] != "email" else ""
    elif entry.name and rest[1] != "name":
        who = f"source {entry.name}"
    else:
        who = f"source of type {entry.type}" if entry.type else ""
    if not who or who in problem.message:
        return problem
    return replace(problem, message=f"{problem.message} ({shown(who)})")


def _words(error: ErrorDetails) -> tuple[str, str]:
    path, kind, facts = error["loc"], error["type"], error.get("ctx", {})
    if kind == "mistake":
        return facts["message"], facts["hint"]
    if kind in _BOUNDS:
        message, hint = _BOUNDS[kind]
        return message.format(**facts), hint.format(**facts)
    if kind == "literal_error":
        return _choice(error["input"], facts["expected"])
    kind = kind.partition("_")[0]
    if kind not in _WANTED:
        return error["msg"][:1].lower() + error["msg"][1:], ""
    return f"must be {_WANTED[kind]}, not {_kind(error['input'])}", _rewritten(path, kind, error["input"])


def _choice(value: object, expected: str) -> tuple[str, str]:
    choices = re.findall(r"'([^']*)'", expected)
    hint = did_you_mean(str(value), choices, otherwise="")
    return f"must be one of: {', '.join(choices)}", hint


def _kind(value: object) -> str:
    return next((words for kind, words in _KINDS if isinstance(value, kind)), "this")


def _rewritten(path: tuple[int | str, ...], kind: str, value: Any) -> str:
    """The hint for a value of the wrong kind: how to write it instead."""
    key = path[-1]
    if path[:2] == FALLBACK and len(path) <= 3:
        return "write [[smtp.fallback]] with two brackets, and its keys below"
    if path[0] in LISTS and len(path) <= 2:
        return f"write [[{path[0]}]] with two brackets, and its keys below"
    if len(path) == 1:
        return f"write [{key}] with one bracket, and its keys below"
    if kind == "tuple":
        return 'write ["…"] with brackets, also around a single entry'
    if kind == "string":
        is_plain = isinstance(value, int | float | dt.date) and not isinstance(value, bool)
        return f'write "{value}" with quotes' if is_plain else "write it in quotes"
    if kind == "int" and isinstance(value, float) and math.isfinite(value):
        return f"write {value:.0f}"
    bare = "true or false" if kind == "bool" else "a number"
    return f"write {bare} without quotes" if isinstance(value, str) else f"write {bare}"


def _known_key(path: tuple[int | str, ...]) -> str:
    """Which key was meant: a close one of the same table, else one of that name elsewhere."""
    typed, table = str(path[-1]), str(path[0])
    if len(path) == 1:
        siblings: tuple[str, ...] = tuple(TABLES)
    elif path[:2] == FALLBACK and len(path) == 4:
        siblings = keys(FallbackSection)
    elif len(path) == (3 if table in LISTS else 2):
        siblings = keys(TABLES[table])
    else:
        siblings = ()
    if close := closest(typed, siblings):
        return f"did you mean {close}?"
    for name, section in TABLES.items():
        if typed in keys(section):
            return f"{typed} belongs under {f'[[{name}]]' if name in LISTS else f'[{name}]'}"
    return f"the keys here are: {', '.join(siblings)}" if siblings else ""


def is_echo(problem: ConfigProblem, reported: Iterable[ConfigProblem]) -> bool:
    """Whether a problem is only the echo of one already reported for the same key, a part of it or what holds it."""
    key = problem.key + "."
    return any(key.startswith(other.key + ".") or (other.key + ".").startswith(key) for other in reported)
