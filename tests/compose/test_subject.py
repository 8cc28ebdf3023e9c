"""The subject: the leading paper, another one each day, short enough for a phone, and yours if you want."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import fields, replace
from datetime import date, timedelta
from email import message_from_bytes, policy
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from digest.compose.letter import Cover
from digest.compose.message import compose
from digest.compose.press import Press
from digest.compose.render import SUBJECT_LIMIT, Renderer
from digest.errors import TemplateError
from digest.languages.language import available
from tests.compose.cases import LETTERHEAD, READER, USUAL
from tests.makers import HOSTILE_TITLE, TODAY, digest, paper, pick

if TYPE_CHECKING:
    from digest.model import Digest, Frequency

RENDERER = Renderer(inliner="css-inline")
#: one for all, as in a run: what is kept between mails must not show
PRESS = Press(LETTERHEAD, RENDERER)
DAYS = st.dates(date(2026, 1, 1), date(2028, 12, 31))
TITLES = st.text(max_size=300) | st.sampled_from(
    [
        HOSTILE_TITLE,
        "专家混合模型的稀疏路由" * 20,
        r"A $\beta$-VAE that Learns $k$ Factors in $O(n\log n)$ Time for $\mathcal{L}_{\text{KL}} \leq 10^{-3}$",
        "W" * 400,
        "word " * 100,
        "🚀" * 200,
        "نموذج لغوي صغير " * 20,
        "=?utf-8?q?a=0D=0ABcc=3A_victim=40x=0D=0A?=",
        "\u202e\u200b\x00",
        "",
    ]
)


def one(title: str, picks: int = 1, day: date = TODAY, frequency: Frequency = "daily", language: str = "en") -> Digest:
    papers = (pick(number, paper=paper(number, title=title)) for number in range(1, picks + 1))
    return digest(
        *papers, subscriber=replace(READER, frequency=frequency, language=language), local_date=day, considered=1204
    )


def said(mail: bytes) -> str:
    return str(message_from_bytes(mail, policy=policy.default)["Subject"])


@given(
    TITLES, st.integers(0, 100), DAYS, st.sampled_from(["daily", "weekdays", "weekly"]), st.sampled_from(available())
)
@example("W" * 400, 100, date(2026, 12, 27), "weekly", "en")
@example("word " * 100, 100, date(2027, 1, 3), "weekly", "de")
@settings(max_examples=150, deadline=None)
def test_it_is_short_and_one_line_whatever_leads(
    title: str, picks: int, day: date, frequency: Frequency, language: str
) -> None:
    mail = PRESS.compose(one(title, picks, day, frequency, language))

    assert 0 < len(mail.subject) <= SUBJECT_LIMIT == 70
    assert mail.subject == said(mail.data) == " ".join(mail.subject.split())
    assert not {"Cc", "Cs", "Zl", "Zp"}.intersection(map(unicodedata.category, mail.subject))
    assert not re.search("[\u202a-\u202e\u2066-\u2069]", mail.subject)


@given(
    TITLES,
    st.integers(0, 3),
    DAYS,
    st.integers(1, 360),
    st.sampled_from(["daily", "weekly"]),
    st.sampled_from(available()),
)
@settings(max_examples=100, deadline=None)
def test_no_two_days_of_a_year_have_the_same(
    title: str, picks: int, day: date, later: int, frequency: Frequency, language: str
) -> None:
    """Mail programs put mails of one subject into one conversation, and hide what they have in common.

    Even if the same paper leads, or there is none; who has weekly mails has them seven days apart at least.
    """
    two = (one(title, picks, of, frequency, language) for of in (day, day + timedelta(days=later)))

    first, second = (PRESS.compose(each).subject for each in two)

    assert first != second


@given(st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=45), st.integers(1, 30))
@settings(max_examples=50, deadline=None)
def test_it_promises_nothing_but_the_title_as_it_is(title: str, picks: int) -> None:
    """No “you won't believe”, no exclamation mark, no capitals: the day, the paper, how many more."""
    found = re.fullmatch(r"15 Sep: (.+?)( \+ \d+ more)?", PRESS.compose(one(title, picks)).subject)

    assert found is not None
    assert RENDERER.subject(replace(_cover(title), short_day="", more=0)).removeprefix(": ") == found[1]
    assert (f" + {picks - 1} more" if picks > 1 else None) == found[2]


def _cover(title: str) -> Cover:
    from digest.compose.card import Detail
    from digest.compose.letter import cover

    return cover(one(title), LETTERHEAD, Detail())


# --- a template of one's own ------------------------------------------------------------------------------------------


def own(folder: Path, source: str) -> Renderer:
    (folder / "mail").mkdir()
    (folder / "mail" / "digest.subject.txt").write_text(source, encoding="utf-8")
    return Renderer(folder, inliner="css-inline")


def test_ones_own_is_used_both_ways_of_composing(tmp_path: Path) -> None:
    renderer = own(
        tmp_path, "{{ letter.reader }}: {{ letter.more + 1 }} of {{ letter.considered }}, {{ letter.day }}\n"
    )

    mails = [compose(USUAL, LETTERHEAD, renderer), Press(LETTERHEAD, renderer).compose(USUAL)]

    assert ["ada@example.org: 5 of 312, Tuesday, 15 September 2026"] * 2 == [said(mail.data) for mail in mails]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("Papers\r\nBcc: victim@example.org", "Papers Bcc: victim@example.org"),
        ("\n\n  {{ letter.short_day }}\n\n", "15 Sep"),
        ("=?utf-8?q?a=0D=0ABcc=3A_x=40y=0D=0A?=", "= ?utf-8?q?a=0D=0ABcc=3A_x=40y=0D=0A? ="),
        ("a\u202eb\x07c\u200b", "ab c"),
        ("{{ letter.lead }} " * 5, "Quiet Routers: Why Most Tokens in a Mixture-of-Experts Layer Do Not…"),
        ("x" * 200, "x" * 69 + "…"),
        ("专" * 200, "专" * 69 + "…"),
    ],
)
def test_what_ones_own_gives_is_cleaned_and_cut(tmp_path: Path, source: str, expected: str) -> None:
    mail = Press(LETTERHEAD, own(tmp_path, source)).compose(USUAL)

    assert expected == mail.subject == said(mail.data)
    assert "Bcc" not in message_from_bytes(mail.data)


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("{{ letter.titel }}", "has no attribute 'titel'"),
        ("{{ letter.lead", "unexpected end of template"),
        ("{% if letter.quiet %}{{ nothing }}{% endif %}x", "'nothing' is undefined"),
        ("{{ letter.for_you[0].titel }}", "titel"),
        ("{% if not letter.quiet %}{{ letter.lead }}{% endif %}", "the subject is empty"),
        (" \n\u200b", "the subject is empty"),
    ],
)
def test_a_mistake_in_ones_own_is_found_by_a_check(tmp_path: Path, source: str, reason: str) -> None:
    with pytest.raises(TemplateError) as caught:
        own(tmp_path, source).check()

    assert caught.value.name.endswith("digest.subject.txt")
    assert reason in caught.value.reason


def test_the_manual_names_what_a_subject_may_hold(tmp_path: Path) -> None:
    """Each of these is there, and the example works."""
    readme = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    [section] = re.findall(r"^### The subject\n(.*?)^#", readme, flags=re.MULTILINE | re.DOTALL)
    [example] = re.findall(r"```jinja\n(.*?)```", section, flags=re.DOTALL)
    named = set(re.findall(r"`letter\.(\w+)`", section))

    assert {"short_day", "short_week", "day", "subject_lead", "lead", "more", "considered", "matched"} <= named
    assert named <= {field.name for field in fields(Cover)}
    own(tmp_path, example).check()
