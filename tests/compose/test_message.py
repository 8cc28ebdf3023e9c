from __future__ import annotations

from binascii import a2b_qp
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from email import message_from_bytes
from email.header import Header
from email.message import EmailMessage
from email.policy import default
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from digest.compose import mime
from digest.compose.message import SIZE_LIMIT, compose, compose_notice, message_id
from digest.compose.press import Press
from digest.compose.render import Renderer
from digest.compose.text import one_line
from digest.errors import DigestError
from digest.model import Mail, Missed, Trend
from tests.compose.cases import LETTERHEAD, READER, SIMILAR, TALL, WIDE, illustrated, matched
from tests.makers import HOSTILE_TITLE, NOW, digest, paper, pick, subscriber

if TYPE_CHECKING:
    from pathlib import Path

    from digest.model import Layout

RENDERER = Renderer(inliner="css-inline")


def parsed(mail: Mail) -> EmailMessage:
    message = message_from_bytes(mail.data, policy=default)
    assert isinstance(message, EmailMessage)
    return message


# --- the envelope -----------------------------------------------------------------------------------------------

#: what the CVE-2024-6923 of Python before 3.11.10 turns into a header line
SMUGGLED = "Top: =?utf-8?q?a=0D=0ABcc=3A_victim=40x=0D=0A?="
#: anything at all, with the dangerous pieces frequent
NASTY = st.lists(
    st.sampled_from(
        [
            "\r\nBcc: x@y.org",
            "\x00",
            "\u202e",
            "=?utf-8?q?",
            "?=",
            "=0D=0A",
            "<a@b.c>",
            ",",
            ";",
            '"',
            "\\",
            "(",
            "é",
            "专",
            "\ud800",
        ]
    )
    | st.text(max_size=12),
    max_size=12,
).map("".join)


@given(name=NASTY, title=NASTY)
@example(name=SMUGGLED, title=SMUGGLED)
@example(name=HOSTILE_TITLE, title=HOSTILE_TITLE)
@example(name='Ada "the first" Lovelace, Countess', title="=?us-ascii?q?x?=")
@example(name="a" * 500, title="专" * 500)
@settings(max_examples=150, deadline=None)
def test_whatever_a_name_or_title_holds_the_headers_parse_back_equal(name: str, title: str) -> None:
    """One recipient, every header once, and no other header than those of an ordinary mail."""
    ordinary = parsed(compose(digest(pick(1), subscriber=READER), LETTERHEAD, RENDERER))
    mail = compose(
        digest(pick(1, paper=paper(1, title=title)), subscriber=replace(READER, name=name)), LETTERHEAD, RENDERER
    )
    message = parsed(mail)

    assert ordinary.keys() == message.keys()
    (to,) = message["To"].addresses
    assert READER.email == to.addr_spec
    assert one_line(name, 60).startswith(to.display_name.removesuffix("…"))
    assert one_line(name, 60) == to.display_name or to.display_name.endswith("…")
    assert mail.subject == message["Subject"]
    assert [mail.message_id, mail.recipient] == [message["Message-ID"], READER.email]
    assert not message.defects
    assert mail.data.isascii()
    # what it vouches for is true
    assert mail.vouched
    assert mail.data.endswith(b"\r\n")
    assert mail.data.count(b"\r\n") == mail.data.count(b"\r") == mail.data.count(b"\n")
    assert b"\n." not in mail.data


def test_the_envelope_is_separate_from_the_headers() -> None:
    mail = compose(digest(pick(1), subscriber=READER), LETTERHEAD, RENDERER)

    assert ("bounces@papers.example.org", "ada@example.org") == (mail.envelope_from, mail.recipient)
    assert "digest@papers.example.org" == parsed(mail)["From"].addresses[0].addr_spec
    assert (
        "digest@papers.example.org"
        == compose(digest(pick(1)), replace(LETTERHEAD, envelope_from=""), RENDERER).envelope_from
    )


@pytest.mark.parametrize(
    "address",
    [
        *("a@b.org,c@d.org", "a@exa mple.org", "a@b.org\r\nBcc: c@d.org", "a", "", "@b.org", "a@", "a@b@c.org"),
        *("Ada <a@b.org>", "a\u202e@b.org", "a\x00@b.org", "a\ud800@b.org", '"a b"@c.org', "a" * 300 + "@b.org"),
        *("a" * 65 + "@b.org", "ä" * 33 + "@b.org", "a@" + "b" * 250 + ".org"),
    ],
)
def test_an_address_that_is_not_exactly_one_is_refused(address: str) -> None:
    with pytest.raises(DigestError, match="is not a mail address"):
        compose(digest(pick(1), subscriber=subscriber(address)), LETTERHEAD, RENDERER)


@pytest.mark.parametrize(
    ("address", "written"),
    [
        ("ada@example.org", "ada@example.org"),
        ("root@localhost", "root@localhost"),
        ("ada@[127.0.0.1]", "ada@[127.0.0.1]"),
        ("ada@exämple.de", "ada@xn--exmple-cua.de"),
        ("ada@straße.de", "ada@xn--strae-oqa.de"),
        ("zoë@bücher.de", "zoë@xn--bcher-kva.de"),
        ("zoë@localhost", "zoë@localhost"),
    ],
)
def test_domains_are_written_in_ascii(address: str, written: str) -> None:
    assert written == compose(digest(pick(1), subscriber=subscriber(address)), LETTERHEAD, RENDERER).recipient


@pytest.mark.parametrize("sender", ["", "nobody", "Digest <>", "a@b.org, c@d.org"])
def test_a_sender_that_is_not_exactly_one_is_refused(sender: str) -> None:
    bare = replace(LETTERHEAD, from_address=sender, reply_to="", operator="", unsubscribe_mailto="")

    with pytest.raises(DigestError, match="is not a mail address"):
        compose(digest(pick(1)), bare, RENDERER)


def test_a_senders_name_is_cleaned_too() -> None:
    letterhead = replace(LETTERHEAD, from_address="Päper\x00 dïgest <digest@example.org>")

    assert "Päper dïgest <digest@example.org>" == str(parsed(compose(digest(pick(1)), letterhead, RENDERER))["From"])


# --- identity and date ------------------------------------------------------------------------------------------


def test_a_message_id_belongs_to_a_reader_and_a_day() -> None:
    monday = message_id("a@example.org", date(2026, 9, 14), "example.net", token="t")

    assert monday == message_id("a@example.org", date(2026, 9, 14), "example.net", token="t")
    assert 4 == len(
        {
            monday,
            message_id("a@example.org", date(2026, 9, 15), "example.net", token="t"),
            message_id("b@example.org", date(2026, 9, 14), "example.net", token="t"),
            message_id("a@example.org", date(2026, 9, 14), "example.net", token="u"),
        }
    )
    assert monday.startswith("<2026-09-14.")
    assert monday.endswith("@example.net>")


def test_a_message_id_stays_when_the_papers_change() -> None:
    one = compose(digest(pick(1)), LETTERHEAD, RENDERER)
    other = compose(digest(pick(2)), LETTERHEAD, RENDERER)

    assert (
        one.message_id
        == other.message_id
        == message_id("ada@example.org", date(2026, 9, 15), "papers.example.org", token=digest().subscriber.token)
    )


def test_the_date_is_when_the_digest_was_planned() -> None:
    berlin = datetime(2026, 9, 15, 8, 0, tzinfo=timezone(timedelta(hours=2)))

    assert NOW == parsed(compose(digest(pick(1)), LETTERHEAD, RENDERER))["Date"].datetime
    assert berlin == parsed(compose(digest(pick(1), planned_at=berlin), LETTERHEAD, RENDERER))["Date"].datetime


# --- size -------------------------------------------------------------------------------------------------------


def many(count: int, length: int, **fields: Any) -> Mail:
    picks = [
        matched(number, "study", ("study",), abstract="We study words. " * length, title=f"Title {number}", **fields)
        for number in range(1, count + 1)
    ]
    return compose(digest(*picks, subscriber=READER), LETTERHEAD, RENDERER)


def test_abstracts_get_shorter_before_any_is_dropped() -> None:
    assert 10 == many(10, 100).html.count('class="abstract')
    assert 25 == many(25, 100).html.count('class="abstract')
    assert len(many(10, 100).html) / 10 > len(many(25, 100).html) / 25


def test_abstracts_are_dropped_from_the_end() -> None:
    cards = many(60, 100).html.split("<h3")[1:]
    shown = ['class="abstract' in card for card in cards]

    assert 60 == len(shown)
    assert 0 < sum(shown) < 60
    assert sorted(shown, reverse=True) == shown


@pytest.mark.parametrize("layout", ["full", "compact"])
def test_fifty_papers_long_in_every_way_are_all_there_and_the_way_out_too(layout: Layout) -> None:
    picks = [
        matched(
            number,
            "study",
            ("study",),
            title=f"A Study {number} of " + "Very Long Words and what They Mean " * 8,
            abstract="We study long words at great length. " * 80,
            authors=("A Name that Is Longer than Most of the Others",) * 20,
            organization="University of Long Names",
            ai_summary="They are studied. " * 20,
            code_url="https://example.org/code/" + "x" * 80,
            pdf_url="https://example.org/pdf/" + "x" * 80,
            trend=Trend(0.5, 142, 84, 12, 1234, 310, change_days=1),
            why="“study” in title and abstract; ▲ 142 (+84 since yesterday); ★ 1.2k (+310 since yesterday)",
            similar=SIMILAR[:1],
        )
        for number in range(1, 51)
    ]
    reader = replace(READER, layout=layout, max_papers=50)
    letterhead = replace(LETTERHEAD, feedback="feedback@example.org", secret="s")

    whole = illustrated(digest(*picks, subscriber=reader), WIDE, TALL)

    mail = compose(whole, letterhead, RENDERER)

    assert mail.data == Press(letterhead, RENDERER).compose(whole).data
    assert len(mail.data) - mail.pictures < SIZE_LIMIT
    assert 2 == mail.data.count(b"Content-ID: <")
    for body in (mail.text, mail.html):
        assert all(f"arxiv.org/abs/2609.{number:05d}" in body for number in range(1, 51))
        assert "/unsubscribe/" in body


def test_when_abstracts_are_short_the_tail_is_moved_to_titles() -> None:
    """The first papers are what the reader came for: they keep what they can."""
    cards = many(100, 100, authors=("A Name",) * 3, why="“study” in the title " * 5).html.split("<h3")[1:]
    abstracts, reasons = (["abstract" in card.partition("<a")[2] for card in cards], ["Why:" in card for card in cards])

    assert 100 == len(cards)
    assert 0 < sum(abstracts) < sum(reasons) < 100
    assert (sorted(abstracts, reverse=True), sorted(reasons, reverse=True)) == (abstracts, reasons)


def test_the_worst_input_gives_a_mail_of_bearable_size_that_says_what_is_missing() -> None:
    worst = [
        pick(
            number,
            paper=paper(
                number,
                title="🚀" * 400,
                abstract="🚀" * 4000,
                authors=("🚀" * 100,) * 50,
                url=f"https://example.org/{number}/" + "x" * 470,
                code_url="https://example.org/" + "x" * 470,
                pdf_url="https://example.org/" + "x" * 470,
                ai_summary="🚀" * 4000,
            ),
            why="🚀" * 1000,
        )
        for number in range(1, 101)
    ]
    reader = subscriber(name="🚀" * 300, keywords=("🚀" * 300,) * 50, token="t" * 64)
    missed = tuple(Missed("url:x", "🚀" * 400, "https://example.org/" + "x" * 470, "🚀" * 400) for _ in range(5))

    mail = compose(digest(*worst, subscriber=reader, missed=missed), LETTERHEAD, RENDERER)

    assert len(mail.data) < SIZE_LIMIT
    assert "did not fit into one mail" in mail.text
    assert "did not fit into one mail" in mail.html
    assert "/unsubscribe/" in mail.text
    assert "/unsubscribe/" in mail.html


def test_templates_that_are_too_large_by_themselves_are_an_error(tmp_path: Path) -> None:
    (tmp_path / "mail").mkdir()
    (tmp_path / "mail" / "digest.html").write_text("<!DOCTYPE html><p>" + "x" * SIZE_LIMIT)

    with pytest.raises(DigestError, match="too large even with only titles"):
        compose(digest(pick(1)), LETTERHEAD, Renderer(tmp_path))


# --- headers and parts by themselves ----------------------------------------------------------------------------


def test_headers_fold_between_tokens_only() -> None:
    token = "<https://example.org/" + "x" * 100 + ">"

    assert f"List-Unsubscribe: {token}\r\n" == mime.token_header("List-Unsubscribe", [token])
    assert f"List-Unsubscribe: <a>,\r\n {token}\r\n" == mime.token_header("List-Unsubscribe", ["<a>,", token])


@given(st.text(st.characters(codec="utf-8", exclude_characters="\r\n"), max_size=300), st.text(max_size=50))
def test_bodies_survive_quoted_printable(text: str, html: str) -> None:
    text = one_line(text) + "\n"
    bodies = [mime.quoted_printable(text)], [mime.quoted_printable(f"<p>{one_line(html)}</p>\n")]
    message = message_from_bytes(b"".join(mime.alternatives(*bodies, seed="s")), policy=default)
    plain, page = message.iter_parts()

    assert text == plain.get_content().replace("\r\n", "\n")
    assert f"<p>{one_line(html)}</p>\n" == page.get_content().replace("\r\n", "\n")


@given(
    st.text(st.sampled_from('aZ9 .,:=?_-é专😀…()"') | st.characters(codec="utf-8", categories=["L", "N", "S"])),
    st.just(""),
)
@example("15 Sep: " + "word " * 12 + "…", " + 9 more")
@example("专" * 80, "")
@example("é" + "x" * 200, "")
def test_encoded_words_are_those_of_the_standard_library(text: str, more: str) -> None:
    text = one_line(f"{text} é{more}")
    expected = Header(text, "utf-8", maxlinelen=76, header_name="Subject").encode(linesep="\r\n")

    assert f"Subject: {expected}\r\n" == mime.text_header("Subject", text)


@given(st.text(st.sampled_from("..=x é\n"), max_size=400))
@example("." * 400)
@example("x" * 75 + "." * 80 + "\n.\n..")
def test_no_encoded_line_begins_with_a_dot_or_is_too_long(text: str) -> None:
    """RFC 5321 §4.5.2 and RFC 2045 §6.7 (5); what is decoded is the same nevertheless."""
    encoded = mime.quoted_printable(text)

    assert not any(line.startswith(b".") or len(line) > 76 for line in encoded.split(b"\r\n"))
    assert text.removesuffix("\n") + "\n" == a2b_qp(encoded).decode().replace("\r\n", "\n")


def test_a_notice_says_when_and_to_whom_and_is_the_same_when_written_again() -> None:
    at = datetime(2026, 9, 15, 18, 30, tzinfo=UTC)
    one, two = (
        compose_notice(
            "Bad\r\nBcc: x@y.org", ["- line\x00 1"], LETTERHEAD, RENDERER, recipient="ops@example.org", at=at
        )
        for _ in range(2)
    )

    assert one == two
    assert "Bad Bcc: x@y.org" == parsed(one)["Subject"]
    assert "Bcc" not in parsed(one)
    assert at == parsed(one)["Date"].datetime
    assert "- line 1" in one.text
