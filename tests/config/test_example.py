"""The example is the manual: it names every key, and what it says is valid."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

from digest.config import example, json_schema, load
from digest.config.schema import LISTS, TABLES, ConfigFile, keys
from digest.deliver.dkim_key import new_key
from digest.errors import ConfigError


def uncommented() -> str:
    """The example with every optional key in force: `#key = …` and `#[table]`, but not `# words`."""
    return re.sub(r"^#(?=\S)", "", example(), flags=re.MULTILINE)


def test_the_example_is_valid_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text(example(), encoding="utf-8")

    ours = load(path, {})

    assert (["arxiv", "huggingface"], ["ada@example.org"], None) == (
        [source.name for source in ours.sources],
        [subscriber.email for subscriber in ours.subscribers],
        ours.smtp,
    )


def test_the_example_is_valid_with_everything_in_force(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text(uncommented(), encoding="utf-8")
    (tmp_path / "templates").mkdir()
    (tmp_path / "model").mkdir()
    (tmp_path / "smtp_password").write_text("x", encoding="utf-8")
    (tmp_path / "bounces_password").write_text("x", encoding="utf-8")
    (tmp_path / "llm_api_key").write_text("x", encoding="utf-8")
    (tmp_path / "ca.pem").touch()
    (tmp_path / "github_token").write_text("ghp_secret")
    (tmp_path / "dkim.pem").touch(mode=0o600)
    (tmp_path / "dkim.pem").write_bytes(new_key("ed25519-sha256"))

    assert 5 == len(load(path, {}).sources)


def test_the_example_names_every_key() -> None:
    values = tomllib.loads(uncommented())
    named = {
        (table, key)
        for table, content in values.items()
        for entry in (content if table in LISTS else [content])
        for key in entry
    }

    # these stand in a comment only, since password_file, host, token_file and api_key_file do
    assert {(table, key) for table, section in TABLES.items() for key in keys(section)} - {
        ("smtp", "password"),
        ("bounces", "password"),
        ("bounces", "maildir"),
        ("llm", "api_key"),
        ("github", "token"),
    } == named


def test_optional_keys_are_shown_at_their_default() -> None:
    """Where a default can be written down in TOML at all: not "nothing", not a place that depends on the machine."""
    values = tomllib.loads(uncommented())
    defaults = json.loads(ConfigFile().model_dump_json(by_alias=True))
    shown = {
        f"{table}.{key}": (values[table][key], default)
        for table in ("digest", "delivery", "daemon")
        for key, default in defaults[table].items()
    }

    # times are typed without seconds
    assert {name: (typed, typed) for name, (typed, _) in shown.items()} | {
        "digest.time": ("08:00", "08:00:00")
    } == shown


def test_the_schema_for_editors_describes_every_key_and_knows_what_is_needed() -> None:
    schema = json_schema()

    sections = {name: schema["$defs"][section.__name__] for name, section in TABLES.items()}
    assert "https://json-schema.org/draft/2020-12/schema" == schema["$schema"]
    assert {name: tuple(section["properties"]) for name, section in sections.items()} == {
        name: keys(section) for name, section in TABLES.items()
    }
    assert all("description" in key for section in sections.values() for key in section["properties"].values())
    assert (["email"], ["type"]) == (sections["subscribers"]["required"], sections["sources"]["required"])


def test_the_demo_configuration_is_valid(tmp_path: Path) -> None:
    text = (Path(__file__).parents[2] / "digest" / "demo" / "config.toml").read_text(encoding="utf-8")
    path = tmp_path / "config.toml"
    path.write_text(text, encoding="utf-8")

    try:
        ours = load(path, {})
    except ConfigError as error:
        raise AssertionError(error.problems) from error

    assert 3 == len({subscriber.timezone for subscriber in ours.subscribers})
