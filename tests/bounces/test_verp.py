"""An envelope sender for each reader."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.bounces.verp import verp, verp_token

TOKENS = st.text("ABCXYZabcxyz0189_-", min_size=16, max_size=50)


@given(TOKENS)
def test_the_token_comes_back(token: str) -> None:
    assert token == verp_token(verp("bounces@example.org", token))


@pytest.mark.parametrize("token", ["", "short", "A" * 65, "token with a space", "tokens>\r\nRCPT TO:<x", "é" * 22])
def test_what_is_no_token_is_not_written(token: str) -> None:
    assert "bounces@example.org" == verp("bounces@example.org", token)


def test_there_must_be_room_in_the_local_part() -> None:
    """RFC 5321 §4.5.3.1.1 allows 64 characters."""
    sender = "a" * 43 + "@example.org"

    assert sender == verp(sender, "A" * 22)
    assert f"{'a' * 41}+{'A' * 22}@example.org" == verp("a" * 41 + "@example.org", "A" * 22)


def test_an_address_with_a_tag_of_its_own_stays_as_it_is() -> None:
    assert "digest+bounces@example.org" == verp("digest+bounces@example.org", "A" * 22)


@pytest.mark.parametrize(
    "address", ["", "bounces@example.org", "bounces+short@example.org", "a+b+" + "A" * 22 + "@x", "+" + "A" * 22 + "@x"]
)
def test_other_addresses_have_no_token(address: str) -> None:
    assert verp_token(address) is None
