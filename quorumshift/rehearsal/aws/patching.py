"""Replacing parts of moto, some of them private, without doing it blindly.

Each replacement names the parameters that the replaced part had when it was written against. Where
moto has another part there now, the embedded AWS does not start, and says what to look at.
"""

from __future__ import annotations

import inspect
from importlib.metadata import version
from typing import Any


class MotoChanged(RuntimeError):
    """moto is not the one that the rehearsal was written against."""


def replace(owner: Any, name: str, replacement: Any, parameters: str) -> Any:
    """Put ``replacement`` in the place of ``owner.name`` and return what stood there.

    ``parameters``: the names of the replaced callable's parameters, separated by spaces; a method's
    begin with ``self``. Raises :class:`MotoChanged`.
    """
    there = expect(owner, name, parameters)
    if isinstance(inspect.getattr_static(owner, name), staticmethod):
        replacement = staticmethod(replacement)
    setattr(owner, name, replacement)
    return there


def expect(owner: Any, name: str, parameters: str) -> Any:
    """``owner.name``, which must have these parameters. Raises :class:`MotoChanged`."""
    where = f"{getattr(owner, '__module__', '')}.{getattr(owner, '__name__', owner)}.{name}"
    there = getattr(owner, name, None)
    if there is None:
        raise MotoChanged(f"moto {version('moto')} has no {where}, which the rehearsal replaces")
    found = " ".join(inspect.signature(there).parameters)
    if found != parameters:
        raise MotoChanged(
            f"moto {version('moto')}: {where} has the parameters ({found}), the rehearsal was"
            f" written for ({parameters}); compare the two before changing the pinned version"
        )
    return there
