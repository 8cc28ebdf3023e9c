"""How others send the same digests: rendered mail by mail, one connection per mail or one for all.

usage: python -m benchmarks.rivals NAME PORT FILE

FILE holds pickled digests. Prints the seconds and the processor seconds that rendering and sending took; starting,
reading FILE and choosing the papers are not counted.
"""

from __future__ import annotations

import json
import pickle
import smtplib
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.compose import usual
from benchmarks.measured import run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from benchmarks.measured import Cost
    from digest.model import Digest

_SENDER = "digest@papers.example.org"


def usual_bot(digests: Sequence[Digest], port: int) -> None:
    """What most bots do: jinja2, premailer, EmailMessage, and a connection for each mail."""
    import premailer

    mail = usual(lambda html: str(premailer.transform(html, allow_network=False)))
    for digest in digests:
        with _connection(port) as relay:
            _hand_over(relay, digest, mail)


def one_connection(digests: Sequence[Digest], port: int) -> None:
    """As with Django's `send_messages`: jinja2, EmailMessage, styles as they are, and one connection for all."""
    mail = usual(lambda html: html)
    with _connection(port) as relay:
        for digest in digests:
            _hand_over(relay, digest, mail)


#: name on the command line → who
RIVALS: dict[str, Callable[[Sequence[Digest], int], None]] = {
    "usual-bot": usual_bot,
    "one-connection": one_connection,
}


@contextmanager
def _connection(port: int) -> Iterator[smtplib.SMTP]:
    # with a name of its own, so that it does not ask the DNS for one each time
    with smtplib.SMTP("127.0.0.1", port, local_hostname="papers.example.org") as relay:
        yield relay


def _hand_over(relay: smtplib.SMTP, digest: Digest, mail: Callable[[Digest], object]) -> None:
    data = mail(digest)
    assert isinstance(data, bytes)
    relay.sendmail(_SENDER, digest.subscriber.email, data)


@dataclass(frozen=True, slots=True)
class Rival:
    """One of the others, with digests to send."""

    name: str
    file: Path

    @classmethod
    def prepare(cls, name: str, digests: Sequence[Digest], folder: Path) -> Rival:
        """Write the digests where the rival finds them."""
        file = folder / f"{name}.pickle"
        file.write_bytes(pickle.dumps(digests))
        return cls(name, file)

    def send(self, port: int) -> Cost:
        """Render and send all digests in a process of its own; memory is that of the whole process.

        Raises:
            BenchmarkError: it failed.
        """
        cost = run(sys.executable, "-m", "benchmarks.rivals", self.name, str(port), self.file)
        seconds, cpu_s = json.loads(cost.output)
        return replace(cost, seconds=seconds, cpu_s=cpu_s)


def main(name: str, port: int, file: Path) -> None:
    digests = pickle.loads(file.read_bytes())
    started, used = time.perf_counter(), time.process_time()
    RIVALS[name](digests, port)
    print(json.dumps([time.perf_counter() - started, time.process_time() - used]))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]))
