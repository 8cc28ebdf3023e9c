"""The line above the papers: what was looked at and found, as somebody would say it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from digest.compose.message import compose
from digest.compose.render import Renderer
from digest.model import WEEKDAYS, Layout
from tests.compose.cases import LETTERHEAD, READER
from tests.makers import digest, pick

RENDERER = Renderer(inliner="css-inline")
FOR_YOU, TRENDING = pick(1), pick(1, part="trending")
WEEKLY = {"frequency": "weekly", "days": WEEKDAYS[:1]}


def openings(*picks: Any, reader: dict[str, Any], **fields: Any) -> tuple[str, str]:
    """What stands above the papers, in the text and in the HTML."""
    mail = compose(digest(*picks, subscriber=replace(READER, **reader), **fields), LETTERHEAD, RENDERER)
    text = " ".join(mail.text.split("\n\n")[1].split())
    html = " ".join(mail.html.partition("preheader")[2].partition(">")[2].partition("</p>")[0].split())
    return text.partition(" In front:")[0].partition(" Vorneweg:")[0], html.partition(" In front:")[0].partition(
        " Vorneweg:"
    )[0]


@pytest.mark.parametrize("layout", ["full", "compact"])
@pytest.mark.parametrize(
    ("shown", "reader", "considered", "matched", "seen_before", "expected"),
    [
        (FOR_YOU, {}, 312, 14, 9, "312 papers looked at, 14 match your keywords."),
        (FOR_YOU, {}, 312, 1, 0, "312 papers looked at, 1 matches your keywords."),
        (FOR_YOU, {}, 1, 1, 0, "1 paper looked at, and it matches your keywords."),
        # related papers are no matches
        (FOR_YOU, {}, 312, 0, 0, "312 papers looked at, none matches your keywords."),
        (FOR_YOU, WEEKLY, 1204, 31, 0, "In seven days 1,204 papers looked at, 31 match your keywords."),
        (TRENDING, {}, 0, 0, 0, "No new papers today; these are trending."),
        (TRENDING, WEEKLY, 0, 0, 0, "No new papers this week; these are trending."),
        (TRENDING, {}, 1, 0, 0, "1 paper looked at, and it matches none of your keywords; these are trending."),
        (TRENDING, {}, 312, 0, 0, "312 papers looked at, none matches your keywords; these are trending."),
        (
            TRENDING,
            {},
            312,
            2,
            2,
            "312 papers looked at, 2 match your keywords, but nothing of that is new to you; these are trending.",
        ),
        (
            TRENDING,
            {},
            312,
            2,
            1,
            (
                "312 papers looked at, 2 match your keywords, but nothing new scores above your floor of 0.2; "
                "these are trending."
            ),
        ),
        (TRENDING, {"keywords": ()}, 1, 0, 0, "1 paper looked at; these are trending."),
        (TRENDING, {"keywords": ()} | WEEKLY, 312, 0, 0, "In seven days 312 papers looked at; these are trending."),
        (
            TRENDING,
            {"language": "de"},
            312,
            2,
            1,
            (
                "312 Artikel gesichtet, 2 passen zu den Stichwörtern, aber nichts Neues liegt über der Schwelle "
                "von 0,2; diese liegen im Trend."
            ),
        ),
    ],
)
def test_a_mail_says_what_was_found_and_why_there_may_be_only_trending(
    shown: Any, reader: dict[str, Any], considered: int, matched: int, seen_before: int, expected: str, layout: Layout
) -> None:
    counts = {"considered": considered, "matched": matched, "seen_before": seen_before}

    said = openings(shown, reader=reader | {"layout": layout}, **counts)

    assert (expected, expected) == said
