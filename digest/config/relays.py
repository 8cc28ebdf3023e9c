"""The keys of `[smtp]` and of its fallbacks; see `schema`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, SecretStr, StrictFloat, StrictInt

from digest.config import values
from digest.config.section import Address, DomainRates, File, MailRate, Section
from digest.deliver.settings import SmtpSettings


class RelaySection(Section):
    """How to reach a mail relay, and how much it bears."""

    host: Annotated[str, AfterValidator(values.host)] = ""
    """Name of the relay, like mail.example.org. Needed."""
    port: StrictInt = Field(default=0, ge=0, le=65535)
    """0: the usual port for `security` (587, 465, 25)."""
    security: Literal["starttls", "tls", "none"] = "starttls"
    """starttls: encrypted before anything that matters; tls: encrypted from the first byte; none: never."""
    username: str = ""
    """Empty: no login."""
    password: SecretStr | None = None
    """Better kept in password_file or in the environment, DIGEST_SMTP__PASSWORD."""
    password_file: File | None = None
    """File that holds the password and nothing else."""
    timeout: StrictFloat = Field(default=60.0, ge=1, le=600)
    """Seconds for connecting and for each command."""
    local_hostname: Annotated[str, AfterValidator(values.host)] = ""
    """Name said in EHLO. Default: this machine's name."""
    ca_file: File | None = None
    """PEM file with certificates to trust besides the system's own."""
    connections: StrictInt = Field(default=2, ge=1, le=50)
    """Most connections at a time."""
    messages_per_connection: StrictInt = Field(default=100, ge=0, le=1_000_000)
    """After so many mails a connection is replaced by a new one; 0: never."""
    rate: MailRate | None = None
    """Most mails in a time, evenly spaced: 600/minute, 20000/hour. Default: as many as the relay takes."""
    priority: StrictInt = Field(default=0, ge=0, le=1000)
    """Which relay is tried first: the lowest number; equal ones share the mails."""

    @property
    def settings(self) -> SmtpSettings:
        """The relay as `deliver` takes it; its password must have been read."""
        return SmtpSettings(
            host=self.host,
            port=self.port,
            security=self.security,
            username=self.username,
            password=self.password.get_secret_value() if self.password else "",
            timeout_s=self.timeout,
            local_hostname=self.local_hostname,
            ca_file=str(self.ca_file or ""),
            connections=self.connections,
            messages_per_connection=self.messages_per_connection,
            rate=self.rate,
            priority=self.priority,
        )


class FallbackSection(RelaySection):
    """Another relay, for when those of a lower priority cannot be used."""

    priority: StrictInt = Field(default=10, ge=0, le=1000)
    """Which relay is tried first: the lowest number; equal ones share the mails. That of [smtp] has 0."""


class SmtpSection(RelaySection):
    """The mail relay. Without this table, mail goes to a Maildir folder."""

    envelope_from: Address | None = None
    """Address to which bounces go. Default: the address in mail.from."""
    per_domain_rate: DomainRates = Field(default={})
    """Most mails to one recipient domain in a time: 500/hour, or a table of domains, with "*" for all others."""
    fallback: tuple[FallbackSection, ...] = ()
    """More relays: a table each, with the keys above."""

    @property
    def relays(self) -> tuple[SmtpSettings, ...]:
        """All relays as `deliver` takes them, this one first; their passwords must have been read."""
        return (self.settings, *(relay.settings for relay in self.fallback))
