"""What must hold after every step, and what every sentence of a report must be true about."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from tests.installation import message_id, picked
from tests.pipeline.machine.book import DOUBT, FINAL, news

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime, timedelta

    from digest.model import Verdict
    from tests.pipeline.machine.book import Book, Name, Reader, Row
    from tests.smtp_server import Accepted


# every mail is looked at again after every step
_message_id = cache(message_id)


@cache
def _numbers(data: bytes) -> frozenset[int]:
    return frozenset(picked(data))


# --- at any time ------------------------------------------------------------------------------------------------


def check_mail(book: Book, accepted: Sequence[Accepted], doubts: Mapping[Name, int]) -> None:
    """The ledger and what the server has taken, from the first day on.

    Args:
        book: the ledger now.
        accepted: by the server, all of it.
        doubts: how often each mail was left in a state in which it may or may not have arrived.
    """
    by_id: dict[str, list[Accepted]] = defaultdict(list)
    for mail in accepted:
        by_id[_message_id(mail.data)].append(mail)
    assert by_id.keys() <= {row.message_id for row in book.rows.values()}
    for (email, day), row in book.rows.items():
        what = f"{email} {day} {row.state}"
        taken = by_id.get(row.message_id, [])
        assert {email} >= {mail.recipient for mail in taken}, what
        assert 1 >= len({mail.data for mail in taken}), f"{what}: the same mail with other bytes"
        assert len(taken) <= 1 + doubts[email, day], f"{what}: came {len(taken)} times"
        if row.state == "sent":
            assert taken, f"{what}: never accepted"
        elif taken:
            assert row.state in DOUBT or doubts[email, day], f"{what}: was accepted"
        for mail in taken[:1]:
            assert {int(key[-5:]) for key in row.papers} == _numbers(mail.data), what


def check_papers(book: Book, accepted: Sequence[Accepted], doubts: Mapping[Name, int]) -> None:
    """Nobody gets a paper in two mails, unless the first was in doubt when it was given up."""
    arrived = {_message_id(mail.data) for mail in accepted}
    had: dict[tuple[str, str], Name] = {}
    for name, row in sorted(book.rows.items(), key=lambda entry: entry[1].planned_at):
        if row.message_id not in arrived or (row.state in {"refused", "expired"} and doubts[name]):
            continue
        for paper in row.papers:
            first = had.setdefault((name[0], paper), name)
            assert first == name, f"{name[0]} got {paper} on {first[1]} and on {name[1]}"


def check_moves(before: Book, after: Book) -> None:
    """Rows stay, and what is final stays as it is."""
    for name, row in before.rows.items():
        assert name in after.rows, f"{name} was forgotten"
        assert row.message_id == after.rows[name].message_id
        assert row.papers == after.rows[name].papers
        if row.state in FINAL:
            assert row.state == after.rows[name].state, f"{name} was final"


def check_held(before: Book, after: Book, accepted: Sequence[Accepted]) -> None:
    """With `in_doubt = "hold"`: what was held back or interrupted is not sent, and nothing is left to be sent again."""
    again = {_message_id(mail.data) for mail in accepted}
    for name, row in before.rows.items():
        if row.state in {"held", "sending"}:
            assert "held" == after.rows[name].state, name
            assert row.message_id not in again, name
    for name, row in after.rows.items():
        old = before.rows.get(name)
        assert row.state != "in_doubt" or (old is not None and old.state == "in_doubt"), f"{name} was not held back"


# --- after a run that ended by itself -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Sending:
    """One or more runs of send at the same moment, not one of which crashed, and what they were about."""

    before: Book
    after: Book
    now: datetime
    readers: Mapping[str, Reader]
    topics: Mapping[str, str]
    verdicts: Sequence[Verdict]
    #: what the server took meanwhile
    accepted: Sequence[Accepted]
    give_up: timedelta
    #: when the last send before began that looked at everybody
    last_run: datetime | None = None
    #: `in_doubt = "hold"`
    hold: bool = False
    any_hour: bool = False
    #: whether what was held back was sent, too
    released: bool = False
    #: whether all that waited could go out: the server took everything, and nobody asked to stop
    unhindered: bool = False
    #: whether a pull stored papers meanwhile, which the plan may have seen or not
    pulled: bool = False
    #: whether it ended, asked to stop, before everybody was looked at
    unfinished: bool = False

    def changed(self, email: str, *states: str) -> list[Name]:
        """Mails of one reader that came into one of the states."""
        return [
            name
            for name, row in self.after.rows.items()
            if name[0] == email and row.state in states and row.state != self._state_before(name)
        ]

    def attempted(self, name: Name) -> bool:
        old = self.before.rows.get(name)
        return self.after.rows[name].attempts > (old.attempts if old else 0)

    def _state_before(self, name: Name) -> str:
        row = self.before.rows.get(name)
        return row.state if row else ""


def check_sending(sending: Sending) -> None:
    by_email: dict[str, list[Verdict]] = defaultdict(list)
    for verdict in sending.verdicts:
        by_email[verdict.name].append(verdict)
    assert sending.unfinished or sending.readers.keys() <= by_email.keys(), "somebody has no verdict"
    taken = Counter(_message_id(mail.data) for mail in sending.accepted)
    for email in by_email.keys() | {email for email, _ in sending.after.rows}:
        _check_verdicts(sending, email, by_email[email], taken)
    for name, row in sending.after.rows.items():
        assert row.state != "sending", f"{name} is still being sent"
        if sending.unhindered:
            assert not row.waits(sending.now), f"{name} could have been sent: {row}"
    for reader in sending.readers.values():
        _check_plan(sending, reader, by_email[reader.email])


def _check_verdicts(sending: Sending, email: str, verdicts: Iterable[Verdict], taken: Mapping[str, int]) -> None:
    after, found = sending.after.rows, Counter(verdict.finding for verdict in verdicts)
    what = f"{email}: {[verdict.sentence for verdict in verdicts]}"
    sent = sending.changed(email, "sent")
    assert len(sent) == found["sent"], what
    assert [1] * len(sent) == [taken[after[name].message_id] for name in sent], what
    assert len(sending.changed(email, "refused")) == found["refused"], what
    dropped = sending.changed(email, "expired")
    assert found["expired"] <= len(dropped) <= found["expired"] + found["paused"], what
    for name in sending.changed(email, "deferred", "refused", "expired"):
        assert not taken[after[name].message_id], what
    doubtful = [name for name in after if name[0] == email and after[name].state in {"in_doubt", "held"}]
    attempted = [name for name in doubtful if sending.attempted(name)]
    # that a mail was interrupted is told before it is released
    freed = {name for name, row in sending.before.rows.items() if sending.released and row.state == "sending"}
    assert len(attempted) <= found["in_doubt"] <= len({*doubtful, *freed}), what
    put_off = [name for name in after if name[0] == email and after[name].state in {"planned", "deferred", "in_doubt"}]
    assert found["deferred"] + found["planned"] <= len(put_off), what
    failed = [name for name in put_off if after[name].state == "deferred" and sending.attempted(name)]
    assert len(failed) <= found["deferred"], what


def _check_plan(sending: Sending, reader: Reader, verdicts: Iterable[Verdict]) -> None:
    """Whether today's digest had to be planned, and that it says so if not."""
    found = {verdict.finding for verdict in verdicts}
    what = f"{reader.email}: {[verdict.sentence for verdict in verdicts]}"
    name = reader.email, reader.local(sending.now).date()
    before, after = sending.before.rows.get(name), sending.after.rows.get(name)
    paused = sending.before.pause(reader, sending.now)
    had = [day for email, day in sending.before.rows if email == reader.email]
    early = not sending.any_hour and reader.too_early(sending.now, sending.last_run, had)
    assert ("not_due" in found) <= (early and not paused), what
    assert ("paused" in found) <= paused, what
    assert ("done" in found) <= (before is not None and before.state in FINAL), what
    if paused or early or before is not None:
        assert found.isdisjoint({"quiet", "all_seen"}), what
        assert before is not None or after is None, f"{what}: planned though nothing was due"
        return
    if sending.unfinished and after is None and found.isdisjoint({"quiet", "all_seen"}):
        return  # nobody has looked for today's
    new = news(sending.before, reader, sending.topics, sending.now, give_up=sending.give_up, hold=sending.hold)
    # an older mail may be delivered before today's is planned: then what had no room in it is news no more
    last = max((row.planned_at for row in _sent_now(sending, reader)), default=None)
    still_new = {key for key in new if last is None or sending.before.papers[key] > last}
    if after is None:
        assert not still_new, f"{what}: but {sorted(still_new)}"
        assert found & {"quiet", "all_seen"}, what
    elif not sending.pulled:
        # those of an older mail that was refused before today's was planned are news again
        new |= {key for row in _refused_now(sending, reader) for key in row.papers}
        assert set(after.papers) <= new, f"{what}: {after.papers} of {sorted(new)}"
        least, most = (min(len(some), reader.max_papers) for some in (still_new, new))
        assert least <= len(after.papers) <= most, f"{what}: {after.papers} of {sorted(new)}"
        assert after.papers or reader.note, f"{what}: a mail of nothing to who did not ask for it"
        assert found.isdisjoint({"quiet", "all_seen"}), what


def _refused_now(sending: Sending, reader: Reader) -> list[Row]:
    """Older mails of the reader that were refused for good by this run."""
    names = sending.changed(reader.email, "refused")
    return [sending.before.rows[name] for name in names if name in sending.before.rows]


def _sent_now(sending: Sending, reader: Reader) -> list[Row]:
    """Older mails of the reader that were delivered by this run."""
    names = sending.changed(reader.email, "sent")
    rows = (sending.after.rows[name] for name in names if name in sending.before.rows)
    return [row for row in rows if row.papers]


# --- the story ----------------------------------------------------------------------------------------------------

#: of each state of today's mail what its story has to say, one of these
_WORDS = {
    "planned": ("waits", "planned"),
    "deferred": ("waits", "not delivered yet"),
    "in_doubt": ("may or may not have arrived", "waits"),
    "held": ("may or may not have arrived",),
    "sent": (" sent; ", "was sent before"),
    "refused": ("refused",),
    "expired": ("given up", "dropped"),
}


def check_story(book: Book, reader: Reader, now: datetime, lines: Sequence[str]) -> None:
    """What `digest why` has to say about a reader at `now`, today's lines, against the ledger."""
    row = book.rows.get((reader.email, reader.local(now).date()))
    if row is not None:
        told = "\n".join(lines)
        assert any(word in told for word in _WORDS[row.state]), f"{reader}: {row}, but: {told}"
