"""The promise about crashes: nobody is missed, nobody gets a mail twice but for one per crash, and then the very same.

`DIGEST_CRASHES=100` makes the first series as long as one likes.
"""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import time
from collections import Counter
from contextlib import closing
from datetime import UTC, datetime
from random import Random
from typing import TYPE_CHECKING

import pytest

from tests.installation import Installation, item, message_id, reader
from tests.pipeline import children
from tests.smtp_server import smtp_server

if TYPE_CHECKING:
    from pathlib import Path

    from tests.http_server import HttpServer
    from tests.smtp_server import SmtpServer

#: how often a process is killed at a moment of chance
CRASHES = int(os.environ.get("DIGEST_CRASHES", "12"))
#: so many of them fit between the first and the last mail of one day
_CRASHES_A_DAY = 12
READERS = [f"reader{number:02}@example.org" for number in range(50)]
#: system calls at which a process is killed: steps of the conversation, commits, parts of a commit
CALLS = [
    *(("sendto", number) for number in (1, 2, 4, 6, 7, 12)),
    *(("fdatasync", number) for number in (2, 5, 8)),
    *(("pwrite64", number) for number in (10, 40, 75)),
]


def a_day(folder: Path, server: HttpServer, relay: SmtpServer) -> Installation:
    """A digest with two papers is due for fifty readers."""
    folder.mkdir()
    home = Installation(folder, server, *map(reader, READERS))
    home.use_relay(relay)
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


def duplicates(home: Installation, relay: SmtpServer) -> int:
    """How many mails came again; everything else is as promised."""
    assert set(READERS) == {mail.recipient for mail in relay.accepted}
    times = Counter(mail.recipient for mail in relay.accepted)
    assert len(READERS) == len({(mail.recipient, message_id(mail.data), mail.data) for mail in relay.accepted})
    assert {"sent"} == {row.state for row in home.rows()}
    with closing(sqlite3.connect(home.folder / "state.sqlite3")) as connection:
        assert [("ok",)] == connection.execute("PRAGMA integrity_check").fetchall()
    return times.total() - len(READERS)


@pytest.mark.slow
def test_a_sender_killed_at_any_moment_misses_nobody(tmp_path: Path, http_server: HttpServer) -> None:
    random = Random(0)
    kills = again = days = 0
    while kills < CRASHES:
        with smtp_server() as relay:
            home = a_day(tmp_path / str(days), http_server, relay)
            kills_today = kill_at_random(home, relay, random, min(_CRASHES_A_DAY, CRASHES - kills))
            again_today = duplicates(home, relay)
        assert again_today <= kills_today
        kills, again, days = kills + kills_today, again + again_today, days + 1
    print(f"{kills} kills in {days} days of {len(READERS)} mails, {again} mails came twice, all of them identical")


@pytest.mark.slow
def test_a_sender_killed_at_any_system_call_misses_nobody(tmp_path: Path, http_server: HttpServer) -> None:
    """Before a byte of any command, in the middle of a commit, and between a commit and the next byte."""
    strace = shutil.which("strace")
    if strace is None or subprocess.run([strace, "-f", "-o", "/dev/null", "true"], check=False).returncode != 0:
        pytest.skip("strace is missing or may not trace here")
    with smtp_server() as relay:
        home = a_day(tmp_path / "home", http_server, relay)
        for call, number in CALLS:
            inject = ("-f", "-e", f"trace={call}", "-e", f"inject={call}:signal=SIGKILL:when={number}")
            code, output, errors = children.finish(children.start(home, "send", "--now", before=(strace, *inject)))
            assert -signal.SIGKILL == code, f"{call} {number}: {output}{errors}"

        code, output, errors = children.digest(home, "send", "--now")

        assert 0 == code, output + errors
        assert duplicates(home, relay) <= len(CALLS)
