"""Whatever a template of one's own does with a reader's values, the joined mail is the mail rendered whole."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from digest.compose.message import compose
from digest.compose.outline import BLANKS
from digest.compose.press import Press
from digest.compose.render import Renderer
from digest.errors import TemplateError
from tests.compose.cases import LETTERHEAD, USUAL
from tests.makers import HOSTILE_TITLE, digest, paper, pick, subscriber

if TYPE_CHECKING:
    from pathlib import Path

    from digest.model import Digest

READERS = (
    subscriber("ada@example.org", keywords=("sparse attention",), token="t0"),
    subscriber("emmy@example.org", keywords=("x style=", "\ue0000\ue001", "<b>&\"'"), token="t1"),
    subscriber("c@example.org", keywords=(), token=""),
    subscriber("zoë@bücher.de", keywords=("a" * 80, HOSTILE_TITLE, "words " * 40), token="a/b?c=d"),
)
DIGESTS: tuple[Digest, ...] = (
    replace(USUAL, subscriber=READERS[1]),
    *(digest(pick(1), subscriber=reader, considered=number) for number, reader in enumerate(READERS)),
    digest(pick(1, paper=paper(1, title=HOSTILE_TITLE)), pick(2, paper=paper(2, title="專" * 90)), considered=5000),
)


def own(folder: Path, **templates: str) -> Renderer:
    """A renderer with a user's folder; `reader_html="…"` is the file `mail/reader.html`."""
    (folder / "mail").mkdir(exist_ok=True)
    for name, source in templates.items():
        *front, suffix = name.split("_")
        (folder / "mail" / f"{'.'.join(front)}.{suffix}").write_text(source, encoding="utf-8")
    return Renderer(folder, inliner="css-inline")


@pytest.mark.parametrize(
    "html",
    [
        "<p>{{ letter.reader }}</p>\n<p>{{ letter.keywords }}</p>\n",
        "<p>{{ letter.reader }}\n",
        "{{ letter.keywords }}\n",
        '<p title="{{ letter.keywords }}" lang="en">x</p>\n',
        '<p title="{{ letter.keywords }}" >x</p>\n',
        '<p title="{{ letter.keywords }}" style="color: red" class="soft">x</p>\n',
        '<img alt="{{ letter.keywords }}" class="soft" />\n',
        '<p class="{{ letter.reader }} soft">x</p>\n',
        "<p title={{ letter.reader }}>x</p>\n",
        "<{{ letter.reader }}>\n",
        "<p>1 < {{ letter.reader }}</p>\n",
        "<!-- {{ letter.keywords }} --><p>x</p>\n",
        "<p>{{ letter.keywords | upper }}</p>\n",
        "<p>{{ letter.keywords | safe | length }}</p>\n",
        "<p>{{ letter.keywords is string }}</p>\n",
        "<p>{{ letter.keywords | wrap('  ', first='- ') }}</p>\n",
        "<p>{{ 'a <b> ' ~ letter.reader ~ ' & ' ~ letter.considered }}</p>\n",
        "<p>{{ letter.considered | counted('paper') }} {{ letter.day }} {{ letter.left_out }}</p>\n",
        "<p>{% if letter.considered > 2 %}many{% endif %}</p>\n",
        "<p>{% if not letter.keywords or letter.more %}a{% elif letter.reader %}b{{ letter.lead }}{% endif %}</p>\n",
        "<p>{{ 'a' if letter.keywords else letter.reader }}</p>\n",
        "{% set all = letter %}<p>{{ all.reader }}</p>\n",
        "{% for one in [letter.reader] %}<p>{{ one }}</p>\n{% endfor %}",
        '{% from "mail/macros.html" import linked %}<p>{{ linked(letter.reader, "", "soft") }}</p>\n',
        "{% filter upper %}<p>{{ letter.reader }}</p>{% endfilter %}\n",
        "{% autoescape false %}<p>{{ letter.reader }}</p>{% endautoescape %}\n",
        '{% include "mail/head.html" %}\n<p>{{ letter.reader }}</p>\n',
        "<p>\ue0000\ue001 {{ letter.reader }}</p>\n",
        "<p>{{ '\\ue0000\\ue001' }} {{ letter.reader }}</p>\n",
    ],
)
def test_html_of_ones_own_is_the_same_joined_and_whole(tmp_path: Path, html: str) -> None:
    renderer = own(tmp_path, reader_html=html)
    press = Press(LETTERHEAD, renderer)

    for each in DIGESTS:
        assert compose(each, LETTERHEAD, renderer).data == press.compose(each).data


@pytest.mark.parametrize(
    "text",
    [
        "\n\n\n{{ letter.keywords }}  \n\n\n{{ letter.unsubscribe_link }}\n\n\n\nx\n\n",
        "{% if letter.unsubscribe_link %}{{ letter.unsubscribe_link }}{% else %}none{% endif %}\n",
        "{{ ('for ' ~ letter.reader) | wrap('    ') }}\n",
        "{{ letter.keywords | wrap(letter.day) }}\n",
        "{{ letter.reader | length }} {{ letter.keywords[:3] }}\n",
        "{{ letter['reader'] }}\n",
    ],
)
def test_text_of_ones_own_is_the_same_joined_and_whole(tmp_path: Path, text: str) -> None:
    renderer = own(tmp_path, reader_txt=text, digest_subject_txt="{{ letter.lead }} {{ letter.matched }}")
    press = Press(LETTERHEAD, renderer)

    for each in DIGESTS:
        assert compose(each, LETTERHEAD, renderer).data == press.compose(each).data


def test_a_value_that_a_filter_cannot_take_is_a_template_error_for_every_reader(tmp_path: Path) -> None:
    head = "{% if not letter.considered %}{{ letter.reader | counted('x') }}{% endif %}\n"
    press = Press(LETTERHEAD, own(tmp_path, head_txt=head))

    for _ in range(2):
        with pytest.raises(TemplateError, match=r"head\.txt"):
            press.compose(digest(pick(1), considered=0))


@pytest.mark.parametrize(
    ("kind", "suffix"),
    [(kind, suffix) for kind in BLANKS for suffix in ("txt", "html") if suffix == "txt" or "." not in kind],
)
def test_the_packaged_templates_have_outlines(kind: str, suffix: str) -> None:
    """Without them mails are right too, but take several times as long."""
    outline = Renderer(inliner="css-inline").outline(kind, suffix)

    assert outline is not None
    assert set(outline.questions.asked) <= BLANKS[kind][1]
