"""From the state, the archive: a folder of pages, feeds and an index to search.

Written is what may have changed: days on which votes may still move, days that are not there yet, and what lists them.
Older pages stay as they are, also when the state has forgotten what they tell. A crash leaves whole files; the next
run writes the rest.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING

from digest.compose.text import cut_at_word
from digest.compose.words import counted, long_day
from digest.curate.similar import SimilarIndex
from digest.pipeline.folder import Folder
from digest.pipeline.records import edition_records, records
from digest.publish.bibliography import bibtex, ris
from digest.publish.feeds import Entry, Feed, atom, json_feed, sitemaps
from digest.publish.names import day_path, month_path, paper_path, private_name, year_path
from digest.publish.pages import ASSETS, Pages
from digest.publish.record import Record, record
from digest.publish.search import SearchIndex

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from digest.state.store import State

#: no source is read again for longer, see `Source.days`: votes of older papers rest
MOVING_DAYS = 31
#: so many papers are compared with those of a week, or all of the week if these are more: 4 ms a paper
_COMPARED = 3000
_SIMILAR = 5
#: likeness from which a paper is called similar
_LIKE = 0.1
#: days in the feed, titles of a day in its month
_FEED_DAYS = 14
_LEADING = 3
#: days whose papers are kept in memory
_KEPT_DAYS = 32
#: says that a folder is an archive, and may be written into
MARK = ".paper-digest"
#: days of a reader's own mails that are told again; the ledger forgets them after 400
_PRIVATE_DAYS = 400
_PRIVATE_FEED = 30
_PRIVATE_FILES = ("feed.atom", "feed.json", "picks.bib", "picks.ris")
_TITLE = 100


@dataclass(frozen=True, slots=True)
class Archived:
    """What was composed."""

    #: days with papers, and papers
    editions: int
    papers: int


@dataclass(frozen=True, slots=True)
class Address:
    """By what the archive goes."""

    #: the operator's domain, in ASCII
    domain: str
    #: http(s) address of the folder with a slash at the end; empty: unknown
    base_url: str = ""


@dataclass(frozen=True, slots=True)
class _Company:
    """The papers among which similar ones are looked for."""

    index: SimilarIndex
    #: in the index's order
    records: Sequence[Record]
    #: places in that order, by key
    places: Mapping[str, int]


class Archive:
    """One writing of the archive.

    Args:
        state: what is told.
        folder: where; the caller has seen to it that it may be written.
        address: by what it goes.
        today: the UTC day; there is a page for it even if it has no papers yet, for mails link to it.
        since: days from this one (inclusive) on are composed anew; None: those whose votes may move.
    """

    def __init__(self, state: State, folder: Path, address: Address, *, today: date, since: date | None) -> None:
        self._state, self._address = state, address
        self._folder = Folder(folder)
        self._editions = state.papers.editions()
        since = since or today - timedelta(days=MOVING_DAYS)
        first = min(self._editions, default=today)
        last = max(today, max(self._editions, default=today))
        every = [first + timedelta(days=number) for number in range((last - first).days + 1)]
        there = {day for day in every if self._folder.has(f"{day_path(day)}/index.html")}
        #: those that are, or will be, in the archive
        days = {day: self._editions.get(day, 0) for day in every}
        self._anew = [day for day in every if day >= since or day not in there]
        self._days = days
        self._full = [day for day in every if days[day]]
        self._pages = Pages(days)
        self._stored = lru_cache(maxsize=_KEPT_DAYS)(state.papers.edition)
        self._company = lru_cache(maxsize=1)(self._find_company)

    @property
    def days(self) -> int:
        """How many days are to be composed."""
        return len(self._anew)

    def write(self, step: Callable[[], None]) -> Archived:
        """Write all that may have changed; `step` is called after each day."""
        self._folder.put(MARK, b"An archive that `digest archive` writes.\n")
        for name in ASSETS:
            self._folder.put(name, self._pages.asset(name))
        papers = 0
        for day in self._anew:
            papers += self._write_day(day)
            step()
        for month in sorted({day.replace(day=1) for day in self._anew if self._days[day]}):
            self._write_month(month)
        for year in sorted({day.replace(month=1, day=1) for day in self._full}):
            self._folder.put(f"{year_path(year)}/index.html", self._pages.year(year))
        self._write_search()
        self._write_feed()
        latest = self._full[-1] if self._full else max(self._days)
        self._folder.put("index.html", self._pages.edition(latest, edition_records(self._state, latest), root=""))
        if self._address.base_url:
            for name, content in sitemaps(self._address.base_url, list(self._paths())):
                self._folder.put(name, content)
        editions = sum(1 for day in self._anew if self._days[day])
        return Archived(editions, papers)

    def _write_day(self, day: date) -> int:
        found = edition_records(self._state, day)
        for one, similar in self._with_similar(found):
            self._folder.put(paper_path(one.paper.key), self._pages.paper(one, similar))
        path = day_path(day)
        if found:
            self._folder.put(f"{path}/papers.bib", bibtex(found).encode())
            self._folder.put(f"{path}/papers.ris", ris(found).encode())
        self._folder.put(f"{path}/index.html", self._pages.edition(day, found))
        return len(found)

    def _with_similar(self, found: Sequence[Record]) -> Iterator[tuple[Record, list[Record]]]:
        """Each paper of a day with those most like it, of its week and the days around."""
        for one in found:
            company = self._company(_week(one.edition or date.min))
            # a paper that another process stored in between is compared at the next run
            place = company.places.get(one.paper.key)
            like = company.index.like(place, _SIMILAR) if place is not None else []
            yield one, [company.records[other] for other, similarity in like if similarity >= _LIKE]

    def _find_company(self, week: tuple[int, int]) -> _Company:
        """The papers of a week (ISO 8601), and of the days nearest to it as many as are compared."""
        middle = date.fromisocalendar(*week, 4)
        # the earlier first of two days equally near
        days = sorted(self._full, key=lambda day: (_week(day) != week, abs(day - middle), day))
        found: list[Record] = []
        for day in days:
            if _week(day) != week and len(found) >= _COMPARED:
                break
            found.extend(map(record, self._stored(day)))
        places = {one.paper.key: place for place, one in enumerate(found)}
        return _Company(SimilarIndex([one.paper for one in found]), found, places)

    def _write_month(self, month: date) -> None:
        days = [day for day in self._full if day.replace(day=1) == month]
        leading = {day: edition_records(self._state, day)[:_LEADING] for day in days}
        self._folder.put(f"{month_path(month)}/index.html", self._pages.month(month, leading))

    def _write_search(self) -> None:
        index = SearchIndex()
        for day in self._full:
            for one in self._stored(day):
                index.add(record(one))
        names = set()
        for name, content in index.files():
            names.add(f"search/{name}")
            self._folder.put(f"search/{name}", content)
        self._folder.put("search/index.html", self._pages.search(index))
        self._folder.drop_others("search/words-*.js", names)
        self._folder.drop_others("search/papers-*.js", names)

    def _write_feed(self) -> None:
        entries = [
            Entry(
                day=day,
                title=f"{long_day(day)}: {counted(len(found), 'paper')}",
                updated=max(one.first_seen_at for one in found),
                content=self._pages.feed_entry(found),
                path=f"{day_path(day)}/index.html",
            )
            for day in reversed(self._full[-_FEED_DAYS:])
            if (found := edition_records(self._state, day))
        ]
        self._put_feed(Feed("Paper digest", self._address.domain, "editions", "", self._address.base_url, entries))

    def _put_feed(self, feed: Feed) -> None:
        self._folder.put(f"{feed.folder}feed.atom", atom(feed))
        self._folder.put(f"{feed.folder}feed.json", json_feed(feed))

    def _paths(self) -> Iterator[str]:
        """All pages that anybody may read, from the top."""
        yield "index.html"
        for name in sorted({path(day) for day in self._full for path in (day_path, month_path, year_path)}):
            yield f"{name}/index.html"
        for day in self._full:
            yield from (paper_path(one.paper.key) for one in self._stored(day))
        yield "search/index.html"

    def write_private(self, emails: Iterable[str]) -> dict[str, str]:
        """Write what each reader was sent as feeds and lists for reference managers.

        Returns:
            by address, the folder of each who was sent anything, from the top; nobody can guess it.
        """
        # shows a visitor nothing where a server would list the folder
        self._folder.put("private/index.html", b"<!DOCTYPE html>\n<title>Private</title>\n")
        asked = list(emails)
        since = max(self._days) - timedelta(days=_PRIVATE_DAYS)
        delivered = self._state.ledger.delivered(asked, since=since)
        tokens = self._state.subscribers.tokens([email for email in asked if email in delivered])
        known = self._known({key for told in delivered.values() for _, keys in told.mails for key in keys})
        written = {}
        for email, told in delivered.items():
            if told.mails:
                folder = written[email] = f"private/{private_name(tokens[email])}/"
                self._write_reader(folder, sorted(told.mails, reverse=True), known)
        return written

    def _known(self, keys: Collection[str]) -> Mapping[str, Record]:
        """The records of papers by the keys that they had when they were sent."""
        stored = self._state.papers.known(keys)
        papers = {one.paper.key: one for one in stored.values()}
        present = {one.paper.key: one for one in records(self._state, list(papers.values()))}
        return {key: present[one.paper.key] for key, one in stored.items()}

    def drop_private(self, folders: Iterable[str]) -> None:
        """Remove the files of all who have none of these folders: readers who left."""
        kept = {f"{folder}{name}" for folder in folders for name in _PRIVATE_FILES}
        self._folder.drop_others("private/*/*", kept)

    def _write_reader(
        self, folder: str, mails: Sequence[tuple[date, tuple[str, ...]]], known: Mapping[str, Record]
    ) -> None:
        days = [
            (day, list({known[key].paper.key: known[key] for key in keys if key in known}.values()))
            for day, keys in mails
        ]
        entries = [
            Entry(
                day=day,
                title=f"{long_day(day)}: {cut_at_word(picks[0].title, _TITLE)}",
                # when in that day is not told to a file that services may read
                updated=datetime.combine(day, time(0)),
                content=self._pages.feed_entry(picks),
            )
            for day, picks in days[:_PRIVATE_FEED]
            if picks
        ]
        name = folder.split("/")[1]
        self._put_feed(Feed("Paper digest: yours", self._address.domain, name, folder, self._address.base_url, entries))
        picked = list({one.paper.key: one for _, picks in days for one in picks}.values())
        self._folder.put(f"{folder}picks.bib", bibtex(picked).encode())
        self._folder.put(f"{folder}picks.ris", ris(picked).encode())

    @property
    def written(self) -> tuple[int, int]:
        """Files that are new or changed, and all that were composed, until now."""
        return self._folder.written, self._folder.files


def _week(day: date) -> tuple[int, int]:
    """Year and number of the ISO week."""
    year, number, _ = day.isocalendar()
    return year, number
