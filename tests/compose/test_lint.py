"""Mails of ours have nothing wrong; each thing that can be wrong is found, named, and told how to mend."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.compose.lint import lint
from digest.compose.lint.contrast import ratio
from digest.compose.message import compose
from digest.compose.render import Renderer
from tests.compose.cases import CASES, LETTERHEAD, USUAL, WIDE, illustrated

if TYPE_CHECKING:
    from digest.model import Finding

HEAD = """\
From: "Digest" <digest@example.org>
To: ada@example.net
Date: Tue, 15 Sep 2026 06:00:00 +0000
Message-ID: <1@example.org>
Subject: 15 Sep: Papers
List-Id: Papers <papers.example.org>
List-Unsubscribe: <https://example.org/leave/x>, <mailto:leave@example.org>
List-Unsubscribe-Post: List-Unsubscribe=One-Click
MIME-Version: 1.0
Content-Type: multipart/alternative; boundary="b"
"""
PLAIN = "--b\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n{}\n"
HTML = "--b\nContent-Type: text/html; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n{}\n"
TEXT = "1. On Numbers\n2. On Letters\nhttps://example.org/leave/x"
LEAVE = '<a style="color: #000" href="https://example.org/leave/x">Unsubscribe</a>'
BODY = "<p>1. On Numbers</p><p>2. On Letters</p>"
PAGE = f'<html lang="en"><body style="color: #000; background: #fff">{BODY}{{}}</body></html>'
TITLES = ["On Numbers", "On Letters"]


def mail(*, head: str = HEAD, text: str = TEXT, page: str = PAGE.format(LEAVE), more: str = "") -> bytes:
    """A small mail with nothing wrong, but for what is named; `more` stands in its page."""
    page = page.replace("</body>", f"{more}</body>")
    return f"{head}\n{PLAIN.format(text)}{HTML.format(page)}--b--\n".replace("\n", "\r\n").encode()


def faults(data: bytes, titles: list[str] | None = None) -> list[str]:
    """`check: sentence` of what is wrong or could be better."""
    found = lint(data, TITLES if titles is None else titles)
    assert all(finding.cure for finding in found if finding.level in {"wrong", "advice"})
    return [f"{finding.check}: {finding.sentence}" for finding in found if finding.level != "good"]


def fault(data: bytes, titles: list[str] | None = None) -> str:
    (only,) = faults(data, titles)
    return only


def test_pictures_count_for_no_limit_of_what_mail_programs_show() -> None:
    large = compose(illustrated(USUAL, replace(WIDE, data="A" * 200_000)), LETTERHEAD, Renderer()).data

    assert len(large) > 200_000
    assert [] == faults(large, [pick.paper.title for pick in USUAL.picks])


@pytest.mark.parametrize("name", CASES)
def test_our_own_mails_have_nothing_wrong(name: str) -> None:
    case = CASES[name]
    written = compose(case.digest, case.letterhead, Renderer(inliner=case.inliner))

    found = lint(written.data, [pick.paper.title for pick in case.digest.picks])

    assert [] == [finding for finding in found if finding.level == "wrong"]
    checks = ["size", "parts", "papers", "links", "content", "unsubscribe", "headers", "lines", "contrast"]
    assert checks == list(dict.fromkeys(finding.check for finding in found))


def test_a_careful_mail_has_nothing_wrong_and_nothing_to_better() -> None:
    assert [] == faults(mail())


@given(st.binary(max_size=300))
def test_no_bytes_make_it_fail(data: bytes) -> None:
    assert lint(data, ["a"])
    assert lint(HEAD.encode() + b"\n" + data, ["a"])
    assert lint(mail().replace(b"On Numbers", data), ["a"])


# --- size, parts, papers ----------------------------------------------------------------------------------------


def test_a_mail_that_gmail_would_clip_is_found() -> None:
    said = fault(mail(more="<p>long</p>\n" * 9_000))

    assert said.startswith("size: ")
    assert said.endswith(" bytes, and Gmail hides the end of mails over 100,000")


def test_a_missing_part_is_found() -> None:
    assert "parts: there is no part in plain text, or nothing in it" in faults(mail(text=" "))
    assert "parts: there is no part in HTML, or nothing in it" in faults(mail(page=""))


def test_the_plain_part_must_come_first() -> None:
    swapped = f"{HEAD}\n{HTML.format(PAGE.format(LEAVE))}{PLAIN.format(TEXT)}--b--\n".replace("\n", "\r\n").encode()

    assert "the HTML part stands before the one in plain text" in fault(swapped)


def test_a_paper_that_only_one_part_tells_is_found() -> None:
    assert (
        fault(mail(text=TEXT.replace("2. On Letters", ""))) == "papers: only the HTML part has the paper 'On Letters'"
    )


def test_papers_in_another_order_are_found() -> None:
    swapped = "1. On Letters\n2. On Numbers\nhttps://example.org/leave/x"

    assert "papers: the papers stand in another order in plain text than in HTML" == fault(mail(text=swapped))


def test_a_title_may_be_wrapped_numbered_and_broken_for_narrow_screens() -> None:
    page = PAGE.format(LEAVE).replace("On Numbers", "On Num\u200bbers")

    assert [] == faults(mail(text=TEXT.replace("On Numbers", "On\n   Numbers"), page=page))


def test_papers_that_neither_part_tells_are_those_that_did_not_fit() -> None:
    assert [] == faults(mail(), [*TITLES, "On Everything Else"])
    assert "papers: neither part names any of the papers" == fault(mail(), ["On Everything Else"])


# --- links ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("link", "trouble"),
    [
        ("javascript:alert(1)", "is neither http, https nor mailto"),
        ("data:text/html,x", "is neither http, https nor mailto"),
        ("ftp://example.org/x", "is neither http, https nor mailto"),
        ("/papers", "is neither http, https nor mailto"),
        ("http://192.0.2.7/x", "leads to a bare IP address, as only spam does"),
        ("http://[2001:db8::1]/", "leads to a bare IP address, as only spam does"),
        ("http://3221225991/", "leads to a bare IP address, as only spam does"),
        ("http://0xC0.0.2.0x7/", "leads to a bare IP address, as only spam does"),
        ("https://bit.ly/x", "is from a link shortener, which hides where it leads"),
        ("https://www.tinyurl.com./x", "is from a link shortener, which hides where it leads"),
        ("https://arxiv.org@evil.example/pdf", "shows one name and leads to another: evil.example"),
        ("https:///x", "names no host"),
        ("http://[::1", "is no address that a browser could open"),
        ("mailto:", "names nobody to write to"),
    ],
)
def test_a_link_that_should_not_be_in_a_mail_is_found(link: str, trouble: str) -> None:
    assert f"links: {link} {trouble}" == fault(mail(more=f'<a style="color:#000" href="{link}">x</a>'))


@pytest.mark.parametrize(
    "link", ["https://bitly.example/x", "mailto:a@example.org?subject=x", "#top", "http://1.2.3.4.example/"]
)
def test_other_links_are_let_pass(link: str) -> None:
    assert [] == faults(mail(more=f'<a style="color:#000" href="{link}">x</a>'))


def test_links_of_the_plain_part_are_looked_at_too() -> None:
    assert "links: https://bit.ly/x is from a link shortener, which hides where it leads" == fault(
        mail(text=TEXT + "\nhttps://bit.ly/x")
    )


def test_what_is_active_or_loaded_from_elsewhere_is_found() -> None:
    assert "content: <script> does nothing" in fault(mail(more="<script>1</script>"))
    assert "content: onclick= does nothing" in fault(mail(more='<p onclick="1">x</p>'))
    assert "content: https://example.org/p.gif: what is loaded" in fault(
        mail(more='<img src="https://example.org/p.gif">')
    )
    assert [] == faults(mail(more='<img alt="x" src="cid:1">'))


# --- the way out ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("<https://example.org/leave/x>, <mailto:leave@example.org>", "", "names no https or mailto address"),
        (
            "<https://example.org/leave/x>",
            "<http://example.org/leave/x>",
            "http://example.org/leave/x, which is no way out",
        ),
        ("<https://example.org/leave/x>, ", "", "List-Unsubscribe-Post needs an https address"),
        ("=One-Click", "=Two-Clicks", "List-Unsubscribe-Post does not say List-Unsubscribe=One-Click"),
        ("List-Unsubscribe-Post: List-Unsubscribe=One-Click\n", "", "List-Unsubscribe-Post does not say"),
        ("leave/x>", "leave/y>", "the text part has none of the addresses of List-Unsubscribe"),
        ("leave/x>", "leave/y>", "the HTML part has none of the addresses of List-Unsubscribe"),
    ],
)
def test_a_way_out_that_is_none_is_found(old: str, new: str, said: str) -> None:
    found = faults(mail(head=HEAD.replace(old, new)))

    assert any(said in sentence for sentence in found if sentence.startswith("unsubscribe: ")), found


def test_leaving_by_mail_alone_is_advice() -> None:
    head = HEAD.replace("<https://example.org/leave/x>, ", "").replace(
        "List-Unsubscribe-Post: List-Unsubscribe=One-Click\n", ""
    )
    text, page = (
        body.replace("https://example.org/leave/x", "mailto:leave@example.org") for body in (TEXT, PAGE.format(LEAVE))
    )

    (found,) = (finding for finding in lint(mail(head=head, text=text, page=page)) if finding.level != "good")

    assert ("unsubscribe", "advice") == (found.check, found.level)


# --- headers, lines, signature ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("Subject: 15 Sep: Papers", f"Subject: {'x' * 71}", "headers: Subject has 71 characters, more than 70"),
        ("Subject: 15 Sep: Papers", "Subject: ", "headers: Subject is empty"),
        ("Subject: 15 Sep: Papers", "Subject: =?utf-8?q?a=0D=0ABcc=3A_x?=", "Subject has characters that nobody sees"),
        ("Subject: 15 Sep: Papers\n", "Subject: a\nSubject: b\n", "headers: Subject stands in it 2 times"),
        ("Date: Tue, 15 Sep 2026 06:00:00 +0000\n", "", "headers: Date stands in it 0 times"),
        ("Tue, 15 Sep 2026 06:00:00 +0000", "yesterday", "headers: Date is no date with a time zone: yesterday"),
        ("<1@example.org>", "1@example.org", "headers: Message-ID is not of the form <name@domain>: 1@example.org"),
        ("To: ada@example.net", "To: ada@example.net, bob@example.net", "headers: To is not one address"),
        ("<papers.example.org>", "papers", "headers: List-Id has no name with a dot in angle brackets"),
        ("List-Id: Papers <papers.example.org>\n", "", "headers: there is no List-Id"),
        ("MIME-Version", "no colon here\nMIME-Version", "headers: 'no colon here' is no header field"),
        ("15 Sep: Papers", "Pâpers", "lines: Subject has bytes that are not ASCII"),
        ("ada@", "zoë@", "lines: the reader's address is not ASCII"),
    ],
)  # fmt: skip
def test_a_header_that_is_wrong_is_found(old: str, new: str, said: str) -> None:
    found = faults(mail(head=HEAD.replace(old, new)))

    assert any(said in sentence for sentence in found), found


def test_lines_that_no_relay_may_take_are_found() -> None:
    assert "lines: a line has 999 bytes, and 998 are the most (RFC 5322 §2.1.1)" == fault(
        mail(text=f"{TEXT}\n{'x' * 999}")
    )
    assert "lines: there are lines that do not end with CRLF" in fault(mail().replace(b"2. On", b"\n2. On"))
    eight_bit = mail(text=f"{TEXT}\né").replace(b"Encoding: 8bit", b"Encoding: 7bit", 1)
    assert "lines: the text/plain part has 8-bit bytes but says 7bit (RFC 2045 §6.2)" == fault(eight_bit)


def test_a_signature_must_cover_the_way_out() -> None:
    signature = "DKIM-Signature: v=1; a=rsa-sha256; h=From:To:\n List-Unsubscribe; b=x\n"

    said = "signature: the signature does not cover List-Unsubscribe-Post (RFC 6376 §5.4, RFC 8058 §4)"
    assert said == fault(mail(head=signature + HEAD))
    assert [] == faults(mail(head=signature.replace("be; b", "be:List-Unsubscribe-Post; b") + HEAD))


# --- contrast ---------------------------------------------------------------------------------------------------


def unreadable(more: str, *, head: str = "") -> list[str]:
    page = PAGE.format(LEAVE).replace("<body", f"<head>{head}</head><body")
    return [said.removeprefix("contrast: ") for said in faults(mail(page=page, more=more))]


@pytest.mark.parametrize(
    "styled",
    [
        '<p style="color: #999999">pale</p>',
        '<p style="color: #999">pale</p>',
        '<p style="color: rgb(153, 153, 153)">pale</p>',
        '<p style="color: rgb(60% 60% 60%)">pale</p>',
        '<p style="color: rgba(0, 0, 0, 0.4)">pale</p>',
        '<p style="color: #00000066">pale</p>',
        '<font color="#999999">pale</font>',
        '<div style="color: #999"><p>pale</p></div>',
    ],
)
def test_pale_text_is_found_in_both_schemes(styled: str) -> None:
    assert [
        "in the light scheme #999999 on #ffffff has 2.8, not 4.5: 'pale'",
        "in the dark scheme #999999 on #ffffff has 2.8, not 4.5: 'pale'",
    ] == unreadable(styled)


def test_the_ground_is_that_of_the_nearest_element_that_has_one() -> None:
    assert [] == unreadable('<table bgcolor="#000000"><tr><td style="color: #ccc">pale</td></tr></table>')
    assert [] == unreadable('<div style="background: url(x.gif) #000"><p style="color: #ccc">x</p></div>')[1:]
    assert (
        "#cccccc on #eeeeee has 1.4"
        in unreadable('<div style="background: #eee"><p style="color: #ccc">x</p></div>')[0]
    )


def test_text_that_is_hidden_needs_no_contrast() -> None:
    for hidden in ("display:none", "visibility: hidden", "font-size:0", "mso-hide: all"):
        assert [] == unreadable(f'<p style="color: #fff; {hidden}">preheader</p>')


def test_the_dark_scheme_is_judged_by_what_wins_there() -> None:
    dark = (
        "<style>@media (prefers-color-scheme: dark) {{ .t {{ color: #222 {}; background: #111 !important; }} }}</style>"
    )
    text = '<p class="t" style="color: #fff; background: #000">x</p>'

    assert ["in the dark scheme #222222 on #111111 has 1.2, not 4.5: 'x'"] == unreadable(
        text, head=dark.format("!important")
    )
    # without !important, the style attribute wins
    assert [] == unreadable(text, head=dark.format(""))


def test_rules_for_the_light_scheme_count_in_the_light_one_alone() -> None:
    light = "<style>@media screen and (prefers-color-scheme: light) { .t { color: #ddd !important; } }</style>"

    said = unreadable('<p class="t" style="color: #000">x</p>', head=light)

    assert ["in the light scheme #dddddd on #ffffff has 1.4, not 4.5: 'x'"] == said


def test_a_page_that_declares_the_dark_scheme_is_drawn_on_a_dark_ground() -> None:
    declared = '<meta name="color-scheme" content="light dark">'
    page = f'<html lang="en"><head>{declared}</head><body>On Letters<p style="color:#000">x</p>{LEAVE}</body></html>'

    found = faults(mail(page=page), ["On Letters"])

    assert ["contrast: in the dark scheme #000000 on #121212 has 1.1, not 4.5: 'x'"] == found


def test_a_colour_that_is_not_understood_is_said() -> None:
    said = unreadable('<p style="color: chartreuse">x</p>')

    assert "in the light scheme the colour chartreuse is not understood, here and by old mail programs" == said[0]


@given(st.tuples(*[st.floats(0, 255)] * 3), st.tuples(*[st.floats(0, 255)] * 3))
def test_contrast_is_the_same_both_ways_and_from_1_to_21(
    one: tuple[float, float, float], other: tuple[float, float, float]
) -> None:
    found = ratio((*one, 1.0), (*other, 1.0))

    assert 1 <= found <= 21
    assert found == ratio((*other, 1.0), (*one, 1.0))


@pytest.mark.parametrize(("pair", "known"), [(("#777777", "#ffffff"), 4.48), (("#0000ff", "#ffffff"), 8.59)])
def test_contrast_is_what_others_measure(pair: tuple[str, str], known: float) -> None:
    """As WebAIM's contrast checker has it."""
    (r, g, b), (red, green, blue) = (map(float, bytes.fromhex(colour[1:])) for colour in pair)

    assert known == round(ratio((r, g, b, 1.0), (red, green, blue, 1.0)), 2)


def test_deep_nesting_is_no_trouble() -> None:
    assert [] == unreadable("<div>\n" * 3_000 + "x" + "</div>\n" * 3_000)


def test_findings_are_bounded() -> None:
    found: tuple[Finding, ...] = lint(mail(more="".join(f'<a href="ftp://h/{n}"></a>' for n in range(50))))

    said = [finding.sentence for finding in found if finding.check == "links"]
    assert 11 == len(said)
    assert "40 more of this kind" == said[-1]
