"""Sentences, dates and numbers as the readers of a language write them.

Messages are English sentences with `%(name)s` for what is put in; where a file of this folder has none, that is what
is said. Pure, but that a language's file is read when it is first needed; free of the process's locale.
"""

from __future__ import annotations

import gettext
import re
from datetime import date, timedelta
from functools import cached_property, lru_cache
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from digest.model import WEEKDAYS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from babel import Locale
    from babel.messages.catalog import Message

    from digest.model import Weekday

_FOLDER = Path(__file__).parent
#: languages whose characters look otherwise elsewhere: https://www.w3.org/International/questions/qa-choosing-language-tags
_WRITTEN = {"zh": "zh-Hans"}
_SIX_DAYS = timedelta(days=6)
#: where a value goes
_VALUE = re.compile(r"%\((\w+)\)")
#: dates and numbers kept in words, of each kind and language
_REMEMBERED = 4096
#: numbers among which every plural form of CLDR is found; the last for what French and its sisters say of millions
_COUNTS = (*range(200), 10**6)
#: where a script puts the number
_NUMBER = "#"


def message(text: str) -> str:
    """The text as it is: marks for `make messages` what is said elsewhere."""
    return text


def forms(one: str, many: str = "") -> tuple[str, str]:
    """The two messages that `counted` is given, whole."""
    many = many or f"{one}s"
    return (one, many) if "%(count)s" in one else (f"%(count)s {one}", f"%(count)s {many}")


class Language:
    """What is said in one language.

    Attributes:
        code: its tag (RFC 5646), as in the configuration and in the name of its file.
        tag: the same for `lang` in HTML and for Content-Language, where it chooses the font: `zh-Hans` for `zh`.
    """

    def __init__(self, code: str) -> None:
        self.code = code
        self.tag = _WRITTEN.get(code, code)
        self.joined = lru_cache(maxsize=_REMEMBERED)(self._joined)
        self.number = lru_cache(maxsize=_REMEMBERED)(self._number)
        self.compact = lru_cache(maxsize=_REMEMBERED)(self._compact)
        self.long_day = lru_cache(maxsize=_REMEMBERED)(self._long_day)
        self.middle_day = lru_cache(maxsize=_REMEMBERED)(self._middle_day)
        self.short_day = lru_cache(maxsize=_REMEMBERED)(self._short_day)
        self.whole_date = lru_cache(maxsize=_REMEMBERED)(self._whole_date)
        self.named_day = lru_cache(maxsize=_REMEMBERED)(self._named_day)

    def say(self, message: str, /, **values: object) -> str:
        """The message in this language, with the values in the places of their names.

        >>> Language("de").say("by %(names)s", names="Ada")
        'von Ada'
        """
        said = self._translations.gettext(message)
        return said % values if values else said

    def counted(self, number: int, one: str, many: str = "", /, **values: object) -> str:
        """One of two messages, with the number for `%(count)s` in them; languages may have more forms, or fewer.

        Args:
            number: how many; not negative.
            one: the message for one. A noun alone, as templates may give it, stands behind the number.
            many: that for several; left out, it is `one` with an s.
            values: for other names in the messages; `count` replaces how the number is shown.

        >>> ENGLISH.counted(1, "paper"), ENGLISH.counted(1204, "paper"), ENGLISH.counted(2, "matches", "match")
        ('1 paper', '1,204 papers', '2 match')
        """
        return self._translations.ngettext(*forms(one, many), number) % {"count": self.number(number), **values}

    def plurals(self, one: str, many: str = "", /) -> Mapping[str, str]:
        """What `counted` says of every number, for a script to choose from: `#` stands for the number.

        By plural category of CLDR, as `Intl.PluralRules` of browsers calls them.

        >>> Language("de").plurals("%(count)s comment")
        {'one': '# Kommentar', 'other': '# Kommentare'}
        """
        numbers = {self._locale.plural_form(number): number for number in reversed(_COUNTS)}
        said = {name: self._translations.ngettext(*forms(one, many), number) for name, number in numbers.items()}
        return {name: said[name] % {"count": _NUMBER} for name in sorted(said)}

    @property
    def direction(self) -> Literal["ltr", "rtl"]:
        """Where a line begins: `ltr` on the left, `rtl` on the right; as `dir` in HTML."""
        return "rtl" if self._locale.character_order == "right-to-left" else "ltr"

    def decimal(self, number: str) -> str:
        """A number below 1000 that is written with a point: 0.25 as 0,25."""
        return number.replace(".", self._decimal_point)

    def grown(self, total: str, change: str, days: int) -> str:
        """How much of something there is, by how much it grew, and since when: `142 (+84 since yesterday)`."""
        if days <= 1:
            return self.say("%(total)s (+%(change)s since yesterday)", total=total, change=change)
        return self.counted(
            days,
            "%(total)s (+%(change)s in %(count)s day)",
            "%(total)s (+%(change)s in %(count)s days)",
            total=total,
            change=change,
        )

    def listed(self, names: Sequence[str], most: int) -> str:
        """The first `most` names and how many more there are.

        >>> ENGLISH.listed(["Ada", "Emmy", "Mary", "Sofia", "Grace"], 3)
        'Ada, Emmy, Mary and 2 more'
        """
        if len(names) <= most + 1:  # "and 1 more" is no shorter than a name
            return ", ".join(names)
        first = ", ".join(names[:most])
        return self.counted(
            len(names) - most, "%(names)s and %(count)s more", "%(names)s and %(count)s more", names=first
        )

    def chained(self, clauses: Sequence[str]) -> str:
        """Clauses one after the other, with a semicolon between them."""
        return self.say("%(first)s; %(second)s", first="", second="").join(clauses)

    def _joined(self, items: tuple[str, ...]) -> str:
        """One; one and two; one, two and three."""
        from babel.lists import format_list

        # CLDR's comma before “and” is American
        return format_list(items, locale="en_001" if self.code == "en" else self._locale)

    def _number(self, number: int) -> str:
        from babel.numbers import format_decimal

        return format_decimal(number, locale=self._locale)

    def _compact(self, number: int) -> str:
        """A number in about four characters and a unit, if the language has a short one; never rounded up.

        >>> [ENGLISH.compact(number) for number in (999, 1234, 86_199, 2_500_000)]
        ['999', '1.2k', '86k', '2.5M']
        >>> [Language("zh").compact(number) for number in (1234, 86_199, 2_500_000)]
        ['1,234', '8.6万', '250万']
        """
        digits = len(str(number))
        # by the power of ten: 0K for 1000, 00K for 10000; 0 where there is no short way, as for 1 and for 10^15
        ways = self._locale.compact_decimal_formats["short"]["other"]
        way = ways.get(str(10 ** (digits - 1)))
        form = way.pattern.replace("'", "") if way else "0"
        zeros = form.count("0")
        if not form.strip("0"):
            return self.number(number)
        tenths = number // 10 ** (digits - zeros - 1)
        amount = self.number(tenths // 10) if tenths >= 100 or tenths % 10 == 0 else self.decimal(f"{tenths / 10:.1f}")
        short = form.replace("0" * zeros, amount)
        return short.replace("K", "k") if self.code == "en" else short

    def _long_day(self, day: date) -> str:
        """Tuesday, 15 September 2026."""
        return self._day(day, "EEEE, d MMMM y", "full")

    def _middle_day(self, day: date) -> str:
        """15 Sep 2026."""
        return self._day(day, "d MMM y", "yMMMd")

    def _short_day(self, day: date) -> str:
        """15 Sep."""
        return self._day(day, "d MMM", "MMMd")

    def _whole_date(self, day: date) -> str:
        """15 September 2026."""
        return self._day(day, "d MMMM y", "long")

    def _named_day(self, day: date) -> str:
        """Tue 15 Sep."""
        return self._day(day, "EEE d MMM", "MMMEd")

    def month(self, day: date) -> str:
        """September 2026."""
        return self._day(day, "MMMM y", "yMMMM")

    def year(self, day: date) -> str:
        """2026."""
        return self._day(day, "y", "y")

    def weekday(self, day: date) -> str:
        """Tuesday."""
        return str(self._locale.days["stand-alone"]["wide"][day.weekday()])

    @property
    def week_head(self) -> tuple[tuple[str, str], ...]:
        """Names of the days of the week from Monday on, and the same short, as at the head of a calendar."""
        names = self._locale.days["stand-alone"]
        return tuple((names["wide"][day], names["short"][day]) for day in range(len(WEEKDAYS)))

    def weekdays(self, days: Sequence[Weekday]) -> str:
        """On which days, in the order of the week.

        >>> ENGLISH.weekdays(("thu", "mon")), Language("de").weekdays(("thu", "mon")), ENGLISH.weekdays(WEEKDAYS)
        ('on Monday and Thursday', 'am Montag und Donnerstag', 'every day')
        """
        if len(set(days)) == len(WEEKDAYS):
            return self.say("every day")
        names = self._locale.days["format"]["wide"]
        chosen = tuple([names[number] for number, day in enumerate(WEEKDAYS) if day in days])
        return self.say("on %(days)s", days=self.joined(chosen))

    def week(self, last: date) -> str:
        """The seven days that end with a day: `9–15 September 2026`; months and years are named where they change.

        >>> from datetime import date
        >>> ENGLISH.week(date(2027, 1, 3)), ENGLISH.week(date(2026, 10, 2))
        ('28 December 2026 – 3 January 2027', '26 September – 2 October 2026')
        """
        first = last - _SIX_DAYS
        if self.code != "en":
            return self._days(first, last, "yMMMd")
        if first.month == last.month:
            return f"{first.day}–{self.whole_date(last)}"
        begin = self.whole_date(first) if first.year != last.year else self._day(first, "d MMMM", "MMMMd")
        return f"{begin} – {self.whole_date(last)}"

    def short_week(self, last: date) -> str:
        """The same in a few characters: `9–15 Sep`, `26 Sep – 2 Oct`."""
        return self.short_days(last - _SIX_DAYS, last)

    def short_days(self, first: date, last: date) -> str:
        """All days from the first to the last: `9–15 Sep`; `15 Sep` if there is one."""
        if first == last:
            return self.short_day(last)
        if self.code != "en":
            return self._days(first, last, "MMMd")
        begin = str(first.day) + "–" if first.month == last.month else f"{self.short_day(first)} – "
        return begin + self.short_day(last)

    def _days(self, first: date, last: date, skeleton: str) -> str:
        from babel.dates import format_interval

        # CLDR's thin spaces are too thin for some mail programs
        return format_interval(first, last, skeleton, locale=self._locale).replace("\u2009", " ")

    def _day(self, day: date, english: str, elsewhere: str) -> str:
        """As CLDR has it: a `full` or `long` date, or what a skeleton asks for; English as it always was here."""
        from babel.dates import format_date, format_skeleton

        if self.code == "en":
            return format_date(day, english, locale=self._locale)
        if elsewhere in {"full", "long"}:
            return format_date(day, elsewhere, locale=self._locale)
        return format_skeleton(elsewhere, day, locale=self._locale)

    @cached_property
    def _locale(self) -> Locale:
        from babel import Locale

        return Locale.parse(self.code, sep="-")

    @cached_property
    def _decimal_point(self) -> str:
        return str(self._locale.number_symbols[self._locale.default_numbering_system]["decimal"])

    @cached_property
    def _translations(self) -> gettext.NullTranslations:
        if self.code == "en":
            return gettext.NullTranslations()
        from babel.messages.mofile import write_mo
        from babel.messages.pofile import read_po

        compiled = BytesIO()
        with (_FOLDER / f"{self.code}.po").open("rb") as file:
            catalog = read_po(file, locale=self.code.replace("-", "_"))
        for one in [*catalog]:
            if one.id and not _is_usable(one):
                catalog.delete(one.id, one.context)
        write_mo(compiled, catalog)
        compiled.seek(0)
        return gettext.GNUTranslations(compiled)


def _is_usable(message: Message) -> bool:
    """Whether a translation takes the values of its sentence.

    One that does not counts as missing: a slip of the pen in one language must not end the mails in all of them.
    """
    sentences = [message.id] if isinstance(message.id, str) else message.id
    translations = [message.string] if isinstance(message.string, str) else message.string or ()
    values = dict.fromkeys((name for sentence in sentences for name in _VALUE.findall(sentence)), "")
    if message.pluralizable:
        values["count"] = ""
    try:
        return all(
            values.keys() >= {*_VALUE.findall(text)} and (not values or isinstance(text % values, str))
            for text in translations
        )
    except (KeyError, TypeError, ValueError):  # another name; a %d; a % that is not doubled
        return False


ENGLISH = Language("en")


@lru_cache(maxsize=1)
def available() -> tuple[str, ...]:
    """The tags of all languages there are, in alphabetical order."""
    return tuple(sorted({"en", *(path.stem for path in _FOLDER.glob("*.po"))}))


@lru_cache(maxsize=64)
def language(code: str) -> Language:
    """The language with this tag, always the same object; English if there is none, as where its file was removed."""
    return Language(code) if code in available() and code != "en" else ENGLISH
