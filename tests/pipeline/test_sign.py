"""Signing: what the mail server gets is what dkimpy verifies, and a mail sent twice is the same mail."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

import dkim as dkimpy  # type: ignore[import-untyped]
import pytest

from digest.deliver.dkim_key import load_key, new_key
from digest.errors import DigestError
from digest.pipeline.send import send
from tests.http_server import Reply
from tests.installation import ADA, BOB, CAT, findings
from tests.makers import NOW
from tests.smtp_server import DROP

if TYPE_CHECKING:
    from pathlib import Path

    from tests.installation import Installation
    from tests.smtp_server import SmtpServer

DAY = timedelta(days=1)
OPERATOR = "root@example.org"


@pytest.fixture(params=["rsa-sha256", "ed25519-sha256"])
def key_file(request: pytest.FixtureRequest, pulled: Installation) -> Path:
    """Of the key that `pulled` signs with."""
    path = pulled.folder / "dkim.pem"
    path.touch(mode=0o600)
    path.write_bytes(new_key(request.param))
    pulled.sections["dkim"] = 'selector = "autumn"\nkey_file = "dkim.pem"'
    return path


def verified(data: bytes, key_file: Path) -> bool:
    """What dkimpy says of the topmost signature, when the DNS of example.org holds this key."""
    dns = {b"autumn._domainkey.example.org.": load_key(key_file).dns_value.encode()}
    return bool(dkimpy.verify(data, dnsfunc=lambda name, **_: dns.get(name, b"")))


def test_what_the_relay_gets_is_signed_for_the_sender_s_domain(
    pulled: Installation, relay: SmtpServer, key_file: Path
) -> None:
    report = pulled.send()

    assert [(ADA, "sent"), (BOB, "sent"), (CAT, "sent")] == findings(report)
    assert [(ADA, True), (BOB, True), (CAT, True)] == [
        (mail.recipient, verified(mail.data, key_file)) for mail in relay.accepted
    ]


def test_what_goes_into_the_folder_is_signed_too(pulled: Installation, key_file: Path) -> None:
    pulled.send()

    assert [True, True, True] == [verified(data, key_file) for data in pulled.letters()]


def test_without_the_section_nothing_is_signed(pulled: Installation, relay: SmtpServer) -> None:
    pulled.send()

    assert 3 == len(relay.accepted)
    assert not any(b"DKIM-Signature" in mail.data for mail in relay.accepted)


def test_a_mail_that_is_sent_again_has_the_same_signature_and_the_same_bytes(
    pulled: Installation, relay: SmtpServer, key_file: Path
) -> None:
    relay.script["dot", ADA] = DROP
    pulled.send()
    relay.script.clear()

    pulled.send(NOW + timedelta(minutes=30))

    before, after = (mail.data for mail in relay.accepted if mail.recipient == ADA)
    assert before == after
    assert verified(after, key_file)


def test_the_operator_s_notice_is_signed(pulled: Installation, relay: SmtpServer, key_file: Path) -> None:
    pulled.sections["mail"] = f'operator = "{OPERATOR}"\n'
    pulled.server.routes["/list"] = Reply(404)
    pulled.pull(NOW + DAY)
    pulled.pull(NOW + 2 * DAY)

    pulled.tell(NOW + 2 * DAY)

    (notice,) = relay.accepted
    assert (OPERATOR, True) == (notice.recipient, verified(notice.data, key_file))


def test_a_key_that_is_gone_since_the_configuration_was_read_stops_the_run_before_anything_is_claimed(
    pulled: Installation, relay: SmtpServer, key_file: Path
) -> None:
    """As in a daemon, which reads the configuration once."""
    settings = pulled.settings()
    kept = key_file.rename(pulled.folder / "elsewhere.pem")

    with pulled.state() as state, pytest.raises(DigestError, match=r"^cannot read the DKIM key .*/dkim\.pem: No such"):
        asyncio.run(send(settings, state, clock=lambda: NOW))

    assert ((), []) == (pulled.rows(), relay.heard)
    kept.rename(key_file)
    assert [(ADA, "sent"), (BOB, "sent"), (CAT, "sent")] == findings(pulled.send())
