"""The commands that answer questions: why, status."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tests.smtp_server import DROP, free_port, smtp_server

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.cli.conftest import Said
    from tests.commands import Place

#: as it is shown
MOMENT = r"\d{4}-\d\d-\d\d \d\d:\d\d UTC"


def test_before_anything_ran_that_is_the_story(cli: Callable[..., Said]) -> None:
    said = cli("why", "--days", "1")

    assert 0 == said.code
    assert "\n  No pull ran: nothing was fetched\n  No digest was due, or no send ran\n" in said.out


def test_why_tells_everybody_s_day(cli: Callable[..., Said]) -> None:
    cli("send", "--pull")

    said = cli("why", "--days", "1")

    assert "\n  list: first pull: 2 papers, 2 new\n  Subscribers: 1 sent\n" in said.out


def test_why_tells_one_reader_s_days_and_nobody_else_s(place: Place, cli: Callable[..., Said]) -> None:
    place.configure(readers=("ada@example.org", "bob@example.org"))
    cli("send", "--pull")

    said = cli("why", "BOB@example.org", "--days", "2")

    assert 0 == said.code
    assert "ada@" not in said.out
    assert "No digest for bob@example.org: it was due at 00:00 UTC, but no send ran since" in said.out
    assert "\n  bob@example.org: 1 for you" in said.out


def test_why_does_not_say_that_something_was_due_before_a_reader_joined(cli: Callable[..., Said]) -> None:
    cli("subscribers", "add", "zoe@example.org", "--time", "0:00", "--days", "mon,tue,wed,thu,fri,sat,sun")

    said = cli("why", "zoe@example.org", "--days", "2")

    assert [1, 1] == [said.out.count(words) for words in ("who joined on", "it was due at 00:00 UTC")]


def test_why_in_json_is_a_list_of_days(cli: Callable[..., Said]) -> None:
    told = cli("why", "--days", "2", "--json").json

    assert [{"day", "lines", "trouble"}, {"day", "lines", "trouble"}] == [set(day) for day in told]


def test_why_of_an_unknown_reader(cli: Callable[..., Said]) -> None:
    said = cli("why", "ad@example.org")

    assert (1, "") == (said.code, said.out)
    assert "  → did you mean ada@example.org?\n" in said.err


def test_status_shows_what_is_known_and_what_comes_next(cli: Callable[..., Said]) -> None:
    cli("send", "--pull")

    said = cli("status")

    words = [line.split() for line in said.out.splitlines()]
    assert 0 == said.code
    assert ["papers", "2"] in words
    assert ["sent", "1"] in words
    assert ["00:00", "UTC", "ada@example.org"] in [line[-3:] for line in words]


def test_status_says_how_many_readers_it_does_not_name(place: Place, cli: Callable[..., Said]) -> None:
    place.configure(readers=[f"reader{number}@example.org" for number in range(8)])

    many = cli("status").out
    place.configure(readers=[f"reader{number}@example.org" for number in range(5)])
    few = cli("status").out

    assert ["reader4@example.org", "  … and 3 more: digest subscribers list"] == [
        many.splitlines()[-2].split()[-1],
        many.splitlines()[-1],
    ]
    assert "more" not in few


def test_nobody_who_is_paused_is_next(cli: Callable[..., Said]) -> None:
    cli("subscribers", "pause", "ada@example.org")

    assert "next digests" not in cli("status").out
    assert {"ada@example.org": None} == cli("status", "--json").json["next_due"]


def test_status_in_json_has_a_place_for_every_source(cli: Callable[..., Said]) -> None:
    before, _, after = cli("status", "--json").json, cli("pull"), cli("status", "--json").json

    assert {"list": None} == before["sources"]
    assert 0 == after["sources"]["list"]["failures"]
    keys = {"config", "state", "counts", "sources", "failing", "waiting", "last_send", "next_due"}
    assert keys == after.keys()


def test_status_names_a_source_that_fails_with_the_reason_and_since_when(
    place: Place, cli: Callable[..., Said]
) -> None:
    papers = place.folder / "papers.jsonl"
    before = cli("pull"), cli("status")
    papers.unlink()
    cli("pull"), cli("pull")

    said, told = cli("status"), cli("status", "--json").json["failing"]

    assert "since" not in before[1].out
    sentence = f"list: {papers}: No such file or directory; check `path` of this source, and who may read it; "
    assert re.search(rf"^  {re.escape(sentence)}2 failed pulls in a row; since .* UTC$", said.out, re.MULTILINE)
    assert [("list", 2)] == [(one["source"], one["pulls"]) for one in told]
    place.list_papers("Routing in a Mixture of Experts")
    cli("pull")
    assert [] == cli("status", "--json").json["failing"]


def test_status_says_why_mail_waits_since_when_and_what_to_type(place: Place, cli: Callable[..., Said]) -> None:
    """A relay that nobody reaches has said nothing to any of them: what the last send said is all there is."""
    port = free_port()
    place.configure(smtp_port=port, readers=[f"reader{number}@example.org" for number in range(4)])
    cli("send", "--pull")

    said, told = cli("status").out, cli("status", "--json").json

    waits = re.escape(f": 127.0.0.1:{port}: connect: nothing listens there; check smtp.host and smtp.port")
    assert re.search(
        rf"\nmail that waits\n  4 since {MOMENT}{waits}.*\n  Last tried {MOMENT}; the next send tries", said
    )
    assert "To see whether the relay answers: digest check\n" in said
    assert [("planned", 4)] == [(one["state"], one["mails"]) for one in told["waiting"]]
    assert told["last_send"] == told["waiting"][0]["since"]


def test_status_tells_mail_that_the_relay_put_off_from_what_is_held_back(
    place: Place, cli: Callable[..., Said]
) -> None:
    ada, bob, eve = (f"{name}@example.org" for name in ("ada", "bob", "eve"))
    with smtp_server() as relay:
        place.configure(smtp_port=relay.port, readers=(ada, bob, eve), more='[delivery]\nin_doubt = "hold"')
        relay.script |= {("rcpt", ada): "450 4.2.1 not now", ("rcpt", bob): "450 4.2.1 not now", ("dot", eve): DROP}
        cli("send", "--pull")
        waiting = cli("status").out
        relay.script.clear()
        cli("send", "--held")

    assert re.search(rf"\n  2 since {MOMENT}: 450 4\.2\.1 not now .*; next attempt {MOMENT}\n", waiting)
    assert re.search(rf"\n  1 held back since {MOMENT}: .*; to send it: digest send --held\n", waiting)
    assert "held back" not in cli("status").out
