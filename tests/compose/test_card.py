from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from digest.compose.card import Badge, Card, Detail, MissedCard, card, missed_card
from digest.compose.letter import write
from digest.compose.marking import Segment
from digest.compose.message import compose
from digest.compose.render import Renderer
from digest.languages.language import ENGLISH
from digest.model import Match, Missed, Signals, Similar, Trend
from digest.private import private_name
from tests.compose.cases import LETTERHEAD, USUAL
from tests.makers import digest, paper, pick, subscriber


def test_a_pick_becomes_a_card_with_every_line_ready() -> None:
    chosen = pick(
        1,
        paper=paper(
            1,
            title=r"On $\alpha$",
            abstract="We study it.",
            authors=("A", "B", "C", "D", "E"),
            organization="Example University",
            version=2,
            announce="replace",
            sources=("arxiv", "huggingface"),
            code_url="https://example.org/code",
            discussion_url="https://example.org/talk",
            ai_summary="It is studied.",
        ),
        matches=(Match("alpha", ("title",), words=(r"$\alpha$",)),),
        trend=Trend(0.5, 142, 84, 12, 1234, 0, change_days=1),
        why="“alpha” in title",
    )

    expected = Card(
        number=7,
        title="On α",
        title_segments=(Segment("On "), Segment("α", marked=True)),
        link="https://arxiv.org/abs/2609.00001",
        authors="A, B, C and 2 more · Example University",
        origin="arXiv, Hugging Face · cs.LG · 14 Sep 2026 · v2 · updated",
        badges=(
            Badge("▲ 142 (+84 since yesterday)", "142 upvotes, 84 more since yesterday"),
            Badge("★ 1.2k", "1,234 stars"),
            Badge("in 2 sources", "in 2 sources"),
        ),
        links=(
            Badge("12 comments", "12 comments", "https://example.org/talk"),
            Badge("Code", "Code", "https://example.org/code"),
        ),
        ai_summary="It is studied.",
        abstract="We study it.",
        abstract_segments=(Segment("We study it."),),
        why="“alpha” in title",
    )
    assert expected == card(chosen, 7, Detail())


def test_what_a_source_does_not_say_is_not_shown() -> None:
    bare = paper(1, authors=(), abstract="", published=None, categories=(), sources=(), version=None)

    assert Card(
        number=1,
        title="On the Number 1",
        title_segments=(Segment("On the Number 1"),),
        link="https://arxiv.org/abs/2609.00001",
    ) == card(pick(1, paper=bare), 1, Detail())


@pytest.mark.parametrize(
    ("trend", "text"),
    [
        (Trend(upvotes=1, upvotes_change=1, change_days=1), "▲ 1 (+1 since yesterday)"),
        (Trend(upvotes=9, upvotes_change=4, change_days=3), "▲ 9 (+4 in 3 days)"),
        (Trend(upvotes=9, upvotes_change=0, change_days=1), "▲ 9"),
        (Trend(upvotes=9, upvotes_change=-2, change_days=1), "▲ 9"),
        (Trend(upvotes=9, upvotes_change=2), "▲ 9"),
        (Trend(), "▲ 5"),
        (Trend(upvotes=0), None),
    ],
)
def test_votes_show_a_gain_and_since_when(trend: Trend, text: str | None) -> None:
    voted = paper(1, signals=Signals(upvotes=5))
    badges = card(pick(1, paper=voted, trend=trend), 1, Detail()).badges

    assert ([text] if text else []) == [badge.text for badge in badges]


@pytest.mark.parametrize(
    ("key", "link"),
    [
        ("arxiv:hep-ex/0307015", "https://arxiv.org/abs/hep-ex/0307015"),
        ("doi:10.1000/x<y", "https://doi.org/10.1000/x%3Cy"),
        ("openreview:aBc", "https://openreview.net/forum?id=aBc"),
        ("url:https://example.org/p", "https://example.org/p"),
        ("url:javascript:alert(1)", ""),
    ],
)
def test_a_paper_without_a_usable_address_is_found_by_its_key(key: str, link: str) -> None:
    assert link == card(pick(1, paper=paper(1, key=key, url="javascript:alert(1)")), 1, Detail()).link


def test_a_compact_card_is_a_few_short_lines() -> None:
    chosen = pick(
        1,
        paper=paper(
            1,
            title="On the Number 1",
            abstract="We study it.",
            authors=("A", "B", "C"),
            sources=("arxiv", "huggingface"),
            categories=("cs.LG", "cs.CL"),
            version=2,
            code_url="https://example.org/code",
            ai_summary="It is studied.",
        ),
        trend=Trend(0.5, 142, 84, 12, 1234, 5, change_days=1),
        why="“number” in title",
        similar=(Similar("url:x", "On the Number 2", ""),),
    )

    assert Card(
        number=1,
        title="On the Number 1",
        title_segments=(Segment("On the Number 1"),),
        link="https://arxiv.org/abs/2609.00001",
        compact=True,
        authors="A and 2 more",
        origin="arXiv, Hugging Face · cs.LG · v2",
        badges=(Badge("▲ 142", "142 upvotes"), Badge("★ 1.2k", "1,234 stars")),
        why="“number” in title",
    ) == card(chosen, 1, Detail(compact=True))


def test_less_detail_shortens_and_then_leaves_out() -> None:
    chosen = pick(1, paper=paper(1, abstract="One. Two. " * 20, ai_summary="Short."), why="why")

    assert "One. Two. One. …" == card(chosen, 1, Detail(abstract=20)).abstract
    assert ("", "") == (card(chosen, 3, Detail(abstracts=2)).abstract, card(chosen, 3, Detail(abstracts=2)).ai_summary)
    assert "why" == card(chosen, 3, Detail(abstracts=2)).why
    assert ("", "", "") == (
        card(chosen, 1, Detail(facts=0)).authors,
        card(chosen, 1, Detail(facts=0)).abstract,
        card(chosen, 1, Detail(facts=0)).why,
    )


@pytest.mark.parametrize(
    ("summary", "by", "abstract", "machine"),
    [
        ("", "", "We study it. Twice.", "It is studied."),
        ("We study it.", "extract", "We study it.", "It is studied."),
        ("A machine read it.", "AI", "", "A machine read it."),
    ],
)
def test_a_summary_stands_for_the_abstract_and_a_machines_is_marked(
    summary: str, by: str, abstract: str, machine: str
) -> None:
    written = paper(1, abstract="We study it. Twice.", ai_summary="It is studied.")
    shown = card(pick(1, paper=written, summary=summary, summary_by=by), 1, Detail())

    assert (abstract, machine) == (shown.abstract, shown.ai_summary)


def test_a_near_miss_is_one_line() -> None:
    assert MissedCard("A β", "https://example.org/", "just below") == missed_card(
        Missed("url:x", r"A $\beta$", "https://example.org/", "just\nbelow"), Detail()
    )


def test_days_are_in_english_whatever_the_locale() -> None:
    assert ("Tuesday, 1 September 2026", "1 Sep") == (
        ENGLISH.long_day(date(2026, 9, 1)),
        ENGLISH.short_day(date(2026, 9, 1)),
    )


# --- the letter -------------------------------------------------------------------------------------------------


def test_a_letter_counts_and_sorts_what_the_digest_holds() -> None:
    letter = write(USUAL, LETTERHEAD, Detail())

    assert [1, 2, 3] == [card.number for card in letter.for_you]
    assert [4, 5] == [card.number for card in letter.trending]
    assert (312, 14, 4, 0) == (letter.considered, letter.matched, letter.more, letter.left_out)
    assert "15 Sep" == letter.short_day
    assert letter.thanks_arxiv


def test_papers_left_out_are_counted() -> None:
    letter = write(USUAL, LETTERHEAD, Detail(papers=2))

    assert (2, 0, 3) == (len(letter.for_you), len(letter.trending), letter.left_out)


def test_there_is_always_an_address_to_write_to() -> None:
    bare = replace(LETTERHEAD, reply_to="", operator="", unsubscribe_mailto="", base_url="")

    assert "librarian@example.org" == write(USUAL, LETTERHEAD, Detail()).contact
    assert "digest@papers.example.org" == write(USUAL, bare, Detail()).contact
    assert "" == write(USUAL, bare, Detail()).unsubscribe_link


def test_the_way_out_names_the_reader_by_token_or_address() -> None:
    without_token = digest(pick(), subscriber=subscriber("a+b@example.org"))
    letter = write(without_token, LETTERHEAD, Detail())

    assert "" == letter.unsubscribe_link
    assert "mailto:leave@papers.example.org?subject=unsubscribe%20a%2Bb%40example.org" == letter.unsubscribe_mailto


def test_a_mail_leads_to_the_archive_s_page_of_the_utc_day_it_was_planned_on() -> None:
    head = replace(LETTERHEAD, archive_url="https://papers.example.org/x")
    tomorrow_here = replace(USUAL, local_date=date(2026, 9, 16), planned_at=datetime(2026, 9, 15, 22, tzinfo=UTC))
    mail = compose(tomorrow_here, head, Renderer())

    assert "https://papers.example.org/x/2026-09-15/" == write(tomorrow_here, head, Detail()).archive_link
    assert '<a class="accent" href="https://papers.example.org/x/2026-09-15/"' in re.sub(
        ' style="[^"]*"', "", mail.html
    )
    assert "    https://papers.example.org/x/2026-09-15/\n" in mail.text
    assert "" == write(USUAL, LETTERHEAD, Detail()).archive_link


def test_a_mail_names_its_reader_s_own_feed_if_there_is_one() -> None:
    head = replace(LETTERHEAD, archive_url="https://papers.example.org/x", has_feeds=True)
    mail = compose(USUAL, head, Renderer())
    link = f"https://papers.example.org/x/private/{private_name(USUAL.subscriber.token)}/feed.atom"
    without_token = digest(pick(), subscriber=subscriber("ada@example.org"))

    assert link == write(USUAL, head, Detail()).feed_link
    assert f'href="{link}"' in mail.html
    assert f"    {link}\n" in mail.text
    assert "" == write(without_token, head, Detail()).feed_link
    assert "" == write(USUAL, replace(head, archive_url=""), Detail()).feed_link
    assert "" == write(USUAL, replace(head, has_feeds=False), Detail()).feed_link


def test_many_keywords_are_counted_not_listed() -> None:
    letter = write(digest(pick(), subscriber=subscriber(keywords=tuple("abcdefghijklmno"))), LETTERHEAD, Detail())

    assert "a, b, c, d, e, f, g, h, i, j, k, l and 3 more" == letter.keywords
