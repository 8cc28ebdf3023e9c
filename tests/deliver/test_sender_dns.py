"""What the DNS says of a sender, asked of a real name server."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import dns.rcode
import pytest

from digest.deliver.sender_dns import Sender, look_up, open_txt
from digest.errors import DigestError
from tests.dns_server import dns_server

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from digest.model import Finding

KEY = "v=DKIM1; k=rsa; p=" + "A" * 392
SENDER = Sender(
    "lab.example",
    "lab.example",
    dkim_name="digest._domainkey.lab.example",
    dkim_value=KEY,
    dkim_domain="lab.example",
)
TOGETHER = "DMARC counts only what belongs together"
NEEDED = "for lab.example, and Gmail and Yahoo want one (RFC 7489 §6.6.3)"
GOOD = {
    "lab.example": ["google-site-verification=x", "v=spf1 ip4:192.0.2.1 include:relay.example -all"],
    "relay.example": ["v=spf1 ip4:192.0.2.2 -all"],
    "digest._domainkey.lab.example": [KEY],
    "_dmarc.lab.example": ["v=DMARC1; p=quarantine"],
}


def findings(more: Mapping[str, Sequence[str]], sender: Sender = SENDER) -> tuple[Finding, ...]:
    with dns_server(GOOD | dict(more)) as server:
        return look_up(sender, open_txt(server.address))


def fault(more: Mapping[str, Sequence[str]], sender: Sender = SENDER) -> tuple[str, str, str]:
    """Check, level and sentence of the one thing that is not good."""
    (found,) = (finding for finding in findings(more, sender) if finding.level != "good")
    assert found.cure or found.level == "unchecked"
    return found.check, found.level, found.sentence


def test_a_domain_with_all_three_is_good() -> None:
    said = [(found.check, found.level, found.sentence) for found in findings({})]

    assert [
        ("SPF", "good", "lab.example says v=spf1 ip4:192.0.2.1 include:relay.example -all"),
        ("DKIM", "good", "the key at digest._domainkey.lab.example is the one that signs"),
        ("DMARC", "good", "_dmarc.lab.example says v=DMARC1; p=quarantine"),
    ] == said


@pytest.mark.parametrize(
    ("records", "level", "said"),
    [
        ([], "wrong", "lab.example has no SPF record (RFC 7208 §3)"),
        (["v=spf10 -all"], "wrong", "lab.example has no SPF record (RFC 7208 §3)"),
        (["v=spf1 -all", "v=spf1 ~all"], "wrong", "lab.example has 2 SPF records (RFC 7208 §3)"),
        (["v=spf1 +all"], "wrong", "the SPF record of lab.example lets everybody send: v=spf1 +all"),
        (["v=spf1 all"], "wrong", "the SPF record of lab.example lets everybody send: v=spf1 all"),
        (["v=spf1 mx ?all"], "advice", "the SPF record of lab.example forbids nobody to send"),
        (
            ["v=spf1 " + " ".join(f"a:h{n}.example" for n in range(11)) + " -all"],
            "wrong",
            "the SPF record of lab.example asks the DNS more than 10 times, which is an error (RFC 7208 §4.6.4)",
        ),
        (
            ["v=spf1 include:loop.example -all"],
            "wrong",
            "the SPF record of lab.example asks the DNS more than 10 times, which is an error (RFC 7208 §4.6.4)",
        ),
    ],
)
def test_an_spf_record_that_does_not_help_is_found(records: list[str], level: str, said: str) -> None:
    more = {"lab.example": records, "loop.example": ["v=spf1 include:loop.example -all"]}

    assert ("SPF", level, said) == fault(more)


def test_a_record_that_leads_to_another_is_good_and_so_are_ten_questions() -> None:
    ten = "v=spf1 " + " ".join(f"a:h{n}.example" for n in range(10)) + " -all"

    assert {"good"} == {found.level for found in findings({"lab.example": ["v=spf1 redirect=relay.example"]})}
    assert {"good"} == {found.level for found in findings({"lab.example": [ten]})}


@pytest.mark.parametrize(
    ("records", "level", "said"),
    [
        ([], "wrong", "there is no TXT record at digest._domainkey.lab.example (RFC 6376 §3.6.2)"),
        ([KEY, KEY + "A"], "wrong", "there are 2 TXT records at digest._domainkey.lab.example (RFC 6376 §3.6.2)"),
        (
            ["v=DKIM1; k=rsa; p=BBBB"],
            "wrong",
            "the record at digest._domainkey.lab.example is not that of the key that signs",
        ),
        (["v=DKIM1; p="], "wrong", "the record at digest._domainkey.lab.example revokes the key (p= is empty)"),
        (
            [KEY.replace("k=rsa", "k=ed25519")],
            "wrong",
            "the record at digest._domainkey.lab.example is not that of the key that signs",
        ),
        (
            [KEY + "; t=y:s"],
            "advice",
            f"the record at {SENDER.dkim_name} says t=y, so receivers treat the mail as unsigned (RFC 6376 §3.6.1)",
        ),
    ],
)
def test_a_key_that_does_not_verify_is_found(records: list[str], level: str, said: str) -> None:
    assert ("DKIM", level, said) == fault({SENDER.dkim_name: records})


def test_where_the_relay_signs_its_key_cannot_be_checked() -> None:
    said = "there is no [dkim] section, so the relay has to sign; its key is not known"

    assert ("DKIM", "unchecked", said) == fault({}, Sender("lab.example", "lab.example"))


@pytest.mark.parametrize(
    ("records", "said"),
    [
        ([], f"there is no DMARC record {NEEDED}"),
        (["v=spf1 -all"], f"there is no DMARC record {NEEDED}"),
        (
            ["v=DMARC1; p=none", "v=DMARC1; p=reject"],
            f"there are 2 DMARC records at _dmarc.lab.example {NEEDED}",
        ),
        (["v=DMARC1; rua=x"], "the record at _dmarc.lab.example has no policy: v=DMARC1; rua=x (RFC 7489 §6.3)"),
    ],
)
def test_a_domain_without_a_policy_is_found(records: list[str], said: str) -> None:
    assert ("DMARC", "wrong", said) == fault({"_dmarc.lab.example": records})


def test_a_domain_without_a_record_of_its_own_has_that_of_the_one_above() -> None:
    sender = Sender("papers.lab.example", "lab.example", SENDER.dkim_name, KEY, "lab.example")

    found = findings({"papers.lab.example": []}, sender)

    assert "_dmarc.lab.example says v=DMARC1; p=quarantine" == found[-1].sentence


def test_a_domain_that_is_not_there_is_found() -> None:
    sender = Sender("lab.example", "lba.example", SENDER.dkim_name, KEY, "lab.example")

    said = [found.sentence for found in findings({"example": []}, sender) if found.level == "wrong"]

    assert [
        "there is no lba.example in the DNS, so many receivers refuse its mail",
        "lba.example has no SPF record (RFC 7208 §3)",
    ] == said


def test_a_name_server_that_knows_of_nothing_is_not_believed() -> None:
    """Networks without a way out often answer that nothing exists."""
    with dns_server({}) as server:
        (found,) = look_up(SENDER, open_txt(server.address))

    said = "not checked, nor what follows: the name server knows neither lab.example nor anything under .example"
    assert ("domain", "unchecked", said) == (found.check, found.level, found.sentence)


def test_domains_that_do_not_belong_together_are_found() -> None:
    sender = Sender("lab.example", "relay.test", SENDER.dkim_name, KEY, "other.test")

    assert fault({"relay.test": ["v=spf1 -all"]}, sender) == (
        "alignment",
        "wrong",
        f"From names lab.example, but the envelope relay.test and [dkim] other.test: {TOGETHER}",
    )


def test_a_record_in_several_strings_is_one() -> None:
    """A TXT record of an RSA key is longer than the 255 bytes of one string."""
    assert len(KEY) > 255
    assert "good" == findings({})[1].level


def test_a_name_server_that_fails_ends_the_look_with_one_line() -> None:
    with dns_server(GOOD, rcode=dns.rcode.SERVFAIL) as server:
        (found,) = look_up(SENDER, open_txt(server.address))

    assert ("domain", "unchecked") == (found.check, found.level)
    assert found.sentence.startswith(
        "not checked, nor what follows: no name server could say anything about lab.example"
    )


def test_a_name_server_that_is_silent_ends_the_look_when_the_time_is_up() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        (found,) = look_up(SENDER, open_txt(f"127.0.0.1:{silent.getsockname()[1]}", timeout_s=0.05))

    assert "not checked, nor what follows: no name server answered about lab.example in 0.05 s" == found.sentence


def test_only_whole_names_are_asked_for() -> None:
    with dns_server(GOOD) as server:
        look_up(SENDER, open_txt(server.address))

    assert ["lab.example", "relay.example", "digest._domainkey.lab.example", "_dmarc.lab.example"] == server.asked


def test_a_domain_that_cannot_be_one_is_no_crash() -> None:
    (found,) = look_up(Sender("a" * 64 + ".example", "a" * 64 + ".example"), open_txt("127.0.0.1:9"))

    assert "unchecked" == found.level


@pytest.mark.parametrize("nameserver", ["example.org", "192.0.2.1:0", "192.0.2.1:x", "[::1", ":53", "1.2.3.4:99999"])
def test_a_name_server_that_is_no_address_is_refused(nameserver: str) -> None:
    with pytest.raises(DigestError, match="there is no such address"):
        open_txt(nameserver)


@pytest.mark.parametrize("nameserver", ["::1", "[::1]:53", "192.0.2.1", "192.0.2.1:5353"])
def test_addresses_are_understood_with_and_without_a_port(nameserver: str) -> None:
    open_txt(nameserver)
