"""Public addresses only, whatever they are dressed as."""

from __future__ import annotations

import asyncio
import doctest

import pytest
from hypothesis import given
from hypothesis import strategies as st

import digest.collect.addresses
from digest.collect.addresses import ForbiddenAddressError, is_permitted, resolve


def test_the_examples_in_the_docstrings_hold() -> None:
    assert 0 == doctest.testmod(digest.collect.addresses).failed


@pytest.mark.parametrize("address", ["8.8.8.8", "151.101.1.42", "2606:4700::6810:84e5", "64:ff9b::808:808"])
def test_public_addresses_may_be_asked(address: str) -> None:
    assert is_permitted("example.org", address, ())


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.0.0.1",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "255.255.255.255",
        "224.0.0.1",
        "240.0.0.1",
        "192.0.2.1",
        "::",
        "::1",
        "fe80::1",
        "fe80::1%2",
        "fc00::1",
        "ff02::1",
        "2001:db8::1",
        "::ffff:10.0.0.1",
        "2002:7f00:1::",  # 6to4 of 127.0.0.1
        "64:ff9b::a9fe:a9fe",  # NAT64 of 169.254.169.254
        "64:ff9b:1::7f00:1",  # local NAT64 (RFC 8215)
        "::10.0.0.1",  # IPv4-compatible (RFC 4291 §2.5.5.1)
        "::ffff:0:10.0.0.1",  # IPv4-translated (RFC 2765)
        "fec0::1",  # site-local (RFC 3879)
    ],
)
def test_all_others_may_not(address: str) -> None:
    assert not is_permitted("example.org", address, ())


@pytest.mark.parametrize(
    ("entry", "is_allowed"),
    [
        ("feeds.lab.example", True),
        ("FEEDS.lab.example", True),
        ("10.1.2.3", True),
        ("10.0.0.0/8", True),
        ("10.1.2.99/16", True),
        ("lab.example", False),
        ("10.2.0.0/16", False),
        ("not a network/99", False),
        ("", False),
    ],
)
def test_the_operator_may_name_a_host_an_address_or_a_network(entry: str, is_allowed: bool) -> None:
    assert is_allowed == is_permitted("feeds.lab.example", "10.1.2.3", (entry,))


def test_an_ipv6_host_may_be_named_with_brackets() -> None:
    assert is_permitted("fd00::1", "fd00::1", ("[fd00::1]",))


@given(st.ip_addresses())
def test_a_public_address_stays_public_whatever_is_allowed_beside_it(address: object) -> None:
    if is_permitted("example.org", str(address), ()):
        assert is_permitted("example.org", str(address), ("10.0.0.0/8", "other.example"))


@pytest.mark.parametrize("host", ["127.0.0.1", "2130706433", "0x7f.1", "localhost"])
def test_a_name_that_leads_to_this_machine_is_refused(host: str) -> None:
    with pytest.raises(ForbiddenAddressError, match="is not a public address"):
        asyncio.run(resolve(host, 80, ()))


def test_a_permitted_name_gives_its_addresses() -> None:
    assert "127.0.0.1" in asyncio.run(resolve("localhost", 80, ("localhost",)))


@pytest.mark.parametrize("host", ["a" * 64, "a..b", ""])
def test_what_is_no_name_is_an_error_of_the_network(host: str) -> None:
    with pytest.raises((OSError, ForbiddenAddressError)):
        asyncio.run(resolve(host, 80, ()))
