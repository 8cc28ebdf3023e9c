"""Fetching and reading: the world's bytes become papers.

    source ──visit──▶ answers ──unite──▶ batch        one per source, whatever happened

Sources go in with what is remembered of them, batches come out. All sources are read side by side, politely (`http`);
one that hangs, fails or sends garbage costs only itself, and what it gave before that is kept. Nothing is stored, and
no clock is asked but for durations.

One file per format (`arxiv`, `arxiv_api`, `huggingface`, `feed`, `jsonl`), each with an asynchronous `read` and a pure
parser from bytes to papers and problems. `kinds` is the table of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from digest.collect.kinds import KINDS, Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from digest.collect.http import HttpPolicy
    from digest.model import Batch, Source, SourceMemory

__all__ = ["KINDS", "Kind", "collect"]


async def collect(
    sources: Sequence[Source],
    memories: Mapping[str, SourceMemory],
    policy: HttpPolicy,
    *,
    now: datetime,
    on_progress: Callable[[Batch], None] | None = None,
) -> tuple[Batch, ...]:
    """Pull all sources.

    Args:
        sources: with distinct names.
        memories: what is remembered of the sources, by name; may lack some.
        policy: manners and limits on the network.
        now: aware; when the batches were fetched, and which days Hugging Face is asked for.
        on_progress: called with each batch as soon as it is there.

    Returns:
        one batch per source, in the order of `sources`. Never raises for anything a source does: see `Batch.failure`.
    """
    from digest.collect.pull import pull_all  # brings the HTTP client, which `digest --help` does not need

    return await pull_all(sources, memories, policy, now=now, on_progress=on_progress or (lambda _batch: None))
