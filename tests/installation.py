"""A whole installation for tests: a configuration file, a state, a list of papers to read, and a folder for mail.

    home = Installation(tmp_path, http_server)
    home.publish(item(1, "Mixture of experts"))
    home.pull()
    home.send()
    assert {"ada@example.org": [[1]]} == home.mailed()

Every step loads the configuration and opens the state anew, as every command does. Time stands still at the moment
that a step is given.
"""

from __future__ import annotations

import asyncio
import json
import re
from contextlib import contextmanager
from datetime import UTC, datetime
from email import message_from_bytes, policy
from typing import TYPE_CHECKING, Any

from digest.account import planned
from digest.config import load
from digest.pipeline.plan import plan
from digest.pipeline.pull import pull
from digest.pipeline.send import send
from digest.pipeline.tell import tell_operator
from digest.state.store import open_state
from tests.http_server import Reply
from tests.makers import NOW
from tests.state.shortcuts import rows_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from digest.config import Settings
    from digest.model import LedgerRow, Receipt, RunReport, SendReport, Verdict
    from digest.state.store import State
    from tests.http_server import HttpServer
    from tests.smtp_server import SmtpServer

ADA = "ada@example.org"
BOB = "bob@example.org"
CAT = "cat@example.org"

_HEAD = """
[http]
contact = "admin@example.org"
allow_private_hosts = ["127.0.0.1"]

[mail]
from = "{sender}"
base_url = "https://digest.example.org"
"""
#: to the end of the card
_SIMILAR = re.compile(r"^    Similar: (?:.+\n)*", re.MULTILINE)
_AFTER_PICKS = re.compile("JUST MISSED|WHAT YOU MISSED|CLOSEST TO YOUR KEYWORDS|NEWS OF PAPERS")
_PICKED = re.compile(r"^    https://arxiv\.org/abs/2609\.(\d{5})$", re.MULTILINE)


def item(number: int, topic: str = "Mixture of experts", **fields: Any) -> dict[str, Any]:
    """A line of a list: `arxiv:2609.00001` about a topic. Two items are like each other in nothing but the topic."""
    name = "".join(chr(ord("a") + int(digit)) for digit in f"{number:05d}")
    title = f"{topic}: {' '.join(letter + name for letter in 'klmnop')}"
    return {"id": f"2609.{number:05d}", "title": title, "published": "2026-09-14"} | fields


def jsonl(*items: Mapping[str, Any]) -> bytes:
    """The items as a list, one per line."""
    return "".join(json.dumps(one) + "\n" for one in items).encode()


def reader(email: str = ADA, *keywords: str, **keys: Any) -> str:
    """A `[[subscribers]]` table."""
    values = {"email": email, "keywords": list(keywords or ("mixture of experts",))} | keys
    return "[[subscribers]]\n" + "".join(f"{key} = {json.dumps(value)}\n" for key, value in values.items())


def where_it_is_morning() -> str:
    """A time zone where it is about nine o'clock, for tests by the real clock that must not see midnight."""
    ahead = (9 - datetime.now(UTC).hour + 12) % 24 - 12
    return f"Etc/GMT{-ahead:+d}"  # POSIX counts westwards


def picked(data: bytes) -> list[int]:
    """The numbers of the items in a mail, in its order, without similar ones, those just missed, and news."""
    letter = message_from_bytes(data, policy=policy.default)
    part = letter.get_body(("plain",))
    assert part is not None
    text = part.get_content().replace("\r\n", "\n")
    return [int(number) for number in _PICKED.findall(_SIMILAR.sub("", _AFTER_PICKS.split(text)[0]))]


def message_id(data: bytes) -> str:
    return str(message_from_bytes(data)["Message-ID"])


def recipient(data: bytes) -> str:
    return str(message_from_bytes(data, policy=policy.default)["To"].addresses[0].addr_spec)


class Installation:
    """Everything in one folder.

    Attributes:
        sections: more of the configuration, by the name of the table; `mail` is added to what is there.
        sources: the `[[sources]]` tables; the list that `publish` fills, unless changed.
        readers: the `[[subscribers]]` tables.
        sender: the address in `mail.from`.
        url: of the state.
    """

    def __init__(self, folder: Path, server: HttpServer, *readers: str, url: str = "") -> None:
        self.folder = folder
        self.path = folder / "config.toml"
        self.url = url or f"sqlite:///{folder / 'state.sqlite3'}"
        self.server = server
        self.sender = "Paper Digest <digest@example.org>"
        self.sections = {"digest": 'time = "06:00"'}
        self.sources = f'[[sources]]\ntype = "jsonl"\nname = "list"\nurl = "{server.url}/list"\n'
        self.readers = readers or (reader(),)

    def publish(self, *items: Mapping[str, Any]) -> None:
        """What the list holds from now on."""
        self.server.routes["/list"] = Reply(body=jsonl(*items))

    def use_relay(self, relay: SmtpServer | int, more: str = "") -> None:
        """Mail goes to this server, or this port of the loopback, instead of the folder; over one connection."""
        port = relay if isinstance(relay, int) else relay.port
        usual = {"security": '"none"', "connections": "1", "timeout": "2"}
        keys = "".join(f"{key} = {value}\n" for key, value in usual.items() if key not in more)
        self.sections["smtp"] = f'host = "127.0.0.1"\nport = {port}\n{keys}{more}'

    def write(self) -> Path:
        """Write the configuration."""
        more = {name: text for name, text in self.sections.items() if name != "mail"}
        tables = {"state": f'url = "{self.url}"', "maildir": 'path = "outbox"'} | more
        text = _HEAD.format(sender=self.sender) + self.sections.get("mail", "") + "\n"
        text += "".join(f"[{name}]\n{body}\n" for name, body in tables.items())
        self.path.write_text(text + self.sources + "\n".join(self.readers), encoding="utf-8")
        return self.path

    def settings(self) -> Settings:
        return load(self.write(), {})

    @contextmanager
    def state(self) -> Iterator[State]:
        with open_state(self.url, now=NOW) as state:
            yield state

    def pull(self, at: datetime = NOW, **options: Any) -> RunReport:
        with self.state() as state:
            return asyncio.run(pull(self.settings(), state, clock=lambda: at, **options))

    def plan(self, at: datetime = NOW, **options: Any) -> tuple[Verdict, ...]:
        with self.state() as state:
            verdicts: list[Verdict] = []
            for shard in plan(self.settings(), state, now=at, **options):
                verdicts += [*shard.verdicts.values(), *map(planned, shard.digests)]
            return tuple(sorted(verdicts, key=lambda verdict: verdict.name))

    def send(self, at: datetime = NOW, **options: Any) -> SendReport:
        return self.send_by(lambda: at, **options)

    def send_by(self, clock: Callable[[], datetime], **options: Any) -> SendReport:
        """Send while time goes on as `clock` says."""
        with self.state() as state:
            return asyncio.run(send(self.settings(), state, clock=clock, **options))

    def tell(self, at: datetime = NOW) -> Receipt | None:
        with self.state() as state:
            return asyncio.run(tell_operator(self.settings(), state, clock=lambda: at))

    def rows(self) -> tuple[LedgerRow, ...]:
        """The whole ledger, by day and address."""
        with self.state() as state:
            return rows_of(state)

    def letters(self) -> list[bytes]:
        """Every mail in the folder, by the day in its Message-ID and the reader."""
        files = (self.folder / "outbox" / "new").glob("*.eml")
        return sorted((file.read_bytes() for file in files), key=lambda data: (message_id(data)[:11], recipient(data)))

    def mailed(self) -> dict[str, list[list[int]]]:
        """For each address the numbers of the items in each of its mails."""
        found: dict[str, list[list[int]]] = {}
        for data in self.letters():
            found.setdefault(recipient(data), []).append(picked(data))
        return found


def findings(verdicts: RunReport | tuple[Verdict, ...]) -> list[tuple[str, str]]:
    """What was found about whom, in order."""
    listed = verdicts if isinstance(verdicts, tuple) else verdicts.verdicts
    return [(verdict.name, verdict.finding) for verdict in listed]


def sentences(verdicts: RunReport | tuple[Verdict, ...]) -> list[str]:
    listed = verdicts if isinstance(verdicts, tuple) else verdicts.verdicts
    return [verdict.sentence for verdict in listed]
