"""Mistakes in what is said of mail servers: the relays that take mail, and the mailbox to which it returns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from digest.config.secret import given_twice
from digest.config.values import is_loopback
from digest.errors import ConfigProblem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from digest.config.relays import RelaySection, SmtpSection
    from digest.config.schema import BouncesSection

#: RFC 8314 §3.3, RFC 6409 §3.1: which ports speak which way
_ENCRYPTED_PORT = 465
_PLAIN_PORTS = frozenset({25, 587})
#: RFC 8314 §3.2, RFC 3501 §2.1: the same of IMAP
_ENCRYPTED_IMAP_PORT = 993
_PLAIN_IMAP_PORT = 143
#: as long as every token of a reader (128 bits in base64)
_SOME_TOKEN = "x" * 22


def smtp(smtp: SmtpSection) -> Iterator[ConfigProblem]:
    """Mistakes within [smtp] and its fallbacks."""
    if not smtp.host:
        yield ConfigProblem(
            "smtp.host",
            "the relay's name is missing",
            'add host = "mail.example.org", or remove [smtp] to use a Maildir',
        )
    yield from _relay(smtp, "smtp.")
    for position, relay in enumerate(smtp.fallback):
        key = f"smtp.fallback.{position}."
        if not relay.host:
            yield ConfigProblem(f"{key}host", "the relay's name is missing", 'add host = "mail2.example.org"')
        yield from _relay(relay, key)


def _relay(relay: RelaySection, key: str) -> Iterator[ConfigProblem]:
    """Mistakes within one relay; `key` is the dotted prefix of its keys, with a dot at its end."""
    yield from _login(relay, key)
    if relay.security == "starttls" and relay.port == _ENCRYPTED_PORT:
        yield ConfigProblem(
            f"{key}security",
            "port 465 is encrypted from the first byte, which starttls is not",
            'write security = "tls", or port = 587',
            relay.security,
        )
    if relay.security == "tls" and relay.port in _PLAIN_PORTS:
        yield ConfigProblem(
            f"{key}security",
            f"port {relay.port} begins unencrypted, which tls does not",
            'write security = "starttls", or port = 465',
            relay.security,
        )
    if relay.ca_file is not None and not relay.ca_file.is_file():
        yield ConfigProblem(f"{key}ca_file", "there is no such file", "correct the path", str(relay.ca_file))


def _login(relay: RelaySection, key: str) -> Iterator[ConfigProblem]:
    has_password = relay.password is not None or relay.password_file is not None
    yield from given_twice(relay, key.removesuffix("."), "password")
    if relay.username and not has_password:
        also = ", or set DIGEST_SMTP__PASSWORD" if key == "smtp." else ""
        yield ConfigProblem(
            f"{key}password", "there is a username but no password", f"add password_file{also}, or remove username"
        )
    if has_password and not relay.username:
        yield ConfigProblem(
            f"{key}username", "there is a password but no username", "add username, or remove the password"
        )
    if relay.security == "none" and relay.username and relay.host and not is_loopback(relay.host):
        yield ConfigProblem(
            f"{key}security",
            f"the password would go to {relay.host} unencrypted",
            'write security = "starttls" or "tls"; "none" with a login is for this machine only',
            relay.security,
        )


def bounces(bounces: BouncesSection) -> Iterator[ConfigProblem]:
    """Mistakes within [bounces]."""
    if bounces.host:
        yield from _imap(bounces)
    elif bounces.maildir is None:
        yield ConfigProblem(
            "bounces.maildir",
            "it is not said where returned mail lies",
            'add maildir = "/var/mail/bounces", or host, username and password_file of an IMAP account',
        )
    else:
        for name in sorted(bounces.model_fields_set - {"maildir", "host", "verp"}):
            yield ConfigProblem(f"bounces.{name}", f"a maildir takes no {name}", "remove it; it belongs to host")


def _imap(bounces: BouncesSection) -> Iterator[ConfigProblem]:
    if bounces.maildir is not None:
        yield ConfigProblem(
            "bounces.maildir", "there is a maildir and a host, and only one can be right", "keep one of them"
        )
    if not bounces.username:
        yield ConfigProblem("bounces.username", f"{bounces.host} needs a user name", 'add username = "bounces"')
    if bounces.password is None and bounces.password_file is None:
        yield ConfigProblem(
            "bounces.password",
            f"{bounces.host} needs a password",
            "add password_file, or set DIGEST_BOUNCES__PASSWORD",
        )
    yield from given_twice(bounces, "bounces", "password")
    if bounces.security == "starttls" and bounces.port == _ENCRYPTED_IMAP_PORT:
        yield ConfigProblem(
            "bounces.security",
            "port 993 is encrypted from the first byte, which starttls is not",
            'write security = "tls", or port = 143',
            bounces.security,
        )
    if bounces.security == "tls" and bounces.port == _PLAIN_IMAP_PORT:
        yield ConfigProblem(
            "bounces.security",
            "port 143 begins unencrypted, which tls does not",
            'write security = "starttls", or port = 993',
            bounces.security,
        )
    if bounces.ca_file is not None and not bounces.ca_file.is_file():
        yield ConfigProblem("bounces.ca_file", "there is no such file", "correct the path", str(bounces.ca_file))


def verp(bounces: BouncesSection, envelope_from: str) -> Iterator[ConfigProblem]:
    """An envelope sender that has no room for a reader's token."""
    from digest.bounces.verp import verp as address_of

    if bounces.verp and envelope_from and address_of(envelope_from, _SOME_TOKEN) == envelope_from:
        yield ConfigProblem(
            "bounces.verp",
            f"{envelope_from} has a + already, or no room for one and a token",
            "give smtp.envelope_from an address with at most 41 characters, none of them a +, before the @",
            "true",
        )
