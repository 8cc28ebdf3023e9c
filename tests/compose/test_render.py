from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from digest.compose.card import Detail
from digest.compose.letter import write
from digest.compose.render import Renderer, breakable, wrap
from digest.errors import TemplateError
from tests.compose.cases import LETTERHEAD, USUAL

if TYPE_CHECKING:
    from pathlib import Path

    from digest.compose.styles import Inliner

LETTER = write(USUAL, LETTERHEAD, Detail())


def own(folder: Path, **templates: str) -> Renderer:
    """A renderer with a user's folder; `digest_txt="…"` is the file `mail/digest.txt`."""
    (folder / "mail").mkdir()
    for name, source in templates.items():
        (folder / "mail" / name.replace("_", ".")).write_text(source, encoding="utf-8")
    return Renderer(folder)


def test_a_template_of_ones_own_replaces_the_packaged_one(tmp_path: Path) -> None:
    rendered = own(tmp_path, digest_txt="Mine: {{ letter.lead }}\n").render(LETTER)

    assert (
        "Mine: Quiet Routers: Why Most Tokens in a Mixture-of-Experts Layer Do Not Care Where They Go\n"
        == rendered.text
    )
    assert rendered.html == Renderer().render(LETTER).html


def failure(renderer: Renderer) -> TemplateError:
    with pytest.raises(TemplateError) as caught:
        renderer.check()
    return caught.value


@pytest.mark.parametrize(
    ("source", "line", "reason"),
    [
        ("one\n{{ letter.titel }}", 2, "has no attribute 'titel'"),
        ("one\n\n{{ lettre }}", 3, "'lettre' is undefined"),
        ("{% for card in letter.for_you %}\n{{ card.heading }}\n{% endfor %}", 2, "has no attribute 'heading'"),
        ("{% for %}", 1, "Expected an expression"),
        ("{% if letter.missed %}{{ 1 / 0 }}{% endif %}", 1, "division by zero"),
        ("one\n{% include 'mail/other.txt' %}", 2, "there is no template"),
        ("{{ letter.lead | nosuchfilter }}", 1, "nosuchfilter"),
        ("{{ ''.__class__.__mro__ }}", 1, "unsafe"),
    ],
)
def test_a_mistake_in_a_template_is_named_with_file_and_line(
    tmp_path: Path, source: str, line: int, reason: str
) -> None:
    error = failure(own(tmp_path, digest_txt=source))

    assert (str(tmp_path / "mail" / "digest.txt"), line) == (error.name, error.line)
    assert reason in error.reason
    assert "compare it with the packaged template" in error.hint


def test_a_mistake_in_a_rarely_used_block_is_found_by_check(tmp_path: Path) -> None:
    for block in (
        "letter.missed",
        "letter.trending",
        "letter.left_out",
        "letter.unsubscribe_link",
        "not letter.credits",
    ):
        folder = tmp_path / block.replace(" ", "_")
        folder.mkdir()

        assert "wrong" in failure(own(folder, digest_html=f"{{% if {block} %}}{{{{ wrong }}}}{{% endif %}}<p>x")).reason


def test_html_that_cannot_be_read_is_a_template_error(tmp_path: Path) -> None:
    assert "cannot be inlined" in failure(own(tmp_path, digest_html="  ")).reason


def test_a_folder_that_is_missing_is_a_template_error(tmp_path: Path) -> None:
    with pytest.raises(TemplateError, match="there is no such folder"):
        Renderer(tmp_path / "nowhere")


def test_values_are_escaped_in_a_users_html_too(tmp_path: Path) -> None:
    renderer = own(tmp_path, digest_html="<!DOCTYPE html><p>{{ letter.user_agent }}</p>")
    letter = write(USUAL, type(LETTERHEAD)("digest@example.org", user_agent="<b>&"), Detail())

    assert "&lt;b&gt;&amp;" in renderer.render(letter).html


@pytest.mark.parametrize("inliner", ["premailer", "css-inline"])
def test_styles_are_inlined_and_the_dark_scheme_wins_over_them(inliner: Inliner) -> None:
    html = Renderer(inliner=inliner).render(LETTER).html

    head, _, body = html.partition("<body")
    assert "prefers-color-scheme: dark" in head
    assert ".abstract" not in head
    assert all(
        "!important" in line
        for line in head.split("prefers-color-scheme")[1].split("\n")
        if "color:" in line.split("{")[-1]
    )
    assert 'class="accent"' in body
    assert "color: #1d5c7a" in body.replace("color:#", "color: #")


def test_the_packaged_templates_pass_the_check() -> None:
    Renderer().check()
    Renderer(inliner="css-inline").check()


def test_text_is_wrapped_with_a_hanging_indent_and_links_are_whole() -> None:
    link = "https://example.org/" + "x" * 80

    assert f" 1. {'word ' * 12}word\n    {'word ' * 6}word" == wrap("word " * 20, "    ", " 1. ")
    assert f"see\n{link}" == wrap(f"see {link}")


def test_only_words_without_a_place_to_break_get_one() -> None:
    assert "aaaaaaaaaaaaaaaa\u200baaaaaaaaaaaaaa" == breakable("a" * 30)
    for text in ("a" * 24, "https://github.com/example/a-long-name-of-a-thing", "专" * 60):
        assert text == breakable(text)
