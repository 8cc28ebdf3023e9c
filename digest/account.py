"""What became of each subscriber, in words: facts in, one `Verdict` with a whole sentence out. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from digest.model import Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date, datetime

    from digest.due import Due
    from digest.errors import DeliveryError
    from digest.model import Digest, LedgerRow, Receipt, SubscriberFinding


def _verdict(
    email: str,
    finding: SubscriberFinding,
    text: str,
    at: datetime,
    *,
    trouble: bool = False,
    counts: Mapping[str, int] | None = None,
) -> Verdict:
    return Verdict("subscriber", email, finding, f"{email}: {text}", at, counts or {}, trouble=trouble)


def not_due(email: str, answer: Due, at: datetime) -> Verdict:
    """Nothing is due at this hour, on this day, or during a pause."""
    return _verdict(email, "paused" if answer.paused else "not_due", answer.not_yet, at)


def planned(digest: Digest) -> Verdict:
    """A digest waits in the ledger."""
    text = f"{_picks(digest)} planned for {digest.local_date}"
    return _verdict(digest.subscriber.email, "planned", text, digest.planned_at, counts=_counts(digest))


def nothing(digest: Digest) -> Verdict:
    """An empty digest: nothing new, nothing matched, or everything that matched was delivered before."""
    email, at, counts = digest.subscriber.email, digest.planned_at, _counts(digest)
    if not digest.considered:
        return _verdict(email, "quiet", "no new papers since the last digest, so no mail", at, counts=counts)
    new = _many(digest.considered, "new paper")
    if digest.seen_before:
        text = f"{new}; all {digest.seen_before} that would have been picked were in an earlier mail, so no mail"
        return _verdict(email, "all_seen", text, at, counts=counts)
    keywords = len(digest.subscriber.keywords)
    if digest.matched:
        text = f"{new}, {digest.matched} matched, but none scored above the floor of {digest.subscriber.min_score:g}"
    elif keywords:
        text = f"{new}, none matched any of {_many(keywords, 'keyword')}"
    else:
        text = f"{new}, and nothing is trending"
    return _verdict(email, "quiet", f"{text}, so no mail", at, counts=counts)


def already(row: LedgerRow, at: datetime) -> Verdict:
    """There is a ledger row for the day: sent, on its way, or given up."""
    day = row.local_date
    if row.state == "sent":
        return _verdict(row.email, "done", f"the digest of {day} was sent before", at)
    if row.state == "refused":
        return _verdict(row.email, "done", f"the digest of {day} was refused for good: {row.answer}", at)
    if row.state == "expired":
        return _verdict(row.email, "done", f"the digest of {day} was given up: {row.answer}", at)
    if row.state == "held":
        text = f"the digest of {day} may or may not have arrived ({row.answer}); it is held, as delivery.in_doubt says"
        return _verdict(row.email, "in_doubt", text, at, trouble=True)
    later = f", next attempt {row.next_attempt_at:%Y-%m-%d %H:%M} UTC" if row.next_attempt_at else ""
    finding: SubscriberFinding = "deferred" if row.state == "deferred" else "planned"
    answer = f": {row.answer}" if row.answer else ""
    return _verdict(row.email, finding, f"the digest of {day} waits{later}{answer}", at)


def handed_over(digest: Digest, receipt: Receipt, *, next_attempt_at: datetime | None) -> Verdict:
    """What the relay said, and what follows."""
    email, at, counts = digest.subscriber.email, receipt.at, _counts(digest)
    answer = f"{receipt.relay}: {receipt.code} {receipt.text}" if receipt.code else receipt.text
    if receipt.outcome == "delivered":
        return _verdict(email, "sent", f"{_picks(digest)} sent ({answer})", at, counts=counts)
    if receipt.outcome == "refused":
        text = f"refused, and not tried again ({answer})"
        return _verdict(email, "refused", text, at, trouble=True, counts=counts)
    later = f", next attempt {next_attempt_at:%Y-%m-%d %H:%M} UTC" if next_attempt_at else ""
    if receipt.outcome == "in_doubt":
        text = f"sent, but no answer came, so it may or may not have arrived{later} ({answer})"
        return _verdict(email, "in_doubt", text, at, trouble=True, counts=counts)
    return _verdict(email, "deferred", f"not delivered yet{later} ({answer})", at, trouble=True, counts=counts)


def no_relay(email: str, local_date: date, error: DeliveryError, at: datetime) -> Verdict:
    """The relay could not be used at all; nothing was claimed, so the next run tries again."""
    hint = f"; {error.hint}" if error.hint else ""
    return _verdict(email, "deferred", f"the digest of {local_date} waits: {error.message}{hint}", at, trouble=True)


def expired(row: LedgerRow, at: datetime) -> Verdict:
    """A digest too old to be worth delivering; its papers may come again."""
    text = f"the digest of {row.local_date} was given up after {_many(row.attempts, 'attempt')}"
    last = f"; the last answer: {row.answer}" if row.answer else ""
    return _verdict(row.email, "expired", text + last, at, trouble=True)


def withdrawn(email: str, local_date: date, reason: str, at: datetime) -> Verdict:
    """A digest that was planned for somebody who meanwhile left or paused."""
    return _verdict(email, "paused", f"the digest of {local_date} was dropped: {reason}", at)


def paused_after_refusals(email: str, days: int, receipt: Receipt) -> Verdict:
    """The address does not work: no more mail until somebody looks."""
    text = f"paused after refusals on {_many(days, 'day')} ({receipt.text}); see: digest subscribers resume {email}"
    return _verdict(email, "paused", text, receipt.at, trouble=True)


def _counts(digest: Digest) -> dict[str, int]:
    return {
        "considered": digest.considered,
        "matched": digest.matched,
        "seen_before": digest.seen_before,
        "for_you": sum(pick.part == "for_you" for pick in digest.picks),
        "trending": sum(pick.part == "trending" for pick in digest.picks),
    }


def _picks(digest: Digest) -> str:
    counts = _counts(digest)
    parts = [f"{counts['for_you']} for you"] if counts["for_you"] else []
    parts += [f"{counts['trending']} trending"] if counts["trending"] else []
    return f"{' + '.join(parts)} of {_many(digest.considered, 'new paper')} ({digest.matched} matched)"


def _many(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'s' * (count != 1)}"
