"""No sentence of a mail or a page is without its translation, and every translation can be put into the mail."""

from __future__ import annotations

import ast
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

from digest.compose.render import packaged
from tests.messages import CODE, KEYWORDS, LANGUAGES, ROOT, in_template, missing, renewed, said

FILES = sorted(LANGUAGES.glob("*.po"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_sentence_is_translated(file: Path) -> None:
    assert [] == missing(file)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_file_has_what_is_said_and_nothing_else(file: Path) -> None:
    """Type `make messages` if this fails, and translate what is new."""
    assert file.read_bytes() == renewed(file)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_translation_puts_in_what_the_sentence_does(file: Path) -> None:
    with file.open("rb") as written:
        catalog = read_po(written, locale=file.stem)

    wrong = {message.id: errors for message, errors in catalog.check() if errors}
    assert {} == wrong
    assert [] == [message.id for message in catalog if message.fuzzy and message.id]


def test_a_translation_has_all_the_values_of_its_sentence() -> None:
    """Babel only looks for values that a sentence does not have; one that was forgotten would be missing in mails."""
    for file in FILES:
        with file.open("rb") as written:
            for message in read_po(written, locale=file.stem):
                texts = [message.id] if isinstance(message.id, str) else message.id
                forms = [message.string] if isinstance(message.string, str) else message.string or ()
                # “below the best paper” needs no 1
                counted = {"count"} if message.pluralizable else set()
                assert message.id == "" or {names(texts[-1]) | counted} == {names(form) | counted for form in forms}


def names(text: str) -> frozenset[str]:
    return frozenset(part.partition(")")[0] for part in text.split("%(")[1:])


def test_everything_said_in_code_is_there_to_be_found() -> None:
    """What is put together first, in an f-string or a variable, nobody could translate."""
    hidden = []
    for folder in CODE:
        for file in sorted((ROOT / folder).rglob("*.py")):
            if file.name == "translation.py":  # it says what templates say
                continue
            for call in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr in KEYWORDS:
                    texts = call.args[1:3] if call.func.attr == "counted" else call.args[:1]
                    hidden += [f"{file.name}:{one.lineno}" for one in texts if not is_plain(one)]

    assert [] == hidden


def is_plain(text: ast.expr) -> bool:
    """A text as it is, or one of a table's, which are marked there."""
    return isinstance(text, ast.Constant | ast.Subscript | ast.Attribute)


#: names, which are the same in every language, and an attribute by itself, which a macro puts into a tag
_NAMES = {"(Atom)", "(JSON Feed)", "BibTeX", "RIS", "digest export --search", 'data-=""'}


class _Said(HTMLParser):
    """What a reader of a template would read in it."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.texts: set[str] = set()
        self.feed(re.sub(r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}", "", re.sub("{% trans %}.*?{% endtrans %}", "", source)))

    def handle_starttag(self, _: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name in {"title", "aria-label", "placeholder", "abbr"}:
                self.handle_data(value or "")

    def handle_data(self, data: str) -> None:
        if re.search("[A-Za-z]", data):
            self.texts.add(data.strip())


@pytest.mark.parametrize("file", sorted((packaged() / "web").glob("*.html")), ids=lambda file: file.stem)
def test_no_page_says_anything_that_nobody_can_translate(file: Path) -> None:
    assert _Said(file.read_text(encoding="utf-8")).texts <= _NAMES


def test_sentences_are_found_in_templates_in_every_way_they_can_be_written() -> None:
    source = (
        '{{ _("One") }} {% if x %}{{ ("  " ~ _("Two %(a)s", a=x)) | wrap }}{% endif %}'
        "{% trans %}By {{ letter.reader | breakable }}, "
        "{% slot where %}<b>{{ _('here') }}</b>{% endslot %}.{% endtrans %}"
        '{{ x | counted("%(count)s paper", "%(count)s papers") }}{{ language.plurals("day") }}'
    )

    assert {
        "One",
        "Two %(a)s",
        "By %(reader)s, %(where)s.",
        "here",
        ("%(count)s paper", "%(count)s papers"),
        ("%(count)s day", "%(count)s days"),
    } == set(in_template(source))


def test_there_is_something_to_say() -> None:
    assert {"For you", "Untitled", "updated", "%(count)s comment"} <= {
        one.id if isinstance(one.id, str) else one.id[0] for one in said()
    }
