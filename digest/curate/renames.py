"""A source that was given another name: a batch goes in, the same with the items' former names comes out. Pure.

An item that only its own source can name has that source's name in its key (`identity.own_key`), so that two lists may
both have a paper 7. When the operator renames a source, all its items would be new. So if a source is new, or comes
back, and another one has gone meanwhile, an item with the same own name and the same title is the same item. The title
counts because next year's list numbers its papers from 1, too. Two sources may also have exchanged their names: then
nothing of what they bring was ever theirs.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from digest.identity import own_key

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from digest.model import Batch, Paper, StoredPaper


def own_names(batch: Batch) -> set[str]:
    """Keys of the items of a batch that only its source can name."""
    own = own_key(batch.source, "")
    return {key for paper in batch.papers for key in (paper.key, *paper.aliases) if key.startswith(own)}


def former_names(batch: Batch, others: Collection[str]) -> set[str]:
    """Keys that the items of a batch had, if its source once had one of the names in `others`."""
    return {key for paper in batch.papers for key in _former(paper, batch.source, others)}


def recognised(batch: Batch, others: Collection[str], known: Mapping[str, StoredPaper]) -> Batch:
    """The batch with an alias more for each item that is known from a source that has left its name.

    Args:
        batch: the first one of its source, or the first one after a while.
        others: names that its source may have had until now.
        known: what is stored, by those of `former_names` that are known.
    """

    def with_former(paper: Paper) -> Paper:
        title = paper.title.casefold()
        former = (key for key in _former(paper, batch.source, others) if key in known)
        same = tuple(key for key in former if known[key].paper.title.casefold() == title)
        return replace(paper, aliases=(*paper.aliases, *same)) if same else paper

    return replace(batch, papers=tuple(map(with_former, batch.papers)))


def _former(paper: Paper, source: str, others: Collection[str]) -> list[str]:
    own = own_key(source, "")
    names = [key.removeprefix(own) for key in (paper.key, *paper.aliases) if key.startswith(own)]
    return [own_key(other, name) for other in others for name in names]
