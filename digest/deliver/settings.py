"""How to reach the mail relay."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from digest.deliver.throttle import Rate

#: `starttls`: plain first, encrypted before anything that matters; `tls`: encrypted from the first byte; `none`: never
Security = Literal["starttls", "tls", "none"]

#: RFC 6409 §3.1, RFC 8314 §3.3, RFC 5321 §4.5.4.2
_PORTS: dict[Security, int] = {"starttls": 587, "tls": 465, "none": 25}


@dataclass(frozen=True, slots=True)
class SmtpSettings:
    """One mail relay. What is chosen here is what happens: nothing is guessed, nothing is downgraded."""

    host: str
    #: 1..65535; 0: the usual port for `security` (587, 465, 25)
    port: int = 0
    security: Security = "starttls"
    #: empty: no login
    username: str = ""
    password: str = field(default="", repr=False)
    #: seconds for each step: connecting, one command, sending one body
    timeout_s: float = 60.0
    #: seconds to wait for the answer to the final dot; RFC 5321 §4.5.3.2.6 asks for ten minutes, because giving up
    #: earlier makes duplicates
    answer_timeout_s: float = 600.0
    #: name said in EHLO; empty: this machine's name, or its address if the name has no dot
    local_hostname: str = ""
    #: PEM file of certificates trusted beside the system's own; empty: none
    ca_file: str = ""
    #: most connections at a time, from 1. Two: while one waits for an answer the other one sends; relays usually allow
    #: far more (Postfix 50, https://www.postfix.org/postconf.5.html#smtpd_client_connection_count_limit)
    connections: int = 2
    #: after so many mails a connection is replaced by a new one; 0: never. Some relays hang up after as many
    messages_per_connection: int = 100
    #: of all connections together; None: as fast as the relay takes mails
    rate: Rate | None = None
    #: which relay is tried first: the lowest; equal ones share the mails
    priority: int = 0

    @property
    def effective_port(self) -> int:
        """The port to connect to, 1..65535."""
        return self.port or _PORTS[self.security]

    @property
    def relay(self) -> str:
        """`host:port`, as receipts and errors name the relay."""
        return f"{self.host}:{self.effective_port}"
