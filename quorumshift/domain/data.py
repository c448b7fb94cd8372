"""Frozen dataclasses to JSON values and back.

An observation or a plan *is* the payload of a state machine, so each must survive the trip. Keys
become camelCase, enumerations their values, tuples and sets lists; nothing else is supported.

Both ends of a seam are seldom deployed at the same instant. So a reader passes over a key that it
does not know: a newer writer wrote it. A missing key or another type is an error rather than a
guess; a field that is added later has a default, for what an older writer wrote.

What a type asks of its reader is found out once: a hand-over reads some hundred observations.
"""

from __future__ import annotations

import dataclasses
import enum
import functools
import types
import typing
from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")
Reader = Callable[[Any], Any]
_PLAIN = (str, int, float, bool, type(None))
_AS_THEY_ARE = frozenset(_PLAIN)


class _Misfit(Exception):
    """``place``: where in the value, as far as it is known on the way out."""

    def __init__(self, said: str, place: str = "") -> None:
        super().__init__(said)
        self.said = said
        self.place = place

    def within(self, place: str) -> _Misfit:
        """The same, seen from outside."""
        return _Misfit(self.said, place + self.place)


def to_json(value: Any) -> Any:
    """Return ``value`` (a dataclass, or any value one may hold) as plain JSON values."""
    kind: type = type(value)
    return value if kind in _AS_THEY_ARE else _writer(kind)(value)


def from_json(kind: type[T], value: Any) -> T:
    """Rebuild a ``kind`` from what :func:`to_json` gave.

    Raises ``ValueError`` that names the place when a key is missing or of another type.
    """
    try:
        read: Reader = _reader(typing.cast(Any, kind))
        return typing.cast(T, read(value))
    except _Misfit as wrong:
        raise ValueError(f"{kind.__name__}{wrong.place}: {wrong.said}") from None


@functools.cache
def _writer(kind: type) -> Callable[[Any], Any]:
    """What writes a value of this class. Raises ``TypeError`` for one that is not supported."""
    if dataclasses.is_dataclass(kind):
        return functools.partial(_write_dataclass, _keys(kind))
    if issubclass(kind, enum.Enum):
        return lambda value: value.value
    if issubclass(kind, (set, frozenset)):
        return lambda value: sorted(map(to_json, value))
    if issubclass(kind, (tuple, list)):
        return lambda value: [to_json(item) for item in value]
    if issubclass(kind, dict):
        return lambda value: {str(key): to_json(item) for key, item in value.items()}
    if issubclass(kind, _PLAIN):
        return lambda value: value
    raise TypeError(f"{kind.__name__} has no JSON form here")


def _write_dataclass(keys: tuple[tuple[str, str], ...], value: Any) -> dict[str, Any]:
    written: dict[str, Any] = {}
    for key, name in keys:
        item = getattr(value, name)
        kind: type = type(item)
        written[key] = item if kind in _AS_THEY_ARE else _writer(kind)(item)
    return written


@functools.cache
def _reader(kind: Any) -> Reader:
    """What reads a value of this type. Raises ``TypeError`` for a type that is not supported."""
    origin = typing.get_origin(kind)
    arguments = typing.get_args(kind)
    if kind is Any:
        return lambda value: value
    if origin in (types.UnionType, typing.Union):
        rest = [argument for argument in arguments if argument is not type(None)]
        if len(rest) != 1:
            raise TypeError(f"only optional values are supported, not {kind}")
        read = _reader(rest[0])
        return lambda value: None if value is None else read(value)
    if dataclasses.is_dataclass(kind):
        return functools.partial(_read_dataclass, typing.cast(type, kind))
    if origin in (tuple, frozenset, list):
        return functools.partial(_read_list, origin, _reader(arguments[0]))
    if origin is dict:
        return functools.partial(_read_object, _reader(arguments[1]))
    if issubclass(kind, enum.Enum):
        return functools.partial(_read_member, kind)
    return functools.partial(_read_plain, kind)


def _read_dataclass(kind: type, value: Any) -> Any:
    if not isinstance(value, dict):
        raise _Misfit(f"expected an object, not {value!r}")
    fields: dict[str, Any] = {}
    for key, name, read, hint in _fields(kind):
        if key in value:
            item = value[key]
            try:
                fields[name] = item if type(item) is hint else read(item)
            except _Misfit as wrong:
                raise wrong.within(f".{key}") from None
    try:
        return kind(**fields)
    except TypeError:
        missing = sorted({key for key, _ in _keys(kind)} - set(value) - _optional(kind))
        raise _Misfit(f"missing {', '.join(missing)}") from None


def _read_list(make: Callable[[list[Any]], Any], read: Reader, value: Any) -> Any:
    if not isinstance(value, list):
        raise _Misfit(f"expected a list, not {value!r}")
    items: list[Any] = []
    try:
        for item in value:
            items.append(read(item))  # where it failed is how far it came
    except _Misfit as wrong:
        raise wrong.within(f"[{len(items)}]") from None
    return make(items)


def _read_object(read: Reader, value: Any) -> Any:
    if not isinstance(value, dict):
        raise _Misfit(f"expected an object, not {value!r}")
    found: dict[str, Any] = {}
    for key, item in value.items():
        try:
            found[key] = read(item)
        except _Misfit as wrong:
            raise wrong.within(f".{key}") from None
    return found


def _read_member(kind: type[enum.Enum], value: Any) -> Any:
    try:
        return kind(value)
    except ValueError:
        allowed = ", ".join(str(item.value) for item in kind)
        raise _Misfit(f"{value!r} is not one of {allowed}") from None


def _read_plain(kind: type, value: Any) -> Any:
    if type(value) is kind:
        return value
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if not isinstance(value, kind) or isinstance(value, bool):
        raise _Misfit(f"expected {kind.__name__}, not {value!r}")
    return value


@functools.cache
def _fields(kind: type) -> tuple[tuple[str, str, Reader, Any], ...]:
    """Key and name of each field, what reads it, and the type that may be taken as it is."""
    hints = typing.get_type_hints(kind)
    return tuple((key, name, _reader(hints[name]), hints[name]) for key, name in _keys(kind))


@functools.cache
def _keys(kind: type) -> tuple[tuple[str, str], ...]:
    """Key and name of each field."""
    return tuple((_camel(field.name), field.name) for field in dataclasses.fields(kind))


def _optional(kind: type) -> set[str]:
    """The keys that may be left out: those of fields with a default."""
    none = dataclasses.MISSING
    return {
        _camel(field.name)
        for field in dataclasses.fields(kind)
        if field.default is not none or field.default_factory is not none
    }


def _camel(name: str) -> str:
    head, *tail = name.split("_")
    return head + "".join(part.title() for part in tail)
