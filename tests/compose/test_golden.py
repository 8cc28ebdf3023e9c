"""Whole mails, kept byte for byte. `DIGEST_GOLDEN=write` writes them anew and deletes those no case uses."""

from __future__ import annotations

import os
import re
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from functools import cache
from html.parser import HTMLParser
from pathlib import Path

import pytest

from digest.compose.message import SIZE_LIMIT, compose, compose_invitation, compose_notice
from digest.compose.render import Renderer
from digest.model import Mail
from tests.compose.cases import ASKED_AT, CASES, INVITED, LETTERHEAD, NOTICE_AT, WAY

GOLDEN = Path(__file__).parents[1] / "golden"
WRITE = os.environ.get("DIGEST_GOLDEN") == "write"
NAMES = sorted(CASES)
#: with the questions whether somebody wants mail
ALL = [*NAMES, *INVITED]


@cache
def mail(name: str) -> Mail:
    if name in INVITED:
        return compose_invitation(INVITED[name], WAY, LETTERHEAD, Renderer(), at=ASKED_AT)
    case = CASES[name]
    return compose(case.digest, case.letterhead, Renderer(inliner=case.inliner))


@cache
def notice() -> Mail:
    lines = (
        "No source brought a new paper for a whole day:",
        "- arxiv: the feed is yesterday's",
        "- huggingface: HTTP 503",
    )
    renderer = Renderer()
    return compose_notice("Nothing new", lines, LETTERHEAD, renderer, recipient="librarian@example.org", at=NOTICE_AT)


def parsed(name: str) -> EmailMessage:
    message = message_from_bytes(mail(name).data, policy=default)
    assert isinstance(message, EmailMessage)
    return message


def files(name: str, mail: Mail) -> dict[Path, bytes]:
    """What is kept of a mail: the message, and its bodies decoded for reading."""
    bodies = {".txt": mail.text, ".html": mail.html}
    kept = {GOLDEN / f"{name}{suffix}": body.encode() for suffix, body in bodies.items() if body}
    return {GOLDEN / f"{name}.eml": mail.data} | kept


def all_files() -> dict[Path, bytes]:
    kept = files("notice", notice())
    for name in ALL:
        kept |= files(name, mail(name))
    return kept


@pytest.mark.parametrize("name", [*ALL, "notice"])
def test_a_mail_is_the_same_to_the_byte(name: str) -> None:
    for path, content in files(name, notice() if name == "notice" else mail(name)).items():
        if WRITE:
            path.write_bytes(content)

        assert path.read_bytes() == content, f"{path.name} differs; see `git diff` after `make golden`"


def test_no_golden_file_is_without_a_case() -> None:
    unused = set(GOLDEN.iterdir()) - set(all_files())
    if WRITE:
        for path in unused:
            path.unlink()

    assert set(all_files()) == set(GOLDEN.iterdir())


def test_the_same_picks_give_the_same_bytes_from_a_fresh_renderer() -> None:
    assert compose(CASES["usual"].digest, LETTERHEAD, Renderer()) == mail("usual")


# --- what every mail obeys, whatever it holds -------------------------------------------------------------------

HEADERS = [
    *("From", "To", "Reply-To", "Date", "Message-ID", "Subject", "User-Agent", "List-Id", "List-Unsubscribe"),
    *(
        "List-Unsubscribe-Post",
        "List-Help",
        "List-Post",
        "Precedence",
        "Feedback-ID",
        "Content-Language",
        "MIME-Version",
        "Content-Type",
    ),
]


@pytest.mark.parametrize("name", NAMES)
def test_every_header_stands_once_and_nothing_else_does(name: str) -> None:
    absent = {"Reply-To", "List-Unsubscribe-Post"} if name == "no-web-pages" else set()

    assert [header for header in HEADERS if header not in absent] == parsed(name).keys()
    assert not parsed(name).defects


@pytest.mark.parametrize("name", ALL)
def test_header_lines_are_folded_at_78_and_encoded_words_at_75(name: str) -> None:
    head = mail(name).data.partition(b"\r\n\r\n")[0].decode("utf-8" if name.endswith("world") else "ascii")
    long = [line for line in head.split("\r\n") if len(line) > 78]

    assert [] == [line for line in long if " " in line.split(": ", 1)[-1].strip()]
    assert all(len(line.encode()) <= 998 for line in long)
    assert all(len(word) <= 75 for word in re.findall(r"=\?.*?\?=", head))


@pytest.mark.parametrize("name", ALL)
def test_lines_end_in_crlf_and_are_short(name: str) -> None:
    data = mail(name).data
    body = data.partition(b"\r\n\r\n")[2]

    assert data.replace(b"\r\n", b"").count(b"\r") == data.replace(b"\r\n", b"").count(b"\n") == 0
    assert data.endswith(b"\r\n")
    assert max(map(len, body.split(b"\r\n"))) <= 76
    assert body.isascii()


@pytest.mark.parametrize("name", ALL)
def test_two_parts_text_first_both_utf_8_quoted_printable(name: str) -> None:
    message = parsed(name)
    parts = [part for part in message.walk() if part.get_content_maintype() == "text"]

    assert message.get_content_type() == "multipart/alternative"
    assert ["text/plain", "text/html"] == [part.get_content_type() for part in parts]
    assert {"utf-8"} == {part.get_content_charset() for part in parts}
    assert {"quoted-printable"} == {part["Content-Transfer-Encoding"] for part in parts}
    assert [mail(name).text.strip(), mail(name).html.strip()] == [
        part.get_content().replace("\r\n", "\n").strip() for part in parts
    ]


@pytest.mark.parametrize("name", ALL)
def test_gmail_shows_the_whole_mail(name: str) -> None:
    assert len(mail(name).data) < SIZE_LIMIT
    assert len(mail(name).html.encode()) < SIZE_LIMIT


class Links(HTMLParser):
    """Every link of a page, and every tag and attribute used."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.hrefs: list[str] = []
        self.sources: list[str] = []
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.hrefs += [value or "" for name, value in attrs if name == "href"]
        self.sources += [value or "" for name, value in attrs if name == "src"]


@pytest.mark.parametrize("name", NAMES)
def test_both_parts_hold_the_same_links_in_the_same_order(name: str) -> None:
    web = [link for link in Links(mail(name).html).hrefs if link.startswith("http")]
    thanked = [url for _, url in LETTERHEAD.credits]

    assert [link for link in web if link not in thanked] == re.findall(r"https?://\S+", mail(name).text)


@pytest.mark.parametrize("name", ALL)
def test_nothing_runs_loads_or_leads_elsewhere(name: str) -> None:
    page = Links(mail(name).html)

    assert not page.tags & {"script", "iframe", "link", "form", "object", "svg", "base"}
    assert not [attribute for attribute in page.attributes if attribute.startswith("on")]
    assert [] == [source for source in page.sources if not (source.startswith("cid:") and name == "embedded")]
    assert {"mailto", "https"} - {"https" if name in INVITED else ""} == {link.split(":")[0] for link in page.hrefs}
    assert "url(" not in mail(name).html
    assert mail(name).html.startswith("<!DOCTYPE html>")


@pytest.mark.parametrize("name", NAMES)
def test_every_paper_and_the_way_out_are_in_both_parts(name: str) -> None:
    digest = CASES[name].digest
    ways_out = {
        f"https://papers.example.org/unsubscribe/{digest.subscriber.token}",
        f"subject=unsubscribe%20{digest.subscriber.token}",
    }
    if name == "no-web-pages":
        ways_out = {f"mailto:digest@papers.example.org?subject=unsubscribe%20{digest.subscriber.token}"}

    for body in (mail(name).text, mail(name).html):
        places = [body.index(f"/{pick.paper.key.removeprefix('arxiv:')}") for pick in digest.picks]
        assert sorted(places) == places
        assert all(way in body for way in ways_out)


@pytest.mark.parametrize("name", NAMES)
def test_text_is_wrapped_at_72_columns(name: str) -> None:
    """But for links and for scripts without spaces, which cannot be wrapped."""
    long = [
        line for line in mail(name).text.split("\n") if len(line) > 72 and "://" not in line and "mailto:" not in line
    ]

    assert [] == [line for line in long if len(line.split()) > 1 and name != "world"]


# --- single mails -----------------------------------------------------------------------------------------------


def test_a_hostile_title_adds_no_header_no_recipient_and_no_markup() -> None:
    message = parsed("hostile")

    assert "ada@example.org" == message["To"].addresses[0].addr_spec
    assert 1 == len(message["To"].addresses)
    assert "Bcc" not in message
    assert "<script" not in mail("hostile").html.replace("&lt;script", "")
    assert "{{ 7 * 7 }}" not in mail("hostile").text or "49" not in mail("hostile").text
    assert not re.search("[\u202a-\u202e\u200b\x00-\x09\x0b-\x1f]", mail("hostile").text)
    assert not re.search("[\u202a-\u202e\x00-\x09\x0b-\x1f]", mail("hostile").html)


def test_the_subject_is_the_leading_paper_with_the_day() -> None:
    assert "15 Sep: Quiet Routers: Why Most Tokens in a… + 4 more" == parsed("usual")["Subject"]
    assert all(len(mail(name).subject) <= 70 for name in NAMES)


def test_one_click_unsubscribe_is_offered_only_with_a_page() -> None:
    assert "List-Unsubscribe=One-Click" == parsed("usual")["List-Unsubscribe-Post"]
    assert (
        "<https://papers.example.org/unsubscribe/p4Zq9sLr2VxT7mKd>,"
        " <mailto:leave@papers.example.org?subject=unsubscribe%20p4Zq9sLr2VxT7mKd>"
    ) == parsed("usual")["List-Unsubscribe"]
    assert (
        "<mailto:digest@papers.example.org?subject=unsubscribe%20p4Zq9sLr2VxT7mKd>"
        == parsed("no-web-pages")["List-Unsubscribe"]
    )


def test_a_machine_summary_is_marked_in_both_parts() -> None:
    assert "AI summary: A fixed hash" in " ".join(mail("usual").text.split())
    assert re.search(r"<b>AI summary:</b> A fixed hash", mail("usual").html)


def test_tex_is_shown_as_unicode_and_prices_stay() -> None:
    text = " ".join(mail("latex").text.split())

    assert "A β-VAE that Learns k Factors in O(n log n) Time for $5 per Run" in text
    assert "André Lima, Günther Weiß, Michał Śliwa" in text
    assert "We gain 10% (not 5% & not #1) over S^2FT with L_KL ≤ 10⁻³ when x∈ℝᵈ." in text
    assert r"Our simple method, \ours, costs $20 to $30 and uses “free” data – all of it." in text


def test_the_notice_is_plain_text_and_says_that_a_machine_wrote_it() -> None:
    message = message_from_bytes(notice().data, policy=default)

    assert "text/plain" == message.get_content_type()
    assert "auto-generated" == message["Auto-Submitted"]
    assert "librarian@example.org" == message["To"]
    assert "- arxiv: the feed is yesterday's" in notice().text
    assert "" == notice().html
