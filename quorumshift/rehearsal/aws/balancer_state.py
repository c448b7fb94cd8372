"""moto's records of load balancers, as the state that the balancer process is to take on.

moto keeps what clients sent, so numbers may be texts and switches may be ``"true"``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from quorumshift.rehearsal.balancer.state import (
    Action,
    Condition,
    Desired,
    Group,
    HealthCheck,
    Listener,
    Rule,
    Share,
    Target,
)

Number = Callable[[str, str], int]
"""(target group ARN, target id) → how often it was registered anew."""

_CONDITIONS = ("path-pattern", "host-header", "http-request-method", "http-header")
IDLE_TIMEOUT = 60.0
"""Seconds, where the load balancer says nothing else (ALB: ``idle_timeout.timeout_seconds``)."""


class Reader:
    """``troubles``: what the balancer process cannot do, one sentence each."""

    def __init__(self, backend: Any, number: Number) -> None:
        self._backend = backend
        self._number = number
        self.troubles: list[str] = []

    def read(self) -> Desired:
        """All load balancers, listeners, rules, groups and targets, as they are now."""
        listeners = []
        for balancer in list(self._backend.load_balancers.values()):
            idle = float(balancer.attrs.get("idle_timeout.timeout_seconds", IDLE_TIMEOUT))
            name = full_name(balancer.arn)
            for listener in list(balancer.listeners.values()):
                listeners.append(self._listener(listener, name, idle))
        used = {
            share.group: listener.balancer
            for listener in listeners
            for rule in listener.rules
            for share in rule.action.shares
        }
        groups = [
            self._group(group, used.get(group.arn))
            for group in list(self._backend.target_groups.values())
        ]
        return Desired(tuple(listeners), tuple(groups))

    def _listener(self, listener: Any, balancer: str, idle: float) -> Listener:
        where = f"listener {listener.port} of {balancer}"
        if listener.protocol != "HTTP":
            self.troubles.append(f"{where}: {listener.protocol} is served as plain HTTP")
        own = sorted(listener._non_default_rules.values(), key=lambda rule: int(rule.priority))
        rules = [
            rule
            for rule in (self._rule(one.conditions, one.actions, where) for one in own)
            if rule is not None
        ]
        rules.append(Rule((), self._action(listener.default_actions, where)))
        return Listener(listener.arn, balancer, int(listener.port), idle, tuple(rules))

    def _rule(self, conditions: Iterable[Mapping[str, Any]], actions: Any, at: str) -> Rule | None:
        read = []
        for condition in conditions:
            field = condition.get("Field", "")
            if field not in _CONDITIONS:
                self.troubles.append(f"{at}: a rule with the condition {field} is left out")
                return None
            config = condition.get(_config_key(field)) or condition
            header = str(config.get("HttpHeaderName", ""))
            read.append(Condition(field, header, tuple(map(str, config.get("Values", ())))))
        return Rule(tuple(read), self._action(actions, at))

    def _action(self, actions: Any, at: str) -> Action:
        data: Mapping[str, Any] = actions[-1].data if actions else {}  # routing comes last
        kind = data.get("Type")
        if kind == "forward":
            return self._forward(data)
        if kind == "fixed-response":
            fixed = data["FixedResponseConfig"]
            body = str(fixed.get("MessageBody", ""))
            kind_of_body = str(fixed.get("ContentType", "text/plain"))
            return Action((), 0.0, int(fixed["StatusCode"]), body, kind_of_body)
        said = f"the rehearsal's load balancer does not know the action {kind}"
        self.troubles.append(f"{at}: {said}; it answers 501")
        return Action((), 0.0, 501, said, "text/plain")

    def _forward(self, data: Mapping[str, Any]) -> Action:
        config = data.get("ForwardConfig") or {}
        known = self._backend.target_groups
        shares = [
            Share(str(share["TargetGroupArn"]), int(share.get("Weight", 1)))
            for share in config.get("TargetGroups") or [data]
            if share["TargetGroupArn"] in known
        ]
        sticky = config.get("TargetGroupStickinessConfig") or {}
        seconds = float(sticky.get("DurationSeconds") or 0) if true(sticky.get("Enabled")) else 0.0
        return Action(tuple(shares), seconds, 0, "", "")

    def _group(self, group: Any, balancer: str | None) -> Group:
        attributes = group.attributes
        sticky = 0.0
        if true(attributes.get("stickiness.enabled")):
            if attributes.get("stickiness.type") == "lb_cookie":
                sticky = float(attributes.get("stickiness.lb_cookie.duration_seconds", 86_400))
            else:
                kind = attributes.get("stickiness.type")
                self.troubles.append(f"target group {group.name}: no stickiness by {kind}")
        targets = [
            Target(str(one["Id"]), int(one["Port"]), self._number(group.arn, str(one["Id"])))
            for one in list(group.targets.values())
        ]
        return Group(
            group.arn,
            group.name,
            balancer or "",
            balancer is not None,
            float(attributes["deregistration_delay.timeout_seconds"]),
            sticky,
            _health(group),
            tuple(targets),
        )


def full_name(balancer_arn: str) -> str:
    """What CloudWatch calls a load balancer: ``app/name/id``."""
    return balancer_arn.partition(":loadbalancer/")[2]


def true(value: Any) -> bool:
    """moto keeps switches as texts, or as truth values."""
    return str(value).lower() == "true"


def _health(group: Any) -> HealthCheck:
    port = str(group.health_check_port or "traffic-port")
    return HealthCheck(
        str(group.health_check_path or "/"),
        0 if port == "traffic-port" else int(port),
        float(group.health_check_interval_seconds),
        float(group.health_check_timeout_seconds),
        int(group.healthy_threshold_count),
        int(group.unhealthy_threshold_count),
        str((getattr(group, "matcher", None) or {}).get("HttpCode") or "200"),
    )


def _config_key(field: str) -> str:
    return "".join(word.title() for word in field.split("-")) + "Config"
