"""Bounces of mails that were really sent, from the mailbox to the pause and its verdict."""

from __future__ import annotations

import json
import os
import re
from datetime import datetime, timedelta
from email import message_from_bytes, policy
from email.header import Header
from itertools import count
from typing import TYPE_CHECKING
from urllib.parse import unquote

import pytest

from digest.answer import line
from digest.errors import DigestError, FetchError
from digest.pipeline.returns import read_returns
from tests.bounces.dovecot import PASSWORD, USER, dovecot
from tests.bounces.mails import VACATION, feedback, notification, unsubscribe
from tests.installation import ADA, BOB, CAT, findings, item, message_id, reader, recipient, sentences
from tests.makers import NOW
from tests.state.shortcuts import reports_of

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

    from digest.answer import Verb
    from digest.model import RunReport
    from tests.installation import Installation
    from tests.smtp_server import SmtpServer

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
#: when the mailbox is read, after two mornings with mail
LATER = NOW + DAY + 2 * HOUR
NUMBERS = count(1)
GONE = (
    "Reporting-MTA: dns; mx.example.net\n\n"
    "Final-Recipient: rfc822; forwarded@example.net\nAction: failed\nStatus: 5.1.1\n"
    "Diagnostic-Code: smtp; 550 5.1.1 no such user\n"
)


def make_maildir(folder: Path) -> Path:
    for part in ("new", "cur", "tmp"):
        (folder / part).mkdir(parents=True)
    return folder


def put(maildir: Path, data: bytes, at: datetime) -> None:
    """The mail has arrived."""
    path = maildir / "tmp" / f"{next(NUMBERS)}.mail"
    path.write_bytes(data)
    path.chmod(0o666)
    os.utime(path, (at.timestamp(), at.timestamp()))
    path.rename(maildir / "new" / path.name)


def bounce(letter: bytes) -> bytes:
    """What comes back of a mail to an address that does not exist."""
    return notification(GONE, returned=f"Message-ID: {message_id(letter)}\nSubject: Papers\n")


def read(home: Installation, at: datetime = LATER, **options: Any) -> RunReport:
    with home.state() as state:
        return read_returns(home.settings(), state, clock=lambda: at, **options)


def paused(home: Installation) -> dict[str, str]:
    with home.state() as state:
        return {email: pause.reason for email, pause in state.subscribers.pauses().items()}


def on_record(home: Installation) -> list[tuple[str, int]]:
    """How much has come back of whose mail."""
    with home.state() as state:
        return [(email, len(history)) for email, history in state.bounces.histories()]


def token(home: Installation, email: str) -> str:
    with home.state() as state:
        return state.subscribers.tokens([email])[email]


@pytest.fixture
def returned(home: Installation) -> Path:
    """The Maildir that the configuration names."""
    home.sections["bounces"] = 'maildir = "returned"'
    return make_maildir(home.folder / "returned")


@pytest.fixture
def two_mornings(pulled: Installation) -> Installation:
    """Ada, Bob and Cat had mail yesterday and today."""
    pulled.send()
    pulled.publish(item(1), item(2))
    pulled.pull(NOW + HOUR)
    pulled.send(NOW + DAY)
    return pulled


def letters_to(home: Installation, email: str) -> list[bytes]:
    return [letter for letter in home.letters() if recipient(letter) == email]


REASON = "the address does not exist: bounced on 2 days, last on 2026-09-16 (5.1.1 550 5.1.1 no such user)"


def test_a_reader_whose_address_is_gone_is_paused(two_mornings: Installation, returned: Path) -> None:
    """It is the reader that the mail was sent to, whatever address the report names."""
    for number, letter in enumerate(letters_to(two_mornings, ADA)):
        put(returned, bounce(letter), NOW + number * DAY + HOUR)

    report = read(two_mornings)

    assert [f"{ADA}: paused: {REASON}; see: digest subscribers resume {ADA}"] == sentences(report)
    assert ("2 mails read: 2 hard",) == report.notes
    assert [({"hard": 2}, True)] == [(verdict.counts, verdict.trouble) for verdict in report.verdicts]
    assert {ADA: REASON} == paused(two_mornings)
    with two_mornings.state() as state:
        assert report.verdicts == state.runs.verdicts(scope="subscriber", name=ADA, since=LATER)
    assert [(ADA, "paused"), (BOB, "quiet"), (CAT, "quiet")] == findings(two_mornings.send(NOW + 2 * DAY))


def test_a_mail_is_read_once(two_mornings: Installation, returned: Path) -> None:
    put(returned, bounce(letters_to(two_mornings, ADA)[0]), NOW)

    assert ("1 mail read: 1 hard",) == read(two_mornings).notes
    assert ("0 mails read",) == read(two_mornings, LATER + DAY).notes
    assert ([(ADA, 1)], {}) == (on_record(two_mornings), paused(two_mornings))


def test_a_mail_that_is_read_again_after_a_crash_counts_once(two_mornings: Installation, returned: Path) -> None:
    """What it says was on record, and it was not marked as read yet."""
    put(returned, bounce(letters_to(two_mornings, ADA)[0]), NOW)
    read(two_mornings)
    [done] = (returned / "cur").iterdir()
    done.rename(returned / "new" / "again")

    read(two_mornings)

    assert [(ADA, 1)] == on_record(two_mornings)


def test_a_crash_before_the_pause_is_made_good_by_the_next_run(two_mornings: Installation, returned: Path) -> None:
    """The mails are read already, and the record decides."""
    for number, letter in enumerate(letters_to(two_mornings, ADA)):
        put(returned, bounce(letter), NOW + number * DAY)
    read(two_mornings)
    with two_mornings.state() as state:
        [(_, history)] = state.bounces.histories()
        state.subscribers.resume(ADA, now=LATER)
        state.bounces.record(history)

    report = read(two_mornings)

    assert ([ADA], ("0 mails read",)) == (list(paused(two_mornings)), report.notes)
    assert () == read(two_mornings).verdicts


def test_strangers_and_forgers_change_nothing(two_mornings: Installation, returned: Path) -> None:
    forged = notification(GONE.replace("forwarded@example.net", ADA), returned="Message-ID: <guessed@example.org>\n")
    for data in (forged, unsubscribe("unsubscribe AAAAAAAAAAAAAAAAAAAAAA"), VACATION, VACATION):
        put(returned, data, NOW)

    report = read(two_mornings)

    assert (
        "4 mails read: 1 hard, 1 unsubscribed; 2 were no bounces",
        "2 bounces name no mail of ours and were ignored",
    ) == report.notes
    assert ((), [], {}) == (report.verdicts, on_record(two_mornings), paused(two_mornings))


def test_who_unsubscribes_by_mail_or_complains_is_paused_at_once(two_mornings: Installation, returned: Path) -> None:
    put(returned, unsubscribe(f"unsubscribe {token(two_mornings, ADA)}"), LATER)
    complaint = feedback(more=f"Original-Mail-From: <digest+{token(two_mornings, BOB)}@example.org>\n")
    put(returned, complaint, LATER)

    report = read(two_mornings)

    assert [f"{ADA}: paused: unsubscribed by mail", f"{BOB}: paused: reported a mail as spam"] == sentences(report)
    # the one is a choice, the other should be looked at
    assert [False, True] == [verdict.trouble for verdict in report.verdicts]
    assert ("2 mails read: 1 complaint, 1 unsubscribed",) == report.notes


def test_a_notice_of_a_delay_is_held_against_nobody(two_mornings: Installation, returned: Path) -> None:
    delay = GONE.replace("failed", "delayed").replace("5.1.1", "4.4.1")
    letter = letters_to(two_mornings, ADA)[0]
    put(returned, notification(delay, returned=f"Message-ID: {message_id(letter)}\n"), NOW)

    assert (("1 mail read: 1 other",), []) == (read(two_mornings).notes, on_record(two_mornings))


def test_a_dry_run_says_what_would_be_and_changes_nothing(two_mornings: Installation, returned: Path) -> None:
    first, second = letters_to(two_mornings, ADA)
    put(returned, bounce(first), NOW)
    read(two_mornings)
    put(returned, bounce(second), NOW + DAY)

    dry = [read(two_mornings, dry_run=True) for _ in range(2)]

    assert dry[0] == dry[1]
    assert ([(ADA, 1)], {}) == (on_record(two_mornings), paused(two_mornings))
    assert [f"{ADA}: would be paused: {REASON}"] == sentences(dry[0])
    assert findings(dry[0]) == findings(read(two_mornings))


def test_after_a_resume_old_bounces_are_forgiven(two_mornings: Installation, returned: Path) -> None:
    first, second = letters_to(two_mornings, ADA)
    put(returned, bounce(first), NOW)
    put(returned, bounce(second), NOW + DAY)
    read(two_mornings)
    with two_mornings.state() as state:
        state.subscribers.resume(ADA, now=LATER)
    put(returned, bounce(second), LATER)

    assert () == read(two_mornings).verdicts
    assert {} == paused(two_mornings)


def test_who_unsubscribes_by_a_mail_that_somebody_flagged_gets_no_more(
    two_mornings: Installation, returned: Path
) -> None:
    """A filter may flag whatever comes, and so may who looks through the mailbox."""
    text = unsubscribe(f"unsubscribe {token(two_mornings, ADA)}")
    (returned / "cur" / "1.a:2,F").write_bytes(text)

    report, again = read(two_mornings), read(two_mornings)

    assert ("1 mail read: 1 unsubscribed",) == report.notes
    assert {ADA: "unsubscribed by mail"} == paused(two_mornings)
    assert ("0 mails read",) == again.notes


# --- too many -----------------------------------------------------------------------------------------------------


@pytest.fixture
def outage(home: Installation, returned: Path) -> Installation:
    """Eleven readers bounced on two days, a twelfth unsubscribed."""
    addresses = [f"r{number:02d}@example.org" for number in range(12)]
    home.readers = tuple(reader(address) for address in addresses)
    home.publish(item(1))
    home.pull()
    home.send()
    for letter in home.letters()[1:]:
        put(returned, bounce(letter), NOW)
        put(returned, bounce(letter), NOW + DAY)
    put(returned, unsubscribe(f"unsubscribe {token(home, addresses[0])}"), NOW)
    return home


def test_when_very_many_bounce_only_those_who_asked_are_paused(outage: Installation) -> None:
    sentence = (
        "mail to 11 of 12 readers bounces, so many that the fault may be at your own relay: "
        "without --allow-many none of them is paused"
    )

    assert (sentence,) == read(outage, dry_run=True).warnings
    with pytest.raises(DigestError) as caught:
        read(outage)

    assert sentence == caught.value.message
    assert "digest bounces --allow-many" in caught.value.hint
    assert {"r00@example.org": "unsubscribed by mail"} == paused(outage)
    with outage.state() as state:
        [recorded] = reports_of(state, since=LATER)
    assert ("23 mails read: 22 hard, 1 unsubscribed", sentence) == recorded.notes


def test_the_operator_can_pause_them_all_the_same(outage: Installation) -> None:
    """The mails are read by then; what they said is on record."""
    with pytest.raises(DigestError):
        read(outage)

    report = read(outage, allow_many=True)

    assert (11, 12) == (len(report.verdicts), len(paused(outage)))


def test_ten_are_not_too_many(outage: Installation, returned: Path) -> None:
    last = max(outage.letters(), key=recipient)
    for path in (returned / "new").iterdir():
        if message_id(last) in path.read_text():
            path.unlink()

    assert 11 == len(read(outage).verdicts)


# --- envelope senders ---------------------------------------------------------------------------------------------


def test_every_mail_has_an_envelope_sender_that_names_its_reader(
    pulled: Installation, relay: SmtpServer, returned: Path
) -> None:
    """So that a bounce that brings nothing back is known, too."""
    pulled.sections["bounces"] += "\nverp = true"
    pulled.send()
    senders = {mail.recipient: mail.sender for mail in relay.accepted}

    assert {email: f"digest+{token(pulled, email)}@example.org" for email in (ADA, BOB, CAT)} == senders

    for day in range(2):
        put(returned, notification(GONE, returned="", to=senders[BOB]), NOW + day * DAY)
    assert [(BOB, "paused")] == findings(read(pulled))


def test_without_verp_all_have_the_same(pulled: Installation, relay: SmtpServer, returned: Path) -> None:
    assert returned.is_dir()
    pulled.send()

    assert {"digest@example.org"} == {mail.sender for mail in relay.accepted}


# --- mailboxes ----------------------------------------------------------------------------------------------------


def test_without_a_mailbox_it_says_what_to_configure(home: Installation) -> None:
    with pytest.raises(DigestError, match="it is not configured where returned mail lies") as caught:
        read(home)

    assert "[bounces]" in caught.value.hint


def test_a_mailbox_that_is_none_is_one_error(home: Installation) -> None:
    home.sections["bounces"] = 'maildir = "missing"'

    with pytest.raises(FetchError, match="missing: this is no Maildir"):
        read(home)


def test_a_mailbox_may_be_on_a_server(two_mornings: Installation) -> None:
    with dovecot() as server:
        keys = {"host": "localhost", "port": server.tls_port, "username": USER, "password": PASSWORD}
        keys |= {"ca_file": server.ca_file}
        two_mornings.sections["bounces"] = "".join(f"{key} = {json.dumps(value)}\n" for key, value in keys.items())
        for number, letter in enumerate(letters_to(two_mornings, CAT)):
            put(server.maildir, bounce(letter), NOW + number * DAY)

        reports = [read(two_mornings), read(two_mornings)]

    assert [("2 mails read: 2 hard",), ("0 mails read",)] == [report.notes for report in reports]
    assert {CAT: REASON} == paused(two_mornings)


# --- what readers say of papers -------------------------------------------------------------------------------------


def answer(subject: str, more: str = "") -> bytes:
    return f"From: whoever@example.net\r\nTo: x@example.org\r\nSubject: {subject}\r\n{more}\r\n".encode()


def link(home: Installation, verb: Verb, key: str = "arxiv:2609.00001") -> str:
    """The subject that a link in Ada's mail gives."""
    with home.state() as state:
        return line(verb, key, state.subscribers.tokens([ADA])[ADA], secret=state.feedback.secret())


def said(home: Installation) -> list[tuple[str, str, str]]:
    with home.state() as state:
        return [(one.verb, one.kind, one.what) for one in state.feedback.log(ADA)]


def test_what_a_reader_answers_with_a_link_is_kept_once(two_mornings: Installation, returned: Path) -> None:
    put(returned, answer(f"Re: {link(two_mornings, 'more')}"), NOW + HOUR)
    put(returned, answer(link(two_mornings, "less")), NOW + 2 * HOUR)

    report = read(two_mornings)
    (returned / "new").joinpath("again").write_bytes(answer(link(two_mornings, "less")))
    os.utime(returned / "new" / "again", ((NOW + 2 * HOUR).timestamp(),) * 2)
    read(two_mornings)

    assert ("2 mails read: 1 less like a paper, 1 more like a paper",) == report.notes
    assert [("more", "paper", "arxiv:2609.00001"), ("less", "paper", "arxiv:2609.00001")] == said(two_mornings)
    assert [] == list((returned / "new").iterdir())


def test_an_answer_counts_for_the_key_that_the_paper_has_by_now(two_mornings: Installation, returned: Path) -> None:
    """So that it is known as the same thing when it is taken back or said otherwise."""
    with two_mornings.state() as state:
        stored = state.papers.get("arxiv:2609.00001")
    assert stored is not None
    put(returned, answer(link(two_mornings, "more", stored.paper.aliases[0])), NOW + HOUR)

    read(two_mornings)

    assert [("more", "paper", "arxiv:2609.00001")] == said(two_mornings)


def test_answers_of_programs_that_encode_subjects_are_read(two_mornings: Installation, returned: Path) -> None:
    """RFC 2047; a line is longer than one encoded word may be."""
    subject = Header(f"回复：{link(two_mornings, 'more')}", "utf-8").encode(linesep="\r\n")
    put(returned, answer(subject), NOW + HOUR)
    put(returned, answer("=?utf-8?b?a?="), NOW + 2 * HOUR)

    report = read(two_mornings)

    assert "more" not in subject
    assert "2 mails read: 1 more like a paper; 1 letter from a person" == report.notes[0]
    assert [("more", "paper", "arxiv:2609.00001")] == said(two_mornings)


def test_a_link_in_a_mail_that_was_sent_comes_back_as_feedback(pulled: Installation, returned: Path) -> None:
    pulled.sections["mail"] = 'feedback = "feedback@example.org"'
    pulled.send()
    letter = message_from_bytes(letters_to(pulled, ADA)[0], policy=policy.default)
    body = letter.get_body(("html",))
    assert body is not None
    subjects = re.findall(r'href="mailto:feedback@example\.org\?subject=(more[^"]+)"', body.get_content())

    put(returned, answer(unquote(subjects[0])), NOW + HOUR)
    report = read(pulled)

    assert "1 mail read: 1 more like a paper" == report.notes[0]
    assert [("more", "paper", "arxiv:2609.00001")] == said(pulled)


def test_forged_and_altered_answers_are_refused_with_a_line(two_mornings: Installation, returned: Path) -> None:
    genuine = link(two_mornings, "more")
    put(returned, answer(genuine.replace("00001", "00002")), NOW + HOUR)
    put(returned, answer(genuine.replace("more", "less")), NOW + HOUR)
    put(returned, answer(line("more", "arxiv:2609.00001", "x" * 22, secret="guessed")), NOW + HOUR)
    put(returned, answer(genuine, "Auto-Submitted: auto-replied\r\n"), NOW + HOUR)

    report = read(two_mornings)

    assert "4 mails read: 1 was no bounce" == report.notes[0]
    assert 3 == sum("was refused: it is not as we signed it" in note for note in report.notes)
    assert [] == said(two_mornings)


def test_a_dry_run_keeps_no_answer(two_mornings: Installation, returned: Path) -> None:
    put(returned, answer(link(two_mornings, "more")), NOW + HOUR)

    report = read(two_mornings, dry_run=True)

    assert ("1 mail read: 1 more like a paper",) == report.notes
    assert [] == said(two_mornings)
    assert 1 == len(list((returned / "new").iterdir()))
