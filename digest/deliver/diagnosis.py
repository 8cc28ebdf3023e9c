"""Why the relay cannot be used, in words: an exception goes in, a `DeliveryError` with a hint comes out. Pure.

Hints name keys of the `[smtp]` table of the configuration.
"""

from __future__ import annotations

import base64
import errno
import re
import socket
import ssl
from typing import TYPE_CHECKING

import aiosmtplib

from digest.certificate import flaw_of
from digest.errors import DeliveryError
from digest.strangers import one_line

if TYPE_CHECKING:
    from digest.certificate import Flaw
    from digest.deliver.reply import Stage
    from digest.deliver.settings import SmtpSettings

_CERTIFICATE: dict[Flaw, str] = {
    "early": "compare the clocks of this machine and of the relay",
    "expired": "renew the certificate of the relay",
    "issuer": "put the certificate of that authority into a file and name it in smtp.ca_file",
    "name": "set smtp.host to the name in the certificate",
    "other": "mend the certificate",
}

#: errno → reason, hint
_NETWORK: dict[int, tuple[str, str]] = {
    errno.ECONNREFUSED: ("nothing listens there", "check smtp.host and smtp.port, and that the relay is running"),
    errno.ENETUNREACH: ("there is no route to it", "check the network of this machine"),
    errno.EHOSTUNREACH: ("there is no route to it", "check the network of this machine and smtp.host"),
}

#: what to look at first when a stage fails for a reason of its own
_LOOK_AT: dict[Stage, str] = {
    "connect": "check smtp.host and smtp.port",
    "tls": "check smtp.security and smtp.port",
    "ehlo": "set smtp.local_hostname to the full name of this machine",
    "login": "check smtp.username and smtp.password",
}

_GMAIL = "Gmail wants an app password here: https://support.google.com/accounts/answer/185833"


def why(settings: SmtpSettings, stage: Stage, error: Exception) -> DeliveryError:
    """What `error`, raised while doing `stage`, means for somebody who has to mend it."""
    tls = _tls_error(error)
    if tls is not None:
        return _tls_trouble(settings, tls)
    if isinstance(error, aiosmtplib.SMTPResponseException):
        return _refusal(settings, stage, error.code, error.message)
    if isinstance(error, TimeoutError):
        reason = f"no answer within {settings.timeout_s:g} s"
        return _error(settings, stage, reason, hint=_silence_hint(settings))
    if isinstance(_cause(error), aiosmtplib.SMTPServerDisconnected | ConnectionResetError):
        return _error(settings, stage, "the server closed the connection", hint=_silence_hint(settings))
    return _network_trouble(settings, stage, _cause(error))


def bad_ca_file(settings: SmtpSettings, error: OSError) -> DeliveryError:
    """`ca_file` is missing, unreadable or no certificate."""
    reason = error.strerror if error.strerror and not isinstance(error, ssl.SSLError) else "it holds no certificate"
    return _error(
        settings, "tls", f"cannot use {settings.ca_file}: {reason}", hint="smtp.ca_file must name a readable PEM file"
    )


def no_starttls(settings: SmtpSettings) -> DeliveryError:
    """The server does not offer what was chosen; going on in plain text would be a downgrade."""
    return _error(
        settings,
        "tls",
        "the server does not offer STARTTLS",
        hint='set smtp.security = "tls" (usually port 465), or "none" for a relay on this machine',
    )


def unencrypted_login(settings: SmtpSettings) -> DeliveryError:
    """A password would cross a network in plain text."""
    return _error(
        settings,
        "login",
        "the password would cross the network unencrypted, so it was not sent",
        hint='set smtp.security to "starttls" or "tls", or remove smtp.username if the relay wants no login',
    )


def login_impossible(settings: SmtpSettings, methods: tuple[str, ...]) -> DeliveryError:
    """The server offers no login, or none we know."""
    if not methods:
        hint = "remove smtp.username and smtp.password if the relay wants no login"
        if settings.security == "none":
            hint += '; if it does, it may offer it only when smtp.security is "starttls" or "tls"'
        return _error(settings, "login", "the server does not offer a login", hint=hint)
    offered = one_line(", ".join(methods).upper(), limit=100)
    return _error(
        settings,
        "login",
        f"the server offers only {offered}, and digest knows PLAIN and LOGIN",
        hint="enable a password login for this account (an app password), or send through another relay",
    )


def _tls_trouble(settings: SmtpSettings, error: ssl.SSLError) -> DeliveryError:
    if isinstance(error, ssl.SSLCertVerificationError):
        flaw, reason = flaw_of(error.verify_code, one_line(error.verify_message))
        return _error(settings, "tls", reason, hint=_CERTIFICATE[flaw])
    if error.reason in {"WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE"}:
        hint = 'set smtp.security = "starttls" (usually port 587)'
        return _error(settings, "tls", "the port does not speak TLS from the first byte", hint=hint)
    return _error(settings, "tls", f"TLS failed: {one_line(error.reason or str(error))}")


def _refusal(settings: SmtpSettings, stage: Stage, code: int, text: str) -> DeliveryError:
    words = one_line(_without_secrets(settings, text))
    if code < 200:  # how aiosmtplib says that the answer has no code
        return _error(settings, stage, f"the answer is not SMTP: {words}", hint="check smtp.host and smtp.port")
    if code < 500:
        hint = "the server says this passes; it is tried again with the next run"
    elif stage == "connect":
        hint = "ask whoever runs the relay whether this machine may use it"
    else:
        hint = _LOOK_AT.get(stage, "")
    if stage == "login" and ("gmail" in settings.host.lower() or "gsmtp" in words):
        hint = f"{hint}; {_GMAIL}"
    what = "user name or password not accepted" if code == 535 else "the server refuses"
    return _error(settings, stage, f"{what}: {code} {words}".rstrip(), code=code, hint=hint)


def _network_trouble(settings: SmtpSettings, stage: Stage, error: BaseException) -> DeliveryError:
    if isinstance(error, socket.gaierror):
        if error.errno == socket.EAI_AGAIN:
            return _error(settings, stage, "the name service does not answer", hint="check the DNS of this machine")
        return _error(settings, stage, "the host name is unknown", hint="check smtp.host")
    reason, hint = _NETWORK.get(_error_number(error), (one_line(str(error)), _LOOK_AT.get(stage, "")))
    return _error(settings, stage, reason, hint=hint)


def _error_number(error: BaseException) -> int:
    """The errno; asyncio hides it in the text when several addresses of one host fail."""
    number = getattr(error, "errno", None)
    if number is None and (found := re.search(r"\[Errno (\d+)\]", str(error))):
        number = int(found[1])
    return number or 0


def _cause(error: Exception) -> BaseException:
    """What aiosmtplib has wrapped, else the error itself."""
    return error.__cause__ or error


def _tls_error(error: Exception) -> ssl.SSLError | None:
    cause = _cause(error)
    return cause if isinstance(cause, ssl.SSLError) else None


def _silence_hint(settings: SmtpSettings) -> str:
    if settings.security != "tls" and settings.effective_port == 465:
        return 'port 465 expects TLS from the first byte: set smtp.security = "tls"'
    if settings.security == "tls" and settings.effective_port in {25, 587}:
        return f'port {settings.effective_port} usually expects smtp.security = "starttls"'
    return "check smtp.host and smtp.port, and whether a firewall stands between"


def _without_secrets(settings: SmtpSettings, text: str) -> str:
    """A server's answer, unless it repeats the password in one of the forms it was sent in (RFC 4616, AUTH LOGIN)."""
    user, password = (text.encode(errors="surrogateescape") for text in (settings.username, settings.password))
    plain = b"\0" + user + b"\0" + password
    sent = (settings.password, base64.b64encode(password).decode(), base64.b64encode(plain).decode())
    unbroken = "".join(text.split())
    repeated = settings.password and any(form in text or form in unbroken for form in sent)
    return "(its answer repeats the password and is not shown)" if repeated else text


def _error(
    settings: SmtpSettings, stage: Stage, reason: str, *, code: int | None = None, hint: str = ""
) -> DeliveryError:
    return DeliveryError(settings.relay, stage, reason, code=code, hint=hint)
