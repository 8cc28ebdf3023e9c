"""Forgetting: what nobody will ask for again, so that the state stays in proportion to the last months."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import and_, delete, exists, func, or_, select

from digest.state.schema import (
    bounce,
    ledger,
    news,
    planned,
    resumption,
    run,
    signal,
    snapshot,
    summary,
    thumbnail,
    usage,
    verdict,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import ColumnElement

    from digest.state.database import Database

#: days that votes and news of papers are remembered: nobody looks back farther than weeks
SIGNAL_DAYS = 60
#: days that mail is remembered, and with it what was delivered: a paper does not come back within a year
MAIL_DAYS = 400

#: days that bounces are remembered: long enough to answer a reader who asks why the mail stopped
BOUNCE_DAYS = 90
#: days that an answer is waited for from who was asked whether they want mail
ANSWER_DAYS = 14
#: days that counts of what machines were asked are remembered
USAGE_DAYS = 60
#: days that pictures are kept: no paper is news for longer, and 100 new ones a day of 8 kB are 50 MB
THUMBNAIL_DAYS = 60


def _believable(now: datetime) -> tuple[ColumnElement[bool], ...]:
    """Whether dates tell how old mail is: the clock has been about here for a month, and was not set back from here."""
    month, since = now - timedelta(days=30), now - timedelta(days=MAIL_DAYS)
    first = select(func.min(run.c.id)).where(run.c.started_at >= since).scalar_subquery()
    return (
        exists().where(run.c.started_at >= since, run.c.started_at <= month),
        ~exists().where(run.c.command == "send", run.c.started_at < since, run.c.id > first),
    )


def prune(database: Database, *, now: datetime, keep_days: int) -> Mapping[str, int]:
    """Delete what is old, in one transaction.

    Args:
        database: where.
        now: what ages are counted from.
        keep_days: days to keep runs and verdicts. Ledger rows and ends of pauses stay MAIL_DAYS, signals and news
            SIGNAL_DAYS, bounces BOUNCE_DAYS, machines' summaries MAIL_DAYS, the counts of what machines were asked
            USAGE_DAYS and pictures THUMBNAIL_DAYS; the contents of mail go as soon as it is final, for it will not be
            sent again. Mail that is not final stays whole.

    Returns:
        how many of what were deleted: `runs`, `verdicts`, `digests`, `snapshots`, `signals`, `mails`,
        `bounces`, `resumptions`, `summaries`, `usage`, `news`, `thumbnails`.
    """
    past = now - timedelta(days=keep_days)
    signals_since = (now - timedelta(days=SIGNAL_DAYS)).date()
    mail_since = (now - timedelta(days=MAIL_DAYS)).date()
    # one that is dated earlier than another before it stays: it tells that the clock was set back (`Runs.was_set_back`)
    recent = select(func.min(run.c.id)).where(run.c.started_at >= past).scalar_subquery()
    old_runs = select(run.c.id).where(run.c.started_at < past, or_(recent.is_(None), run.c.id < recent))
    final = ledger.c.state.in_(("sent", "refused", "expired"))
    same = and_(planned.c.email == ledger.c.email, planned.c.local_date == ledger.c.local_date)
    finished = exists(select(ledger.c.email).where(final, same))
    # papers in a digest have been planned with it or later, see `schema.snapshot`. Those of the last day stay in any
    # case: another process may be planning at this moment
    yesterday = now - timedelta(days=1)
    oldest_digest = select(func.coalesce(func.min(planned.c.planned_at), now)).scalar_subquery()
    unused = and_(snapshot.c.last_planned_at < yesterday, snapshot.c.last_planned_at < oldest_digest)
    steps = {
        "digests": delete(planned).where(finished),
        "mails": delete(ledger).where(final, ledger.c.local_date < mail_since, *_believable(now)),
        "verdicts": delete(verdict).where(verdict.c.run.in_(old_runs)),
        "runs": delete(run).where(run.c.id.in_(old_runs)),
        "snapshots": delete(snapshot).where(unused),
        "bounces": delete(bounce).where(bounce.c.at < now - timedelta(days=BOUNCE_DAYS)),
        "resumptions": delete(resumption).where(resumption.c.at < now - timedelta(days=MAIL_DAYS)),
        "news": delete(news).where(news.c.at < now - timedelta(days=SIGNAL_DAYS)),
        "summaries": delete(summary).where(summary.c.at < now - timedelta(days=MAIL_DAYS)),
        "usage": delete(usage).where(usage.c.day < (now - timedelta(days=USAGE_DAYS)).date()),
        "thumbnails": delete(thumbnail).where(thumbnail.c.at < now - timedelta(days=THUMBNAIL_DAYS)),
        "signals": delete(signal).where(signal.c.day < signals_since),
    }
    with database.writing() as connection:
        return {name: connection.execute(statement).rowcount for name, statement in steps.items()}
