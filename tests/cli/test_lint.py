"""`digest lint`, from the command line to what it prints."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import dns.rcode

from tests.dns_server import dns_server

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.cli.conftest import Said
    from tests.commands import Place

SPF_AND_DMARC = {"lab.example": ["v=spf1 ip4:192.0.2.1 -all"], "_dmarc.lab.example": ["v=DMARC1; p=none"]}


def test_a_fresh_installation_has_nothing_wrong_and_some_advice(cli: Callable[..., Said]) -> None:
    said = cli("lint")

    assert (0, "") == (said.code, said.err)
    lines = said.out.splitlines()
    assert "An invented digest:" == lines[0]
    assert "✓ templates: those of the package, every block tried" == lines[1]
    assert re.fullmatch(r"✓ size: [\d,]+ bytes, under 100,000", lines[2])
    assert "! unsubscribe: readers can only leave by writing" in said.out
    assert "✗" not in said.out


def test_a_readers_own_digest_is_judged_and_stays_unseen(place: Place, cli: Callable[..., Said]) -> None:
    nothing, _ = cli("lint", "--for", "ada@example.org"), cli("pull")

    said = cli("lint", "--for", "ada@example.org")

    assert nothing.out.startswith("There is nothing new for ada@example.org; an invented digest instead:\n✓ templates")
    assert (0, "") == (said.code, said.err)
    assert said.out.startswith("The digest that ada@example.org would get now:\n✓ templates")
    assert [] == place.mails()
    assert "✓ ada@example.org: 1 for you" in cli("send", "--now").out


def test_someone_unknown_is_an_error(cli: Callable[..., Said]) -> None:
    said = cli("lint", "--for", "eda@example.org")

    assert (1, "") == (said.code, said.out)
    assert "digest: there is no subscriber eda@example.org\n  → did you mean ada@example.org?\n" == said.err


def own_template(place: Place, name: str, text: str) -> None:
    folder = place.folder / "own" / "mail"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text, encoding="utf-8")
    config = (place.folder / "config.toml").read_text()
    if "templates" not in config:
        (place.folder / "config.toml").write_text(config.replace("[mail]\n", '[mail]\ntemplates = "own"\n'))


def test_a_template_that_fails_is_told_with_its_line(place: Place, cli: Callable[..., Said]) -> None:
    own_template(place, "digest.txt", "Papers\n{{ letter.nothing }}\n")

    said = cli("lint")

    assert (1, "") == (said.code, said.err)
    assert re.search(r"^✗ templates: .*own/mail/digest\.txt.*2.*nothing", said.out, flags=re.MULTILINE)


def test_templates_that_spoil_the_mail_are_told_all_that_they_spoil(place: Place, cli: Callable[..., Said]) -> None:
    own_template(place, "digest.txt", "Papers of today\n")
    own_template(
        place,
        "digest.html",
        '<!DOCTYPE html><html lang="en"><body style="color: #bbb"><script>1</script>'
        '<a href="https://bit.ly/x">On {{ letter.day }}</a></body></html>',
    )

    said = cli("lint", "--json")

    assert 1 == said.code
    wrong = {(found["check"], found["sentence"]) for found in said.json["findings"] if found["level"] == "wrong"}
    assert {check for check, _ in wrong} == {"papers", "links", "content", "unsubscribe"} | (
        {"contrast"} if any(check == "contrast" for check, _ in wrong) else set()
    )
    assert True is said.json["sample"]
    assert all(found["cure"] for found in said.json["findings"] if found["level"] == "wrong")


def test_a_template_cannot_reach_out_of_its_sandbox(place: Place, cli: Callable[..., Said]) -> None:
    own_template(place, "digest.txt", "{{ ''.__class__.__mro__[1].__subclasses__() }}")

    said = cli("lint")

    assert 1 == said.code
    assert "✗ templates: " in said.out
    assert "subprocess" not in said.out


def test_online_the_dns_is_asked(cli: Callable[..., Said]) -> None:
    with dns_server(SPF_AND_DMARC) as server:
        said = cli("lint", "--online", "--nameserver", server.address)

    assert 0 == said.code
    assert "✓ SPF: lab.example says v=spf1 ip4:192.0.2.1 -all\n" in said.out
    assert "· DKIM: there is no [dkim] section, so the relay has to sign; its key is not known\n" in said.out
    assert "✓ DMARC: _dmarc.lab.example says v=DMARC1; p=none\n" in said.out


def test_what_a_record_says_cannot_look_like_a_finding(cli: Callable[..., Said]) -> None:
    records = {"lab.example": [r"v=spf1 -all\010✓ DKIM: good\027[2J".replace("✓", "?")]}
    with dns_server(SPF_AND_DMARC | records) as server:
        said = cli("lint", "--online", "--nameserver", server.address)

    assert "✓ SPF: lab.example says v=spf1 -all ? DKIM: good\\x1b[2J\n" in said.out


def test_online_with_nothing_in_the_dns_every_finding_has_its_cure(place: Place, cli: Callable[..., Said]) -> None:
    made = cli("dkim", "new", "dkim.pem")
    (table,) = re.findall(r"^  \[dkim\]\n(?:  .+\n)+", made.out, flags=re.MULTILINE)
    place.configure(more=table)
    with dns_server({"lab.example": []}) as server:
        said = cli("lint", "--online", "--nameserver", server.address)

    assert 1 == said.code
    assert "✓ signature: covers who sends and the way out\n" in said.out
    assert "✗ SPF: lab.example has no SPF record (RFC 7208 §3)\n  → let lab.example have" in said.out
    assert re.search(r"^✗ DKIM: there is no TXT record at digest\d+\._domainkey\.lab\.example", said.out, re.MULTILINE)
    assert "✗ DMARC: there is no DMARC record for lab.example" in said.out
    assert "PRIVATE KEY" not in said.out


def test_the_key_that_the_dns_holds_is_the_one_that_signs(place: Place, cli: Callable[..., Said]) -> None:
    made = cli("dkim", "new", "dkim.pem")
    (table,) = re.findall(r"^  \[dkim\]\n(?:  .+\n)+", made.out, flags=re.MULTILINE)
    place.configure(more=table)
    shown = cli("dkim", "show").out
    (name,), (value,) = (re.findall(rf"^  {field} +(.+)$", shown, flags=re.MULTILINE) for field in ("name", "value"))
    with dns_server(SPF_AND_DMARC | {name: [value]}) as server:
        said = cli("lint", "--online", "--nameserver", server.address)

    assert 0 == said.code
    assert f"✓ DKIM: the key at {name} is the one that signs\n" in said.out


def test_without_an_answer_one_line_says_so_and_the_rest_counts(cli: Callable[..., Said]) -> None:
    with dns_server({}, rcode=dns.rcode.SERVFAIL) as server:
        said = cli("lint", "--online", "--nameserver", server.address)

    assert 0 == said.code
    assert "· domain: not checked, nor what follows: no name server could say anything about lab.example" in said.out
    assert "DMARC" not in said.out


def test_a_name_server_that_is_none_is_said_before_anything_is_done(cli: Callable[..., Said]) -> None:
    said = cli("lint", "--online", "--nameserver", "nowhere")

    assert (2, "") == (said.code, said.out)
    assert "digest: --nameserver nowhere: there is no such address\n" in said.err
