"""Read what came back, and pause those who should get no more mail.

    each unread mail → its bounces → whose they are → durable → the mail is done
                     → or a letter: it stays unread, for a person
                     → or what its reader says of a paper, or that they want mail → signed by us → durable → done
    each reader on record → a reason to pause, or none → paused

The second half looks at everything on record, not at this run's mails: a crash between the two, or a refusal to pause
so many, loses nothing, and the next run decides again.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field, replace
from operator import attrgetter
from typing import TYPE_CHECKING

from digest import account
from digest.answer import is_genuine
from digest.bounces.answer import read_answer
from digest.bounces.bounce import Bounce
from digest.bounces.imap import ImapMailbox, ImapSettings
from digest.bounces.maildir import MaildirMailbox
from digest.bounces.policy import reason_to_pause
from digest.bounces.report import is_letter, read_report, reader_of
from digest.errors import DigestError
from digest.model import RunReport
from digest.pipeline.consent import hear
from digest.pipeline.readers import subscribers
from digest.state.bounces import StoredBounce
from digest.state.feedback import StoredFeedback
from digest.strangers import one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import datetime

    from digest.answer import Answer
    from digest.bounces.mailbox import Mailbox, Returned
    from digest.config import Settings
    from digest.model import Verdict
    from digest.state.store import State

#: refused answers that are told one by one
_TOLD = 20
#: so many readers may be paused in one run in any case …
_FEW = 10
#: … and one in so many of all readers. When more bounce at once, the fault is rather at our own relay
_ONE_IN = 20
_ASKED = {"unsubscribe", "complaint"}
_WORDS = {
    "hard": "hard",
    "soft": "soft",
    "complaint": "complaint",
    "unsubscribe": "unsubscribed",
    "other": "other",
}


@dataclass(slots=True)
class _Reading:
    """What the mails of one run said."""

    mails: int = 0
    #: bounces by kind
    kinds: Counter[str] = field(default_factory=Counter)
    #: what readers said of papers, by verb
    answers: Counter[str] = field(default_factory=Counter)
    #: that they want mail, now or again
    heard: Counter[str] = field(default_factory=Counter)
    #: answers that we have not signed, for nobody, or too late: one sentence each, without a full stop
    refused: list[str] = field(default_factory=list)
    #: automatic answers that are no bounces
    strangers: int = 0
    #: names in the mailbox of what people wrote, in this run
    letters: list[str] = field(default_factory=list)
    #: and what of that nobody has read yet, of all runs
    unread_letters: int = 0
    #: the mailbox, for people
    place: str = ""
    #: bounces that name no mail of ours
    ignored: int = 0
    #: what it holds against readers, by address, if it is not on record
    unkept: defaultdict[str, list[Bounce]] = field(default_factory=lambda: defaultdict(list))


@dataclass(frozen=True, slots=True)
class _Stop:
    """One reader who should get no more mail."""

    email: str
    reason: str
    #: what came back, by kind
    counts: Mapping[str, int]

    @property
    def asked(self) -> bool:
        """By the reader's own will; else the address does not work."""
        return not _ASKED.isdisjoint(self.counts)


class ManyBounceError(DigestError):
    """So much mail bounces that nobody is paused for it; all else was done, as `report` says."""

    def __init__(self, reason: str, report: RunReport) -> None:
        hint = "look at them with: digest bounces --dry-run; pause them with: digest bounces --allow-many"
        super().__init__(reason, hint=hint)
        self.report = report


def open_mailbox(settings: Settings) -> Mailbox:
    """The mailbox of the `[bounces]` section, to be entered.

    Raises:
        DigestError: there is no such section.
    """
    bounces = settings.bounces
    if bounces is None:
        hint = "add a [bounces] table to the configuration; `digest init` writes a commented example"
        raise DigestError("it is not configured where returned mail lies", hint=hint)
    if bounces.maildir is not None:
        return MaildirMailbox(bounces.maildir)
    return ImapMailbox(
        ImapSettings(
            host=bounces.host,
            username=bounces.username,
            password=bounces.password.get_secret_value() if bounces.password else "",
            port=bounces.port,
            security=bounces.security,
            folder=bounces.folder,
            handled_folder=bounces.handled_folder,
            ca_file=str(bounces.ca_file or ""),
        )
    )


def read_returns(
    settings: Settings,
    state: State,
    *,
    clock: Callable[[], datetime],
    dry_run: bool = False,
    allow_many: bool = False,
) -> RunReport:
    """Read every unread mail of the mailbox, then pause whom the record speaks against.

    Readers who unsubscribed or complained are paused in any case, others only if they are not suspiciously many.

    Args:
        settings: names the mailbox.
        state: what came back so far, and whom it may be held against.
        clock: gives the present moment, aware.
        dry_run: write nothing down, pause nobody, leave the mails unread; the report says what would be.
        allow_many: pause however many there are.

    Returns:
        a report with a verdict on each reader paused; its first note says how many mails were read.

    Raises:
        DigestError: no mailbox is configured.
        ManyBounceError: many more readers would be paused than can be right, and those whose address bounced were not.
        FetchError: the mailbox cannot be used; what was read before is on record.
        StateError: the state cannot be written; the mail that was read last stays unread.
    """
    started = clock()
    reading = _read(settings, state, keep=not dry_run)
    stops = _stops(state, reading.unkept, now=clock())
    refusal = "" if allow_many else _refusal(stops, readers=len(subscribers(settings, state)))
    if refusal and not dry_run:
        stops = [stop for stop in stops if stop.asked]
    verdicts = _verdicts(stops, clock(), done=not dry_run)
    warnings = (_letters(reading),) if reading.letters else ()
    report = RunReport("bounces", started, clock(), verdicts, tuple(_summary(reading)), warnings)
    whole = replace(report, warnings=(*warnings, refusal)) if refusal else report
    if dry_run:
        return whole
    with state.transaction():
        for stop in stops:
            state.subscribers.pause(stop.email, until=None, reason=stop.reason, now=report.finished_at)
        state.runs.record(whole)
    if refusal:
        raise ManyBounceError(refusal, report)
    return report


def _read(settings: Settings, state: State, *, keep: bool) -> _Reading:
    """Every unread mail; with `keep`, what it says is on record before it is done."""
    reading = _Reading()
    with open_mailbox(settings) as mailbox:
        for mail in mailbox.unread():
            if answer := read_answer(mail.data):
                said = _said(answer, mail, state, reading, keep=keep)
                if keep:
                    state.feedback.record(said)
                    mailbox.done(mail.name)
                continue
            bounces = read_report(mail.data, at=mail.arrived_at)
            if not bounces and mail.is_flagged:
                continue  # somebody sees to it, or was told to
            if not bounces and is_letter(mail.data):
                reading.mails += 1
                reading.letters.append(mail.name)
                continue
            found = list(_attributed(bounces, state, reading))
            if keep:
                state.bounces.record(_stored(email, bounce) for email, bounce in found)
                mailbox.done(mail.name)
            else:
                for email, bounce in found:
                    reading.unkept[email].append(bounce)
        # last: until a run comes to its end, nobody is told of its letters
        for name in reading.letters if keep else ():
            mailbox.leave(name)
        reading.place = mailbox.place
        reading.unread_letters = mailbox.left() + (0 if keep else len(reading.letters))
    return reading


def _said(answer: Answer, mail: Returned, state: State, reading: _Reading, *, keep: bool) -> list[StoredFeedback]:
    """What an answer says of a paper, if it is its reader's; with `keep`, what it confirms is on record.

    The moment is the mail's, so that reading it again says no more.
    """
    reading.mails += 1
    email = state.subscribers.by_token(answer.token)
    said = f"{mail.name}: “{answer.verb} {one_line(answer.key, 60)}”"
    genuine = is_genuine(answer, secret=state.feedback.secret())
    if genuine and answer.verb == "confirm":
        heard = hear(state, answer, now=mail.arrived_at, keep=keep)
        if heard == "too late":
            reading.refused.append(f"{said} came too late: that question is closed")
        else:
            reading.heard[heard] += 1
        return []
    if email is None or not genuine or answer.verb == "confirm":
        reading.refused.append(f"{said} was refused: it is not as we signed it")
        return []
    reading.answers[answer.verb] += 1
    # the mail may be older than what joined the paper with another
    stored = state.papers.get(answer.key)
    return [StoredFeedback(email, mail.arrived_at, answer.verb, "paper", stored.paper.key if stored else answer.key)]


def _attributed(bounces: Sequence[Bounce], state: State, reading: _Reading) -> Iterator[tuple[str, Bounce]]:
    """What one mail holds against readers of ours, with whom; everything is counted."""
    reading.mails += 1
    reading.strangers += not bounces
    for bounce in bounces:
        reading.kinds[bounce.kind] += 1
        email = reader_of(bounce, by_token=state.subscribers.by_token, by_message_id=state.ledger.recipient_of)
        if email is None:
            reading.ignored += 1
        elif bounce.kind != "other":
            yield email, bounce


def _stored(email: str, bounce: Bounce) -> StoredBounce:
    return StoredBounce(email, bounce.kind, bounce.message_id, bounce.at, bounce.status, bounce.diagnostic)


def _read_back(stored: StoredBounce) -> Bounce:
    return Bounce(stored.kind, stored.email, stored.message_id, stored.status, stored.diagnostic, stored.at)


def _stops(state: State, unkept: Mapping[str, Sequence[Bounce]], *, now: datetime) -> list[_Stop]:
    """Who should get no more mail, and still would; by address."""
    paused = {email for email, pause in state.subscribers.pauses().items() if pause.until is None}
    stops = []
    for email, history in _histories(state, unkept):
        if email not in paused and (reason := reason_to_pause(history, now=now)):
            stops.append(_Stop(email, reason, Counter(bounce.kind for bounce in history)))
    return sorted(stops, key=attrgetter("email"))


def _histories(state: State, unkept: Mapping[str, Sequence[Bounce]]) -> Iterator[tuple[str, Sequence[Bounce]]]:
    """What is on record, and what comes on top of it."""
    rest = dict(unkept)
    for email, stored in state.bounces.histories():
        yield email, (*map(_read_back, stored), *rest.pop(email, ()))
    yield from rest.items()


def _verdicts(stops: Sequence[_Stop], at: datetime, *, done: bool) -> tuple[Verdict, ...]:
    return tuple(
        account.bounced(stop.email, stop.reason, at, counts=stop.counts, asked=stop.asked, done=done) for stop in stops
    )


def _letters(reading: _Reading) -> str:
    """What people wrote and nobody has read; empty if there is nothing."""
    count = reading.unread_letters
    if not count:
        return ""
    lie = "letters from people lie" if count > 1 else "letter from a person lies"
    return f"{count:,} {lie} unread in {reading.place}: read {'them' if count > 1 else 'it'} there"


def _refusal(stops: Sequence[_Stop], *, readers: int) -> str:
    """Why so many are not paused at once; empty if they are not many."""
    bounced = sum(not stop.asked for stop in stops)
    if bounced <= max(_FEW, readers // _ONE_IN):
        return ""
    return (
        f"mail to {bounced:,} of {readers:,} readers bounces, so many that the fault may be at your own relay: "
        "without --allow-many none of them is paused"
    )


def _summary(reading: _Reading) -> Iterator[str]:
    kinds = ", ".join(_many(reading.kinds[kind], word) for kind, word in _WORDS.items() if reading.kinds[kind])
    told = [kinds] if kinds else []
    if reading.answers:
        told.append(", ".join(f"{count:,} {verb} like a paper" for verb, count in sorted(reading.answers.items())))
    told += [f"{count:,} {heard}" for heard, count in sorted(reading.heard.items())]
    if count := len(reading.letters):
        told.append(f"{count:,} {'letters from people' if count > 1 else 'letter from a person'}")
    if reading.strangers:
        told.append(f"{reading.strangers:,} {'were no bounces' if reading.strangers > 1 else 'was no bounce'}")
    read = f"{reading.mails:,} mail{'s' * (reading.mails != 1)} read"
    yield f"{read}: {'; '.join(told)}" if told else read
    yield from reading.refused[:_TOLD]
    if len(reading.refused) > _TOLD:
        yield f"{len(reading.refused) - _TOLD:,} more answers were refused"
    if reading.ignored:
        words = (
            "bounces name no mail of ours and were" if reading.ignored > 1 else "bounce names no mail of ours and was"
        )
        yield f"{reading.ignored:,} {words} ignored"
    if not reading.letters and (letters := _letters(reading)):
        yield letters  # somebody was warned when they came


def _many(count: int, word: str) -> str:
    return f"{count:,} {word}{'s' * (count != 1 and word in {'complaint', 'other'})}"
