"""The promise about crashes: nobody is missed, and what comes twice is the very same, one mail per connection at most.

`CRASHES=100` makes the first series as long as one likes, `CRASH_MOMENTS=25` the second, which then has 200
points, as in CI. `pytest -m long` runs the last test, which dies at every single system call of the send phase and
takes a quarter of an hour.
"""

from __future__ import annotations

import os
import shutil
import signal
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from random import Random
from typing import TYPE_CHECKING

import pytest

from tests.installation import Installation, item, reader, where_it_is_morning
from tests.pipeline import children, tracing
from tests.pipeline.send_phase import CONNECTIONS, check_claims, duplicates, more_keys, planned_morning, undisturbed
from tests.pipeline.sink import sink
from tests.smtp_server import SILENCE, smtp_server

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from tests.http_server import HttpServer
    from tests.smtp_server import SmtpServer

#: how often a process is killed at a moment of chance
CRASHES = int(os.environ.get("CRASHES", "12"))
#: so many of them fit between the first and the last mail of one day
_CRASHES_A_DAY = 12
READERS = [f"reader{number:02}@example.org" for number in range(50)]
#: few, so that every call of a whole send phase can be tried; enough for three connections to be busy
FEW = READERS[:6]
#: at how many moments of the send phase a process dies, for each kind of call and number of connections; at least 2.
#: Not DIGEST_…: the program takes such a variable for a key of its configuration
_MOMENTS = int(os.environ.get("CRASH_MOMENTS", "5"))
#: how far it has come then, 0 to 1, and whether its machine dies with it
MOMENTS = [(round(number / (_MOMENTS - 1), 3), number % 2 == 1) for number in range(_MOMENTS)]


def a_day(folder: Path, server: HttpServer, relay: SmtpServer, connections: int) -> Installation:
    """A digest with two papers is due for fifty readers."""
    folder.mkdir()
    zone = where_it_is_morning()
    home = Installation(folder, server, *(reader(email, timezone=zone) for email in READERS))
    home.use_relay(relay, more_keys(connections))
    home.publish(item(1, upvotes=7), item(2))
    home.pull(datetime.now(UTC))
    home.write()
    return home


def wait_for(process: subprocess.Popen[str], relay: SmtpServer, count: int) -> None:
    """Until the relay has taken so many mails, or the process has ended."""
    while len(relay.accepted) < count and process.poll() is None:
        time.sleep(0.001)


def kill_at_random(home: Installation, relay: SmtpServer, random: Random, most: int) -> int:
    """Run `digest send`, killed at most so many times, until a run is done; returns how often it was killed."""
    kills = 0
    while True:
        process = children.start(home, "send", "--now")
        if kills < most:
            wait_for(process, relay, len(relay.accepted) + random.randrange(8))
            time.sleep(random.choice([0.0, random.uniform(0.0, 0.01)]))
            process.kill()
        code, output, errors = children.finish(process)
        if code != -signal.SIGKILL:
            assert 0 == code, output + errors
            return kills
        kills += 1


@pytest.mark.slow
@pytest.mark.parametrize("connections", CONNECTIONS)
def test_a_sender_killed_at_any_moment_misses_nobody(tmp_path: Path, http_server: HttpServer, connections: int) -> None:
    random = Random(0)
    kills = again = days = 0
    while kills < CRASHES:
        with smtp_server() as relay:
            home = a_day(tmp_path / str(days), http_server, relay, connections)
            kills_today = kill_at_random(home, relay, random, min(_CRASHES_A_DAY, CRASHES - kills))
            assert set(READERS) == {mail.recipient for mail in relay.accepted}
            again_today = duplicates(home, relay.accepted)
        assert again_today <= kills_today * connections
        kills, again, days = kills + kills_today, again + again_today, days + 1
    print(
        f"{kills} kills at moments of chance in {days} days of {len(READERS)} mails over {connections} connections: "
        f"0 mails lost, {again} came twice, all of them identical"
    )


# --- at a system call -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Point:
    """Where a sender dies."""

    call: str
    #: of the thread that makes most of them, from 1
    number: int
    #: so is its machine: what is not durable is gone
    power_cut: bool
    connections: int


@dataclass(frozen=True)
class Crash:
    """What followed."""

    killed: bool
    #: writes that the disk forgot
    forgotten: int
    #: mails that came twice
    again: int


@pytest.fixture(scope="module")
def morning(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    return planned_morning(tmp_path_factory.mktemp("morning"), FEW)


@pytest.fixture(scope="module")
def numbers(morning: Installation, tmp_path_factory: pytest.TempPathFactory) -> Mapping[int, Mapping[str, range]]:
    """By connections and name: the numbers of the calls in a send phase."""
    return {
        connections: undisturbed(morning, tmp_path_factory.mktemp("undisturbed"), connections)
        for connections in CONNECTIONS
    }


def crash(morning: Installation, folder: Path, point: Point) -> Crash:
    """A sender dies at this point, and the next one puts everything right."""
    home = children.copied(morning, folder / "home")
    log = folder / "log"
    state = home.folder / "state.sqlite3"
    with sink() as relay:
        relay.serve(home, more_keys(point.connections))
        seen = {"pwrite64", "fdatasync", point.call}
        before = tracing.traced(log, *seen, inject=f"{point.call}:signal=SIGKILL:when={point.number}")
        code, output, errors = children.finish(children.start(home, "send", "--now", before=before))
        # how many receipts share a write is chance, so a run may be over before it comes to this number
        assert code in {-signal.SIGKILL, 0}, output + errors
        killed = code != 0
        forgotten = 0
        if point.power_cut and killed:
            forgotten = tracing.cut_the_power(log, [state, state.with_name("state.sqlite3-wal")])
        shutil.copytree(home.folder, folder / "left")
        check_claims(folder / "left", relay.mails())

        code, output, errors = children.digest(home, "send", "--now")

        assert 0 == code, f"{point}: {output}{errors}"
        again = duplicates(home, relay.mails())
    assert again <= point.connections * killed, point
    return Crash(killed, forgotten, again)


@pytest.mark.slow
@pytest.mark.parametrize("connections", CONNECTIONS)
@pytest.mark.parametrize("call", ["sendto", "recvfrom", "pwrite64", "fdatasync"])
@pytest.mark.parametrize(("share", "power_cut"), MOMENTS)
def test_a_sender_that_dies_at_a_system_call_misses_nobody(
    morning: Installation,
    numbers: Mapping[int, Mapping[str, range]],
    tmp_path: Path,
    connections: int,
    call: str,
    share: float,
    power_cut: bool,
) -> None:
    """Before a byte of any command, before an answer is read, in the middle of a commit."""
    steps = numbers[connections][call]
    number = steps[round(share * (len(steps) - 1))]

    crash(morning, tmp_path, Point(call, number, power_cut, connections))


@pytest.mark.slow
@pytest.mark.parametrize("connections", CONNECTIONS)
def test_after_a_crash_no_more_is_held_back_than_may_have_arrived(
    morning: Installation, tmp_path: Path, connections: int
) -> None:
    """Somebody has to look at each of these mails, so there may be one for each connection, and not more."""
    home = children.copied(morning, tmp_path / "home")
    home.sections["delivery"] = 'in_doubt = "hold"\n'
    with smtp_server() as relay:
        home.use_relay(relay, more_keys(connections))
        home.write()
        relay.script["dot"] = SILENCE
        process = children.start(home, "send", "--now")
        wait_for(process, relay, connections)
        process.kill()
        process.communicate()
        del relay.script["dot"]

        code, output, errors = children.digest(home, "send", "--now")

        assert 75 == code, output + errors
        assert sorted(FEW) == sorted(mail.recipient for mail in relay.accepted)
        assert {"held": connections, "sent": len(FEW) - connections} == Counter(row.state for row in home.rows())


@pytest.mark.long
def test_a_sender_that_dies_at_every_system_call_misses_nobody(
    morning: Installation,
    numbers: Mapping[int, Mapping[str, range]],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    points = [
        Point(call, number, power_cut, connections)
        for connections, steps_by_call in numbers.items()
        for call, steps in steps_by_call.items()
        for number in steps
        for power_cut in (False, True)
    ]

    def crash_in_a_folder_of_its_own(numbered: tuple[int, Point]) -> Crash:
        folder = tmp_path / str(numbered[0])
        folder.mkdir()
        crashed = crash(morning, folder, numbered[1])
        shutil.rmtree(folder)
        return crashed

    results: dict[Point, Crash] = {}
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        for crashed in threads.map(crash_in_a_folder_of_its_own, enumerate(points)):
            results[points[len(results)]] = crashed
            if len(results) % 50 == 0:
                with capsys.disabled():
                    print(f"{len(results)} of {len(points)} points: nothing lost, nothing else twice", flush=True)

    with capsys.disabled():
        print(*_summary(results), sep="\n")


def _summary(results: Mapping[Point, Crash]) -> Iterator[str]:
    for connections in CONNECTIONS:
        for power_cut in (False, True):
            some = {p: c for p, c in results.items() if (p.connections, p.power_cut) == (connections, power_cut)}
            at = Counter(point.call for point, crashed in some.items() if crashed.killed)
            yield (
                f"\n{at.total()} {'power cuts' if power_cut else 'kills'} of a sender of {len(FEW)} mails over "
                f"{connections} connection{'s' * (connections > 1)} "
                f"({', '.join(f'{count} at {call}' for call, count in at.items())}): 0 mails lost, "
                f"{sum(crashed.again for crashed in some.values())} came twice, all of them identical; "
                f"{sum(crashed.forgotten for crashed in some.values())} writes forgotten by the disk"
            )
