"""The archive in a folder, from a real state."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import date, timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit
from xml.etree import ElementTree as ET

import feedparser
import pytest

from digest.errors import DigestError
from digest.languages.language import language
from digest.model import StoredPaper
from digest.pipeline.archive import Archive, Archived
from digest.pipeline.made import MARK
from digest.publish.feeds import Address
from digest.publish.names import paper_path
from digest.publish.pages import ASSETS
from digest.state.store import State, open_state
from tests.makers import NOW, TODAY, digest, paper, pick, subscriber
from tests.publish.cases import HOSTILE, OLD, PLAIN, USUAL, YESTERDAY, deliver, fill, said

if TYPE_CHECKING:
    from collections.abc import Iterator

ADDRESS = Address("lab.example", "https://papers.example.org/x/")


@pytest.fixture
def state(tmp_path: Path) -> Iterator[State]:
    with open_state(f"sqlite:///{tmp_path / 'state.sqlite3'}", now=NOW) as state:
        fill(state)
        yield state


def write(
    state: State, folder: Path, *, today: date = TODAY, since: date | None = None, address: Address = ADDRESS
) -> Archived:
    return Archive(state, folder, address, today=today, since=since).write(lambda: None)


def contents(folder: Path) -> dict[str, bytes]:
    """Of all files but the archive's own memory."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name != MARK
    }


def changed(before: dict[str, bytes], after: dict[str, bytes]) -> set[str]:
    return {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}


class Links(HTMLParser):
    """Everything that a page leads to or loads."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.tags: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        found = [value or "" for name, value in attrs if name in {"href", "src", "action", "srcset", "style"}]
        found += [name for name, _ in attrs if name.startswith("on")]
        (self.loaded if tag in {"script", "img", "iframe", "object", "form"} else self.links).extend(found)


def test_every_page_is_there_and_every_link_leads_to_one(state: State, tmp_path: Path) -> None:
    write(state, tmp_path / "site")
    files = contents(tmp_path / "site")
    pages = {name: Links(content.decode()) for name, content in files.items() if name.endswith(".html")}
    dead = [
        (name, link)
        for name, page in pages.items()
        for link in (*page.links, *page.loaded)
        if urlsplit(link).scheme not in {"http", "https"}
        and not (tmp_path / "site" / Path(name).parent / unquote(link.partition("#")[0])).is_file()
        and not link.startswith("#")
    ]

    assert [] == dead
    assert {
        "index.html", "2026/index.html", "2026-09/index.html", "2026-09-14/index.html", "2026-09-15/index.html",
        "2026-09-15/papers.bib", "2026-09-15/papers.ris", "search/index.html", "feed.atom", "feed.json", "sitemap.xml",
        paper_path(USUAL.key), paper_path(HOSTILE.key),
    } <= files.keys()  # fmt: skip


def test_nothing_of_a_stranger_is_markup_or_loaded(state: State, tmp_path: Path) -> None:
    write(state, tmp_path / "site")
    for name, content in contents(tmp_path / "site").items():
        if name.endswith(".html"):
            page = Links(content.decode())

            assert not {"i", "img", "iframe"} & {*page.tags}, name
            assert page.tags.count("script") == len(page.loaded) <= 1, name
            assert all(re.fullmatch(r"(\.\./)?(edition|search)\.js", loaded) for loaded in page.loaded), name
            assert not [link for link in page.links if urlsplit(link).scheme not in {"", "http", "https"}], name
            assert not [link for link in page.links if "@" in urlsplit(link).netloc], name
            assert b"Content-Security-Policy" in content, name


def test_papers_are_in_the_order_of_votes_and_the_script_knows_how_many(state: State, tmp_path: Path) -> None:
    write(state, tmp_path / "site")
    page = (tmp_path / "site" / "2026-09-15" / "index.html").read_text()

    assert ["72", "3", "0", "0"] == re.findall(r'data-votes="(\d+)"', page)
    assert "▲ 72" in page
    assert "<option>cs.LG</option>" in page


def test_a_paper_s_page_has_what_is_similar_and_how_votes_moved(state: State, tmp_path: Path) -> None:
    write(state, tmp_path / "site")
    page = (tmp_path / "site" / paper_path(USUAL.key)).read_text()

    assert f'href="../{paper_path(PLAIN.key)}">Sleeping Experts in Small Mixtures</a>' in page
    assert 'aria-label="Votes: 12 upvotes on 10 Sep, 72 on 15 Sep"' in page
    assert '<tr><th scope="row">2026-09-15</th><td>72</td><td>15</td><td>115</td></tr>' in page
    assert "@misc{lovelace2026experts," in page


def test_a_second_run_writes_nothing(state: State, tmp_path: Path) -> None:
    write(state, tmp_path / "site")
    archive = Archive(state, tmp_path / "site", ADDRESS, today=TODAY, since=None)
    archive.write(lambda: None)

    assert 0 == archive.written[0] < archive.written[1]


PAGE = "2026-09-15/index.html"


def marked(site: Path) -> set[str]:
    """Put a mark in the place of every file; returns their names. What keeps its mark was not composed again."""
    names = {*contents(site)} - {*ASSETS}
    for name in names:
        (site / name).write_text("as it was")
    return names


def composed(site: Path, names: set[str]) -> set[str]:
    return {name for name in names if (site / name).read_text() != "as it was"}


def test_what_did_not_change_is_not_composed_again(state: State, tmp_path: Path) -> None:
    write(state, tmp_path / "site")
    names = marked(tmp_path / "site")
    write(state, tmp_path / "site")

    assert set() == composed(tmp_path / "site", names)


def test_a_vote_composes_no_other_page(state: State, tmp_path: Path) -> None:
    write(state, tmp_path / "site")
    names = marked(tmp_path / "site")
    state.papers.store([], signals=[(PLAIN.key, said(15, upvotes=4))])
    write(state, tmp_path / "site")

    expected = {"index.html", PAGE, "2026-09-15/papers.bib", "2026-09-15/papers.ris", "2026-09/index.html"}
    assert expected | {"feed.atom", "feed.json", paper_path(PLAIN.key)} == composed(tmp_path / "site", names)


def test_a_new_title_is_on_the_pages_of_similar_papers_and_is_found(state: State, tmp_path: Path) -> None:
    write(state, tmp_path / "site")
    stored = state.papers.get(PLAIN.key)
    assert stored
    state.papers.store([replace(stored, paper=replace(PLAIN, title="Zebras and Sleeping Experts"))])
    write(state, tmp_path / "site")

    assert "Zebras and Sleeping Experts</a>" in (tmp_path / "site" / paper_path(USUAL.key)).read_text()
    assert '"zebra":' in (tmp_path / "site" / "search" / "words-z.js").read_text()


def test_older_papers_learn_of_similar_ones_once_a_day(state: State, tmp_path: Path) -> None:
    write(state, tmp_path / "site")
    one, other = (replace(PLAIN, key=f"arxiv:2609.0010{number}", aliases=()) for number in range(2))
    tomorrow, at = TODAY + timedelta(days=1), NOW + timedelta(days=1)
    state.papers.store([StoredPaper(one, at, tomorrow)])
    write(state, tmp_path / "site", today=tomorrow)
    state.papers.store([StoredPaper(other, at, tomorrow)])
    write(state, tmp_path / "site", today=tomorrow)
    same_day = {key: (tmp_path / "site" / paper_path(key)).read_text() for key in (PLAIN.key, one.key)}
    write(state, tmp_path / "site", today=tomorrow + timedelta(days=1))

    assert paper_path(one.key) in same_day[PLAIN.key]
    assert paper_path(other.key) not in same_day[PLAIN.key]
    assert paper_path(other.key) in same_day[one.key]
    assert paper_path(other.key) in (tmp_path / "site" / paper_path(PLAIN.key)).read_text()


def test_a_page_that_was_lost_is_made_again(state: State, tmp_path: Path) -> None:
    write(state, tmp_path / "site")
    before = contents(tmp_path / "site")
    for name in before:
        (tmp_path / "site" / name).unlink()
    (tmp_path / "site" / PAGE).write_bytes(b"")  # as a power cut may leave it
    write(state, tmp_path / "site")

    assert before == contents(tmp_path / "site")


@pytest.mark.parametrize("memory", [b"", b"An archive.\n", b"[]", b'{"by":"another version","files":{"":{}}}'])
def test_what_another_version_made_is_composed_again(memory: bytes, state: State, tmp_path: Path) -> None:
    write(state, tmp_path / "site")
    before = contents(tmp_path / "site")
    names = marked(tmp_path / "site")
    (tmp_path / "site" / MARK).write_bytes(memory)
    write(state, tmp_path / "site")

    assert names == composed(tmp_path / "site", names)
    assert before == contents(tmp_path / "site")


def test_another_address_composes_everything_again(state: State, tmp_path: Path) -> None:
    write(state, tmp_path / "site")
    names = marked(tmp_path / "site")
    write(state, tmp_path / "site", address=Address("lab.example", "https://elsewhere.example/"))

    assert names == composed(tmp_path / "site", names)


def test_days_are_composed_anew_if_somebody_asks(state: State, tmp_path: Path) -> None:
    write(state, tmp_path / "site")
    names = marked(tmp_path / "site")
    write(state, tmp_path / "site", since=TODAY)

    assert {PAGE, paper_path(USUAL.key), "index.html"} <= composed(tmp_path / "site", names)
    assert {"2026-09-14/index.html", paper_path(OLD.key)}.isdisjoint(composed(tmp_path / "site", names))


def test_in_another_language_older_days_wait_until_somebody_asks(state: State, tmp_path: Path) -> None:
    """Made anew they would lose what the state has forgotten."""
    later, site = TODAY + timedelta(days=70), tmp_path / "site"
    write(state, site)
    state.papers.store([StoredPaper(paper(9), NOW + timedelta(days=70), later)])

    def german(since: date | None) -> set[str]:
        Archive(state, site, ADDRESS, today=later, since=since, language=language("de")).write(lambda: None)
        return {name for name, content in contents(site).items() if b'<html lang="de">' in content}

    first = german(None)
    assert {PAGE, paper_path(USUAL.key)}.isdisjoint(first)
    assert {"index.html", "2026/index.html", "search/index.html", paper_path(paper(9).key)} <= first
    assert {name for name in contents(site) if name.endswith(".html")} == german(YESTERDAY)


def test_the_same_state_gives_the_same_bytes(state: State, tmp_path: Path) -> None:
    write(state, tmp_path / "one")
    write(state, tmp_path / "two")

    assert contents(tmp_path / "one") == contents(tmp_path / "two")


def test_a_vote_changes_the_pages_that_tell_it_and_no_other(state: State, tmp_path: Path) -> None:
    write(state, tmp_path / "site")
    before = contents(tmp_path / "site")
    state.papers.store([], signals=[(PLAIN.key, said(15, upvotes=4))])
    write(state, tmp_path / "site")

    expected = {"index.html", "2026-09-15/index.html", "feed.atom", "feed.json", paper_path(PLAIN.key)}
    assert expected == changed(before, contents(tmp_path / "site"))


def test_old_pages_keep_their_charts_when_the_state_has_forgotten(state: State, tmp_path: Path) -> None:
    write(state, tmp_path / "site")
    before = contents(tmp_path / "site")
    later = TODAY + timedelta(days=70)
    state.prune(now=NOW + timedelta(days=70))
    write(state, tmp_path / "site", today=later)
    after = contents(tmp_path / "site")

    assert {name for name in before if name.startswith("paper/")} & changed(before, after) == set()
    assert "No new papers on this day." in after["2026-11-24/index.html"].decode()
    # and if they are asked for anew, they tell what is known
    write(state, tmp_path / "site", today=later, since=YESTERDAY)
    assert paper_path(USUAL.key) in changed(after, contents(tmp_path / "site"))


def test_yesterday_leads_to_today_once_there_is_one(state: State, tmp_path: Path) -> None:
    write(state, tmp_path / "site")
    tomorrow = TODAY + timedelta(days=1)
    state.papers.store([StoredPaper(paper(9), NOW + timedelta(days=1), tomorrow)])
    write(state, tmp_path / "site", today=tomorrow)

    links = Links((tmp_path / "site" / "2026-09-15" / "index.html").read_text()).links
    assert "../2026-09-16/index.html" in links
    assert "../2026-09-14/index.html" in links


def test_a_folder_that_cannot_be_written_is_one_sentence(state: State, tmp_path: Path) -> None:
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "paper").write_text("a file where a folder should be")

    with pytest.raises(DigestError, match="paper"):
        write(state, tmp_path / "site")


# --- feeds --------------------------------------------------------------------------------------------------------


def test_feed_readers_read_the_feed(state: State, tmp_path: Path) -> None:
    write(state, tmp_path / "site")
    feed = feedparser.parse((tmp_path / "site" / "feed.atom").read_bytes())

    assert (False, "atom10") == (bool(feed.bozo), feed.version)
    assert ["Tuesday, 15 September 2026: 4 papers", "Monday, 14 September 2026: 1 paper"] == [
        entry.title for entry in feed.entries
    ]
    assert "https://papers.example.org/x/2026-09-15/index.html" == feed.entries[0].link
    assert "tag:lab.example,2026-09-15:editions" == feed.entries[0].id
    assert "Experts That Sleep" in feed.entries[0].content[0].value
    assert "<script" not in feed.entries[0].content[0].value


def test_json_feeds_have_absolute_links_or_none(state: State, tmp_path: Path) -> None:
    write(state, tmp_path / "site")
    write(state, tmp_path / "nowhere", address=Address("lab.example"))
    told, untold = (json.loads((tmp_path / name / "feed.json").read_text()) for name in ("site", "nowhere"))

    assert "https://jsonfeed.org/version/1.1" == told["version"]
    assert "https://papers.example.org/x/feed.json" == told["feed_url"]
    assert "https://papers.example.org/x/2026-09-15/index.html" == told["items"][0]["url"]
    assert {"url", "feed_url", "home_page_url"} & {*untold, *untold["items"][0]} == set()
    assert [item["id"] for item in told["items"]] == [item["id"] for item in untold["items"]]
    assert not (tmp_path / "nowhere" / "sitemap.xml").exists()


def test_the_sitemap_names_every_page_but_private_ones(state: State, tmp_path: Path) -> None:
    write(state, tmp_path / "site")
    tree = ET.fromstring((tmp_path / "site" / "sitemap.xml").read_text())
    places = [element.text or "" for element in tree.iter("{http://www.sitemaps.org/schemas/sitemap/0.9}loc")]

    assert {
        "https://papers.example.org/x/", "https://papers.example.org/x/2026-09-15/",
        f"https://papers.example.org/x/{paper_path(OLD.key)}",
    } <= {*places}  # fmt: skip
    assert not [place for place in places if "private" in place]


# --- readers' own -------------------------------------------------------------------------------------------------


def write_private(state: State, folder: Path, *emails: str, today: date = TODAY) -> dict[str, str]:
    archive = Archive(state, folder, ADDRESS, today=today, since=None)
    archive.write(lambda: None)
    tokens = state.subscribers.tokens(emails)
    feeds = archive.private({token: email for email, token in tokens.items()})
    feeds.drop()
    feeds.write(lambda: None)
    return feeds.folders


def test_each_reader_has_what_they_were_sent_under_a_name_nobody_guesses(state: State, tmp_path: Path) -> None:
    deliver(state, "ada@example.org", YESTERDAY, OLD)
    deliver(state, "ada@example.org", TODAY, PLAIN, USUAL)
    deliver(state, "bo@example.org", TODAY, PLAIN)
    folders = write_private(state, tmp_path / "site", "ada@example.org", "bo@example.org", "new@example.org")
    own = tmp_path / "site" / folders["ada@example.org"]
    feed = feedparser.parse((own / "feed.atom").read_bytes())

    assert {"ada@example.org", "bo@example.org"} == folders.keys()
    assert [
        "Tuesday, 15 September 2026: Sleeping Experts in Small Mixtures",
        "Monday, 14 September 2026: Yesterday's Experts",
    ] == [entry.title for entry in feed.entries]
    assert ["feed.atom", "feed.json", "picks.bib", "picks.ris"] == sorted(path.name for path in own.iterdir())
    assert 3 == (own / "picks.bib").read_text().count("@misc{")
    assert re.fullmatch(r"private/[0-9a-f]{32}/", folders["ada@example.org"])
    tokens = state.subscribers.tokens(folders)
    assert not [token for token in tokens.values() if token in str(contents(own)) + str(folders)]
    assert "ada@example.org" not in str(contents(tmp_path / "site"))
    assert b"<a" not in (tmp_path / "site" / "private" / "index.html").read_bytes()
    # what is remembered lies where everybody may read it
    memory = (tmp_path / "site" / MARK).read_text()
    assert not [name for name in (*folders.values(), "example.org") if name.removeprefix("private/")[:-1] in memory]


def test_what_was_only_planned_is_in_no_feed(state: State, tmp_path: Path) -> None:
    mail = digest(pick(paper=USUAL), subscriber=subscriber("ada@example.org"))
    state.ledger.plan([(mail, "<1@lab.example>")], now=NOW)

    assert {} == write_private(state, tmp_path / "site", "ada@example.org")


def test_only_feeds_of_readers_with_new_mail_are_made_again(state: State, tmp_path: Path) -> None:
    readers = ("ada@example.org", "bo@example.org", "cy@example.org")
    for number, email in enumerate(readers):
        deliver(state, email, YESTERDAY, OLD, at=NOW - timedelta(days=1, hours=2 - number % 2))
    site = tmp_path / "site"
    folders = write_private(state, site, *readers)
    for folder in folders.values():
        (site / folder / "feed.atom").write_text("made before")
    deliver(state, "bo@example.org", TODAY, PLAIN)
    (site / folders["cy@example.org"] / "feed.atom").unlink()
    for name in ("feed.json", "picks.bib", "picks.ris"):
        (site / folders["cy@example.org"] / name).unlink()
    (site / folders["cy@example.org"]).rmdir()
    again = write_private(state, site, *readers)
    made = {email: (site / folder / "feed.atom").read_text() != "made before" for email, folder in again.items()}

    assert folders == again
    assert {"ada@example.org": False, "bo@example.org": True, "cy@example.org": True} == made


def test_an_interrupted_run_is_made_up_for(state: State, tmp_path: Path) -> None:
    for email in ("ada@example.org", "bo@example.org"):
        deliver(state, email, YESTERDAY, OLD, at=NOW - timedelta(days=1))
    site = tmp_path / "site"
    folders = write_private(state, site, "ada@example.org", "bo@example.org")
    archive = Archive(state, site, ADDRESS, today=TODAY, since=None)
    feeds = archive.private({"new": "new@example.org"} | {v: k for k, v in state.subscribers.tokens(folders).items()})
    with pytest.raises(KeyboardInterrupt):
        feeds.write(interrupted)
    (site / folders["ada@example.org"] / "feed.atom").write_text("half of one")
    write_private(state, site, "ada@example.org", "bo@example.org")

    assert "half of one" != (site / folders["ada@example.org"] / "feed.atom").read_text()


def interrupted() -> None:
    raise KeyboardInterrupt
