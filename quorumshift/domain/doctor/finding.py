"""What a check may say, and what one look at AWS may bring."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar

T = TypeVar("T")


class State(StrEnum):
    """``SKIP``: nobody could look, or there is nothing to look at yet; ``seen`` says why."""

    OK = "ok"
    SKIP = "skip"
    NG = "ng"


@dataclass(frozen=True, slots=True)
class Check:
    """``seen``: what was found; of a SKIP, why nothing was. ``fix``: what to do, of an NG alone."""

    name: str
    state: State
    seen: str
    fix: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """Checks of one subject."""

    name: str
    checks: tuple[Check, ...]

    @property
    def state(self) -> State:
        """NG where one check is; OK where one is and none is NG; else SKIP."""
        states = {check.state for check in self.checks}
        return next((one for one in (State.NG, State.OK) if one in states), State.SKIP)


@dataclass(frozen=True, slots=True)
class Look(Generic[T]):
    """What one question brought: a ``value``; nothing, where there is no such thing; or
    ``unknown``, a sentence that says why nobody can tell."""

    value: T | None = None
    unknown: str = ""

    @property
    def absent(self) -> bool:
        """Whether it was looked for and is not there."""
        return self.value is None and not self.unknown

    @property
    def there(self) -> T:
        """The value of a look that brought one. Raises ``ValueError`` for any other."""
        if self.value is None:
            raise ValueError(self.unknown or "there is no such thing")
        return self.value


class Ledger:
    """Takes down the checks of one group, in their order."""

    def __init__(self, group: str) -> None:
        self._group = group
        self._checks: list[Check] = []

    def ok(self, name: str, seen: str) -> None:
        """Add an OK."""
        self._checks.append(Check(name, State.OK, seen))

    def ng(self, name: str, seen: str, fix: str) -> None:
        """Add an NG."""
        self._checks.append(Check(name, State.NG, seen, fix))

    def skip(self, why: str, *names: str) -> None:
        """Add a SKIP for each of these names."""
        self._checks += [Check(name, State.SKIP, why) for name in names]

    def that(self, holds: bool, name: str, seen: str, fix: str) -> None:
        """Add an OK or an NG."""
        if holds:
            self.ok(name, seen)
        else:
            self.ng(name, seen, fix)

    def found(self, look: Look[T], name: str, missing: str, fix: str, absent: str = "") -> T | None:
        """The value, if there is one; otherwise the NG ``missing``, or a SKIP that says why.

        ``absent``: why it may be missing as things stand, which makes a SKIP of that too.
        """
        if look.unknown or (look.absent and absent):
            self.skip(look.unknown or absent, name)
        elif look.absent:
            self.ng(name, missing, fix)
        return look.value

    def group(self) -> Group:
        """All of them."""
        return Group(self._group, tuple(self._checks))


def because(what: str) -> str:
    """Why a check is skipped that rests on another."""
    return f"because {what}"


def listed(items: Iterable[str]) -> str:
    """``a, b, c``, sorted, each once."""
    return ", ".join(sorted(set(items)))
