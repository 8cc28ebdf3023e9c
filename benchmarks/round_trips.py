"""How many round trips a mail costs: `digest send` and smtplib on one connection, over roads of different length.

usage: python -m benchmarks.round_trips [MAILS [ROUND_TRIP_MS …]]

A relay is rarely next door. Between the sender and smtp-sink is a proxy that delivers every byte half a round trip
late but holds none back (default: 10 and 40 ms for 200 mails). Round trips per mail are the seconds more than over a
proxy without delay, divided by round trip and mails; the few of the greeting are among them. The round trip is
measured with NOOP, for timers are late. Everything is done twice and the quicker one counts. smtplib, which is slow
here, sends a quarter as many. Throughput is not limited, so what TCP's slow start costs is not in it.
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
    from collections.abc import Callable, Sequence

    from benchmarks.measured import Cost

_PAPERS = 300
_RUNS = 2


def seconds(send: Callable[[int], Cost], mails: int, round_trip_ms: float) -> tuple[float, float]:
    """What sending takes over that road and the round trip as it really is, both in seconds, in the quickest run.

    Raises:
        BenchmarkError: not all mails arrived.
    """
    taken = []
    for _ in range(_RUNS):
        with sink() as taking, delayed(taking.port, round_trip_ms) as port:
            real = round_trip_s(port)
            taken.append((send(port).seconds, real))
        if taking.messages != mails:
            raise BenchmarkError(f"{mails:,} mails were due, the relay took {taking.messages:,}")
    return min(taken)


def main(mails: int = 200, *round_trips_ms: float) -> None:
    print(machine())
    print(f"\n{'':<28}{'mails':>7}{'round trip ms':>15}{'seconds':>9}{'mails/s':>9}{'round trips per mail':>22}")
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place, "installation")
        folder.mkdir()
        progress(f"{mails:,} subscribers: {_PAPERS:,} papers are pulled")
        installation = Installation.prepare(folder, _PAPERS, mails)
        few = max(mails // 4, 1)
        rival = Rival.prepare("one-connection", chosen_for_rivals(_PAPERS, few), Path(place))
        roads = round_trips_ms or (10.0, 40.0)
        over_roads("digest send, 1 connection", partial(installation.send, connections=1), mails, roads)
        over_roads("smtplib, one connection", rival.send, few, roads)


def over_roads(name: str, send: Callable[[int], Cost], mails: int, round_trips_ms: Sequence[float]) -> None:
    """Print a line for each road; the first is as short as can be.

    Raises:
        BenchmarkError: not all mails arrived.
    """
    near, no_way = seconds(send, mails, 0)
    print(f"{name:<28}{mails:7,}{no_way * 1000:15.1f}{near:9.2f}{mails / near:9,.0f}{'-':>22}", flush=True)
    for wanted in round_trips_ms:
        far, real = seconds(send, mails, wanted)
        each = (far - near) / ((real - no_way) * mails)
        print(f"{'':<28}{mails:7,}{real * 1000:15.1f}{far:9.2f}{mails / far:9,.0f}{each:22.2f}", flush=True)


if __name__ == "__main__":
    try:
        main(*map(int, sys.argv[1:2]), *map(float, sys.argv[2:]))
    except BenchmarkError as error:
        sys.exit(str(error))
