"""Choose every due subscriber's digest and enter it in the ledger. Nothing is rendered or sent here."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from functools import cached_property, partial
from itertools import chain, pairwise
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from digest import account
from digest.compose.message import message_id
from digest.curate.explain import explain
from digest.curate.offer import Request
from digest.curate.query import parse
from digest.due import due
from digest.pipeline.news import gather, with_followups
from digest.pipeline.profiles import profiles
from digest.pipeline.readers import pause_reason, shards
from digest.pipeline.shelf import Pool, Shelf, lay_out
from digest.pipeline.silence import doubts
from digest.pipeline.summaries import Summaries
from digest.pipeline.thumbnails import Thumbnails

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from collections.abc import Set as AbstractSet
    from datetime import datetime

    from digest.config import Settings
    from digest.curate.explain import Explanation
    from digest.curate.followups import FollowUps
    from digest.due import Due
    from digest.model import Digest, MailKey, Subscriber, Verdict
    from digest.state.store import State

#: subscribers who are in memory, and whose history is read from the state, at once
_SHARD = 500


def preview(settings: Settings, state: State, subscriber: Subscriber, *, now: datetime) -> Digest:
    """The digest that a subscriber would get now, whatever the hour; nothing is written."""
    local_date = now.astimezone(ZoneInfo(subscriber.timezone)).date()
    digests = _digests(state, [(subscriber, local_date)], lay_out(settings, state, now=now), now=now)
    told = with_followups([*digests], state, gather(state, now=now), now=now)
    illustrated = Thumbnails(state).put_into(told)
    (digest,) = Summaries(settings, state, now=now, ask=False).put_into(illustrated)
    return digest


def explained(
    settings: Settings, state: State, subscriber: Subscriber, *, now: datetime, missed_max: int
) -> tuple[Explanation, ...]:
    """The numbers behind what `preview` gives, and those of at most `missed_max` papers that just missed.

    Its words are English, as of all commands.
    """
    subscriber = replace(subscriber, language="en")
    local_date = now.astimezone(ZoneInfo(subscriber.timezone)).date()
    shelf = lay_out(settings, state, now=now)
    ((pool, (request,)),) = _requests(state, [(subscriber, local_date)], shelf, now=now)
    span = shelf.span(subscriber)
    return explain(pool.ranking, span.offer(pool), request, span.trends, missed_max=missed_max)


@dataclass(frozen=True, slots=True)
class Shard:
    """What was planned for some of the readers."""

    #: entered in the ledger: each has something in it, or is a note to somebody who wants to hear of quiet days
    digests: tuple[Digest, ...] = ()
    #: on all the others, by address and local day: why nothing more was planned for them
    verdicts: Mapping[MailKey, Verdict] = field(default_factory=dict)
    #: no other readers follow
    last: bool = False


def plan(settings: Settings, state: State, *, now: datetime, any_hour: bool = False) -> Iterator[Shard]:
    """Enter a ledger row for every subscriber whose digest is due and has something in it, some subscribers at a time.

    A digest with nothing in it leaves no row, so that papers which arrive later the same day are still mailed; unless
    its reader wants a note of such days and it is certain that nothing more is to come.

    Args:
        settings: subscribers and limits.
        state: papers, pauses and the ledger.
        now: aware; the moment of the plan.
        any_hour: today's digests are due whatever the hour and the weekday.

    Yields:
        every subscriber, in a digest or in a verdict; what is yielded is durable.
    """
    planner = _Planner(settings, state, now=now, any_hour=any_hour)
    everybody = shards(settings, state, _SHARD, tokens=True, unreadable=planner.leave_out)
    for readers, following in pairwise(chain(everybody, (None,))):
        if readers is not None:
            yield replace(planner.plan(readers), last=following is None)
    if verdicts := planner.left_out():  # nobody at all can be read
        yield Shard(verdicts=verdicts, last=True)


class _Planner:
    """Plans shard after shard from the same papers, which are read when the first digest is due."""

    def __init__(self, settings: Settings, state: State, *, now: datetime, any_hour: bool) -> None:
        self._settings = settings
        self._state = state
        self._now = now
        self._any_hour = any_hour
        self._summaries = Summaries(settings, state, now=now)
        self._thumbnails = Thumbnails(state)
        self._left_out: dict[MailKey, Verdict] = {}

    def leave_out(self, email: str, reason: str) -> None:
        """Nothing can be planned for this reader; said with the next readers who are planned."""
        self._left_out[email, self._now.date()] = account.unreadable(email, reason, self._now)

    def left_out(self) -> dict[MailKey, Verdict]:
        """Verdicts on those of whom it was not said yet."""
        verdicts, self._left_out = self._left_out, {}
        return verdicts

    @cached_property
    def _shelf(self) -> Shelf:
        _await_pull(self._state)
        return lay_out(self._settings, self._state, now=self._now)

    @cached_property
    def _last_run(self) -> datetime | None:
        """Of those before this one, which is not finished."""
        return self._state.runs.last_finished("send")

    @cached_property
    def _followups(self) -> FollowUps:
        return gather(self._state, now=self._now)

    @cached_property
    def _doubts(self) -> str:
        """Why nobody may be told that there is nothing for them; empty if they may."""
        return doubts(self._settings, self._state, now=self._now)

    def plan(self, readers: Sequence[Subscriber]) -> Shard:
        verdicts = self.left_out()
        due_now: list[tuple[Subscriber, date]] = []
        for reader, answer in self._due(readers):
            if answer.not_yet:
                verdicts[reader.email, answer.local_date] = account.not_due(reader.email, answer, self._now)
            else:
                due_now.append((reader, answer.local_date))
        rows = self._state.ledger.entered([(reader.email, day) for reader, day in due_now])
        verdicts |= {mail: account.already(row, self._now) for mail, row in rows.items()}
        waiting = [(reader, day) for reader, day in due_now if (reader.email, day) not in rows]
        if not waiting:
            return Shard(verdicts=verdicts)
        chosen = list(_digests(self._state, waiting, self._shelf, now=self._now, keep=True))
        told = with_followups(chosen, self._state, self._followups, now=self._now)
        digests = self._summaries.put_into(self._thumbnails.put_into(told))
        mailed = []
        for digest in digests:
            if digest.picks or (digest.subscriber.quiet == "note" and not self._doubts):
                mailed.append(digest)
            else:
                verdicts[digest.subscriber.email, digest.local_date] = self._nothing(digest)
        return Shard(self._enter(_with_tokens(self._state, mailed)), verdicts)

    def _nothing(self, digest: Digest) -> Verdict:
        if not digest.considered and self._is_unread:
            return account.nothing_read(digest)
        return account.nothing(digest, self._doubts if digest.subscriber.quiet == "note" else "")

    @cached_property
    def _is_unread(self) -> bool:
        """No source could ever be read, or nobody tried; one that was read and had nothing in it was read."""
        memories = self._state.papers.memories().values()
        return all(one.first_pull_at is None and (one.failures or one.last_pull_at is None) for one in memories)

    def _due(self, readers: Sequence[Subscriber]) -> Iterator[tuple[Subscriber, Due]]:
        """Whose digest is due: of those who missed theirs, who had one from that day on has not missed it."""
        pauses = self._state.subscribers.pauses(reader.email for reader in readers)
        ask = {
            reader.email: partial(
                due, reader, self._now, paused=pause_reason(reader, pauses, self._now), any_hour=self._any_hour
            )
            for reader in readers
        }
        answers = [(reader, ask[reader.email](last_run=self._last_run)) for reader in readers]
        late = [
            (reader.email, answer.missed_on + timedelta(days=number))
            for reader, answer in answers
            if answer.missed_on
            for number in range((answer.local_date - answer.missed_on).days)
        ]
        had = {email for email, _ in self._state.ledger.entered(late)}
        for reader, answer in answers:
            yield reader, ask[reader.email]() if reader.email in had else answer

    def _enter(self, digests: Sequence[Digest]) -> tuple[Digest, ...]:
        domain = self._settings.mail.ascii_domain
        entered = self._state.ledger.plan(((d, _message_id(d, domain)) for d in digests), now=self._now)
        return tuple(d for d in digests if (d.subscriber.email, d.local_date) in entered)


def _await_pull(state: State) -> None:
    """Let a pull that is storing its papers finish, in whatever process.

    They are first seen at a moment before the plan's, and not yet there to be read: a digest planned without them
    would make them older than the last digest, and so never news.
    """
    with state.transaction():
        pass


def _digests(
    state: State,
    readers: Sequence[tuple[Subscriber, date]],
    shelf: Shelf,
    *,
    now: datetime,
    keep: bool = False,
) -> Iterator[Digest]:
    """Those of a day, then those of a week."""
    for weekly in (False, True):
        some = [(reader, day) for reader, day in readers if (reader.frequency == "weekly") == weekly]
        if some:
            span = shelf.span(some[0][0])
            for pool, requests in _requests(state, some, shelf, now=now, keep=keep):
                yield from span.select(pool, requests)


def _requests(
    state: State,
    readers: Sequence[tuple[Subscriber, date]],
    shelf: Shelf,
    *,
    now: datetime,
    keep: bool = False,
) -> Iterator[tuple[Pool, list[Request]]]:
    """Of readers whose digests cover equally much: by the papers that theirs are selected from, in their order."""
    emails, span = [reader.email for reader, _ in readers], shelf.span(readers[0][0])
    # before what was delivered: a mail that is delivered between the two looks is found by both, not by neither
    on_the_way = state.ledger.open_keys(emails)
    delivered = state.ledger.seen(emails, since=shelf.mailed_since)
    # what was planned at a moment that has not come was planned while the clock was ahead, without what came since
    last_sent = state.ledger.last_sent(emails, since=span.remembered_since, until=now)
    # a later mail may have been delivered before this one was given up
    undelivered = state.ledger.undelivered(emails, since=shelf.mailed_since)
    found: dict[Pool, list[Request]] = {}
    for reader, local_date in readers:
        email = reader.email
        last, waiting = last_sent.get(email), bool(on_the_way[email])
        since = span.since(last)
        returned = (undelivered[email] - delivered[email]) & span.recent
        request = Request(
            reader,
            [parse(entry) for entry in reader.keywords],
            since=since,
            returned=returned,
            seen=delivered[email] | on_the_way[email],
            local_date=local_date,
            planned_at=now,
            days=span.told(last, returned=bool(returned), waiting=waiting),
            waiting=waiting,
            unread=shelf.unread_since(since),
        )
        found.setdefault(span.pool(since, returned=bool(returned)), []).append(request)
    for pool, requests in found.items():
        yield pool, _with_profiles(state, requests, shelf.outspoken, pool, now=now, keep=keep)


def _with_profiles(
    state: State, requests: list[Request], outspoken: AbstractSet[str], pool: Pool, *, now: datetime, keep: bool
) -> list[Request]:
    """The requests; those of readers who brought or said anything with what their profiles do to the papers."""
    spoke = [one.subscriber.email for one in requests if one.subscriber.email in outspoken]
    if not spoke:
        return requests
    found = profiles(state, spoke, pool.profiles, now=now, keep=keep)
    return [
        replace(one, profile=partial(pool.profiles.applied, profile=found[email])) if email in found else one
        for one in requests
        for email in [one.subscriber.email]
    ]


def _with_tokens(state: State, digests: Sequence[Digest]) -> list[Digest]:
    """The digests; readers of the configuration, and those who never got a mail, came without their tokens."""
    emails = [one.subscriber.email for one in digests if not one.subscriber.token]
    if not emails:
        return list(digests)
    tokens = state.subscribers.tokens(emails)
    return [
        one if one.subscriber.token else replace(one, subscriber=replace(one.subscriber, token=tokens[email]))
        for one in digests
        for email in [one.subscriber.email]
    ]


def _message_id(digest: Digest, domain: str) -> str:
    reader = digest.subscriber
    return message_id(reader.email, digest.local_date, domain, token=reader.token)
