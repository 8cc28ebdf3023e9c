"""Export, import, schema."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.cli.conftest import Said
    from tests.commands import Place


def test_an_export_fills_another_state(place: Place, cli: Callable[..., Said], monkeypatch: pytest.MonkeyPatch) -> None:
    cli("send", "--pull")
    exported = cli("export", "backup.jsonl")
    rows = (place.folder / "backup.jsonl").read_text().splitlines()
    monkeypatch.setenv("DIGEST_STATE__URL", "sqlite:///other.sqlite3")
    imported = cli("import", "backup.jsonl")

    assert f"{len(rows) - 2} rows written to backup.jsonl.\n" == exported.out
    assert f"{len(rows) - 2} rows imported.\n" == imported.out
    assert "" == imported.err
    assert 0o600 == (place.folder / "backup.jsonl").stat().st_mode & 0o777
    assert "was sent before" in cli("send").out
    assert 1 == len(place.mails())


def test_an_export_goes_through_a_pipe(place: Place) -> None:
    place.digest("pull")
    exported = place.digest("export", "-")
    imported = place.digest("import", "-", stdin=exported.stdout, env={"DIGEST_STATE__URL": "sqlite:///two.sqlite3"})

    assert (0, 0, "") == (exported.returncode, imported.returncode, exported.stderr)
    assert all(json.loads(line) for line in exported.stdout.splitlines())
    assert imported.stdout.endswith(" rows imported.\n")


def test_an_export_that_was_cut_off_is_told_and_not_imported(
    place: Place, cli: Callable[..., Said], monkeypatch: pytest.MonkeyPatch
) -> None:
    cli("send", "--pull")
    cli("export", "backup.jsonl")
    text = (place.folder / "backup.jsonl").read_text()
    lines = text.splitlines(keepends=True)
    monkeypatch.setenv("DIGEST_STATE__URL", "sqlite:///other.sqlite3")
    (place.folder / "rows.jsonl").write_text("".join(lines[:5]))
    (place.folder / "bytes.jsonl").write_text("".join(lines[:5])[:-9])
    between, within = cli("import", "rows.jsonl"), cli("import", "bytes.jsonl")

    assert [(1, ""), (1, "")] == [(said.code, said.out) for said in (between, within)]
    assert "what is to be imported breaks off after 4 rows, before its end\n  → nothing was imported; " in between.err
    assert "bytes.jsonl, line 5: the export breaks off in the middle of this line\n  → nothing was" in within.err
    assert 0 == cli("import", "backup.jsonl").code


def test_an_export_of_an_earlier_version_is_imported_with_a_warning(
    place: Place, cli: Callable[..., Said], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It does not say where it ends."""
    cli("pull")
    cli("export", "backup.jsonl")
    rows = [json.loads(line) for line in (place.folder / "backup.jsonl").read_text().splitlines()]
    del rows[0]["has_end"]
    (place.folder / "earlier.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows[:-1]))
    monkeypatch.setenv("DIGEST_STATE__URL", "sqlite:///other.sqlite3")
    said = cli("import", "earlier.jsonl")

    assert (0, f"{len(rows) - 2} rows imported.\n") == (said.code, said.out)
    assert said.err.startswith("digest: earlier.jsonl does not say where it ends, as exports of earlier versions: ")


def test_an_export_writes_over_nothing(cli: Callable[..., Said]) -> None:
    cli("pull")

    said = cli("export", "papers.jsonl")

    assert (1, "") == (said.code, said.out)
    assert "digest: papers.jsonl: File exists\n  → name a file that does not exist yet\n" == said.err


def test_there_is_nothing_to_export_without_a_state(place: Place, cli: Callable[..., Said]) -> None:
    said = cli("export", "backup.jsonl")

    assert 1 == said.code
    assert "there is no state yet" in said.err
    assert not (place.folder / "backup.jsonl").exists()


def test_an_import_changes_no_state_that_holds_something(cli: Callable[..., Said]) -> None:
    cli("pull")
    cli("export", "backup.jsonl")

    said = cli("import", "backup.jsonl")

    assert 1 == said.code
    assert "it is not empty\n  → " in said.err
    assert 2 == cli("status", "--json").json["counts"]["papers"]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"\x1f\x8b\x08\x00", "import.jsonl, line 1: this is not JSON"),
        (b"[1, 2]\n", "import.jsonl, line 1: this is not a JSON object"),
        (b'{"format": "another"}\n', "what is to be imported is not a state of version"),
        (b"", "what is to be imported is not a state of version"),
    ],
    ids=["compressed", "list", "other format", "empty"],
)
def test_what_is_no_export_is_not_imported(content: bytes, reason: str, place: Place, cli: Callable[..., Said]) -> None:
    (place.folder / "import.jsonl").write_bytes(content)

    said = cli("import", "import.jsonl")

    assert (1, "") == (said.code, said.out)
    assert reason in said.err
    assert "  → name a file" in said.err


@pytest.mark.parametrize("name", ["nope", "."])
def test_an_import_needs_a_file(name: str, cli: Callable[..., Said]) -> None:
    said = cli("import", name)

    assert (1, "") == (said.code, said.out)
    assert said.err.startswith(f"digest: {name}: ")


def test_the_schema_knows_the_sections(cli: Callable[..., Said]) -> None:
    assert {"mail", "sources", "subscribers"} <= cli("schema").json["properties"].keys()


@pytest.mark.parametrize("form", ["md", "json", "bib", "ris", "csv"])
def test_papers_of_the_latest_edition_are_written_in_any_format(form: str, cli: Callable[..., Said]) -> None:
    cli("pull")

    said = cli("export", "--format", form)

    assert (0, "") == (said.code, said.err)
    assert "Knitting Patterns" in said.out
    assert "Routing in a Mixture of Experts" in said.out


def test_what_a_search_finds_is_written_to_a_file(place: Place, cli: Callable[..., Said]) -> None:
    cli("pull")

    said = cli("export", "--search", "knitting -experts", "--format", "json", "found.json")

    assert (0, "1 paper written to found.json.\n") == (said.code, said.out)
    assert ["Knitting Patterns"] == [one["title"] for one in json.loads((place.folder / "found.json").read_text())]


@pytest.mark.parametrize(
    ("arguments", "code", "reason"),
    [
        ((), 2, "FILE is missing\n  → digest export backup.jsonl"),
        (("--edition", "yesterday"), 2, "--edition yesterday: this is no date\n  → write it as 20"),
        (("--edition", "1999-01-01"), 1, "there is no edition of 1999-01-01\n  → the nearest one is of 20"),
        (("--search", "zebra"), 1, "no paper matches 'zebra'\n  → "),
        (("--search", "(zebra"), 2, "'(zebra'"),
        (("--search", "zebra", "--edition", "latest"), 2, "exclude each other"),
    ],
    ids=["nothing said", "no date", "no edition", "nothing found", "bad entry", "both"],
)
def test_an_export_says_what_it_needs(
    arguments: tuple[str, ...], code: int, reason: str, cli: Callable[..., Said]
) -> None:
    cli("pull")

    said = cli("export", *arguments)

    assert (code, "") == (said.code, said.out)
    assert reason in said.err
