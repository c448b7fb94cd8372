"""What holds for every value of the domain and of the use cases, whichever module it is in."""

from __future__ import annotations

import dataclasses
import importlib
import pkgutil
from collections.abc import Iterator
from enum import Enum
from typing import Any

import quorumshift.domain
import quorumshift.usecases
import tasks


def _classes() -> Iterator[type]:
    for package in (quorumshift.domain, quorumshift.usecases, tasks):
        for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            module = importlib.import_module(found.name)
            yield from (
                each
                for each in vars(module).values()
                if isinstance(each, type) and each.__module__ == found.name
            )


CLASSES = list(_classes())
ENUMS = [each for each in CLASSES if issubclass(each, Enum)]
VALUES: list[Any] = [each for each in CLASSES if dataclasses.is_dataclass(each)]

OTHER_CODES = {"EndedBy.NOTHING": ""}
"""A code that is not its name, because the API says nothing there."""


def test_a_code_is_its_name_in_camel_case() -> None:
    """State machines compare with codes, and documents of earlier releases hold them."""
    for each in ENUMS:
        for member in each:
            first, *rest = member.name.lower().split("_")
            code = first + "".join(word.capitalize() for word in rest)
            label = f"{each.__name__}.{member.name}"
            assert member.value == OTHER_CODES.get(label, code), label


SAYS_SOMETHING: dict[str, Any] = {
    "Dialect.membership_list": True,
    "Expected.scheme": "https",
    "FirstContract.lacks": ("the removal of members", "the transfer of leadership"),
    "FirstContract.name": "a contract",
    "FirstContract.page": "docs/hand-over.md",
    "Listener.protocol": "HTTPS",
    "Plan.cover": "quorum",
    "Request.when_busy": "fail",
    # The keeper looks after a deployment unless it was seen that somebody else does, or need not.
    "Facts.follow": True,
    "Facts.followed": True,
}


def _defaults(value: Any) -> Iterator[tuple[str, Any]]:
    for field in dataclasses.fields(value):
        if field.default is not dataclasses.MISSING:
            yield f"{value.__name__}.{field.name}", field.default
        elif field.default_factory is not dataclasses.MISSING:
            yield f"{value.__name__}.{field.name}", field.default_factory()


def _is_nothing(value: Any) -> bool:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return all(_is_nothing(getattr(value, field.name)) for field in dataclasses.fields(value))
    return not value


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def test_what_was_not_told_is_nothing() -> None:
    """A document that lacks a field, because it is of an earlier release or nothing was seen, must
    not claim anything; the defaults that do are choices, and stand in a table, but for numbers."""
    told = {}
    for value in VALUES:
        for name, default in _defaults(value):
            if dataclasses.is_dataclass(default):
                assert _parts_that_say_something(default) <= SAYS_SOMETHING.keys(), name
            elif not _is_nothing(default) and not _is_number(default):
                told[name] = default
    assert told == SAYS_SOMETHING


def _parts_that_say_something(value: Any) -> set[str]:
    return {
        f"{type(value).__name__}.{field.name}"
        for field in dataclasses.fields(value)
        if not _is_nothing(getattr(value, field.name))
    }


def test_a_value_of_the_domain_is_never_changed() -> None:
    for value in VALUES:
        if value.__module__.startswith("quorumshift.domain"):
            assert value.__dataclass_params__.frozen, value.__name__
