"""What the options of `digest subscribers add` and `invite` say of a reader, and what JSON does."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from digest.cli.console import UsageError
from digest.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from digest.config import Settings
    from digest.model import Subscriber
    from digest.state.store import State


def given(*, days: str | None, **options: object) -> Mapping[str, object]:
    """The options as keys of a `[[subscribers]]` table; None: not given."""
    return options | {"days": days.split(",") if days is not None else None}


def inherited(names: Sequence[str], options: Mapping[str, object]) -> tuple[str, ...]:
    """The keys that --inherit names. Raises UsageError for one that cannot be inherited or is given as well."""
    from digest.config import INHERITED

    if "all" in names:
        return tuple(key for key in INHERITED if options[key] is None)
    # as the option is called, or as the key is
    known = {_option(key).removeprefix("--"): key for key in INHERITED}
    keys = tuple(known.get(name.strip(), name.strip().replace("-", "_")) for name in names)
    for name, key in zip(names, keys, strict=True):
        if key not in INHERITED:
            choices = ", ".join(known)
            raise UsageError(f"--inherit {name}: [digest] says nothing of that", hint=f"name one of: {choices}, or all")
        if options[key] is not None:
            raise UsageError(f"--inherit {name} and {_option(key)} contradict each other", hint="leave one of them out")
    return keys


def parsed(
    options: Mapping[str, object],
    settings: Settings,
    state: State,
    *,
    inherit: Sequence[str] = (),
    broken: dict[str, str] | None = None,
) -> tuple[Subscriber | None, Subscriber]:
    """The subscriber as they are in the state, None for somebody new, and as they are to be.

    Args:
        options: keys of a `[[subscribers]]` table; None: not given.
        settings: what they inherit.
        state: where they are.
        inherit: keys of what they chose and choose no longer.
        broken: takes the address and the reason of one who is there and cannot be read, who is somebody new then.

    Raises:
        ConfigError: mistakes are those of the configuration, told of the options they were made in.
        DigestError: they are kept in the configuration; or cannot be read, without `broken`.
    """
    from digest.pipeline.enrol import entered
    from digest.pipeline.readers import beyond_reading

    def find(email: str) -> Subscriber | None:
        reasons: dict[str, str] = {} if broken is None else broken
        found = state.subscribers.find([email], unreadable=reasons.__setitem__)
        if broken is None and reasons:
            raise beyond_reading(email, reasons[email])
        return next(iter(found), None)

    try:
        return entered(options, settings, find, inherit=inherit)
    except ConfigError as error:
        raise ConfigError(tuple(replace(problem, key=_option(problem.key)) for problem in error.problems)) from None


def as_written(reader: Subscriber) -> Mapping[str, object]:
    """The keys of a `[[subscribers]]` table with what holds for a reader, and `inherits`: those they did not choose."""
    from digest.config.schema import SubscriberEntry, keys
    from digest.config.settings import field_of

    fields = {key: field_of(key) for key in keys(SubscriberEntry)}
    inherits = [key for key, field in fields.items() if field in reader.inherits]
    values = {key: getattr(reader, field) for key, field in fields.items()}
    return values | {"time": f"{reader.at:%H:%M}", "inherits": inherits}


def _option(key: str) -> str:
    """`--max-papers` for `max_papers`, `--keyword` for `keywords.0`."""
    name = key.partition(".")[0]
    options = {"email": "EMAIL", "keywords": "--keyword", "quiet": "--quiet-days"}
    return options.get(name, f"--{name.replace('_', '-')}")
