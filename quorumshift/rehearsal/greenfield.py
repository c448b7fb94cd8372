"""A service that adopts, as a rehearsal makes it: nothing of what it adopts is on this machine."""

from __future__ import annotations

import dataclasses
from typing import Any

from quorumshift.config import Configuration

SAYS = (
    "[adopt] is left out: a rehearsal makes network, load balancer, cluster, service and secrets "
    "itself, under your names and ports and by your policy"
)


def greenfield(configuration: Configuration) -> dict[str, Any]:
    """Overrides for :func:`quorumshift.config.load` with which nothing is adopted; a secret that is
    there already becomes one that is generated."""
    nothing = type(configuration.adopt)()
    changed: dict[str, Any] = {}
    for field in dataclasses.fields(nothing):
        default = getattr(nothing, field.name)
        if getattr(configuration.adopt, field.name) != default:
            changed[f"adopt.{field.name}"] = _plain(default)
    for number, variable in enumerate(configuration.adopt.secrets, 1):
        changed[f"service.secrets.{variable}"] = f"adopted-{number}"
    return changed


def _plain(default: Any) -> Any:
    """As TOML and JSON have it."""
    if isinstance(default, (str, bool)):
        return default
    return [] if isinstance(default, tuple) else {}
