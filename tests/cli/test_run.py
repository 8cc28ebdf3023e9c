"""The commands that do the work: pull, send."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.installation import where_it_is_morning
from tests.smtp_server import DROP, free_port, smtp_server

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.cli.conftest import Said
    from tests.commands import Place

ADA, BOB = "ada@example.org", "bob@example.org"


def test_a_pull_says_what_came_and_mails_nothing(place: Place, cli: Callable[..., Said]) -> None:
    said = cli("pull")

    assert (0, "✓ list: first pull: 2 papers, 2 new\n", "") == (said.code, said.out, said.err)
    assert [] == place.mails()


def test_a_pull_names_the_items_that_it_left_out(place: Place, cli: Callable[..., Said]) -> None:
    with (place.folder / "papers.jsonl").open("a") as file:
        file.write("nonsense\n")

    said = cli("pull")

    assert 0 == said.code
    assert "\n  list: line 3: " in said.out


def test_authorities_that_cannot_be_read_cost_the_sources_of_the_network_and_no_mail(
    place: Place, cli: Callable[..., Said], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = place.configure()
    with path.open("a", encoding="utf-8") as file:
        file.write('\n[[sources]]\ntype = "feed"\nname = "blog"\nurl = "https://127.0.0.1:9/feed"\n')
    monkeypatch.setenv("SSL_CERT_FILE", str(place.folder / "gone.pem"))

    said = cli("send", "--pull")

    failed = "! blog: https://127.0.0.1:9/feed: environment SSL_CERT_FILE: No such file or directory; "
    assert (0, "", True) == (said.code, said.err, failed in said.out)
    assert [ADA] == [recipient for recipient, _ in place.mails()]


def test_a_pull_of_a_source_that_is_not_there_names_those_that_are(cli: Callable[..., Said]) -> None:
    said = cli("pull", "--source", "lst")

    assert (2, "") == (said.code, said.out)
    assert "digest: --source lst: there is no such source\n  → the sources are: list\n" == said.err


def test_a_pull_that_brought_nothing_but_failures_fails(place: Place, cli: Callable[..., Said]) -> None:
    (place.folder / "papers.jsonl").unlink()

    said = cli("pull")

    assert 1 == said.code
    assert said.out.startswith("! list: ")


def test_a_pull_in_json_is_one_report(cli: Callable[..., Said]) -> None:
    said = cli("pull", "--json")

    assert ("", "pull", "fresh") == (said.err, said.json["command"], said.json["verdicts"][0]["finding"])


def test_send_mails_each_reader_once_a_day(place: Place, cli: Callable[..., Said]) -> None:
    first, second = cli("send", "--pull"), cli("send", "--now")

    assert (0, 0) == (first.code, second.code)
    assert "✓ ada@example.org: 1 for you" in first.out
    assert "· ada@example.org: the digest of " in second.out
    assert "was sent before" in second.out
    assert [ADA] == [recipient for recipient, _ in place.mails()]


def test_a_send_before_any_pull_says_so_and_what_to_type(place: Place, cli: Callable[..., Said]) -> None:
    """There was no last digest since which nothing came; also where a first pull failed."""
    nothing = f"! {ADA}: nothing was ever pulled, so no mail; type: digest pull\n"
    first, silent = cli("send"), cli("send", "--quiet")
    papers = (place.folder / "papers.jsonl").read_text()
    (place.folder / "papers.jsonl").unlink()
    failed = cli("send", "--pull")
    (place.folder / "papers.jsonl").write_text("")
    empty = cli("send", "--pull")
    (place.folder / "papers.jsonl").write_text(papers.replace("Mixture", "Herd").replace("Experts", "Yaks"))
    quiet = cli("send", "--pull")

    assert (0, nothing, nothing) == (first.code, first.out, silent.out)
    assert (1, True) == (failed.code, failed.out.endswith(nothing))
    assert f"· {ADA}: no new papers since the last digest" in empty.out
    assert f"· {ADA}: 2 new papers, none matched" in quiet.out


def test_before_their_hour_nobody_gets_mail_unless_told_now(place: Place, cli: Callable[..., Said]) -> None:
    zone = where_it_is_morning()
    place.configure(time="23:59", timezone=zone)
    early = cli("send", "--pull")

    assert f"· ada@example.org: due at 23:59 {zone}" in early.out
    assert [] == place.mails()
    assert 0 == cli("send", "--now").code
    assert 1 == len(place.mails())


def test_send_in_json_is_one_document_with_or_without_a_pull(cli: Callable[..., Said]) -> None:
    """A program reads standard output as a whole; what happened before the sending is part of the answer."""
    both, alone = cli("send", "--pull", "--json"), cli("send", "--json")

    assert ("pull", "send") == (both.json["pull"]["command"], both.json["send"]["command"])
    assert (None, "send") == (alone.json["pull"], alone.json["send"]["command"])
    assert "" == both.err + alone.err


def test_without_a_relay_everything_waits_and_the_exit_code_says_try_again(
    place: Place, cli: Callable[..., Said]
) -> None:
    place.configure(smtp_port=free_port())
    down = cli("send", "--pull")

    assert 75 == down.code
    assert "! ada@example.org: the digest of " in down.out
    place.configure()
    assert 0 == cli("send").code
    assert 1 == len(place.mails())


def test_a_refused_reader_fails_the_run_and_costs_nobody_else_their_mail(
    place: Place, cli: Callable[..., Said]
) -> None:
    with smtp_server() as server:
        place.configure(smtp_port=server.port, readers=(ADA, BOB))
        server.script["rcpt", ADA] = "550 5.1.1 no such user"
        said = cli("send", "--pull")

    assert 1 == said.code
    assert "! ada@example.org: refused, and not tried again" in said.out
    assert [BOB] == [accepted.recipient for accepted in server.accepted]


def test_deferred_counts_more_than_refused(place: Place, cli: Callable[..., Said]) -> None:
    """Trying again is what helps."""
    with smtp_server() as server:
        place.configure(smtp_port=server.port, readers=(ADA, BOB))
        server.script["rcpt", ADA] = "550 5.1.1 no such user"
        server.script["rcpt", BOB] = "451 4.7.1 greylisted"

        assert 75 == cli("send", "--pull").code


def test_mail_goes_out_although_every_source_failed_and_the_exit_code_tells(
    place: Place, cli: Callable[..., Said]
) -> None:
    cli("pull")
    (place.folder / "papers.jsonl").unlink()

    said = cli("send", "--pull")

    assert 1 == said.code
    assert 1 == len(place.mails())


def test_a_missing_configuration_says_how_to_write_one(place: Place, cli: Callable[..., Said]) -> None:
    (place.folder / "config.toml").unlink()

    for command in ("pull", "send", "run", "check", "preview", "why", "status"):
        said = cli(command)

        assert (2, "") == (said.code, said.out)
        assert said.err.startswith("digest: there is no configuration, neither ")
        assert "digest init" in said.err


def test_every_mistake_of_a_configuration_is_told_with_its_line(place: Place, cli: Callable[..., Said]) -> None:
    config = place.configure(more='timezone = "Mars/Base"\n[[sources]]\ntype = "feed"\nname = "list"')
    line = config.read_text().splitlines().index('timezone = "Mars/Base"') + 1

    said = cli("pull")

    assert 2 == said.code
    assert f"config.toml:{line}: subscribers.0.timezone = Mars/Base: " in said.err
    assert 4 == said.err.count("digest: ")
    assert 4 == said.err.count("  → ")


def test_a_warning_is_said_by_commands_that_act_and_not_by_those_that_look(
    place: Place, cli: Callable[..., Said]
) -> None:
    config = place.configure()
    config.write_text(config.read_text().replace("lab.example", "example.org") + '\n[smtp]\nhost = "127.0.0.1"')

    assert "mail.from" in cli("pull").err
    assert "" == cli("status").err


def test_mail_without_an_answer_is_in_doubt_and_the_exit_code_says_try_again(
    place: Place, cli: Callable[..., Said]
) -> None:
    with smtp_server() as server:
        place.configure(smtp_port=server.port)
        server.script["dot"] = DROP
        said = cli("send", "--pull")

    assert 75 == said.code
    assert "may or may not have arrived" in said.out
