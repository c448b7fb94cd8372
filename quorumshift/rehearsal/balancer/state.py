"""What the load balancer is told to be: one frozen value, sent whole whenever anything changes.

Times are AWS's seconds, which the process scales, except ``idle_timeout``: requests and answers
take real time in a rehearsal, so what bounds them is real too.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class HealthCheck:
    """How a group's targets are asked. ``port`` 0 is the port that takes the traffic.
    ``codes`` is AWS's matcher: ``200``, ``200,204`` or ``200-299``."""

    path: str
    port: int
    interval: float
    timeout: float
    healthy: int
    unhealthy: int
    codes: str


@dataclass(frozen=True, slots=True)
class Target:
    """``registration`` counts how often this address was registered anew: one that comes back
    starts over."""

    id: str
    port: int
    registration: int


@dataclass(frozen=True, slots=True)
class Group:
    """A target group. ``used``: some listener forwards to it, if only with weight 0; only then
    are its targets checked. ``delay``: the deregistration delay. ``sticky``: seconds that the
    cookie AWSALB holds a client on a target, 0 for never."""

    arn: str
    name: str
    balancer: str
    used: bool
    delay: float
    sticky: float
    health: HealthCheck
    targets: tuple[Target, ...]


@dataclass(frozen=True, slots=True)
class Share:
    """One group's weight in a forward action."""

    group: str
    weight: int


@dataclass(frozen=True, slots=True)
class Action:
    """``shares``: forward by these weights, with the cookie AWSALBTG for ``sticky`` seconds (0:
    none). Without shares: answer ``status`` and ``body``."""

    shares: tuple[Share, ...]
    sticky: float
    status: int
    body: str
    content_type: str


@dataclass(frozen=True, slots=True)
class Condition:
    """``field``: path-pattern, host-header, http-request-method or http-header (then ``header``
    names it). One of ``values`` must match; ``*`` and ``?`` are wild cards."""

    field: str
    header: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Rule:
    """The first rule of a listener whose conditions all hold decides; the default has none."""

    conditions: tuple[Condition, ...]
    action: Action


@dataclass(frozen=True, slots=True)
class Listener:
    """``rules`` in the order of their priorities, the default last."""

    arn: str
    balancer: str
    port: int
    idle_timeout: float
    rules: tuple[Rule, ...]


@dataclass(frozen=True, slots=True)
class Desired:
    """Everything at once; applied between two requests, never half."""

    listeners: tuple[Listener, ...]
    groups: tuple[Group, ...]
