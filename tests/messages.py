"""What mails and pages say → the `.po` file of each language. `python -m tests.messages` writes into them what is new.

What was translated stays; what is no longer said goes; what is new waits with an empty `msgstr`. A language is begun
with an empty file, like `touch digest/languages/fr.po`.
"""

from __future__ import annotations

import re
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import jinja2
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_file
from babel.messages.pofile import read_po, write_po
from jinja2 import nodes

from digest.compose.render import packaged
from digest.compose.translation import speak, translated
from digest.languages.language import Language, forms

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[1]
LANGUAGES = ROOT / "digest" / "languages"
#: of these packages mails and pages are made
CODE = ("digest/compose", "digest/curate", "digest/languages", "digest/pipeline", "digest/publish")
#: the functions whose arguments are messages, and which of their arguments are
KEYWORDS = {"say": None, "message": None, "counted": (2, 3)}
#: what Babel writes at the top of a file, of which a file that lies in a repository needs nothing
_NEEDLESS = re.compile(rb'^"(?!Language:|Plural-Forms|MIME|Content).*\n', re.MULTILINE)
#: what readers never see
_OPERATORS = "operator."


class _Listening(Language):
    """Remembers what is said."""

    def __init__(self) -> None:
        super().__init__("en")
        self.heard: list[str] = []

    def say(self, message: str, /, **values: object) -> str:
        self.heard.append(message)
        return super().say(message, **values)


def said() -> Catalog:
    """Everything that mails and pages say, with the file that says it."""
    catalog = Catalog(project="digest", charset="utf-8")
    for path, message in (*_in_code(), *_in_templates()):
        catalog.add(message, locations=[(path, 0)])
    return catalog


def _in_code() -> Iterator[tuple[str, str | tuple[str, ...]]]:
    for folder in CODE:
        for file in sorted((ROOT / folder).rglob("*.py")):
            for _, message, _, _ in extract_from_file("python", file, keywords=KEYWORDS):
                yield file.relative_to(ROOT).as_posix(), message


def _in_templates() -> Iterator[tuple[str, str | tuple[str, ...]]]:
    for file in sorted((*(packaged() / "mail").iterdir(), *(packaged() / "web").glob("*.html"))):
        if not file.name.startswith(_OPERATORS):
            for message in in_template(file.read_text(encoding="utf-8")):
                yield file.relative_to(packaged().parent).as_posix(), message


def in_template(source: str) -> Iterator[str | tuple[str, ...]]:
    """What a template says."""
    environment, listening = jinja2.Environment(autoescape=True), _Listening()
    speak(environment, listening)
    environment.filters["counted"] = environment.filters["wrap"] = environment.filters["breakable"] = str
    tree = translated(environment.parse(source), environment, None, None)
    yield from listening.heard
    for filtered in tree.find_all(nodes.Filter):
        if filtered.name == "counted":
            yield forms(*[argument.as_const() for argument in filtered.args])
    for called in tree.find_all(nodes.Call):
        if isinstance(called.node, nodes.Getattr) and called.node.attr == "plurals":
            yield forms(*[argument.as_const() for argument in called.args])


def renewed(file: Path) -> bytes:
    """A language's file as it should be, with what is new not translated yet."""
    with file.open("rb") as old:
        catalog = read_po(old, locale=file.stem.replace("-", "_"))
    catalog.update(said(), no_fuzzy_matching=True)
    catalog.fuzzy = False
    catalog.header_comment = (
        f"# What digest says, in {catalog.locale.get_display_name('en') if catalog.locale else '?'}."
    )
    written = BytesIO()
    write_po(written, catalog, width=120, sort_by_file=True, ignore_obsolete=True, include_lineno=False)
    head, _, rest = written.getvalue().partition(b"\n\n")
    return _NEEDLESS.sub(b"", head + b"\n") + b"\n" + rest


def missing(file: Path) -> list[str]:
    """What a language's file does not translate."""
    with file.open("rb") as written:
        catalog = read_po(written, locale=file.stem.replace("-", "_"))
    forms = {
        one.id if isinstance(one.id, str) else one.id[0]: [one.string] if isinstance(one.string, str) else one.string
        for one in catalog
        if one.id
    }
    return [text for text, several in forms.items() if not several or not all(several)]


def main() -> None:
    for file in sorted(LANGUAGES.glob("*.po")):
        file.write_bytes(renewed(file))
        waiting = len(missing(file))
        print(f"{file.relative_to(ROOT)}: {waiting or 'nothing'} to be translated")


if __name__ == "__main__":
    main()
