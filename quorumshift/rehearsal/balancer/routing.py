"""Which rule, which group, which target: decided anew for every request.

Weights hold per request, drawn at random as AWS describes them (a fixed pattern would give one
group all the writes of a client that alternates). A weight of 0 gets nothing. AWS does not say
whether AWSALBTG still holds a client on a group whose weight went to 0; here it does not, because
that group is about to be removed.
"""

from __future__ import annotations

import random
import re
from collections.abc import Mapping
from itertools import accumulate

from quorumshift.rehearsal.balancer import cookies, state
from quorumshift.rehearsal.balancer.groups import Group, name_of
from quorumshift.rehearsal.balancer.heads import Request
from quorumshift.rehearsal.balancer.targets import Target


class Forward:
    """A rule's action, with its groups at hand."""

    def __init__(self, action: state.Action, groups: Mapping[str, Group]) -> None:
        self.action = action
        self._shares = [
            (groups[share.group], share.weight) for share in action.shares if share.weight > 0
        ]
        self._sums = list(accumulate(weight for _, weight in self._shares))
        self._sticky = bool(action.sticky)

    def choose(self, request: Request) -> Group | None:
        """The group for this request; ``None`` when every weight is 0."""
        shares = self._shares
        if len(shares) == 1:
            return shares[0][0]
        if not shares:
            return None
        if self._sticky and request.cookie:
            held = cookies.read(request.cookie, cookies.GROUP)
            for group, _ in shares:
                if group.spec.arn == held:
                    return group
        drawn = random.random() * self._sums[-1]
        for (group, _), until in zip(shares, self._sums, strict=True):
            if drawn < until:
                return group
        return shares[-1][0]

    def cookies(self, target: Target, speed: float) -> list[bytes]:
        """What the answer of ``target`` has to set; durations are AWS's time."""
        made = []
        spec = target.group.spec
        if spec.sticky:
            made.append(cookies.make(cookies.TARGET, name_of(target), spec.sticky / speed))
        if self._sticky:
            made.append(cookies.make(cookies.GROUP, spec.arn, self.action.sticky / speed))
        return made


def choose_target(group: Group, request: Request) -> Target | None:
    """The client's own target when a cookie names one that is well, else the next in turn."""
    if group.spec.sticky and request.cookie:
        name = cookies.read(request.cookie, cookies.TARGET)
        if name is not None and (held := group.find(name)) is not None:
            return held
    return group.pick()


class Router:
    """A listener's rules."""

    def __init__(self, rules: tuple[state.Rule, ...], groups: Mapping[str, Group]) -> None:
        self._rules = [(rule.conditions, Forward(rule.action, groups)) for rule in rules]

    def route(self, request: Request) -> Forward | None:
        """The action of the first rule that holds."""
        for conditions, forward in self._rules:
            if all(_holds(condition, request) for condition in conditions):
                return forward
        return None


def _holds(condition: state.Condition, request: Request) -> bool:
    if condition.field == "path-pattern":
        return _match(condition.values, request.target.partition(b"?")[0], exact_case=True)
    if condition.field == "host-header":
        return _match(condition.values, request.host.partition(b":")[0])
    if condition.field == "http-request-method":
        return request.method.decode("latin-1") in condition.values
    return _match(condition.values, request.header(condition.header.lower().encode()))


def _match(patterns: tuple[str, ...], value: bytes, exact_case: bool = False) -> bool:
    text = value.decode("latin-1")
    flags = re.DOTALL | (0 if exact_case else re.IGNORECASE)
    return any(re.fullmatch(_pattern(one), text, flags) for one in patterns)


def _pattern(wild: str) -> str:
    return "".join({"*": ".*", "?": "."}.get(letter, re.escape(letter)) for letter in wild)
