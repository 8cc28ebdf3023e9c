"""What TOML spells as one kind of value is not taken for another one."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING, Any

import pytest

from digest.config import json_schema
from digest.config.mistakes import validated

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

#: JSON's name of a kind → what TOML may hold instead, and must not
OTHERS = {"integer": ("true", "'1'", "1.0"), "number": ("true", "'1'"), "boolean": ("1", "'true'", "0.0")}


def keys() -> Iterator[tuple[str, str, str]]:
    """(table as it stands in brackets, key, JSON's name of its kind) of every key that holds one of `OTHERS`."""
    schema = json_schema()
    tables = {name: (f"[{name}]", value) for name, value in schema["properties"].items()}
    fallback = schema["$defs"]["SmtpSection"]["properties"]["fallback"]
    for head, value in (*tables.values(), ("[[smtp.fallback]]", fallback)):
        brackets = f"[{head}]" if value.get("type") == "array" and not head.startswith("[[") else head
        for key, held in _section(schema, value)["properties"].items():
            for kind in _kinds(held) & OTHERS.keys():
                yield brackets, key, kind


def _section(schema: Any, value: Any) -> Any:
    """The definition that a property refers to, by itself, as an item or as a choice."""
    candidates = (value, value.get("items", {}), *value.get("anyOf", ()))
    [name] = {one["$ref"].rpartition("/")[2] for one in candidates if "$ref" in one}
    return schema["$defs"][name]


def _kinds(held: Any) -> set[str]:
    kinds = (one.get("type") for one in (held, *held.get("anyOf", ())))
    return {kind for kind in kinds if isinstance(kind, str)}


@pytest.mark.parametrize(("table", "key", "kind"), [*keys()])
def test_no_key_takes_a_value_of_another_kind(tmp_path: Path, table: str, key: str, kind: str) -> None:
    """`max_papers = true` is not 1, and `trending = "5"` not 5."""
    for other in OTHERS[kind]:
        _, found = validated(tomllib.loads(f"{table}\n{key} = {other}"), tmp_path)

        assert [True] == [one.message.startswith("must be ") for one in found if one.key.rpartition(".")[2] == key]


def test_the_test_knows_the_keys() -> None:
    found = {(table, key) for table, key, _ in keys()}

    assert {("[digest]", "max_papers"), ("[[subscribers]]", "min_score"), ("[[smtp.fallback]]", "priority")} <= found
    assert 30 < len(found)
