"""When bounces stop the mail to somebody."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.bounces.bounce import Bounce
from digest.bounces.policy import GONE_DAYS, HARD_DAYS, SOFT_DAYS, WINDOW, reason_to_pause
from tests.makers import NOW

if TYPE_CHECKING:
    from random import Random

    from digest.model import BounceKind

KINDS: list[BounceKind] = ["hard", "soft", "complaint", "unsubscribe", "other"]


def bounce(kind: BounceKind = "hard", days_ago: float = 0, status: str = "5.2.1", text: str = "disabled") -> Bounce:
    return Bounce(kind, "ada@example.org", "<1@example.org>", status, f"550 {status} {text}", NOW - timedelta(days_ago))


def reason(*history: Bounce) -> str | None:
    return reason_to_pause(history, now=NOW)


def test_nothing_came_back() -> None:
    assert reason() is None


@pytest.mark.parametrize(
    ("kind", "expected"), [("complaint", "reported a mail as spam"), ("unsubscribe", "unsubscribed by mail")]
)
def test_who_says_stop_is_heard_at_once_and_for_good(kind: BounceKind, expected: str) -> None:
    assert expected == reason(bounce(kind))
    assert expected == reason(bounce(kind, days_ago=400))


def test_an_unknown_address_is_paused_after_two_days() -> None:
    unknown = [bounce(days_ago=days, status="5.1.1", text="no such user") for days in (0, 1)]

    assert reason(unknown[0]) is None
    assert (
        "the address does not exist: bounced on 2 days, last on 2026-09-15 (5.1.1 550 5.1.1 no such user)"
    ) == reason(*unknown)


def test_other_hard_bounces_are_paused_after_three_days() -> None:
    hard = [bounce(days_ago=days) for days in (2, 0, 1)]

    assert reason(*hard[:2]) is None
    assert ("mail is refused for good: bounced on 3 days, last on 2026-09-15 (5.2.1 550 5.2.1 disabled)") == reason(
        *hard
    )


def test_soft_bounces_are_paused_after_ten_days() -> None:
    soft = [bounce("soft", days_ago=days, status="5.2.2", text="full") for days in range(10)]

    assert reason(*soft[:9]) is None
    assert ("mail cannot be delivered: bounced on 10 days, last on 2026-09-15 (5.2.2 550 5.2.2 full)") == reason(*soft)


def test_a_reader_with_one_digest_a_week_is_judged_too() -> None:
    assert reason(*[bounce(days_ago=days, status="5.1.1") for days in (0, 7)])
    assert reason(*[bounce(days_ago=days) for days in (0, 7, 14)])


@pytest.mark.parametrize(("kind", "count"), [("hard", 50), ("soft", 50), ("other", 50)])
def test_one_bad_day_is_no_reason(kind: BounceKind, count: int) -> None:
    assert reason(*[bounce(kind, days_ago=number / 500, status="5.1.1") for number in range(count)]) is None


def test_what_is_long_ago_does_not_count() -> None:
    just_inside, outside = WINDOW / timedelta(days=1), WINDOW / timedelta(days=1) + 0.001

    assert reason(bounce(status="5.1.1"), bounce(status="5.1.1", days_ago=just_inside))
    assert reason(bounce(status="5.1.1"), bounce(status="5.1.1", days_ago=outside)) is None


def test_what_the_operator_can_mend_never_pauses_a_reader() -> None:
    assert reason(*[bounce("other", days_ago=days, status="5.7.1") for days in range(30)]) is None


HISTORIES = st.lists(st.builds(bounce, st.sampled_from(KINDS), st.integers(0, 60), st.sampled_from(["5.1.1", "5.2.1"])))


@given(HISTORIES, st.randoms(use_true_random=False))
def test_the_order_does_not_matter(history: list[Bounce], random: Random) -> None:
    shuffled = list(history)
    random.shuffle(shuffled)

    assert (reason(*history) is None) == (reason(*shuffled) is None)


@given(HISTORIES, st.sampled_from(KINDS))
def test_one_more_bounce_never_saves_anybody(history: list[Bounce], kind: BounceKind) -> None:
    if reason(*history) is not None:
        assert reason(*history, bounce(kind)) is not None


def test_the_stricter_the_bounce_the_fewer_days() -> None:
    assert GONE_DAYS < HARD_DAYS < SOFT_DAYS
