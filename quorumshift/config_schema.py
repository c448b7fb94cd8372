"""Turns TOML tables into the dataclasses of :mod:`quorumshift.config`.

``tomllib`` gives no positions, so the line of a key is found by scanning the text; every error
names file, line, key, what was seen and what is allowed.
"""

from __future__ import annotations

import dataclasses
import json
import re
import types
import typing
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn, TypeVar

from quorumshift.domain.errors import InvalidConfiguration

T = TypeVar("T")

_WORDS = {str: "a string", int: "a whole number", float: "a number", bool: "true or false"}
_HEADER = re.compile(r"\s*\[\[?\s*([^\[\]]+?)\s*\]\]?\s*(#.*)?$")
_KEY = re.compile(r"""\s*((?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*')(?:\s*\.\s*[^\s=]+)*)\s*=""")


@dataclass(frozen=True, slots=True)
class Rule:
    """What a value may be: a range, a pattern (``says`` in words), names of a table's keys."""

    least: float | None = None
    most: float | None = None
    pattern: str | None = None
    says: str | None = None
    names: str | None = None


def key(default: Any = dataclasses.MISSING, **rule: Any) -> Any:
    """A dataclass field that stands for a key; without a default the file must have it."""
    metadata = {"rule": Rule(**rule)}
    if isinstance(default, dict):
        frozen = types.MappingProxyType(dict(default))
        return dataclasses.field(default_factory=lambda: frozen, metadata=metadata)
    return dataclasses.field(default=default, metadata=metadata)


@dataclass(frozen=True, slots=True)
class Origin:
    """Where values came from: the file and its text, and the keys given on the command line."""

    path: str
    text: str
    overridden: frozenset[str]

    def refuse(self, dotted: str, problem: str) -> NoReturn:
        """Raise ``InvalidConfiguration`` at the place of ``table.key`` or ``table``."""
        if any(each == dotted or each.startswith(f"{dotted}.") for each in self.overridden):
            raise InvalidConfiguration(f"{dotted}, given as an option, {problem}")
        raise InvalidConfiguration(f"{self.place(dotted)}: {dotted} {problem}")

    def place(self, dotted: str) -> str:
        """``file:line`` of a key, of the table that should hold it, or the file alone."""
        lines = dict(_positions(self.text))
        wanted = dotted.split(".")
        while wanted:
            if line := lines.get(".".join(wanted)):
                return f"{self.path}:{line}"
            wanted.pop()
        return self.path


def _positions(text: str) -> Iterator[tuple[str, int]]:
    """Yield (dotted key or table, line from 1); what is inside a multi-line string is no key."""
    table = ""
    closing = ""
    for number, line in enumerate(text.splitlines(), 1):
        if closing:
            closing = "" if closing in line else closing
            continue
        if line.lstrip().startswith("#"):
            continue
        if header := _HEADER.match(line):
            table = _plain(header[1])
            yield table, number
        elif found := _KEY.match(line):
            yield f"{table}.{_plain(found[1])}".lstrip("."), number
        for quotes in ('"""', "'''"):
            if line.count(quotes) % 2:
                closing = quotes


def _shown(value: Any) -> str:
    """A value as TOML would write it, near enough; never longer than a line."""
    text = json.dumps(value, default=str)
    return text if len(text) <= 60 else text[:57] + "..."


def _plain(dotted: str) -> str:
    return ".".join(part.strip().strip("\"'") for part in dotted.split("."))


def read_tables(kind: type[T], tables: Mapping[str, Any], origin: Origin) -> T:
    """Build ``kind``, a dataclass whose fields are dataclasses, each of them a table."""
    known = sections(kind)
    for name, value in tables.items():
        if name not in known:
            origin.refuse(name, f"is not known; the tables are {', '.join(known)}")
        if not isinstance(value, dict):
            origin.refuse(name, f"must be a table, [{name}], not {_shown(value)}")
    return kind(
        **{
            field: _read_table(section, name, tables, origin)
            for name, (field, section) in known.items()
        }
    )


def sections(kind: type[Any]) -> dict[str, tuple[str, Any]]:
    """Table → field and dataclass; a table is named like its field, or as the field says."""
    hints = typing.get_type_hints(kind)
    return {
        field.metadata.get("table", field.name): (field.name, hints[field.name])
        for field in dataclasses.fields(kind)
    }


def _read_table(kind: Any, table: str, tables: Mapping[str, Any], origin: Origin) -> Any:
    values = tables.get(table, {})
    hints = typing.get_type_hints(kind)
    for name in values:
        if name not in hints:
            origin.refuse(f"{table}.{name}", f"is not known; [{table}] may have {', '.join(hints)}")
    read = {}
    for entry in dataclasses.fields(kind):
        dotted = f"{table}.{entry.name}"
        if entry.name in values:
            rule = entry.metadata["rule"]
            read[entry.name] = _read(hints[entry.name], rule, values[entry.name], dotted, origin)
        elif entry.default is dataclasses.MISSING and entry.default_factory is dataclasses.MISSING:
            origin.refuse(dotted, f"is missing; add it to [{table}]: {_allowed(str, entry)}")
    return kind(**read)


def _allowed(kind: Any, entry: dataclasses.Field[Any]) -> str:
    return str(entry.metadata["rule"].says or _WORDS[kind])


def _read(kind: Any, rule: Rule, value: Any, dotted: str, origin: Origin) -> Any:
    if typing.get_origin(kind) is tuple:
        return _read_list(rule, value, dotted, origin)
    if typing.get_origin(kind) is not None:
        return _read_mapping(typing.get_args(kind)[1], rule, value, dotted, origin)
    if kind is float and type(value) is int:
        value = float(value)
    if type(value) is not kind:
        origin.refuse(dotted, f"must be {_WORDS[kind]}, not {_shown(value)}")
    if rule.pattern is not None and not re.fullmatch(rule.pattern, value):
        origin.refuse(dotted, f"must be {rule.says or rule.pattern}, not {_shown(value)}")
    low, high = rule.least, rule.most
    if low is not None and high is not None and not low <= value <= high:
        origin.refuse(dotted, f"must be between {low:,} and {high:,}, not {_shown(value)}")
    return value


def _read_list(rule: Rule, value: Any, dotted: str, origin: Origin) -> tuple[str, ...]:
    """A list of strings, each of which the rule is about."""
    wanted = f"must be a list of strings, each {rule.says or rule.pattern}"
    if not isinstance(value, list):
        origin.refuse(dotted, f"{wanted}, not {_shown(value)}")
    for item in value:
        if not isinstance(item, str) or not re.fullmatch(rule.pattern or ".*", item):
            origin.refuse(dotted, f"{wanted}; {_shown(item)} is none")
        if value.count(item) > 1:
            origin.refuse(dotted, f"names {_shown(item)} twice")
    return tuple(value)


def _read_mapping(kind: Any, rule: Rule, value: Any, dotted: str, origin: Origin) -> Any:
    if not isinstance(value, dict):
        origin.refuse(dotted, f"must be a table of names and values, not {_shown(value)}")
    for name in value:
        if rule.names is not None and not re.fullmatch(rule.names, name):
            origin.refuse(f"{dotted}.{name}", f"is no name allowed here; allowed: {rule.names}")
    item = dataclasses.replace(rule, names=None)
    return types.MappingProxyType(
        {name: _read(kind, item, each, f"{dotted}.{name}", origin) for name, each in value.items()}
    )
