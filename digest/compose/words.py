"""How sources are called, in every language. Pure."""

from __future__ import annotations

#: sources whose configured name has a usual spelling; all others are shown as configured
_SOURCES = {"arxiv": "arXiv", "huggingface": "Hugging Face", "biorxiv": "bioRxiv", "medrxiv": "medRxiv"}


def source_name(name: str) -> str:
    """A source's usual spelling."""
    return _SOURCES.get(name, name)
