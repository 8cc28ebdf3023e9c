"""A template with blanks: for values that differ from mail to mail it prints stand-ins, and they are filled in later.

Templates ask little of such a value: they print it, perhaps through a filter, ask whether it is empty, or do so with
each of several. This is read off the template's syntax tree. A template that does anything else with one has no
outline: that way a form can only be slower to fill, never wrong.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, TypeGuard

import jinja2
from jinja2 import nodes
from markupsafe import escape

from digest.compose.card import Answers, Body, Close, FollowupCard, Heading, MissedCard
from digest.compose.letter import Cover, Occasion
from digest.compose.picture import Picture

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence

#: what two covers of one day may differ in, but for what their pages ask; few papers are left out, and hardly ever
OWN = frozenset(field.name for field in fields(Cover)) - {field.name for field in fields(Occasion)}
OWN -= {"left_out", "compact", "pictures"}
#: by the kind of a piece, what a template calls its values, and which of them are blanks
BLANKS = {
    "head": ("letter", OWN),
    "reader": ("letter", OWN),
    "digest.subject": ("letter", OWN),
    **{
        kind: (name, frozenset(field.name for field in fields(values)))
        for kind, name, values in (
            ("title", "card", Heading),
            ("picture", "card", Picture),
            ("paper", "card", Body),
            ("why", "card", Close),
            ("answer", "card", Answers),
            ("missed", "missed", MissedCard),
            ("followup", "followup", FollowupCard),
        )
    },
}
#: those that look at nothing but what they are given
_FILTERS = frozenset({"breakable", "counted", "format", "wrap"})
#: what a loop says of itself that is the same for as many values
_LOOP = frozenset({"depth", "depth0", "first", "index", "index0", "last", "length", "revindex", "revindex0"})
#: a value's number, and which of several it is, from 0; no control character, which an XML parser would refuse
_STAND_IN = re.compile("\ue000(\\d+) (\\d+)\ue001")


class _NoOutlineError(Exception):
    """The template does more with a value than print it or ask whether it is empty."""


@dataclass(frozen=True, slots=True)
class Blanks:
    """A text with values to fill in."""

    #: with `%s` for each value
    form: str
    #: and which of several each is
    values: tuple[tuple[Callable[[Any, int], str], int], ...]

    def filled(self, given: object) -> str:
        """The text with the values of this letter or card.

        Raises:
            AttributeError, TypeError, ValueError: a filter was given what it cannot take.
        """
        return self.form % tuple([value(given, index) for value, index in self.values])


@dataclass(frozen=True, slots=True)
class Questions:
    """What templates ask about a letter or card."""

    #: fields of which they ask whether they are empty
    asked: tuple[str, ...]
    #: fields of several values, and what they ask of each of these
    loops: tuple[tuple[str, tuple[str, ...]], ...]

    def answers(self, given: object) -> tuple[Hashable, ...]:
        """All that they learn of a letter or card beside what is no blank."""
        answers: list[Hashable] = [bool(getattr(given, name)) for name in self.asked]
        for name, asked in self.loops:
            several = getattr(given, name)
            answers.append(len(several))
            answers += [bool(getattr(one, field)) for field in asked for one in several]
        return tuple(answers)

    @staticmethod
    def of_all(several: Iterable[Questions]) -> Questions:
        """What any of them asks, each thing once."""
        asked, loops = set[str](), defaultdict[str, set[str]](set)
        for one in several:
            asked |= set(one.asked)
            for name, each in one.loops:
                loops[name] |= set(each)
        return Questions(tuple(sorted(asked)), tuple((name, tuple(sorted(loops[name]))) for name in sorted(loops)))


@dataclass(frozen=True, slots=True)
class Outline:
    """A template that prints stand-ins."""

    template: jinja2.Template
    #: what it calls the letter or card
    name: str
    #: by the number in the stand-in
    values: tuple[Callable[[Any, int], str], ...]
    questions: Questions

    def printed(self, given: object) -> str:
        """What the template prints, with stand-ins; raises what templates raise."""
        return self.template.render({self.name: given})

    def blanks(self, text: str) -> Blanks:
        """A text that the template printed, or a part of one, cut at its stand-ins."""
        parts = _STAND_IN.split(text)
        values = zip(parts[1::3], parts[2::3], strict=True)
        form = "%s".join([part.replace("%", "%%") for part in parts[::3]])
        return Blanks(form, tuple((self.values[int(number)], int(index)) for number, index in values))


def has_blanks(text: str) -> bool:
    """True if there are stand-ins in a text, or anything that looks like the half of one."""
    return "\ue000" in text or "\ue001" in text


def outline(environment: jinja2.Environment, kind: str, suffix: str) -> Outline | None:
    """The outline of the template of a kind of piece; None if it does more with the blanks than print them.

    Raises:
        jinja2.TemplateError: there is no such template, or it cannot be parsed.
    """
    path = f"mail/{kind}.{suffix}"
    if environment.loader is None:
        return None
    source, filename, _ = environment.loader.get_source(environment, path)
    if has_blanks(source):
        return None
    tree = environment.parse(source, path, filename)
    autoescape = environment.autoescape(path) if callable(environment.autoescape) else environment.autoescape
    name, own = BLANKS[kind]
    reading = _Reading(environment, name, own, autoescape=autoescape)
    try:
        reading.statements(tree.body)
    except _NoOutlineError:
        return None
    code = environment.compile(tree, path, filename)
    template = jinja2.Template.from_code(environment, code, environment.make_globals(None))
    loops = tuple((field, tuple(sorted(asked))) for field, asked in sorted(reading.loops.items()))
    return Outline(template, name, tuple(reading.values), Questions(tuple(sorted(reading.asked)), loops))


class _Reading:
    """One walk through a syntax tree, which puts stand-ins into it."""

    def __init__(self, environment: jinja2.Environment, name: str, own: frozenset[str], *, autoescape: bool) -> None:
        self._filters = environment.filters
        self._name, self._own_fields = name, own
        self._autoescape = autoescape
        #: what the loop around calls each value, and the field it goes through; empty outside of loops
        self._one = self._several = ""
        self.values: list[Callable[[Any, int], str]] = []
        self.asked: set[str] = set()
        self.loops: defaultdict[str, set[str]] = defaultdict(set)

    def statements(self, body: Sequence[nodes.Node]) -> None:
        for statement in body:
            if isinstance(statement, nodes.Output):
                statement.nodes = [part for node in statement.nodes for part in self._output(node)]
            elif isinstance(statement, nodes.If):
                self._test(statement.test)
                self.statements([*statement.body, *statement.elif_, *statement.else_])
            elif isinstance(statement, nodes.For):
                self._loop(statement)
            else:
                raise _NoOutlineError  # macros and other templates may pass a value on

    def _loop(self, loop: nodes.For) -> None:
        field, target = loop.iter, loop.target
        if self._one or loop.test or loop.recursive or not (self._is_field(field) and isinstance(target, nodes.Name)):
            raise _NoOutlineError
        if field.attr not in self._own_fields or target.name in {self._name, "loop"}:
            raise _NoOutlineError
        self.loops[field.attr] |= set()
        self.statements(loop.else_)
        self._one, self._several = target.name, field.attr
        self.statements(loop.body)
        self._one = self._several = ""

    def _output(self, node: nodes.Expr) -> list[nodes.Expr]:
        if not any(self._own(node)):
            return [node]
        value = self._value(node)
        self.values.append((lambda given, index: _escaped(value(given, index))) if self._autoescape else _text(value))
        number, line = len(self.values) - 1, node.lineno
        if not self._one:
            return [nodes.TemplateData(f"\ue000{number} 0\ue001", lineno=line)]
        index = nodes.Getattr(nodes.Name("loop", "load", lineno=line), "index0", "load", lineno=line)
        before, after = f"\ue000{number} ", "\ue001"
        return [nodes.TemplateData(before, lineno=line), index, nodes.TemplateData(after, lineno=line)]

    def _test(self, node: nodes.Node) -> None:
        if self._is_field(node):
            self.asked |= {node.attr} & self._own_fields
        elif self._is_of_one(node):
            self.loops[self._several].add(node.attr)
        elif isinstance(node, (nodes.And, nodes.Or)):
            self._test(node.left)
            self._test(node.right)
        elif isinstance(node, nodes.Not):
            self._test(node.node)
        elif any(self._own(node)):
            raise _NoOutlineError

    def _value(self, node: nodes.Node) -> Callable[[Any, int], Any]:
        if isinstance(node, nodes.Const):
            constant = node.value
            return lambda *_: constant
        if self._is_field(node) and node.attr in self._own_fields:
            field = node.attr
            return lambda given, _: getattr(given, field)
        if self._is_of_one(node):
            several, each = self._several, node.attr
            return lambda given, index: getattr(getattr(given, several)[index], each)
        if isinstance(node, nodes.Concat):
            parts = [self._value(part) for part in node.nodes]
            return lambda given, index: "".join([str(part(given, index)) for part in parts])
        if isinstance(node, nodes.Filter) and node.node and not (node.dyn_args or node.dyn_kwargs):
            return self._joined(node) if node.name == "join" else self._filtered(node, node.node)
        raise _NoOutlineError

    def _filtered(self, node: nodes.Filter, filtered: nodes.Expr) -> Callable[[Any, int], Any]:
        if node.name not in _FILTERS or any(not isinstance(pair.value, nodes.Const) for pair in node.kwargs):
            raise _NoOutlineError
        inner, function = self._value(filtered), self._filters[node.name]
        named = dict(pair.as_const() for pair in node.kwargs)
        if all(isinstance(argument, nodes.Const) for argument in node.args):
            constants = [argument.as_const() for argument in node.args]
            return lambda given, index: function(inner(given, index), *constants, **named)
        arguments = [self._value(argument) for argument in node.args]
        return lambda given, index: function(
            inner(given, index), *[argument(given, index) for argument in arguments], **named
        )

    def _joined(self, node: nodes.Filter) -> Callable[[Any, int], Any]:
        """`several | map(attribute="x") | join("y")`, in a text: HTML would have to be escaped in between."""
        inner = node.node
        if not (isinstance(inner, nodes.Filter) and inner.name == "map" and inner.node and not inner.args):
            raise _NoOutlineError
        names = [pair.value.value for pair in inner.kwargs if pair.key == "attribute" and _is_name(pair.value)]
        separators = [argument.value for argument in node.args if isinstance(argument, nodes.Const)]
        if self._autoescape or len(inner.kwargs) + len(node.args) > len(names) + len(separators) or node.kwargs:
            raise _NoOutlineError
        if len(names) != 1 or len(separators) != 1 or inner.dyn_args or inner.dyn_kwargs:
            raise _NoOutlineError
        several, name, separator = self._value(inner.node), names[0], str(separators[0])
        return lambda given, index: separator.join([str(getattr(one, name)) for one in several(given, index)])

    def _own(self, node: nodes.Node) -> Iterator[bool]:
        """True for every place where a blank is named, or everything at once."""
        if self._is_field(node):
            yield from [True] * (node.attr in self._own_fields)
        elif isinstance(node, nodes.Name):
            yield from [True] * (node.name in {self._name, self._one} or (node.name == "loop" and bool(self._one)))
        elif not _is_of_loop(node):
            for child in node.iter_child_nodes():
                yield from self._own(child)

    def _is_field(self, node: nodes.Node) -> TypeGuard[nodes.Getattr]:
        return _is_attribute(node, self._name)

    def _is_of_one(self, node: nodes.Node) -> TypeGuard[nodes.Getattr]:
        """True for an attribute of a loop's value; those that the sandbox hides are another matter."""
        return bool(self._one) and _is_attribute(node, self._one) and not node.attr.startswith("_")


def _is_attribute(node: nodes.Node, name: str) -> TypeGuard[nodes.Getattr]:
    return isinstance(node, nodes.Getattr) and isinstance(node.node, nodes.Name) and node.node.name == name


def _escaped(value: object) -> str:
    """What `markupsafe.escape` gives, without an object of its own for every text."""
    if type(value) is not str:
        return escape(value)
    text = value.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return text.replace("'", "&#39;").replace('"', "&#34;")


def _text(value: Callable[[Any, int], Any]) -> Callable[[Any, int], str]:
    return lambda given, index: str(value(given, index))


def _is_of_loop(node: nodes.Node) -> bool:
    return _is_attribute(node, "loop") and node.attr in _LOOP


def _is_name(node: nodes.Node) -> TypeGuard[nodes.Const]:
    return isinstance(node, nodes.Const) and str(node.value).isidentifier() and not str(node.value).startswith("_")
