"""`digest archive`."""

from __future__ import annotations

import json
import re
import shutil
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from filelock import FileLock

from digest.clock import utc_now
from digest.model import StoredPaper
from digest.pipeline.made import MARK
from digest.state.store import open_state
from tests.makers import NOW, paper, subscriber

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.cli.conftest import Said
    from tests.commands import Place


def test_an_archive_is_written_once_and_then_what_changed(place: Place, cli: Callable[..., Said]) -> None:
    cli("pull")
    first, again = cli("archive", "site"), cli("archive", "site")

    assert (0, "") == (first.code, first.err)
    assert first.out.startswith("1 edition, 2 papers, ")
    assert " 0 of " in again.out
    assert (place.folder / "site" / "index.html").is_file()


def test_readers_are_told_where_their_own_feed_is(place: Place, cli: Callable[..., Said]) -> None:
    cli("send", "--pull")
    said = cli("archive", "site", "--private")
    folder = next(line.split()[1] for line in said.out.splitlines() if line.startswith("ada@example.org"))

    assert "Routing in a Mixture of Experts" in (place.folder / "site" / folder / "picks.bib").read_text()


def test_a_reader_who_left_leaves_no_feed(place: Place, cli: Callable[..., Said]) -> None:
    place.configure(readers=("ada@example.org", "bo@example.org"))
    cli("send", "--pull")
    before = cli("archive", "site", "--private", "--json").json["private"]
    place.configure(readers=("bo@example.org",))
    after = cli("archive", "site", "--private", "--json").json["private"]

    assert ["ada@example.org", "bo@example.org"] == sorted(before)
    assert {"bo@example.org": before["bo@example.org"]} == after
    assert not (place.folder / "site" / before["ada@example.org"]).exists()
    assert 4 == len(list((place.folder / "site" / before["bo@example.org"]).iterdir()))


ROOT = Path(__file__).parents[2]


def speak(place: Place, code: str) -> None:
    """Give `[digest]` a language, in the place of the one it has."""
    path = place.folder / "config.toml"
    rest = re.sub(r'\nlanguage = "\w+"', "", path.read_text(encoding="utf-8"))
    path.write_text(rest.replace("[digest]\n", f'[digest]\nlanguage = "{code}"\n'), encoding="utf-8")


def test_pages_and_feeds_are_in_the_language_of_the_installation(place: Place, cli: Callable[..., Said]) -> None:
    speak(place, "de")
    cli("pull")
    cli("archive", "site", "--base-url", "https://papers.example.org")
    site = place.folder / "site"
    text = {
        name: (site / name).read_text(encoding="utf-8")
        for name in ("index.html", "search/index.html", "feed.atom", "feed.json")
    }
    (paper,) = [page for page in site.glob("paper/*.html") if "Mixture" in page.read_text(encoding="utf-8")]

    assert '<html lang="de">' in text["index.html"]
    assert "2 neue Artikel. Vorneweg: " in text["index.html"]
    assert 'data-one="# Artikel" data-other="# Artikel">2 Artikel</output>' in text["index.html"]
    assert "Der Anfang eines Wortes genügt." in text["search/index.html"]
    assert 'data-best="#, davon die besten 50" data-most="50"' in text["search/index.html"]
    assert "<summary>Zitieren</summary>" in paper.read_text(encoding="utf-8")
    assert 'xml:lang="de"' in text["feed.atom"]
    assert "2 Artikel.&lt;/p&gt;" in text["feed.atom"]
    assert ("de", True) == (
        json.loads(text["feed.json"])["language"],
        json.loads(text["feed.json"])["items"][0]["title"].endswith(": 2 Artikel"),
    )


def test_another_language_makes_everything_anew(place: Place, cli: Callable[..., Said]) -> None:
    cli("send", "--pull")
    site = place.folder / "site"
    cli("archive", "site", "--private")
    speak(place, "zh")
    said = cli("archive", "site", "--private")
    again = cli("archive", "site", "--private")
    pages = [page.read_text(encoding="utf-8") for page in site.rglob("*.html")]
    (own,) = site.glob("private/*/feed.atom")

    assert 0 == said.code
    assert " 0 of " in again.out
    assert 6 < len(pages) == sum('<html lang="zh-Hans">' in page for page in pages)
    assert "论文速递：我的论文" in own.read_text(encoding="utf-8")
    assert "星期" in (site / "search" / "papers-0.js").read_text().encode().decode("unicode-escape")


def test_days_that_stay_in_another_language_are_counted_with_what_to_type(
    place: Place, cli: Callable[..., Said]
) -> None:
    """They are composed anew for who asks alone: votes of those days may be forgotten."""
    now = utc_now()
    first = now.date() - timedelta(days=34)
    with open_state(f"sqlite:///{place.folder}/state.sqlite3", now=now) as state:
        state.papers.store([StoredPaper(paper(1), now, first)])
    cli("pull")
    before = cli("archive", "site")
    speak(place, "de")
    said = cli("archive", "site")
    counted = cli("archive", "site", "--json").json["in_another_language"]
    after = cli("archive", "site", "--since", str(first))

    assert "language" not in before.out + after.out
    assert "3 older days stayed in another language." in said.out
    assert f"  digest archive site --since {first}\n" in said.out
    assert [str(first + timedelta(days=number)) for number in range(3)] == counted


def test_what_did_not_change_is_counted_as_well(place: Place, cli: Callable[..., Said]) -> None:
    place.configure(readers=("ada@example.org", "bo@example.org"))
    cli("send", "--pull")
    first, again = (cli("archive", "site", "--private", "--json").json for _ in range(2))

    assert (first["files"], 0) == (again["files"], again["written"])


def test_another_translation_makes_everything_anew(place: Place, tmp_path: Path) -> None:
    """Whoever mends a word in a `.po` file wants to see it; with a program of their own, in which one may write."""
    program = tmp_path / "program"
    for name in ("digest", "templates"):
        shutil.copytree(ROOT / name, program / name, ignore=shutil.ignore_patterns("__pycache__"))
    speak(place, "de")
    runs = [place.digest(*command, env={"PYTHONPATH": str(program)}) for command in (["pull"], ["archive", "site"])]
    words = program / "digest" / "languages" / "de.po"
    words.write_text(words.read_text(encoding="utf-8").replace("Alle Tage", "Sämtliche Tage"), encoding="utf-8")
    runs.append(place.digest("archive", "site", env={"PYTHONPATH": str(program)}))
    pages = [page.read_text(encoding="utf-8") for page in (place.folder / "site").rglob("*.html")]

    assert [0, 0, 0] == [run.returncode for run in runs]
    assert len(pages) == sum("Sämtliche Tage" in page for page in pages)


def test_a_reader_s_own_feed_is_in_their_language(place: Place, cli: Callable[..., Said]) -> None:
    place.configure(readers=("ada@example.org", "bo@example.org"), more='language = "de"')
    cli(
        "subscribers", "add", "cy@example.org", "--keyword", "mixture of experts", "--time", "00:00", "--language", "zh"
    )
    cli("send", "--pull", "--now")
    folders = cli("archive", "site", "--private", "--json").json["private"]
    told = {
        email: json.loads((place.folder / "site" / folder / "feed.json").read_text())
        for email, folder in folders.items()
    }

    assert {
        "ada@example.org": ("en", "Paper digest: yours"),
        "bo@example.org": ("de", "Paper digest: eigene Artikel"),
        "cy@example.org": ("zh-Hans", "论文速递：我的论文"),
    } == {email: (feed["language"], feed["title"]) for email, feed in told.items()}
    assert "<p>1 Artikel.</p>" in told["bo@example.org"]["items"][0]["content_html"]
    assert 'lang="en"' in (place.folder / "site" / "index.html").read_text()


@pytest.mark.parametrize("leave", ["configuration", "unsubscribed"])
def test_whoever_left_has_no_feed_even_if_none_are_asked_for(
    leave: str, place: Place, cli: Callable[..., Said]
) -> None:
    place.configure(readers=("ada@example.org", "bo@example.org"))
    cli("send", "--pull")
    folders = cli("archive", "site", "--private", "--json").json["private"]
    if leave == "configuration":
        place.configure(readers=("bo@example.org",))
    else:
        cli("subscribers", "pause", "ada@example.org", "--reason", "unsubscribed by mail")
    cli("archive", "site")

    assert not (place.folder / "site" / folders["ada@example.org"]).exists()
    assert (place.folder / "site" / folders["bo@example.org"] / "feed.atom").exists()


def test_a_subscriber_who_was_removed_has_no_feed(place: Place, cli: Callable[..., Said]) -> None:
    cli("subscribers", "add", "bo@example.org", "--keyword", "mixture of experts", "--time", "00:00")
    cli("send", "--pull", "--now")
    folders = cli("archive", "site", "--private", "--json").json["private"]
    cli("subscribers", "remove", "bo@example.org")
    cli("archive", "site")

    assert ["ada@example.org", "bo@example.org"] == sorted(folders)
    assert not (place.folder / "site" / folders["bo@example.org"]).exists()
    assert (place.folder / "site" / folders["ada@example.org"]).exists()


def test_who_left_and_is_asked_anew_has_no_feed_before_they_say_yes(place: Place, cli: Callable[..., Said]) -> None:
    place.configure(readers=("ada@example.org", "bo@example.org"))
    cli("send", "--pull")
    folders = cli("archive", "site", "--private", "--json").json["private"]
    place.configure(readers=("bo@example.org",))
    with open_state(f"sqlite:///{place.folder}/state.sqlite3", now=NOW) as state:
        state.subscribers.put(subscriber("ada@example.org", asked_at=NOW), now=NOW)
        told = cli("archive", "site", "--private", "--json").json["private"]
        there = (place.folder / "site" / folders["ada@example.org"]).exists()
        state.subscribers.confirm("ada@example.org")
    again = cli("archive", "site", "--private", "--json").json["private"]

    assert (["bo@example.org"], False) == ([*told], there)
    assert folders == again


def test_who_is_on_holiday_keeps_their_feed(place: Place, cli: Callable[..., Said]) -> None:
    cli("send", "--pull")
    (folder,) = cli("archive", "site", "--private", "--json").json["private"].values()
    cli("subscribers", "pause", "ada@example.org", "--until", "2999-01-01")
    cli("archive", "site")

    assert (place.folder / "site" / folder / "feed.atom").exists()


@pytest.mark.parametrize(
    ("arguments", "code", "reason"),
    [
        (("full",), 2, "full: it is not empty, and no archive\n  → name a new folder"),
        (("config.toml",), 2, "config.toml: "),
        (("site", "--since", "yesterday"), 2, "--since yesterday: this is no date\n  → write it as 20"),
        (("site", "--base-url", "papers.example.org"), 2, "--base-url papers.example.org: this is no address"),
        (("site", "--base-url", "https://a@b/"), 2, "this is no address of a folder"),
    ],
    ids=["another folder", "file", "no date", "no scheme", "user"],
)
def test_an_archive_says_what_it_needs(
    arguments: tuple[str, ...], code: int, reason: str, place: Place, cli: Callable[..., Said]
) -> None:
    cli("pull")
    (place.folder / "full").mkdir()
    (place.folder / "full" / "thesis.tex").write_text("mine")
    said = cli("archive", *arguments)

    assert (code, "") == (said.code, said.out)
    assert reason in said.err
    assert ["thesis.tex"] == [path.name for path in (place.folder / "full").iterdir()]


def test_the_folder_of_the_configuration_is_written_if_none_is_named(place: Place, cli: Callable[..., Said]) -> None:
    place.configure(more='[archive]\npath = "site"\nprivate = true')
    cli("send", "--pull")
    said, elsewhere = cli("archive"), cli("archive", "elsewhere")

    assert 0 == said.code
    assert "ada@example.org  private/" in said.out
    assert (place.folder / "site" / "index.html").is_file()
    # what is private stays where it was said to be
    assert "private/" not in elsewhere.out
    assert not (place.folder / "elsewhere" / "private").exists()


@pytest.mark.usefixtures("place")
def test_without_any_folder_it_says_what_to_type(cli: Callable[..., Said]) -> None:
    said = cli("archive")

    assert 2 == said.code
    assert 'no folder is named\n  → type: digest archive DIR, or add [archive] with path = "site"' in said.err


def test_two_processes_do_not_write_at_the_same_time(place: Place, cli: Callable[..., Said]) -> None:
    cli("pull")
    cli("archive", "site")
    with FileLock(place.folder / "site" / f"{MARK}.lock"):
        said = cli("archive", "site")

    assert (1, "") == (said.code, said.out)
    assert "site: another process is writing it\n  → wait until it is done" in said.err


def test_without_papers_there_is_no_archive(place: Place, cli: Callable[..., Said]) -> None:
    place.list_papers()
    cli("pull")
    said = cli("archive", "site")

    assert 1 == said.code
    assert "no papers are known\n  → fetch some with: digest pull" in said.err
    assert not (place.folder / "site").exists()
