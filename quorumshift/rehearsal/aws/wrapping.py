"""Putting something around a method of moto's."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from quorumshift.rehearsal.aws.patching import expect


def wrap(kind: type, name: str, parameters: str, around: Callable[..., Any]) -> None:
    """``kind.name`` becomes ``around(original, self, …)``; ``original`` is bound to ``self``.

    A second world in the same process replaces the first one's wrapping: the original stays
    moto's own. Raises ``MotoChanged`` unless that has these ``parameters`` (see ``expect``).
    """
    present = expect(kind, name, parameters)
    original = getattr(present, "__wrapped__", present)

    @functools.wraps(original)
    def method(self: Any, *values: Any, **named: Any) -> Any:
        return around(functools.partial(original, self), self, *values, **named)

    setattr(kind, name, method)
