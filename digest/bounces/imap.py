"""A mailbox on a server (IMAP4rev1, RFC 3501), always over TLS. What is done is marked as seen, and moved if wanted.

The standard library's client, because nothing is to be read of a mail but its first bytes: imap-tools parses each
whole mail itself, and raises the limit of imaplib for answers of the server to 20 MB.
"""

from __future__ import annotations

import imaplib
import re
import ssl
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, Literal

from digest.bounces.entity import MAX_BYTES
from digest.bounces.mailbox import FLAGGED_BYTES, Returned
from digest.certificate import flaw_of
from digest.errors import FetchError
from digest.strangers import one_line

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from types import TracebackType
    from typing import Self

    from digest.certificate import Flaw

_AGAIN = "run the command again; nothing was lost"

_CERTIFICATE: dict[Flaw, str] = {
    "early": "compare the clocks of this machine and of the mailbox's server",
    "expired": "whoever runs the mailbox has to renew it; is the clock of this machine right?",
    "issuer": "put the certificate of that authority into a file and name it in bounces.ca_file",
    "name": "set bounces.host to the name in the certificate",
    "other": "whoever runs the mailbox has to mend it",
}

#: `tls`: encrypted from the first byte; `starttls`: encrypted before the login. There is no third
ImapSecurity = Literal["tls", "starttls"]

#: RFC 8314 §3.2, RFC 3501 §2.1
_PORTS: dict[ImapSecurity, int] = {"tls": 993, "starttls": 143}
#: RFC 3501 §9: `17-Jul-1996 02:44:25 -0700`, the day perhaps with a space in front
_ARRIVED = re.compile(rb'INTERNALDATE "([ \d]\d-[A-Za-z]{3}-\d{4} \d\d:\d\d:\d\d [+-]\d{4})"')


@dataclass(frozen=True, slots=True)
class ImapSettings:
    """One mailbox of one account."""

    host: str
    username: str
    password: str = field(repr=False)
    #: 1..65535; 0: the usual port for `security` (993, 143)
    port: int = 0
    security: ImapSecurity = "tls"
    #: as the server calls it, ASCII
    folder: str = "INBOX"
    #: where mails go that are done, ASCII; empty: they stay, marked as seen
    handled_folder: str = ""
    #: seconds for connecting and for each answer
    timeout_s: float = 60.0
    #: PEM file of certificates trusted beside the system's own; empty: none
    ca_file: str = ""

    @property
    def effective_port(self) -> int:
        """The port to connect to, 1..65535."""
        return self.port or _PORTS[self.security]

    @property
    def url(self) -> str:
        """How errors name the mailbox; no user, no password."""
        return f"imap{'s' * (self.security == 'tls')}://{self.host}:{self.effective_port}/{self.folder}"


class ImapMailbox:
    """The unseen mails of a folder. Entering connects, logs in and selects it."""

    def __init__(self, settings: ImapSettings) -> None:
        self._settings = settings
        self._client: imaplib.IMAP4 | None = None

    def __enter__(self) -> Self:
        with self._translated("connect", "check the host, the port and the kind of encryption of the mailbox"):
            self._client = _connected(self._settings)
        try:
            self._log_in(self._client)
            self._select(self._client)
        except BaseException:
            _close(self._client)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        client, self._client = self._open, None
        if error is None:
            with suppress(imaplib.IMAP4.error, OSError):  # what was to be done is done
                client.logout()
        _close(client)

    @property
    def place(self) -> str:
        """The URL of the folder."""
        return self._settings.url

    def unread(self) -> Iterator[Returned]:
        """The mails without the flag Seen; their arrival is the server's INTERNALDATE."""
        flagged = set(self._found("FLAGGED"))
        for name in self._found("ALL"):
            size = FLAGGED_BYTES if name in flagged else MAX_BYTES
            answer = self._command("FETCH", name, f"(INTERNALDATE BODY.PEEK[]<0.{size}>)")
            literals = [piece for piece in answer if isinstance(piece, tuple)]
            if literals:  # else it is gone by now
                yield Returned(name, self._arrived_at(answer), literals[0][1], name in flagged)

    def done(self, name: str) -> None:
        """Set the flag Seen, then move it."""
        self._command("STORE", name, "+FLAGS.SILENT", r"(\Seen)")
        if self._settings.handled_folder:
            self._command("MOVE", name, _quoted(self._settings.handled_folder))

    def leave(self, name: str) -> None:
        """Set the flag Flagged: a star in most programs."""
        self._command("STORE", name, "+FLAGS.SILENT", r"(\Flagged)")

    def left(self) -> int:
        """The mails with the flag Flagged and without Seen."""
        return len(self._found("FLAGGED"))

    def _found(self, which: str) -> list[str]:
        """The UIDs of those unread mails, `ALL` or `FLAGGED` (RFC 3501 §6.4.4)."""
        [found, *_] = self._command("SEARCH", "UNSEEN", "UNDELETED", which)
        return (found or b"").decode("ascii", "replace").split()

    def _arrived_at(self, answer: list[Any]) -> datetime:
        # the date may stand before or behind the mail itself
        around = b" ".join(piece[0] if isinstance(piece, tuple) else piece for piece in answer)
        found = _ARRIVED.search(around)
        if found is None:
            raise FetchError(self._settings.url, "the server does not say when a mail arrived")
        return parsedate_to_datetime(found[1].decode()).astimezone(UTC)

    @property
    def _open(self) -> imaplib.IMAP4:
        if self._client is None:
            raise ValueError("the mailbox is not open: use it in a with statement")
        return self._client

    def _log_in(self, client: imaplib.IMAP4) -> None:
        user, password = self._settings.username, self._settings.password
        # every server has PLAIN (RFC 3501 §11.1), which needs no quoting and takes any character (RFC 4616)
        plain = f"\0{user}\0{password}".encode(errors="surrogateescape")
        try:
            client.authenticate("PLAIN", lambda _: plain)
        except (imaplib.IMAP4.abort, OSError):
            raise FetchError(self._settings.url, "the connection broke during the login", hint=_AGAIN) from None
        except imaplib.IMAP4.error:
            hint = "check user name and password; many providers want an app password, or IMAP switched on first"
            # the server's words are not shown: they may repeat the password
            raise FetchError(self._settings.url, "user name or password not accepted", hint=hint) from None

    def _select(self, client: imaplib.IMAP4) -> None:
        settings = self._settings
        with self._translated("select", "check the name of the folder"):
            kind, data = client.select(_quoted(settings.folder))
        if kind != "OK":
            raise self._refused("SELECT", data, "check the name of the folder")
        with self._translated("capability", ""):
            _, (capabilities, *_) = client.capability()
        if settings.handled_folder and b"MOVE" not in capabilities.upper().split():
            hint = "leave the folder for handled mails empty; they are then only marked as seen"
            raise FetchError(settings.url, "the server cannot move mails (RFC 6851)", hint=hint)

    def _command(self, command: str, *arguments: str) -> list[Any]:
        """Data of the answer to a UID command."""
        with self._translated(command, _AGAIN):
            kind, data = self._open.uid(command, *arguments)
        if kind != "OK":
            raise self._refused(command, data, "look at the folders and rights of this account")
        return data

    @contextmanager
    def _translated(self, what: str, hint: str) -> Iterator[None]:
        try:
            yield
        except (imaplib.IMAP4.error, OSError) as error:
            raise self._trouble(error, what, hint) from error

    def _trouble(self, error: Exception, what: str, hint: str) -> FetchError:
        if isinstance(error, ssl.SSLCertVerificationError):
            flaw, reason = flaw_of(error.verify_code, one_line(error.verify_message))
            hint = _CERTIFICATE[flaw]
        elif isinstance(error, TimeoutError):
            reason = f"no answer within {self._settings.timeout_s:g} s"
        else:
            reason = one_line(getattr(error, "strerror", None) or str(error)) or type(error).__name__
        return FetchError(self._settings.url, f"{what.lower()}: {reason}", hint=hint)

    def _refused(self, command: str, data: list[Any], hint: str) -> FetchError:
        words = one_line(b" ".join(part for part in data if isinstance(part, bytes)).decode("utf-8", "replace"))
        return FetchError(self._settings.url, f"{command.lower()}: the server refuses: {words}", hint=hint)


def _connected(settings: ImapSettings) -> imaplib.IMAP4:
    context = ssl.create_default_context()
    if settings.ca_file:
        context.load_verify_locations(settings.ca_file)
    host, port, timeout = settings.host, settings.effective_port, settings.timeout_s
    if settings.security == "tls":
        return imaplib.IMAP4_SSL(host, port, ssl_context=context, timeout=timeout)
    client = imaplib.IMAP4(host, port, timeout=timeout)
    try:
        client.starttls(context)
    except BaseException:
        _close(client)
        raise
    return client


def _close(client: imaplib.IMAP4) -> None:
    with suppress(OSError):  # after a failure it may be closed already
        client.shutdown()


def _quoted(folder: str) -> str:
    """RFC 3501 §4.3 and §5.1.3."""
    if not (folder.isascii() and folder.isprintable()):
        raise FetchError(folder[:80], "the folder's name is not ASCII", hint="write it in modified UTF-7, as IMAP does")
    return '"' + folder.replace("\\", "\\\\").replace('"', '\\"') + '"'
