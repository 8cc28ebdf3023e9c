"""A template with blanks: for what is a reader's own it prints stand-ins, and the values are filled in later.

Templates ask little of such a value: they print it, perhaps through one of our filters, or ask whether it is empty.
This is read off the template's syntax tree. A template that does anything else with one has no outline: that way a form
can only be slower to fill, never wrong.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from operator import attrgetter
from typing import TYPE_CHECKING, Any, TypeGuard

import jinja2
from jinja2 import nodes
from markupsafe import escape

from digest.compose.letter import Cover, Occasion

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

#: what two covers of one day may differ in; how many papers were left out is hardly ever anything but 0
OWN = frozenset(field.name for field in fields(Cover)) - {field.name for field in fields(Occasion)} - {"left_out"}
_LETTER = "letter"
_FILTERS = frozenset({"breakable", "counted", "wrap"})
#: no control character, which an XML parser would refuse
_STAND_IN = re.compile("\ue000(\\d+)\ue001")


class _NoOutlineError(Exception):
    """The template does more with a value than print it or ask whether it is empty."""


@dataclass(frozen=True, slots=True)
class Blanks:
    """A text with values to fill in."""

    #: what stands before, between and after the values
    parts: tuple[str, ...]
    values: tuple[Callable[[Cover], str], ...]

    def filled(self, cover: Cover) -> str:
        """The text with this cover's values.

        Raises:
            AttributeError, TypeError, ValueError: a filter was given what it cannot take.
        """
        text = [""] * (2 * len(self.values) + 1)
        text[::2] = self.parts
        text[1::2] = [value(cover) for value in self.values]
        return "".join(text)


@dataclass(frozen=True, slots=True)
class Outline:
    """A template that prints stand-ins."""

    template: jinja2.Template
    #: by the number in the stand-in
    values: tuple[Callable[[Cover], str], ...]
    #: fields of which the template asks whether they are empty
    asked: tuple[str, ...]

    def answers(self, cover: Cover) -> tuple[bool, ...]:
        """What the template learns of a cover beside what all covers of a day and of a `left_out` share."""
        return tuple([bool(getattr(cover, name)) for name in self.asked])

    def printed(self, cover: Cover) -> str:
        """What the template prints, with stand-ins; raises what templates raise."""
        return self.template.render(letter=cover)

    def blanks(self, text: str) -> Blanks:
        """A text that the template printed, or a part of one, cut at its stand-ins."""
        parts = _STAND_IN.split(text)
        return Blanks(tuple(parts[::2]), tuple(self.values[int(number)] for number in parts[1::2]))


def has_blanks(text: str) -> bool:
    """True if there are stand-ins in a text, or anything that looks like the half of one."""
    return "\ue000" in text or "\ue001" in text


def outline(environment: jinja2.Environment, name: str) -> Outline | None:
    """The outline of a template that prints one `letter`; None if it does more with a reader's values than print them.

    Raises:
        jinja2.TemplateError: there is no such template, or it cannot be parsed.
    """
    if environment.loader is None:
        return None
    source, filename, _ = environment.loader.get_source(environment, name)
    if has_blanks(source):
        return None
    tree = environment.parse(source, name, filename)
    autoescape = environment.autoescape(name) if callable(environment.autoescape) else environment.autoescape
    reading = _Reading(environment, escape if autoescape else str)
    try:
        reading.statements(tree.body)
    except _NoOutlineError:
        return None
    code = environment.compile(tree, name, filename)
    template = jinja2.Template.from_code(environment, code, environment.make_globals(None))
    return Outline(template, tuple(reading.values), tuple(sorted(reading.asked)))


class _Reading:
    """One walk through a syntax tree, which puts stand-ins into it."""

    def __init__(self, environment: jinja2.Environment, printed: Callable[[Any], str]) -> None:
        self._filters = environment.filters
        self._printed = printed
        self.values: list[Callable[[Cover], str]] = []
        self.asked: set[str] = set()

    def statements(self, body: Sequence[nodes.Node]) -> None:
        for statement in body:
            if isinstance(statement, nodes.Output):
                statement.nodes = [self._output(node) for node in statement.nodes]
            elif isinstance(statement, nodes.If):
                self._test(statement.test)
                self.statements([*statement.body, *statement.elif_, *statement.else_])
            else:
                raise _NoOutlineError  # loops, macros and other templates may pass a value on

    def _output(self, node: nodes.Expr) -> nodes.Expr:
        if not any(_own(node)):
            return node
        value, printed = self._value(node), self._printed
        self.values.append(lambda cover: printed(value(cover)))
        return nodes.TemplateData(f"\ue000{len(self.values) - 1}\ue001", lineno=node.lineno)

    def _test(self, node: nodes.Node) -> None:
        if _is_field(node):
            self.asked |= {node.attr} & OWN
        elif isinstance(node, (nodes.And, nodes.Or)):
            self._test(node.left)
            self._test(node.right)
        elif isinstance(node, nodes.Not):
            self._test(node.node)
        elif any(_own(node)):
            raise _NoOutlineError

    def _value(self, node: nodes.Node) -> Callable[[Cover], Any]:
        if isinstance(node, nodes.Const):
            value = node.value
            return lambda _: value
        if _is_field(node) and node.attr in OWN:
            return attrgetter(node.attr)
        if isinstance(node, nodes.Concat):
            parts = [self._value(part) for part in node.nodes]
            return lambda cover: "".join([str(part(cover)) for part in parts])
        if isinstance(node, nodes.Filter) and node.name in _FILTERS and node.node and _constant(node):
            inner, function = self._value(node.node), self._filters[node.name]
            given = [argument.as_const() for argument in node.args]
            named = dict(pair.as_const() for pair in node.kwargs)
            return lambda cover: function(inner(cover), *given, **named)
        raise _NoOutlineError


def _is_field(node: nodes.Node) -> TypeGuard[nodes.Getattr]:
    return isinstance(node, nodes.Getattr) and isinstance(node.node, nodes.Name) and node.node.name == _LETTER


def _own(node: nodes.Node) -> Iterator[bool]:
    """True for every place where a reader's own value, or the whole letter, is named."""
    if _is_field(node):
        yield from [True] * (node.attr in OWN)
    elif isinstance(node, nodes.Name) and node.name == _LETTER:
        yield True
    else:
        for child in node.iter_child_nodes():
            yield from _own(child)


def _constant(node: nodes.Filter) -> bool:
    """True if all that the filter is given beside the value is written in the template."""
    arguments = [*node.args, *(pair.value for pair in node.kwargs)]
    return not (node.dyn_args or node.dyn_kwargs) and all(isinstance(argument, nodes.Const) for argument in arguments)
