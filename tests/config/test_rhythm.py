"""`frequency` beside `days`: of [digest], of a subscriber, and what contradicts itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from digest.config import load, parse_subscriber
from digest.config.schema import DigestSection
from digest.errors import ConfigError
from tests.makers import subscriber

if TYPE_CHECKING:
    from pathlib import Path

    from digest.errors import ConfigProblem
    from digest.model import Frequency, Subscriber, Weekday

TEXT = """[mail]
from = "digest@lab.example"
[[sources]]
type = "jsonl"
path = "papers.jsonl"
[digest]
{defaults}
[[subscribers]]
email = "ada@lab.example"
keywords = ["moe"]
{own}
"""
WORKDAYS = ("mon", "tue", "wed", "thu", "fri")
ALL = (*WORKDAYS, "sat", "sun")


def reader(folder: Path, defaults: str, own: str) -> Subscriber:
    path = folder / "config.toml"
    path.write_text(TEXT.format(defaults=defaults, own=own), encoding="utf-8")
    return load(path, {}).subscribers[0]


def problem(folder: Path, defaults: str, own: str) -> ConfigProblem:
    with pytest.raises(ConfigError) as caught:
        reader(folder, defaults, own)
    (one,) = caught.value.problems
    return one


@pytest.mark.parametrize(
    ("defaults", "own", "expected"),
    [
        ("", "", ("weekdays", WORKDAYS)),
        ("", 'days = ["sun", "wed"]', ("daily", ("wed", "sun"))),
        ('days = ["sat"]', "", ("daily", ("sat",))),
        ('days = ["sat"]', 'days = ["mon"]', ("daily", ("mon",))),
    ],
)
def test_a_configuration_without_frequency_has_the_rhythm_that_it_had(
    tmp_path: Path, defaults: str, own: str, expected: tuple[str, tuple[str, ...]]
) -> None:
    found = reader(tmp_path, defaults, own)

    assert expected == (found.frequency, found.days)


@pytest.mark.parametrize(
    ("defaults", "own", "expected"),
    [
        ("", 'frequency = "daily"', ("daily", ALL)),
        ("", 'frequency = "weekly"', ("weekly", ("fri",))),
        ("", 'frequency = "weekly"\ndays = ["mon"]', ("weekly", ("mon",))),
        ("", 'frequency = "daily"\ndays = ["mon", "sat"]', ("daily", ("mon", "sat"))),
        ("", 'frequency = "weekdays"\ndays = ["mon", "tue"]', ("daily", ("mon", "tue"))),
        ('frequency = "daily"', "", ("daily", ALL)),
        ('frequency = "daily"', 'frequency = "weekdays"', ("weekdays", WORKDAYS)),
        ('frequency = "weekly"', "", ("weekly", ("fri",))),
        ('frequency = "weekly"\ndays = ["mon"]', "", ("weekly", ("mon",))),
        ('frequency = "weekly"\ndays = ["mon"]', 'frequency = "weekly"', ("weekly", ("mon",))),
        ('frequency = "weekly"', 'days = ["sun"]', ("weekly", ("sun",))),
        ('frequency = "weekly"\ndays = ["mon"]', 'frequency = "daily"', ("daily", ALL)),
        ('frequency = "weekdays"', 'days = ["sat", "sun"]', ("daily", ("sat", "sun"))),
        ('days = ["sat", "sun"]', 'frequency = "weekdays"', ("weekdays", WORKDAYS)),
    ],
)
def test_a_frequency_without_days_has_its_own(
    tmp_path: Path, defaults: str, own: str, expected: tuple[str, tuple[str, ...]]
) -> None:
    found = reader(tmp_path, defaults, own)

    assert expected == (found.frequency, found.days)


@pytest.mark.parametrize(
    ("defaults", "own", "expected"),
    [
        (
            "",
            'frequency = "weekly"\ndays = ["mon", "wed", "fri"]',
            (
                12,
                "subscribers.0.days",
                "a weekly digest has one day and not 3 (subscriber ada@lab.example)",
                "name one day, like fri; for a digest on each of these choose the frequency daily",
            ),
        ),
        (
            "",
            'frequency = "weekdays"\ndays = ["fri", "sat", "sun"]',
            (
                12,
                "subscribers.0.days",
                "weekdays are Monday to Friday, without sat and sun (subscriber ada@lab.example)",
                "leave days out; for a digest on each of these choose the frequency daily",
            ),
        ),
        (
            'frequency = "weekly"\ndays = ["mon", "wed"]',
            "",
            (
                8,
                "digest.days",
                "a weekly digest has one day and not 2",
                "name one day, like fri; for a digest on each of these choose the frequency daily",
            ),
        ),
        (
            'frequency = "weekly"',
            'days = ["mon", "wed"]',
            (
                11,
                "subscribers.0.days",
                "a weekly digest, as [digest] says, has one day and not 2 (subscriber ada@lab.example)",
                "name one day, like fri; for a digest on each of these choose the frequency daily",
            ),
        ),
        (
            "",
            'frequency = "monthly"',
            (
                11,
                "subscribers.0.frequency",
                "must be one of: daily, weekdays, weekly (subscriber ada@lab.example)",
                "",
            ),
        ),
        (
            "",
            'quiet = "notes"',
            (
                11,
                "subscribers.0.quiet",
                "must be one of: skip, note (subscriber ada@lab.example)",
                "did you mean note?",
            ),
        ),
    ],
)
def test_what_contradicts_itself_is_told_with_what_to_write(
    tmp_path: Path, defaults: str, own: str, expected: tuple[int, str, str, str]
) -> None:
    found = problem(tmp_path, defaults, own)

    assert expected == (found.line, found.key, found.message, found.hint)


def test_a_quiet_day_is_skipped_unless_somebody_asks_for_a_note(tmp_path: Path) -> None:
    assert ["skip", "note", "note", "skip"] == [
        reader(tmp_path, defaults, own).quiet
        for defaults, own in [
            ("", ""),
            ("", 'quiet = "note"'),
            ('quiet = "note"', ""),
            ('quiet = "note"', 'quiet = "skip"'),
        ]
    ]


@pytest.mark.parametrize(
    ("before", "given", "expected"),
    [
        (("weekly", ("mon",)), {}, ("weekly", ("mon",))),
        (("weekly", ("mon",)), {"days": ["sun"]}, ("weekly", ("sun",))),
        (("weekly", ("mon",)), {"frequency": "weekly"}, ("weekly", ("mon",))),
        (("weekly", ("mon",)), {"frequency": "daily"}, ("daily", ALL)),
        (("weekdays", WORKDAYS), {"days": ["sat"]}, ("daily", ("sat",))),
        (("daily", ("mon", "wed")), {"frequency": "weekly"}, ("weekly", ("fri",))),
        (("daily", ("mon", "wed")), {"frequency": "weekly", "days": ["wed"]}, ("weekly", ("wed",))),
        (("daily", ("mon", "wed")), {}, ("daily", ("mon", "wed"))),
    ],
)
def test_who_changes_keeps_the_rest_of_their_rhythm(
    before: tuple[Frequency, tuple[Weekday, ...]], given: dict[str, object], expected: tuple[str, tuple[str, ...]]
) -> None:
    known = subscriber(frequency=before[0], days=before[1])

    found = parse_subscriber({"email": known.email} | given, DigestSection(), lambda _: known)

    assert expected == (found.frequency, found.days)


def test_a_weekly_reader_cannot_name_a_second_day() -> None:
    known = subscriber(frequency="weekly", days=("mon",))

    with pytest.raises(ConfigError) as caught:
        parse_subscriber({"email": known.email, "days": ["mon", "tue"]}, DigestSection(), lambda _: known)

    assert ["a weekly digest has one day and not 2"] == [problem.message for problem in caught.value.problems]
