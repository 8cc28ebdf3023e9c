"""Postfix's smtp-sink as the relay of an installation: what it was given is counted in its dumps.

with sink("-q", ".") as relay:
    relay.serve(home)
    ...
    assert [ADA] == [mail.recipient for mail in relay.mails()]
"""

from __future__ import annotations

import re
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from tests.smtp_server import Accepted, smtp_sink

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.installation import Installation

#: what smtp-sink writes before the message: the envelope, and a Received header as the last of its own
_ENVELOPE = re.compile(
    rb".*?^X-Mail-Args: <(?P<sender>[^>]*)>.*?^X-Rcpt-Args: <(?P<recipient>[^>]*)>.*?^Received: .*?\n(?=\S)",
    re.DOTALL | re.MULTILINE,
)


@dataclass(frozen=True)
class Sink:
    """A running smtp-sink."""

    port: int
    #: holds one file per mail
    folder: Path

    def serve(self, home: Installation, more: str = "", *, timeout_s: int = 30) -> None:
        """Be the relay of `home`, with `more` keys; long patience, so that a busy machine is no fault of the relay."""
        home.sections["smtp"] = (
            f'host = "127.0.0.1"\nport = {self.port}\nsecurity = "none"\ntimeout = {timeout_s}\n{more}'
        )
        home.write()

    def mails(self) -> list[Accepted]:
        """Every mail of which the final dot came, by recipient; with lines that end as they were sent.

        The sink keeps what it answered with a fault. What ends before the dot it removes as soon as it notices; until
        then the file is empty or not, so look when nobody sends.
        """
        found = []
        for file in self.folder.iterdir():
            # a sender that was killed in the midst of a mail: the sink may notice just now
            with suppress(FileNotFoundError):
                if dump := file.read_bytes():
                    found.append(_mail(dump))
        return sorted(found, key=lambda mail: mail.recipient)


@contextmanager
def sink(*options: str) -> Iterator[Sink]:
    """smtp-sink with these faults, see smtp-sink(1); the test is skipped where it is missing."""
    # not tmp_path, which the sink's user cannot enter
    with TemporaryDirectory() as name, smtp_sink(*options, dump=Path(name)) as port:
        yield Sink(port, Path(name))


def _mail(dump: bytes) -> Accepted:
    envelope = _ENVELOPE.match(dump)
    assert envelope is not None, dump[:500]
    data = dump[envelope.end() :].removesuffix(b"\n").replace(b"\n", b"\r\n")
    return Accepted(envelope["sender"].decode(), envelope["recipient"].decode(), data)
