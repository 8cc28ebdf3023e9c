"""Opening a connection to a relay, and what is said when that fails."""

from __future__ import annotations

import asyncio
import base64
import re
import socket
import traceback
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from digest.deliver.relay import password_is_safe
from digest.deliver.settings import Security, SmtpSettings
from digest.deliver.smtp import Smtp, check
from digest.errors import DeliveryError
from tests.smtp_server import DROP, SILENCE, Authority, SmtpServer, free_port, patience_s, smtp_server

if TYPE_CHECKING:
    from collections.abc import Iterator

PASSWORD = "correct horse"
USERS = {"ada": PASSWORD}
CHECK_HOST = "check smtp.host and smtp.port, and whether a firewall stands between"


def to(server: SmtpServer, **fields: Any) -> SmtpSettings:
    values: dict[str, Any] = {"host": "127.0.0.1", "port": server.port, "security": "none", "timeout_s": 5.0}
    return SmtpSettings(**(values | fields))


def failure(settings: SmtpSettings) -> DeliveryError:
    """The error that entering raises."""

    async def enter() -> None:
        async with Smtp(settings):
            pass

    with pytest.raises(DeliveryError) as caught:
        asyncio.run(enter())
    return caught.value


def told(settings: SmtpSettings) -> tuple[str, str, str, int | None]:
    """Its stage, reason, hint and code."""
    error = failure(settings)
    assert error.relay == settings.relay
    return error.stage, error.reason, error.hint, error.code


@pytest.fixture
def plain() -> Iterator[SmtpServer]:
    with smtp_server() as server:
        yield server


@pytest.fixture
def secure(authority: Authority) -> Iterator[SmtpServer]:
    """STARTTLS and a login."""
    with smtp_server(starttls=authority.context("127.0.0.1", "localhost"), users=USERS) as server:
        yield server


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
        f"127.0.0.1:{secure.port} answers “mx.example.org ESMTP”, TLSv1.3, logged in as ada, takes mails up to 10.0 MB"
    ) == sentence
    assert ["connect", "ehlo", "starttls", "ehlo", "auth", "noop", "quit"] == secure.heard


def test_check_of_a_relay_on_this_machine(plain: SmtpServer) -> None:
    sentence = asyncio.run(check(to(plain)))

    assert sentence.endswith(", unencrypted, without login, takes mails up to 10.0 MB")


@pytest.mark.parametrize("action", [DROP, "451 4.3.0 later"])
def test_check_fails_if_the_relay_does_not_answer_a_noop(plain: SmtpServer, action: str) -> None:
    plain.script["noop"] = action

    with pytest.raises(DeliveryError, match="noop"):
        asyncio.run(check(to(plain)))


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


def test_the_name_in_ehlo_is_the_one_configured(plain: SmtpServer) -> None:
    asyncio.run(check(to(plain, local_hostname="digest.example.org")))

    assert ["digest.example.org"] == plain.names


def test_without_a_name_ehlo_says_a_full_name_or_an_address(plain: SmtpServer) -> None:
    """RFC 5321 §4.1.3; a bare `localhost` is refused by many relays."""
    asyncio.run(check(to(plain)))

    [name] = plain.names
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
    plain: SmtpServer, action: str, code: int | None, reason: str, hint: str
) -> None:
    plain.script["connect"] = action

    assert ("connect", reason, hint, code) == told(to(plain, timeout_s=patience_s(action)))


def test_the_port_is_no_smtp_port(plain: SmtpServer) -> None:
    plain.script["connect"] = "HTTP/1.1 400 Bad Request"

    assert (
        "connect",
        "the answer is not SMTP: Malformed SMTP response line: HTTP/1.1 400 Bad Request",
        "check smtp.host and smtp.port",
        None,
    ) == told(to(plain))


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
def test_the_server_refuses_ehlo(plain: SmtpServer, action: str, code: int | None, reason: str, hint: str) -> None:
    plain.script["ehlo"] = action

    stage, got_reason, got_hint, got_code = told(to(plain, timeout_s=patience_s(action)))

    assert ("ehlo", reason, code) == (stage, got_reason, got_code)
    assert got_hint.startswith(hint)


def test_starttls_is_never_given_up_silently(plain: SmtpServer) -> None:
    assert (
        "tls",
        "the server does not offer STARTTLS",
        'set smtp.security = "tls" (usually port 465), or "none" for a relay on this machine',
        None,
    ) == told(to(plain, security="starttls", username="ada", password=PASSWORD))
    assert "auth" not in plain.heard


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
def test_a_ca_file_that_is_of_no_use(plain: SmtpServer, tmp_path_factory: pytest.TempPathFactory, content: str) -> None:
    file = tmp_path_factory.mktemp("ca") / "ca.pem"
    if content is not None:
        file.write_text(content)

    error = failure(to(plain, ca_file=str(file)))

    assert ("tls", "smtp.ca_file must name a readable PEM file") == (error.stage, error.hint)
    assert str(file) in error.reason


# --- login ---


@pytest.mark.parametrize(
    ("fields", "stage", "hint"),
    [
        ({"local_hostname": "two words"}, "ehlo", "set smtp.local_hostname to the full name of this machine"),
        ({"local_hostname": "bücher.example"}, "ehlo", "set smtp.local_hostname to the full name of this machine"),
        ({"password": "\udcff"}, "login", "check smtp.username and smtp.password"),
    ],
)
def test_settings_that_cannot_be_sent(fields: dict[str, str], stage: str, hint: str) -> None:
    with smtp_server(users=USERS, plain_login=True) as server:
        error = failure(to(server, username="ada", **fields))

    assert (stage, hint) == (error.stage, error.hint)


def test_a_wrong_password_is_tried_once(secure: SmtpServer, authority: Authority) -> None:
    """Trying a second method with it would count as a second failure, and lock accounts."""
    settings = to(secure, security="starttls", username="ada", password="wrong", ca_file=authority.ca_file)

    assert (
        "login",
        "user name or password not accepted: 535 5.7.8 Authentication credentials invalid",
        "check smtp.username and smtp.password",
        535,
    ) == told(settings)
    assert 1 == secure.heard.count("auth")


def test_gmail_is_told_by_its_answer(secure: SmtpServer, authority: Authority) -> None:
    secure.script["auth"] = "535-5.7.8 Username and Password not accepted\r\n535 5.7.8 see help - gsmtp"
    settings = to(secure, security="starttls", username="ada", password="wrong", ca_file=authority.ca_file)

    assert failure(settings).hint.endswith(
        "Gmail wants an app password here: https://support.google.com/accounts/answer/185833"
    )


@pytest.mark.parametrize(
    ("action", "code", "reason"),
    [
        ("454 4.7.0 later", 454, "the server refuses: 454 4.7.0 later"),
        ("534 5.7.9 stronger please", 534, "the server refuses: 534 5.7.9 stronger please"),
        (DROP, None, "the server closed the connection"),
        (SILENCE, None, "no answer within 0.5 s"),
    ],
)
def test_the_login_fails_otherwise(
    secure: SmtpServer, authority: Authority, action: str, code: int | None, reason: str
) -> None:
    secure.script["auth"] = action
    settings = to(
        secure,
        security="starttls",
        username="ada",
        password=PASSWORD,
        ca_file=authority.ca_file,
        timeout_s=patience_s(action),
    )

    stage, got_reason, _, got_code = told(settings)

    assert ("login", reason, code) == (stage, got_reason, got_code)


@pytest.mark.parametrize(
    "echo",
    [
        PASSWORD,
        base64.b64encode(PASSWORD.encode()).decode(),
        base64.b64encode(f"\0ada\0{PASSWORD}".encode()).decode(),
    ],
)
def test_a_server_that_repeats_the_password_is_not_quoted(secure: SmtpServer, authority: Authority, echo: str) -> None:
    """Neither in the message, nor in a traceback."""
    secure.script["auth"] = f"535 5.7.8 bad credentials {echo}"
    settings = to(secure, security="starttls", username="ada", password=PASSWORD, ca_file=authority.ca_file)

    error = failure(settings)

    assert "user name or password not accepted: 535 (its answer repeats the password and is not shown)" == error.reason
    printed = "".join(traceback.format_exception(error)) + repr(error)
    assert not re.search(f"{re.escape(PASSWORD)}|{re.escape(echo)}", printed)


def test_no_login_is_offered(plain: SmtpServer) -> None:
    assert (
        "login",
        "the server does not offer a login",
        (
            "remove smtp.username and smtp.password if the relay wants no login; if it does, it may offer it only when "
            'smtp.security is "starttls" or "tls"'
        ),
        None,
    ) == told(to(plain, username="ada", password=PASSWORD))


def test_only_a_login_we_do_not_know_is_offered(plain: SmtpServer) -> None:
    plain.script["ehlo"] = "250-mx.example.org\r\n250 AUTH XOAUTH2"

    assert (
        "login",
        "the server offers only XOAUTH2, and digest knows PLAIN and LOGIN",
        "enable a password login for this account (an app password), or send through another relay",
        None,
    ) == told(to(plain, username="ada", password=PASSWORD))


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
