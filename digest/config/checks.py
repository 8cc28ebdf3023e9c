"""Mistakes that one key alone does not show: missing keys, keys that contradict each other, names used twice.

A configuration whose keys are fine by themselves goes in, problems come out. Only folders and files that a run cannot
do without are looked at; nothing is fetched and no relay is asked: that is `digest check`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from digest.config import rhythm, servers
from digest.config.images import images
from digest.config.mistakes import shown
from digest.config.secret import given_twice
from digest.config.semantic import model
from digest.config.values import is_loopback
from digest.errors import ConfigProblem, DigestError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from digest.config.llm import LlmSection
    from digest.config.schema import (
        ConfigFile,
        DigestSection,
        DkimSection,
        GithubSection,
        MailSection,
        SourceEntry,
        SubscriberEntry,
    )
    from digest.model import SourceType

_COMMON_KEYS = frozenset({"type", "name", "first_run_max", "deadline"})
#: keys that only these types take; those before the bar must be given
_TYPE_KEYS: dict[SourceType, tuple[frozenset[str], frozenset[str]]] = {
    "arxiv": (frozenset({"categories"}), frozenset({"base_url", "announce"})),
    "arxiv-api": (frozenset({"query"}), frozenset({"base_url", "max_results"})),
    "huggingface": (frozenset(), frozenset({"base_url", "days"})),
    "feed": (frozenset({"url"}), frozenset()),
    "jsonl": (frozenset(), frozenset({"url", "path"})),
}
_EXAMPLES = {
    "categories": 'categories = ["cs.CL", "cs.LG"]',
    "query": 'query = "cat:cs.RO AND abs:tactile"',
    "url": 'url = "https://example.org/feed.xml"',
}


def across(config: ConfigFile) -> Iterator[ConfigProblem]:
    """Every mistake that spans more than one key, in the order of the sections."""
    yield from _mail(config.mail)
    if config.smtp is not None:
        yield from servers.smtp(config.smtp)
    if config.mail.feedback and config.bounces is None:
        yield ConfigProblem(
            "mail.feedback",
            "nothing reads what arrives there",
            "add a [bounces] table that names its mailbox, or remove the key",
            config.mail.feedback,
        )
    if config.bounces is not None:
        yield from servers.bounces(config.bounces)
        yield from servers.verp(config.bounces, config.envelope_from)
    if config.dkim is not None:
        yield from _dkim(config.dkim, config.mail)
    if config.github is not None:
        yield from _github(config.github)
    if config.llm is not None:
        yield from _llm(config.llm)
    elif config.digest.summaries == "llm":
        hint = 'add [llm] with base_url = "http://localhost:11434/v1" and model, or write summaries = "sentence"'
        yield ConfigProblem("digest.summaries", "there is no [llm] to write them", hint, "llm")
    if config.archive is not None and config.archive.path is None:
        hint = 'add path = "site", or another folder that is new or empty'
        yield ConfigProblem("archive.path", "the folder to write the archive to is missing", hint)
    yield from images(config.digest.images, "digest.images", archive_url=config.mail.archive_url)
    if config.semantic is not None:
        yield from model(config.semantic)
    yield from rhythm.mistakes_of_all(config.digest)
    yield from _sources(config)
    yield from _subscribers(config)


def subscriber(entry: SubscriberEntry, defaults: DigestSection, key: str) -> Iterator[ConfigProblem]:
    """Mistakes within one subscriber; `key` is the dotted prefix of its keys, with a dot at its end."""
    from digest.curate.query import parse

    if not entry.email:
        yield ConfigProblem(f"{key}email", "a subscriber needs an address", 'add email = "ada@example.org"')
    yield from rhythm.mistakes_of_one(entry, defaults, key)
    trending = defaults.trending if entry.trending is None else entry.trending
    if trending == 0 and all(parse(keyword).excludes for keyword in entry.keywords):
        yield ConfigProblem(
            f"{key}keywords",
            "with trending = 0 and no keyword that asks for something, nothing would ever be sent",
            'add keywords = ["mixture of experts"], or a trending number above 0',
        )


def _mail(mail: MailSection) -> Iterator[ConfigProblem]:
    if not mail.from_:
        yield ConfigProblem(
            "mail.from",
            "the sender's address is missing",
            'add from = "Paper Digest <digest@example.org>" under [mail]',
        )
    if mail.templates is not None and not mail.templates.is_dir():
        yield ConfigProblem(
            "mail.templates", "there is no such folder", "create it, or leave the key out", str(mail.templates)
        )


def _github(github: GithubSection) -> Iterator[ConfigProblem]:
    yield from given_twice(github, "github", "token")
    address = urlsplit(github.base_url)
    has_token = github.token is not None or github.token_file is not None
    if has_token and address.scheme == "http" and not is_loopback(address.hostname or ""):
        yield ConfigProblem(
            "github.base_url",
            "the token would travel unencrypted",
            'write "https://…", or remove the token',
            github.base_url,
        )


def _dkim(dkim: DkimSection, mail: MailSection) -> Iterator[ConfigProblem]:
    if mail.from_:
        yield from _alignment(dkim, mail)
    if not dkim.selector:
        hint = 'add selector = "digest2026", or any name that the domain has no other key under'
        yield ConfigProblem("dkim.selector", "the name of the key in the DNS is missing", hint)
    if dkim.key_file is None:
        hint = 'make a key with: digest dkim new dkim.pem, then add key_file = "dkim.pem"'
        yield ConfigProblem("dkim.key_file", "the file with the private key is missing", hint)
    else:
        yield from _key(dkim.key_file)


def _alignment(dkim: DkimSection, mail: MailSection) -> Iterator[ConfigProblem]:
    """The relaxed alignment of DMARC (RFC 7489 §3.1.1), as far as it can be told without a list of public suffixes."""
    sender = mail.ascii_domain
    if not dkim.domain and "." not in sender:
        message = f"mails from {mail.address} cannot be signed, since {sender} is no domain in the DNS"
        yield ConfigProblem("mail.from", message, "write an address at a domain of yours, or remove [dkim]")
    # siblings may be aligned too, but then so is the domain above them, and nobody has to guess where that ends
    if dkim.domain and not (f".{sender}".endswith(f".{dkim.domain}") or f".{dkim.domain}".endswith(f".{sender}")):
        yield ConfigProblem(
            "dkim.domain",
            f"this is neither {sender}, the domain of mail.from, nor one above or below it, so that receivers need "
            "not count the signature (DMARC alignment)",
            f"leave domain out to sign for {sender}",
            dkim.domain,
        )


def _llm(llm: LlmSection) -> Iterator[ConfigProblem]:
    if not llm.base_url:
        hint = 'add base_url = "http://localhost:11434/v1", or remove [llm]'
        yield ConfigProblem("llm.base_url", "the address of the language model is missing", hint)
    if not llm.model:
        yield ConfigProblem("llm.model", "the name of the language model is missing", 'add model = "llama3.2"')
    yield from given_twice(llm, "llm", "api_key")
    parts = urlsplit(llm.base_url)
    if (llm.api_key or llm.api_key_file) and parts.scheme == "http" and not is_loopback(parts.hostname or ""):
        yield ConfigProblem(
            "llm.base_url",
            "everybody on the way could read the key, for http is not encrypted",
            "write an address that begins with https, or remove the key",
            llm.base_url,
        )


def _key(path: Path) -> Iterator[ConfigProblem]:
    try:
        from digest.deliver.dkim_key import load_key

        load_key(path)
    except DigestError as error:
        yield ConfigProblem("dkim.key_file", error.message, error.hint)


def _sources(config: ConfigFile) -> Iterator[ConfigProblem]:
    if not config.sources:
        also = "" if config.subscribers else ", and no subscribers either"
        yield ConfigProblem(
            "sources",
            f"there are no sources, so there is nothing to read{also}",
            "add a [[sources]] table, or write a commented example with: digest init",
        )
    names: dict[str, int] = {}
    for position, entry in enumerate(config.sources):
        yield from _source(entry, f"sources.{position}.")
        name = entry.name or entry.type or ""
        if name and names.setdefault(name.casefold(), position) != position:
            yield ConfigProblem(
                f"sources.{position}.name",
                "another source has this name already",
                "give each source a name of its own",
                name,
            )
    remote = next((entry for entry in config.sources if is_remote(entry)), None)
    if remote is not None and not config.http.contact:
        yield ConfigProblem(
            "http.contact",
            f"the source {remote.name or remote.type} should know whom to ask if our requests are trouble",
            'add contact = "you@example.org" under [http]',
        )


def _source(entry: SourceEntry, key: str) -> Iterator[ConfigProblem]:
    if entry.type is None:
        types = ", ".join(_TYPE_KEYS)
        yield ConfigProblem(f"{key}type", "a source needs a type", f'add type = "arxiv", or another of: {types}')
        return
    needed, optional = _TYPE_KEYS[entry.type]
    for name in sorted(needed):
        if not getattr(entry, name):
            yield ConfigProblem(f"{key}{name}", f"a source of type {entry.type} needs {name}", f"add {_EXAMPLES[name]}")
    given = [name for name in type(entry).model_fields if name in entry.model_fields_set]
    for name in given:
        if name not in _COMMON_KEYS | needed | optional:
            takers = " and ".join(kind for kind, both in _TYPE_KEYS.items() if name in both[0] | both[1])
            yield ConfigProblem(
                f"{key}{name}",
                f"a source of type {entry.type} takes no {name}",
                f"remove it; it is a key of {takers}",
                shown(getattr(entry, name)),
            )
    if entry.type == "jsonl" and bool(entry.url) == (entry.path is not None):
        message = "needs either path or url" if not entry.url else "takes either path or url, not both"
        yield ConfigProblem(f"{key}path", f"a source of type jsonl {message}", 'write path = "papers.jsonl"')


def is_remote(entry: SourceEntry) -> bool:
    """Whether another machine is asked."""
    if entry.type is None or (entry.type == "jsonl" and not entry.url):
        return False
    address = entry.url or entry.base_url
    return not address or not is_loopback(urlsplit(address).hostname or "")


def _subscribers(config: ConfigFile) -> Iterator[ConfigProblem]:
    emails: dict[str, int] = {}
    for position, entry in enumerate(config.subscribers):
        key = f"subscribers.{position}."
        yield from subscriber(entry, config.digest, key)
        yield from images(entry.images, f"{key}images", archive_url=config.mail.archive_url)
        if entry.email and emails.setdefault(entry.email.casefold(), position) != position:
            yield ConfigProblem(
                f"{key}email",
                "another subscriber has this address already",
                "put all keywords into one table",
                entry.email,
            )
