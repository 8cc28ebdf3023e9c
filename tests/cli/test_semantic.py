"""`digest semantic`, and what other commands do with a model."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.word_vectors import write_model

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.cli.conftest import Said
    from tests.commands import Place


def test_a_model_is_fetched_configured_and_checked(place: Place, cli: Callable[..., Said]) -> None:
    given = write_model(place.folder / "given")

    fetched = cli("semantic", "install", "model", "--from", str(given))
    place.configure(more=f'[semantic]\nmodel = "{place.folder / "model"}"\nextra_papers = 1\n')
    checked = cli("check", "--offline")

    assert (0, 0) == (fetched.code, checked.code)
    assert f'  [semantic]\n  model = "{place.folder / "model"}"\n' in fetched.out
    assert "✓ word vectors: 4 numbers each; at most 1 related paper a digest\n" in checked.out


def test_a_folder_is_never_replaced(place: Place, cli: Callable[..., Said]) -> None:
    (place.folder / "model").mkdir()

    said = cli("semantic", "install", "model")

    assert 1 == said.code
    assert "model exists already" in said.err


def test_a_broken_model_is_found_by_check(place: Place, cli: Callable[..., Said]) -> None:
    (place.folder / "model").mkdir()
    place.configure(more='[semantic]\nmodel = "model"\n')

    said = cli("check", "--offline")

    assert 1 == said.code
    assert "holds no model2vec model that can be read" in said.out


def test_any_list_may_be_ranked_with_a_model(place: Place, cli: Callable[..., Said]) -> None:
    write_model(place.folder / "model")
    place.configure(more='[semantic]\nmodel = "model"\n')
    lines = [{"id": f"d{n}", "title": f"Dunes {n}", "abstract": "Sand."} for n in range(5)]
    lines += [{"id": "w", "title": "Orcas", "abstract": "Cetaceans."}]
    (place.folder / "some.jsonl").write_text("\n".join(map(json.dumps, lines)))

    plain = cli("rank", "some.jsonl", "-k", "whales", "--json")
    helped = cli("rank", "some.jsonl", "-k", "whales", "--json", "--config", "config.toml")

    assert [] == json.loads(plain.out)
    assert ["w"] == [row["id"] for row in json.loads(helped.out)]
