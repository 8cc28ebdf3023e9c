"""`digest run` as a process: signals, supervisors, failing neighbours, turned clocks."""

from __future__ import annotations

import json
import re
import shutil
import signal
import sqlite3
import sys
import threading
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from digest.clock import utc_now
from digest.model import StoredPaper
from digest.state.store import daemon_lock, open_state
from tests.commands import Place, Slowly, wait_for
from tests.daemon import running
from tests.makers import paper
from tests.pipeline.test_returns import bounce, make_maildir, put
from tests.postgresql import Server, postgresql_server
from tests.smtp_server import SILENCE, free_port, smtp_server
from tests.state.shortcuts import rows_of

if TYPE_CHECKING:
    from pathlib import Path

    from digest.model import LedgerRow
    from tests.http_server import HttpServer

__all__ = ["postgresql_server"]
pytestmark = pytest.mark.slow
ADA, BOB = "ada@example.org", "bob@example.org"
#: rounds half a second apart
OFTEN = (
    sys.executable,
    "-c",
    "import digest.schedule as s; s._ROUND_S = 0.5; from digest.__main__ import main; main()",
)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    made = Place(tmp_path)
    made.configure()
    return made


def ledger(place: Place) -> list[LedgerRow]:
    with open_state(f"sqlite:///{place.folder}/state.sqlite3", now=utc_now()) as state:
        return list(rows_of(state))


# --- signals and the supervisor -----------------------------------------------------------------------------------


def test_it_pulls_sends_and_tells_its_supervisor(place: Place) -> None:
    with running(place, env={"WATCHDOG_USEC": "200000"}) as daemon:
        daemon.hear("READY=1")
        daemon.hear_rounds()
        daemon.hear("WATCHDOG=1")
        daemon.hear("WATCHDOG=1")
        assert daemon.stop() < 5
        daemon.hear("STOPPING=1")

    assert [ADA] == [recipient for recipient, _ in place.mails()]
    assert "✓" not in daemon.log
    assert '"stopped"' in daemon.log


def test_a_new_configuration_is_in_force_at_once(place: Place) -> None:
    with running(place) as daemon:
        daemon.hear_rounds()
        place.configure(readers=(ADA, BOB))
        daemon.send(signal.SIGHUP)
        reloading = daemon.hear("RELOADING=1")
        daemon.hear("READY=1")
        daemon.hear_rounds()
        daemon.stop()

    assert re.fullmatch(r"RELOADING=1\nMONOTONIC_USEC=\d+", reloading)
    assert [ADA, BOB] == [recipient for recipient, _ in place.mails()]


def test_a_broken_new_configuration_is_reported_and_the_old_one_stays(place: Place) -> None:
    config = place.configure(time="23:59")
    good = config.read_text()
    with running(place) as daemon:
        daemon.hear_rounds()
        config.write_text(good.replace('timezone = "UTC"', 'timezone = "Mars/Base"'))
        daemon.send(signal.SIGHUP)
        daemon.hear("RELOADING=1")
        daemon.hear("READY=1")
        wait_for(lambda: "configuration kept as it was" in daemon.log)
        config.write_text(good.replace("23:59", "00:00"))
        daemon.send(signal.SIGHUP)
        daemon.hear_rounds()
        daemon.stop()

    assert "digest.timezone" in daemon.log
    assert 1 == len(place.mails())


def test_a_daemon_reads_the_file_again_that_it_began_with_and_no_other(place: Place) -> None:
    """Which file applies was found out once: another one that is found in its absence is not meant."""
    folder = place.folder / "work"
    folder.mkdir()
    other = place.folder / "usual" / "digest" / "config.toml"
    other.parent.mkdir(parents=True)
    other.write_text(place.configure(readers=(BOB,)).read_text())
    work = Place(folder)
    config = work.configure()
    with running(work, env={"XDG_CONFIG_HOME": str(place.folder / "usual")}) as daemon:
        daemon.hear_rounds()
        daemon.log_file = daemon.log_file.rename(place.folder / "log")
        shutil.rmtree(folder)
        daemon.send(signal.SIGHUP)
        daemon.hear("RELOADING=1")
        daemon.hear("READY=1")
        daemon.stop()

    (kept,) = (json.loads(line) for line in daemon.log.splitlines() if "kept as it was" in line)
    assert (str(config), "there is no such file") == (kept["origin"], kept["reason"])
    assert "configuration read again" not in daemon.log


def test_stopping_finishes_the_mail_on_the_wire_and_begins_no_other(place: Place) -> None:
    """What was accepted is on record as sent, and the rest goes out with the next run: nobody gets two.

    Whoever asks again, with Ctrl-C too, gets the same.
    """
    readers = [f"reader{number}@example.org" for number in range(3)]
    with smtp_server() as server:
        server.script = Slowly(2)
        place.configure(readers=readers, smtp_port=server.port)
        with running(place) as daemon:
            wait_for(lambda: "data" in server.heard)
            daemon.send(signal.SIGTERM)
            assert daemon.stop(signal.SIGINT) < 10
        taken = [accepted.recipient for accepted in server.accepted]
        states = {row.email: row.state for row in ledger(place)}
        server.script = {}
        later = place.digest("send")

    assert ["reader0@example.org"] == taken
    assert dict(zip(readers, ("sent", "planned", "planned"), strict=True)) == states
    assert 0 == later.returncode
    assert readers == sorted(accepted.recipient for accepted in server.accepted)


def test_returned_mail_is_read(place: Place) -> None:
    place.configure(more='[bounces]\nmaildir = "returned"')
    place.digest("send", "--pull")
    maildir = make_maildir(place.folder / "returned")
    [letter] = (path.read_bytes() for path in (place.folder / "outbox" / "new").iterdir())
    for days in (1, 2):
        put(maildir, bounce(letter), utc_now() - timedelta(days=days))

    with running(place) as daemon:
        daemon.hear_rounds()
        daemon.stop()

    assert f"{ADA}: paused: the address does not exist" in daemon.log
    with open_state(f"sqlite:///{place.folder}/state.sqlite3", now=utc_now()) as state:
        assert [ADA] == list(state.subscribers.pauses())


def test_a_relay_that_never_answers_does_not_hold_it_back(place: Place) -> None:
    """Ten seconds later it is gone. The mail is in doubt and comes again under the same Message-ID."""
    with smtp_server() as server:
        server.script["dot"] = SILENCE
        place.configure(smtp_port=server.port)
        with running(place) as daemon:
            wait_for(lambda: server.accepted)
            assert daemon.stop() < 10
        states = [row.state for row in ledger(place)]
        server.script.clear()
        later = place.digest("send")

    assert ["sending"] == states
    assert 0 == later.returncode
    assert 2 == len(server.accepted)
    assert 1 == len({accepted.message_id for accepted in server.accepted})


def test_a_plan_for_thousands_does_not_hold_it_back(place: Place) -> None:
    """A thread cannot be stopped, so the process leaves it behind; what it has entered in the ledger is whole."""
    place.configure(readers=[f"reader{number}@example.org" for number in range(20_000)])
    place.list_papers(*(f"Mixture of Experts, Volume {number}" for number in range(300)))
    with running(place) as daemon:
        wait_for(lambda: "first pull" in daemon.log)
        assert daemon.stop() < 10

    assert {row.state for row in ledger(place)} <= {"planned"}
    assert [] == place.mails()


def test_stopping_gives_up_a_pull(place: Place, http_server: HttpServer) -> None:
    http_server.routes["/feed"] = http_server.hang
    place.configure(
        more=f'[[sources]]\ntype = "feed"\nname = "slow"\nurl = "{http_server.url}/feed"\n'
        '[http]\ncontact = "ada@lab.example"\nallow_private_hosts = ["127.0.0.1"]'
    )
    with running(place) as daemon:
        wait_for(lambda: http_server.requests)
        took = daemon.stop()

    assert took < 5
    assert "Traceback" not in daemon.log


# --- failing neighbours -------------------------------------------------------------------------------------------


def test_it_goes_on_without_relay_and_without_source(place: Place) -> None:
    port = free_port()
    place.configure(smtp_port=port, more='[[sources]]\ntype = "jsonl"\nname = "gone"\npath = "gone.jsonl"')
    with running(place) as daemon:
        daemon.hear_rounds()
        place.configure()
        daemon.send(signal.SIGHUP)
        daemon.hear_rounds()
        daemon.stop()

    assert f"127.0.0.1:{port}: connect: " in daemon.log
    assert "gone: " in daemon.log
    assert [ADA] == [recipient for recipient, _ in place.mails()]


def test_its_log_names_a_few_of_the_mails_that_wait_for_one_reason(place: Place) -> None:
    place.configure(smtp_port=free_port(), readers=[f"reader{number}@example.org" for number in range(5)])
    with running(place) as daemon:
        daemon.hear_rounds()
        daemon.stop()

    assert "2 more wait for the same reason" in daemon.log
    assert "reader4@example.org" not in daemon.log


def test_it_goes_on_when_the_state_was_locked(place: Place) -> None:
    place.digest("pull")
    with (
        closing(sqlite3.connect(place.folder / "state.sqlite3", isolation_level=None)) as other,
        running(place) as daemon,
    ):
        daemon.hear("READY=1")
        other.execute("BEGIN IMMEDIATE")
        wait_for(lambda: "another program keeps it locked" in daemon.log)
        daemon.hear_rounds()
        other.execute("ROLLBACK")
        daemon.send(signal.SIGHUP)
        daemon.hear_rounds()
        daemon.stop()

    assert "run failed" in daemon.log
    assert 1 == len(place.mails())


def test_a_state_that_cannot_be_opened_is_told_at_once(place: Place) -> None:
    (place.folder / "state.sqlite3").write_text("this is no database at all" * 40)

    done = place.digest("run")

    assert (1, "") == (done.returncode, done.stdout)
    assert "it is not a state file\n  → " in done.stderr


# --- once a day ---------------------------------------------------------------------------------------------------


def test_a_restart_and_a_send_beside_it_mail_nobody_twice(place: Place) -> None:
    with running(place) as daemon:
        daemon.hear_rounds()
        beside = place.digest("send", "--now")
        daemon.stop()
    with running(place) as again:
        again.hear_rounds()
        again.stop()

    assert 0 == beside.returncode
    assert 1 == len(place.mails())


def test_a_second_one_says_so_and_leaves(place: Place) -> None:
    """Two would ask every source twice."""
    with running(place) as daemon:
        daemon.hear_rounds()
        beside = place.digest("run")
        daemon.stop()
    with running(place) as next_one:
        next_one.hear_rounds()
        next_one.stop()

    assert (75, "") == (beside.returncode, beside.stdout)
    assert beside.stderr == (
        f"digest: another digest run is at work on this state ({place.folder}/state.sqlite3)\n"
        "  → it sees to everything that is due; to have this one instead, stop that one first\n"
    )


def test_a_daemon_keeps_its_place_when_the_database_was_restarted(place: Place, postgresql_server: Server) -> None:
    """The server forgets whose lock it was."""
    place.configure(state=postgresql_server.new_database())
    with running(place, program=OFTEN) as daemon:
        daemon.hear_rounds()
        postgresql_server.drop_connections()
        daemon.hear_rounds(2)
        beside = place.digest("run")
        daemon.stop()

    assert (75, "digest: another digest run is at work") == (beside.returncode, beside.stderr[:37])


def test_a_daemon_whose_place_was_taken_meanwhile_leaves(place: Place, postgresql_server: Server) -> None:
    url = postgresql_server.new_database()
    place.configure(state=url)
    with running(place, program=OFTEN) as daemon:
        daemon.hear_rounds()
        daemon.send(signal.SIGSTOP)
        postgresql_server.drop_connections()
        with daemon_lock(url) as is_mine:
            assert is_mine()
            daemon.send(signal.SIGCONT)
            assert 75 == daemon.process.wait(timeout=30)

    assert "another digest run is at work on this state" in daemon.log


def test_one_sends_while_the_other_leaves_it_the_work(place: Place) -> None:
    readers = [f"reader{number}@example.org" for number in range(4)]
    with smtp_server() as server:
        tried = threading.Event()

        def hold(_recipient: str) -> None:
            tried.wait(60)

        server.on["dot"] = hold
        place.configure(readers=readers, smtp_port=server.port)
        with running(place) as daemon:
            wait_for(lambda: "data" in server.heard)
            beside = place.digest("send", "--now")
            tried.set()
            daemon.hear_rounds()
            daemon.stop()

    assert "another process is sending" in beside.stdout
    assert readers == sorted(accepted.recipient for accepted in server.accepted)


def test_mail_goes_out_at_the_hour_and_not_with_the_next_round(place: Place) -> None:
    place.configure(time="08:00", timezone="Europe/Berlin")
    with running(place, clock="@2026-09-15 05:59:50") as daemon:
        daemon.hear_rounds()
        wait_for(place.mails, seconds=60)
        daemon.stop()

    sent_at = re.search(r'"event": "ada@example.org: .*"timestamp": "2026-09-15T06:00:0', daemon.log)
    assert sent_at, daemon.log


@pytest.mark.parametrize(
    ("start", "day"),
    [
        # the clock goes from 03:00 back to 02:00 at 01:00 UTC, so 02:30 comes at 00:30 and at 01:30 UTC
        ("2026-10-25 00:00:00", date(2026, 10, 25)),
        # the clock goes from 02:00 to 03:00 at 01:00 UTC, so 02:30 never comes
        ("2026-03-29 00:30:00", date(2026, 3, 29)),
    ],
    ids=["back", "forward"],
)
def test_a_changing_clock_mails_everybody_once(place: Place, start: str, day: date) -> None:
    """Two hours go by in a few seconds, and new papers come all the time."""
    place.configure(time="02:30", timezone="Europe/Berlin", more="[daemon]\nfeed_minutes = 15")
    with running(place, clock=f"@{start} x1200") as daemon:
        for number in range(4):
            daemon.hear_rounds(6)
            place.list_papers(f"Mixture of Experts, Volume {number}", "Knitting")
        daemon.stop()

    assert [(ADA, day, "sent")] == [(row.email, row.local_date, row.state) for row in ledger(place)]
    assert 1 == len(place.mails())


def test_a_clock_that_is_set_back_stops_neither_rounds_nor_the_watchdog(place: Place, tmp_path: Path) -> None:
    """New papers are read too, although the last look is a day ahead."""
    place.configure(more="[daemon]\nfeed_minutes = 60")
    clock = tmp_path / "clock"
    clock.write_text("+0d\n")
    with running(place, program=OFTEN, clock_file=clock, env={"WATCHDOG_USEC": "200000"}) as daemon:
        daemon.hear_rounds(2)
        place.list_papers("Mixture of Experts, Volume 2")
        clock.write_text("-1d\n")
        day = f"{utc_now() - timedelta(days=1):%Y-%m-%d}"
        wait_for(lambda: daemon.hear("STATUS=").startswith(f"STATUS=last round {day}"))
        daemon.hear_rounds(2)
        for _ in range(5):
            daemon.hear("WATCHDOG=1")
        daemon.stop()

    assert "list: 1 paper, 1 new" in daemon.log


# --- the archive --------------------------------------------------------------------------------------------------


def test_the_archive_is_written_after_a_pull_with_the_feeds_of_who_was_sent_mail(place: Place) -> None:
    place.configure(more='[archive]\npath = "site"\nprivate = true')
    with running(place) as daemon:
        daemon.hear_rounds()
        daemon.stop()

    assert "Knitting Patterns" in (place.folder / "site" / "index.html").read_text()
    (feed,) = (place.folder / "site" / "private").glob("*/feed.atom")
    assert "Routing in a Mixture of Experts" in feed.read_text()
    assert "archive: " in place.digest("why").stdout


def test_a_long_archive_holds_up_nobodys_mail_and_is_finished_afterwards(place: Place) -> None:
    place.configure(time="06:00", more='[archive]\npath = "site"')
    first = datetime(2026, 7, 20, 5, 0, tzinfo=UTC)
    with open_state(f"sqlite:///{place.folder}/state.sqlite3", now=first) as state:
        moments = ((number, first + timedelta(days=number % 50)) for number in range(1000))
        state.papers.store([StoredPaper(paper(number), at, at.date()) for number, at in moments])
    with running(place, clock="@2026-09-15 05:59:57") as daemon:
        wait_for(lambda: "for you sent" in daemon.log and "files changed" in daemon.log, seconds=90)
        daemon.stop()

    assert daemon.log.index("for you sent") < daemon.log.index("files changed")
    assert (place.folder / "site" / "2026-07-20" / "index.html").exists()


def test_an_archive_that_cannot_be_written_stops_no_mail_and_is_told(place: Place) -> None:
    place.configure(more='[archive]\npath = "site"')
    (place.folder / "site").write_text("a file where the folder should be")
    with running(place) as daemon:
        daemon.hear_rounds()
        daemon.stop()

    assert [ADA] == [recipient for recipient, _ in place.mails()]
    assert "archive: it could not be written" in daemon.log
    assert "archive: it could not be written" in place.digest("why").stdout
