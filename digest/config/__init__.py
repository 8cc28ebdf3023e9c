"""The configuration: a TOML file, the environment and secret files go in, `Settings` or every mistake comes out.

    find    which file applies
    load    layers → schema (each key) → checks (across keys) → Settings

`schema` is the list of all keys; `values` checks single values, `checks` what spans several; `layers` knows the
environment, `file` the disk; `mistakes` finds the words and `lines` the line; `roster` reads lists of readers that are
kept elsewhere. Importing this package loads pydantic: commands do so only when they need it.
"""

from __future__ import annotations

from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import SecretStr

from digest.config import checks, mistakes
from digest.config.file import find, parse, read
from digest.config.layers import layered
from digest.config.lines import line_of, lines
from digest.config.relays import SmtpSection
from digest.config.rhythm import RHYTHM, kept
from digest.config.schema import INHERITED, ConfigFile, DigestSection, SubscriberEntry
from digest.config.secret import SECRETS
from digest.config.section import Section
from digest.config.settings import Settings, build, field_of, subscriber
from digest.errors import ConfigError, ConfigProblem

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping

    from digest.config.layers import Layered
    from digest.config.lines import KeyPath
    from digest.model import Subscriber

__all__ = ["INHERITED", "Settings", "example", "find", "json_schema", "load", "parse_subscriber"]

_EXAMPLE = "config.example.toml"


def load(path: Path, env: Mapping[str, str]) -> Settings:
    """Read and check a configuration.

    Args:
        path: of the TOML file; relative paths in it start at its folder.
        env: `DIGEST_…` variables win over the file; see `layers`.

    Raises:
        ConfigError: with every mistake found, those of the environment first, then in file order.
    """
    path = path.absolute()
    text = read(path)
    file = parse(path, text)
    layers = layered(file, env)
    config, found = mistakes.validated(layers.values, path.parent)
    found += [p for p in checks.across(config) if not mistakes.is_echo(p, found)]
    complete, unread = _with_secrets(config)
    found += [p for p in unread if not mistakes.is_echo(p, found)]
    if found or layers.problems:
        raise ConfigError((*layers.problems, *_located([mistakes.named(p, config) for p in found], path, text, layers)))
    return build(complete, path, env, file=file)


def parse_subscriber(
    values: Mapping[str, object],
    defaults: DigestSection,
    find: Callable[[str], Subscriber | None] = lambda _: None,
    *,
    inherit: Collection[str] = (),
) -> Subscriber:
    """One subscriber from the keys of a `[[subscribers]]` table, for those that are not kept in the file.

    Args:
        values: keys as in the file; None counts as absent.
        defaults: for everything that is not chosen.
        find: who is there already under a normalised address; what is absent in `values` stays as it is with them.
        inherit: of `INHERITED`, keys absent in `values` for which `defaults` speak again.

    Raises:
        ConfigError: with every mistake found.
    """
    given = {key: value for key, value in values.items() if value is not None}
    config, found = mistakes.validated({"subscribers": [given]}, Path.cwd())
    entry = config.subscribers[0]
    known = find(entry.email)
    if known is not None:
        entry = entry.model_copy(update=_before(known, entry, given.keys(), inherit))
    found += [p for p in checks.subscriber(entry, defaults, "subscribers.0.") if not mistakes.is_echo(p, found)]
    if found:
        raise ConfigError(tuple(replace(p, key=p.key.removeprefix("subscribers.0.")) for p in found))
    parsed = subscriber(entry, defaults)
    return parsed if known is None else replace(parsed, asked_at=known.asked_at, token=known.token)


def _before(
    known: Subscriber, entry: SubscriberEntry, given: Collection[str], inherit: Collection[str]
) -> dict[str, object]:
    """What a subscriber chose before and keeps: neither `given` now nor to be inherited."""
    again = {*inherit, *RHYTHM} if set(RHYTHM) & set(inherit) else set(inherit)
    own = {key for key in type(entry).model_fields if field_of(key) not in known.inherits} - again
    before = {key: getattr(known, field_of(key)) for key in own - set(given) - set(RHYTHM)}
    return before | (kept(entry, known) if set(RHYTHM) <= own else {})


def json_schema() -> dict[str, Any]:
    """The JSON Schema of the file, for editors."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **ConfigFile.model_json_schema(),
        "title": "Configuration of digest",
    }


def example() -> str:
    """The text of the example configuration, which is also the manual of all keys."""
    packaged = files("digest") / _EXAMPLE
    # beside the package in a checkout, inside it in a wheel
    place = packaged if packaged.is_file() else Path(__file__).parents[2] / _EXAMPLE
    return place.read_text(encoding="utf-8")


def _with_secrets(config: ConfigFile) -> tuple[ConfigFile, list[ConfigProblem]]:
    """The configuration with the secrets of all files that it names for one."""
    problems: list[ConfigProblem] = []
    tables: dict[str, Section | None] = {}
    for table, key in SECRETS.items():
        section: Section | None = getattr(config, table)
        tables[table] = section and section.model_copy(update=_secret(table, section, key, problems))
    if isinstance(smtp := tables["smtp"], SmtpSection):
        relays = tuple(
            relay.model_copy(update=_secret(f"smtp.fallback.{position}", relay, "password", problems))
            for position, relay in enumerate(smtp.fallback)
        )
        tables["smtp"] = smtp.model_copy(update={"fallback": relays})
    return config.model_copy(update=tables), problems


def _secret(table: str, section: Section, key: str, problems: list[ConfigProblem]) -> dict[str, SecretStr]:
    """What is in the file that KEY_file names; nothing without one, or if it is added to the `problems`."""
    file: Path | None = getattr(section, f"{key}_file")
    if file is None:
        return {}
    try:
        secret = file.read_text(encoding="utf-8").rstrip("\r\n")
        reason = "" if secret else "the file is empty"
    except (OSError, UnicodeDecodeError) as error:
        secret = ""
        reason = f"the file cannot be read ({(getattr(error, 'strerror', '') or 'it is not UTF-8 text').lower()})"
    if reason:
        hint = f"put the {key.replace('_', ' ')}, and nothing else, into it; this program must be able to read it"
        problems.append(ConfigProblem(f"{table}.{key}_file", reason, hint, str(file)))
        return {}
    return {key: SecretStr(secret)}


def _located(problems: Iterable[ConfigProblem], path: Path, text: str, layers: Layered) -> list[ConfigProblem]:
    """The problems with origin and line, those of the environment first, then in file order."""
    known = lines(text)
    placed = [_placed(problem, path, known, layers) for problem in problems]
    return sorted(placed, key=lambda p: (p.origin == str(path), p.line or 0))


def _placed(problem: ConfigProblem, path: Path, known: Mapping[KeyPath, int], layers: Layered) -> ConfigProblem:
    for key, origin in layers.origins.items():
        if f"{problem.key}.".startswith(f"{key}."):
            return replace(problem, origin=origin)
    return replace(problem, origin=str(path), line=line_of(problem.key, known))
