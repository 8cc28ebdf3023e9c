"""Whether two papers are nearly the same, by looking at both: what `Copies` finds without."""

from __future__ import annotations

from typing import TYPE_CHECKING

from digest.curate.copies import NEAR_COPY
from digest.curate.words import words

if TYPE_CHECKING:
    from digest.model import Paper


def is_near_copy(one: Paper, other: Paper) -> bool:
    if not (one.abstract and other.abstract):
        return {*words(one.title)} == {*words(other.title)}
    own, others = ({*words(paper.title), *words(paper.abstract)} for paper in (one, other))
    return len(own & others) / (len(own | others) or 1) >= NEAR_COPY
