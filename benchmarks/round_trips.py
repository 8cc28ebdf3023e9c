"""How many round trips a mail costs: `digest send` and smtplib on one connection, over roads of different length.

usage: python -m benchmarks.round_trips [MAILS [ROUND_TRIP_MS …]]

A relay is rarely next door. Between the sender and smtp-sink is a proxy that delivers every byte half a round trip
late but holds none back (default: 10 and 40 ms for 200 mails). Round trips per mail are the seconds more than over a
proxy without delay, divided by round trip and mails; the few of the greeting are among them. The round trip is
measured with NOOP, for timers are late. Throughput is not limited, so what TCP's slow start costs is not in it.
"""

from __future__ import annotations

import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.delay import delayed, round_trip_s
from benchmarks.installation import Installation, chosen_for_rivals
from benchmarks.measured import BenchmarkError, machine, progress
from benchmarks.rivals import Rival
from benchmarks.sink import sink

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.measured import Cost

_PAPERS = 300


def seconds(send: Callable[[int], Cost], mails: int, round_trip_ms: float) -> tuple[float, float]:
    """What sending takes over that road, and the round trip as it really is, both in seconds.

    Raises:
        BenchmarkError: not all mails arrived.
    """
    with sink() as taking, delayed(taking.port, round_trip_ms) as port:
        real = round_trip_s(port)
        cost = send(port)
    if taking.messages != mails:
        raise BenchmarkError(f"{mails:,} mails were due, the relay took {taking.messages:,}")
    return cost.seconds, real


def main(mails: int = 200, *round_trips_ms: float) -> None:
    print(machine())
    print(f"\n{'':<28}{'mails':>7}{'round trip ms':>15}{'seconds':>9}{'mails/s':>9}{'round trips per mail':>22}")
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place, "installation")
        folder.mkdir()
        progress(f"{mails:,} subscribers: {_PAPERS:,} papers are pulled")
        installation = Installation.prepare(folder, _PAPERS, mails)
        rival = Rival.prepare("one-connection", chosen_for_rivals(_PAPERS, mails), Path(place))
        senders: dict[str, Callable[[int], Cost]] = {
            "digest send, 1 connection": partial(installation.send, connections=1),
            "smtplib, one connection": rival.send,
        }
        for name, send in senders.items():
            near, no_way = seconds(send, mails, 0)
            print(f"{name:<28}{mails:7,}{no_way * 1000:15.1f}{near:9.2f}{mails / near:9,.0f}{'-':>22}", flush=True)
            for wanted in round_trips_ms or (10.0, 40.0):
                far, real = seconds(send, mails, wanted)
                each = (far - near) / ((real - no_way) * mails)
                print(f"{'':<28}{mails:7,}{real * 1000:15.1f}{far:9.2f}{mails / far:9,.0f}{each:22.2f}", flush=True)


if __name__ == "__main__":
    try:
        main(*map(int, sys.argv[1:2]), *map(float, sys.argv[2:]))
    except BenchmarkError as error:
        sys.exit(str(error))
