"""A sentence or two for each pick, where the configuration wants that instead of abstracts."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from digest.curate.summary import extract

if TYPE_CHECKING:
    from collections.abc import Iterable

    from digest.config import Settings
    from digest.model import Digest, Paper, Pick


class Summaries:
    """The summaries of one run; each paper is summarised once, for all readers."""

    def __init__(self, settings: Settings) -> None:
        self._wanted = settings.digest.summaries != "abstract"
        #: by key: the text and who wrote it
        self._known: dict[str, tuple[str, str]] = {}

    def put_into(self, digests: Iterable[Digest]) -> tuple[Digest, ...]:
        """The digests with a summary in each pick that can have one; as they are if abstracts are wanted."""
        if not self._wanted:
            return tuple(digests)
        return tuple(replace(one, picks=tuple(map(self._summarised, one.picks))) for one in digests)

    def _summarised(self, pick: Pick) -> Pick:
        known = self._known.get(pick.paper.key)
        if known is None:
            known = self._known[pick.paper.key] = _summary(pick.paper)
        return replace(pick, summary=known[0], summary_by=known[1]) if known[0] else pick


def _summary(paper: Paper) -> tuple[str, str]:
    """The source's own, if it has one; it is shown as a machine's anyway, so the abstract may go."""
    return (paper.ai_summary, "AI") if paper.ai_summary else (extract(paper.title, paper.abstract), "extract")
