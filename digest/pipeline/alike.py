"""Which papers of the archive are most like one of them: of its week and the days around.

Finding takes 4 ms a paper, so what was found is remembered. It is found again when papers of the day are new or have
another text, and once a day when others that it was compared with have: votes, which move most, cost nothing here.
"""

from __future__ import annotations

from datetime import date
from functools import lru_cache
from typing import TYPE_CHECKING

from digest.curate.similar import SimilarIndex
from digest.pipeline.made import print_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from digest.model import StoredPaper
    from digest.pipeline.made import Made
    from digest.state.papers import Print
    from digest.state.store import State

#: so many papers are compared with those of a week, or all of the week if these are more
_COMPARED = 3000
_SIMILAR = 5
#: likeness from which a paper is called similar
_LIKE = 0.1


class Alike:
    """Finds similar papers.

    Args:
        state: has the papers.
        made: remembers what was found, by day.
        days: how many papers each day of the archive has.
        prints: gives the prints of a day's papers.
        today: the UTC day.
    """

    def __init__(
        self,
        state: State,
        made: Made,
        days: Mapping[date, int],
        prints: Callable[[date], Mapping[str, Print]],
        *,
        today: date,
    ) -> None:
        self._state, self._made, self._prints, self._today = state, made, prints, today.isoformat()
        self._days = {day: count for day, count in days.items() if count}
        self._compared = lru_cache(maxsize=8)(self._choose)
        self._texts = lru_cache(maxsize=8)(self._read)
        self._index = lru_cache(maxsize=1)(self._fill)

    def of(self, day: date) -> dict[str, list[tuple[str, str]]]:
        """For each paper of a day key and print of those most like it, the best first."""
        all_of, texts = self._texts(_week(day))
        of = print_of(sorted((key, one.text) for key, one in self._prints(day).items()))
        known = self._made.recall(day.isoformat())
        if not known or known["of"] != of or (known["all_of"] != all_of and known["on"] != self._today):
            known = {"of": of, "all_of": all_of, "on": self._today, "keys": self._find(day)}
            self._made.remember(day.isoformat(), known)
        # a paper that another process stored in between is compared at the next run
        return {
            key: [(other, texts[other]) for other in known["keys"].get(key, ()) if other in texts]
            for key in self._prints(day)
        }

    def _find(self, day: date) -> dict[str, list[str]]:
        keys, index = self._index(_week(day))
        wanted = {*self._prints(day)}
        return {
            key: [keys[other] for other, likeness in index.like(place, _SIMILAR) if likeness >= _LIKE]
            for place, key in enumerate(keys)
            if key in wanted
        }

    def _choose(self, week: tuple[int, int]) -> tuple[date, ...]:
        """The days of a week (ISO 8601), and of those nearest to it as many as have the papers that are compared."""
        middle = date.fromisocalendar(*week, 4)
        chosen: list[date] = []
        papers = 0
        # the earlier first of two days equally near
        for day in sorted(self._days, key=lambda day: (_week(day) != week, abs(day - middle), day)):
            if _week(day) != week and papers >= _COMPARED:
                break
            chosen.append(day)
            papers += self._days[day]
        return tuple(chosen)

    def _read(self, week: tuple[int, int]) -> tuple[str, dict[str, str]]:
        """Prints of the texts of the papers that are compared, and one of all of them."""
        texts = {key: one.text for day in self._compared(week) for key, one in self._prints(day).items()}
        return print_of(sorted(texts.items())), texts

    def _fill(self, week: tuple[int, int]) -> tuple[list[str], SimilarIndex]:
        """Keys and an index of the papers that are compared."""
        papers: list[StoredPaper] = [one for day in self._compared(week) for one in self._state.papers.edition(day)]
        return [one.paper.key for one in papers], SimilarIndex([one.paper for one in papers])


def _week(day: date) -> tuple[int, int]:
    """Year and number of the ISO week."""
    year, number, _ = day.isocalendar()
    return year, number
