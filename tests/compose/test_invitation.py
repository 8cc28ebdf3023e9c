"""The question whether somebody wants mail."""

from __future__ import annotations

import html
import re
from dataclasses import replace
from datetime import timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import TYPE_CHECKING
from urllib.parse import unquote

import pytest

from digest.compose.message import compose_invitation
from digest.compose.render import Renderer
from digest.errors import TemplateError
from tests.compose.cases import ASKED_AT, INVITED, LETTERHEAD, TOKEN, WAY
from tests.makers import HOSTILE_TITLE

if TYPE_CHECKING:
    from pathlib import Path

    from digest.model import Mail, Subscriber

RENDERER = Renderer(inliner="css-inline")
READER = INVITED["confirmation"]


def asked(reader: Subscriber = READER) -> Mail:
    return compose_invitation(reader, WAY, LETTERHEAD, RENDERER, at=ASKED_AT)


def parsed(mail: Mail) -> EmailMessage:
    message = message_from_bytes(mail.data, policy=default)
    assert isinstance(message, EmailMessage)
    return message


def words(text: str) -> str:
    return " ".join(text.split())


@pytest.mark.parametrize("name", INVITED)
def test_it_has_the_headers_of_one_mail_by_a_program_and_none_for_leaving(name: str) -> None:
    message = parsed(asked(INVITED[name]))

    assert [
        *("From", "To", "Reply-To", "Date", "Message-ID", "Subject", "User-Agent", "List-Id", "List-Subscribe"),
        *("List-Help", "List-Post", "Precedence", "Auto-Submitted", "Content-Language", "MIME-Version", "Content-Type"),
    ] == message.keys()
    assert "auto-generated" == message["Auto-Submitted"]
    (to,) = message["To"].addresses
    assert INVITED[name].email == to.addr_spec.encode(errors="surrogateescape").decode()
    assert ASKED_AT == message["Date"].datetime
    assert len(message["Subject"]) <= 70
    assert not message.defects


def test_the_same_question_is_the_same_mail_and_another_one_has_another_name() -> None:
    later = compose_invitation(READER, WAY, LETTERHEAD, RENDERER, at=ASKED_AT + timedelta(seconds=1))

    assert asked() == asked()
    assert 3 == len({mail.message_id for mail in (asked(), later, asked(replace(READER, token="u" * 22)))})
    assert "bounces@papers.example.org" == asked().envelope_from


def test_each_part_alone_says_who_asks_why_what_for_and_how_to_say_yes_or_no() -> None:
    page = re.sub(r"<style>.*?</style>|<[^>]+>", " ", asked().html, flags=re.DOTALL)
    for part in (
        words(asked().text),
        words(html.unescape(page).replace("\u200b", "").replace(f"{TOKEN}. ", f"{TOKEN}.")),
    ):
        assert "Somebody, probably you, asked for a digest of new papers for ada@example.org" in part
        assert "on Monday, Tuesday, Wednesday, Thursday and Friday at 07:30 (Europe/Berlin)" in part
        assert "At most 10 papers that these keywords find" in part
        assert all(keyword in part for keyword in READER.keywords)
        assert "At most 5 papers that everybody is reading." in part
        assert f"write to {WAY.address} with this subject: {WAY.line}" in part
        assert "do nothing. You get no digest, and your address is forgotten after 14 days." in part
        assert "Questions: librarian@example.org" in part


def test_the_link_writes_the_mail_that_says_yes() -> None:
    assert re.findall(r"mailto:\S+", asked().text) == [parsed(asked())["List-Subscribe"].strip("<>")]
    (in_text,) = re.findall(r"mailto:\S+", asked().text)
    in_html = re.findall(r'href="([^"]*)"', asked().html)

    assert [in_text, "mailto:librarian@example.org"] == in_html
    assert f"mailto:feedback@example.org?subject={WAY.line}" == unquote(in_text)
    assert TOKEN in WAY.line


def test_a_hostile_name_or_keyword_adds_nothing_but_text() -> None:
    mail = asked(INVITED["confirmation-hostile"])

    assert "<script" not in mail.html
    assert "<i>" not in mail.html
    assert "49" not in mail.text
    assert not re.search("[\u202a-\u202e\x00-\x09\x0b-\x1f]", mail.text + mail.html)
    assert HOSTILE_TITLE[:20] in mail.text


def test_very_many_keywords_are_counted() -> None:
    many = replace(READER, keywords=tuple("k" * 200 + str(number) for number in range(500)))

    assert "and 450 more" in asked(many).text
    assert "and 450 more" in asked(many).html
    assert len(asked(many).data) < 50_000


@pytest.mark.parametrize("name", ["confirm.html", "confirm.txt", "confirm.subject.txt"])
def test_templates_of_ones_own_are_used_and_a_mistake_in_one_is_found_by_a_check(name: str, tmp_path: Path) -> None:
    own = tmp_path / "mail" / name
    own.parent.mkdir()
    own.write_text("<!DOCTYPE html><p>Hello {{ invitation.reader }}", encoding="utf-8")

    mail = compose_invitation(READER, WAY, LETTERHEAD, Renderer(tmp_path), at=ASKED_AT)
    assert any("Hello ada@example.org" in part for part in (mail.subject, mail.text, mail.html))
    own.write_text("{{ invitation.token }}", encoding="utf-8")
    with pytest.raises(TemplateError, match=name):
        Renderer(tmp_path).check()
