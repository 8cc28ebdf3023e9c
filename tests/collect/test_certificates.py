"""Whom we believe to be who they say they are."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
import trustme

from digest.collect.http import PassingError
from digest.collect.llm import Asked, Machine, ask
from digest.errors import FetchError
from tests.collect.net import get
from tests.http_server import HttpServer, Reply

if TYPE_CHECKING:
    from pathlib import Path


def _tls(ca: trustme.CA, name: str, not_after: datetime | None = None) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert(name, not_after=not_after).configure_cert(context)
    return context


@pytest.fixture
def authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> trustme.CA:
    """The only one that is trusted."""
    ca = trustme.CA()
    ca.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    return ca


def test_the_certificate_must_be_for_the_name_although_the_address_is_pinned(authority: trustme.CA) -> None:
    with HttpServer(_tls(authority, "localhost")) as server:
        server.routes["/"] = Reply(body=b"x")

        assert b"x" == get(f"https://localhost:{server.port}/", allow_private_hosts=("localhost",)).body
        assert f"localhost:{server.port}" == server.requests[0].headers["host"]


@pytest.mark.parametrize(
    ("fault", "reason", "hint"),
    [
        ("other name", "its certificate is for another host name", "is the host name in the address right?"),
        ("expired", "its certificate has expired", "whoever runs the server has to renew it"),
        ("stranger", "its certificate is signed by nobody this machine trusts", "as SSL_CERT_FILE"),
    ],
)
def test_a_bad_certificate_is_a_final_failure_that_says_what_is_wrong_with_it(
    authority: trustme.CA, fault: str, reason: str, hint: str
) -> None:
    context = {
        "other name": _tls(authority, "other.example"),
        "expired": _tls(authority, "localhost", not_after=datetime(2020, 1, 1, tzinfo=UTC)),
        "stranger": _tls(trustme.CA(), "localhost"),
    }[fault]
    with HttpServer(context) as server, pytest.raises(FetchError) as caught:
        get(f"https://localhost:{server.port}/", allow_private_hosts=("localhost",))

    assert reason in caught.value.reason
    assert hint in caught.value.hint
    assert not isinstance(caught.value, PassingError)


def _ask(server: HttpServer) -> Asked:
    server.routes["/v1/chat/completions"] = Reply(body=b'{"choices": [{"message": {"content": "yes"}}]}')
    machine = Machine(f"https://localhost:{server.port}/v1", "small-1")
    return ask(machine, {"one": []}, answer_tokens=1, most_tokens=9, deadline_s=5.0)


def test_a_language_model_is_believed_by_the_same_authorities(authority: trustme.CA) -> None:
    with HttpServer(_tls(authority, "localhost")) as trusted, HttpServer(_tls(trustme.CA(), "localhost")) as stranger:
        believed, doubted = _ask(trusted), _ask(stranger)

    assert {"one": "yes"} == believed.answers
    place = f"https://localhost:{stranger.port}/v1/chat/completions"
    assert doubted.trouble.startswith(f"{place}: its certificate is signed by nobody this machine trusts")
    assert doubted.trouble.endswith("name that in the environment as SSL_CERT_FILE")


def test_a_language_model_is_not_asked_with_a_file_of_authorities_that_is_of_no_use(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", "/nowhere/ca.pem")
    with HttpServer() as server:
        assert "environment SSL_CERT_FILE: No such file or directory; name a PEM file" in _ask(server).trouble


@pytest.mark.parametrize(
    ("content", "reason"), [(None, "No such file or directory"), ("nonsense", "it holds no certificate")]
)
def test_a_file_of_authorities_that_is_of_no_use_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str | None, reason: str
) -> None:
    file = tmp_path / "ca.pem"
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    if content:
        file.write_text(content)

    with pytest.raises(FetchError, match=f"environment SSL_CERT_FILE: {reason}"):
        get("https://localhost/")
