"""Fetch every source's new batch, decide what is new, and store it: all of a pull or nothing of it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from digest.collect import KINDS, collect
from digest.collect.http import HttpPolicy
from digest.curate.followups import happened
from digest.curate.intake import SourceRule, decide
from digest.errors import DigestError, StateError
from digest.model import RunReport
from digest.pipeline.stars import take_stars
from digest.pipeline.thumbnails import take_thumbnails

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable
    from datetime import datetime

    from digest.config import Settings
    from digest.model import Batch, Source
    from digest.state.store import State


async def pull(
    settings: Settings,
    state: State,
    *,
    clock: Callable[[], datetime],
    only: Collection[str] = (),
    allow_flood: bool = False,
    on_batch: Callable[[Batch], None] | None = None,
) -> RunReport:
    """Pull the sources side by side.

    Args:
        settings: names the sources and how to behave on the network.
        state: where batches become durable.
        clock: gives the present moment, aware.
        only: names of the sources to pull; empty: all.
        allow_flood: store a batch even if far more is new than ever before.
        on_batch: called as each source finishes, for progress.

    Returns:
        a report with one verdict per source, and what could not be read among its notes; a source that failed is in it
        and disturbed no other.

    Raises:
        DigestError: `only` names a source that is not configured.
        StateError: nothing was stored, and the same pull can be made again.
    """
    started = clock()
    sources = _chosen(settings.sources, only)
    policy = http_policy(settings)
    batches = await collect(sources, state.papers.memories(), policy, now=started, on_progress=on_batch)
    with state.transaction():
        now, known = clock(), state.papers.known(_identifiers(batches))
        decision = decide(
            batches,
            known,
            state.papers.memories(),
            {source.name: _rule(source) for source in sources},
            now=now,
            flood_factor=settings.digest.flood_factor,
            flood_min=settings.digest.flood_min,
            allow_flood=allow_flood,
        )
        state.papers.store(
            decision.stored, signals=decision.signals, memories=decision.memories, absorbed=decision.absorbed
        )
        before = {stored.paper.key: stored.paper for stored in known.values()}
        before |= {key: before[old] for old, key in decision.absorbed.items() if key not in before}
        after = (stored.paper for stored in decision.stored if stored.paper.key in before)
        state.news.record(news for paper in after for news in happened(before[paper.key], paper, at=now))
        notes = tuple(f"{batch.source}: {p.where}: {p.message}" for batch in batches for p in batch.problems)
        report = RunReport("pull", started, clock(), decision.verdicts, notes)
        # with the papers, or the next pull would call them old and nobody would ever have called them new
        state.runs.record(report)
    warnings: tuple[str, ...] = ()
    # the papers are safe: whatever happens from here on, mails about them go out
    try:
        state.prune(now=started)
        # of the papers that are there, whatever was pulled now: the daemon never pulls all sources at once
        for take in (take_stars, take_thumbnails):
            notes += await take(settings, state, policy, now=clock())
    except StateError as error:
        warnings = (f"the papers are stored, not all that goes with them: {error.told}",)
    return replace(report, notes=notes, warnings=warnings)


def http_policy(settings: Settings) -> HttpPolicy:
    """How this installation behaves on the network, as the `[http]` section says."""
    own, proxy = settings.http.allow_private_hosts, settings.http.proxy
    # the operator's own machines need no pause between requests
    # GitHub wants one request after the other, and no pause (its "Best practices for using the REST API")
    intervals = {"arxiv.org": 3.0, "api.github.com": 0.0} | dict.fromkeys(own, 0.0)
    return HttpPolicy(
        contact=settings.http.contact,
        allow_private_hosts=own,
        intervals=intervals,
        proxy=proxy.get_secret_value() if proxy else "",
    )


def _chosen(sources: Iterable[Source], only: Collection[str]) -> list[Source]:
    by_name = {source.name: source for source in sources}
    if unknown := [name for name in only if name not in by_name]:
        raise DigestError(f"there is no source {unknown[0]}", hint=f"the sources are: {', '.join(by_name)}")
    return [source for name, source in by_name.items() if not only or name in only]


def _rule(source: Source) -> SourceRule:
    kind = KINDS[source.type]
    return SourceRule(
        first_run_max=kind.first_run_max if source.first_run_max is None else source.first_run_max,
        calendar=kind.announces,
        display=f"{source.name} ({', '.join(source.categories)})" if source.categories else source.name,
        mail_replacements=not {"replace", "replace-cross"}.isdisjoint(source.announce),
    )


def _identifiers(batches: Iterable[Batch]) -> set[str]:
    """Every identifier by which a paper of the batches may already be known."""
    papers = (paper for batch in batches for paper in batch.papers)
    return {identifier for paper in papers for identifier in (paper.key, *paper.aliases)}
