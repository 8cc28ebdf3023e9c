"""Asking before anything is sent: the mail, the answer, and what becomes of those who give none."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from email import message_from_bytes, policy
from threading import Thread
from typing import TYPE_CHECKING
from urllib.parse import unquote

import pytest

from digest.answer import line
from digest.errors import DigestError, TemplateError
from digest.pipeline.consent import confirm, invite
from digest.state.store import open_state
from tests.bounces.mails import unsubscribe
from tests.installation import ADA, Installation, findings, item, picked, recipient, sentences
from tests.makers import NOW, subscriber
from tests.pipeline.test_returns import answer, make_maildir, paused, put, read, token
from tests.smtp_server import DROP
from tests.state.shortcuts import readers_of

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from digest.model import Subscriber
    from digest.pipeline.consent import Asked
    from tests.smtp_server import SmtpServer

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
DAN = "dan@example.org"
READER = subscriber(DAN, keywords=("mixture of experts",), trending=0)


@pytest.fixture
def returned(any_home: Installation) -> Path:
    """The mailbox that answers come to; nobody is a reader yet, and there is a paper."""
    any_home.sections["bounces"] = 'maildir = "returned"'
    any_home.sections["mail"] = 'feedback = "answers@example.org"'
    any_home.publish(item(1))
    any_home.pull()
    return make_maildir(any_home.folder / "returned")


def ask(home: Installation, at: datetime = NOW, *, again: bool = False, reader: Subscriber = READER) -> Asked:
    with home.state() as state:
        known = next(iter(state.subscribers.find([DAN])), None)
        work = invite(home.settings(), state, lambda: (known, reader), clock=lambda: at, again=again)
        return asyncio.run(work)


def questions(home: Installation) -> list[bytes]:
    return [letter for letter in home.letters() if recipient(letter) == DAN and b"Auto-Submitted" in letter]


def yes(letter: bytes, to: str = "answers@example.org") -> str:
    """The subject of the mail to this address that the link in a question writes."""
    body = message_from_bytes(letter, policy=policy.default).get_body(("plain",))
    assert body is not None
    [link] = (word for word in body.get_content().split() if word.startswith("mailto:"))
    address, _, subject = link.partition("?subject=")
    assert f"mailto:{to}" == address
    return unquote(subject)


def digests(home: Installation) -> list[list[int]]:
    letters = [letter for letter in home.letters() if recipient(letter) == DAN and b"Feedback-ID" in letter]
    return [picked(letter) for letter in letters]


# --- yes ----------------------------------------------------------------------------------------------------------


def test_who_says_yes_by_mail_gets_a_digest_and_nothing_before(any_home: Installation, returned: Path) -> None:
    asked = ask(any_home)
    before = any_home.send(NOW + HOUR)
    [question] = questions(any_home)
    put(returned, answer(f"Re: {yes(question)}"), NOW + 2 * HOUR)

    report = read(any_home, NOW + 3 * HOUR)
    any_home.send(NOW + 4 * HOUR)

    assert "delivered" == asked.receipt.outcome
    assert f"{DAN}: not confirmed yet; asked on 2026-09-15" in sentences(before)
    assert (DAN, "paused") in findings(before)
    assert ("1 mail read: 1 confirmed",) == report.notes
    assert [[1]] == digests(any_home)


def test_saying_yes_twice_is_saying_yes(any_home: Installation, returned: Path) -> None:
    ask(any_home)
    said = yes(questions(any_home)[0])
    for _ in range(2):
        put(returned, answer(said), NOW + HOUR)
    first = read(any_home)
    put(returned, answer(said), NOW + DAY)

    assert ("2 mails read: 1 confirmed; 1 confirmed before",) == first.notes
    assert ("1 mail read: 1 confirmed before",) == read(any_home).notes


def test_a_dry_run_says_so_and_confirms_nobody(any_home: Installation, returned: Path) -> None:
    ask(any_home)
    put(returned, answer(yes(questions(any_home)[0])), NOW + HOUR)

    assert ("1 mail read: 1 confirmed",) == read(any_home, dry_run=True).notes
    assert (DAN, "paused") in findings(any_home.send(NOW + 2 * HOUR))


def test_the_operator_may_have_heard_it(any_home: Installation, returned: Path) -> None:
    assert returned.is_dir()
    ask(any_home)
    with any_home.state() as state:
        heard = [confirm(state, email, asked=NOW, now=NOW) for email in (DAN, DAN, "eve@example.org")]

    assert ["confirmed", "confirmed before", "too late"] == heard
    assert (DAN, "sent") in findings(any_home.send(NOW + 2 * HOUR))


def test_nobody_else_can_say_it(any_home: Installation, returned: Path) -> None:
    """Neither with the token of an old mail, nor with what was signed for something else."""
    ask(any_home)
    said, own = yes(questions(any_home)[0]), token(any_home, DAN)
    with any_home.state() as state:
        other = line("more", "20260915T060000Z", own, secret=state.feedback.secret())
    forged = [
        line("confirm", "20260915T060000Z", own, secret="guessed"),
        said.replace("20260915", "20260916"),
        other.replace("more", "confirm"),
        f"confirm 20260915T060000Z [{own}.{'A' * 22}]",
    ]
    for subject in forged:
        put(returned, answer(subject), NOW + HOUR)
    put(returned, answer(said, "Auto-Submitted: auto-replied\r\n"), NOW + HOUR)

    report = read(any_home)

    assert "5 mails read; 1 was no bounce" == report.notes[0].replace(": ", "; ", 1)
    assert 4 == sum("it is not as we signed it" in note for note in report.notes)
    assert (DAN, "paused") in findings(any_home.send(NOW + 2 * HOUR))


# --- no, or nothing -----------------------------------------------------------------------------------------------


def test_who_does_not_answer_is_forgotten_by_the_next_send(any_home: Installation, returned: Path) -> None:
    ask(any_home)
    said = yes(questions(any_home)[0])
    kept = any_home.send(NOW + 14 * DAY)
    gone = any_home.send(NOW + 14 * DAY + HOUR)
    put(returned, answer(said), NOW + 14 * DAY + HOUR)

    assert (DAN, "paused") in findings(kept)
    assert "somebody who was asked and did not answer within 14 days was forgotten" in gone.notes
    assert DAN not in str(gone)
    with any_home.state() as state:
        assert not [row for row in state.export_rows() if DAN in str(row)]
    [_, told] = read(any_home, NOW + 15 * DAY).notes
    assert told.endswith("“confirm 20260915T060000Z” came too late: that question is closed")


def test_an_answer_that_names_no_moment_costs_itself_only(any_home: Installation, returned: Path) -> None:
    ask(any_home)
    said = yes(questions(any_home)[0])
    with any_home.state() as state:
        own = state.subscribers.tokens([DAN])[DAN]
        odd = line("confirm", "yesterday", own, secret=state.feedback.secret())
    for subject in (odd, said):
        put(returned, answer(subject), NOW + HOUR)

    counted, told = read(any_home).notes

    assert "2 mails read: 1 confirmed" == counted
    assert "“confirm yesterday” came too late" in told


def test_a_yes_of_one_who_cannot_be_read_by_now_costs_nobody_their_answer(
    any_home: Installation, returned: Path
) -> None:
    """As when an upgrade of the system took their time zone away."""
    ask(any_home)
    put(returned, answer(yes(questions(any_home)[0])), NOW + HOUR)
    put(returned, unsubscribe(f"unsubscribe {token(any_home, ADA)}"), NOW + 2 * HOUR)
    with any_home.state() as state:
        (dan,) = state.subscribers.find([DAN])
        state.subscribers.put(replace(dan, timezone="Mars/Olympus"), now=NOW)

    assert ("2 mails read: 1 unsubscribed; 1 confirmed",) == read(any_home).notes
    assert {ADA: "unsubscribed by mail"} == paused(any_home)
    with any_home.state() as state:
        assert state.subscribers.asked_at(DAN) is None


def test_who_was_removed_meanwhile_stays_away(any_home: Installation, returned: Path) -> None:
    ask(any_home)
    put(returned, answer(yes(questions(any_home)[0])), NOW + HOUR)
    with any_home.state() as state:
        state.subscribers.remove(DAN)

    [_, told] = read(any_home).notes

    assert "came too late" in told
    assert DAN not in str(any_home.send(NOW + 2 * HOUR))


def test_an_answer_of_before_somebody_left_does_not_bring_them_back(any_home: Installation, returned: Path) -> None:
    """The old mail is still in their outbox, or in our mailbox; the yes to the new question counts."""
    ask(any_home)
    old = yes(questions(any_home)[0])
    put(returned, answer(old), NOW + HOUR)
    read(any_home, NOW + 2 * HOUR)
    put(returned, unsubscribe(f"unsubscribe {token(any_home, DAN)}"), NOW + 3 * HOUR)
    read(any_home, NOW + 4 * HOUR)
    with any_home.state() as state:
        state.subscribers.remove(DAN)
    asked = ask(any_home, NOW + 5 * HOUR, again=True)
    put(returned, answer(old), NOW + 6 * HOUR)
    stale = read(any_home, NOW + 6 * HOUR)
    still_paused = paused(any_home)
    [new] = {yes(letter) for letter in questions(any_home)} - {old}
    put(returned, answer(new), NOW + 7 * HOUR)

    assert asked.pause is not None
    assert "came too late" in stale.notes[1]
    assert {DAN: "unsubscribed by mail"} == still_paused
    assert ("1 mail read: 1 confirmed",) == read(any_home, NOW + 8 * HOUR).notes
    assert {} == paused(any_home)
    assert (DAN, "sent") in findings(any_home.send(NOW + 9 * HOUR))


def test_a_yes_does_not_end_a_pause_that_came_after_the_question(any_home: Installation, returned: Path) -> None:
    ask(any_home)
    put(returned, answer(yes(questions(any_home)[0])), NOW + 2 * HOUR)
    with any_home.state() as state:
        state.subscribers.pause(DAN, until=None, reason="by the operator", now=NOW + HOUR)

    assert ("1 mail read: 1 confirmed",) == read(any_home).notes
    assert f"{DAN}: paused: by the operator" in sentences(any_home.send(NOW + 3 * HOUR))


# --- who is asked -------------------------------------------------------------------------------------------------


def test_nobody_is_asked_twice_within_a_day_unless_insisted_on(any_home: Installation, returned: Path) -> None:
    assert returned.is_dir()
    ask(any_home)
    with pytest.raises(DigestError, match=r"was asked on 2026-09-15 at 06:00 UTC, and nothing was sent or changed"):
        ask(any_home, NOW + 23 * HOUR, reader=replace(READER, keywords=("other",)))
    ask(any_home, NOW + HOUR, again=True)
    ask(any_home, NOW + HOUR + DAY)

    assert 3 == len(questions(any_home))
    assert 3 == len({yes(letter) for letter in questions(any_home)})


def test_either_mail_of_two_can_be_answered(any_home: Installation, returned: Path) -> None:
    ask(any_home)
    first = yes(questions(any_home)[0])
    ask(any_home, NOW + HOUR, again=True)
    put(returned, answer(first), NOW + 2 * HOUR)

    assert ("1 mail read: 1 confirmed",) == read(any_home).notes


def test_who_left_is_asked_only_if_insisted_on(any_home: Installation, returned: Path) -> None:
    assert returned.is_dir()
    with any_home.state() as state:
        state.subscribers.pause(DAN, until=None, reason="unsubscribed by mail", now=NOW)

    with pytest.raises(DigestError, match="gets no mail since 2026-09-15: unsubscribed by mail") as caught:
        ask(any_home)

    assert "--again" in caught.value.hint
    assert [] == questions(any_home)
    assert "delivered" == ask(any_home, again=True).receipt.outcome


@pytest.mark.parametrize("way", ["mail", "operator"])
def test_who_unsubscribed_and_is_still_listed_is_asked_if_insisted_on(
    way: str, any_home: Installation, returned: Path
) -> None:
    """They get nothing before their yes; a no, or nothing, leaves them as silent as they were."""
    with any_home.state() as state:
        state.subscribers.put(READER, now=NOW)
    put(returned, unsubscribe(f"unsubscribe {token(any_home, DAN)}"), NOW + HOUR)
    read(any_home, NOW + 2 * HOUR)
    with pytest.raises(DigestError, match="gets no mail since 2026-09-15: unsubscribed by mail") as caught:
        ask(any_home, NOW + 3 * HOUR)
    asked = ask(any_home, NOW + 4 * HOUR, again=True)
    before = any_home.send(NOW + 5 * HOUR)
    if way == "mail":
        put(returned, answer(yes(questions(any_home)[0])), NOW + 6 * HOUR)
        read(any_home, NOW + 7 * HOUR)
    else:
        with any_home.state() as state:
            confirm(state, DAN, asked=NOW + 7 * HOUR, now=NOW + 7 * HOUR)

    assert "--again" in caught.value.hint
    assert ("delivered", "unsubscribed by mail") == (asked.receipt.outcome, asked.pause and asked.pause.reason)
    assert f"{DAN}: not confirmed yet; asked on 2026-09-15" in sentences(before)
    assert {} == paused(any_home)
    assert (DAN, "sent") in findings(any_home.send(NOW + 8 * HOUR))


def test_who_unsubscribed_and_does_not_answer_stays_unsubscribed(any_home: Installation, returned: Path) -> None:
    assert returned.is_dir()
    with any_home.state() as state:
        state.subscribers.put(READER, now=NOW)
        state.subscribers.pause(DAN, until=None, reason="unsubscribed by mail", now=NOW)
    ask(any_home, NOW + HOUR, again=True)
    any_home.send(NOW + 15 * DAY)

    with any_home.state() as state:
        assert () == readers_of(state)
    assert {DAN: "unsubscribed by mail"} == paused(any_home)


def test_who_is_subscribed_is_not_asked(any_home: Installation, returned: Path) -> None:
    assert returned.is_dir()
    with any_home.state() as state:
        state.subscribers.put(READER, now=NOW)

    with pytest.raises(DigestError, match="is subscribed already"):
        ask(any_home, again=True)


@pytest.mark.parametrize(
    ("mail", "bounces", "named"),
    [
        ('unsubscribe_mailto = "leave@example.org"', None, "[bounces]"),
        ("", 'maildir = "returned"', "unsubscribe_mailto"),
    ],
)
def test_without_a_mailbox_that_is_read_nobody_is_asked(
    home: Installation, mail: str, bounces: str | None, named: str
) -> None:
    home.sections |= {"mail": mail} | ({"bounces": bounces} if bounces else {})

    with pytest.raises(DigestError, match=r"read the answer|leads to the mailbox") as caught:
        ask(home)

    assert named in caught.value.hint
    assert [] == home.letters()


def test_a_mistake_in_a_template_costs_no_question(any_home: Installation, returned: Path) -> None:
    assert returned.is_dir()
    own = any_home.folder / "own" / "mail"
    own.mkdir(parents=True)
    (own / "confirm.txt").write_text("{{ nothing }}", encoding="utf-8")
    any_home.sections["mail"] += '\ntemplates = "own"'

    with pytest.raises(TemplateError):
        ask(any_home)

    with any_home.state() as state:
        assert not [row for row in state.export_rows() if DAN in str(row)]


# --- the way there ------------------------------------------------------------------------------------------------


@pytest.fixture
def asking(home: Installation, relay: SmtpServer) -> Installation:
    """Mail goes to a server, and each mail has an envelope sender of its own."""
    assert relay.port
    home.sections["bounces"] = 'maildir = "returned"\nverp = true'
    home.sections["mail"] = 'unsubscribe_mailto = "leave@example.org"'
    return home


def test_one_mail_goes_to_one_recipient_and_a_bounce_would_name_them(asking: Installation, relay: SmtpServer) -> None:
    ask(asking)

    [mail] = relay.accepted
    assert (DAN, f"digest+{token(asking, DAN)}@example.org") == (mail.recipient, mail.sender)
    assert b"mailto:leave@example.org?subject=3Dconfirm" in mail.data.replace(b"=\r\n", b"")


@pytest.mark.parametrize(("action", "outcome"), [("450 4.2.1 later", "deferred"), ("550 5.1.1 nobody", "refused")])
def test_what_did_not_leave_is_taken_back(asking: Installation, relay: SmtpServer, action: str, outcome: str) -> None:
    relay.script["rcpt"] = action
    first = ask(asking)
    with asking.state() as state:
        left = [row for row in state.export_rows() if DAN in str(row)]
    relay.script.clear()
    again = ask(asking, NOW + HOUR)
    relay.script["rcpt"] = action
    third = ask(asking, NOW + 2 * HOUR, again=True)

    assert ([], [outcome, "delivered", outcome]) == (left, [one.receipt.outcome for one in (first, again, third)])
    with asking.state() as state:
        assert [NOW + HOUR] == [reader.asked_at for reader in readers_of(state)]


def test_without_a_relay_nobody_was_asked(asking: Installation) -> None:
    asking.use_relay(1)

    asked = ask(asking)

    assert "deferred" == asked.receipt.outcome
    with asking.state() as state:
        assert () == readers_of(state)


def test_a_question_that_may_have_arrived_counts(asking: Installation, relay: SmtpServer) -> None:
    relay.script["dot"] = DROP

    assert "in_doubt" == ask(asking).receipt.outcome
    with pytest.raises(DigestError, match="was asked on"):
        ask(asking, NOW + HOUR)


def test_the_question_is_on_record_before_its_mail_leaves(asking: Installation, relay: SmtpServer) -> None:
    seen: list[datetime | None] = []

    def look(_: str) -> None:
        with open_state(asking.url, now=NOW) as state:
            seen.extend(one.asked_at for one in readers_of(state))

    relay.on["mail"] = look
    ask(asking)

    assert [NOW] == seen


def test_of_two_who_ask_at_once_one_does(asking: Installation, relay: SmtpServer) -> None:
    told: list[str] = []

    def ask_too() -> None:
        with pytest.raises(DigestError) as caught:
            ask(asking)
        told.append(caught.value.message)

    def meanwhile(_: str) -> None:
        other = Thread(target=ask_too)
        other.start()
        other.join()

    relay.on["mail"] = meanwhile
    ask(asking)

    assert [f"{DAN} was asked on 2026-09-15 at 06:00 UTC, and nothing was sent or changed"] == told
    assert 1 == len(relay.accepted)


def test_ada_of_the_configuration_is_nobody_to_confirm(home: Installation) -> None:
    with home.state() as state:
        assert "too late" == confirm(state, ADA, asked=NOW, now=NOW)
