from __future__ import annotations

import re
from html import escape

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digest.compose.card import Detail
from digest.compose.letter import write
from digest.compose.render import Renderer
from digest.compose.styles import Inliner, PieceError, Styles
from tests.compose.cases import CASES

INLINERS: tuple[Inliner, ...] = ("premailer", "css-inline")
SHEET = """<style>
/* p + p { left: 0 } */
p { margin: 0 }
.a, b { color: red }
.a .b { color: blue; font: 1px "A" }
div > p.b { top: 1px }
#i p { right: 0 }
@media (max-width: 620px) { .a + .b { color: green !important } }
</style>
"""
PAGE = "<!DOCTYPE html>\n<html>\n<head>\n{sheet}</head>\n<body>\n{body}</body>\n</html>\n"

texts = st.sampled_from(
    ["", "text", "&lt;p class=&#34;a&#34;&gt;", "&amp;amp; &#39;", "\u200b專 é", "\n", "<!-- p -->"]
)
classes = st.sampled_from(["", ' class="a"', ' class="b"', " class='a b'", ' id="i"', ' style="top: 2px"'])
others = st.sampled_from(["", ' href="https://example.org/?a=1&amp;b=%20"', ' title="a > b"', " dir=auto"])


def tagged(tags: list[str], inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.builds(
        lambda tag, seen, other, parts: f"<{tag}{seen}{other}>{''.join(parts)}</{tag}>",
        st.sampled_from(tags),
        classes,
        others,
        st.lists(inner, max_size=4),
    )


# valid nesting only: in a <div> inside a <b> parsers see different things depending on what stands before
inline = st.recursive(texts | st.just("<br>"), lambda inner: tagged(["b", "span"], inner), max_leaves=5)
elements = st.recursive(inline | tagged(["p"], inline), lambda inner: tagged(["div"], inner), max_leaves=8)
pages = elements.map(lambda body: PAGE.format(sheet=SHEET, body=body))
EXPERIENCED = {inliner: Styles(inliner) for inliner in INLINERS}


@pytest.mark.parametrize("inliner", INLINERS)
@given(html=pages)
@settings(max_examples=60, deadline=None)
def test_what_is_remembered_of_other_pages_is_what_the_inliner_says_of_this_one(inliner: Inliner, html: str) -> None:
    assert Styles(inliner).page(html)[0] == EXPERIENCED[inliner].page(html)[0]


@pytest.mark.parametrize("inliner", INLINERS)
@pytest.mark.parametrize("name", sorted(CASES))
def test_mails_have_the_same_styles_whatever_was_rendered_before(name: str, inliner: Inliner) -> None:
    letter = write(CASES[name].digest, CASES[name].letterhead, Detail())
    experienced = Renderer(inliner=inliner)
    experienced.check()

    assert Renderer(inliner=inliner).render(letter) == experienced.render(letter)


@pytest.mark.parametrize("inliner", INLINERS)
@given(html=pages)
@settings(max_examples=30, deadline=None)
def test_nothing_of_a_page_changes_but_its_styles(inliner: Inliner, html: str) -> None:
    dressed = EXPERIENCED[inliner].page(html)[0]

    assert bare(html) == bare(dressed)


def bare(html: str) -> str:
    return re.sub(r"<style>.*?</style>\n?|\sstyle=(\"[^\"]*\"|'[^']*')", "", html, flags=re.DOTALL)


@pytest.mark.parametrize("inliner", INLINERS)
def test_an_element_gets_its_style_and_media_rules_stay(inliner: Inliner) -> None:
    html = EXPERIENCED[inliner].page(PAGE.format(sheet=SHEET, body='<p class="a" title="x">y</p><b>z</b>\n'))[0]

    assert '<p class="a" title="x" style="margin: 0; color: red">y</p><b style="color: red">z</b>' == re.sub(
        r"\s*;\s*\"",
        '"',
        re.search(r"<p.*</b>", html)[0].replace(":", ": ").replace(":  ", ": ").replace(";color", "; color"),  # type: ignore[index]
    )
    assert "max-width: 620px" in html
    assert ".a .b" not in html


@pytest.mark.parametrize("inliner", INLINERS)
@pytest.mark.parametrize(
    ("selector", "styled"),
    [("p + p", [2]), ("p:first-child", [1]), ("p[title=y]", [2]), ("p ~ p", [2])],
)
def test_selectors_that_look_beyond_an_element_are_honoured_page_by_page(
    inliner: Inliner, selector: str, styled: list[int]
) -> None:
    sheet = f"<style>{selector} {{ color: red }}</style>\n"
    styles = Styles(inliner)
    html, around = styles.page(
        PAGE.format(sheet=sheet, body='<div>\n<p title="x">1</p><p title="y">2</p><!-- here --></div>\n')
    )

    assert styled == [int(number) for number in re.findall(r"<p[^>]* style=[^>]*>(\d)", html)]
    with pytest.raises(PieceError, match="look beyond"):
        styles.piece("<p>3</p>", around["<!-- here -->"])


@pytest.mark.parametrize("inliner", INLINERS)
def test_a_piece_has_the_styles_of_the_place_it_is_for(inliner: Inliner) -> None:
    styles = Styles(inliner)
    _, around = styles.page(PAGE.format(sheet=SHEET, body='<div class="a">\n<!-- here -->\n</div>\n<!-- there -->\n'))
    whole = styles.page(PAGE.format(sheet=SHEET, body='<div class="a">\n<i class="b">x</i>\n</div>\n'))[0]

    piece = styles.piece('<i class="b">x</i>\n', around["<!-- here -->"])

    assert "blue" in piece
    assert piece in whole
    assert '<i class="b">x</i>\n' == styles.piece('<i class="b">x</i>\n', around["<!-- there -->"])


@given(st.text(max_size=60))
def test_a_text_is_not_taken_for_markup(text: str) -> None:
    body = f'<p class="a" title="{escape(text)}">{escape(text)}</p>\n'

    assert bare(body) in bare(EXPERIENCED["css-inline"].page(PAGE.format(sheet=SHEET, body=body))[0])
