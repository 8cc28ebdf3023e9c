"""A tiny model2vec model, made in a moment: words with the same meaning have the same vector."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

#: words that mean the same, as far as this model knows
MEANINGS = (("whales", "cetaceans", "orcas"), ("sand", "dunes", "desert"), ("songs", "calls"), ("bees", "hives"))


def write_model(folder: Path, meanings: Sequence[Sequence[str]] = MEANINGS) -> Path:
    """Write a model in which each meaning is a direction of its own; words that it does not know are left out."""
    from model2vec import StaticModel
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

    words = ["[UNK]", *itertools.chain.from_iterable(meanings)]
    vectors = np.zeros((len(words), len(meanings)), np.float32)
    for direction, alike in enumerate(meanings):
        for word in alike:
            vectors[words.index(word), direction] = 1.0
    tokenizer = Tokenizer(models.WordLevel({word: place for place, word in enumerate(words)}, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    StaticModel(vectors, tokenizer, normalize=True).save_pretrained(folder)
    return folder
