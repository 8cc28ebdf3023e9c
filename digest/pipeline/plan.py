"""Choose every due subscriber's digest and enter it in the ledger. Nothing is rendered or sent here."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from functools import cached_property, partial
from itertools import chain, pairwise
from math import ceil
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from digest import account
from digest.compose.message import message_id
from digest.curate.explain import explain
from digest.curate.offer import Offer, Request
from digest.curate.profile import Profiles
from digest.curate.query import parse
from digest.curate.rank import Ranking
from digest.curate.trend import origins_of, trends
from digest.due import due
from digest.pipeline.news import gather, with_followups
from digest.pipeline.profiles import profiles
from digest.pipeline.readers import pause_reason, shards
from digest.pipeline.semantic import open_semantics
from digest.pipeline.silence import doubts
from digest.pipeline.summaries import Summaries
from digest.pipeline.thumbnails import Thumbnails

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from digest.config import Settings
    from digest.curate.explain import Explanation
    from digest.curate.followups import FollowUps
    from digest.curate.rank import Standing
    from digest.curate.semantic import Semantics
    from digest.due import Due
    from digest.model import DaySignals, Digest, MailKey, StoredPaper, Subscriber, Trend, Verdict
    from digest.state.store import State

#: subscribers who are in memory, and whose history is read from the state, at once
_SHARD = 500
#: days of a weekly digest
_WEEK = 7
#: most titles that a weekly digest names as missed, and how many of these because everybody reads them
_MISSED_OF_WEEK, _POPULAR_OF_WEEK = 10, 5


@dataclass(frozen=True, slots=True)
class Span:
    """What the digests that cover equally much are selected from."""

    #: the ranked papers with their trends
    offer: Offer
    #: how each paper is doing with everybody, by key
    trends: Mapping[str, Trend]
    now: datetime
    #: that a digest covers: 1, and then it goes back to the last one, or 7
    days: int
    #: papers that became known before are no news
    look_back: datetime
    #: keys of the others
    recent: frozenset[str]

    @property
    def remembered_since(self) -> date:
        """From which local day on a reader's last digest matters: of a week always, for it tells who is not new."""
        return self.look_back.date() if self.days == 1 else date.min

    def since(self, last_sent: datetime | None) -> datetime:
        """From when on papers are news for a reader whose last digest was planned then.

        None: there is none since `remembered_since`.

        A week reaches back to the last digest if that is more than seven days ago: after a night with an hour more, a
        run that came late, or a week without a digest.
        """
        if self.days == 1:
            return max(self.look_back, last_sent or self.look_back)
        week = self.now - timedelta(days=self.days)
        return max(self.look_back, min(week, last_sent or week))

    def told(self, last_sent: datetime | None, *, returned: bool, waiting: bool) -> int:
        """Within how many days what is looked at became known; 0: since the digest that was planned at `last_sent`.

        Args:
            last_sent: see `since`.
            returned: older papers are looked at again, since their mail was given up.
            waiting: a later digest may yet become the last one.
        """
        since = self.look_back if returned else self.since(last_sent)
        if self.days == 1 and since == last_sent and not waiting:
            return 0
        return ceil((self.now - since) / timedelta(days=1))

    def select(self, requests: Iterable[Request]) -> Iterator[Digest]:
        """The digests; one of a week names more of what it leaves out."""
        if self.days == 1:
            return self.offer.select_all(requests)
        return self.offer.select_all(requests, missed_max=_MISSED_OF_WEEK, popular_max=_POPULAR_OF_WEEK)


@dataclass(frozen=True)
class Shelf:
    """The papers of the look-back window, with what all subscribers share computed once, when first needed.

    The index is one for all; trends, and what may trend, are found once for each span that somebody's digest has.
    """

    #: every paper that may appear in somebody's digest, oldest first
    pool: tuple[StoredPaper, ...]
    #: gives what sources said of the pool, by key
    said: Callable[[], Mapping[str, Sequence[DaySignals]]]
    #: by source, who is behind it, see `origins_of`
    origins: Mapping[str, str]
    now: datetime
    #: days that a paper is news for, and may trend for, to whoever has a digest a day
    lookback_days: int
    trending_days: int
    #: addresses of those who brought or said anything; looking for them at each shard would take longer
    outspoken: frozenset[str] = frozenset()
    #: local date of the oldest mails that may hold any of the papers
    mailed_since: date = date.min
    #: most papers named under a pick as like it
    similar: int = 0
    #: what knows other words for the same; None: only words count
    semantics: Semantics | None = None

    @cached_property
    def ranking(self) -> Ranking:
        """The index over the pool."""
        return Ranking([stored.paper for stored in self.pool], self.semantics)

    @cached_property
    def profiles(self) -> Profiles:
        """What takes readers' profiles to the pool."""
        return Profiles(self.ranking)

    def span(self, reader: Subscriber) -> Span:
        """What this reader's digest is selected from."""
        return self._week if reader.frequency == "weekly" else self._day

    @cached_property
    def _day(self) -> Span:
        return self._span(days=1, trending_days=self.trending_days, lookback_days=self.lookback_days)

    @cached_property
    def _week(self) -> Span:
        return self._span(days=_WEEK, trending_days=_WEEK, lookback_days=max(self.lookback_days, _WEEK + 1))

    def _span(self, *, days: int, trending_days: int, lookback_days: int) -> Span:
        moving = trends(self.pool, self.said(), now=self.now, origins=self.origins, days=days)
        look_back = self.now - timedelta(days=lookback_days)
        trending = self._known_since(self.now - timedelta(days=trending_days))
        offer = Offer(self.ranking, self.pool, moving, trending_from=trending, similar=self.similar)
        return Span(offer, moving, self.now, days, look_back, self._known_since(look_back))

    def _known_since(self, moment: datetime) -> frozenset[str]:
        return frozenset(stored.paper.key for stored in self.pool if stored.first_seen_at >= moment)


def lay_out(settings: Settings, state: State, *, now: datetime) -> Shelf:
    """Read the papers and signals of the look-back window from the state."""
    since = _pool_start(settings, now)
    pool = state.papers.since(since)
    return Shelf(
        pool,
        lambda: state.papers.signals((stored.paper.key for stored in pool), since.date()),
        origins_of(settings.sources),
        now,
        settings.digest.lookback_days,
        settings.digest.trending_days,
        outspoken=state.interests.readers() | state.feedback.readers(),
        mailed_since=_mailed_since(state, since),
        similar=settings.digest.similar,
        semantics=open_semantics(settings),
    )


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
    (request,) = _requests(state, [(subscriber, local_date)], shelf, now=now)
    span = shelf.span(subscriber)
    return explain(shelf.ranking, span.offer, request, span.trends, missed_max=missed_max)


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
    """Those of a day, then those of a week, each in the order of the readers."""
    for weekly in (False, True):
        some = [(reader, day) for reader, day in readers if (reader.frequency == "weekly") == weekly]
        if some:
            yield from shelf.span(some[0][0]).select(_requests(state, some, shelf, now=now, keep=keep))


def _requests(
    state: State,
    readers: Sequence[tuple[Subscriber, date]],
    shelf: Shelf,
    *,
    now: datetime,
    keep: bool = False,
) -> Iterator[Request]:
    """Of readers whose digests cover equally much."""
    emails, span = [reader.email for reader, _ in readers], shelf.span(readers[0][0])
    # before what was delivered: a mail that is delivered between the two looks is found by both, not by neither
    on_the_way = state.ledger.open_keys(emails)
    delivered = state.ledger.seen(emails, since=shelf.mailed_since)
    # what was planned at a moment that has not come was planned while the clock was ahead, without what came since
    last_sent = state.ledger.last_sent(emails, since=span.remembered_since, until=now)
    # a later mail may have been delivered before this one was given up
    undelivered = state.ledger.undelivered(emails, since=shelf.mailed_since)
    moved_by = _profiles(state, emails, shelf, now=now, keep=keep)
    for reader, local_date in readers:
        email = reader.email
        last, waiting = last_sent.get(email), bool(on_the_way[email])
        returned = (undelivered[email] - delivered[email]) & span.recent
        yield Request(
            reader,
            [parse(entry) for entry in reader.keywords],
            since=span.since(last),
            returned=returned,
            seen=delivered[email] | on_the_way[email],
            local_date=local_date,
            planned_at=now,
            days=span.told(last, returned=bool(returned), waiting=waiting),
            waiting=waiting,
            profile=moved_by.get(email),
        )


def _profiles(
    state: State, emails: Sequence[str], shelf: Shelf, *, now: datetime, keep: bool
) -> Mapping[str, Callable[[Standing], Standing]]:
    """What the profiles of those of the readers who brought or said anything do to the papers, by address."""
    if not (outspoken := shelf.outspoken.intersection(emails)):
        return {}
    found = profiles(state, outspoken, shelf.profiles, now=now, keep=keep)
    return {email: partial(shelf.profiles.applied, profile=profile) for email, profile in found.items()}


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


def _pool_start(settings: Settings, now: datetime) -> datetime:
    """Papers first seen before this moment are out of every digest's reach."""
    # of a week in any case, so that all readers' digests are selected from the same papers
    return now - timedelta(days=max(settings.digest.lookback_days, settings.digest.trending_days, _WEEK + 1))


def _mailed_since(state: State, pool_start: datetime) -> date:
    """The first local date of mails that may hold papers first seen at `pool_start` or later.

    None is older than its papers, unless it was sent while the clock was set back; then all mails are looked at,
    however long that takes.
    """
    # a day, in which a run may take its time and a clock be corrected
    since = pool_start - timedelta(days=1)
    if state.runs.was_set_back(since):
        return date.min
    # a local date may be a day behind UTC's
    return since.date() - timedelta(days=1)


def _message_id(digest: Digest, domain: str) -> str:
    reader = digest.subscriber
    return message_id(reader.email, digest.local_date, domain, token=reader.token)
