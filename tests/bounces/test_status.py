"""What status codes say about a reader."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from digest.bounces.status import kind_of

if TYPE_CHECKING:
    from digest.model import BounceKind


@pytest.mark.parametrize(
    ("kind", "statuses"),
    [
        ("hard", "5.0.0 5.1.0 5.1.1 5.1.2 5.1.3 5.1.6 5.1.10 5.2.0 5.2.1 5.4.1 5.4.4"),
        ("soft", "5.2.2 5.2.3 5.4.6 5.4.7 4.0.0 4.2.2 4.4.1 4.4.7 4.7.1"),
        ("other", "5.1.7 5.1.8 5.1.90 5.3.4 5.5.2 5.6.1 5.7.1 5.7.26 2.0.0"),
    ],
)
def test_only_what_is_about_the_mailbox_is_held_against_the_reader(kind: BounceKind, statuses: str) -> None:
    assert dict.fromkeys(statuses.split(), kind) == {status: kind_of(status) for status in statuses.split()}


def test_no_status_means_nothing() -> None:
    assert "other" == kind_of("")
