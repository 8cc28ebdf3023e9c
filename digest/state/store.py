"""The state, opened: the door to papers, readers, mail and runs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from types import TracebackType
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select

from digest.state import migrate, retention, sending, transfer
from digest.state.bounces import Bounces
from digest.state.database import connect
from digest.state.feedback import Feedback
from digest.state.interests import Interests
from digest.state.ledger import Ledger
from digest.state.news import PaperNews
from digest.state.papers import Papers
from digest.state.runs import Runs
from digest.state.schema import ledger, paper, run, subscriber
from digest.state.subscribers import Subscribers, new_token
from digest.state.summaries import Summaries
from digest.state.thumbnails import Thumbnails

if TYPE_CHECKING:
    from typing import Self

    from digest.state.database import Database
    from digest.state.migrate import Upgrade


def open_state(
    url: str,
    *,
    now: datetime,
    create: bool = True,
    make_token: Callable[[], str] = new_token,
    busy_timeout_s: float = 10.0,
) -> State:
    """Open the state, creating or upgrading it first if need be. Close it, or use it as a context manager.

    Args:
        url: `sqlite:////path/to/state.sqlite3` or `postgresql://user@host/database`.
        now: names the backup if an older state is upgraded.
        create: False for commands that only look: a missing state is a StateError then.
        make_token: gives new unsubscribe tokens.
        busy_timeout_s: seconds to wait while other processes write; they are done within fractions of a second.

    Raises:
        StateError: it cannot be opened, read or written; the hint says what to do. A file that is damaged, or is
            not a state, is left as it is.
    """
    database = connect(url, create=create, busy_timeout_s=busy_timeout_s)
    try:
        upgrade = migrate.prepare(database, now=now, create=create)
    except BaseException:
        database.close()
        raise
    return State(database, upgrade, make_token=make_token)


@contextmanager
def daemon_lock(url: str) -> Iterator[Callable[[], bool]]:
    """Gives a question in the block, `is_mine()`: True for one process at a time, False at once for the others.

    For who stays at work on the state of this address, which must exist. The lock dies with the process. A database
    server that is restarted forgets it: who asks again gets it again, unless somebody else was quicker.

    Raises:
        StateError: the server cannot be asked; the question raises it too.
    """
    database = connect(url, create=False, busy_timeout_s=10.0)
    try:
        with sending.daemon_lock(database) as is_mine:
            yield is_mine
    finally:
        database.close()


class State:
    """An open state. What a method writes is durable when it returns; what cannot be done is a StateError.

    Threads may share it; processes open their own.

    Attributes:
        papers: papers, signals, memories of sources.
        news: what became of papers after they became known.
        subscribers: readers who joined at run time, pauses, tokens.
        ledger: mail.
        bounces: what came back of it.
        feedback: what readers said of papers, authors and words.
        interests: papers that readers brought.
        summaries: what machines wrote of papers.
        thumbnails: small pictures of papers.
        runs: reports and verdicts.
        upgrade: what opening it had to upgrade, to be told to the operator; None if nothing.
        place: file path or address without password, for people.
    """

    def __init__(self, database: Database, upgrade: Upgrade | None, *, make_token: Callable[[], str]) -> None:
        self._database = database
        self.upgrade = upgrade
        self.place = database.place
        self.papers = Papers(database)
        self.news = PaperNews(database)
        self.subscribers = Subscribers(database, make_token=make_token)
        self.ledger = Ledger(database)
        self.bounces = Bounces(database)
        self.feedback = Feedback(database)
        self.interests = Interests(database)
        self.summaries = Summaries(database)
        self.thumbnails = Thumbnails(database)
        self.runs = Runs(database)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._database.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All that happens in the block is one transaction: what was read in it stays true until it has written.

        One at a time, over all processes; so decide quickly in it. Undone as a whole if the block raises. Also the
        way to share one durable commit among many steps, such as the pauses of all whose mail came back.
        """
        with self._database.transaction():
            yield

    def sender_lock(self) -> AbstractContextManager[Callable[[], bool]]:
        """As `daemon_lock` among those who send; who holds it may call `ledger.recover`."""
        return sending.sender_lock(self._database)

    def prune(self, *, now: datetime, keep_days: int = 90) -> Mapping[str, int]:
        """Forget what is old, see `retention`; returns how many of what."""
        return retention.prune(self._database, now=now, keep_days=keep_days)

    def export_rows(self) -> Iterator[dict[str, Any]]:
        """The whole state as JSON-able rows, see `transfer`."""
        return transfer.export_rows(self._database)

    def import_rows(self, rows: Iterable[Mapping[str, Any]]) -> transfer.Imported:
        """Fill this empty state with exported rows. Raises StateError, and changes nothing then."""
        return transfer.import_rows(self._database, rows)

    def counts(self) -> Mapping[str, int]:
        """How much there is: `papers`, `subscribers`, `runs`, `unconfirmed` readers, and mails by state."""
        tables = {"papers": paper, "subscribers": subscriber, "runs": run}
        by_state = select(ledger.c.state, func.count()).group_by(ledger.c.state).order_by(ledger.c.state)
        with self._database.reading() as connection:
            totals = {
                name: connection.scalar(select(func.count()).select_from(table)) or 0 for name, table in tables.items()
            }
            unconfirmed = select(func.count()).where(subscriber.c.asked_at.is_not(None))
            totals["unconfirmed"] = connection.scalar(unconfirmed) or 0
            return totals | dict(iter(connection.execute(by_state)))
