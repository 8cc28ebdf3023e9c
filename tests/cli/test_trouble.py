"""What goes wrong around a command, seen from outside: processes, pipes, terminals, disks."""

from __future__ import annotations

import os
import pty
import resource
import signal
import sqlite3
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.commands import DIGEST, Place, Slowly, wait_for
from tests.http_server import Reply, in_turn
from tests.smtp_server import smtp_server

if TYPE_CHECKING:
    from tests.http_server import HttpServer


@pytest.fixture
def slow_source(http_server: HttpServer, place: Place) -> HttpServer:
    """A feed that never answers, beside the list."""
    http_server.routes["/feed"] = http_server.hang
    place.configure(
        more=f'[[sources]]\ntype = "feed"\nname = "slow"\nurl = "{http_server.url}/feed"\n'
        '[http]\ncontact = "ada@lab.example"\nallow_private_hosts = ["127.0.0.1"]'
    )
    return http_server


# --- processes and pipes ------------------------------------------------------------------------------------------


def test_results_are_on_standard_output_and_everything_else_is_not(place: Place) -> None:
    done, failed = place.digest("send", "--pull"), place.digest("preview", "zoe@lab.net")

    assert (0, "") == (done.returncode, done.stderr)
    assert (1, "") == (failed.returncode, failed.stdout)


def test_a_reader_that_has_seen_enough_is_no_error(place: Place) -> None:
    script = f"{' '.join(DIGEST)} schema | head -n 1"

    done = subprocess.run(
        script, shell=True, cwd=place.folder, env=place.environment(), capture_output=True, text=True, check=True
    )

    assert ("{\n", "") == (done.stdout, done.stderr)


def test_ctrl_c_in_a_pull_ends_it_without_a_traceback(place: Place, slow_source: HttpServer) -> None:
    process = subprocess.Popen(
        [*DIGEST, "pull"],
        cwd=place.folder,
        env=place.environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    wait_for(lambda: bool(slow_source.requests))
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=20)

    assert (130, "") == (process.returncode, err)


def test_ctrl_c_in_a_send_finishes_the_mail_on_the_wire(place: Place) -> None:
    """The exit code says that the rest waits; the next run sends it."""
    with smtp_server() as server:
        server.script = Slowly(0.3)
        place.configure(readers=[f"reader{number}@example.org" for number in range(9)], smtp_port=server.port)
        process = subprocess.Popen(
            [*DIGEST, "send", "--pull"], cwd=place.folder, env=place.environment(), stdout=subprocess.PIPE, text=True
        )
        wait_for(lambda: "data" in server.heard)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=20)
        first = len(server.accepted)
        server.script = {}
        rest = place.digest("send")

    assert 75 == process.returncode
    assert 1 <= first < 9
    assert 0 == rest.returncode
    assert 9 == len({accepted.recipient for accepted in server.accepted}) == len(server.accepted)


def test_an_encoding_without_check_marks_stops_nothing(place: Place) -> None:
    done = place.digest("send", "--pull", env={"PYTHONIOENCODING": "latin-1"})

    assert (0, "") == (done.returncode, done.stderr)
    assert "\\u2713 ada@example.org: 1 for you" in done.stdout


def test_colours_and_progress_are_for_terminals_only(place: Place) -> None:
    seen = on_terminal(place, "pull")

    assert "\x1b[" in seen
    assert "\x1b[" not in place.digest("pull").stdout


def test_titles_steer_no_terminal_even_where_colours_are_shown(place: Place) -> None:
    place.list_papers("\x1b]0;owned\x07 Mixture of Experts \u009b2J", "Knitting")
    place.digest("pull")

    seen = on_terminal(place, "preview")

    assert "Mixture of Experts" in seen
    assert "\x1b" not in seen.replace("\x1b[0m", "").replace("\x1b[1m", "")
    assert "\u009b" not in seen


# --- the state ------------------------------------------------------------------------------------------------------


def test_a_damaged_state_is_left_as_it_is(place: Place) -> None:
    state = place.folder / "state.sqlite3"
    state.write_bytes(b"this is no database at all " * 40)
    before = state.read_bytes()

    for command in ("pull", "send", "why", "check"):
        done = place.digest(command)

        assert 1 == done.returncode
        assert "state.sqlite3: it is not a state file\n" in done.stdout + done.stderr
        assert "Traceback" not in done.stderr
    assert before == state.read_bytes()


def test_a_state_of_a_newer_version_is_left_as_it_is(place: Place) -> None:
    place.digest("pull")
    with sqlite3.connect(place.folder / "state.sqlite3") as connection:
        connection.execute("UPDATE schema_version SET version_num = '9999'")
    connection.close()

    done = place.digest("send")

    assert (1, "") == (done.returncode, done.stdout)
    assert "newer" in done.stderr
    assert "  → " in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("command", [("send", "--pull"), ("run",)])
def test_a_log_on_a_full_disk_stops_no_mail(command: tuple[str, ...], place: Place, http_server: HttpServer) -> None:
    """What is said on the way is lost: a request that is made again, that the daemon runs."""
    http_server.routes["/list"] = in_turn(Reply(500), Reply(body=b'{"title": "Experts"}'))
    place.configure(
        more=f'[[sources]]\ntype = "jsonl"\nname = "busy"\nurl = "{http_server.url}/list"\n'
        '[http]\ncontact = "ada@lab.example"\nallow_private_hosts = ["127.0.0.1"]'
    )
    with Path("/dev/full").open("wb") as full:
        process = subprocess.Popen(
            [*DIGEST, *command], cwd=place.folder, env=place.environment(), stdout=subprocess.DEVNULL, stderr=full
        )
    try:
        wait_for(place.mails)
        assert 2 == len(http_server.requests)
    finally:
        process.kill()
        process.wait()


def test_a_full_disk_loses_nothing_and_is_told(place: Place) -> None:
    """A limit on the size of files acts like a disk without space; the journal of the state hits it."""
    place.digest("pull")
    place.list_papers(*(f"Mixture of Experts, Part {number} of a Long Series" for number in range(4000)))
    size = (place.folder / "state.sqlite3").stat().st_size

    done = limited(place, size, "pull")

    assert (1, "") == (done.returncode, done.stdout)
    assert "digest: state " in done.stderr
    assert "  → " in done.stderr
    assert "Traceback" not in done.stderr
    assert "2 papers" in place.digest("check", "--offline").stdout
    assert 0 == place.digest("pull").returncode


def test_an_export_that_does_not_fit_is_removed(place: Place) -> None:
    place.list_papers(*(f"Mixture of Experts {number}" for number in range(2000)))
    place.digest("pull")

    done = limited(place, 60_000, "export", "backup.jsonl")

    assert (1, "") == (done.returncode, done.stdout)
    assert done.stderr.startswith("digest: backup.jsonl: ")
    assert not (place.folder / "backup.jsonl").exists()


def test_a_folder_that_cannot_be_written_is_named(place: Place) -> None:
    """Nobody may write into /proc, not even root."""
    done = place.digest("pull", env={"DIGEST_STATE__URL": "sqlite:////proc/digest/state.sqlite3"})

    assert (1, "") == (done.returncode, done.stdout)
    assert "digest: state /proc/digest/state.sqlite3: " in done.stderr
    assert "  → " in done.stderr


def on_terminal(place: Place, *arguments: str) -> str:
    """What a command writes to standard output if that is a terminal."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen([*DIGEST, *arguments], cwd=place.folder, env=place.environment(), stdout=theirs)
    os.close(theirs)
    seen = b""
    try:
        while piece := os.read(ours, 65536):
            seen += piece
    except OSError:
        pass  # Linux answers EIO once the other side is closed
    os.close(ours)
    process.wait()
    return seen.decode()


def limited(place: Place, size: int, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command whose files may not grow beyond `size` bytes."""
    return subprocess.run(
        [*DIGEST, *arguments],
        cwd=place.folder,
        env=place.environment({"PYTHONDONTWRITEBYTECODE": "1"}),
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size)),
        capture_output=True,
        text=True,
        check=False,
    )
