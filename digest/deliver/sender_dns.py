"""What the DNS says of a sender's domain: SPF (RFC 7208), DKIM (RFC 6376 §3.6), DMARC (RFC 7489).

Nothing is sent but questions to one name server. A question that nobody answers ends the look, as the next one would
take as long; what was found until then stays.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from ipaddress import ip_address
from typing import TYPE_CHECKING

from digest.errors import DigestError
from digest.model import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

#: seconds for one question, all repetitions included
TIMEOUT_S = 5.0
#: RFC 7208 §4.6.4: more terms that ask the DNS make the record an error
_SPF_QUESTIONS = 10
_SPF_ASKING = ("include", "a", "mx", "ptr", "exists", "redirect")

#: name → the TXT records there, each with its strings joined; None: there is no such name. Raises NoAnswerError
AskTxt = Callable[[str], list[str] | None]


class NoAnswerError(Exception):
    """No name server answered a question, or none that could."""


@dataclass(frozen=True, slots=True)
class Sender:
    """Who sends, as the DNS knows it: domains in ASCII, without a dot at the end."""

    #: of the From header
    domain: str
    #: of the envelope sender, whose SPF counts
    envelope_domain: str
    #: where the public DKIM key must be, and what is to be there; empty: the relay signs, with a key unknown here
    dkim_name: str = ""
    dkim_value: str = ""
    #: that signs; as `dkim_name`
    dkim_domain: str = ""


def open_txt(nameserver: str = "", *, timeout_s: float = TIMEOUT_S) -> AskTxt:
    """Who asks for TXT records.

    Args:
        nameserver: `ADDRESS` or `ADDRESS:PORT`, an IPv6 one in brackets before a port; empty: those of the system.
        timeout_s: seconds for one question.

    Raises:
        DigestError: `nameserver` is no address.
    """
    from dns.exception import DNSException, Timeout
    from dns.name import from_text
    from dns.resolver import NXDOMAIN, NoAnswer, NoResolverConfiguration, Resolver

    resolver = Resolver(configure=False)
    if not nameserver:
        # without a server named, every question fails as it does without a network
        with suppress(NoResolverConfiguration):
            resolver = Resolver()
    else:
        address, resolver.port = _address(nameserver)
        resolver.nameservers = [address]

    def ask(name: str) -> list[str] | None:
        try:
            # absolute: no domain of this machine is tried behind it
            answer = resolver.resolve(from_text(f"{name}."), "TXT", lifetime=timeout_s, search=False)
        except NXDOMAIN:
            return None
        except NoAnswer:
            return []
        except Timeout as error:
            raise NoAnswerError(f"no name server answered about {name} in {timeout_s:g} s") from error
        except (DNSException, OSError, UnicodeError) as error:
            reason = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
            raise NoAnswerError(f"no name server could say anything about {name}: {reason}") from error
        return [b"".join(record.strings).decode("utf-8", "replace") for record in answer]

    return ask


def _address(nameserver: str) -> tuple[str, int]:
    host, colon, port = nameserver.rpartition(":")
    if not colon or (":" in host and not host.startswith("[")):
        host, port = nameserver, "53"
    try:
        address = str(ip_address(host.strip("[]")))
        number = int(port)
    except ValueError:
        number, address = 0, ""
    if not 0 < number < 65_536:
        hint = "give its address, with a port if it is not 53: --nameserver 192.0.2.1:53"
        raise DigestError(f"--nameserver {nameserver}: there is no such address", hint=hint)
    return address, number


def look_up(sender: Sender, ask: AskTxt) -> tuple[Finding, ...]:
    """What the DNS says of a sender, each finding with its cure; without an answer, one that says so."""
    found: list[Finding] = []
    ask = cache(ask)
    for name, check in (
        ("domain", _domain),
        ("SPF", _spf),
        ("DKIM", _dkim),
        ("DMARC", _dmarc),
        ("alignment", _alignment),
    ):
        try:
            found += check(sender, ask)
        except NoAnswerError as error:
            cure = "try again with a network, or ask another server: --nameserver ADDRESS"
            return (*found, Finding(name, "unchecked", f"not checked, nor what follows: {error}", cure))
    return tuple(found)


def _domain(sender: Sender, ask: AskTxt) -> Iterator[Finding]:
    """Whether the domains are there at all, and the name server is one that can tell."""
    for domain in dict.fromkeys((sender.domain, sender.envelope_domain)):
        if ask(domain) is not None:
            continue
        top = domain.rpartition(".")[2]
        # some networks without a way out answer that nothing exists
        if ask(top) is None:
            raise NoAnswerError(f"the name server knows neither {domain} nor anything under .{top}")
        cure = "send from a domain of yours (mail.from, smtp.envelope_from)"
        yield _wrong("domain", f"there is no {domain} in the DNS, so many receivers refuse its mail", cure)


def _spf(sender: Sender, ask: AskTxt) -> Iterator[Finding]:
    domain = sender.envelope_domain
    records = _spf_records(domain, ask)
    if len(records) != 1:
        said = f"{domain} has {len(records)} SPF records" if records else f"{domain} has no SPF record"
        cure = f"let {domain} have exactly one TXT record that names your relay: v=spf1 include:RELAY -all"
        yield _wrong("SPF", f"{said} (RFC 7208 §3)", cure)
        return
    terms = records[0].lower().split()[1:]
    questions = _questions(records[0], ask)
    if questions > _SPF_QUESTIONS:
        said = f"the SPF record of {domain} asks the DNS more than {_SPF_QUESTIONS} times, which is an error"
        yield _wrong("SPF", f"{said} (RFC 7208 §4.6.4)", "leave out what does not send for you, or name ip4: and ip6:")
    elif "all" in terms or "+all" in terms:
        yield _wrong("SPF", f"the SPF record of {domain} lets everybody send: {records[0][:200]}", "end it with -all")
    elif not any(term in {"-all", "~all"} or term.startswith("redirect=") for term in terms):
        yield Finding("SPF", "advice", f"the SPF record of {domain} forbids nobody to send", "end it with -all")
    else:
        yield Finding("SPF", "good", f"{domain} says {records[0][:200]}")


def _spf_records(domain: str, ask: AskTxt) -> list[str]:
    return [text for text in ask(domain) or () if text.lower() == "v=spf1" or text.lower().startswith("v=spf1 ")]


def _questions(record: str, ask: AskTxt) -> int:
    """How often a receiver has to ask the DNS for a record; one more than allowed stands for any higher number."""
    waiting, count = [record], 0
    while waiting and count <= _SPF_QUESTIONS:
        for term in waiting.pop().lower().split()[1:]:
            name, _, value = term.lstrip("+-~?").replace("=", ":", 1).partition(":")
            if name.partition("/")[0] in _SPF_ASKING:
                count += 1
                # a macro (RFC 7208 §7) depends on the mail
                if name in {"include", "redirect"} and value and "%" not in value and count <= _SPF_QUESTIONS:
                    waiting += _spf_records(value, ask)[:1]
    return min(count, _SPF_QUESTIONS + 1)


def _dkim(sender: Sender, ask: AskTxt) -> Iterator[Finding]:
    if not sender.dkim_name:
        yield Finding("DKIM", "unchecked", "there is no [dkim] section, so the relay has to sign; its key is not known")
        return
    cure = f"put this TXT record at {sender.dkim_name}: {sender.dkim_value} (see: digest dkim show)"
    records = ask(sender.dkim_name) or []
    if len(records) != 1:
        said = f"there are {len(records)} TXT records" if records else "there is no TXT record"
        yield _wrong("DKIM", f"{said} at {sender.dkim_name} (RFC 6376 §3.6.2)", cure)
        return
    there, ours = _tags(records[0]), _tags(sender.dkim_value)
    if "".join(there.get("p", "").split()) != ours["p"] or there.get("k", "rsa") != ours.get("k", "rsa"):
        what = "revokes the key (p= is empty)" if there.get("p") == "" else "is not that of the key that signs"
        yield _wrong("DKIM", f"the record at {sender.dkim_name} {what}", cure)
    elif "y" in there.get("t", "").split(":"):
        said = f"the record at {sender.dkim_name} says t=y, so receivers treat the mail as unsigned (RFC 6376 §3.6.1)"
        yield Finding("DKIM", "advice", said, "take t=y out once the signatures are good")
    else:
        yield Finding("DKIM", "good", f"the key at {sender.dkim_name} is the one that signs")


def _dmarc(sender: Sender, ask: AskTxt) -> Iterator[Finding]:
    where, records = _policies(sender.domain, ask)
    cure = f"put this TXT record at _dmarc.{sender.domain}: v=DMARC1; p=none; rua=mailto:postmaster@{sender.domain}"
    if len(records) != 1:
        said = f"there are {len(records)} DMARC records at _dmarc.{where}" if records else "there is no DMARC record"
        yield _wrong("DMARC", f"{said} for {sender.domain}, and Gmail and Yahoo want one (RFC 7489 §6.6.3)", cure)
        return
    tags = _tags(records[0])
    policy = tags.get("sp", tags.get("p", "")) if where != sender.domain else tags.get("p", "")
    if policy.lower() not in {"none", "quarantine", "reject"}:
        yield _wrong("DMARC", f"the record at _dmarc.{where} has no policy: {records[0][:200]} (RFC 7489 §6.3)", cure)
    else:
        yield Finding("DMARC", "good", f"_dmarc.{where} says {records[0][:200]}")


def _policies(domain: str, ask: AskTxt) -> tuple[str, list[str]]:
    """The DMARC records of a domain, or of the nearest one above that has any, and whose they are."""
    labels = domain.split(".")
    # never those of a top-level domain; eight labels at most, as DMARC's successor has it
    for parent in (".".join(labels[at:]) for at in range(max(0, len(labels) - 8), max(1, len(labels) - 1))):
        if records := [text for text in ask(f"_dmarc.{parent}") or () if _tags(text).get("v") == "DMARC1"]:
            return parent, records
    return domain, []


def _alignment(sender: Sender, _ask: AskTxt) -> Iterator[Finding]:
    """RFC 7489 §3.1, relaxed: DMARC passes if what passed SPF or DKIM belongs to the domain in From."""
    signing = sender.dkim_domain
    if any(_related(sender.domain, other) for other in (sender.envelope_domain, signing) if other):
        return
    named = " and ".join(filter(None, [f"the envelope {sender.envelope_domain}", signing and f"[dkim] {signing}"]))
    said = f"From names {sender.domain}, but {named}: DMARC counts only what belongs together"
    cure = "use one domain in mail.from and smtp.envelope_from, or sign for the one in mail.from: digest dkim new"
    # a relay that signs may do so for the domain in From
    yield Finding("alignment", "wrong" if signing else "advice", said, cure)


def _related(one: str, other: str) -> bool:
    """Whether two domains have one owner, by their last two labels: false alarms are worse than a miss in `co.uk`."""
    return one.split(".")[-2:] == other.split(".")[-2:]


def _tags(record: str) -> dict[str, str]:
    """`name=value; …` (RFC 6376 §3.2), names in lower case."""
    pairs = (tag.partition("=") for tag in record.split(";") if "=" in tag)
    return {name.strip().lower(): value.strip() for name, _, value in pairs}


def _wrong(check: str, sentence: str, cure: str) -> Finding:
    return Finding(check, "wrong", sentence, cure)
