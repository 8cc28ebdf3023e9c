"""The whole `digest send` beside its rivals: mails per second, memory, and where the time goes.

usage: python -m benchmarks.send [--papers N] [--days N] [--rounds N] [--few N] [--all] [SUBSCRIBERS …]

Readers of 5 to 15 keywords each (popular phrases more often) get 7 papers for them and 3 that trend, by the command as
it is installed: start, planning, ledger and all, into Postfix's smtp-sink on loopback. With `--days 9` it is not their
first digest: there are as many papers of each day before, and everybody was sent some of them. In the same rounds, in
turns:

    smtp-source      Postfix's own load generator on one connection, one message again and again: the limit
    usual bot        jinja2, premailer, EmailMessage, and a connection for each mail
    one connection   jinja2, EmailMessage, styles as they are, one smtplib connection for all, as Django does

The rivals get the chosen papers for nothing, and the clock runs only while they render and send. Every mail of ours is
accounted for by the relay's counter; those of up to 1,000 readers, in a run of its own, also by recipient and
Message-ID.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.installation import Installation, chosen_for_rivals
from benchmarks.measured import BenchmarkError, machine, progress
from benchmarks.rivals import Rival
from benchmarks.sink import fill, sink

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from benchmarks.measured import Cost

_SIZES = (1_000, 10_000)
_LARGEST = 100_000
#: subscribers, at most, whose mails are kept and looked at one by one
_LOOKED_AT = 1_000
#: messages of smtp-source, at least and at most: fewer say little, and more change nothing
_FILLED = (2_000, 10_000)
#: connections to the relay; Postfix lets each client have 50
#: (https://www.postfix.org/postconf.5.html#smtpd_client_connection_count_limit)
_SEVERAL = 16
_LIMIT, _USUAL = "smtp-source, one connection", "usual bot"
_STAGES = ("plan", "compose", "ledger", "wire")


@dataclass(slots=True)
class Record:
    """All runs of one sender at one size."""

    mails: int
    runs: list[Cost] = field(default_factory=list)

    @property
    def rate(self) -> float:
        """Mails per second, the median run."""
        return self.mails / statistics.median(run.seconds for run in self.runs)

    @property
    def cpu_us(self) -> float:
        """Processor time per mail in microseconds, the median run."""
        return statistics.median(run.cpu_s for run in self.runs) / self.mails * 1e6

    @property
    def peak_mb(self) -> float:
        """The highest of all runs, MiB."""
        return max(run.peak_mb for run in self.runs)

    def stage_us(self, name: str) -> float | None:
        """Microseconds per mail, the median run; None if the sender does not tell."""
        told = [run.stages[name] for run in self.runs if name in run.stages]
        return statistics.median(told) / self.mails * 1e6 if told else None


@dataclass(frozen=True, slots=True)
class Sender:
    """Somebody who sends `mails` mails to a port of 127.0.0.1 when asked to."""

    name: str
    mails: int
    send: Callable[[int], Cost]


def ours(installation: Installation) -> list[Sender]:
    """The command, on one connection and on several."""
    return [
        Sender(
            f"digest send, {counted(count, 'connection')}",
            installation.subscribers,
            partial(installation.send, connections=count),
        )
        for count in (1, _SEVERAL)
    ]


def mean_length(installation: Installation) -> int:
    """Bytes of a mail; found out by a run that also shows that everybody gets theirs exactly once.

    Raises:
        BenchmarkError: somebody does not.
    """
    length = 0
    for sender in ours(installation):
        progress(f"{installation.subscribers:,} subscribers: does everybody get one mail? {sender.name}")
        with sink(keep=True) as taking:
            sender.send(taking.port)
        installation.check_each(taking)
        length = len(taking.dump) // taking.messages
    return length


def measured(senders: Sequence[Sender], rounds: int) -> dict[str, Record]:
    """All senders in turns, `rounds` times; by name.

    Raises:
        BenchmarkError: one of them failed, or the relay took more or fewer mails than it should.
    """
    records = {sender.name: Record(sender.mails) for sender in senders}
    for number in range(1, rounds + 1):
        for sender in senders:
            with sink() as taking:
                cost = sender.send(taking.port)
            if taking.messages != sender.mails:
                reason = f"{sender.mails:,} mails were due, the relay took {taking.messages:,}"
                raise BenchmarkError(f"{sender.name}: {reason}")
            records[sender.name].runs.append(cost)
            rate = sender.mails / cost.seconds
            progress(f"  round {number} of {rounds}: {sender.name:<30}{rate:10,.0f} mails/s")
    return records


def rates(records: Mapping[str, Record]) -> str:
    """The table of all senders."""
    lines = [f"{'':<28}{'mails':>9}{'mails/s':>9}{'x smtp-source':>15}{'x usual bot':>13}{'peak MB':>9}{'CPU µs':>9}"]
    for name, record in records.items():
        of_limit, of_usual = record.rate / records[_LIMIT].rate, record.rate / records[_USUAL].rate
        lines.append(
            f"{name:<28}{record.mails:9,}{record.rate:9,.0f}{of_limit:15.3f}{of_usual:13.1f}"
            f"{record.peak_mb:9.0f}{record.cpu_us:9,.0f}"
        )
    return "\n".join(lines)


def stages(records: Mapping[str, Record], names: Sequence[str]) -> str:
    """Where the time of our own goes; stages may overlap where there are several connections."""
    lines = [f"{'µs per mail':<28}" + "".join(f"{stage:>9}" for stage in (*_STAGES, "all"))]
    for name in names:
        record = records[name]
        cells = [*(record.stage_us(stage) for stage in _STAGES), 1e6 / record.rate]
        lines.append(f"{name:<28}" + "".join("        -" if cell is None else f"{cell:9,.0f}" for cell in cells))
    return "\n".join(lines)


def main(sizes: Sequence[int], *, papers: int, days: int, rounds: int, few: int) -> None:
    print(machine())
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        rivals = rival_senders(folder, papers=papers, few=few)
        looked_at = min(*sizes, _LOOKED_AT)
        length = mean_length(installed(folder / "looked-at", papers=papers, subscribers=looked_at, days=days))
        for size in sizes:
            installation = installed(folder / str(size), papers=papers, subscribers=size, days=days)
            filled = min(max(size, _FILLED[0]), _FILLED[1])
            limit = Sender(_LIMIT, filled, partial(fill, messages=filled, length=length))
            senders = [limit, *ours(installation), *rivals]
            records = measured(senders, rounds)
            before = f" and as many of {counted(days - 1, 'day')} before" if days > 1 else ""
            title = f"{size:,} subscribers, {papers:,} papers{before}, mails of {length / 1000:.0f} KB"
            print(f"\n{title}, median of {counted(rounds, 'run')}\n")
            print(rates(records))
            print(f"\n{stages(records, [sender.name for sender in ours(installation)])}", flush=True)
    print(f"\nEverybody got exactly one mail (Message-IDs counted for {looked_at:,}, mails for all sizes).")


def installed(folder: Path, *, papers: int, subscribers: int, days: int) -> Installation:
    """An installation in a new folder."""
    progress(f"{subscribers:,} subscribers: {papers:,} papers are pulled")
    folder.mkdir()
    return Installation.prepare(folder, papers, subscribers, days=days)


def counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'s' * (number != 1)}"


def rival_senders(folder: Path, *, papers: int, few: int) -> list[Sender]:
    digests = chosen_for_rivals(papers, few)
    named = {_USUAL: "usual-bot", "one connection": "one-connection"}
    prepared = {name: Rival.prepare(program, digests, folder) for name, program in named.items()}
    return [Sender(name, few, rival.send) for name, rival in prepared.items()]


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.send", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("sizes", nargs="*", type=int, metavar="SUBSCRIBERS", help="default: 1,000 and 10,000")
    parser.add_argument("--all", action="store_true", help="100,000 as well")
    parser.add_argument("--papers", type=int, default=1_000, help="default: 1,000")
    parser.add_argument(
        "--days", type=int, default=1, help="of papers; default: 1, so that everybody's first mail is due"
    )
    parser.add_argument("--rounds", type=int, default=3, help="of which the median counts; default: 3")
    parser.add_argument("--few", type=int, default=300, help="mails of the slow rivals; default: 300")
    return parser.parse_args()


if __name__ == "__main__":
    given = arguments()
    wanted = {*(given.sizes or _SIZES), *([_LARGEST] if given.all else [])}
    try:
        main(sorted(wanted), papers=given.papers, days=given.days, rounds=given.rounds, few=given.few)
    except BenchmarkError as error:
        sys.exit(str(error))
