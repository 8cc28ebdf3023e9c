"""What strangers send, made safe to keep."""

from __future__ import annotations

import doctest
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

import digest.collect.authors
import digest.collect.text
from digest.collect.authors import split_byline, split_commas
from digest.collect.text import MAX_AUTHORS, count, link, moment, names, one_line, plain, terms

ANYTHING = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary() | st.lists(st.text())


def test_the_examples_in_the_docstrings_hold() -> None:
    assert 0 == doctest.testmod(digest.collect.text).failed + doctest.testmod(digest.collect.authors).failed


def test_what_is_nested_deeper_than_any_page_is_not_read() -> None:
    """A few such items would take minutes, whatever deadline their source has."""
    assert "one two" == plain("<div>one<br>" * 400 + "</div>" * 400 + "<p>two</p>", 100_000)[-7:]
    assert "one" == plain("one" + "<div>" * 501 + "two", 100)
    assert "one" == plain("one" + "<div></x>" * 501 + "two", 100)
    assert "one two" == plain("one " + "<b><i>" * 250 + "two", 100)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("  Kazakh,\n  Russian,\r\n\tand\u2028English\u00a0 ", "Kazakh, Russian, and English"),
        ("a\x00b\x07c\x1bd\x7fe\x9bf", "abcdef"),
        ("a\x1cb\x85c", "a b c"),
        ("lone \ud800 half", "lone half"),
        ("$\\beta$-VAE <b> & \u202egnp\u202c 🚀", "$\\beta$-VAE <b> & \u202egnp\u202c 🚀"),
        (None, ""),
        (17, ""),
        (b"bytes", ""),
        (["list"], ""),
    ],
)
def test_a_text_loses_line_breaks_and_controls_and_nothing_else(value: object, expected: str) -> None:
    assert expected == one_line(value)


@given(st.text(st.characters()) | st.text(), st.integers(1, 50))
def test_a_text_is_one_line_that_can_be_stored(value: str, limit: int) -> None:
    line = one_line(value, limit)

    assert len(line) <= limit
    assert line == line.strip() == line.encode().decode()
    assert len(line.splitlines()) <= 1
    assert line == one_line(line, limit)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("<p>One</p><p>Two<br/>three</p>", "One Two three"),
        ("<em>E.</em> <em>coli</em>&nbsp;&amp; 5 &lt; 6", "E. coli & 5 < 6"),
        ("before <script>alert('x')</script><style>b{}</style>after<!-- hidden -->", "before after"),
        ('<a href="javascript:alert(1)">click</a><img src=x onerror=alert(1)>', "click"),
        ("if $a <b$ and AT&T > 3 & x<y", "if $a <b$ and AT&T > 3 & x<y"),
        ("&lt;b&gt;", "<b>"),
        ("<p>unclosed <b>tags", "unclosed tags"),
        (None, ""),
    ],
)
def test_html_becomes_text_and_text_stays_text(value: object, expected: str) -> None:
    assert expected == plain(value, 1_000)


def test_markup_without_end_costs_little() -> None:
    assert len(plain("<p>" * 2_000_000 + "x", 100)) <= 100


@given(st.text(st.sampled_from("<>&;/!-abp \"'=#x1\ud800")))
def test_no_markup_breaks_the_cleaning(value: str) -> None:
    text = plain(value, 100)

    assert text == one_line(text, 100)


@pytest.mark.parametrize(
    "value",
    [
        "javascript:alert(1)",
        " JaVaScRiPt:alert(1)",
        "data:text/html,x",
        "/papers/1",
        "//example.org/x",
        "example.org",
        "https://",
        "https://example.org/a b",
        "https://example.org/\r\nBcc:",
        "https://example.org/" + "a" * 3_000,
        "mailto:ada@example.org",
        None,
        7,
    ],
)
def test_only_web_addresses_survive(value: object) -> None:
    assert "" == link(value)


def test_a_web_address_stays_as_it_is() -> None:
    assert "HTTPS://Example.org/a?b=c#d" == link(" HTTPS://Example.org/a?b=c#d ")


def test_names_and_terms_drop_what_is_empty_and_end_somewhere() -> None:
    assert ("Ada", "Ada", "Emmy Noether") == names(["Ada", "", None, "Ada", "Emmy\nNoether", {}])
    assert ("cs.CL", "cs.LG") == terms(["cs.CL", "", "cs.LG", "cs.CL", 3])
    assert MAX_AUTHORS == len(names(str(number) for number in range(5_000)))
    assert 50 == len(terms(str(number) for number in range(5_000)))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2026-06-30", datetime(2026, 6, 30, tzinfo=UTC)),
        ("2026-6-3", datetime(2026, 6, 3, tzinfo=UTC)),
        ("2026-02-26T17:08:18.000Z", datetime(2026, 2, 26, 17, 8, 18, tzinfo=UTC)),
        ("2026-02-26T00:00:00-05:00", datetime(2026, 2, 26, 5, tzinfo=UTC)),
        ("2026-02-26 17:08", datetime(2026, 2, 26, 17, 8, tzinfo=UTC)),
        ("2026", None),
        ("2026-06", None),
        ("2026-13-01", None),
        ("2026-02-30", None),
        ("0001-01-01T00:00:00+14:00", None),
        ("9999-12-31T23:59:59-12:00", None),
        ("yesterday", None),
        (20260630, None),
        (None, None),
    ],
)
def test_a_date_has_a_day(value: object, expected: datetime | None) -> None:
    assert expected == moment(value)


@given(ANYTHING | st.from_regex(r"\d{4}-\d{1,2}-\d{1,2}.*", fullmatch=True))
def test_any_value_gives_a_date_in_utc_or_none(value: object) -> None:
    found = moment(value)

    assert found is None or found.tzinfo is UTC


@pytest.mark.parametrize(
    ("value", "expected"),
    [(0, 0), (140, 140), (-1, None), (True, None), (1.5, None), ("7", None), (None, None), (10**12, None)],
)
def test_a_count_is_a_number_that_can_be(value: object, expected: int | None) -> None:
    assert expected == count(value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Ada Lovelace, Emmy Noether", ("Ada Lovelace", "Emmy Noether")),
        ("Very Real Sr. (Cornell University)", ("Very Real Sr.",)),
        ("A One (Univ. of X, Y (Z), W), B Two", ("A One", "B Two")),
        (r"Paulo Andr\'e Lima, J\"org M{\"u}ller", (r"Paulo Andr\'e Lima", r"J\"org M{\"u}ller")),
        ("A One (unclosed, B Two", ("A One (unclosed", "B Two")),
        (" , ,", ()),
        ("", ()),
    ],
)
def test_names_joined_by_commas(text: str, expected: tuple[str, ...]) -> None:
    assert expected == split_commas(text)


def test_parentheses_without_end_cost_little() -> None:
    assert 1 == len(split_commas("(" * 200_000 + ")" * 200_000))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Kukla, D., Crampton, A.", ("D. Kukla", "A. Crampton")),
        ("Plaumann, P.-L., O'Connell, R. J.", ("P.-L. Plaumann", "R. J. O'Connell")),
        ("van der Berg, T.", ("T. van der Berg",)),
        ("Ada Lovelace", ("Ada Lovelace",)),
        ("Lovelace, Ada", ("Ada Lovelace",)),
        ("Ada Lovelace, Emmy Noether, Mary Somerville", ("Ada Lovelace", "Emmy Noether", "Mary Somerville")),
        ("Ada Lovelace and Emmy Noether", ("Ada Lovelace", "Emmy Noether")),
        ("Lovelace, A.; Noether, E.;", ("A. Lovelace", "E. Noether")),
        ("", ()),
    ],
)
def test_bylines_of_journals_and_blogs(text: str, expected: tuple[str, ...]) -> None:
    assert expected == split_byline(text)
