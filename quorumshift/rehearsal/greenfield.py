"""A service as a rehearsal makes it: nothing of what it adopts is on this machine, nor is a
certificate for what its users call."""

from __future__ import annotations

import dataclasses
from typing import Any

from quorumshift.config import Configuration

_FIRST_FREE_PORT = 1024
"""Below it a listener is root's."""
_MOVED_BY = 8000

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


def in_the_clear(configuration: Configuration) -> dict[str, Any]:
    """Overrides with which the listeners speak HTTP, each on a port that anybody may open."""
    balancer = configuration.load_balancer
    changed: dict[str, Any] = {}
    if balancer.certificate:
        changed["load_balancer.certificate"] = ""
    if not balancer.plain_http:
        changed["load_balancer.plain_http"] = True
    for name in ("listener_port", "test_listener_port"):
        port = getattr(balancer, name)
        if port < _FIRST_FREE_PORT:
            changed[f"load_balancer.{name}"] = port + _MOVED_BY
    return changed


def _plain(default: Any) -> Any:
    """As TOML and JSON have it."""
    if isinstance(default, (str, bool)):
        return default
    return [] if isinstance(default, tuple) else {}
