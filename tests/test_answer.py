"""The line by which a reader says something of a paper, there and back."""

from __future__ import annotations

import doctest
from dataclasses import replace
from urllib.parse import quote, unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

import digest.answer
from digest.answer import Answer, Verb, in_link, is_genuine, line, read
from tests.makers import HOSTILE_TITLE

SECRET = "a secret of the state"
TOKEN = "Zm9yIHRoZSByZWFkZXI_-w"
LINE = line("more", "arxiv:2401.01234", TOKEN, secret=SECRET)


def test_the_examples_in_the_docstrings_hold() -> None:
    assert 0 == doctest.testmod(digest.answer).failed


@given(
    st.sampled_from(["more", "less", "confirm"]),
    st.text(min_size=1, max_size=60),
    st.sampled_from(["", "Re: ", "AW: [x] "]),
)
def test_what_goes_out_comes_back_and_is_genuine(verb: Verb, key: str, before: str) -> None:
    if any("\ud800" <= char <= "\udfff" for char in key):
        return
    written = line(verb, key, TOKEN, secret=SECRET)

    answer = read(before + written)

    assert written.isascii()
    assert written.isprintable()
    assert answer is not None
    assert (verb, key, TOKEN) == (answer.verb, answer.key, answer.token)
    assert is_genuine(answer, secret=SECRET)


@given(st.text(max_size=30).filter(str.isprintable))
def test_in_a_link_a_line_is_what_mail_programs_decode(key: str) -> None:
    written = line("less", key, TOKEN, secret=SECRET)

    assert quote(written, safe=":~()") == in_link(written)
    assert written == unquote(in_link(written))


@given(st.data())
def test_a_line_with_any_character_changed_is_refused(data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(LINE) - 1))
    other = data.draw(st.characters(min_codepoint=32, max_codepoint=126).filter(lambda char: char != LINE[place]))

    answer = read(LINE[:place] + other + LINE[place + 1 :])

    genuine = read(LINE)
    assert answer is None or answer == genuine or not is_genuine(answer, secret=SECRET)


def test_a_line_may_be_broken_in_the_middle() -> None:
    """As mails show it on a phone, and a reader copies it."""
    broken = read(LINE.replace(f"{TOKEN}.", f"{TOKEN}. "))

    assert broken is not None
    assert read(LINE) == broken


def test_another_secret_verb_or_reader_is_another_signature() -> None:
    answer = read(LINE)

    assert isinstance(answer, Answer)
    assert not is_genuine(answer, secret="another")
    assert not is_genuine(replace(answer, verb="less"), secret=SECRET)
    assert not is_genuine(replace(answer, token="x" * 22), secret=SECRET)
    assert not is_genuine(replace(answer, key="arxiv:2401.01235"), secret=SECRET)


@pytest.mark.parametrize("text", ["", "more", "more x [y.z]", HOSTILE_TITLE, "unsubscribe " + TOKEN, "m" * 10_000])
def test_other_subjects_say_nothing(text: str) -> None:
    assert read(text) is None
