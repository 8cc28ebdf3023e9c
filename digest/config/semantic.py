"""Mistakes in the `[semantic]` table: the package and the folder that a run cannot do without."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING

from digest.config.mistakes import shown
from digest.errors import ConfigProblem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from digest.config.schema import SemanticSection


def model(semantic: SemanticSection) -> Iterator[ConfigProblem]:
    """Reading the model takes too long for every command: `digest check` does."""
    if find_spec("model2vec") is None:
        hint = "install it with: pip install 'paper-digest[semantic]', or remove [semantic]"
        yield ConfigProblem("semantic", "this needs the package model2vec, which is not installed", hint)
    fetch = "fetch a model with: digest semantic install FOLDER"
    if semantic.model is None:
        hint = f'{fetch}, then add model = "FOLDER"'
        yield ConfigProblem("semantic.model", "the folder of the model is missing", hint)
    elif not semantic.model.is_dir():
        yield ConfigProblem("semantic.model", "there is no such folder", fetch, shown(str(semantic.model)))
