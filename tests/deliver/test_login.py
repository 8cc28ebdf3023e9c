"""Logging in, and what is said when that fails."""

from __future__ import annotations

import base64
import re
import traceback

import pytest

from tests.deliver.dialogue import PASSWORD, failure, to, told
from tests.smtp_server import DROP, SILENCE, Authority, SmtpServer, patience_s, smtp_server

USERS = {"ada": PASSWORD}


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


def test_no_login_is_offered(server: SmtpServer) -> None:
    assert (
        "login",
        "the server does not offer a login",
        (
            "remove smtp.username and smtp.password if the relay wants no login; if it does, it may offer it only when "
            'smtp.security is "starttls" or "tls"'
        ),
        None,
    ) == told(to(server, username="ada", password=PASSWORD))


def test_only_a_login_we_do_not_know_is_offered(server: SmtpServer) -> None:
    server.script["ehlo"] = "250-mx.example.org\r\n250 AUTH XOAUTH2"

    assert (
        "login",
        "the server offers only XOAUTH2, and digest knows PLAIN and LOGIN",
        "enable a password login for this account (an app password), or send through another relay",
        None,
    ) == told(to(server, username="ada", password=PASSWORD))
