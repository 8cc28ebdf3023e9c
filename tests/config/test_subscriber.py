"""One subscriber that is not kept in the file."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest

from digest.config import parse_subscriber
from digest.config.schema import DigestSection
from digest.errors import ConfigError
from digest.model import Subscriber

DEFAULTS = DigestSection(timezone="Asia/Tokyo", trending=0)


def test_a_subscriber_gets_the_defaults_for_what_is_not_given() -> None:
    values = {"email": "ada@LAB.example", "keywords": ["moe"], "time": "7:05", "days": None, "name": None}

    assert Subscriber(
        email="ada@lab.example",
        keywords=("moe",),
        at=dt.time(7, 5),
        frequency="weekdays",
        timezone="Asia/Tokyo",
        trending=0,
    ) == parse_subscriber(values, DEFAULTS)


def test_what_is_not_given_of_somebody_known_stays_as_it_is() -> None:
    known = Subscriber("ada@lab.example", "Ada", ("moe",), dt.time(7, 5), ("sun",), "Asia/Tokyo", 3, 0, 0.5)

    assert known == parse_subscriber({"email": known.email, "name": None}, DEFAULTS, {known.email: known}.get)
    assert replace(known, at=dt.time(9), trending=2) == parse_subscriber(
        {"email": known.email, "time": "9:00", "trending": 2}, DEFAULTS, {known.email: known}.get
    )
    with pytest.raises(ConfigError):
        parse_subscriber({"email": known.email, "keywords": []}, DEFAULTS, {known.email: known}.get)


def test_mistakes_of_a_subscriber_have_the_same_words_as_those_of_the_file() -> None:
    with pytest.raises(ConfigError) as caught:
        parse_subscriber({"email": "", "tiem": 3, "timezone": "Berlin"}, DEFAULTS)

    assert [
        ("email", "this is not a mail address (an email address must have an @-sign)"),
        ("timezone", "there is no such time zone"),
        ("tiem", "there is no such key"),
        ("keywords", "with trending = 0 and no keyword that asks for something, nothing would ever be sent"),
    ] == [(problem.key, problem.message) for problem in caught.value.problems]
