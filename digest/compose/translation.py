"""Templates in a language: what they say is translated when they are read, and stands in them like any other text.

    {{ _("For you") }}                                                a text, in any expression
    {{ _("Papers of %(day)s", day=letter.day) | upper }}              with values, for a text template
    {% trans %}Why: {{ card.why }}{% endtrans %}                      a sentence; its value goes by the name `why`
    {% trans %}By {% slot who %}<b>…</b>{% endslot %}.{% endtrans %}  with markup, which a translator moves as a whole

A syntax tree therefore has no more in it than one that was written in the language: `outline` reads it as well.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from jinja2 import Environment, nodes
from jinja2.exceptions import TemplateAssertionError
from jinja2.ext import Extension
from jinja2.visitor import NodeTransformer
from markupsafe import escape

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jinja2.parser import Parser

    from digest.languages.language import Language

_PLACE = re.compile(r"%\((\w+)\)s")
_MARKUP = re.compile("[<&]")


class Sentences(Extension):
    """The tag `trans`, in the language that is set with `speak`."""

    tags = {"trans"}  # noqa: RUF012 - as Jinja declares it

    def parse(self, parser: Parser) -> list[nodes.Node]:
        """The sentence in the language, as the parts of a template that print it."""
        line = next(parser.stream).lineno
        text, slots = "", dict[str, list[nodes.Node]]()
        while True:
            for part in parser.parse_statements(("name:slot", "name:endtrans")):
                text += self._read(part, slots, parser)
            if next(parser.stream).value == "endtrans":
                break
            name = parser.stream.expect("name").value
            slots[name] = parser.parse_statements(("name:endslot",), drop_needle=True)
            text += f"%({name})s"
        autoescape = self.environment.autoescape
        escaped = autoescape(parser.name) if callable(autoescape) else autoescape
        if escaped and _MARKUP.search(text):
            parser.fail("markup in a sentence goes into a slot: {% slot name %}<b>…</b>{% endslot %}", line)
        return _statements(_spoken(self.environment).say(text), slots, line, escaped=escaped)

    def _read(self, part: nodes.Node, slots: dict[str, list[nodes.Node]], parser: Parser) -> str:
        """What a part of the sentence is in a message."""
        text = ""
        for node in part.nodes if isinstance(part, nodes.Output) else [part]:
            if isinstance(node, nodes.TemplateData):
                text += node.data.replace("%", "%%")
            elif isinstance(node, nodes.Expr) and (name := _name(node)):
                slots[name] = [nodes.Output([node], lineno=node.lineno)]
                text += f"%({name})s"
            else:
                parser.fail("this goes into a slot: {% slot name %}…{% endslot %}", node.lineno)
        return text


class _Calls(NodeTransformer):
    """Puts what `_("…")` says in its place."""

    def __init__(self, environment: Environment, name: str | None, file: str | None) -> None:
        self._language, self._name, self._file = _spoken(environment), name, file

    def visit_Call(self, node: nodes.Call) -> nodes.Node:  # noqa: N802 - as Jinja's visitor asks
        self.generic_visit(node)
        if not (isinstance(node.node, nodes.Name) and node.node.name == "_"):
            return node
        text = node.args[0] if len(node.args) == 1 else None
        if not isinstance(text, nodes.Const) or not isinstance(text.value, str) or node.dyn_args or node.dyn_kwargs:
            reason = '_("…") takes one text as it is, and values by name'
            raise TemplateAssertionError(reason, node.lineno, self._name, self._file)
        values: dict[str, nodes.Expr] = {pair.key: pair.value for pair in node.kwargs}
        said, line = self._language.say(text.value), node.lineno
        if not values:
            return nodes.Const(said, lineno=line)
        parts = [
            values[part] if place % 2 else nodes.Const(part.replace("%%", "%"), lineno=line)
            for place, part in enumerate(_PLACE.split(said))
        ]
        return nodes.Concat(parts, lineno=line)


class Translating(Environment):
    """Templates that are translated when they are read, once `speak` has said into what."""

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        return translated(super()._parse(source, name, filename), self, name, filename)


def speak(environment: Environment, language: Language) -> None:
    """Have the templates of an environment in a language from now on."""
    environment.add_extension(Sentences)
    environment.extend(language=language)


def translated(tree: nodes.Template, environment: Environment, name: str | None, file: str | None) -> nodes.Template:
    """The syntax tree of a template with everything said in the language of the environment.

    Raises:
        TemplateAssertionError: `_` is called with something else than a text.
    """
    _Calls(environment, name, file).visit(tree)
    return tree


def _spoken(environment: Environment) -> Language:
    spoken: Language = environment.language  # type: ignore[attr-defined] # set by `speak`
    return spoken


def _name(node: nodes.Node) -> str:
    """What a value goes by in a message: `reader` for `letter.reader | breakable`; empty if nothing names it."""
    while isinstance(node, nodes.Filter) and node.node:
        node = node.node
    if isinstance(node, nodes.Getattr):
        return node.attr
    return node.name if isinstance(node, nodes.Name) else ""


def _statements(text: str, slots: Mapping[str, list[nodes.Node]], line: int, *, escaped: bool) -> list[nodes.Node]:
    statements: list[nodes.Node] = []
    for place, part in enumerate(_PLACE.split(text)):
        if place % 2:
            statements += slots[part]
        elif part:
            data = part.replace("%%", "%")
            data = str(escape(data)) if escaped else data
            statements.append(nodes.Output([nodes.TemplateData(data, lineno=line)], lineno=line))
    return statements
