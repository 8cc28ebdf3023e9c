"""`digest bounces`, and what the other commands say afterwards."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from digest.clock import utc_now
from tests.bounces.mails import LETTER, VACATION
from tests.pipeline.test_returns import bounce, make_maildir, put

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.cli.conftest import Said
    from tests.commands import Place

ADA = "ada@example.org"


@pytest.fixture
def bounced(place: Place, cli: Callable[..., Said]) -> Place:
    """Ada's mail came back on two days, and somebody is on holiday."""
    place.configure(more='[bounces]\nmaildir = "returned"')
    maildir = make_maildir(place.folder / "returned")
    cli("send", "--pull")
    [letter] = (path.read_bytes() for path in (place.folder / "outbox" / "new").iterdir())
    for days in (1, 2):
        put(maildir, bounce(letter), utc_now() - timedelta(days=days))
    put(maildir, VACATION, utc_now())
    return place


@pytest.mark.usefixtures("bounced")
def test_it_says_what_came_back_and_what_follows(cli: Callable[..., Said]) -> None:
    dry, said, again = cli("bounces", "--dry-run"), cli("bounces"), cli("bounces")

    first, second = said.out.splitlines()
    would, trial = dry.out.splitlines()[1:]
    assert (0, 0, "", "") == (dry.code, said.code, dry.err, said.err)
    assert would == second.replace("paused:", "would be paused:", 1).partition("; see:")[0]
    assert "This was a dry run: nobody was paused, nothing was written down, and the mails are as they were." == trial
    assert "3 mails read: 2 hard; 1 was no bounce" == first
    assert second.startswith(f"{ADA}: paused: the address does not exist: bounced on 2 days, last on ")
    assert second.endswith(f"; see: digest subscribers resume {ADA}")
    assert (0, "0 mails read\n") == (again.code, again.out)


@pytest.mark.usefixtures("bounced")
def test_why_tells_the_reader_s_story(cli: Callable[..., Said]) -> None:
    verdict = cli("bounces").out.splitlines()[1]

    assert verdict in cli("why", ADA).out
    assert "paused: the address does not exist" in cli("subscribers", "list").out
    assert f"{ADA} gets mail again.\n" == cli("subscribers", "resume", ADA).out


@pytest.mark.usefixtures("bounced")
def test_in_json_it_is_one_report(cli: Callable[..., Said]) -> None:
    said = cli("bounces", "--json")

    assert ("bounces", ["3 mails read: 2 hard; 1 was no bounce"]) == (said.json["command"], said.json["notes"])
    assert [(ADA, "paused", {"hard": 2})] == [
        (verdict["name"], verdict["finding"], verdict["counts"]) for verdict in said.json["verdicts"]
    ]


def test_without_a_mailbox_it_says_what_to_do(cli: Callable[..., Said]) -> None:
    said = cli("bounces")

    assert (1, "") == (said.code, said.out)
    assert said.err.startswith("digest: it is not configured where returned mail lies\n  → add a [bounces] table")


def test_a_mailbox_that_cannot_be_used_is_found_by_check(place: Place, cli: Callable[..., Said]) -> None:
    place.configure(more='[bounces]\nmaildir = "returned"')

    broken = cli("check")
    make_maildir(place.folder / "returned")
    mended = cli("check")

    assert 1 == broken.code
    assert f"! {place.folder / 'returned'}: this is no Maildir\n" in broken.out
    assert (0, True) == (mended.code, f"✓ returned mail: {place.folder / 'returned'}\n" in mended.out)


def test_letters_from_people_stay_unread_and_are_told(place: Place, cli: Callable[..., Said]) -> None:
    """Who answers a bounce address wants something, and nobody but its owner sees it."""
    place.configure(more='[bounces]\nmaildir = "returned"')
    maildir = make_maildir(place.folder / "returned")
    put(maildir, VACATION, utc_now())
    put(maildir, LETTER, utc_now())
    lies = f"1 letter from a person lies unread in {maildir}: read it there\n"

    dry, first, again = cli("bounces", "--dry-run"), cli("bounces", "--quiet"), cli("bounces")
    put(maildir, LETTER, utc_now())
    both, silent = cli("bounces", "--quiet"), cli("bounces", "--quiet")

    read = "2 mails read: 1 letter from a person; 1 was no bounce\n"
    assert (dry.out.startswith(read + lies), lies, f"0 mails read\n{lies}") == (True, first.out, again.out)
    assert f"2 letters from people lie unread in {maildir}: read them there\n" == both.out
    assert (0, "", "") == (silent.code, silent.out, silent.err)
    names = sorted(path.name.partition(":2,")[2] for path in (maildir / "cur").iterdir())
    assert ["F", "F", "S"] == names


def test_when_too_many_bounce_to_pause_them_all_else_is_told(place: Place, cli: Callable[..., Said]) -> None:
    """A letter is told in the run that finds it; by the next one it is no news."""
    readers = [f"r{number:02d}@example.org" for number in range(12)]
    place.configure(readers=readers, more='[bounces]\nmaildir = "returned"')
    maildir = make_maildir(place.folder / "returned")
    cli("send", "--pull")
    for path in (place.folder / "outbox" / "new").iterdir():
        for days in (1, 2):
            put(maildir, bounce(path.read_bytes()), utc_now() - timedelta(days=days))
    put(maildir, LETTER, utc_now())

    said, again = cli("bounces", "--quiet"), cli("bounces", "--json")

    assert (1, f"1 letter from a person lies unread in {maildir}: read it there\n") == (said.code, said.out)
    assert said.err.startswith("digest: mail to 12 of 12 readers bounces, so many that the fault may be at your own ")
    assert (1, "0 mails read") == (again.code, again.json["notes"][0])


def test_a_letter_is_told_by_the_run_after_one_that_broke_off(place: Place, cli: Callable[..., Said]) -> None:
    place.configure(more='[bounces]\nmaildir = "returned"')
    maildir = make_maildir(place.folder / "returned")
    put(maildir, LETTER, utc_now() - timedelta(days=1))
    stubborn = maildir / "new" / ("x" * 255)  # with a flag the name is too long for the disk
    stubborn.write_bytes(VACATION)

    broken = cli("bounces", "--quiet")
    stubborn.unlink()
    said = cli("bounces", "--quiet")

    assert (1, "") == (broken.code, broken.out)
    assert f"1 letter from a person lies unread in {maildir}: read it there\n" == said.out
