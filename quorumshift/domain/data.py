"""Frozen dataclasses to JSON values and back.

An observation or a plan *is* the payload of a state machine, so each must survive the trip. Keys
become camelCase, enumerations their values, tuples and sets lists; nothing else is supported.

Both ends of a seam are seldom deployed at the same instant. So a reader passes over a key that it
does not know: a newer writer wrote it. A missing key or another type is an error rather than a
guess; a field that is added later has a default, for what an older writer wrote.
"""

from __future__ import annotations

import dataclasses
import enum
import functools
import types
import typing
from typing import Any, TypeVar

T = TypeVar("T")


def to_json(value: Any) -> Any:
    """Return ``value`` (a dataclass, or any value one may hold) as plain JSON values."""
    if isinstance(value, enum.Enum):
        return value.value
    if value is None or isinstance(value, (str, int, float, bool)):
        return value
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {
            _camel(field.name): to_json(getattr(value, field.name))
            for field in dataclasses.fields(value)
        }
    if isinstance(value, (set, frozenset)):
        return sorted(to_json(item) for item in value)
    if isinstance(value, (tuple, list)):
        return [to_json(item) for item in value]
    if isinstance(value, dict):
        return {str(key): to_json(item) for key, item in value.items()}
    raise TypeError(f"{type(value).__name__} has no JSON form here")


def from_json(kind: type[T], value: Any) -> T:
    """Rebuild a ``kind`` from what :func:`to_json` gave.

    Raises ``ValueError`` that names the place when a key is missing or of another type.
    """
    return typing.cast(T, _read(kind, value, kind.__name__))


def _read(kind: Any, value: Any, where: str) -> Any:
    origin = typing.get_origin(kind)
    arguments = typing.get_args(kind)
    if kind is Any:
        return value
    if origin in (types.UnionType, typing.Union):
        if value is None and type(None) in arguments:
            return None
        rest = [argument for argument in arguments if argument is not type(None)]
        if len(rest) != 1:
            raise TypeError(f"{where}: only optional values are supported, not {kind}")
        return _read(rest[0], value, where)
    if dataclasses.is_dataclass(kind):
        return _read_dataclass(typing.cast(type, kind), value, where)
    if origin in (tuple, frozenset, list):
        if not isinstance(value, list):
            raise ValueError(f"{where}: expected a list, not {value!r}")
        read = [_read(arguments[0], item, f"{where}[{at}]") for at, item in enumerate(value)]
        return typing.cast(Any, origin)(read)
    if origin is dict:
        if not isinstance(value, dict):
            raise ValueError(f"{where}: expected an object, not {value!r}")
        return {key: _read(arguments[1], item, f"{where}.{key}") for key, item in value.items()}
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        try:
            return kind(value)
        except ValueError:
            allowed = ", ".join(str(item.value) for item in kind)
            raise ValueError(f"{where}: {value!r} is not one of {allowed}") from None
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise ValueError(f"{where}: expected {kind.__name__}, not {value!r}")
    return value


def _read_dataclass(kind: type, value: Any, where: str) -> Any:
    if not isinstance(value, dict):
        raise ValueError(f"{where}: expected an object, not {value!r}")
    hints = _hints(kind)
    names = {_camel(name): name for name in hints}
    read = {
        name: _read(hints[name], value[key], f"{where}.{key}")
        for key, name in names.items()
        if key in value
    }
    try:
        return kind(**read)
    except TypeError:
        missing = sorted(set(names) - set(value) - _optional(kind))
        raise ValueError(f"{where}: missing {', '.join(missing)}") from None


def _optional(kind: type) -> set[str]:
    """The keys that may be left out: those of fields with a default."""
    none = dataclasses.MISSING
    return {
        _camel(field.name)
        for field in dataclasses.fields(kind)
        if field.default is not none or field.default_factory is not none
    }


@functools.cache
def _hints(kind: type) -> dict[str, Any]:
    hints = typing.get_type_hints(kind)
    return {field.name: hints[field.name] for field in dataclasses.fields(kind)}


def _camel(name: str) -> str:
    head, *tail = name.split("_")
    return head + "".join(part.title() for part in tail)
