"""Everything that can go wrong, as one tree.

    DigestError
    ├── ConfigError      the configuration has mistakes (all of them, at once)   exit 2
    ├── QueryError       one keyword entry cannot be read                        exit 2
    ├── TemplateError    a mail template cannot be rendered                      exit 2
    ├── FetchError       a source did not answer as it should                    costs one source
    ├── StateError       the state file cannot be opened, read or written        exit 1
    ├── BusyError        another process does it already                         exit 75
    └── DeliveryError    the mail relay cannot be used at all                    mail stays for later

Errors carry facts as attributes. `cli` alone turns them into words on a terminal; `hint` says what to type next.
"""

from __future__ import annotations

from dataclasses import dataclass


class DigestError(Exception):
    """Base of all errors raised on purpose by this package.

    Args:
        message: one sentence, without a full stop at the end, naming the thing and the value.
        hint: what the reader can type or change next; empty if there is nothing to do.
    """

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    @property
    def told(self) -> str:
        """Message and hint on one line, without a full stop."""
        return f"{self.message}; {self.hint}" if self.hint else self.message


@dataclass(frozen=True, slots=True)
class ConfigProblem:
    """One mistake in the configuration."""

    #: dotted path of the key, list positions from 0: `subscribers.0.timezone`; empty for the file as a whole
    key: str
    #: what is wrong, one sentence without a full stop
    message: str
    #: what to write instead
    hint: str = ""
    #: the offending value as text, already shortened and never a secret; None if there is no value
    value: str | None = None
    #: where the value comes from: a file path, or `environment DIGEST_…`
    origin: str = ""
    #: line in `origin`, from 1; None if unknown
    line: int | None = None


class ConfigError(DigestError, ValueError):
    """The configuration cannot be used; `problems` holds every mistake found, in file order."""

    def __init__(self, problems: tuple[ConfigProblem, ...]) -> None:
        count = len(problems)
        super().__init__(f"{count} mistake{'s' * (count != 1)} in the configuration")
        self.problems = problems


class QueryError(DigestError, ValueError):
    """A keyword entry that cannot be parsed.

    `entry` is the text as typed, `column` the offending character's place in it, from 1.
    """

    def __init__(self, entry: str, column: int, reason: str, *, hint: str = "") -> None:
        super().__init__(f"{entry!r}: {reason} at column {column}", hint=hint)
        self.entry = entry
        self.column = column
        self.reason = reason


class TemplateError(DigestError, ValueError):
    """A template that is missing, cannot be parsed, or names something that does not exist."""

    def __init__(self, name: str, line: int | None, reason: str, *, hint: str = "") -> None:
        place = name if line is None else f"{name}, line {line}"
        super().__init__(f"template {place}: {reason}", hint=hint)
        self.name = name
        self.line = line
        self.reason = reason


class FetchError(DigestError, OSError):
    """A URL that could not be fetched, or whose answer is not what was asked for.

    `status` is the HTTP status if there was one; `url` never carries user info or secrets.
    """

    def __init__(self, url: str, reason: str, *, status: int | None = None, hint: str = "") -> None:
        super().__init__(f"{url}: {reason}", hint=hint)
        self.url = url
        self.reason = reason
        self.status = status


class StateError(DigestError, OSError):
    """The state cannot be opened, read or written. `place` is the file or database, without a password."""

    def __init__(self, place: str, reason: str, *, hint: str = "") -> None:
        super().__init__(f"state {place}: {reason}", hint=hint)
        self.place = place
        self.reason = reason


class BusyError(DigestError):
    """What only one process at a time may do, and another one is doing."""


class DeliveryError(DigestError, ConnectionError):
    """The relay as a whole cannot be used: no connection, bad certificate, refused login.

    `stage` is the SMTP step that failed (`connect`, `tls`, `login`, …), `code` the reply code if there was one.
    """

    def __init__(self, relay: str, stage: str, reason: str, *, code: int | None = None, hint: str = "") -> None:
        super().__init__(f"{relay}: {stage}: {reason}", hint=hint)
        self.relay = relay
        self.stage = stage
        self.reason = reason
        self.code = code
