"""The configuration file itself: which one applies, and its text and values. What its keys mean is not known here."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from digest.errors import ConfigError, ConfigProblem

if TYPE_CHECKING:
    from collections.abc import Mapping

_WRITE_ONE = "write a commented one with: digest init"


def find(explicit: Path | None, env: Mapping[str, str], cwd: Path) -> Path:
    """The configuration file that applies.

    Args:
        explicit: what `--config` names; None without it.
        env: for `DIGEST_CONFIG`.
        cwd: where relative names start, and where `config.toml` is looked for before the user's config folder.

    Raises:
        ConfigError: a named file is missing, or there is no file at all.
    """
    from platformdirs import user_config_path

    named = explicit or (Path(env["DIGEST_CONFIG"]) if env.get("DIGEST_CONFIG") else None)
    if named is not None:
        try:
            path = cwd / named.expanduser()
        except RuntimeError:
            raise _unusable(named, "whose home folder ~ means is not known", hint="write the whole path") from None
        if not _is_there(path):
            raise _unusable(path, "there is no such file")
        return path
    usual = (cwd / "config.toml", user_config_path("digest") / "config.toml")
    for path in usual:
        if _is_there(path):
            return path
    message = f"there is no configuration, neither {usual[0]} nor {usual[1]}"
    raise ConfigError((ConfigProblem("", message, f"{_WRITE_ONE}, or name one with --config"),))


def _is_there(path: Path) -> bool:
    """Also if it cannot be looked at: `read` then says so, which helps more than looking elsewhere."""
    try:
        return path.exists()
    except OSError:
        return True


def read(path: Path) -> str:
    """The text of the file, UTF-8 with or without a byte order mark.

    Raises:
        ConfigError: it is missing, cannot be read or is not UTF-8.
    """
    try:
        return path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        raise _unusable(path, "there is no such file") from None
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise _unusable(path, f"it cannot be read ({reason})", hint="check its owner and mode with: ls -l") from None
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise _unusable(path, "it is not UTF-8 text", line=line, hint="save it as UTF-8") from None


def parse(path: Path, text: str) -> dict[str, Any]:
    """The values of a TOML text; `path` is for the message.

    Raises:
        ConfigError: it is not TOML, with line and column.
    """
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        reason, _, place = str(error).partition(" (at ")
        numbers = re.findall(r"\d+", place)
        line, column = map(int, numbers) if numbers else (text.count("\n") + 1, None)
        where = f" at column {column}" if column else " at its end"
        message = f"it is not TOML: {reason[:1].lower()}{reason[1:]}{where}"
        hint = "texts need quotes, lists square brackets; see https://toml.io"
        raise _unusable(path, message, line=line, hint=hint) from None


def _unusable(path: Path, message: str, *, line: int | None = None, hint: str = _WRITE_ONE) -> ConfigError:
    return ConfigError((ConfigProblem("", message, hint, origin=str(path), line=line),))
