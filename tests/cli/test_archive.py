"""`digest archive`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from filelock import FileLock

from digest.pipeline.made import MARK
from digest.state.store import open_state
from tests.makers import NOW, subscriber

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
