"""Fetch every source's new batch, decide what is new, and store it: all of a pull or nothing of it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from digest.collect import KINDS, collect
from digest.collect.http import HttpPolicy
from digest.curate.followups import happened
from digest.curate.intake import SourceRule, decide
from digest.curate.renames import former_names, own_names, recognised
from digest.errors import StateError
from digest.model import RunReport
from digest.pipeline.stars import take_stars
from digest.pipeline.thumbnails import take_thumbnails

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
    from datetime import datetime

    from digest.config import Settings
    from digest.model import Batch, Source, SourceMemory, Verdict
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
        only: names of the sources to pull, all of them configured; empty: all.
        allow_flood: store a batch even if far more is new than ever before.
        on_batch: called as each source finishes, for progress.

    Returns:
        a report with one verdict per source, one on GitHub if it does not accept its token, and what could not be read
        among its notes; a source that failed is in it and disturbed no other.

    Raises:
        StateError: nothing was stored, and the same pull can be made again.
    """
    started = clock()
    sources = [source for source in settings.sources if not only or source.name in only]
    policy = http_policy(settings)
    batches = await collect(sources, state.papers.memories(), policy, now=started, on_progress=on_batch)
    with state.transaction():
        memories = state.papers.memories()
        batches = _recognised(batches, settings, state, memories)
        now, known = clock(), state.papers.known(_identifiers(batches))
        decision = decide(
            batches,
            known,
            memories,
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
    refusals: tuple[Verdict, ...] = ()
    # the papers are safe: whatever happens from here on, mails about them go out
    try:
        state.prune(now=started)
        # of the papers that are there, whatever was pulled now: the daemon never pulls all sources at once
        unread, refusals = await take_stars(settings, state, policy, now=clock())
        notes += unread
        notes += await take_thumbnails(settings, state, policy, now=clock())
    except StateError as error:
        warnings = (f"the papers are stored, not all that goes with them: {error.told}",)
    return replace(report, verdicts=(*report.verdicts, *refusals), notes=notes, warnings=warnings)


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


def _rule(source: Source) -> SourceRule:
    kind = KINDS[source.type]
    return SourceRule(
        first_run_max=kind.first_run_max if source.first_run_max is None else source.first_run_max,
        calendar=kind.announces,
        display=f"{source.name} ({', '.join(source.categories)})" if source.categories else source.name,
        mail_replacements=not {"replace", "replace-cross"}.isdisjoint(source.announce),
    )


def _recognised(
    batches: Sequence[Batch], settings: Settings, state: State, memories: Mapping[str, SourceMemory]
) -> tuple[Batch, ...]:
    """The batches, of which some may be of a source that had another name before, or has its old one again."""
    configured = {source.name for source in settings.sources}
    read = {name: memory for name, memory in memories.items() if memory.first_pull_at is not None}
    gone = [memory for name, memory in read.items() if name not in configured]
    ours = {batch.source: own_names(batch) for batch in batches}
    still = state.papers.known(set().union(*ours.values())).keys()
    # nothing of what they bring is known as theirs: they may have another one's name, and another one theirs
    strange = {name for name, names in ours.items() if name in read and names and not names & still}
    former: dict[str, set[str]] = {}
    for name in ours:
        exchanged = read.keys() - {name} if name in strange else strange if name not in read else set()
        former[name] = _read_since(read.get(name), gone) | exchanged
    known = state.papers.known({name for batch in batches for name in former_names(batch, former[batch.source])})
    return tuple(recognised(batch, former[batch.source], known) for batch in batches)


def _read_since(memory: SourceMemory | None, gone: Iterable[SourceMemory]) -> set[str]:
    """Which of the sources that have gone were read since this one was, in the same pull too; all if it never was."""
    last = memory.last_pull_at if memory is not None else None
    return {one.name for one in gone if last is None or (one.last_pull_at is not None and one.last_pull_at >= last)}


def _identifiers(batches: Iterable[Batch]) -> set[str]:
    """Every identifier by which a paper of the batches may already be known."""
    papers = (paper for batch in batches for paper in batch.papers)
    return {identifier for paper in papers for identifier in (paper.key, *paper.aliases)}
