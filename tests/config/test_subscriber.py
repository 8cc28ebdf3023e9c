"""One subscriber that is not kept in the file."""

from __future__ import annotations

import datetime as dt
import json
import tomllib
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.config import load, parse_subscriber
from digest.config.schema import DigestSection
from digest.errors import ConfigError
from digest.model import Subscriber
from tests.config.test_load import ALL, SMALL

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
        inherits=tuple(name for name in ALL if name != "at"),
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


#: some of what can be chosen, as TOML
CHOICES: dict[str, list[Any]] = {
    "time": ["05:00", "23:59"],
    "rhythm": [
        *('frequency = "daily"', 'frequency = "weekly"', 'days = ["mon"]', 'frequency = "weekly"\ndays = ["sun"]'),
        *('frequency = "weekdays"', 'days = ["sat"]'),
    ],
    "timezone": ["Europe/Berlin", "America/New_York"],
    "max_papers": [3, 40],
    "trending": [1, 9],
    "min_score": [0.1, 0.9],
    "followups": [True, False],
    "layout": ["full", "compact"],
    "language": ["de", "zh"],
    "quiet": ["note", "skip"],
}
TABLE = st.fixed_dictionaries({}, optional={key: st.sampled_from(values) for key, values in CHOICES.items()})


def keys(chosen: dict[str, object]) -> dict[str, object]:
    """The table with these choices."""
    rest = {key: value for key, value in chosen.items() if key != "rhythm"}
    return rest | tomllib.loads(str(chosen.get("rhythm", "")))


#: a rhythm that is chosen by half is made whole by what [digest] says on that day, and is theirs from then on
_HALF = {'days = ["mon"]', 'days = ["sat"]', 'frequency = "weekly"'}
OWN = TABLE.filter(lambda chosen: chosen.get("rhythm") not in _HALF)


@given(own=OWN, before=TABLE, after=TABLE)
def test_who_joins_gets_what_digest_says_today_of_all_that_they_did_not_choose(
    tmp_path_factory: pytest.TempPathFactory,
    own: dict[str, object],
    before: dict[str, object],
    after: dict[str, object],
) -> None:
    """As if they had joined today."""
    path = tmp_path_factory.mktemp("config") / "config.toml"
    # JSON texts of these values are TOML
    section = "".join(f"{key} = {json.dumps(value)}\n" for key, value in keys(after).items())
    path.write_text(f"{SMALL}[digest]\n{section}", encoding="utf-8")
    values, today = {"email": "ada@lab.example", "keywords": ["moe"], **keys(own)}, load(path, {})

    joined = parse_subscriber(values, DigestSection.model_validate(keys(before)))

    assert today.as_now(joined) == parse_subscriber(values, today.digest)


@given(own=TABLE, defaults=TABLE, again=st.sets(st.sampled_from([*(CHOICES.keys() - {"rhythm"}), "days", "frequency"])))
def test_what_is_to_be_inherited_again_is_as_if_it_had_never_been_chosen(
    own: dict[str, object], defaults: dict[str, object], again: set[str]
) -> None:
    section, who = DigestSection.model_validate(keys(defaults)), {"email": "ada@lab.example", "keywords": ["moe"]}
    known = parse_subscriber(who | keys(own), section)

    found = parse_subscriber({"email": known.email}, section, lambda _: known, inherit=again)

    gone = again | ({"rhythm"} if again & {"days", "frequency"} else set())
    kept = keys({key: value for key, value in own.items() if key not in gone})
    assert parse_subscriber(who | kept, section) == found
