"""What every fault of a relay does to a mail that waits: ledger, exit code, words, and what the next relay gets.

The relay is Postfix's smtp-sink with each of its faults; the sender is the real command.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from tests.http_server import HttpServer
from tests.installation import ADA, BOB, Installation, item, reader, where_it_is_morning
from tests.pipeline import children
from tests.pipeline.send_phase import more_keys
from tests.pipeline.sink import sink

if TYPE_CHECKING:
    from pathlib import Path

    from digest.model import LedgerState

pytestmark = pytest.mark.slow

_NO_SUCH_USER = ("-B", "550 5.1.1 no such user")
_NO_RELAYING = ("-B", "554 5.7.1 relaying denied")
#: after the longest wait for a second attempt
LATER = timedelta(minutes=31)


@dataclass(frozen=True)
class Fault:
    """One line of the table, the same for each of two readers."""

    #: of smtp-sink
    options: str | tuple[str, ...]
    #: in the ledger after the run
    state: LedgerState
    #: of the command
    code: int
    #: in what it prints about each reader
    words: str
    #: how many mails each reader gets from a healthy relay afterwards
    later: int
    #: whether the faulty relay has seen the final dot
    dot: bool = False
    attempts: int = 1
    #: for each step
    timeout_s: int = 30


FAULTS = (
    # not now: it waits, and goes out later
    Fault("-r CONNECT", "planned", 75, "connect: the server refuses: 450 4.3.0", 1, attempts=0),
    Fault("-r EHLO", "planned", 75, "ehlo: the server refuses: 450 4.3.0", 1, attempts=0),
    Fault("-r MAIL", "deferred", 75, "450 4.3.0 Error: command failed (at MAIL FROM)", 1),
    Fault("-r RCPT", "deferred", 75, "450 4.3.0 Error: command failed (at RCPT TO)", 1),
    Fault("-r DATA", "deferred", 75, "450 4.3.0 Error: command failed (in DATA, before the final dot)", 1),
    Fault("-r .", "deferred", 75, "450 4.3.0 Error: command failed (after the final dot)", 1, dot=True),
    # 421, the relay closes
    Fault("-Q CONNECT", "planned", 75, "connect: the server refuses: 421", 1, attempts=0),
    Fault("-Q EHLO", "planned", 75, "ehlo: the server refuses: 421", 1, attempts=0),
    Fault("-Q MAIL", "deferred", 75, "421 4.0.0", 1),
    Fault("-Q RCPT", "deferred", 75, "421 4.0.0", 1),
    Fault("-Q DATA", "deferred", 75, "421 4.0.0", 1),
    Fault("-Q .", "deferred", 75, "421 4.0.0", 1, dot=True),
    # cut off
    Fault("-q CONNECT", "planned", 75, "connect: the server closed the connection", 1, attempts=0),
    Fault("-q EHLO", "planned", 75, "ehlo: the server closed the connection", 1, attempts=0),
    Fault("-q MAIL", "deferred", 75, "the server closed the connection (at MAIL FROM)", 1),
    Fault("-q RCPT", "deferred", 75, "the server closed the connection (at RCPT TO)", 1),
    Fault("-q DATA", "deferred", 75, "the server closed the connection (in DATA, before the final dot)", 1),
    Fault("-q .", "in_doubt", 75, "the server closed the connection (after the final dot)", 1, dot=True),
    # silent, longer than we wait
    Fault("-w 5", "deferred", 75, "no answer within 1 s", 1, timeout_s=1),
    # 500 5.3.0, a fault of the relay or of the conversation
    Fault("-f CONNECT", "planned", 75, "connect: the server refuses: 500 5.3.0", 1, attempts=0),
    Fault("-f EHLO", "planned", 75, "ehlo: the server refuses: 500 5.3.0", 1, attempts=0),
    Fault("-f MAIL", "deferred", 75, "the relay objects to this sender or machine, not to the reader: 5.3.0", 1),
    Fault("-f RCPT", "deferred", 75, "the relay objects to this sender or machine, not to the reader: 5.3.0", 1),
    Fault("-f DATA", "deferred", 75, "the relay objects to this sender or machine, not to the reader: 5.3.0", 1),
    Fault("-f .", "deferred", 75, "the relay objects to this sender or machine", 1, dot=True),
    # 554 5.7.1, about us
    Fault(("-f", "MAIL", *_NO_RELAYING), "deferred", 75, "5.7.1 relaying denied (at MAIL FROM)", 1),
    Fault(("-f", "RCPT", *_NO_RELAYING), "deferred", 75, "5.7.1 relaying denied (at RCPT TO)", 1),
    Fault(("-f", "DATA", *_NO_RELAYING), "deferred", 75, "5.7.1 relaying denied", 1),
    Fault(("-f", ".", *_NO_RELAYING), "deferred", 75, "5.7.1 relaying denied", 1, dot=True),
    # 550 5.1.1, about the reader; no reader has been named at MAIL
    Fault(("-f", "MAIL", *_NO_SUCH_USER), "deferred", 75, "5.1.1 no such user (at MAIL FROM)", 1),
    Fault(("-f", "RCPT", *_NO_SUCH_USER), "refused", 1, "550 5.1.1 no such user (at RCPT TO)", 0),
    Fault(("-f", "DATA", *_NO_SUCH_USER), "refused", 1, "refused, and not tried again", 0),
    Fault(("-f", ".", *_NO_SUCH_USER), "refused", 1, "550 5.1.1 no such user (after the final dot)", 0, dot=True),
    # faults that are no mail's
    Fault("-r RSET", "sent", 0, "250 2.0.0 Ok", 0, dot=True),
    Fault("-q RSET", "sent", 0, "250 2.0.0 Ok", 0, dot=True),
    Fault("-f QUIT", "sent", 0, "250 2.0.0 Ok", 0, dot=True),
    Fault("-q QUIT", "sent", 0, "250 2.0.0 Ok", 0, dot=True),
    Fault("-Q QUIT", "sent", 0, "250 2.0.0 Ok", 0, dot=True),
    # offers that are missing
    Fault("-p", "sent", 0, "250 2.0.0 Ok", 0, dot=True),
    Fault("-8", "sent", 0, "250 2.0.0 Ok", 0, dot=True),
    Fault("-E", "sent", 0, "250 2.0.0 Ok", 0, dot=True),
    Fault("-e", "planned", 75, "ehlo: the server refuses: 500 5.5.1", 1, attempts=0),
)


@pytest.fixture(scope="module")
def morning(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """Two readers, a paper for each of them."""
    with HttpServer() as server:
        readers = [reader(email, timezone=where_it_is_morning()) for email in (ADA, BOB)]
        home = Installation(tmp_path_factory.mktemp("morning"), server, *readers)
        home.publish(item(1))
        home.pull(datetime.now(UTC))
    return home


@pytest.fixture
def home(morning: Installation, tmp_path: Path) -> Installation:
    """A morning of its own for every test."""
    return children.copied(morning, tmp_path / "home")


def options_of(fault: Fault) -> tuple[str, ...]:
    return tuple(fault.options.split()) if isinstance(fault.options, str) else fault.options


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: " ".join(options_of(fault)))
def test_a_fault_of_the_relay(home: Installation, fault: Fault) -> None:
    with sink(*options_of(fault)) as faulty:
        faulty.serve(home, timeout_s=fault.timeout_s)

        code, output, errors = children.digest(home, "send", "--now")

        first = faulty.mails()
    assert fault.code == code, output + errors
    assert [(ADA, fault.state, fault.attempts), (BOB, fault.state, fault.attempts)] == states(home)
    assert 2 == output.count(fault.words), output
    assert "Traceback" not in output + errors
    assert [ADA, BOB] * fault.dot == [mail.recipient for mail in first]

    with sink() as healthy:
        healthy.serve(home)
        home.send(datetime.now(UTC) + LATER, any_hour=True)
        home.send(datetime.now(UTC) + 2 * LATER, any_hour=True)
        second = healthy.mails()
    assert [ADA, BOB] * fault.later == [mail.recipient for mail in second]
    assert {mail.message_id for mail in first + second} == {row.message_id for row in home.rows()} or not first + second
    if first and second:
        assert [(mail.recipient, mail.data) for mail in first] == [(mail.recipient, mail.data) for mail in second]


def states(home: Installation) -> list[tuple[str, str, int]]:
    return [(row.email, row.state, row.attempts) for row in home.rows()]


def test_a_refusal_in_the_middle_of_a_message_is_never_an_acceptance(home: Installation) -> None:
    """The relay says 550 right after its 354, and hangs up.

    Whether that is read before the dot goes out is chance; if the line breaks first, the dot is a matter of doubt.
    """
    with sink("-A", "0") as faulty:
        faulty.serve(home)
        code, output, errors = children.digest(home, "send", "--now")

    assert code in {1, 75}, output + errors
    assert {row.state for row in home.rows()} <= {"deferred", "refused", "in_doubt"}
    refused = [row.email for row in home.rows() if row.state == "refused"]
    with sink() as healthy:
        healthy.serve(home)
        home.send(datetime.now(UTC) + LATER, any_hour=True)
        assert [email for email in (ADA, BOB) if email not in refused] == [m.recipient for m in healthy.mails()]


@pytest.mark.parametrize("taken", [1, 4])
def test_a_relay_that_stops_after_some_mails_gets_those_and_its_successor_the_others(
    home: Installation, taken: int
) -> None:
    readers = [f"reader{number}@example.org" for number in range(9)]
    home.readers = tuple(map(reader, readers))
    with sink("-M", str(taken)) as dying:
        # one connection: ending, the sink would leave a torn dump of what was under way on another
        dying.serve(home, more_keys(1))
        code, output, errors = children.digest(home, "send", "--now")
        first = dying.mails()
    assert 75 == code, output + errors
    assert taken == len(first)
    # smtp-sink ends before it has answered the dot of its last mail, or after
    assert taken - 1 <= sum(row.state == "sent" for row in home.rows()) <= taken
    assert sum(row.state == "in_doubt" for row in home.rows()) <= 1

    with sink() as healthy:
        healthy.serve(home)
        home.send(datetime.now(UTC) + LATER, any_hour=True)
        second = healthy.mails()
    assert readers == sorted({mail.recipient for mail in first + second})
    assert len(readers) == len({(mail.recipient, mail.message_id, mail.data) for mail in first + second})
    assert len(first + second) <= len(readers) + 1
    assert {"sent"} == {row.state for row in home.rows()}


def test_a_mail_in_doubt_is_held_back_if_the_configuration_says_so_until_somebody_releases_it(
    home: Installation,
) -> None:
    home.sections["delivery"] = 'in_doubt = "hold"\n'
    with sink("-q", ".") as faulty:
        faulty.serve(home)
        code, output, errors = children.digest(home, "send", "--now")
        first = faulty.mails()
    assert 75 == code, output + errors
    assert 2 == output.count("held back, as delivery.in_doubt says"), output
    assert [(ADA, "held", 1), (BOB, "held", 1)] == states(home)

    with sink() as healthy:
        healthy.serve(home)
        home.send(datetime.now(UTC) + LATER, any_hour=True)
        assert [] == healthy.mails()
        code, output, errors = children.digest(home, "send", "--now", "--held")
        second = healthy.mails()
    assert 0 == code, output + errors
    assert [(ADA, "sent", 2), (BOB, "sent", 2)] == states(home)
    assert first == second
