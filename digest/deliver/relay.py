"""Opening a connection to the relay: connect, TLS, EHLO, login. In goes `SmtpSettings`, out comes a `Connection`.

Every way this can fail is a `DeliveryError` in plain words (see `diagnosis`). The password goes to the server and
nowhere else: login errors carry the server's text without anything that repeats it, and no exception chain.
"""

from __future__ import annotations

import asyncio
import ipaddress
import re
import socket
import ssl
from contextlib import contextmanager
from typing import TYPE_CHECKING, cast

import aiosmtplib

from digest.deliver.connection import Connection
from digest.deliver.diagnosis import bad_ca_file, login_impossible, no_starttls, unencrypted_login, why
from digest.strangers import one_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from digest.deliver.reply import Stage
    from digest.deliver.settings import Security, SmtpSettings

#: a name fit for EHLO: letters, digits, hyphens, and at least one dot
_FULL_NAME = re.compile(r"[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")


def tls_context(settings: SmtpSettings) -> ssl.SSLContext:
    """What certificates are trusted: the system's authorities and `ca_file`. Names are checked, always.

    Raises:
        DeliveryError: `ca_file` cannot be read, or holds no certificate.
    """
    context = ssl.create_default_context()
    if settings.ca_file:
        try:
            context.load_verify_locations(cafile=settings.ca_file)
        except OSError as error:
            raise bad_ca_file(settings, error) from error
    return context


class _Client(aiosmtplib.SMTP):
    """Closes at once: a TLS farewell to a server that no longer answers would go on behind our back for 30 s."""

    def close(self) -> None:
        if self.transport is not None:
            cast(asyncio.Transport, self.transport).abort()
        super().close()


async def connect(settings: SmtpSettings, context: ssl.SSLContext) -> Connection:
    """A connection that is ready for a mail.

    Raises:
        DeliveryError: with the stage that failed: `connect`, `tls`, `ehlo` or `login`.
    """
    client = _Client(
        hostname=settings.host,
        port=settings.effective_port,
        timeout=settings.timeout_s,
        use_tls=settings.security == "tls",
        start_tls=False,  # done below; aiosmtplib would do it before we can tell the stages apart
        tls_context=context,
        local_hostname="localhost",  # not sent: without it aiosmtplib asks the DNS for our name, which may hang
    )
    try:
        with _step(settings, "connect"):
            greeting = (await client.connect()).message
        await _prepare(client, settings)
        transport = cast(asyncio.Transport, client.transport)
        return Connection(transport, extensions=dict(client.esmtp_extensions), greeting=one_line(greeting))
    except BaseException:
        client.close()
        raise


async def _prepare(client: aiosmtplib.SMTP, settings: SmtpSettings) -> None:
    await _ehlo(client, settings)
    if settings.security == "starttls":
        if not client.supports_extension("starttls"):
            raise no_starttls(settings)
        with _step(settings, "tls"):
            await client.starttls()
        await _ehlo(client, settings)  # RFC 3207 §4.2: nothing learned before TLS counts
    if settings.username:
        await _login(client, settings)


async def _ehlo(client: aiosmtplib.SMTP, settings: SmtpSettings) -> None:
    with _step(settings, "ehlo"):
        await client.ehlo(hostname=settings.local_hostname or _own_name(client))


def _own_name(client: aiosmtplib.SMTP) -> str:
    """This machine's full name, else its address on this connection as a literal (RFC 5321 §4.1.3)."""
    name = socket.gethostname()
    if _FULL_NAME.fullmatch(name):
        return name
    address = str(client.get_transport_info("sockname")[0]).partition("%")[0]
    return f"[IPv6:{address}]" if ":" in address else f"[{address}]"


async def _login(client: aiosmtplib.SMTP, settings: SmtpSettings) -> None:
    """Log in with PLAIN or LOGIN, once: a second method after a refusal only counts as a second wrong password."""
    if not password_is_safe(settings.security, client.get_transport_info("peername")[0]):
        raise unencrypted_login(settings)
    methods = client.server_auth_methods
    if "plain" in methods:
        with _step(settings, "login"):
            await client.auth_plain(settings.username, settings.password)
    elif "login" in methods:
        with _step(settings, "login"):
            await client.auth_login(settings.username, settings.password)
    else:
        raise login_impossible(settings, tuple(methods))


def password_is_safe(security: Security, peer: str) -> bool:
    """Whether nobody can listen between us and the IP address `peer`: encrypted, or never leaving this machine."""
    return security != "none" or ipaddress.ip_address(peer).is_loopback


@contextmanager
def _step(settings: SmtpSettings, stage: Stage) -> Iterator[None]:
    """Whatever fails inside becomes a `DeliveryError` about `stage`."""
    try:
        yield
    except (aiosmtplib.SMTPException, OSError, ValueError) as error:
        # not `from error`: the words say all there is to know, and a printed chain could show a login exchange
        raise why(settings, stage, error) from None
