"""Opening a connection to a relay, and what is said when that fails."""

from __future__ import annotations

import asyncio
import socket
from datetime import UTC, datetime

import pytest

from digest.deliver.relay import password_is_safe
from digest.deliver.settings import Security, SmtpSettings
from digest.deliver.smtp import check
from digest.errors import DeliveryError
from tests.deliver.dialogue import PASSWORD, failure, to, told
from tests.smtp_server import DROP, SILENCE, Authority, SmtpServer, free_port, patience_s, smtp_server

USERS = {"ada": PASSWORD}
CHECK_HOST = "check smtp.host and smtp.port, and whether a firewall stands between"


# --- settings ---


@pytest.mark.parametrize(
    ("settings", "relay"),
    [
        (SmtpSettings("mx.example.org"), "mx.example.org:587"),
        (SmtpSettings("mx.example.org", security="tls"), "mx.example.org:465"),
        (SmtpSettings("mx.example.org", security="none"), "mx.example.org:25"),
        (SmtpSettings("mx.example.org", 2525, "none"), "mx.example.org:2525"),
    ],
)
def test_the_port_follows_from_security_unless_it_is_given(settings: SmtpSettings, relay: str) -> None:
    assert relay == settings.relay


def test_the_password_is_not_shown() -> None:
    assert PASSWORD not in repr(SmtpSettings("mx.example.org", password=PASSWORD))


# --- what works ---


def test_check_says_what_the_relay_is(secure: SmtpServer, authority: Authority) -> None:
    settings = to(secure, security="starttls", username="ada", password=PASSWORD, ca_file=authority.ca_file)

    sentence = asyncio.run(check(settings))

    assert (
        f"127.0.0.1:{secure.port} answers “mx.example.org ESMTP”, TLSv1.3, logged in as ada, without pipelining, "
        "takes mails up to 10.0 MB"
    ) == sentence
    assert ["connect", "ehlo", "starttls", "ehlo", "auth", "noop", "quit"] == secure.heard


def test_check_of_a_relay_on_this_machine(server: SmtpServer) -> None:
    sentence = asyncio.run(check(to(server)))

    assert sentence.endswith(", unencrypted, without login, without pipelining, takes mails up to 50.0 MB")


@pytest.mark.parametrize("action", [DROP, "451 4.3.0 later"])
def test_check_fails_if_the_relay_does_not_answer_a_noop(server: SmtpServer, action: str) -> None:
    server.script["noop"] = action

    with pytest.raises(DeliveryError, match="noop"):
        asyncio.run(check(to(server)))


def test_tls_from_the_first_byte(authority: Authority) -> None:
    with smtp_server(tls=authority.context("127.0.0.1"), users=USERS) as server:
        settings = to(server, security="tls", username="ada", password=PASSWORD, ca_file=authority.ca_file)

        assert "TLSv1.3, logged in as ada" in asyncio.run(check(settings))


def test_a_login_in_plain_text_stays_on_this_machine() -> None:
    with smtp_server(users=USERS, plain_login=True) as server:
        assert "logged in as ada" in asyncio.run(check(to(server, username="ada", password=PASSWORD)))


@pytest.mark.parametrize(
    ("security", "peer", "expected"),
    [
        ("none", "127.0.0.1", True),
        ("none", "::1", True),
        ("none", "192.0.2.1", False),
        ("none", "10.0.0.1", False),
        ("none", "2001:db8::1", False),
        ("starttls", "192.0.2.1", True),
        ("tls", "192.0.2.1", True),
    ],
)
def test_a_password_crosses_a_network_only_encrypted(security: Security, peer: str, expected: bool) -> None:
    assert expected == password_is_safe(security, peer)


@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN"])
def test_the_login_uses_what_the_server_offers(mechanism: str) -> None:
    with smtp_server(users=USERS, plain_login=True, mechanisms=frozenset({mechanism})) as server:
        assert "logged in as ada" in asyncio.run(check(to(server, username="ada", password=PASSWORD)))


def test_the_name_in_ehlo_is_the_one_configured(server: SmtpServer) -> None:
    asyncio.run(check(to(server, local_hostname="digest.example.org")))

    assert ["digest.example.org"] == server.names


def test_without_a_name_ehlo_says_a_full_name_or_an_address(server: SmtpServer) -> None:
    """RFC 5321 §4.1.3; a bare `localhost` is refused by many relays."""
    asyncio.run(check(to(server)))

    [name] = server.names
    assert name == "[127.0.0.1]" or (name == socket.gethostname() and "." in name)


# --- what does not ---


def test_nothing_listens() -> None:
    settings = SmtpSettings("127.0.0.1", free_port(), "none")

    assert (
        "connect",
        "nothing listens there",
        "check smtp.host and smtp.port, and that the relay is running",
        None,
    ) == told(settings)


def test_nothing_listens_on_any_address_of_the_host() -> None:
    """Several refused addresses make an error without errno in asyncio."""
    assert "nothing listens there" == failure(SmtpSettings("localhost", free_port(), "none")).reason


def test_an_impossible_host_name() -> None:
    assert "connect" == failure(SmtpSettings("a..b", 25, "none")).stage


@pytest.mark.parametrize(
    ("action", "code", "reason", "hint"),
    [
        (
            "554 5.7.1 go away",
            554,
            "the server refuses: 554 5.7.1 go away",
            "ask whoever runs the relay whether this machine may use it",
        ),
        (
            "421 4.3.2 too busy",
            421,
            "the server refuses: 421 4.3.2 too busy",
            "the server says this passes; it is tried again with the next run",
        ),
        (DROP, None, "the server closed the connection", CHECK_HOST),
        (SILENCE, None, "no answer within 0.5 s", CHECK_HOST),
    ],
)
def test_the_server_does_not_welcome_us(
    server: SmtpServer, action: str, code: int | None, reason: str, hint: str
) -> None:
    server.script["connect"] = action

    assert ("connect", reason, hint, code) == told(to(server, timeout_s=patience_s(action)))


def test_the_port_is_no_smtp_port(server: SmtpServer) -> None:
    server.script["connect"] = "HTTP/1.1 400 Bad Request"

    assert (
        "connect",
        "the answer is not SMTP: Malformed SMTP response line: HTTP/1.1 400 Bad Request",
        "check smtp.host and smtp.port",
        None,
    ) == told(to(server))


@pytest.mark.parametrize(
    ("action", "code", "reason", "hint"),
    [
        ("550 5.7.1 who?", 550, "the server refuses: 550 5.7.1 who?", "set smtp.local_hostname to the full name"),
        ("451 4.3.0 later", 451, "the server refuses: 451 4.3.0 later", "the server says this passes"),
        ("421 4.3.0 bye", 421, "the server refuses: 421 4.3.0 bye", "the server says this passes"),
        (DROP, None, "the server closed the connection", CHECK_HOST),
        (SILENCE, None, "no answer within 0.5 s", CHECK_HOST),
    ],
)
def test_the_server_refuses_ehlo(server: SmtpServer, action: str, code: int | None, reason: str, hint: str) -> None:
    server.script["ehlo"] = action

    stage, got_reason, got_hint, got_code = told(to(server, timeout_s=patience_s(action)))

    assert ("ehlo", reason, code) == (stage, got_reason, got_code)
    assert got_hint.startswith(hint)


def test_starttls_is_never_given_up_silently(server: SmtpServer) -> None:
    assert (
        "tls",
        "the server does not offer STARTTLS",
        'set smtp.security = "tls" (usually port 465), or "none" for a relay on this machine',
        None,
    ) == told(to(server, security="starttls", username="ada", password=PASSWORD))
    assert "auth" not in server.heard


def test_starttls_is_offered_but_refused(secure: SmtpServer) -> None:
    secure.script["starttls"] = "454 4.7.0 TLS not available"

    error = failure(to(secure, security="starttls"))

    assert ("tls", 454) == (error.stage, error.code)
    assert "auth" not in secure.heard


@pytest.mark.parametrize("security", ["starttls", "tls"])
@pytest.mark.parametrize("fault", ["self-signed", "unknown authority", "other name", "expired"])
def test_a_bad_certificate_is_never_accepted(
    authority: Authority, security: Security, fault: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Neither is the login tried."""
    stranger = Authority(tmp_path_factory.mktemp("stranger"))
    context = {
        "self-signed": stranger.self_signed(),
        "unknown authority": stranger.context("127.0.0.1"),
        "other name": authority.context("mx.example.org"),
        "expired": authority.context("127.0.0.1", not_after=datetime(2020, 1, 1, tzinfo=UTC)),
    }[fault]
    unknown = (
        "its certificate is signed by nobody this machine trusts (self-signed, or an authority of your own)",
        "put the certificate of that authority into a file and name it in smtp.ca_file",
    )
    reason, hint = {
        "self-signed": unknown,
        "unknown authority": unknown,
        "other name": ("its certificate is for another host name", "set smtp.host to the name in the certificate"),
        "expired": ("its certificate has expired", "renew the certificate of the relay"),
    }[fault]
    with smtp_server(tls=context) if security == "tls" else smtp_server(starttls=context) as server:
        settings = to(server, security=security, username="ada", password=PASSWORD, ca_file=authority.ca_file)

        assert ("tls", reason, hint, None) == told(settings)
        assert "auth" not in server.heard


def test_a_port_that_speaks_tls_only_after_starttls(secure: SmtpServer) -> None:
    assert (
        "tls",
        "the port does not speak TLS from the first byte",
        'set smtp.security = "starttls" (usually port 587)',
        None,
    ) == told(to(secure, security="tls"))


@pytest.mark.parametrize("content", [None, "no certificate"])
def test_a_ca_file_that_is_of_no_use(
    server: SmtpServer, tmp_path_factory: pytest.TempPathFactory, content: str
) -> None:
    file = tmp_path_factory.mktemp("ca") / "ca.pem"
    if content is not None:
        file.write_text(content)

    error = failure(to(server, ca_file=str(file)))

    assert ("tls", "smtp.ca_file must name a readable PEM file") == (error.stage, error.hint)
    assert str(file) in error.reason


@pytest.mark.parametrize(
    ("port", "security", "hint"),
    [
        (465, "starttls", 'port 465 expects TLS from the first byte: set smtp.security = "tls"'),
        (587, "tls", 'port 587 usually expects smtp.security = "starttls"'),
    ],
)
def test_silence_on_a_well_known_port_hints_at_the_security_it_expects(
    port: int, security: Security, hint: str
) -> None:
    from digest.deliver.diagnosis import why

    assert hint == why(SmtpSettings("mx.example.org", port, security), "connect", TimeoutError()).hint
