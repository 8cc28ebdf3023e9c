"""Pictures of papers in mails."""

from __future__ import annotations

import re
from base64 import b64decode
from dataclasses import replace
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import TYPE_CHECKING

import pytest

from digest.compose.message import SIZE_LIMIT, compose
from digest.compose.press import Press
from digest.compose.render import Renderer
from tests.compose.cases import FIFTY, GREY, LETTERHEAD, READER, TALL, USUAL, WIDE, illustrated
from tests.makers import digest, pick

if TYPE_CHECKING:
    from pathlib import Path

    from digest.model import Digest, Images, Mail

RENDERER = Renderer(inliner="css-inline")
PRESS = Press(LETTERHEAD, RENDERER)
ARCHIVED = replace(LETTERHEAD, archive_url="https://papers.example.org/archive")


def composed(digest: Digest) -> Mail:
    """By the plain path, to which the press is held byte for byte."""
    mail = compose(digest, LETTERHEAD, RENDERER)
    assert mail.data == PRESS.compose(digest).data
    return mail


def parsed(mail: Mail) -> EmailMessage:
    message = message_from_bytes(mail.data, policy=default)
    assert isinstance(message, EmailMessage)
    assert not any(part.defects for part in message.walk())
    return message


def images(page: str) -> list[dict[str, str]]:
    return [dict(re.findall(r'([\w-]+)="([^"]*)"', tag)) for tag in re.findall("<img[^>]*>", page)]


def test_embedded_pictures_are_related_to_the_page_that_names_them() -> None:
    mail = composed(illustrated(USUAL, WIDE, TALL, None))
    text, related = parsed(mail).iter_parts()
    page, *pictures = related.iter_parts()

    assert ("text/plain", "multipart/related", "text/html") == (
        *(part.get_content_type() for part in (text, related)),
        related.get_param("type"),
    )
    assert "text/html" == page.get_content_type()
    assert ["<a7c1e5f0@papers.example.org>", "<b8d2f6a1@papers.example.org>"] == [one["Content-ID"] for one in pictures]
    assert {("image/jpeg", "inline")} == {(one.get_content_type(), one.get_content_disposition()) for one in pictures}
    assert {b64decode(GREY)} == {one.get_content() for one in pictures}
    assert ["cid:a7c1e5f0@papers.example.org", "cid:b8d2f6a1@papers.example.org"] * 2 == [
        image["src"] for image in images(page.get_content())
    ]


def test_a_picture_is_shown_smaller_than_it_is_and_says_nothing_to_who_cannot_see_it() -> None:
    wide, tall, *_ = images(composed(illustrated(USUAL, WIDE, TALL, None)).html)

    assert ("128", "69", "") == (wide["width"], wide["height"], wide["alt"])
    assert ("61", "96", "") == (tall["width"], tall["height"], tall["alt"])


def test_in_a_dense_list_pictures_are_smaller_still() -> None:
    reader = replace(READER, layout="compact")
    (wide, *_) = images(composed(illustrated(replace(USUAL, subscriber=reader), WIDE)).html)

    assert ("80", "43") == (wide["width"], wide["height"])


def test_who_wants_no_pictures_gets_the_same_mail_whether_there_are_any_or_not() -> None:
    assert composed(illustrated(USUAL, WIDE, images="none")).data == composed(USUAL).data


def test_a_linked_picture_lies_in_our_own_archive_or_there_is_none() -> None:
    linked = illustrated(USUAL, WIDE, None, images="linked")
    mail = compose(linked, ARCHIVED, RENDERER)

    assert ["https://papers.example.org/archive/thumbnails/a7c1e5f0.jpg"] * 3 == [
        image["src"] for image in images(mail.html)
    ]
    assert mail.data == Press(ARCHIVED, RENDERER).compose(linked).data
    assert 0 == mail.pictures
    assert composed(linked).data == composed(USUAL).data


@pytest.mark.parametrize("wanted", ["embedded", "linked"])
def test_nothing_is_loaded_from_where_papers_come_from(wanted: Images) -> None:
    shown = [
        replace(one, paper=replace(one.paper, thumbnail_url="https://cdn.example/thumbnail.png")) for one in USUAL.picks
    ]
    mail = compose(illustrated(replace(USUAL, picks=tuple(shown)), WIDE, images=wanted), ARCHIVED, RENDERER)

    assert "cdn.example" not in mail.html
    assert 5 == len(images(mail.html))


def test_pictures_are_bounded_and_count_for_no_limit_of_the_text() -> None:
    """Gmail clips the HTML, not the mail: fifty papers keep their abstracts."""
    large = [replace(WIDE, name=f"{number:02x}", data="A" * 16_000) for number in range(50)]
    mail = composed(illustrated(FIFTY, *large))

    assert 23 == len(images(mail.html)) == mail.html.count("cid:")
    assert 'class="abstract' in mail.html
    assert 370_000 < mail.pictures < len(mail.data) < 500_000
    assert len(mail.data) - mail.pictures < SIZE_LIMIT


def test_papers_that_are_titles_only_have_no_picture() -> None:
    picks = [pick(number, thumbnail=WIDE, why="x" * 3000) for number in range(1, 51)]
    mail = composed(digest(*picks, subscriber=replace(READER, images="embedded")))

    assert "Why:" not in mail.html.rpartition("<h3")[2]
    assert 0 < len(images(mail.html)) < 50


def test_a_page_of_ones_own_without_pictures_has_none_attached(tmp_path: Path) -> None:
    (tmp_path / "mail").mkdir()
    (tmp_path / "mail" / "picture.html").write_text("")
    renderer = Renderer(tmp_path, inliner="css-inline")
    mail = compose(illustrated(USUAL, WIDE), LETTERHEAD, renderer)

    assert 0 == mail.pictures
    assert mail.data == Press(LETTERHEAD, renderer).compose(illustrated(USUAL, WIDE)).data
