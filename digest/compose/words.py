"""The English of what is no mail: pages of the archive; and how sources are called in every language. Pure."""

from __future__ import annotations

from digest.languages.language import ENGLISH

#: sources whose configured name has a usual spelling; all others are shown as configured
_SOURCES = {"arxiv": "arXiv", "huggingface": "Hugging Face", "biorxiv": "bioRxiv", "medrxiv": "medRxiv"}

long_day, short_day = ENGLISH.long_day, ENGLISH.short_day
counted, compact, listed = ENGLISH.counted, ENGLISH.compact, ENGLISH.listed


def source_name(name: str) -> str:
    """A source's usual spelling."""
    return _SOURCES.get(name, name)
