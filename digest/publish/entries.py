"""Records → a day as feed readers show it, in a language. Reads template files and nothing else."""

from __future__ import annotations

from functools import lru_cache
from html import escape
from typing import TYPE_CHECKING

from digest.compose.card import Detail, card
from digest.model import Pick
from digest.publish.templates import environment

if TYPE_CHECKING:
    from collections.abc import Sequence

    from digest.languages.language import Language
    from digest.publish.record import Record

_DETAIL = Detail(abstract=400)
#: most papers of a day
_PAPERS = 30
#: papers of which the HTML is kept
_KEPT = 8192


class Entries:
    """Days in one language."""

    def __init__(self, language: Language) -> None:
        self._language = language
        self._environment = environment(language)
        # many readers were sent the same papers
        self._item = lru_cache(maxsize=_KEPT)(self._render)

    def content(self, records: Sequence[Record]) -> str:
        """The day of these papers, which come in their order, as HTML."""
        shown = records[:_PAPERS]
        if len(records) > len(shown):
            told = self._language.counted(
                len(records),
                "%(count)s paper, of which these %(shown)s lead.",
                "%(count)s papers, of which these %(shown)s lead.",
                shown=len(shown),
            )
        else:
            told = self._language.counted(len(records), "%(count)s paper.", "%(count)s papers.")
        return f"<p>{escape(told)}</p>\n" + "".join(map(self._item, shown))

    def _render(self, one: Record) -> str:
        shown = card(Pick(one.paper, "trending"), 1, _DETAIL, language=self._language)
        return self._environment.get_template("web/feed.html").render(card=shown)
