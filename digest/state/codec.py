"""The model's values ↔ JSON text, by their type annotations.

What goes in: frozen dataclasses made of texts, numbers, dates, tuples, mappings and each other. What comes out is
compact JSON, fields in the order of their class. A field is left out when it equals its default and that default is
empty (`None`, `""`, `0`, `()`, `Signals()`); a default that is a choice (08:00, "new") is always written, so that a
later version's other default does not change what was stored.

Fields that reading does not know are ignored, fields that are missing take their defaults, anything of the wrong
type is a BodyError. Reading touches nothing but its argument.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from datetime import UTC, date, datetime, time
from functools import lru_cache
from json.encoder import encode_basestring_ascii
from operator import attrgetter
from types import UnionType
from typing import Any, Literal, TypeVar, Union, cast, get_args, get_origin, get_type_hints

T = TypeVar("T")
Convert = Callable[[Any], Any]


class BodyError(ValueError):
    """A stored text that does not hold what it should; the message names the field."""


class Codec:
    """Encoders and decoders, built once per type.

    Args:
        encoders: for types that are written as something else than their fields: value → JSON value.
        decoders: the way back: JSON value → value.
    """

    def __init__(
        self, *, encoders: Mapping[type, Convert] | None = None, decoders: Mapping[type, Convert] | None = None
    ) -> None:
        self._encoders: dict[Any, Convert] = dict(encoders or {})
        self._decoders: dict[Any, Convert] = dict(decoders or {})

    def dumps(self, kind: type[T], value: T) -> str:
        """JSON text of `value`; ASCII, so that every database stores it whatever characters it holds."""
        return to_text(self.encoder(kind)(value))

    def loads(self, kind: type[T], body: str) -> T:
        """The value that `dumps` was given. Raises BodyError."""
        return cast("T", self.decoder(kind)(parse(body)))

    def encoder(self, kind: Any) -> Convert:
        """The function from a value of type `kind` to a tree of JSON values."""
        if kind not in self._encoders:
            self._encoders[kind] = self._build_encoder(kind)
        return self._encoders[kind]

    def text_encoder(self, kind: type[T], *, without: Collection[str] = ()) -> Callable[[T], str]:
        """What `dumps` does for a frozen dataclass, in a third of the time if values of most fields repeat.

        Args:
            kind: the dataclass.
            without: names of fields to leave out.
        """
        hints = get_type_hints(kind)
        told = [one for one in fields(cast("Any", kind)) if one.name not in without]
        parts = [(f'"{one.name}":', self._text_of(hints[one.name]), self._empty_default(one)) for one in told]
        values = attrgetter(*[one.name for one in told])

        def encode(value: T) -> str:
            texts = [
                name + text(item)
                for (name, text, empty), item in zip(parts, values(value), strict=True)
                if item is not empty and item != empty
            ]
            return f"{{{','.join(texts)}}}"

        return encode

    def _text_of(self, kind: Any) -> Callable[[Any], str]:
        if kind is str:
            return quoted
        if is_dataclass(kind):
            return self.text_encoder(cast("type", kind))
        if kind == tuple[str, ...]:
            return lambda value: f"[{','.join(map(quoted, value))}]"
        convert = self.encoder(kind)
        # days, hours, numbers: many have the same; 1 and 1.0 are equal, and their texts are not
        return lru_cache(maxsize=1024, typed=True)(lambda value: to_text(convert(value)))

    def decoder(self, kind: Any) -> Convert:
        """The function from a tree of JSON values to a value of type `kind`."""
        if kind not in self._decoders:
            self._decoders[kind] = self._build_decoder(kind)
        return self._decoders[kind]

    def _build_encoder(self, kind: Any) -> Convert:
        origin, arguments = get_origin(kind), get_args(kind)
        if is_dataclass(kind):
            return self._fields_encoder(cast("type", kind))
        if origin is tuple:
            item = self.encoder(arguments[0])
            return list if item is _same else lambda value: [item(one) for one in value]
        if origin in (Mapping, dict):
            item = self.encoder(arguments[1])
            return lambda value: {key: item(one) for key, one in value.items()}
        if origin in (Union, UnionType):
            item = self.encoder(_optional(kind))
            return item if item is _same else lambda value: None if value is None else item(value)
        return _SCALAR_ENCODERS.get(kind, _same)

    def _fields_encoder(self, kind: type) -> Convert:
        hints = get_type_hints(kind)
        parts = [(one.name, self.encoder(hints[one.name]), self._empty_default(one)) for one in fields(kind)]

        def encode(value: Any) -> dict[str, Any]:
            body = {}
            for name, convert, empty in parts:
                item = getattr(value, name)
                if item is not empty and item != empty:
                    body[name] = item if convert is _same else convert(item)
            return body

        return encode

    def _empty_default(self, one: Field[Any]) -> Any:
        """The default that needs no writing; MISSING, which equals nothing, if there is none."""
        default = one.default if one.default_factory is MISSING else one.default_factory()
        if default is MISSING:
            return MISSING
        tree = self.encoder(type(default))(default) if is_dataclass(default) else default
        return MISSING if tree else default

    def _build_decoder(self, kind: Any) -> Convert:
        origin, arguments = get_origin(kind), get_args(kind)
        if is_dataclass(kind):
            return self._fields_decoder(cast("type", kind))
        if origin is tuple:
            item = self.decoder(arguments[0])
            return lambda tree: tuple([item(one) for one in _checked(list, tree)])
        if origin in (Mapping, dict):
            item = self.decoder(arguments[1])
            return lambda tree: {key: item(one) for key, one in _checked(dict, tree).items()}
        if origin in (Union, UnionType):
            item = self.decoder(_optional(kind))
            return lambda tree: None if tree is None else item(tree)
        if origin is Literal:
            return lambda tree: _chosen(arguments, tree)
        if kind in _PARSERS:
            return _parser(_PARSERS[kind])
        if kind is float:
            return lambda tree: float(tree) if type(tree) is int else _checked(float, tree)
        return lambda tree: _checked(kind, tree)

    def _fields_decoder(self, kind: type) -> Convert:
        hints = get_type_hints(kind)
        parts = {one.name: self.decoder(hints[one.name]) for one in fields(kind)}
        # texts are most of what there is; looking at them here saves a third of the time
        texts = {one.name for one in fields(kind) if hints[one.name] is str}

        def decode(tree: Any) -> Any:
            values = {}
            for name, item in _checked(dict, tree).items():
                if name in texts and type(item) is str:
                    values[name] = item
                elif name in parts:
                    try:
                        values[name] = parts[name](item)
                    except BodyError as error:
                        message = f"{name}: {error}"
                        raise BodyError(message) from error
            try:
                return kind(**values)
            except TypeError as error:
                missing = sorted({one.name for one in fields(kind) if _required(one)} - values.keys())
                message = f"{kind.__name__} without {', '.join(missing)}"
                raise BodyError(message) from error

        return decode


def parse(body: str) -> Any:
    """The tree of JSON values in a text. Raises BodyError."""
    try:
        return json.loads(body)
    except ValueError as error:
        message = f"it is not JSON ({error})"
        raise BodyError(message) from error


#: JSON text of a tree of JSON values. One encoder for all: building it for each would cost more than the encoding
to_text = json.JSONEncoder(allow_nan=False, separators=(",", ":")).encode
#: the same of a single text
quoted: Callable[[str], str] = encode_basestring_ascii


def _same(value: Any) -> Any:
    return value


def _utc(value: datetime) -> str:
    if value.tzinfo is None:
        message = f"{value} has no time zone"
        raise ValueError(message)
    return value.astimezone(UTC).isoformat()


def _moment(text: str) -> datetime:
    value = datetime.fromisoformat(text)
    if value.tzinfo is None:
        message = f"{text} has no time zone"
        raise ValueError(message)
    return value


_SCALAR_ENCODERS: Mapping[Any, Convert] = {datetime: _utc, date: date.isoformat, time: time.isoformat}
_PARSERS: Mapping[Any, Callable[[str], Any]] = {
    datetime: _moment,
    date: date.fromisoformat,
    time: time.fromisoformat,
}


def _optional(kind: Any) -> Any:
    """X of `X | None`, the only union in the model."""
    (inner,) = (one for one in get_args(kind) if one is not type(None))
    return inner


def _required(one: Field[Any]) -> bool:
    return one.default is MISSING and one.default_factory is MISSING


def _checked(kind: type, tree: Any) -> Any:
    if type(tree) is not kind:
        message = f"{kind.__name__} expected, {type(tree).__name__} found"
        raise BodyError(message)
    return tree


def _chosen(choices: tuple[str, ...], tree: Any) -> Any:
    if tree not in choices:
        message = f"one of {', '.join(choices)} expected, {str(tree)[:40]!r} found"
        raise BodyError(message)
    return tree


def _parser(parse: Callable[[str], Any]) -> Convert:
    def decode(tree: Any) -> Any:
        try:
            return parse(_checked(str, tree))
        except BodyError:
            raise
        except ValueError as error:
            raise BodyError(str(error)) from error

    return decode


_PLAIN = Codec()
#: plain reading and writing, every type by its fields
dumps = _PLAIN.dumps
loads = _PLAIN.loads
encoder = _PLAIN.encoder
text_encoder = _PLAIN.text_encoder
decoder = _PLAIN.decoder
