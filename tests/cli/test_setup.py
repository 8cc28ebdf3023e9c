"""The commands before the first mail: demo, init, check."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.http_server import Reply
from tests.smtp_server import Authority, free_port, smtp_server

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.cli.conftest import Said
    from tests.commands import Place
    from tests.http_server import HttpServer


# --- demo -------------------------------------------------------------------------------------------------------


def test_the_demo_shows_mails_and_tells_where_they_are(place: Place, cli: Callable[..., Said]) -> None:
    said = cli("demo", "--out", "new")

    assert (0, "") == (said.code, said.err)
    assert 3 == len(list((place.folder / "new/previews").glob("*.html")))
    assert 6 == len(list((place.folder / "new/outbox/new").iterdir()))
    assert "was sent before" in said.out
    assert 0 == cli("why", "--config", "new/config.toml", "--days", "7").code


def test_the_demo_never_writes_where_something_is(place: Place, cli: Callable[..., Said]) -> None:
    """A folder that holds somebody's configuration would lose it."""
    before = (place.folder / "config.toml").read_text()

    said = cli("demo", "--out", ".")

    assert (2, "") == (said.code, said.out)
    assert "digest: --out .: it is not empty\n  → name a new folder, or leave --out away\n" == said.err
    assert before == (place.folder / "config.toml").read_text()


def test_the_demo_needs_a_folder(cli: Callable[..., Said]) -> None:
    said = cli("demo", "--out", "config.toml")

    assert (2, "digest: --out config.toml: it is a file\n") == (said.code, said.err.partition("  →")[0])


# --- init -------------------------------------------------------------------------------------------------------


def test_init_writes_the_example_for_its_owner_only(place: Place, cli: Callable[..., Said]) -> None:
    said = cli("init", "etc/digest.toml")

    path = place.folder / "etc/digest.toml"
    assert 0 == said.code
    assert "then: digest check --config etc/digest.toml" in said.out
    assert {"http", "mail", "sources", "subscribers"} <= tomllib.loads(path.read_text()).keys()
    assert 0o600 == path.stat().st_mode & 0o777


def test_init_replaces_nothing_unless_told_to(place: Place, cli: Callable[..., Said]) -> None:
    before = (place.folder / "config.toml").read_text()

    refused = cli("init")

    assert 1 == refused.code
    assert "digest: config.toml exists already\n  → name another file, or replace it with --force\n" == refused.err
    assert before == (place.folder / "config.toml").read_text()
    assert 0 == cli("init", "--force").code
    assert before != (place.folder / "config.toml").read_text()


@pytest.mark.parametrize("path", ["/proc/no/config.toml", "papers.jsonl/config.toml"])
def test_init_where_nothing_can_be_written_says_so(path: str, cli: Callable[..., Said]) -> None:
    said = cli("init", path)

    assert (1, "") == (said.code, said.out)
    assert said.err.startswith(f"digest: {path}: ")
    assert "  → name a file in a folder that you may write to\n" in said.err


def test_what_init_writes_passes_an_offline_check(cli: Callable[..., Said]) -> None:
    cli("init", "fresh.toml")

    said = cli("check", "--offline", "--config", "fresh.toml")

    assert 0 == said.code
    assert "2 sources, 1 subscriber, no mistakes" in said.out
    assert "http.contact" in said.err


# --- check ------------------------------------------------------------------------------------------------------


def test_a_check_counts_the_readers_of_the_state_beside_those_of_the_configuration(cli: Callable[..., Said]) -> None:
    alone = cli("check").out
    cli("subscribers", "add", "bob@example.org")

    said = cli("check").out

    assert "1 source, 1 subscriber, no mistakes" in said
    assert ("0 papers\n" in alone, "0 papers, 1 subscriber\n" in said) == (True, True)


def test_a_check_names_all_that_is_in_order(cli: Callable[..., Said]) -> None:
    said = cli("check")

    assert (0, "") == (said.code, said.err)
    beginnings = [line.partition(":")[0].rpartition("/")[2] for line in said.out.splitlines()]
    assert [
        "config.toml",
        "✓ templates",
        "✓ state",
        "✓ next digest",
        "✓ signatures",
        "✓ no [smtp] section",
        "✓ list",
    ] == beginnings


def test_a_check_needs_no_relay_and_no_source_offline(place: Place, cli: Callable[..., Said]) -> None:
    place.configure(smtp_port=free_port())

    assert 0 == cli("check", "--offline").code


def test_a_check_reports_a_relay_that_does_not_answer_and_goes_on(place: Place, cli: Callable[..., Said]) -> None:
    port = free_port()
    place.configure(smtp_port=port)

    said = cli("check")

    assert 1 == said.code
    assert f"! 127.0.0.1:{port}: connect: " in said.out
    assert "✓ list: 2 papers in" in said.out


def test_a_reader_whose_keywords_only_exclude_is_named(place: Place, cli: Callable[..., Said]) -> None:
    """They get what trends and nothing else, which is hardly what was meant."""
    config = place.configure(readers=[f"reader{number}@example.org" for number in range(7)])
    config.write_text(config.read_text().replace('["mixture of experts"]', '["-knitting", "-lions"]', 6))

    said = cli("check")

    [line] = (line for line in said.out.splitlines() if line.startswith("!"))
    named = ", ".join(f"reader{number}@example.org" for number in range(5))
    assert 0 == said.code
    assert line.startswith(f"! {named} and 1 more: no keyword asks for something (-lions only leaves papers out), so ")


def test_who_chose_trending_alone_is_named_once_there_is_no_such_part(place: Place, cli: Callable[..., Said]) -> None:
    cli("subscribers", "add", "bob@example.org")
    before = cli("check").out
    config = place.configure()
    config.write_text(config.read_text().replace("[digest]", "[digest]\ntrending = 0"))

    after = cli("check").out
    cli("send", "--pull", "--now")

    assert ("!" not in before, "! bob@example.org: no keyword asks for something " in after) == (True, True)
    assert (
        "bob@example.org: 2 new papers, but there are no keywords, and trending is 0, so no mail"
        in cli("why", "bob@example.org").out
    )


def test_a_state_that_cannot_be_used_is_told_once(place: Place, cli: Callable[..., Said]) -> None:
    (place.folder / "state.sqlite3").write_text("no state")

    said = cli("check")

    assert (1, 1) == (said.code, said.out.count("it is not a state file"))
    assert "✓ list: " in said.out


def test_a_check_reports_a_source_that_is_down(place: Place, cli: Callable[..., Said]) -> None:
    (place.folder / "papers.jsonl").unlink()

    said = cli("check")

    assert 1 == said.code
    assert "\n! list: " in said.out


def test_a_template_with_an_unknown_name_is_found_by_the_check_and_before_sending(
    place: Place, cli: Callable[..., Said]
) -> None:
    (place.folder / "mine/mail").mkdir(parents=True)
    (place.folder / "mine/mail/digest.txt").write_text("Hello {{ sbuscriber }}")
    config = place.configure()
    config.write_text(config.read_text().replace("[mail]", '[mail]\ntemplates = "mine"'))

    checked, sent = cli("check"), cli("send", "--now", "--pull")

    assert (2, 2) == (checked.code, sent.code)
    assert "mail/digest.txt, line 1: " in checked.out
    assert "mail/digest.txt, line 1: " in sent.err
    assert "sbuscriber" in sent.err
    assert [] == place.mails()


def test_a_template_that_replaces_nothing_is_named_with_what_was_meant(place: Place, cli: Callable[..., Said]) -> None:
    """What another file of the folder names is used, and hidden files are no templates."""
    mine = place.folder / "mine"
    for name, text in {
        "mail/digest.htm": "Hello",
        "paper.html": "Hello",
        "notes/of-mine": "Hello",
        "mail/why.txt": '{% include "mail/hello.txt" %}',
        "mail/hello.txt": "Hello",
        "mail/why.txt~": "Hello",
        ".git/config": "Hello",
    }.items():
        (mine / name).parent.mkdir(parents=True, exist_ok=True)
        (mine / name).write_text(text)
    place.configure(mail='templates = "mine"')

    said = cli("check")

    assert 0 == said.code
    assert [
        f"! {mine}/mail/digest.htm replaces no template: did you mean mail/digest.html?",
        f"! {mine}/notes/of-mine replaces no template: templates lie in mail/, like mail/digest.html",
        f"! {mine}/paper.html replaces no template: did you mean mail/paper.html?",
    ] == [line for line in said.out.splitlines() if line.startswith("!")]


def test_a_refused_login_is_told_without_the_password(
    place: Place, cli: Callable[..., Said], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DIGEST_SMTP__USERNAME", "ada")
    monkeypatch.setenv("DIGEST_SMTP__PASSWORD", "s3cr3t-w0rd")
    with smtp_server(users={"ada": "another"}, plain_login=True) as server:
        place.configure(smtp_port=server.port)
        checked, sent = cli("check"), cli("send", "--now", "--pull")

    assert (1, 75) == (checked.code, sent.code)
    assert f"! 127.0.0.1:{server.port}: login: " in checked.out
    assert f"127.0.0.1:{server.port}: login: " in sent.out
    assert "s3cr3t" not in checked.out + checked.err + sent.out + sent.err


@pytest.mark.parametrize(
    ("reply", "code", "said"),
    [
        (
            b'{"choices": [{"message": {"content": "A small counter counts bees by ear."}}]}',
            0,
            "✓ language model: m answers",
        ),
        (b'{"choices": [{"message": {"content": "Buy honey!"}}]}', 1, "! the answer of m is no summary of the sample"),
        (b"<html>", 1, "/v1/chat/completions: the answer is not one of chat completions"),
    ],
)
def test_a_check_asks_the_language_model(
    place: Place, cli: Callable[..., Said], http_server: HttpServer, reply: bytes, code: int, said: str
) -> None:
    http_server.routes["/v1/chat/completions"] = Reply(body=reply)
    config = place.configure()
    config.write_text(config.read_text() + f'\n[llm]\nbase_url = "{http_server.url}/v1"\nmodel = "m"\n')

    found = cli("check")

    assert code == found.code
    assert said in found.out
    assert 0 == cli("check", "--offline").code


def test_a_check_finds_out_that_github_does_not_take_the_token(
    place: Place, cli: Callable[..., Said], http_server: HttpServer
) -> None:
    config = place.configure()
    github = (
        f'[github]\nbase_url = "{http_server.url}"\ntoken = "geheim"\n[http]\nallow_private_hosts = ["127.0.0.1"]\n'
    )
    config.write_text(f"{config.read_text()}\n{github}")
    http_server.routes["/rate_limit"] = Reply(body=b'{"resources": {"core": {"limit": 5000, "remaining": 4999}}}')

    accepted = cli("check")
    http_server.routes["/rate_limit"] = Reply(401)
    refused = cli("check")

    assert "✓ GitHub: 4,999 of 5,000 requests are left this hour\n" in accepted.out
    assert (0, 1) == (accepted.code, refused.code)
    assert "/rate_limit: the token is not accepted\n  → make a new one and put it where" in refused.out
    assert "geheim" not in refused.out + refused.err
    assert 0 == cli("check", "--offline").code


def test_a_certificate_that_cannot_be_trusted_stops_the_mail_and_not_the_run(
    place: Place, cli: Callable[..., Said], tmp_path: Path
) -> None:
    authority = Authority(tmp_path)
    with smtp_server(starttls=authority.context("another.example.org")) as server:
        config = place.configure(smtp_port=server.port)
        config.write_text(config.read_text().replace('security = "none"', f'ca_file = "{authority.ca_file}"'))
        checked, sent = cli("check"), cli("send", "--now", "--pull")

    assert (1, 75) == (checked.code, sent.code)
    assert f"! 127.0.0.1:{server.port}: tls: " in checked.out
    assert [] == server.accepted


def test_what_a_relay_says_steers_no_terminal(place: Place, cli: Callable[..., Said]) -> None:
    with smtp_server() as server:
        server.script["connect"] = "554 \x1b[2Jgo away"
        place.configure(smtp_port=server.port)
        said = cli("check")

    assert 1 == said.code
    assert "go away" in said.out
    assert "\x1b" not in said.out + said.err


# --- a proxy ----------------------------------------------------------------------------------------------------


def behind(place: Place, proxy: str) -> None:
    """A list that only the proxy knows."""
    place.configure(
        more='[[sources]]\ntype = "jsonl"\nname = "far"\nurl = "http://lists.example/papers.jsonl"\n'
        f'[http]\ncontact = "ada@lab.example"\nproxy = "{proxy}"\n'
    )


def test_sources_are_asked_through_the_proxy(place: Place, cli: Callable[..., Said], http_server: HttpServer) -> None:
    behind(place, http_server.url.replace("://", "://ada:geheim@"))
    http_server.routes["/papers.jsonl"] = Reply(body=b'{"id": "2609.00009", "title": "Far"}')

    pulled = cli("pull")

    assert (0, True) == (pulled.code, "✓ far: first pull: 1 paper, 1 new\n" in pulled.out)
    (request,) = http_server.requests
    assert ("lists.example", "Basic YWRhOmdlaGVpbQ==") == (
        request.headers["host"],
        request.headers["proxy-authorization"],
    )


def test_a_proxy_that_is_down_is_told_without_its_password(place: Place, cli: Callable[..., Said]) -> None:
    behind(place, "http://ada:geheim@127.0.0.1:1")

    pulled = cli("pull")

    assert "no connection through the proxy http://127.0.0.1:1, or it broke off" in pulled.out
    assert "is the proxy up, and http.proxy right?" in pulled.out
    assert "geheim" not in pulled.out + pulled.err
