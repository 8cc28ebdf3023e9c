"""The program as a process of its own, in a folder of its own, with a small configuration that needs no network.

place = Place(tmp_path)
place.configure(smtp_port=server.port)
assert place.digest("send", "--now").returncode == 0
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from email import message_from_bytes, policy
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path
    from typing import Any

#: what runs the command, whatever is on the PATH
DIGEST = (sys.executable, "-m", "digest")
EVERY_DAY = '["mon", "tue", "wed", "thu", "fri", "sat", "sun"]'


@dataclass(frozen=True)
class Place:
    """A folder with a configuration, a list of papers, a state and a Maildir."""

    folder: Path

    def configure(
        self,
        *,
        readers: Sequence[str] = ("ada@example.org",),
        time: str = "00:00",
        timezone: str = "UTC",
        smtp_port: int | None = None,
        more: str = "",
        mail: str = "",
        state: str = "sqlite:///state.sqlite3",
    ) -> Path:
        """Write `config.toml`: readers of mixtures of experts, due every day at `time`, and one list of papers.

        Args:
            readers: addresses.
            time: when all of them want their mail.
            timezone: of that time.
            smtp_port: of an unencrypted relay on the loopback, for one connection; None: a Maildir.
            more: TOML at the end of the file.
            mail: more keys of the `[mail]` table.
            state: where it is.
        """
        relay = f'[smtp]\nhost = "127.0.0.1"\nport = {smtp_port}\nsecurity = "none"\nconnections = 1\n'
        lines = [
            f'[mail]\nfrom = "Digest <digest@lab.example>"\n{mail}',
            f'[state]\nurl = "{state}"',
            '[maildir]\npath = "outbox"',
            '[[sources]]\ntype = "jsonl"\nname = "list"\npath = "papers.jsonl"',
            f'[digest]\ntime = "{time}"\ntimezone = "{timezone}"\ndays = {EVERY_DAY}\n{relay if smtp_port else ""}',
            *(f'[[subscribers]]\nemail = "{reader}"\nkeywords = ["mixture of experts"]' for reader in readers),
            more,
        ]
        path = self.folder / "config.toml"
        path.write_text("\n".join(lines), encoding="utf-8")
        path.chmod(0o600)
        self.list_papers("Routing in a Mixture of Experts", "Knitting Patterns")
        return path

    def list_papers(self, *titles: str) -> None:
        """Replace the list of papers."""
        papers = [{"id": title, "title": title, "url": f"https://example.org/{len(title)}"} for title in titles]
        text = "".join(json.dumps(paper) + "\n" for paper in papers)
        (self.folder / "papers.jsonl").write_text(text, encoding="utf-8")

    def environment(self, more: Mapping[str, str] | None = None) -> dict[str, str]:
        """A home of its own, and nothing of ours from outside."""
        outside = {name: value for name, value in os.environ.items() if not name.startswith("DIGEST_")}
        return outside | {"HOME": str(self.folder / "home"), "COLUMNS": "80"} | dict(more or {})

    def digest(
        self, *arguments: str, stdin: str = "", env: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run one command to its end."""
        return subprocess.run(
            [*DIGEST, *arguments],
            cwd=self.folder,
            env=self.environment(env),
            input=stdin,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def mails(self) -> list[tuple[str, str]]:
        """(recipient, subject) of every mail in the Maildir, in order."""
        files = (self.folder / "outbox" / "new").glob("*")
        parsed = [message_from_bytes(file.read_bytes(), policy=policy.default) for file in files]
        return sorted((str(mail["To"]), str(mail["Subject"])) for mail in parsed)


class Slowly(dict[str | tuple[str, str], str]):
    """A script for `tests.smtp_server.SmtpServer` that thinks some seconds about each mail before it takes it."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self.seconds = seconds

    def get(self, step: Any, default: Any = None) -> Any:
        if step[0] == "dot":
            time.sleep(self.seconds)
        return super().get(step, default)


def wait_for(happened: Callable[[], object], seconds: float = 20.0) -> None:
    """Look every hundredth of a second whether something has happened in another process."""
    end = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.01)
