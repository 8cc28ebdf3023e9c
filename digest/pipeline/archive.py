"""From the state, the archive: a folder of pages, feeds and an index to search.

Composed is what changed: of the days on which votes may still move those pages whose papers changed, days that are not
there yet, and what lists them. Older pages stay as they are, also when the state has forgotten what they tell. A crash
leaves whole files; the next run writes the rest.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache, partial
from typing import TYPE_CHECKING

from digest.compose.picture import archive_path
from digest.languages.language import ENGLISH
from digest.pipeline.alike import Alike
from digest.pipeline.folder import Folder
from digest.pipeline.made import MARK, Made, print_of, program
from digest.pipeline.private import PRIVATE, PrivateFeeds
from digest.pipeline.records import edition_records
from digest.publish.bibliography import bibtex, ris
from digest.publish.entries import Entries
from digest.publish.feeds import Address, Entry, Feed, atom, json_feed, sitemaps
from digest.publish.names import day_path, month_path, paper_path, year_path
from digest.publish.pages import ASSETS, Pages
from digest.publish.record import record
from digest.publish.search import SearchIndex

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from digest.languages.language import Language
    from digest.pipeline.private import Spoken
    from digest.state.papers import Print
    from digest.state.store import State

#: no source is read again for longer, see `Source.days`: votes of older papers rest
MOVING_DAYS = 31
#: days in the feed, titles of a day in its month
_FEED_DAYS = 14
_LEADING = 3
_HTML = re.compile(rb'<html lang="([^"]*)"')
#: bytes at the beginning of a page in which that is found
_HEAD = 200


@dataclass(frozen=True, slots=True)
class Archived:
    """What was looked at."""

    #: days with papers, and papers
    editions: int
    papers: int


class Archive:
    """One writing of the archive.

    Args:
        state: what is told.
        folder: where; the caller has seen to it that it may be written.
        address: by what it goes.
        today: the UTC day; there is a page for it even if it has no papers yet, for mails link to it.
        since: days from this one (inclusive) on are composed anew; None: what changed of those whose votes may move.
        language: of all but what papers and sources say. In another one than before everything is made again, but for
            days older than those.
    """

    def __init__(
        self,
        state: State,
        folder: Path,
        address: Address,
        *,
        today: date,
        since: date | None,
        language: Language = ENGLISH,
    ) -> None:
        self._state, self._address, self._language = state, address, language
        self._folder = Folder(folder)
        editions = state.papers.editions()
        moving = today - timedelta(days=MOVING_DAYS)
        first, last = min(editions, default=today), max(today, max(editions, default=today))
        every = [first + timedelta(days=number) for number in range((last - first).days + 1)]
        there = {day for day in every if self._folder.has(f"{day_path(day)}/index.html")}
        #: those that are, or will be, in the archive, with the number of their papers
        self._days = {day: editions.get(day, 0) for day in every}
        self._full = [day for day in every if self._days[day]]
        self._changing = [day for day in every if day >= (since or moving) or day not in there]
        self._made = Made(
            self._folder,
            print_of(program(), address, language.code),
            kept={"", "feed", "search", "sitemap", "texts", PRIVATE}
            | {day.isoformat() for day in every if day >= moving},
            anew=since is not None,
        )
        self._pages = Pages(self._days, language)
        self._prints: Callable[[date], Mapping[str, Print]] = lru_cache(maxsize=None)(state.papers.prints)
        self._records = lru_cache(maxsize=2)(lambda day: edition_records(state, day))
        self._alike = Alike(state, self._made, self._days, self._prints, today=today)

    @property
    def days(self) -> int:
        """How many days are looked at."""
        return len(self._changing)

    def in_another_language(self) -> list[date]:
        """Days whose pages stay as they are and are not in the archive's language, oldest first."""
        own, changing = self._language.tag.encode(), {*self._changing}
        heads = {
            day: self._folder.read(f"{day_path(day)}/index.html", _HEAD) for day in self._days if day not in changing
        }
        return [day for day, head in heads.items() if (found := _HTML.search(head)) and found[1] != own]

    def write(self, step: Callable[[], None]) -> Archived:
        """Write all that changed; `step` is called after each day. What it raises ends the writing."""
        # first of all: a folder with anything in it and without this file is refused
        if not self._folder.has(MARK):
            self._made.save()
        try:
            return self._write(step)
        finally:
            # what was made need not be made again by the run that goes on
            self._made.save()

    def _write(self, step: Callable[[], None]) -> Archived:
        for name in ASSETS:
            self._folder.put(name, self._pages.asset(name))
        self._write_thumbnails()
        for day in self._changing:
            self._write_day(day)
            step()
        for month in sorted({day.replace(day=1) for day in self._changing if self._days[day]}):
            self._write_month(month)
        for year in sorted({day.replace(month=1, day=1) for day in self._full}):
            of = print_of(self._days)
            self._made.put("", f"{year_path(year)}/index.html", of, partial(self._pages.year, year))
        self._write_search()
        self._write_feed()
        latest = self._full[-1] if self._full else max(self._days)
        self._put_edition("", "index.html", latest, root="")
        full = [self._days[day] for day in self._changing if self._days[day]]
        return Archived(len(full), sum(full))

    def _write_thumbnails(self) -> None:
        """The pictures that mails load from here; those of old mails stay."""
        for name in sorted(self._state.thumbnails.names()):
            path = archive_path(name)
            if self._folder.has(path):
                self._folder.files += 1
            elif file := self._state.thumbnails.file(name):
                self._folder.put(path, file)

    def _write_day(self, day: date) -> None:
        group, path = day.isoformat(), day_path(day)
        if self._days[day]:
            self._write_papers(group, day)
            of = print_of(self._wholes(day))
            self._made.put(group, f"{path}/papers.bib", of, lambda: bibtex(self._records(day)).encode())
            self._made.put(group, f"{path}/papers.ris", of, lambda: ris(self._records(day)).encode())
        self._put_edition(group, f"{path}/index.html", day)

    def _put_edition(self, group: str, name: str, day: date, *, root: str = "../") -> None:
        of = print_of(self._wholes(day), self._pages.around(day))
        self._made.put(group, name, of, lambda: self._pages.edition(day, self._records(day), root=root))

    def _write_papers(self, group: str, day: date) -> None:
        similar, prints = self._alike.of(day), self._prints(day)
        of = {paper_path(key): print_of(one.whole, similar[key]) for key, one in prints.items()}
        stale = {name for name in of if self._made.is_stale(group, name, of[name])}
        wanted = {other for key in similar if paper_path(key) in stale for other, _ in similar[key]}
        near = {key: record(one) for key, one in self._state.papers.known(wanted).items()}
        found = {paper_path(one.paper.key): one for one in self._records(day)} if stale else {}
        self._folder.files += len(of) - len(stale)
        for key in prints:
            name = paper_path(key)
            # another process may have made two papers one in between
            if name in stale and name in found:
                like = [near[other] for other, _ in similar[key] if other in near]
                self._made.put(group, name, of[name], partial(self._pages.paper, found[name], like))

    def _wholes(self, day: date) -> list[str]:
        return [one.whole for one in self._prints(day).values()]

    def _write_month(self, month: date) -> None:
        days = [day for day in self._full if day.replace(day=1) == month]
        months = sorted({day.replace(day=1) for day in self._full})
        of = print_of(months, [(day, self._wholes(day)) for day in days])

        def page() -> bytes:
            return self._pages.month(month, {day: edition_records(self._state, day)[:_LEADING] for day in days})

        self._made.put("", f"{month_path(month)}/index.html", of, page)

    def _write_search(self) -> None:
        of = print_of(self._texts())

        def files() -> list[tuple[str, bytes]]:
            index = SearchIndex(self._language)
            for day in self._full:
                for one in self._state.papers.edition(day):
                    index.add(record(one))
            page = ("search/index.html", self._pages.search(index))
            return [*((f"search/{name}", content) for name, content in index.files()), page]

        if names := self._made.put_all("search", of, files):
            self._folder.drop_others("search/words-*.js", names)
            self._folder.drop_others("search/papers-*.js", names)
        if self._address.base_url:
            self._made.put_all("sitemap", of, lambda: list(sitemaps(self._address.base_url, list(self._paths()))))

    def _texts(self) -> Mapping[str, Sequence[object]]:
        """For each day the number of its papers and a hash of what they are.

        Of days whose papers rest it is what was remembered: 100,000 papers take 200 MB.
        """
        known, changing = self._made.recall("texts") or {}, {*self._changing}
        found = {}
        for day in self._full:
            name, count = day.isoformat(), self._days[day]
            if day in changing or known.get(name, [0])[0] != count:
                found[name] = [count, print_of([one.text for one in self._prints(day).values()])]
            else:
                found[name] = known[name]
        self._made.remember("texts", found)
        return found

    def _write_feed(self) -> None:
        days = list(reversed(self._full[-_FEED_DAYS:]))
        of = print_of([(day, self._wholes(day)) for day in days])
        language = self._language

        def files() -> list[tuple[str, bytes]]:
            content = Entries(language).content
            entries = [
                Entry(
                    day=day,
                    title=language.counted(
                        len(found), "%(day)s: %(count)s paper", "%(day)s: %(count)s papers", day=language.long_day(day)
                    ),
                    updated=max(one.first_seen_at for one in found),
                    content=content(found),
                    path=f"{day_path(day)}/index.html",
                )
                for day in days
                if (found := edition_records(self._state, day))
            ]
            feed = Feed(language.say("Paper digest"), self._address, "editions", "", entries, language.tag)
            return [("feed.atom", atom(feed)), ("feed.json", json_feed(feed))]

        self._made.put_all("feed", of, files)

    def _paths(self) -> Iterator[str]:
        """All pages that anybody may read, from the top."""
        yield "index.html"
        for name in sorted({path(day) for day in self._full for path in (day_path, month_path, year_path)}):
            yield f"{name}/index.html"
        for keys in self._state.papers.listed().values():
            yield from map(paper_path, keys)
        yield "search/index.html"

    @property
    def has_private(self) -> bool:
        """Whether there are feeds of readers."""
        return bool(self._folder.names(PRIVATE))

    def private(self, readers: Mapping[str, str], spoken: Spoken = lambda _: {}) -> PrivateFeeds:
        """The feeds of readers, given as token → address, beside these pages; `spoken`: see `PrivateFeeds`."""
        return PrivateFeeds(
            self._state,
            self._folder,
            self._made,
            self._address,
            readers,
            latest=max(self._days),
            language=self._language,
            spoken=spoken,
        )

    @property
    def written(self) -> tuple[int, int]:
        """Files that are new or changed, and all that were looked at, until now."""
        return self._folder.written, self._folder.files
