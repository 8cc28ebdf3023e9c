"""What is said about each subscriber: whole sentences, and the numbers behind them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from digest import account
from digest.due import Due
from digest.model import LedgerRow, Outcome, Receipt, Verdict
from tests.makers import NOW, TODAY, digest, pick, subscriber

ADA = "ada@example.org"
RELAY = "mx.example.org:25"
DOUBT = "sent, but no answer came, so it may or may not have arrived"
HELD = "held back, as delivery.in_doubt says (no answer)"
MEND = "if the address works again: digest subscribers resume ada@example.org"
MANY = digest(pick(1), pick(2), pick(3, part="trending"), considered=1312, matched=14)


def receipt(outcome: Outcome, code: int | None = 250, text: str = "2.0.0 queued") -> Receipt:
    return Receipt(outcome, code, text, NOW, RELAY)


def row(**fields: Any) -> LedgerRow:
    values: dict[str, Any] = {"state": "deferred", "message_id": "<1@x>", "planned_at": NOW, "attempts": 3}
    return LedgerRow(ADA, TODAY, **(values | fields))


def test_a_verdict_holds_the_name_the_sentence_and_the_numbers() -> None:
    expected = Verdict(
        scope="subscriber",
        name=ADA,
        finding="sent",
        sentence=f"{ADA}: 2 for you + 1 trending sent; 1,312 new papers, 14 matched ({RELAY}: 250 2.0.0 queued)",
        at=NOW,
        counts={"considered": 1312, "matched": 14, "seen_before": 0, "for_you": 2, "trending": 1},
    )

    assert expected == account.handed_over(MANY, receipt("delivered"), next_attempt_at=None)


@pytest.mark.parametrize(
    ("fields", "finding", "words"),
    [
        ({"considered": 0}, "quiet", "no new papers since the last digest, so no mail"),
        ({"considered": 1, "matched": 0}, "quiet", "1 new paper, none matched the 1 keyword, so no mail"),
        (
            {"considered": 9, "matched": 0, "subscriber": subscriber(keywords=("lora", "bees"))},
            "quiet",
            "9 new papers, none matched the 2 keywords, so no mail",
        ),
        (
            {"considered": 9, "matched": 0, "subscriber": subscriber(keywords=())},
            "quiet",
            "9 new papers, and nothing is trending, so no mail",
        ),
        (
            {"considered": 9, "matched": 0, "subscriber": subscriber(keywords=(), trending=0)},
            "quiet",
            "9 new papers, but there are no keywords, and trending is 0, so no mail",
        ),
        (
            {"considered": 9, "matched": 2, "subscriber": subscriber(min_score=0.25)},
            "quiet",
            "9 new papers, 2 matched, but none scored above the floor of 0.25, so no mail",
        ),
        (
            {"considered": 9, "matched": 2, "seen_before": 2},
            "all_seen",
            "9 new papers; what matched (2) is in an earlier mail, so no mail",
        ),
        (
            {"considered": 9, "matched": 5, "seen_before": 2, "subscriber": subscriber(min_score=0.5)},
            "quiet",
            "9 new papers, 5 matched, 2 of them in an earlier mail; no other scored above the floor of 0.5, so no mail",
        ),
    ],
)
def test_why_there_is_nothing(fields: dict[str, Any], finding: str, words: str) -> None:
    verdict = account.nothing(digest(**fields))

    assert (finding, f"{ADA}: {words}", False) == (verdict.finding, verdict.sentence, verdict.trouble)


@pytest.mark.parametrize(
    ("told", "finding", "words", "trouble"),
    [
        (account.not_due(ADA, Due(TODAY, "due at 08:00"), NOW), "not_due", "due at 08:00", False),
        (account.not_due(ADA, Due(TODAY, "on holiday", paused=True), NOW), "paused", "on holiday", False),
        (
            account.planned(MANY),
            "planned",
            "2 for you + 1 trending planned for 2026-09-15; 1,312 new papers, 14 matched",
            False,
        ),
        (account.already(row(state="sent"), NOW), "done", "the digest of 2026-09-15 was sent before", False),
        (
            account.already(row(state="refused", answer="550 no"), NOW),
            "done",
            "the digest of 2026-09-15 was refused for good: 550 no",
            False,
        ),
        (
            account.already(row(state="expired", answer="450 later"), NOW),
            "done",
            "the digest of 2026-09-15 was given up: 450 later",
            False,
        ),
        (
            account.already(row(state="held", answer="no answer"), NOW),
            "in_doubt",
            f"the digest of 2026-09-15 may or may not have arrived; {HELD}; to send it: digest send --held",
            True,
        ),
        (
            account.already(row(state="in_doubt", answer="no answer"), NOW),
            "in_doubt",
            "the digest of 2026-09-15 may or may not have arrived; it waits: no answer",
            True,
        ),
        (
            account.already(row(answer="450 later", next_attempt_at=NOW + timedelta(hours=2)), NOW),
            "deferred",
            "the digest of 2026-09-15 waits, next attempt 2026-09-15 08:00 UTC: 450 later",
            True,
        ),
        (account.already(row(state="planned"), NOW), "planned", "the digest of 2026-09-15 waits", False),
        (
            account.handed_over(
                digest(pick(part="trending"), considered=0, matched=0), receipt("delivered"), next_attempt_at=None
            ),
            "sent",
            "1 trending sent; nothing new (mx.example.org:25: 250 2.0.0 queued)",
            False,
        ),
        (
            account.handed_over(MANY, receipt("refused", 550, "5.1.1 no such user"), next_attempt_at=None),
            "refused",
            "refused, and not tried again (mx.example.org:25: 550 5.1.1 no such user)",
            True,
        ),
        (
            account.handed_over(MANY, receipt("deferred", None, "no answer"), next_attempt_at=NOW + timedelta(hours=1)),
            "deferred",
            "not delivered yet; next attempt 2026-09-15 07:00 UTC (no answer)",
            True,
        ),
        (
            account.handed_over(MANY, receipt("in_doubt", None, "no answer"), next_attempt_at=NOW + timedelta(hours=1)),
            "in_doubt",
            f"{DOUBT}; next attempt 2026-09-15 07:00 UTC (no answer)",
            True,
        ),
        (
            account.handed_over(MANY, receipt("in_doubt", None, "no answer"), next_attempt_at=None),
            "in_doubt",
            f"{DOUBT}; {HELD}",
            True,
        ),
        (
            account.refused_too_often(MANY, receipt("refused", 550, "5.1.1 no such user"), 3),
            "refused",
            f"refused on 3 days in a row, so no more mail ({RELAY}: 550 5.1.1 no such user); {MEND}",
            True,
        ),
        (
            account.no_relay(ADA, TODAY, "mx:25: connect: nothing listens there; check it", NOW),
            "deferred",
            "the digest of 2026-09-15 waits: mx:25: connect: nothing listens there; check it",
            True,
        ),
        (
            account.expired(row(answer="450 later"), NOW),
            "expired",
            "the digest of 2026-09-15 was given up after 3 attempts; the last answer: 450 later",
            True,
        ),
        (
            account.expired(row(state="planned", attempts=0), NOW),
            "expired",
            "the digest of 2026-09-15 was given up before it could be sent",
            True,
        ),
        (
            account.withdrawn(ADA, TODAY, "no longer subscribed", NOW),
            "paused",
            "the digest of 2026-09-15 was dropped: no longer subscribed",
            False,
        ),
    ],
)
def test_what_becomes_of_a_digest_is_one_sentence(told: Verdict, finding: str, words: str, trouble: bool) -> None:
    assert (finding, f"{ADA}: {words}", trouble) == (told.finding, told.sentence, told.trouble)


def test_the_reason_of_a_pause_holds_the_last_answer() -> None:
    assert "refused on 3 days in a row, the last time with: 550 5.1.1 no such user" == account.hopeless(
        receipt("refused", 550, "5.1.1 no such user"), 3
    )
    assert "refused on 1 day in a row, the last time with: not offered" == account.hopeless(
        receipt("refused", None, "not offered"), 1
    )


# --- notes of quiet days ----------------------------------------------------------------------------------------


def noted(**fields: Any) -> Any:
    return digest(**({"considered": 9, "matched": 0, "subscriber": subscriber(quiet="note")} | fields))


def test_a_note_of_a_quiet_day_is_told_with_its_reason() -> None:
    weekly = subscriber(quiet="note", frequency="weekly")

    assert [
        f"{ADA}: a note of a quiet day planned for 2026-09-15; 9 new papers, none matched the 1 keyword",
        f"{ADA}: a note of a quiet day sent; 9 new papers, none matched the 1 keyword ({RELAY}: 250 2.0.0 queued)",
        f"{ADA}: a note of a quiet week sent; no new papers in seven days ({RELAY}: 250 2.0.0 queued)",
    ] == [
        account.planned(noted()).sentence,
        account.handed_over(noted(), receipt("delivered"), next_attempt_at=None).sentence,
        account.handed_over(
            noted(considered=0, subscriber=weekly), receipt("delivered"), next_attempt_at=None
        ).sentence,
    ]


def test_why_there_is_not_even_a_note_is_told_to_who_wants_one() -> None:
    doubt = "arxiv could not be read"

    assert [
        f"{ADA}: 9 new papers, none matched the 1 keyword, so no mail, nor a note, for {doubt}",
        f"{ADA}: 9 new papers, none matched the 1 keyword, so no mail",
    ] == [account.nothing(one, doubt).sentence for one in (noted(), noted(subscriber=subscriber()))]
