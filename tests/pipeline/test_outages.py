"""Trouble that is nobody's in particular: a dead relay, a process that ends, a broken template. All mail waits."""

from __future__ import annotations

from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from digest.errors import BusyError, TemplateError
from tests.installation import ADA, BOB, CAT, Installation, findings, item, reader, sentences
from tests.makers import NOW
from tests.pipeline import children
from tests.smtp_server import DROP, Authority, free_port, smtp_server

if TYPE_CHECKING:
    from pathlib import Path

    from tests.http_server import HttpServer
    from tests.postgresql import Server
    from tests.smtp_server import SmtpServer

MINUTE = timedelta(minutes=1)


def states(home: Installation) -> list[tuple[str, str, int]]:
    return [(row.email, row.state, row.attempts) for row in home.rows()]


def recipients(relay: SmtpServer) -> list[str]:
    return [mail.recipient for mail in relay.accepted]


# --- the relay as a whole ---------------------------------------------------------------------------------------


def assert_all_wait(home: Installation, sentence: str) -> None:
    """Nothing is claimed, and every verdict says what to mend."""
    report = home.send()
    assert [(ADA, "deferred"), (BOB, "deferred"), (CAT, "deferred")] == findings(report)
    assert all(verdict.trouble for verdict in report.verdicts)
    assert f"{ADA}: the digest of 2026-09-15 waits: {sentence}" == sentences(report)[0]
    assert [(ADA, "planned", 0), (BOB, "planned", 0), (CAT, "planned", 0)] == states(home)


def assert_next_run_sends(home: Installation, relay: SmtpServer) -> None:
    home.send(NOW + MINUTE)
    assert [ADA, BOB, CAT] == recipients(relay)


def test_a_relay_that_cannot_be_reached_delays_everything(pulled: Installation) -> None:
    port = free_port()
    pulled.use_relay(port)

    assert_all_wait(
        pulled,
        f"127.0.0.1:{port}: connect: nothing listens there; check smtp.host and smtp.port, and that the relay is "
        "running",
    )

    with smtp_server() as relay:
        pulled.use_relay(relay)
        assert_next_run_sends(pulled, relay)


def test_a_relay_that_dies_in_mid_round_costs_three_attempts_and_not_one_per_reader(
    tmp_path: Path, http_server: HttpServer
) -> None:
    readers = [f"reader{number}@example.org" for number in range(6)]
    home = Installation(tmp_path, http_server, *(reader(email) for email in readers))
    home.publish(item(1))
    home.pull()
    with smtp_server() as relay:
        home.use_relay(relay)
        relay.script["mail"] = "421 4.3.2 shutting down"

        report = home.send()

    assert [1, 1, 1, 0, 0, 0] == [row.attempts for row in home.rows()]
    assert ["deferred"] * 3 + ["planned"] * 3 == [row.state for row in home.rows()]
    assert [(email, "deferred") for email in readers] == findings(report)
    assert "the relay failed 3 times in a row" in sentences(report)[-1]


def test_a_mail_that_found_no_connection_any_more_has_no_attempt(pulled: Installation) -> None:
    with smtp_server() as relay:
        pulled.use_relay(relay)
        relay.script["mail"] = DROP
        relay.on["mail"] = lambda _recipient: relay.script.update(connect=DROP)

        report = pulled.send()

    assert [(ADA, "planned", 0), (BOB, "planned", 0), (CAT, "planned", 0)] == states(pulled)
    assert [(ADA, "deferred"), (BOB, "deferred"), (CAT, "deferred")] == findings(report)
    assert f"{ADA}: the digest of 2026-09-15 waits: the relay failed 3 times in a row" in sentences(report)[0]


def test_a_login_that_is_refused_delays_everything(pulled: Installation) -> None:
    with smtp_server(users={"digest": "right"}, plain_login=True) as relay:
        pulled.use_relay(relay, 'username = "digest"\npassword = "wrong"\n')

        assert_all_wait(
            pulled,
            f"127.0.0.1:{relay.port}: login: user name or password not accepted: 535 5.7.8 Authentication credentials "
            "invalid; check smtp.username and smtp.password",
        )

        pulled.use_relay(relay, 'username = "digest"\npassword = "right"\n')
        assert_next_run_sends(pulled, relay)


def test_a_certificate_that_cannot_be_trusted_delays_everything(pulled: Installation, tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    with smtp_server(tls=authority.context("127.0.0.1")) as relay:
        pulled.use_relay(relay, 'security = "tls"\n')

        assert_all_wait(
            pulled,
            f"127.0.0.1:{relay.port}: tls: its certificate is signed by nobody this machine trusts (self-signed, or an "
            "authority of your own); put the certificate of that authority into a file and name it in smtp.ca_file",
        )

        pulled.use_relay(relay, f'security = "tls"\nca_file = "{authority.ca_file}"\n')
        assert_next_run_sends(pulled, relay)


def test_a_folder_that_cannot_be_written_delays_everything(pulled: Installation) -> None:
    (pulled.folder / "outbox").write_text("a file, no folder")

    assert_all_wait(
        pulled, f"{pulled.folder}/outbox: maildir: File exists; name a folder that this user may create or write to"
    )

    (pulled.folder / "outbox").unlink()
    pulled.send(NOW + MINUTE)
    assert {ADA: [[1]], BOB: [[1]], CAT: [[1]]} == pulled.mailed()


# --- interruptions ----------------------------------------------------------------------------------------------


def test_a_run_that_is_asked_to_stop_finishes_its_mail_and_leaves_the_rest(
    pulled: Installation, relay: SmtpServer
) -> None:
    report = pulled.send(stop=lambda: bool(relay.accepted))

    assert [(ADA, "sent"), (BOB, "planned"), (CAT, "planned")] == findings(report)
    assert [(ADA, "sent", 1), (BOB, "planned", 0), (CAT, "planned", 0)] == states(pulled)
    assert_next_run_sends(pulled, relay)


def test_two_processes_at_once_send_every_mail_once(tmp_path: Path, http_server: HttpServer) -> None:
    """One of them finds the other at work, and says by 75 that it did nothing; or everything done."""
    readers = [reader(f"reader{number:02}@example.org") for number in range(30)]
    home = Installation(tmp_path, http_server, *readers)
    now = datetime.now(UTC)
    home.publish(item(1))
    home.pull(now)
    with smtp_server() as relay:
        home.use_relay(relay)
        home.write()
        processes = [children.start(home, "send", "--now") for _ in range(2)]
        outputs = [process.communicate(timeout=60) for process in processes]

    assert sorted(process.returncode for process in processes) in ([0, 0], [0, 75]), outputs
    assert [f"reader{number:02}@example.org" for number in range(30)] == sorted(recipients(relay))
    assert {("sent", 1)} == {(row.state, row.attempts) for row in home.rows()}


def test_a_second_sender_says_that_another_is_at_work(pulled: Installation) -> None:
    """That is all well for cron, but not for somebody who asked for more than the other one was asked for."""
    with pulled.state() as state, state.sender_lock():
        report, *more = pulled.send(), pulled.send(any_hour=True), pulled.send(release_held=True)

    assert () == report.verdicts
    place = f"{pulled.folder}/state.sqlite3"
    busy = f"another process is sending from this state ({place}) and sees to what was due when it began"
    assert ((f"{busy}; what is due since then goes out with the next send",), False) == (
        report.notes,
        report.unfinished,
    )
    assert [((f"{busy}; then type this again",), True)] * 2 == [(one.notes, one.unfinished) for one in more]


@pytest.mark.parametrize("taken", [False, True])
def test_a_sender_that_lost_its_lock_takes_it_again_unless_another_has_it(
    taken: bool, tmp_path: Path, http_server: HttpServer, postgresql_server: Server
) -> None:
    """As after a restart of the server between two mails: two senders would have each other's mails in doubt."""
    readers = [f"reader{number:03}@example.org" for number in range(200)]
    home = Installation(tmp_path, http_server, *map(reader, readers), url=postgresql_server.new_database())
    home.publish(item(1))
    home.pull()
    others: list[bool] = []
    with smtp_server() as relay, ExitStack() as held:

        def restart(recipient: str) -> None:
            if recipient == readers[0]:
                postgresql_server.drop_connections()
                if taken:
                    held.enter_context(held.enter_context(home.state()).sender_lock())
            elif recipient == readers[-1]:
                with home.state() as state, state.sender_lock() as is_mine:
                    others.append(is_mine())

        relay.on["rcpt"] = restart
        home.use_relay(relay)
        if taken:
            with pytest.raises(BusyError, match="another process is sending from this state"):
                home.send()
        else:
            home.send()

    assert taken == (len(relay.accepted) < len(readers))
    assert others == ([] if taken else [False])


# --- templates --------------------------------------------------------------------------------------------------


def override(home: Installation, name: str, text: str) -> None:
    file = home.folder / "templates" / "mail" / name
    file.parent.mkdir(parents=True)
    file.write_text(text)
    home.sections["mail"] = 'templates = "templates"\n'


def test_a_digest_that_cannot_be_rendered_costs_nobody_else_their_mail(pulled: Installation, relay: SmtpServer) -> None:
    override(
        pulled,
        "digest.subject.txt",
        '{% if letter.reader == "bob@example.org" %}{{ letter.nonsense }}{% else %}Papers{% endif %}',
    )

    report = pulled.send()

    assert [(ADA, "sent"), (BOB, "deferred"), (CAT, "sent")] == findings(report)
    assert sentences(report)[1].startswith(
        f"{BOB}: not delivered yet; next attempt 2026-09-15 06:30 UTC (the mail could not be rendered: template "
    )
    assert [ADA, CAT] == recipients(relay)


def test_a_template_with_an_undefined_name_stops_everything_before_anything_is_claimed(pulled: Installation) -> None:
    override(pulled, "digest.subject.txt", "Papers\n{{ letter.subjekt }}")

    with pytest.raises(TemplateError) as caught:
        pulled.send()

    assert (2, "compare it with the packaged template of the same name, or remove your own copy") == (
        caught.value.line,
        caught.value.hint,
    )
    assert "subjekt" in caught.value.message
    assert () == pulled.rows()
    code, output, errors = children.digest(pulled, "send", "--now")
    assert (2, "") == (code, output)
    assert errors.startswith("digest: template ")
    assert "digest.subject.txt, line 2" in errors
