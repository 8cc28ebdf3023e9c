"""The source types: what each is called, what its batches are like, and where its reader is. Light to import."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from digest.collect.items import Answer
    from digest.collect.visit import Visit
    from digest.model import Source, SourceType


@dataclass(frozen=True, slots=True)
class Kind:
    """One type of source."""

    #: as people call it, for credits and messages
    name: str
    #: page about it; empty if it is the operator's own
    home: str
    #: default of `Source.first_run_max`: on the first pull so many of the newest may be mailed; None: all
    first_run_max: int | None
    #: the calendar that says when a new batch is due; None: it has none
    announces: Literal["arxiv", "weekdays"] | None
    #: what was not read when it came can be read later: its list is longer than one batch
    keeps: bool
    #: reads a source: its answers, one by one
    read: Callable[[Source, Visit], AsyncIterator[Answer]]


def _read_arxiv(source: Source, visit: Visit) -> AsyncIterator[Answer]:
    from digest.collect import arxiv

    return arxiv.read(source, visit)


def _read_arxiv_api(source: Source, visit: Visit) -> AsyncIterator[Answer]:
    from digest.collect import arxiv_api

    return arxiv_api.read(source, visit)


def _read_huggingface(source: Source, visit: Visit) -> AsyncIterator[Answer]:
    from digest.collect import huggingface

    return huggingface.read(source, visit)


def _read_feed(source: Source, visit: Visit) -> AsyncIterator[Answer]:
    from digest.collect import feed

    return feed.read(source, visit)


def _read_jsonl(source: Source, visit: Visit) -> AsyncIterator[Answer]:
    from digest.collect import jsonl

    return jsonl.read(source, visit)


KINDS: Mapping[SourceType, Kind] = MappingProxyType(
    {
        "arxiv": Kind(
            name="arXiv",
            home="https://arxiv.org",
            first_run_max=None,
            announces="arxiv",
            keeps=False,
            read=_read_arxiv,
        ),
        "arxiv-api": Kind(
            name="arXiv search",
            home="https://info.arxiv.org/help/api/",
            first_run_max=100,
            # a narrow search may bring nothing for weeks, and nothing is wrong
            announces=None,
            keeps=True,
            read=_read_arxiv_api,
        ),
        "huggingface": Kind(
            name="Hugging Face daily papers",
            home="https://huggingface.co/papers",
            first_run_max=50,
            announces="weekdays",
            keeps=True,
            read=_read_huggingface,
        ),
        "feed": Kind(
            name="RSS or Atom feed",
            home="",
            first_run_max=20,
            announces=None,
            keeps=True,
            read=_read_feed,
        ),
        "jsonl": Kind(
            name="JSONL list",
            home="",
            first_run_max=None,
            announces=None,
            keeps=True,
            read=_read_jsonl,
        ),
    }
)
