"""What became of each subscriber, in words: facts in, one `Verdict` with a whole sentence out. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from digest.model import Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date, datetime

    from digest.due import Due
    from digest.model import Digest, LedgerRow, Receipt, SubscriberFinding

#: what becomes of a mail in doubt that is not sent again
_HELD = "held back, as delivery.in_doubt says"


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


def unreadable(email: str, reason: str, at: datetime) -> Verdict:
    """What the state holds of a reader makes no sense; nothing can be planned for them."""
    text = f"cannot be read, so no mail: {reason}; add them anew: digest subscribers add {email}"
    return _verdict(email, "unreadable", text, at, trouble=True)


def planned(digest: Digest) -> Verdict:
    """A digest waits in the ledger."""
    text = f"{_picks(digest)} planned for {digest.local_date}; {_looked_at(digest)}"
    return _verdict(digest.subscriber.email, "planned", text, digest.planned_at, counts=_counts(digest))


def nothing(digest: Digest, doubt: str = "") -> Verdict:
    """An empty digest: nothing new, nothing matched, or everything that matched was delivered before.

    Args:
        digest: without picks.
        doubt: why a reader who wants a note of such days gets none; without a full stop.
    """
    finding, text = _why_nothing(digest)
    note = f", nor a note, for {doubt}" if doubt and digest.subscriber.quiet == "note" else ""
    return _verdict(
        digest.subscriber.email, finding, f"{text}, so no mail{note}", digest.planned_at, counts=_counts(digest)
    )


def nothing_read(digest: Digest) -> Verdict:
    """An empty digest of a state to which no source has brought anything yet."""
    text = "nothing was ever pulled, so no mail; type: digest pull"
    return _verdict(digest.subscriber.email, "quiet", text, digest.planned_at, trouble=True, counts=_counts(digest))


def _why_nothing(digest: Digest) -> tuple[SubscriberFinding, str]:
    if not digest.considered:
        since = "in seven days" if digest.subscriber.frequency == "weekly" else "since the last digest"
        return "quiet", f"no new papers {since}"
    new = _many(digest.considered, "new paper")
    if digest.matched and digest.seen_before == digest.matched:
        return "all_seen", f"{new}; what matched ({digest.matched:,}) is in an earlier mail"
    floor = f"scored above the floor of {digest.subscriber.min_score:g}"
    keywords = len(digest.subscriber.keywords)
    if digest.seen_before:
        text = f"{new}, {digest.matched:,} matched, {digest.seen_before:,} of them in an earlier mail; no other {floor}"
    elif digest.matched:
        text = f"{new}, {digest.matched:,} matched, but none {floor}"
    elif keywords:
        text = f"{new}, none matched the {_many(keywords, 'keyword')}"
    elif digest.subscriber.trending:
        text = f"{new}, and nothing is trending"
    else:
        text = f"{new}, but there are no keywords, and trending is 0"
    return "quiet", text


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
        held = f"{_HELD} ({row.answer}); to send it: digest send --held"
        text = f"the digest of {day} may or may not have arrived; {held}"
        return _verdict(row.email, "in_doubt", text, at, trouble=True)
    later = f", next attempt {row.next_attempt_at:%Y-%m-%d %H:%M} UTC" if row.next_attempt_at else ""
    answer = f": {row.answer}" if row.answer else ""
    if row.state == "in_doubt":
        text = f"the digest of {day} may or may not have arrived; it waits{later}{answer}"
        return _verdict(row.email, "in_doubt", text, at, trouble=True)
    finding: SubscriberFinding = "deferred" if row.state == "deferred" else "planned"
    text = f"the digest of {day} waits{later}{answer}"
    return _verdict(row.email, finding, text, at, trouble=finding == "deferred")


def handed_over(digest: Digest, receipt: Receipt, *, next_attempt_at: datetime | None) -> Verdict:
    """What the relay said, and what follows."""
    email, at, counts = digest.subscriber.email, receipt.at, _counts(digest)
    if receipt.outcome == "delivered":
        text = f"{_picks(digest)} sent; {_looked_at(digest)} ({_answer(receipt)})"
        return _verdict(email, "sent", text, at, counts=counts)
    if receipt.outcome == "refused":
        text = f"refused, and not tried again ({_answer(receipt)})"
        return _verdict(email, "refused", text, at, trouble=True, counts=counts)
    later = f"next attempt {next_attempt_at:%Y-%m-%d %H:%M} UTC" if next_attempt_at else _HELD
    if receipt.outcome == "in_doubt":
        text = f"sent, but no answer came, so it may or may not have arrived; {later} ({_answer(receipt)})"
        return _verdict(email, "in_doubt", text, at, trouble=True, counts=counts)
    text = f"not delivered yet; {later} ({_answer(receipt)})"
    return _verdict(email, "deferred", text, at, trouble=True, counts=counts)


def refused_too_often(digest: Digest, receipt: Receipt, days: int) -> Verdict:
    """The address does not work: no more mail until somebody looks. `days`: how many in a row it was refused."""
    email = digest.subscriber.email
    text = (
        f"refused on {_many(days, 'day')} in a row, so no more mail ({_answer(receipt)}); if the address works again: "
        f"digest subscribers resume {email}"
    )
    return _verdict(email, "refused", text, receipt.at, trouble=True, counts=_counts(digest))


def hopeless(receipt: Receipt, days: int) -> str:
    """Why a reader whose address does not work is paused."""
    return f"refused on {_many(days, 'day')} in a row, the last time with: {_reply(receipt)}"


def bounced(
    email: str, reason: str, at: datetime, *, counts: Mapping[str, int], asked: bool, done: bool = True
) -> Verdict:
    """Mail came back, or its reader wants no more: none goes out any longer.

    Args:
        email: whose.
        reason: one sentence without a full stop.
        at: when it was decided.
        counts: what came back, by kind.
        asked: by the reader; else the address does not work, and may do so again.
        done: False in a trial, which pauses nobody.
    """
    hint = "" if asked or not done else f"; see: digest subscribers resume {email}"
    trouble = not counts.get("unsubscribe")
    return _verdict(
        email,
        "paused",
        f"{'paused' if done else 'would be paused'}: {reason}{hint}",
        at,
        trouble=trouble,
        counts=counts,
    )


def no_relay(email: str, local_date: date, reason: str, at: datetime) -> Verdict:
    """The relay cannot be used, or no longer; the mail was not claimed, so the next run tries again."""
    return _verdict(email, "deferred", f"the digest of {local_date} waits: {reason}", at, trouble=True)


def postponed(email: str, local_date: date, reason: str, until: datetime, at: datetime) -> Verdict:
    """The recipient's domain wants less mail for now; the mail was not offered."""
    text = f"the digest of {local_date} waits, next attempt {until:%Y-%m-%d %H:%M} UTC: {reason}"
    return _verdict(email, "deferred", text, at, trouble=True)


def expired(row: LedgerRow, at: datetime) -> Verdict:
    """A digest too old to be worth delivering; its papers may come again."""
    when = f"after {_many(row.attempts, 'attempt')}" if row.attempts else "before it could be sent"
    text = f"the digest of {row.local_date} was given up {when}"
    last = f"; the last answer: {row.answer}" if row.answer else ""
    return _verdict(row.email, "expired", text + last, at, trouble=True)


def withdrawn(email: str, local_date: date, reason: str, at: datetime) -> Verdict:
    """A digest that was planned for somebody who meanwhile left or paused."""
    return _verdict(email, "paused", f"the digest of {local_date} was dropped: {reason}", at)


def _counts(digest: Digest) -> dict[str, int]:
    parts = [pick.part for pick in digest.picks]
    return {
        "considered": digest.considered,
        "matched": digest.matched,
        "seen_before": digest.seen_before,
        "for_you": parts.count("for_you"),
        "trending": parts.count("trending"),
    }


def _picks(digest: Digest) -> str:
    if not digest.picks:
        return "a note of a quiet week" if digest.subscriber.frequency == "weekly" else "a note of a quiet day"
    chosen = [pick.part for pick in digest.picks]
    parts = ((chosen.count("for_you"), "for you"), (chosen.count("trending"), "trending"))
    week = "of the week " if digest.subscriber.frequency == "weekly" else ""
    return week + " + ".join(f"{count} {part}" for count, part in parts if count)


def _looked_at(digest: Digest) -> str:
    if not digest.picks:
        return _why_nothing(digest)[1]
    return (
        f"{_many(digest.considered, 'new paper')}, {digest.matched:,} matched" if digest.considered else "nothing new"
    )


def _answer(receipt: Receipt) -> str:
    return f"{receipt.relay}: {_reply(receipt)}" if receipt.code else receipt.text


def _reply(receipt: Receipt) -> str:
    return f"{receipt.code} {receipt.text}" if receipt.code else receipt.text


def _many(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'s' * (count != 1)}"
