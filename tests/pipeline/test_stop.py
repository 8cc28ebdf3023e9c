"""SIGTERM and Ctrl-C in the middle of a send: the mail on the wire is finished, the rest waits for the next run."""

from __future__ import annotations

import json
import signal
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.installation import Installation
from tests.pipeline import children
from tests.pipeline.send_phase import CONNECTIONS, duplicates, more_keys, planned_morning
from tests.smtp_server import SILENCE, smtp_server

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator

    from tests.smtp_server import SmtpServer

pytestmark = pytest.mark.slow

READERS = [f"reader{number:03}@example.org" for number in range(200)]
SIGNALS = [signal.SIGTERM, signal.SIGINT]


@pytest.fixture(scope="module")
def morning(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    return planned_morning(tmp_path_factory.mktemp("morning"), READERS)


@pytest.fixture
def relay() -> Iterator[SmtpServer]:
    with smtp_server() as server:
        yield server


@pytest.fixture
def home(morning: Installation, tmp_path: Path, relay: SmtpServer) -> Installation:
    """A morning of its own for every test."""
    home = children.copied(morning, tmp_path / "home")
    home.use_relay(relay, more_keys(1))
    home.write()
    return home


def interrupted(
    home: Installation, relay: SmtpServer, number: signal.Signals, *arguments: str, at: int
) -> tuple[int, str, str]:
    """`digest send`, to which a signal comes while the relay has the `at`-th mail in its hands and has not answered."""
    started: list[subprocess.Popen[str]] = []

    def interrupt(_recipient: str) -> None:
        if len(relay.accepted) == at - 1 and "dot" in relay.on:
            del relay.on["dot"]
            started[0].send_signal(number)

    relay.on["dot"] = interrupt
    started.append(children.start(home, "send", "--now", *arguments))
    return children.finish(started[0])


@pytest.mark.parametrize("connections", CONNECTIONS)
@pytest.mark.parametrize("number", SIGNALS)
def test_a_sender_that_is_asked_to_stop_finishes_its_mail_and_leaves_the_rest(
    home: Installation, relay: SmtpServer, number: signal.Signals, connections: int
) -> None:
    home.use_relay(relay, more_keys(connections))
    home.write()

    code, output, errors = interrupted(home, relay, number, "--json", at=40)

    assert 75 == code, output + errors
    sent = len(relay.accepted)
    # what is on the wire: one mail on each connection
    assert 40 <= sent < 40 + connections
    assert {"sent": sent, "planned": 200 - sent} == Counter(row.state for row in home.rows())
    assert {row.email for row in home.rows() if row.state == "sent"} == {mail.recipient for mail in relay.accepted}
    found = Counter(verdict["finding"] for verdict in json.loads(output)["send"]["verdicts"])
    assert {"sent": sent, "planned": 200 - sent} == found

    code, output, errors = children.digest(home, "send", "--now")

    assert 0 == code, output + errors
    assert 0 == duplicates(home, relay.accepted)
    assert {1} == {row.attempts for row in home.rows()}


@pytest.mark.parametrize("number", SIGNALS)
def test_a_sender_that_is_asked_to_stop_says_what_it_has_done(
    home: Installation, relay: SmtpServer, number: signal.Signals
) -> None:
    code, output, errors = interrupted(home, relay, number, at=3)

    assert 75 == code, output + errors
    assert "Traceback" not in errors
    sent = [email for email in READERS if f"✓ {email}: 2 for you sent; " in output]
    assert sent == [mail.recipient for mail in relay.accepted]


def test_a_sender_that_is_asked_to_stop_at_its_last_mail_is_done(home: Installation, relay: SmtpServer) -> None:
    code, output, errors = interrupted(home, relay, signal.SIGTERM, at=len(READERS))

    assert 0 == code, output + errors
    assert 0 == duplicates(home, relay.accepted)


def wait_until_asked(process: subprocess.Popen[str], number: signal.Signals) -> None:
    """Until the process has taken note of the signal: another one would now end it, as it ends any program."""
    end = time.monotonic() + 30
    while time.monotonic() < end and process.poll() is None:
        status = Path(f"/proc/{process.pid}/status").read_text(encoding="ascii")
        caught = int(status.partition("SigCgt:")[2].split()[0], 16)
        # the handler of both signals gives both back; a Python without it handles Ctrl-C, and never SIGTERM
        if not caught & 1 << signal.SIGTERM - 1:
            return
        time.sleep(0.001)
    pytest.fail(f"{number.name} was not heard")


@pytest.mark.parametrize("number", SIGNALS)
def test_a_second_signal_ends_a_sender_at_once(home: Installation, relay: SmtpServer, number: signal.Signals) -> None:
    """For a relay that never answers; after the first signal the sender still waits for the answer."""
    relay.script["dot"] = SILENCE
    process = children.start(home, "send", "--now")
    while not relay.accepted and process.poll() is None:
        time.sleep(0.001)
    process.send_signal(number)
    wait_until_asked(process, number)
    process.send_signal(number)

    code, output, errors = children.finish(process)

    # as any program that a signal ends: by the signal itself, or with 128 and its number
    assert code in {-number, 128 + number}, output + errors
    # claims may be made for several mails at once, of which all but one are still here
    assert {"sending", "planned"} == {row.state for row in home.rows()}

    del relay.script["dot"]
    code, output, errors = children.digest(home, "send", "--now")

    assert 0 == code, output + errors
    assert 1 == duplicates(home, relay.accepted)
