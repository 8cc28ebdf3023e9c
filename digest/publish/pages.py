"""Records → the pages of an archive, in a language; by Jinja templates, and reads template files and nothing else.

Every page is whole without a script, names nothing outside of the archive but what its links lead to, and forbids
everything else (Content-Security-Policy). Templates escape all they print, and fail on names that do not exist.
"""

from __future__ import annotations

import calendar
import re
from bisect import bisect_left, bisect_right
from collections import Counter
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

from digest.compose.card import Card, Detail, card
from digest.compose.render import packaged
from digest.compose.text import cut_at_word, http_link, one_line, plain
from digest.languages.language import ENGLISH
from digest.model import Pick
from digest.publish.bibliography import bibtex
from digest.publish.chart import Chart, charts, table
from digest.publish.names import day_path, month_path, paper_path, year_path
from digest.publish.search import SHARD, SMALL
from digest.publish.templates import environment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from datetime import date

    from digest.languages.language import Language
    from digest.publish.record import Record
    from digest.publish.search import SearchIndex

#: files that are copied as they are
ASSETS = ("style.css", "edition.js", "search.js")
_SHORT = Detail(abstract=600)
_WHOLE = Detail(title=1_000, abstract=4_000)
#: most characters of a title that stands for others, and of one that is similar
_LEAD, _NEAR = 120, 200
#: most papers that a search shows
_MOST_FOUND = 50
#: most characters of a title in a window's or result's head line, which shows about 70
_HEAD_TITLE = 54
_CREATIVE_COMMONS = re.compile(r"https?://creativecommons\.org/licenses/([a-z-]{2,8})/(\d\.\d)/?")


@dataclass(frozen=True, slots=True)
class Step:
    """A link to another day, month or year."""

    #: its folder
    path: str
    text: str


@dataclass(frozen=True, slots=True)
class Item:
    """A paper in a list."""

    card: Card
    #: of its page, from the top
    path: str
    votes: int
    comments: int
    stars: int
    code: bool
    categories: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Near:
    """A similar paper."""

    title: str
    path: str
    #: authors and day
    told: str


@dataclass(frozen=True, slots=True)
class EditionPage:
    """The papers of a day."""

    path: str
    weekday: str
    date: str
    lead: str
    items: tuple[Item, ...]
    #: subjects that at least two papers have, by name
    categories: tuple[str, ...]
    before: Step | None
    after: Step | None


@dataclass(frozen=True, slots=True)
class PaperPage:
    """All that is known of a paper."""

    item: Item
    day: Step | None
    authors: tuple[str, ...]
    organization: str
    abstract: str
    #: name, value, and where it leads (empty: nowhere)
    details: tuple[tuple[str, str, str], ...]
    charts: tuple[Chart, ...]
    #: day, votes, comments, stars
    history: tuple[tuple[str, str, str, str], ...]
    similar: tuple[Near, ...]
    bibtex: str


@dataclass(frozen=True, slots=True)
class DayOfMonth:
    """A day as a month or a year lists it."""

    path: str
    text: str
    count: int
    #: title and path of the papers in front
    leads: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class MonthPage:
    """The days of a month that have papers, the latest first."""

    name: str
    #: that it is of
    year: Step
    papers: int
    days: tuple[DayOfMonth, ...]
    before: Step | None
    after: Step | None


@dataclass(frozen=True, slots=True)
class MonthOfYear:
    """A month as its year shows it."""

    path: str
    name: str
    #: from Monday; None: a day of another month
    weeks: tuple[tuple[DayOfMonth | None, ...], ...]


@dataclass(frozen=True, slots=True)
class YearPage:
    """The months of a year that have papers, the latest first."""

    name: str
    papers: int
    months: tuple[MonthOfYear, ...]
    before: Step | None
    after: Step | None


class Pages:
    """The templates, loaded once.

    Args:
        days: how many papers each day of the archive has, with days that have none in between.
        language: of all but what papers and sources say.
    """

    def __init__(self, days: Mapping[date, int], language: Language = ENGLISH) -> None:
        self._language = language
        self._days = sorted(days)
        self._counts = days
        full = [day for day in self._days if days[day]]
        self._full = full or self._days
        self._months = sorted({day.replace(day=1) for day in self._full})
        self._years = sorted({day.replace(month=1, day=1) for day in self._full})
        self._environment = environment(language)

    def edition(self, day: date, records: Sequence[Record], *, root: str = "../") -> bytes:
        """The page of a day; `root` leads from it to the top."""
        items = tuple(self._item(one, number, _SHORT) for number, one in enumerate(records, 1))
        written = self._language.whole_date(day)
        before, after = self.around(day)
        page = EditionPage(
            path=day_path(day),
            weekday=self._language.weekday(day),
            date=written,
            lead=cut_at_word(items[0].card.title, _LEAD) if items else "",
            items=items,
            categories=_subjects(items),
            before=before,
            after=after,
        )
        title = self._language.say("Papers of %(day)s", day=written)
        return self._fill("edition", root, title, day, page=page, here="" if root else "index.html")

    def around(self, day: date) -> tuple[Step | None, Step | None]:
        """The days with papers before and after this one."""
        name = self._language.named_day
        return (self._step(day, self._full, -1, day_path, name), self._step(day, self._full, 1, day_path, name))

    def paper(self, one: Record, similar: Iterable[Record]) -> bytes:
        """The page of a paper; `similar` ones most like it first, each with a page of its own."""
        page = PaperPage(
            item=self._item(one, 1, _WHOLE),
            day=Step(day_path(one.edition), self._language.long_day(one.edition)) if one.edition else None,
            authors=one.authors,
            organization=one_line(plain(one.paper.organization)),
            abstract=one.abstract,
            details=tuple(_details(one, self._language)),
            charts=charts(one.history, self._language),
            history=table(one.history, self._language),
            similar=tuple(map(self._near, similar)),
            bibtex=bibtex([one]),
        )
        return self._fill("paper", "../", _head_title(page.item.card.title), one.edition, page=page)

    def month(self, month: date, leading: Mapping[date, Sequence[Record]]) -> bytes:
        """The page of the month that begins on `month`, with the papers in front of each of its days."""
        days = [day for day in reversed(self._full) if day.replace(day=1) == month]
        name = self._language.month
        page = MonthPage(
            name=name(month),
            year=Step(year_path(month), self._language.year(month)),
            papers=sum(self._counts[day] for day in days),
            days=tuple(
                DayOfMonth(
                    day_path(day),
                    self._language.long_day(day),
                    self._counts[day],
                    tuple((self._title(one, _LEAD), paper_path(one.paper.key)) for one in leading.get(day, ())),
                )
                for day in days
            ),
            before=self._step(month, self._months, -1, month_path, name),
            after=self._step(month, self._months, 1, month_path, name),
        )
        return self._fill("month", "../", page.name, month, page=page)

    def year(self, year: date) -> bytes:
        """The page of the year that begins on `year`."""
        months = [month for month in reversed(self._months) if month.year == year.year]
        name, path = self._language.year, year_path(year)
        page = YearPage(
            name=name(year),
            papers=sum(count for day, count in self._counts.items() if day.year == year.year),
            months=tuple(
                MonthOfYear(month_path(one), self._language.month(one), tuple(self._weeks(one))) for one in months
            ),
            before=self._step(year, self._years, -1, year_path, name),
            after=self._step(year, self._years, 1, year_path, name),
        )
        return self._fill("year", "../", page.name, year, page=page, here=path)

    def search(self, index: SearchIndex) -> bytes:
        """The page that searches the index."""
        facts = {
            "papers": len(index),
            "width": index.width,
            "shard": SHARD,
            "small": sorted(SMALL),
            "most": _MOST_FOUND,
        }
        return self._fill("search", "../", self._language.say("Search"), None, here="search", **facts)

    def asset(self, name: str) -> bytes:
        """A file that is copied as it is."""
        return (packaged() / "web" / name).read_bytes()

    def _fill(self, kind: str, root: str, title: str, day: date | None, *, here: str = "", **values: object) -> bytes:
        """The page; `here`: which of the links at the top leads to it."""
        year = year_path(day or self._full[-1])
        template = self._environment.get_template(f"web/{kind}.html")
        return template.render(root=root, title=title, year=year, here=here, **values).encode()

    def _step(
        self, here: date, days: Sequence[date], by: int, path: Callable[[date], str], name: Callable[[date], str]
    ) -> Step | None:
        """The nearest of the days before (-1) or after (1) this one; None if there is none."""
        place = bisect_left(days, here) - 1 if by < 0 else bisect_right(days, here)
        return Step(path(days[place]), name(days[place])) if 0 <= place < len(days) else None

    def _weeks(self, month: date) -> Iterable[tuple[DayOfMonth | None, ...]]:
        for week in calendar.Calendar().monthdatescalendar(month.year, month.month):
            yield tuple(
                DayOfMonth(day_path(day), str(day.day), self._counts.get(day, 0)) if day.month == month.month else None
                for day in week
            )

    def _item(self, one: Record, number: int, detail: Detail) -> Item:
        paper, counts = one.paper, one.paper.signals
        return Item(
            card=card(Pick(paper, "trending"), number, detail, language=self._language),
            path=paper_path(paper.key),
            votes=counts.upvotes or 0,
            comments=counts.comments or 0,
            stars=counts.stars or 0,
            code=bool(http_link(paper.code_url)),
            categories=tuple(dict.fromkeys(filter(None, map(_subject, paper.categories)))),
        )

    def _near(self, one: Record) -> Near:
        day = self._language.whole_date(one.edition) if one.edition else ""
        told = " · ".join(filter(None, (self._language.listed(one.authors, 3), day)))
        return Near(self._title(one, _NEAR), paper_path(one.paper.key), told)

    def _title(self, one: Record, limit: int) -> str:
        return cut_at_word(one.title_in(self._language), limit)


def _subject(category: str) -> str:
    """A subject's code without blanks, which part those of a paper."""
    return one_line(category, 40).replace(" ", "_")


def _subjects(items: Iterable[Item]) -> tuple[str, ...]:
    found = Counter(category for item in items for category in item.categories)
    return tuple(sorted(category for category, count in found.items() if count > 1))


def _details(one: Record, language: Language) -> Iterator[tuple[str, str, str]]:
    paper = one.paper
    facts = (
        ("arXiv", one.arxiv_id, f"https://arxiv.org/abs/{one.arxiv_id}"),
        ("DOI", one.doi, f"https://doi.org/{one.doi}"),
        (language.say("Published"), language.long_day(paper.published.date()) if paper.published else "", ""),
        (language.say("Subjects"), ", ".join(one_line(category, 40) for category in paper.categories), ""),
        (
            language.say("Topics"),
            ", ".join(filter(None, (one_line(plain(word), 60) for word in paper.ai_keywords))),
            "",
        ),
        (language.say("Journal"), one_line(plain(paper.journal_ref)), ""),
        (language.say("Comment"), one_line(plain(paper.comment)), ""),
        (language.say("Licence"), _licence(paper.licence), paper.licence),
    )
    for name, value, link in facts:
        if value:
            yield name, value, http_link(link)


def _head_title(title: str) -> str:
    """As much of a title as a head line shows; written as HTML, `<` counts four, so that checkers count the same."""
    short = cut_at_word(title, _HEAD_TITLE)
    return cut_at_word(title, max(_HEAD_TITLE - len(escape(short)) + len(short), 20))


def _licence(link: str) -> str:
    """A licence by its name, if its address has one in it.

    >>> _licence("https://creativecommons.org/licenses/by-nc-sa/4.0/"), _licence("https://example.org/mine")
    ('CC BY-NC-SA 4.0', 'https://example.org/mine')
    """
    if found := _CREATIVE_COMMONS.fullmatch(link):
        return f"CC {found[1].upper()} {found[2]}"
    return one_line(link)
