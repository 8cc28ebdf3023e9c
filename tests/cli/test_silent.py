"""`--quiet`: what cron has to mail to the operator, and what not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.http_server import Reply, in_turn
from tests.pipeline.test_returns import make_maildir
from tests.smtp_server import free_port, smtp_server

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.cli.conftest import Said
    from tests.commands import Place
    from tests.http_server import HttpServer

ADA, BOB = "ada@example.org", "bob@example.org"


def test_a_day_on_which_all_is_well_says_nothing(place: Place, cli: Callable[..., Said]) -> None:
    """Fetched, sent, nothing due any more, written, nothing came back."""
    place.configure(more='[bounces]\nmaildir = "returned"')
    make_maildir(place.folder / "returned")

    for command in ("pull", "pull", "send --pull", "send", "archive site", "bounces"):
        said = cli(*command.split(), "-q")

        assert (command, 0, "", "") == (command, said.code, said.out, said.err)
    assert 1 == len(place.mails())
    assert (place.folder / "site" / "index.html").is_file()


def test_a_source_that_failed_is_told(place: Place, cli: Callable[..., Said]) -> None:
    cli("pull")
    (place.folder / "papers.jsonl").unlink()

    pulled, sent = cli("pull", "--quiet"), cli("send", "--pull", "--quiet")

    for said in (pulled, sent):
        assert (1, 1) == (said.code, said.out.count("\n"))
        assert said.out.startswith("! list: ")


def test_a_server_that_answered_when_asked_again_is_not_told(
    place: Place, cli: Callable[..., Said], http_server: HttpServer
) -> None:
    place.configure(
        more=f'[[sources]]\ntype = "jsonl"\nname = "far"\nurl = "{http_server.url}/papers.jsonl"\n'
        '[http]\ncontact = "ada@lab.example"\nallow_private_hosts = ["127.0.0.1"]\n'
    )
    http_server.routes["/papers.jsonl"] = in_turn(Reply(503), Reply(body=b'{"id": "2609.00009", "title": "Far"}'))

    said = cli("send", "--pull", "--quiet")

    assert (0, "", "") == (said.code, said.out, said.err)
    assert 2 == len(http_server.requests)


def test_of_many_readers_only_those_are_told_whose_mail_did_not_go(place: Place, cli: Callable[..., Said]) -> None:
    with smtp_server() as server:
        place.configure(smtp_port=server.port, readers=(ADA, BOB))
        server.script["rcpt", ADA] = "550 5.1.1 no such user"
        said = cli("send", "--pull", "--quiet")

    assert (1, 1) == (said.code, said.out.count("\n"))
    assert said.out.startswith(f"! {ADA}: refused, and not tried again")
    assert [BOB] == [accepted.recipient for accepted in server.accepted]


def test_mail_that_waits_is_told_with_the_reason(place: Place, cli: Callable[..., Said]) -> None:
    place.configure(smtp_port=free_port())

    said = cli("send", "--pull", "--quiet")

    assert (75, True) == (said.code, said.out.startswith(f"! {ADA}: the digest of "))


def test_what_waits_for_one_reason_is_named_a_few_times_and_then_counted(
    place: Place, cli: Callable[..., Said]
) -> None:
    place.configure(smtp_port=free_port(), readers=[f"reader{number}@example.org" for number in range(9)])

    sent, why = cli("send", "--pull", "--quiet"), cli("why", "--days", "1")

    assert (75, 4) == (sent.code, sent.out.count("\n"))
    assert sent.out.startswith("! reader0@example.org: the digest of ")
    assert sent.out.endswith("\n! 6 more wait for the same reason\n")
    assert 3 == why.out.count(": the digest of ")
    assert why.out.endswith("\n  6 more wait for the same reason\n")


def test_an_error_is_told(cli: Callable[..., Said]) -> None:
    said = cli("archive", "site", "--quiet")

    assert (1, "") == (said.code, said.out)
    assert said.err.startswith("digest: ")
