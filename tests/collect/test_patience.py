"""How long servers ask to be left alone."""

from __future__ import annotations

import doctest

import pytest
from hypothesis import given
from hypothesis import strategies as st

import digest.collect.patience
from digest.collect.patience import wait_asked, wait_spent
from tests.makers import NOW

SIX = "Tue, 15 Sep 2026 06:00:00 GMT"
HALF_PAST = "Tue, 15 Sep 2026 06:30:00 GMT"


def test_the_examples_in_the_docstrings_hold() -> None:
    assert 0 == doctest.testmod(digest.collect.patience).failed


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, None),
        ({"Retry-After": "0"}, 0.0),
        ({"Retry-After": " 120 "}, 120.0),
        ({"Retry-After": "0.25"}, 0.25),
        ({"Retry-After": HALF_PAST}, 1800.0),
        ({"Retry-After": "Tue, 15 Sep 2026 08:30:00 +0200"}, 1800.0),
        ({"Retry-After": "Tue, 15 Sep 2026 06:30:00 -0000"}, 1800.0),
        ({"Retry-After": "Mon, 14 Sep 2026 06:00:00 GMT"}, 0.0),
        ({"RateLimit": '"api";r=0;t=55', "RateLimit-Policy": '"fixed window";"api";q=500;w=300'}, 55.0),
        ({"RateLimit": '"api";r=12;t=55'}, None),
        ({"Retry-After": "Fri, 31 Dec 9999 23:59:59 GMT"}, 366 * 86_400.0),
        ({"Retry-After": "999999999"}, 366 * 86_400.0),
        ({"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(int(NOW.timestamp()) + 90)}, 90.0),
        ({"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1"} | {"Date": HALF_PAST}, 1.0),
        ({"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "99999999"}, 0.0),
        ({"X-RateLimit-Remaining": "0"}, None),
        ({"X-RateLimit-Remaining": "1", "X-RateLimit-Reset": "60"}, None),
        ({"Retry-After": "7", "RateLimit": '"api";r=0;t=55'}, 7.0),
    ],
)
def test_seconds_dates_and_rate_limits(headers: dict[str, str], expected: float | None) -> None:
    assert expected == wait_asked(headers, NOW)


def test_what_is_granted_may_be_spent_by_an_answer_that_is_none_of_refusal() -> None:
    assert 55.0 == wait_spent({"Retry-After": "7", "RateLimit": '"api";r=0;t=55'}, NOW)
    assert wait_spent({"Retry-After": "7", "RateLimit": '"api";r=1;t=55'}, NOW) is None


def test_a_date_is_read_by_the_servers_own_clock() -> None:
    assert 1800.0 == wait_asked({"Retry-After": HALF_PAST, "Date": SIX}, NOW.replace(hour=11))


@pytest.mark.parametrize(
    "value", ["-1", "nan", "inf", "1e9", "soon", "99999999999999", "Tue, 99 Sep 2026 06:30:00 GMT", "٣"]
)
def test_nonsense_asks_for_nothing(value: str) -> None:
    assert wait_asked({"Retry-After": value}, NOW) is None


@given(st.text(), st.text(), st.text())
def test_whatever_is_said_a_wait_has_an_end(retry_after: str, rate_limit: str, date: str) -> None:
    wait_s = wait_asked({"Retry-After": retry_after, "RateLimit": rate_limit, "Date": date}, NOW)

    assert wait_s is None or 0 <= wait_s <= 366 * 86_400
