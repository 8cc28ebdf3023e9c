"""The fields of a digest's head, as the RFCs and large receivers want them."""

from __future__ import annotations

import re
from dataclasses import replace
from email import message_from_bytes, policy
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from digest.compose.message import compose
from digest.compose.render import Renderer
from tests.compose.cases import LETTERHEAD, READER
from tests.makers import digest, paper, pick, subscriber

if TYPE_CHECKING:
    from email.message import EmailMessage

    from digest.compose.letter import Letterhead
    from digest.model import Digest, Mail

RENDERER = Renderer(inliner="css-inline")
LOCAL_PARTS = st.from_regex(r"[a-z0-9][a-z0-9.+-]{0,62}[a-z0-9]", fullmatch=True).filter(lambda text: ".." not in text)
LABELS = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,60}[a-z0-9])?", fullmatch=True)


def parsed(one: Digest, letterhead: Letterhead = LETTERHEAD) -> EmailMessage:
    message: Any = message_from_bytes(compose(one, letterhead, RENDERER).data, policy=policy.default)
    return message  # type: ignore[no-any-return]


def head(mail: Mail) -> list[str]:
    """Its lines, as they are."""
    return mail.data.partition(b"\r\n\r\n")[0].decode().split("\r\n")


@given(st.text(max_size=200), st.text(max_size=200), LOCAL_PARTS, LABELS, st.text("abc/-", max_size=400))
@example("专" * 200, "词 " * 100, "x" * 64, "d" * 60, "p" * 400)
@example("word " * 40, "word " * 40, "x" * 64, "d" * 60, "")
@settings(max_examples=60, deadline=None)
def test_lines_are_short_or_have_no_place_to_break(name: str, title: str, local: str, label: str, path: str) -> None:
    """RFC 5322 §2.1.1: 78 characters where they can be, 998 in any case. RFC 2047 §2: encoded words have 75."""
    address, domain = f"{local}@{label}.example.org", f"{label}.example.org"
    letterhead = replace(
        LETTERHEAD,
        from_address=f"Paper digest <{address}>",
        reply_to=address,
        envelope_from=address,
        base_url=f"https://{domain}/{path}",
        unsubscribe_mailto=address,
    )
    reader = replace(READER, name=name, email=f"{local}@{label}.example.net")

    mail = compose(digest(pick(1, paper=paper(1, title=title)), subscriber=reader), letterhead, RENDERER)

    long = [line for line in head(mail) if len(line) > 78]
    assert all(len(line) <= 998 for line in head(mail))
    assert [] == [line for line in long if " " in line.strip().split(": ", 1)[-1]]
    assert all(len(word) <= 75 for line in head(mail) for word in re.findall(r"=\?.*?\?=", line))
    # RFC 5321 §4.5.3.1: local part and path
    assert all(len(path.rpartition("@")[0]) <= 64 and len(path) <= 254 for path in (mail.recipient, mail.envelope_from))


def test_the_list_has_a_name_somebody_to_ask_and_takes_no_posts() -> None:
    """RFC 2919 §2: a name with a dot, in angle brackets. RFC 2369 §3.1 and §3.4."""
    message = parsed(digest(pick(1)))

    assert "Paper digest <papers.papers.example.org>" == message["List-Id"]
    assert ["<mailto:librarian@example.org>", "NO"] == [message["List-Help"], message["List-Post"]]


@pytest.mark.parametrize(
    ("fields", "kind"), [({}, "daily"), ({"frequency": "weekly"}, "weekly"), ({"quiet": "note"}, "quiet")]
)
def test_complaints_can_be_told_apart_by_day_and_kind_and_by_no_person(fields: dict[str, Any], kind: str) -> None:
    """Gmail: three fields of our own, then a name of 5 to 15 characters that is the same in all our mails."""
    picks = () if kind == "quiet" else (pick(1),)

    both = [
        parsed(digest(*picks, subscriber=subscriber(email, token=token, **fields)))["Feedback-ID"]
        for email, token in (("ada@example.org", "a" * 22), ("bob@example.org", "b" * 22))
    ]

    assert [f"20260915:{kind}:digest:paper-digest"] * 2 == both
    assert 5 <= len(both[0].rpartition(":")[2]) <= 15


def test_one_click_is_offered_where_a_page_takes_it_and_a_mail_does_in_any_case() -> None:
    """RFC 8058 §3.1: only with an https address, which comes first (RFC 2369 §2)."""
    both, plain, none = (
        parsed(digest(pick(1), subscriber=READER), replace(LETTERHEAD, base_url=base))
        for base in ("https://papers.example.org", "http://papers.example.org", "")
    )

    page, mail = both["List-Unsubscribe"].split(", ")
    assert [f"<https://papers.example.org/unsubscribe/{READER.token}>", "List-Unsubscribe=One-Click"] == [
        page,
        both["List-Unsubscribe-Post"],
    ]
    assert [(mail, None)] * 2 == [(one["List-Unsubscribe"], one["List-Unsubscribe-Post"]) for one in (plain, none)]
    assert f"<mailto:leave@papers.example.org?subject=unsubscribe%20{READER.token}>" == mail
