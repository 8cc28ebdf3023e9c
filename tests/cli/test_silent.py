"""`--quiet`: what cron has to mail to the operator, and what not."""

from __future__ import annotations

import json
import os
import shutil
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import luqum
import pytest

from digest.clock import utc_now
from digest.model import RunReport, Verdict
from digest.state.store import open_state
from tests.http_server import Reply, in_turn
from tests.installation import item, jsonl
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


def test_a_source_that_answers_when_it_is_asked_again_says_nothing(
    place: Place, cli: Callable[..., Said], http_server: HttpServer
) -> None:
    path = place.configure()
    source = f'url = "{http_server.url}/list"\n[http]\nallow_private_hosts = ["127.0.0.1"]'
    path.write_text(path.read_text().replace('path = "papers.jsonl"', source))
    http_server.routes["/list"] = in_turn(Reply(503), Reply(body=jsonl(item(1))))

    said = cli("pull", "--quiet")

    assert 2 == len(http_server.requests)
    assert (0, "", "") == (said.code, said.out, said.err)


def test_of_a_source_other_trouble_is_told_on_the_same_day(place: Place, cli: Callable[..., Said]) -> None:
    (place.folder / "papers.jsonl").unlink()
    midnight = utc_now().replace(hour=0, minute=0, second=0, microsecond=0)
    earlier = Verdict("source", "list", "failed", "list: 5,000 new papers at once", midnight, trouble=True)
    with open_state(f"sqlite:///{place.folder}/state.sqlite3", now=midnight) as state:
        state.runs.record(RunReport("pull", midnight, midnight, (earlier,)))

    assert cli("pull", "--quiet").out.startswith("! list: ")


@pytest.mark.parametrize("command", ["pull", "send --pull"])
def test_a_source_that_fails_is_told_once_a_day(command: str, place: Place, cli: Callable[..., Said]) -> None:
    """Cron runs every half an hour."""
    cli("pull")
    (place.folder / "papers.jsonl").unlink()
    now = utc_now()
    earlier = Verdict("source", "list", "failed", "list: it is not there", now - timedelta(days=1), trouble=True)
    with open_state(f"sqlite:///{place.folder}/state.sqlite3", now=now) as state:
        state.runs.record(RunReport("pull", earlier.at, earlier.at, (earlier,)))

    first, second = (cli(*command.split(), "--quiet") for _ in range(2))

    assert (1, 1) == (first.code, first.out.count("\n"))
    assert first.out.startswith("! list: ")
    assert (1, "") == (second.code, second.out)


def test_a_github_token_that_is_refused_is_told(
    place: Place, cli: Callable[..., Said], http_server: HttpServer
) -> None:
    """The papers are there all the same, and nobody would look for the reason why stars stand still."""
    github = f'[github]\nbase_url = "{http_server.url}"\ntoken = "geheim"'
    place.configure(more=f'{github}\n[http]\nallow_private_hosts = ["127.0.0.1"]')
    paper = {"id": "1", "title": "Mixture of experts", "code": "https://github.com/ada/numbers"}
    (place.folder / "papers.jsonl").write_text(json.dumps(paper))
    http_server.routes["/repos/ada/numbers"] = Reply(401)

    said, why = cli("pull", "--quiet"), cli("why", "--days", "1")

    assert (0, "") == (said.code, said.err)
    assert said.out.startswith("! github: the token is not accepted; make a new one and put it where github.token_file")
    assert "\n  github: the token is not accepted" in why.out


def test_of_many_readers_only_those_are_told_whose_mail_did_not_go(place: Place, cli: Callable[..., Said]) -> None:
    with smtp_server() as server:
        place.configure(smtp_port=server.port, readers=(ADA, BOB))
        server.script["rcpt", ADA] = "550 5.1.1 no such user"
        said = cli("send", "--pull", "--quiet")

    assert (1, 1) == (said.code, said.out.count("\n"))
    assert said.out.startswith(f"! {ADA}: refused, and not tried again")
    assert [BOB] == [accepted.recipient for accepted in server.accepted]


def test_more_refused_readers_than_are_listed_are_counted(place: Place, cli: Callable[..., Said]) -> None:
    with smtp_server() as server:
        place.configure(smtp_port=server.port, readers=[f"r{number}@example.org" for number in range(1_010)])
        server.script["rcpt"] = "550 5.1.1 no such user"
        said = cli("send", "--pull", "--quiet")

    *listed, note, tally = said.out.splitlines()
    assert (1, 1_000) == (said.code, len(listed))
    assert ("  10 more are not listed here; about each: digest why EMAIL", "  1,010 refused") == (note, tally)


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


def test_an_operator_who_cannot_be_told_is_named_with_the_reason(place: Place, cli: Callable[..., Said]) -> None:
    """After a day that brought nothing there is a mail to them, of which nobody else would hear."""
    yesterday = utc_now() - timedelta(days=1)
    with smtp_server() as server:
        place.configure(smtp_port=server.port, mail='operator = "root@lab.example"')
        (place.folder / "papers.jsonl").unlink()
        with open_state(f"sqlite:///{place.folder}/state.sqlite3", now=yesterday) as state:
            state.runs.record(RunReport("pull", yesterday, yesterday))
        server.script["rcpt", "root@lab.example"] = "550 5.1.1 no such user"
        said = cli("send", "--pull", "--quiet")

    told = "digest: something is wrong, and root@lab.example (mail.operator) could not be told: "
    assert (1, True) == (said.code, said.err.startswith(told))
    assert "550 5.1.1 no such user" in said.err


def test_an_error_is_told(cli: Callable[..., Said]) -> None:
    said = cli("archive", "site", "--quiet")

    assert (1, "") == (said.code, said.out)
    assert said.err.startswith("digest: ")


@pytest.mark.parametrize("tables", ["of another signature", "missing"])
def test_whatever_tables_the_parser_of_keywords_finds_nothing_is_said_or_written(tables: str, place: Place) -> None:
    """Under Python 3.13 and newer those that luqum brings bear another signature than its grammar."""
    copy = place.folder / "site" / "luqum"
    shutil.copytree(Path(luqum.__file__).parent, copy, ignore=shutil.ignore_patterns("__pycache__"))
    brought = copy / "parsetab.py"
    if tables == "missing":
        brought.unlink()
    else:
        brought.write_text(brought.read_text().replace("_lr_signature = '", "_lr_signature = 'another "))
    before = {path: path.read_bytes() for path in copy.rglob("*") if path.is_file()}

    path = os.pathsep.join([str(copy.parent), *filter(None, [os.environ.get("PYTHONPATH")])])
    done = place.digest("pull", "--quiet", env={"PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"})

    assert (0, "", "") == (done.returncode, done.stdout, done.stderr)
    assert before == {path: path.read_bytes() for path in copy.rglob("*") if path.is_file()}
