"""Pictures of papers: fetched once at the pull, for those who want them, and never while mails go out."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import sys
from base64 import b64decode
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from email import message_from_bytes
from io import BytesIO
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from digest.collect.thumbnails import shrunk
from digest.pipeline.archive import Archive
from digest.pipeline.plan import preview
from digest.pipeline.pull import pull
from digest.publish.feeds import Address
from digest.state.store import open_state
from tests.http_server import Reply, Request
from tests.installation import ADA, BOB, findings, item, reader
from tests.makers import NOW, TODAY, subscriber
from tests.smtp_server import DROP

if TYPE_CHECKING:
    from pathlib import Path

    from tests.installation import Installation
    from tests.smtp_server import SmtpServer

DAY = timedelta(days=1)


def picture(colour: str = "red") -> bytes:
    file = BytesIO()
    Image.new("RGB", (1200, 648), colour).save(file, "PNG")
    return file.getvalue()


def publish(home: Installation, *votes: int) -> None:
    """A day's list of Hugging Face: papers from 1 on with these votes, each with a picture at /N.png."""
    papers = [
        {
            "paper": {
                "id": f"2609.{number:05d}",
                "title": item(number)["title"],
                "summary": "",
                "publishedAt": "2026-09-14T00:00:00Z",
                "upvotes": upvotes,
                "authors": [],
            },
            "thumbnail": f"{home.server.url}/{number}.png",
        }
        for number, upvotes in enumerate(votes, start=1)
    ]
    home.server.routes["/api/daily_papers"] = Reply(body=json.dumps(papers).encode())
    home.sources = f'[[sources]]\ntype = "huggingface"\nbase_url = "{home.server.url}"\ndays = 1\n'


def asked(home: Installation) -> list[str]:
    """Which pictures were asked for since the last time."""
    paths = [request.path for request in home.server.requests if request.path.endswith(".png")]
    home.server.requests.clear()
    return paths


def pictures(letter: bytes) -> list[bytes]:
    """The pictures in a mail, in order."""
    parts = message_from_bytes(letter).walk()
    return [bytes(part.get_payload(decode=True)) for part in parts if part.get_content_type() == "image/jpeg"]


def test_who_wants_pictures_gets_those_that_there_are(any_home: Installation) -> None:
    any_home.readers = (reader(ADA, images="embedded"), reader(BOB))
    publish(any_home, 5, 9)
    any_home.server.routes["/1.png"] = Reply(body=picture())

    report = any_home.pull()
    any_home.send()

    letters = {message_from_bytes(data)["To"]: data for data in any_home.letters()}
    (shown,) = pictures(letters[ADA])
    assert "JPEG" == Image.open(BytesIO(shown)).format
    assert [] == pictures(letters[BOB])
    assert {ADA: [[2, 1]], BOB: [[2, 1]]} == any_home.mailed()
    assert (f"picture: {any_home.server.url}/2.png: the server answers 404 Not Found",) == report.notes


def test_a_picture_is_asked_for_once_and_one_that_was_not_there_once_a_day(home: Installation) -> None:
    home.readers = (reader(images="embedded"),)
    publish(home, 5, 9)
    home.server.routes["/1.png"] = Reply(body=picture())

    runs = []
    for at in (NOW, NOW + timedelta(hours=1), NOW + DAY):
        home.pull(at=at)
        runs.append(asked(home))

    # those with the most votes first
    assert [["/2.png", "/1.png"], [], ["/2.png"]] == runs


def test_without_pillow_papers_come_all_the_same_and_one_line_says_what_to_type(
    home: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after an upgrade of Python or of a library that Pillow needs."""
    home.readers = (reader(images="embedded"),)
    publish(home, 5, 9)
    monkeypatch.setitem(sys.modules, "PIL", None)

    report = home.pull()
    home.send()

    (note,) = report.notes
    assert note.startswith("pictures: Pillow cannot be used")
    assert "pip install 'paper-digest[images]'" in note
    assert ([], {ADA: [[2, 1]]}) == (asked(home), home.mailed())


def test_pictures_that_cannot_be_stored_cost_no_paper(home: Installation) -> None:
    """The pull is reported as what it was: a cron line `digest pull && digest send` goes on."""
    home.readers = (reader(images="embedded"),)
    publish(home, 5)
    with closing(
        sqlite3.connect(home.folder / "state.sqlite3", isolation_level=None, check_same_thread=False)
    ) as other:

        def locked(_request: Request) -> Reply:
            other.execute("BEGIN IMMEDIATE")
            return Reply(body=picture())

        home.server.routes["/1.png"] = locked
        with open_state(home.url, now=NOW, busy_timeout_s=0.05) as state:
            report = asyncio.run(pull(home.settings(), state, clock=lambda: NOW))
        other.execute("ROLLBACK")
    home.send()

    (warning,) = report.warnings
    assert warning.startswith(f"the papers are stored, not all that goes with them: state {home.folder}")
    assert [("huggingface", "fresh")] == findings(report)
    assert {ADA: [[1]]} == home.mailed()


def test_nothing_is_asked_for_where_nobody_wants_pictures(home: Installation) -> None:
    publish(home, 5)
    home.pull()
    before = asked(home)
    with home.state() as state:
        state.subscribers.put(subscriber("joined@example.org", images="linked"), now=NOW)
    home.pull(only=["huggingface"])

    assert ([], ["/1.png"]) == (before, asked(home))


def test_no_picture_is_fetched_while_mails_go_out(home: Installation) -> None:
    publish(home, 5)
    home.pull()
    home.readers = (reader(images="embedded"),)
    home.server.routes["/1.png"] = Reply(body=picture())

    home.send()

    assert [] == asked(home)
    assert {ADA: [[1]]} == home.mailed()


def test_a_mail_that_is_sent_again_has_the_same_picture_whatever_became_of_it(home: Installation) -> None:
    """Another picture at the same address, or none kept any more, must not change what was planned."""
    home.readers = (reader(images="embedded"),)
    publish(home, 5)
    home.server.routes["/1.png"] = Reply(body=picture())
    home.pull()
    home.plan()
    with home.state() as state:
        state.thumbnails.put({f"{home.server.url}/1.png": shrunk(picture("blue"))}, at=NOW)

    home.send()

    (shown,) = pictures(home.letters()[0])
    red, _, blue = Image.open(BytesIO(shown)).convert("RGB").getpixel((50, 50))  # type: ignore[misc]
    assert red > 200 > 50 > blue


def test_a_mail_in_doubt_is_the_same_mail_however_its_reader_has_changed_meanwhile(
    home: Installation, relay: SmtpServer
) -> None:
    """What its look depends on is planned with it; what changed holds from the next mail on."""
    home.readers = (reader(images="embedded", language="de", layout="compact", frequency="weekly", days=["tue"]),)
    publish(home, 5)
    home.server.routes["/1.png"] = Reply(body=picture())
    home.pull()
    relay.script["dot"] = DROP
    home.send()
    relay.script.clear()
    home.readers = (reader(ADA, "bees", images="none", language="zh", layout="full", quiet="note", name="Ada"),)

    home.send(NOW + timedelta(hours=1))

    before, after = (mail.data for mail in relay.accepted)
    assert before == after
    assert b"Content-Language: de\r\n" in after
    assert 1 == len(pictures(after))


@pytest.mark.parametrize("images", ["embedded", "linked"])
def test_a_preview_has_them_too(home: Installation, images: str) -> None:
    home.sections["mail"] = 'archive_url = "https://papers.example.org"'
    home.readers = (reader(images=images),)
    publish(home, 5)
    home.server.routes["/1.png"] = Reply(body=picture())
    home.pull()
    settings = home.settings()
    with home.state() as state:
        (pick,) = preview(settings, state, settings.subscribers[0], now=NOW).picks
        (none,) = preview(settings, state, replace(settings.subscribers[0], images="none"), now=NOW).picks

    assert (shrunk(picture()), None) == (pick.thumbnail, none.thumbnail)


def test_the_archive_has_the_pictures_that_mails_load(home: Installation, tmp_path: Path) -> None:
    home.sections["mail"] = 'archive_url = "https://papers.example.org/a"'
    home.readers = (reader(images="linked"),)
    publish(home, 5)
    home.server.routes["/1.png"] = Reply(body=picture())
    home.pull()
    home.send()
    with home.state() as state:
        Archive(state, tmp_path / "site", Address("example.org"), today=TODAY, since=None).write(lambda: None)

    thumbnail = shrunk(picture())
    # quoted-printable breaks lines
    text = home.letters()[0].replace(b"=\r\n", b"").decode()
    assert f"https://papers.example.org/a/thumbnails/{thumbnail.name}.jpg" in text
    assert b64decode(thumbnail.data) == (tmp_path / "site" / "thumbnails" / f"{thumbnail.name}.jpg").read_bytes()
    assert [] == pictures(home.letters()[0])
