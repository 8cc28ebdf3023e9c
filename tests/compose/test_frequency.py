"""Each frequency has words of its own, and so has a day for which nothing was found."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from email import message_from_bytes
from typing import TYPE_CHECKING, Any

import pytest

from digest.compose.message import compose
from digest.compose.render import Renderer
from digest.model import WEEKDAYS
from tests.compose.cases import LETTERHEAD, QUIET, READER, USUAL, WEEKLY
from tests.makers import digest, paper, pick

if TYPE_CHECKING:
    from digest.model import Digest, Frequency, Mail, Weekday

RENDERER = Renderer(inliner="css-inline")


def mail(digest: Digest) -> Mail:
    return compose(digest, LETTERHEAD, RENDERER)


def words(digest: Digest) -> str:
    return " ".join(mail(digest).text.split())


@pytest.mark.parametrize(
    ("frequency", "days", "expected"),
    [
        ("daily", WEEKDAYS, "You get this mail every day because"),
        ("daily", WEEKDAYS[:2], "You get this mail because"),
        ("weekdays", WEEKDAYS[:5], "You get this mail from Monday to Friday because"),
        ("weekly", WEEKDAYS[1:2], "You get this mail once a week because"),
    ],
)
def test_a_mail_says_how_often_it_comes(frequency: Frequency, days: tuple[Weekday, ...], expected: str) -> None:
    reader = replace(READER, frequency=frequency, days=days)

    sent = mail(replace(USUAL, subscriber=reader))

    assert expected in " ".join(sent.text.split())
    assert expected in sent.html


@pytest.mark.parametrize(
    ("day", "expected", "title"),
    [
        (date(2026, 9, 15), "Week of 9–15 Sep: ", "Week of 9–15 September 2026"),
        (date(2026, 10, 2), "Week of 26 Sep – 2 Oct: ", "Week of 26 September – 2 October 2026"),
        (date(2027, 1, 3), "Week of 28 Dec – 3 Jan: ", "Week of 28 December 2026 – 3 January 2027"),
    ],
)
def test_a_weekly_mail_names_its_week_and_keeps_its_subject_short(day: date, expected: str, title: str) -> None:
    long = replace(WEEKLY, local_date=day, picks=(pick(1, paper=paper(1, title="word " * 40)), *WEEKLY.picks * 10))

    sent = mail(long)

    assert sent.subject.startswith(expected)
    assert sent.subject.endswith(" + 50 more")
    assert len(sent.subject) <= 70
    assert f">{title}</h1>" in sent.html


@pytest.mark.parametrize(
    ("kind", "expected"),
    [(USUAL, "20260915:daily:"), (WEEKLY, "20260915:weekly:"), (QUIET, "20260915:quiet:")],
)
def test_receivers_can_tell_the_kinds_of_mail_apart(kind: Digest, expected: str) -> None:
    assert str(message_from_bytes(mail(kind).data)["Feedback-ID"]).startswith(expected)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"considered": 0}, "No new papers have come since your last mail with papers, so there is nothing to show."),
        ({"considered": 0, "days": 1}, "No new papers have come within 1 day, so there is nothing to show."),
        (
            {"considered": 1},
            "1 paper has come since your last mail with papers, and none of them matches your keywords.",
        ),
        ({"days": 8}, "1,204 papers have come within 8 days, and none of them matches your keywords."),
        ({"considered": 1, "keywords": ()}, "papers, and nothing is trending that is not in an earlier mail."),
        ({"matched": 2, "seen_before": 2}, "2 match your keywords, and all of that is in an earlier mail."),
        ({"matched": 2, "seen_before": 2}, "in an earlier mail. Nothing escaped you."),
        (
            {"matched": 2, "seen_before": 2, "waiting": True},
            "in an earlier mail. An earlier mail may still be on its way to you.",
        ),
        ({"matched": 3, "seen_before": 1}, "1 is in an earlier mail, and 2 score below your floor of 0.2."),
        ({"matched": 1}, "1 matches your keywords: 1 scores below your floor of 0.2."),
    ],
)
def test_a_note_says_why_there_is_nothing(fields: dict[str, Any], expected: str) -> None:
    numbers = {"considered": 1204} | {name: value for name, value in fields.items() if name != "keywords"}
    reader = replace(READER, keywords=fields.get("keywords", READER.keywords))

    assert expected in words(digest(subscriber=reader, **numbers))


def test_a_note_does_not_propose_shorter_entries_where_they_would_change_nothing() -> None:
    without_papers, without_keywords = digest(subscriber=READER), replace(READER, keywords=())

    assert "To find more" in words(QUIET)
    assert "To find more" not in words(without_papers)
    assert "To find more" not in words(digest(subscriber=without_keywords, considered=9))
