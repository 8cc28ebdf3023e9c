"""Templates in a language: what they say is translated, all of it, and what they are given is not."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import jinja2
import pytest
from jinja2 import nodes

from digest.compose.render import packaged
from digest.compose.translation import speak, translated
from digest.languages.language import Language

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TEMPLATES = sorted(
    path for path in (packaged() / "mail").iterdir() if not path.name.startswith(("operator.", "style."))
)
#: arXiv asks to be thanked in these words: https://info.arxiv.org/help/api/tou.html
THANKS = "Thank you to arXiv for use of its open access interoperability."


class Backwards(Language):
    """Says everything in another order, in capitals, and with a sign that HTML must write otherwise."""

    def say(self, message: str, /, **values: object) -> str:
        parts = re.split(r"(%\(\w+\)s)", message)
        said = "&".join(part if part.startswith("%(") else part.upper() for part in reversed(parts))
        return said % values if values else said


class Mute(Language):
    """Says nothing but what is put in."""

    def say(self, message: str, /, **_values: object) -> str:
        return "".join(re.findall(r"%\(\w+\)s", message))


def environment(spoken: Language, *, autoescape: bool = True) -> jinja2.Environment:
    made = jinja2.Environment(autoescape=autoescape, trim_blocks=True, lstrip_blocks=True)
    speak(made, spoken)
    made.filters |= {"counted": str, "wrap": str, "breakable": str}
    return made


def printed(source: str, *, autoescape: bool = True, **values: Any) -> str:
    made = environment(Backwards("en"), autoescape=autoescape)
    code = made.compile(translated(made.parse(source), made, None, None), "x")
    return jinja2.Template.from_code(made, code, made.make_globals(None)).render(values)


def test_a_sentence_is_translated_with_its_values_where_the_language_wants_them() -> None:
    source = (
        "{% trans %}for {{ letter.reader | upper }} see "
        "{% slot place %}<a href={{ link }}>{{ _('here') }}</a>{% endslot %}.{% endtrans %}"
    )

    found = printed(source, letter={"reader": "<Ada>"}, link="x")
    assert ".&amp;<a href=x>HERE</a>&amp; SEE &amp;&lt;ADA&gt;&amp;FOR " == found


def test_what_a_language_says_is_escaped_in_html_only() -> None:
    source = "{% trans %}one {{ x }} two{% endtrans %}|{{ _('one %(x)s two', x=x) }}"

    assert " TWO&amp;1&amp;ONE | TWO&amp;1&amp;ONE " == printed(source, x=1)
    assert " TWO&1&ONE | TWO&1&ONE " == printed(source, x=1, autoescape=False)


def test_a_percent_sign_is_one() -> None:
    assert "100% (FOR &7&" == printed("{% trans %}{{ x }}100% (for {% endtrans %}", autoescape=False, x=7)


def test_sentences_may_stand_in_slots_of_sentences() -> None:
    source = (
        "{% trans %}a {% slot b %}{% if x %}{% trans %}c {{ x }}{% endtrans %}{% endif %}{% endslot %}{% endtrans %}"
    )

    assert "&&2&C &A " == printed(source, autoescape=False, x=2)


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("{% trans %}<b>{{ x }}</b>{% endtrans %}", "markup in a sentence goes into a slot"),
        ("{% trans %}{% if x %}y{% endif %}{% endtrans %}", "this goes into a slot"),
        ("{% trans %}{{ 1 + 2 }}{% endtrans %}", "this goes into a slot"),
        ("{{ _(x) }}", "takes one text as it is"),
        ("{{ _('a' ~ 'b') }}", "takes one text as it is"),
        ("{{ _() }}", "takes one text as it is"),
    ],
)
def test_what_nobody_could_translate_is_a_mistake(source: str, reason: str) -> None:
    with pytest.raises(jinja2.TemplateSyntaxError, match=reason):
        printed(source, x=1)


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_templates_say_nothing_that_is_not_translated(path: Path) -> None:
    made = environment(Mute("en"), autoescape=path.suffix == ".html")
    tree = translated(made.parse(path.read_text(encoding="utf-8")), made, None, None)

    assert [] == [text for text in said(tree, path) if re.search("[^\\W\\d_]", text) and text != THANKS]


def said(tree: nodes.Template, path: Path) -> Iterator[str]:
    """What a template prints by itself, without markup."""
    pieces = "\x00".join(one.data for one in tree.find_all(nodes.TemplateData))
    if path.suffix == ".html":
        pieces = re.sub(r"<style>.*?</style>|<[^<>]*>", "\x00", pieces, flags=re.DOTALL)
    yield from (piece.strip() for piece in pieces.split("\x00"))
    joined = [part for one in tree.find_all(nodes.Concat) for part in one.nodes]
    wrapped = [argument for one in tree.find_all(nodes.Filter) if one.name == "wrap" for argument in one.args]
    yield from (one.value for one in (*joined, *wrapped) if isinstance(one, nodes.Const))
