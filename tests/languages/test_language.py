from __future__ import annotations

import doctest
import re
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import digest.languages.language
from digest.languages.language import ENGLISH, Language, available, language

DAY = date(2026, 9, 15)
DE, ZH = language("de"), language("zh")


def test_there_are_three_languages_and_more_is_a_file() -> None:
    assert ("de", "en", "zh") == available()


@pytest.mark.parametrize("code", ["fr", "", "../de", "DE"])
def test_a_language_that_is_not_there_is_english(code: str) -> None:
    assert ENGLISH is language(code)


def test_a_language_is_one_object() -> None:
    """What is kept of mails goes by it."""
    assert language("de") is DE
    assert ENGLISH is language("en")


@pytest.mark.parametrize(
    ("spoken", "long", "middle", "short"),
    [
        (ENGLISH, "Tuesday, 15 September 2026", "15 Sep 2026", "15 Sep"),
        (DE, "Dienstag, 15. September 2026", "15. Sept. 2026", "15. Sept."),
        (ZH, "2026年9月15日星期二", "2026年9月15日", "9月15日"),
    ],
)
def test_days(spoken: Language, long: str, middle: str, short: str) -> None:
    assert (long, middle, short) == (spoken.long_day(DAY), spoken.middle_day(DAY), spoken.short_day(DAY))


@pytest.mark.parametrize(
    ("spoken", "expected"),
    [
        (ENGLISH, ["0", "999", "1k", "1.2k", "9.9k", "12k", "86k", "999k", "1.2M", "2.5M"]),
        (DE, ["0", "999", "1.000", "1.234", "9.999", "12.345", "86.199", "999.999", "1,2\xa0Mio.", "2,5\xa0Mio."]),
        (ZH, ["0", "999", "1,000", "1,234", "9,999", "1.2万", "8.6万", "99万", "125万", "250万"]),
    ],
)
def test_large_numbers_are_short_where_a_language_has_a_way_and_never_rounded_up(
    spoken: Language, expected: list[str]
) -> None:
    numbers = (0, 999, 1_000, 1_234, 9_999, 12_345, 86_199, 999_999, 1_250_000, 2_500_000)

    assert expected == [spoken.compact(number) for number in numbers]


@pytest.mark.parametrize("code", available())
@given(number=st.integers(0, 10**20))
def test_no_number_is_too_large_and_a_larger_one_never_looks_smaller(code: str, number: int) -> None:
    spoken = language(code)
    digits = re.sub("[^0-9]", "", spoken.compact(number))

    assert str(number).startswith(digits.rstrip("0") or "0")
    assert len(digits) <= len(str(number))


def test_numbers_have_the_marks_of_their_language() -> None:
    assert ["1,204", "1.204", "1,204"] == [spoken.number(1204) for spoken in (ENGLISH, DE, ZH)]
    assert ["0.25", "0,25", "0.25"] == [spoken.decimal("0.25") for spoken in (ENGLISH, DE, ZH)]


@pytest.mark.parametrize(
    ("spoken", "whole", "named", "month", "year", "weekday", "head"),
    [
        (ENGLISH, "15 September 2026", "Tue 15 Sep", "September 2026", "2026", "Tuesday", ("Monday", "Mo")),
        (DE, "15. September 2026", "Di., 15. Sept.", "September 2026", "2026", "Dienstag", ("Montag", "Mo.")),
        (ZH, "2026年9月15日", "9月15日周二", "2026年9月", "2026年", "星期二", ("星期一", "周一")),
    ],
)
def test_what_a_calendar_is_written_with(
    spoken: Language, whole: str, named: str, month: str, year: str, weekday: str, head: tuple[str, str]
) -> None:
    assert (whole, named) == (spoken.whole_date(DAY), spoken.named_day(DAY))
    assert (month, year, weekday) == (spoken.month(DAY), spoken.year(DAY), spoken.weekday(DAY))
    assert (7, head) == (len(spoken.week_head), spoken.week_head[0])


def test_a_script_is_told_every_plural_form_by_the_name_that_browsers_have_for_it() -> None:
    one, many = "%(count)s comment", "%(count)s comments"

    assert {"one": "# comment", "other": "# comments"} == ENGLISH.plurals(one, many)
    assert {"other": "# 条评论"} == ZH.plurals(one, many)


def test_a_script_is_told_plural_forms_that_english_does_not_have(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = """
msgid ""
msgstr "Plural-Forms: nplurals=3; plural=(n%10==1 && n%100!=11 ? 0 : n%10>=2 && n%10<=4 && (n%100<10 || n%100>=20) ? 1 : 2);\\n"

msgid "%(count)s day"
msgid_plural "%(count)s days"
msgstr[0] "%(count)s день"
msgstr[1] "%(count)s дня"
msgstr[2] "%(count)s дней"
"""  # noqa: E501
    (tmp_path / "ru.po").write_text(text, encoding="utf-8")
    (tmp_path / "fr.po").touch()
    monkeypatch.setattr(digest.languages.language, "_FOLDER", tmp_path)

    assert {"few": "# дня", "many": "# дней", "one": "# день"} == Language("ru").plurals("day")
    # of millions, too
    assert ["many", "one", "other"] == [*Language("fr").plurals("day")]


def test_where_a_line_begins() -> None:
    assert ["ltr", "ltr", "rtl"] == [spoken.direction for spoken in (DE, ZH, Language("ar"))]


def test_german_has_two_forms_and_chinese_one() -> None:
    one, many = "%(count)s comment", "%(count)s comments"

    assert ["0 Kommentare", "1 Kommentar", "1.204 Kommentare"] == [DE.counted(n, one, many) for n in (0, 1, 1204)]
    assert ["0 条评论", "1 条评论", "1,204 条评论"] == [ZH.counted(n, one, many) for n in (0, 1, 1204)]


def test_a_noun_of_a_template_of_ones_own_stands_as_it_is() -> None:
    assert ["1 Wal", "2 Wale"] == [DE.counted(n, "Wal", "Wale") for n in (1, 2)]
    assert ["1 whale", "2 whales"] == [DE.counted(n, "whale") for n in (1, 2)]


def test_changes_since_yesterday_and_longer() -> None:
    assert ["9 (+8 seit gestern)", "9 (+8 in 3 Tagen)"] == [DE.grown("9", "8", days) for days in (1, 3)]
    assert ["9（较昨天 +8）", "9（3 天内 +8）"] == [ZH.grown("9", "8", days) for days in (1, 3)]


def test_lists() -> None:
    assert ["a, b and c", "a, b und c", "a、b和c"] == [spoken.joined(("a", "b", "c")) for spoken in (ENGLISH, DE, ZH)]
    assert ["a; b", "a; b", "a；b"] == [spoken.chained(["a", "b"]) for spoken in (ENGLISH, DE, ZH)]
    assert "Ada, Emmy und 3 weitere" == DE.listed(["Ada", "Emmy", "x", "y", "z"], 2)


def test_what_nobody_translated_is_said_in_english() -> None:
    assert "no such message" == DE.say("no such message")
    assert "2 of it" == DE.say("%(n)s of it", n=2)


@pytest.mark.parametrize("slip", ["%(nams)s", "%(names)d", "%(names)", "100 % %(names)s"])
def test_a_slip_in_a_translation_costs_that_sentence_only(
    slip: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in a file of one's own: a digest that cannot be planned would stop those in all languages."""
    text = f"""
msgid "by %(names)s"
msgstr "{slip}"

msgid "%(count)s upvote"
msgid_plural "%(count)s upvotes"
msgstr[0] "{slip}"
msgstr[1] "%(count)s"

msgid "every day"
msgstr "alle Tage"
"""
    (tmp_path / "de.po").write_text(text, encoding="utf-8")
    monkeypatch.setattr(digest.languages.language, "_FOLDER", tmp_path)
    mine = Language("de")

    assert ("by Ada", "1 upvote", "alle Tage") == (
        mine.say("by %(names)s", names="Ada"),
        mine.counted(1, "%(count)s upvote"),
        mine.say("every day"),
    )


def test_the_examples_in_the_documentation_hold() -> None:
    assert 0 == doctest.testmod(digest.languages.language).failed
