"""Pulling: sources go in, one batch each comes out, whatever the sources do."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, get_args

import structlog

from digest.collect.http import Http
from digest.collect.items import Answer
from digest.collect.kinds import KINDS
from digest.collect.visit import Visit
from digest.model import Announce, Batch, Paper, Problem

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import datetime

    from digest.collect.http import HttpPolicy
    from digest.model import Source, SourceMemory

_log = structlog.get_logger(__name__)
_BEST_LABEL_FIRST: tuple[Announce, ...] = get_args(Announce)


async def pull_all(
    sources: Sequence[Source],
    memories: Mapping[str, SourceMemory],
    policy: HttpPolicy,
    *,
    now: datetime,
    on_progress: Callable[[Batch], None],
) -> tuple[Batch, ...]:
    """See `digest.collect.collect`."""
    async with Http(policy, now=now) as http, asyncio.TaskGroup() as group:

        async def one(source: Source) -> Batch:
            batch = await _pull(source, memories.get(source.name), http, now)
            on_progress(batch)
            return batch

        tasks = [group.create_task(one(source)) for source in sources]
    return tuple(task.result() for task in tasks)


async def _pull(source: Source, memory: SourceMemory | None, http: Http, now: datetime) -> Batch:
    clock = asyncio.get_running_loop().time
    start = clock()
    visit = Visit(source.name, http, memory, now=now, deadline=start + source.deadline_s)
    answers = await _answers(source, visit)
    papers = unite(answer.papers for answer in answers)
    failure, hint = tell_failures(answers)
    return Batch(
        source=source.name,
        papers=tuple(paper for paper in papers if paper.announce in source.announce),
        problems=tuple(problem for answer in answers for problem in _problems(answer)),
        validators=visit.validators,
        not_modified=0 < visit.unchanged == len(answers),
        failure=failure,
        hint=hint,
        requests=visit.traffic.requests,
        bytes_received=visit.traffic.bytes_received,
        seconds=clock() - start,
    )


async def _answers(source: Source, visit: Visit) -> list[Answer]:
    """All answers of a source; if it takes too long or its reader breaks, those until then and one that says so."""
    answers: list[Answer] = []
    try:
        async with asyncio.timeout(source.deadline_s):
            async for answer in KINDS[source.type].read(source, visit):
                answers.append(answer)  # noqa: PERF401 - what came before a failure must be kept
    except TimeoutError:
        failure = f"not done within {source.deadline_s:g} seconds"
        answers.append(Answer("", failure=failure, hint="`deadline` of the source gives it more time"))
    except Exception as error:  # noqa: BLE001 - a mistake in one reader costs that source, and is logged in full
        _log.exception("a source broke its reader", source=source.name)
        failure = f"reading it failed unexpectedly ({type(error).__name__})"
        answers.append(Answer("", failure=failure, hint="this is a mistake in digest; the log has the details"))
    return answers


def unite(lists: Iterable[Sequence[Paper]]) -> tuple[Paper, ...]:
    """Papers of several answers of one source, each once, in the order of first appearance.

    The same paper may be "new" in one category's feed and "cross" in another's: the best label and all categories
    stay; everything else is taken from the newest version.
    """
    found: dict[str, Paper] = {}
    for paper in (paper for papers in lists for paper in papers):
        known = found.get(paper.key)
        found[paper.key] = _merged(known, paper) if known else paper
    return tuple(found.values())


def _merged(first: Paper, second: Paper) -> Paper:
    newest = second if (second.version or 0) > (first.version or 0) else first
    return replace(
        newest,
        announce=min(first.announce, second.announce, key=_BEST_LABEL_FIRST.index),
        categories=tuple(dict.fromkeys(first.categories + second.categories)),
    )


def _problems(answer: Answer) -> tuple[Problem, ...]:
    """The problems of an answer, each saying in which part; a failure has told its only problem already."""
    if answer.failure and len(answer.problems) == 1:
        return ()
    prefix = f"{answer.part}, " if answer.part else ""
    return tuple(replace(problem, where=prefix + problem.where) for problem in answer.problems)


def tell_failures(answers: Iterable[Answer]) -> tuple[str, str]:
    """All failures in one sentence without a full stop, equal ones together, and the hint of the first."""
    parts: dict[str, list[str]] = {}
    hints = []
    for answer in answers:
        if answer.failure:
            parts.setdefault(answer.failure, []).append(answer.part)
            hints.append(answer.hint)
    told = [f"{', '.join(names)}: {failure}" if any(names) else failure for failure, names in parts.items()]
    return "; ".join(told), next((hint for hint in hints if hint), "")
