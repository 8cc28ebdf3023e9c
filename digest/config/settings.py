"""What the rooms are given: every value checked, defaults applied, paths absolute, secrets read."""

from __future__ import annotations

import os
import re
import stat
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from digest.config.checks import is_remote
from digest.config.images import INSTALL, missing
from digest.config.rhythm import RHYTHM, rhythm
from digest.config.schema import INHERITED, SubscriberEntry
from digest.config.secret import SECRETS
from digest.config.values import bare
from digest.model import Source, Subscriber

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from digest.config.archive import ArchiveSection
    from digest.config.llm import LlmSection
    from digest.config.relays import SmtpSection
    from digest.config.schema import (
        BouncesSection,
        ConfigFile,
        DaemonSection,
        DeliverySection,
        DigestSection,
        DkimSection,
        GithubSection,
        HttpSection,
        MailSection,
        SemanticSection,
        SourceEntry,
    )


@dataclass(frozen=True, slots=True)
class Settings:
    """A whole, valid configuration."""

    #: the file it was read from, absolute
    path: Path
    #: of the state, a sqlite path in it absolute; may hold a password
    state_url: str = field(repr=False)
    http: HttpSection
    mail: MailSection
    #: with `password` set if there is a login, however it was given; None: mail goes to the Maildir
    smtp: SmtpSection | None
    #: with its `domain` set, and with a key that could be read; None: mails are not signed here
    dkim: DkimSection | None
    #: with `password` set if it is on a server; None: returned mail is not read
    bounces: BouncesSection | None
    #: with `token` set if there is one; None: GitHub is not asked for stars
    github: GithubSection | None
    #: with the folder of a model; None: only words count
    semantic: SemanticSection | None
    maildir_path: Path
    #: reverse path of every mail, bare
    envelope_from: str
    #: where unsubscribe mails go, bare
    unsubscribe_mailto: str
    #: in file order
    sources: tuple[Source, ...]
    #: in file order, defaults applied, without tokens
    subscribers: tuple[Subscriber, ...]
    #: defaults for subscribers that are kept elsewhere
    digest: DigestSection
    #: the same as a reader who has chosen nothing, without an address
    undecided: Subscriber
    #: with `api_key` set if there is one, however it was given; None: no language model is asked
    llm: LlmSection | None
    #: with its `path` set; None: only `digest archive DIR` writes one
    archive: ArchiveSection | None
    delivery: DeliverySection
    daemon: DaemonSection
    #: things to know that are no mistakes; one sentence each
    warnings: tuple[str, ...] = ()

    def as_now(self, reader: Subscriber) -> Subscriber:
        """Somebody kept elsewhere, with what [digest] says now of all that they have not chosen."""
        if not reader.inherits:
            return reader
        return replace(reader, **{name: getattr(self.undecided, name) for name in reader.inherits})


def build(config: ConfigFile, path: Path, env: Mapping[str, str], *, file: Mapping[str, Any]) -> Settings:
    """Make the settings from a configuration without mistakes.

    Args:
        config: checked, its password read.
        path: of the file.
        env: for systemd's state folder.
        file: what the file itself holds, to warn of secrets in it.
    """
    state_folder = _state_folder(env)
    mail, smtp = config.mail, config.smtp
    return Settings(
        path=path,
        state_url=config.state.url or f"sqlite:///{state_folder / 'state.sqlite3'}",
        http=config.http,
        mail=mail,
        smtp=smtp,
        bounces=config.bounces,
        dkim=_signing(config),
        github=config.github,
        semantic=config.semantic,
        maildir_path=config.maildir.path or state_folder / "outbox",
        envelope_from=config.envelope_from,
        unsubscribe_mailto=mail.unsubscribe_mailto or bare(mail.reply_to or mail.from_),
        sources=tuple(map(source, config.sources)),
        subscribers=tuple(subscriber(entry, config.digest) for entry in config.subscribers),
        digest=config.digest,
        undecided=subscriber(SubscriberEntry(), config.digest),
        llm=config.llm,
        archive=config.archive,
        delivery=config.delivery,
        daemon=config.daemon,
        warnings=tuple(_warnings(config, path, file)),
    )


def _signing(config: ConfigFile) -> DkimSection | None:
    dkim = config.dkim
    return dkim and dkim.model_copy(update={"domain": dkim.domain or config.mail.ascii_domain})


def source(entry: SourceEntry) -> Source:
    """The source that a checked entry describes."""
    if entry.type is None:
        raise ValueError("an entry without a type was not checked")
    return Source(
        type=entry.type,
        name=entry.name or entry.type,
        categories=entry.categories,
        url=entry.url,
        query=entry.query,
        path=str(entry.path or ""),
        base_url=entry.base_url.rstrip("/"),
        announce=entry.announce,
        days=entry.days,
        max_results=entry.max_results,
        first_run_max=entry.first_run_max,
        deadline_s=entry.deadline,
    )


def subscriber(entry: SubscriberEntry, defaults: DigestSection) -> Subscriber:
    """The subscriber that a checked entry describes, with the defaults for whatever it does not choose."""
    chosen = {key: value for key in type(entry).model_fields if (value := getattr(entry, key)) is not None}
    shared = {key: getattr(defaults, key) for key in INHERITED}
    inherits = set(shared) - chosen.keys()
    if not set(RHYTHM) <= inherits:
        inherits -= set(RHYTHM)
    values = shared | chosen
    values["frequency"], values["days"] = rhythm(entry, defaults)
    return Subscriber(at=values.pop("time"), inherits=tuple(sorted(map(field_of, inherits))), **values)


def field_of(key: str) -> str:
    """The field of `Subscriber` that a key of `[[subscribers]]` sets."""
    return "at" if key == "time" else key


def _state_folder(env: Mapping[str, str]) -> Path:
    """Systemd's StateDirectory= (the first, if there are several), else the user's state folder."""
    from platformdirs import user_state_path

    given = env.get("STATE_DIRECTORY", "").partition(":")[0]
    return Path(given) if given else user_state_path("digest")


def _warnings(config: ConfigFile, path: Path, file: Mapping[str, Any]) -> Iterator[str]:
    if _is_open_to_others(path) and (secret := _literal_secret(file)):
        yield f"{path} holds {secret} and everybody on this machine can read it; type: chmod o-rwx {path}"
    if config.http.contact.endswith("example.org") and any(map(is_remote, config.sources)):
        yield f"http.contact in {path} is still the example's; put your own address there"
    if config.smtp is not None and config.mail.domain == "example.org":
        yield f"mail.from in {path} is still the example's; relays refuse mail from example.org"
    if pillow := missing((config.digest.images, *(reader.images for reader in config.subscribers))):
        yield f"{pillow}; {INSTALL}"
    if config.dkim is not None and config.dkim.key_file is not None:
        from digest.deliver.dkim_key import load_key

        if weakness := load_key(config.dkim.key_file).warning:
            yield weakness


def _is_open_to_others(path: Path) -> bool:
    return os.name == "posix" and bool(stat.S_IMODE(path.stat().st_mode) & stat.S_IRWXO)


def _literal_secret(file: Mapping[str, Any]) -> str:
    """The key of a secret that the file itself holds; empty if there is none."""
    for table, key in SECRETS.items():
        if key in file.get(table, {}):
            return f"{table}.{key}"
    for position, relay in enumerate(file.get("smtp", {}).get("fallback", ())):
        if "password" in relay:
            return f"smtp.fallback.{position}.password"
    url = str(file.get("state", {}).get("url", ""))
    return "the password in state.url" if re.search("//[^/@]*:[^/@]+@", url) else ""
