"""The promise as a whole, whatever happens in whatever order: nobody twice, nothing lost, every sentence true.

Papers appear, readers come, go and change their minds, the clock goes on and back, the mail server accepts, defers,
refuses and hangs up, processes meet and are killed. After every step the ledger is compared with what the server has
taken, and every verdict with both. `DIGEST_MACHINE=500` makes so many random histories instead of a few fixed ones.
"""

from __future__ import annotations

import os
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from itertools import count
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, cast

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from digest import story
from digest.model import WEEKDAYS, SendReport
from digest.pipeline.readers import pause_reason
from tests.installation import Installation, item
from tests.makers import NOW
from tests.pipeline.machine import book
from tests.pipeline.machine.book import DOUBT, Book, Name, Reader
from tests.pipeline.machine.checks import (
    Sending,
    check_held,
    check_mail,
    check_moves,
    check_papers,
    check_sending,
    check_story,
)
from tests.pipeline.machine.nursery import Crash, Job, Nursery, Run
from tests.smtp_server import DROP, smtp_server

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from tests.http_server import HttpServer
    from tests.smtp_server import Accepted

#: random histories; 0: a few fixed ones
HISTORIES = int(os.environ.get("DIGEST_MACHINE", "0"))
_FIXED_HISTORIES, _STEPS = 8, 20

SECOND, MINUTE, HOUR, DAY = (timedelta(**{unit: 1}) for unit in ("seconds", "minutes", "hours", "days"))
GIVE_UP = 48 * HOUR
#: mails that are under way at the same moment, all of which a crash may leave in doubt
CONNECTIONS = 2

EMAILS = [f"{name}@example.org" for name in ("ada", "bob", "cat", "dan")]
TOPICS = ["Mixture of experts", "Protein folding"]
ZONES = ["UTC", "Europe/Berlin", "America/Los_Angeles", "Pacific/Kiritimati", "Asia/Kathmandu"]
#: what the server does about a reader's mail: step and action
TROUBLES = [
    ("rcpt", "450 4.2.1 mailbox busy"),
    ("rcpt", "550 5.1.1 no such user"),
    ("rcpt", "421 4.3.2 shutting down"),
    ("rcpt", DROP),
    ("data", "451 4.3.0 try again later"),
    ("body", DROP),
    ("dot", "451 4.3.0 try again later"),
    ("dot", "554 5.7.1 not wanted"),
    ("dot", "421 4.3.2 shutting down"),
    ("dot", DROP),
]
#: what it does about everybody
WEATHER = [("connect", DROP), ("connect", "421 4.3.2 too busy"), ("mail", "421 4.3.2 shutting down"), ("mail", DROP)]

emails = st.sampled_from(EMAILS)
troubles = st.dictionaries(emails, st.sampled_from(TROUBLES), max_size=3)
weather = st.sampled_from([None, None, None, *WEATHER])
#: about as many moments of each kind as a run has
crashes = st.one_of(
    *(
        st.builds(Crash, st.just(moment), st.integers(1, most))
        for moment, most in (("statement", 60), ("commit", 16), ("committed", 32), ("turn", 90))
    )
)
waits = st.sampled_from(
    [MINUTE, 31 * MINUTE, 2 * HOUR, 7 * HOUR, 10 * HOUR, 13 * HOUR, DAY, DAY, 2 * DAY, 3 * DAY, 9 * DAY]
)
#: before a run: time passes, and there may be new papers, which are pulled
topics = st.lists(st.sampled_from(TOPICS), min_size=1, max_size=5)
mornings = st.builds(lambda wait, new: Morning(wait, tuple(new)), waits, topics | st.just([]))
policies = st.sampled_from(["resend", "hold"])
setbacks = st.sampled_from([MINUTE, HOUR, 5 * HOUR, DAY, 2 * DAY])


@dataclass(frozen=True)
class Morning:
    """What happens between two runs."""

    wait: timedelta
    #: of papers that appear
    new: tuple[str, ...] = ()


@dataclass(frozen=True)
class Stage:
    """What all histories share."""

    folder: Path
    server: HttpServer
    nurseries: tuple[Nursery, Nursery]
    numbers: count[int]


class Machine(RuleBasedStateMachine):
    """One history: an installation with a mail server of its own."""

    def __init__(self, stage: Stage) -> None:
        super().__init__()
        self.end = ExitStack()
        self.stage = stage
        self.relay = self.end.enter_context(smtp_server())
        folder = stage.folder / str(next(stage.numbers))
        folder.mkdir()
        self.home = Installation(folder, stage.server)
        self.home.use_relay(self.relay, f"connections = {CONNECTIONS}\n")
        # to look at only; what works opens its own
        self.state = self.end.enter_context(self.home.state())
        self.now = NOW - DAY
        self.readers = {email: Reader(email, topic) for email, topic in zip(EMAILS[:3], TOPICS * 2, strict=False)}
        self.readers["bob@example.org"] = replace(self.readers["bob@example.org"], note=True)
        self.readers["cat@example.org"] = replace(self.readers["cat@example.org"], weekly=True)
        self.in_doubt = "resend"
        #: key → topic of everything published
        self.topics: dict[str, str] = {}
        self.doubts: Counter[Name] = Counter()
        #: when a run was killed last: its report is lost, so the story of that day has a gap
        self.last_crash: datetime | None = None
        #: what the clock said before it was set back: what happened then and since is told of days in no order
        self.clock_was_at: datetime | None = None
        #: when a send began last of those that looked at everybody
        self.last_run: datetime | None = None
        self.book = Book({}, {}, {})
        self._publish(TOPICS)

    @initialize(policy=policies)
    def policy_at_first(self, policy: str) -> None:
        self.in_doubt = policy

    # --- what changes around it -------------------------------------------------------------------------------

    @rule(setback=setbacks)
    def clock_is_set_back(self, setback: timedelta) -> None:
        self.clock_was_at = max(self.now, self.clock_was_at or self.now)
        self.now -= setback

    @rule(
        email=emails,
        change=st.one_of(
            st.fixed_dictionaries({"topic": st.sampled_from(TOPICS)}),
            st.fixed_dictionaries({"hour": st.integers(0, 23)}),
            st.fixed_dictionaries({"zone": st.sampled_from(ZONES)}),
            st.fixed_dictionaries({"max_papers": st.integers(1, 4)}),
            st.fixed_dictionaries({"paused_for": st.integers(0, 3)}),
            st.fixed_dictionaries({"weekly": st.booleans(), "note": st.booleans()}),
            st.fixed_dictionaries({"days": st.sampled_from([("mon", "thu"), WEEKDAYS])}),
        ),
    )
    def reader_changes(self, email: str, change: dict[str, Any]) -> None:
        if "paused_for" in change:
            change = {"paused_until": (self.now + change["paused_for"] * DAY).date()}
        self.readers[email] = replace(self.readers.get(email, Reader(email)), **change)

    @rule(email=emails)
    def reader_leaves(self, email: str) -> None:
        if len(self.readers) > 1:
            self.readers.pop(email, None)

    @rule(email=emails, days=st.sampled_from([None, 1, 3]))
    def reader_pauses(self, email: str, days: int | None) -> None:
        until = None if days is None else (self.now + days * DAY).date()
        self.state.subscribers.pause(email, until=until, reason="on holiday", now=self.now)
        self._look()

    @rule()
    def all_resume(self) -> None:
        self.readers = {email: replace(reader, paused_until=None) for email, reader in self.readers.items()}
        for email in EMAILS:
            self.state.subscribers.resume(email, now=self.now)
        self._look()

    @rule(policy=policies)
    def policy_changes(self, policy: str) -> None:
        self.in_doubt = policy

    # --- what it does -----------------------------------------------------------------------------------------

    @rule(crash=st.none() | crashes)
    def pull(self, crash: Crash | None) -> None:
        self._pulled(self.stage.nurseries[0].run(self._job("pull", crash=crash)))

    @rule(morning=mornings)
    def ordinary_day(self, morning: Morning) -> None:
        self._begin(morning)
        self._send(self._job("send", any_hour=True))

    @rule(morning=mornings, weather=weather, troubles=troubles, any_hour=st.booleans(), release_held=st.booleans())
    def send(
        self,
        morning: Morning,
        weather: tuple[str, str] | None,
        troubles: dict[str, tuple[str, str]],
        any_hour: bool,
        release_held: bool,
    ) -> None:
        self._begin(morning)
        self._send(self._job("send", any_hour=any_hour, release_held=release_held), self._script(troubles, weather))

    @rule(morning=mornings, troubles=troubles, stop_after=st.integers(0, 2))
    def send_is_stopped(self, morning: Morning, troubles: dict[str, tuple[str, str]], stop_after: int) -> None:
        self._begin(morning)
        self._send(self._job("send", any_hour=True, stop_after=stop_after), self._script(troubles))

    @rule(morning=mornings, troubles=troubles, crash=crashes, any_hour=st.booleans())
    def send_crashes(
        self, morning: Morning, troubles: dict[str, tuple[str, str]], crash: Crash, any_hour: bool
    ) -> None:
        self._begin(morning)
        self._send(self._job("send", any_hour=any_hour, crash=crash), self._script(troubles))

    @rule(
        morning=mornings,
        step=st.sampled_from(["connect", "ehlo", "mail", "rcpt", "data", "dot", "dot"]),
        number=st.integers(1, 3),
    )
    def send_is_killed_while_the_server_hears(self, morning: Morning, step: str, number: int) -> None:
        """At the dot: the server has the mail, and its answer finds nobody."""
        self._begin(morning)
        self._send(self._job("send", any_hour=True), kill_at=(step, number))

    @rule(morning=mornings, step=st.sampled_from(["rcpt", "dot"]), troubles=troubles)
    def another_sends_meanwhile(self, morning: Morning, step: str, troubles: dict[str, tuple[str, str]]) -> None:
        """It finds the other at work and leaves: the server, which waits for it here, would not even answer."""
        self._begin(morning)
        job = self._job("send", any_hour=True)
        meanwhile: list[Run] = []
        self._send(job, self._script(troubles), at=(step, lambda: meanwhile.append(self.stage.nurseries[1].run(job))))
        assert all(run.locked_out for run in meanwhile), meanwhile

    @rule(morning=mornings, topics=topics, troubles=troubles)
    def a_pull_ends_meanwhile(self, morning: Morning, topics: list[str], troubles: dict[str, tuple[str, str]]) -> None:
        self._begin(morning)
        self._publish(topics)
        job = self._job("send", any_hour=True)
        pull = replace(self._job("pull"), at=self.now + SECOND)
        runs: list[Run] = []
        self._send(
            job,
            self._script(troubles),
            at=("mail", lambda: runs.append(self.stage.nurseries[1].run(pull))),
        )
        self.now += SECOND
        assert not any(run.crashed for run in runs)

    @rule(morning=mornings)
    def two_send_at_once(self, morning: Morning) -> None:
        self._begin(morning)
        job, before, accepted = self._job("send", any_hour=True), self.book, len(self.relay.accepted)
        for nursery in self.stage.nurseries:
            nursery.start(job)
        runs = [nursery.finish() for nursery in self.stage.nurseries]
        self._settled(before)
        assert not all(run.locked_out for run in runs)
        at_work = [run for run in runs if not run.locked_out]
        if len(at_work) == 1:
            self._check(job, before, at_work[0], self.relay.accepted[accepted:], unhindered=True)
        self._has_run(job)

    # --- how it is done ---------------------------------------------------------------------------------------

    def _begin(self, morning: Morning) -> None:
        self.now += morning.wait
        if morning.new:
            self._publish(morning.new)
            self._pulled(self.stage.nurseries[0].run(self._job("pull")))

    def _publish(self, topics: Sequence[str]) -> None:
        for topic in topics:
            self.topics[f"arxiv:2609.{len(self.topics) + 1:05d}"] = topic
        self.home.publish(*(item(number, topic) for number, topic in enumerate(self.topics.values(), start=1)))

    def _job(self, command: Any, **options: Any) -> Job:
        """Written with the configuration of now, a second after the last one."""
        self.now += SECOND
        self.home.readers = tuple(reader.table() for reader in self.readers.values())
        self.home.sections["delivery"] = f'in_doubt = "{self.in_doubt}"\npause_after_refusals = 2'
        return Job(self.home.write(), command, self.now, **options)

    @staticmethod
    def _script(
        troubles: Mapping[str, tuple[str, str]], weather: tuple[str, str] | None = None
    ) -> dict[str | tuple[str, str], str]:
        script: dict[str | tuple[str, str], str] = {(step, email): action for email, (step, action) in troubles.items()}
        return script | ({weather[0]: weather[1]} if weather else {})

    def _pulled(self, run: Run) -> None:
        before = self.book
        self._look()
        assert before.rows == self.book.rows
        if run.report is None and self.book.papers == before.papers:
            return
        # all of it: what was known as it was, and the rest as news also for who got a digest when the clock was ahead
        assert self.topics.keys() == self.book.papers.keys()
        newest = max((row.planned_at for row in before.rows.values() if row.papers), default=self.now - SECOND)
        for key, first_seen in self.book.papers.items():
            assert first_seen == before.papers.get(key, first_seen)
            assert key in before.papers or first_seen == self.now or first_seen > newest >= self.now, (key, first_seen)
        if run.report is None:
            return
        (verdict,) = run.report.verdicts
        assert len(self.book.papers) - len(before.papers) == verdict.counts["new"], verdict
        assert ("fresh" == verdict.finding) == (self.book.papers != before.papers), verdict

    def _send(
        self,
        job: Job,
        script: Mapping[str | tuple[str, str], str] = MappingProxyType({}),
        *,
        kill_at: tuple[str, int] | None = None,
        at: tuple[str, Callable[[], object]] | None = None,
    ) -> None:
        """One run of send.

        Args:
            job: the run.
            script: of the server meanwhile.
            kill_at: the step of the conversation at which the run is killed, and at the how many-th of them.
            at: what happens at the first step of this name.
        """
        before, accepted = self.book, len(self.relay.accepted)
        self.relay.script = dict(script)
        pid: list[int] = []
        if kill_at is not None:
            self.relay.on[kill_at[0]] = _at_number(kill_at[1], lambda: os.kill(pid[0], 9))
        if at is not None:
            self.relay.on[at[0]] = _at_number(1, at[1])
        nursery = self.stage.nurseries[0]
        pid.append(nursery.start(job))
        run = nursery.finish()
        self._settled(before)
        taken = self.relay.accepted[accepted:]
        if run.crashed:
            self.last_crash = job.at
            # it may have died just after it said that it was done
            self.last_run = self.state.runs.last_finished("send")
            lost = [mail for mail in taken if mail.message_id not in self._sent()]
            assert len(lost) <= CONNECTIONS, f"{len(lost)} mails were accepted and are in doubt after one crash"
        else:
            if self.in_doubt == "hold" and not job.release_held:
                check_held(before, self.book, taken)
            unhindered = not script and job.stop_after is None
            self._check(job, before, run, taken, unhindered=unhindered, pulled=at is not None)
            if not (isinstance(run.report, SendReport) and run.report.unfinished):
                self._has_run(job)

    def _has_run(self, job: Job) -> None:
        self.last_run = job.at if self.last_run is None else max(self.last_run, job.at)

    def _settled(self, before: Book) -> None:
        """Nobody is connected any more; count what is in doubt."""
        self.relay.wait_until_left()
        self.relay.script, self.relay.on = {}, {}
        self._look()
        for name, row in self.book.rows.items():
            old = before.rows.get(name)
            if row.state in DOUBT and (old is None or old.state not in DOUBT or old.attempts < row.attempts):
                self.doubts[name] += 1

    def _sent(self) -> set[str]:
        return {row.message_id for row in self.book.rows.values() if row.state == "sent"}

    def _look(self) -> None:
        before, self.book = self.book, book.read(self.state)
        check_moves(before, self.book)

    def _check(
        self,
        job: Job,
        before: Book,
        run: Run,
        accepted: Sequence[Accepted],
        *,
        unhindered: bool,
        pulled: bool = False,
    ) -> None:
        assert run.report is not None
        assert not run.locked_out, run.report.notes
        check_sending(
            Sending(
                before,
                self.book,
                job.at,
                self.readers,
                self.topics,
                run.report.verdicts,
                accepted,
                GIVE_UP,
                self.last_run,
                hold=self.in_doubt == "hold",
                any_hour=job.any_hour,
                released=job.release_held,
                unhindered=unhindered,
                pulled=pulled,
                unfinished=isinstance(run.report, SendReport) and run.report.unfinished,
            )
        )
        crashed = self.last_crash is not None and abs(job.at - self.last_crash) <= 2 * DAY
        confused = self.clock_was_at is not None and job.at <= self.clock_was_at + 2 * DAY
        if not (crashed or confused):
            self._check_story(job.at)

    def _check_story(self, now: datetime) -> None:
        """What is told of today to everybody of whom something is told."""
        found, pauses = self.state.runs.verdicts(since=now - 4 * DAY), self.state.subscribers.pauses()
        for subscriber in self.home.settings().subscribers:
            reader = self.readers[subscriber.email]
            own = [verdict for verdict in found if verdict.name == subscriber.email]
            paused = pause_reason(subscriber, pauses, now)
            (today,) = story.tell(own, now=now, days=1, reader=subscriber, paused=paused)
            if any(reader.local(verdict.at).date() == today.day for verdict in own):
                check_story(self.book, reader, now, today.lines)

    # --- what always holds ------------------------------------------------------------------------------------

    @invariant()
    def ledger_and_server_agree(self) -> None:
        check_mail(self.book, self.relay.accepted, self.doubts)
        check_papers(self.book, self.relay.accepted, self.doubts)

    def teardown(self) -> None:
        with self.end:
            book.assert_intact(self.home)


def _at_number(number: int, do: Callable[[], object]) -> Callable[[str], None]:
    moments = count(1)

    def heard(_recipient: str) -> None:
        if next(moments) == number:
            do()

    return heard


@pytest.mark.slow
def test_nobody_gets_a_paper_twice_nothing_is_lost_and_every_verdict_is_true(
    tmp_path: Path, http_server: HttpServer
) -> None:
    with Nursery() as one, Nursery() as other:
        stage = Stage(tmp_path, http_server, (one, other), count())
        run_state_machine_as_test(
            # any maker of machines will do
            cast("type[Machine]", partial(Machine, stage)),
            settings=settings(
                max_examples=HISTORIES or _FIXED_HISTORIES,
                stateful_step_count=_STEPS,
                derandomize=not HISTORIES,
                database=None,
                deadline=None,
                suppress_health_check=list(HealthCheck),
            ),
        )
