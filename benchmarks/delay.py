"""A road of some length: a TCP proxy on loopback that delivers every byte late and holds none back.

usage: python -m benchmarks.delay LISTEN_PORT TARGET_PORT ROUND_TRIP_MS

Each direction takes half of the round trip, whatever is under way at the same time. Connecting is not delayed.
"""

from __future__ import annotations

import asyncio
import contextlib
import smtplib
import statistics
import subprocess
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from benchmarks.measured import ROOT
from benchmarks.sink import free_port, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator

_CHUNK = 1 << 18
_PROBES = 15


@contextmanager
def delayed(port: int, round_trip_ms: float) -> Iterator[int]:
    """A port of 127.0.0.1 that leads to `port` in a process of its own."""
    own = free_port()
    command = [sys.executable, "-m", "benchmarks.delay", str(own), str(port), str(round_trip_ms)]
    process = subprocess.Popen(command, cwd=ROOT)
    try:
        wait_for(own)
        yield own
    finally:
        process.terminate()
        process.wait()


def round_trip_s(port: int) -> float:
    """The round trip as an SMTP client feels it: seconds until NOOP is answered, the median of some."""
    with smtplib.SMTP("127.0.0.1", port, local_hostname="papers.example.org") as relay:
        taken = []
        for _ in range(_PROBES):
            started = time.perf_counter()
            relay.noop()
            taken.append(time.perf_counter() - started)
    return statistics.median(taken)


async def _carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, delay_s: float) -> None:
    """Everything from one end to the other, `delay_s` seconds after it came; its end, too."""
    loop = asyncio.get_running_loop()
    under_way: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()

    async def arrive() -> None:
        while True:
            due, data = await under_way.get()
            await asyncio.sleep(due - loop.time())
            if not data:
                writer.close()
                return
            writer.write(data)

    arriving = asyncio.create_task(arrive())
    with contextlib.suppress(ConnectionError):
        while data := await reader.read(_CHUNK):
            under_way.put_nowait((loop.time() + delay_s, data))
    under_way.put_nowait((loop.time() + delay_s, b""))
    await arriving


async def serve(port: int, target: int, delay_s: float) -> None:
    """Until the process is ended."""

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", target)
        await asyncio.gather(_carry(reader, far_writer, delay_s), _carry(far_reader, writer, delay_s))

    server = await asyncio.start_server(connected, "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]) / 2000))
