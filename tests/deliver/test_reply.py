"""Replies as they come over the network, and what they mean for a mail."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.deliver.reply import Replies, Reply, Stage, outcome
from digest.model import Outcome
from digest.strangers import MAX_TEXT, one_line

DIALOGUE = (
    b"220 mx.example.org ESMTP\r\n"
    b"250-mx.example.org\r\n250-SIZE 1000\r\n250 SMTPUTF8\r\n"
    b"550-5.1.1 no such user\r\n550 5.1.1 here\r\n"
    b"354\r\n"
    b"250 2.0.0 Ok: queued as 4F\n"
)
REPLIES = [
    Reply(220, "mx.example.org ESMTP"),
    Reply(250, "mx.example.org SIZE 1000 SMTPUTF8"),
    Reply(550, "5.1.1 no such user 5.1.1 here"),
    Reply(354, ""),
    Reply(250, "2.0.0 Ok: queued as 4F"),
]


@given(st.lists(st.integers(0, len(DIALOGUE)), max_size=8))
def test_replies_are_the_same_however_the_network_cuts_them(cuts: list[int]) -> None:
    replies = Replies()
    places = [0, *sorted(cuts), len(DIALOGUE)]

    got = [reply for a, b in pairwise(places) for reply in replies.feed(DIALOGUE[a:b])]

    assert REPLIES == got


@pytest.mark.parametrize(
    "nonsense",
    [
        b"HTTP/1.1 400 Bad Request\r\n",
        b"\r\n",
        b"199 before the range\r\n",
        b"600 after the range\r\n",
        b"250_ok\r\n",
        b"2500 ok\r\n",
        b"250 " + b"x" * 9000 + b"\r\n",
        b"250 " + b"x" * 9000,
        b"250-x\r\n" * 1000,
        b"\xd9\xa2\xd9\xa5\xd9\xa0 digits of another script\r\n",
    ],
)
def test_what_is_no_reply_is_refused(nonsense: bytes) -> None:
    with pytest.raises(ValueError, match="the answer"):
        Replies().feed(nonsense)


@given(st.binary(max_size=400))
def test_any_bytes_make_replies_or_a_value_error(data: bytes) -> None:
    try:
        replies = Replies().feed(data)
    except ValueError:
        return
    for reply in replies:
        assert 200 <= reply.code <= 599
        assert reply.text == one_line(reply.text)


def test_a_text_becomes_one_clean_line_of_limited_length() -> None:
    assert "no such user ok" == one_line("no\x00such\r\nuser\u202e\x1b ok ")
    assert "x" * (MAX_TEXT - 1) + "…" == one_line("x" * 1000)


@pytest.mark.parametrize(
    ("text", "enhanced"),
    [("5.1.1 no such user", "5.1.1"), ("4.7.26", "4.7.26"), ("see 5.1.1", ""), ("5.1.1.1 x", ""), ("", "")],
)
def test_the_enhanced_code_stands_at_the_beginning(text: str, enhanced: str) -> None:
    assert enhanced == Reply(550, text).enhanced


@pytest.mark.parametrize(
    ("stage", "code", "enhanced", "expected"),
    [
        # taken
        ("dot", 250, "2.0.0", "delivered"),
        ("dot", 250, "", "delivered"),
        ("dot", 251, "", "delivered"),
        # not now
        ("mail", 451, "4.3.0", "deferred"),
        ("rcpt", 450, "4.2.1", "deferred"),
        ("rcpt", 421, "", "deferred"),
        ("data", 451, "", "deferred"),
        ("dot", 452, "4.3.1", "deferred"),
        ("dot", 421, "4.7.0", "deferred"),
        # no answer
        ("mail", None, "", "deferred"),
        ("rcpt", None, "", "deferred"),
        ("data", None, "", "deferred"),
        ("dot", None, "", "in_doubt"),
        # before a reader is named, it is about us
        ("connect", 554, "", "deferred"),
        ("ehlo", 550, "5.7.1", "deferred"),
        ("login", 535, "5.7.8", "deferred"),
        ("mail", 550, "", "deferred"),
        ("mail", 553, "5.1.8", "deferred"),
        ("mail", 530, "5.7.0", "deferred"),
        ("mail", 552, "", "deferred"),
        ("dot", 552, "5.3.4", "deferred"),
        # about us, said late
        ("rcpt", 530, "", "deferred"),
        ("rcpt", 535, "", "deferred"),
        ("rcpt", 521, "", "deferred"),
        ("rcpt", 503, "5.5.1", "deferred"),
        ("rcpt", 504, "5.5.2", "deferred"),
        ("data", 503, "", "deferred"),
        ("rcpt", 553, "5.1.7", "deferred"),
        ("rcpt", 550, "5.1.8", "deferred"),
        ("rcpt", 554, "5.7.1", "deferred"),
        ("rcpt", 550, "5.7.25", "deferred"),
        ("dot", 550, "5.7.26", "deferred"),
        ("dot", 554, "5.7.1", "deferred"),
        ("rcpt", 550, "5.3.2", "deferred"),
        ("rcpt", 554, "", "deferred"),
        # about the reader or the mail
        ("rcpt", 550, "", "refused"),
        ("rcpt", 550, "5.1.1", "refused"),
        ("rcpt", 550, "5.1.10", "refused"),
        ("rcpt", 554, "5.1.1", "refused"),
        ("rcpt", 552, "5.2.2", "refused"),
        ("rcpt", 550, "5.5.0", "refused"),
        ("rcpt", 501, "5.1.3", "refused"),
        ("rcpt", 553, "", "refused"),
        ("dot", 554, "", "refused"),
        ("dot", 554, "5.6.0", "refused"),
        ("dot", 552, "5.2.2", "refused"),
        # out of step
        ("data", 250, "", "deferred"),
        ("rcpt", 354, "", "deferred"),
        ("dot", 354, "", "in_doubt"),
    ],
)
def test_what_a_reply_means(stage: Stage, code: int | None, enhanced: str, expected: Outcome) -> None:
    assert expected == outcome(stage, code, enhanced)


@given(
    st.sampled_from(["connect", "tls", "ehlo", "login", "mail", "rcpt", "data"]),
    st.none() | st.integers(200, 599),
    st.from_regex(r"|[245]\.[0-9]{1,3}\.[0-9]{1,3}", fullmatch=True),
)
def test_before_the_final_dot_nothing_is_delivered_or_in_doubt(stage: Stage, code: int | None, enhanced: str) -> None:
    assert outcome(stage, code, enhanced) in {"deferred", "refused"}


@given(st.integers(200, 599), st.from_regex(r"|[245]\.[0-9]{1,3}\.[0-9]{1,3}", fullmatch=True))
def test_only_2xx_delivers_and_only_5xx_refuses(code: int, enhanced: str) -> None:
    result = outcome("dot", code, enhanced)

    assert (result == "delivered") == (200 <= code <= 299)
    assert result != "refused" or 500 <= code <= 599
