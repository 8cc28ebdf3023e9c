"""A list of readers as CSV or JSON lines → the keys of a `[[subscribers]]` table for each, with its line.

Which of the two it is, is told by its first character. CSV is what spreadsheets write: a first row that names the keys,
commas, semicolons or tabs between the cells, several keywords or days in one cell with semicolons between them. What an
empty cell means is left open: it is as if the key were not there. No value is checked here, and nothing is fetched.
"""

from __future__ import annotations

import csv
import io
import json
import re
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter, ValidationError

from digest.config.schema import DigestSection, SubscriberEntry, keys
from digest.config.values import did_you_mean
from digest.errors import DigestError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

#: a longer list is to be brought in parts
MAX_BYTES = 64 * 2**20
#: characters of a line of JSON, as of a cell in the csv module
_LONGEST = 131_072
#: who is kept in the state is paused there
KEYS = tuple(key for key in keys(SubscriberEntry) if key != "paused_until")
_DELIMITERS = ",;\t"
#: bytes that are no UTF-8, as `surrogateescape` keeps them
_FOREIGN = re.compile("[\udc80-\udcff]")
#: what is between several entries of one cell; spreadsheets break lines within one
_BETWEEN = {"keywords": re.compile(r"[;\r\n]"), "days": re.compile(r"[;,\s]")}
#: the keys whose values a configuration spells without quotes, and what reads them from a text
_SPELLED = {
    key: TypeAdapter(found.annotation)
    for key, found in DigestSection.model_fields.items()
    if key in KEYS and found.annotation in {bool, int, float}
}
_UTF_8 = "save the list as UTF-8 (spreadsheets: “CSV UTF-8”)"
_NOT_UTF_8 = f"this is not UTF-8 text; {_UTF_8}"


@dataclass(frozen=True, slots=True)
class Entry:
    """What one line, or one row of several, says of one reader."""

    #: the number of its first line, from 1
    line: int
    #: keys and their values as they are written
    values: Mapping[str, Any] = field(default_factory=dict)
    #: why it cannot be read, one sentence without a full stop; empty: it can
    problem: str = ""


def read_roster(data: bytes) -> Iterator[Entry]:
    """Every line that says something; one that cannot be read is an entry with a problem.

    Raises:
        DigestError: it is no such list at all; nothing was yielded.
    """
    if data.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" in data[:4]:
        raise DigestError("this is not UTF-8 text", hint=_UTF_8)
    # one line that is something else must not cost the others theirs
    text = data.decode("utf-8-sig", errors="surrogateescape")
    if not text.strip():
        raise DigestError("nothing is in it", hint="give a list with a row for each reader")
    return _json_lines(text) if text.lstrip()[0] == "{" else _csv(text)


# --- JSON lines -------------------------------------------------------------------------------------------------------


def _json_lines(text: str) -> Iterator[Entry]:
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            yield _object(number, line)


def _object(number: int, line: str) -> Entry:
    if len(line) > _LONGEST:
        return Entry(number, problem=f"this line is longer than {_LONGEST:,} characters")
    if _FOREIGN.search(line):
        return Entry(number, problem=_NOT_UTF_8)
    try:
        values = json.loads(line)
    except (ValueError, RecursionError):
        return Entry(number, problem="this is not JSON; write one object on each line")
    if not isinstance(values, dict):
        return Entry(number, problem='this is not a JSON object; write {"email": "ada@example.org"}')
    if "paused_until" in values:
        return Entry(number, problem="paused_until is for the configuration; here: digest subscribers pause")
    return Entry(number, values)


# --- CSV --------------------------------------------------------------------------------------------------------------


def _csv(text: str) -> Iterator[Entry]:
    # the line ends stay as they are: those within quotes belong to the cell
    rows = _rows(csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text), strict=True))
    head = next(rows)
    return _entries(_columns(head), rows)


def _delimiter(text: str) -> str:
    """What the first row has most of: in some countries spreadsheets write semicolons."""
    first = text.lstrip().partition("\n")[0]
    return max(_DELIMITERS, key=first.count)


def _rows(reader: Any) -> Iterator[tuple[int, list[str], str]]:
    """The number of its first line, its cells, and why they cannot be told, of each row that is not empty."""
    while True:
        first = reader.line_num + 1
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            last = reader.line_num
            lines = f", and lines {first} to {last} were taken for one row" if last > first else ""
            yield first, [], f"this is not CSV ({error}){lines}; is a quotation mark missing?"
        else:
            if any(cell.strip() for cell in row):
                yield first, row, ""


def _columns(head: tuple[int, list[str], str]) -> list[str]:
    """The key of each column. Raises DigestError for what no reader has, for one named twice, and without addresses."""
    number, cells, problem = head
    if problem:
        raise DigestError(f"line {number}: {problem}")
    columns = [cell.strip().lower() for cell in cells]
    for column in columns:
        if column not in {*KEYS, ""}:
            hint = did_you_mean(column[:40], KEYS, otherwise=f"the first row names the columns: {', '.join(KEYS)}")
            raise DigestError(f"line {number}: there is no column {column[:40]!r}", hint=hint)
        if column and columns.count(column) > 1:
            raise DigestError(f"line {number}: there are two columns {column!r}", hint="leave one of them")
    if "email" not in columns:
        hint = f"the first row names the columns: {', '.join(KEYS)}"
        raise DigestError(f"line {number}: there is no column 'email'", hint=hint)
    return columns


def _entries(columns: list[str], rows: Iterator[tuple[int, list[str], str]]) -> Iterator[Entry]:
    for number, row, problem in rows:
        if problem:
            yield Entry(number, problem=problem)
        elif any(map(_FOREIGN.search, row)):
            yield Entry(number, problem=_NOT_UTF_8)
        elif any(cell.strip() for cell in row[len(columns) :]):
            reason = f"there are {len(row)} cells, and {len(columns)} columns; put quotation marks around a cell with "
            yield Entry(number, problem=f"{reason}what separates them")
        else:
            pairs = zip(columns, row, strict=False)
            yield Entry(number, {key: _value(key, cell.strip()) for key, cell in pairs if key and cell.strip()})


def _value(key: str, cell: str) -> object:
    """What a cell means; one that should be a number and is none stays as it is, for whoever checks values."""
    if key in _SPELLED:
        with suppress(ValidationError):
            return _SPELLED[key].validate_python(cell)
    if key not in _BETWEEN:
        return cell
    return [part.strip() for part in _BETWEEN[key].split(cell) if part.strip()]
