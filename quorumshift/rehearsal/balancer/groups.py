"""A target group at work: who may be asked next.

ALB's rules: requests go round robin to the healthy targets; when none is healthy, to all the
unhealthy ones (it fails open); a group never helps out for another. A target that has not passed
its first check yet gets nothing, even then (AWS does not say): a group that holds no others
answers 503, as an empty one does. A target that drains gets no new request.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection

from quorumshift.rehearsal.balancer import state
from quorumshift.rehearsal.balancer.counters import GroupCounters
from quorumshift.rehearsal.balancer.health import watch
from quorumshift.rehearsal.balancer.targets import DRAINING, GONE, INITIAL, UNUSED, Target

Report = Callable[[Target], None]

_LOOK_AGAIN = 0.02


class Group:
    """``targets``: by (address, registration), the draining ones included."""

    def __init__(self, spec: state.Group, source: str, speed: float, report: Report) -> None:
        self.spec = spec
        self.source = source
        self.speed = speed
        self.counters = GroupCounters()
        self.targets: dict[tuple[str, int, int], Target] = {}
        self._report = report
        self._ready: list[Target] = []
        self._turn = 0

    def apply(self, spec: state.Group) -> None:
        """Become ``spec``: begin with new targets, drain those that are no longer named."""
        self.spec = spec
        named = {(one.id, one.port, one.registration): one for one in spec.targets}
        for key, target in self.targets.items():
            if key not in named and target.health is not DRAINING:
                self._drain(target)
        for key, one in named.items():
            if key not in self.targets:
                self.targets[key] = Target(self, one)
                if not spec.used:
                    self._report(self.targets[key])
            self._use(self.targets[key], spec.used)
        self._refresh()

    def pick(self, tried: Collection[Target] = ()) -> Target | None:
        """The next target that is not among ``tried``; ``None`` when there is no other."""
        ready = self._ready
        for _ in ready:
            self._turn += 1
            target = ready[self._turn % len(ready)]
            if target not in tried:
                return target
        return None

    def find(self, name: str) -> Target | None:
        """The target that a cookie names (see :func:`name_of`), if it still takes requests."""
        return next((target for target in self._ready if name_of(target) == name), None)

    def changed(self, target: Target, health: tuple[str, str, str]) -> None:
        """A target's health is another from now on; all who care learn of it."""
        target.health = health
        self._refresh()
        self.sample()
        self._report(target)

    def sample(self) -> None:
        """Note how many targets are healthy now; a group without targets reports nothing."""
        states = [target.health[0] for target in self.targets.values()]
        if self.spec.used and self.spec.targets:
            self.counters.healthy.add(states.count("healthy"))
            self.counters.unhealthy.add(states.count("unhealthy"))

    def close(self) -> None:
        """The group is no more."""
        for target in list(self.targets.values()):
            self._finish(target)

    def sweep(self, idle: float) -> None:
        """Close connections that have been idle for so many seconds."""
        before = time.monotonic() - idle
        for target in self.targets.values():
            target.close_idle(before)

    def _use(self, target: Target, used: bool) -> None:
        if used and target.watch is None:
            target.successes = target.failures = 0
            self.changed(target, INITIAL)
            target.watch = asyncio.get_running_loop().create_task(watch(target))
        elif not used and target.watch is not None:
            self._unwatch(target)
            self.changed(target, UNUSED)

    def _unwatch(self, target: Target) -> None:
        if target.watch is not None:
            target.watch.cancel()
            target.watch = None

    def _drain(self, target: Target) -> None:
        """No new requests; those under way may finish until the delay is over. ALB shows the
        target as draining for the whole delay, even if nothing is under way.

        The delay is scaled, requests take real time: they alone may go on until the unscaled delay
        is over.
        """
        self._unwatch(target)
        self.changed(target, DRAINING)
        target.close_idle()
        loop = asyncio.get_running_loop()
        delay = self.spec.delay if self.spec.used else 0.0
        loop.call_later(delay / self.speed, self._end_drain, target, loop.time() + delay)

    def _end_drain(self, target: Target, latest: float) -> None:
        loop = asyncio.get_running_loop()
        target.cut_tunnels()
        if target.active and loop.time() < latest:
            loop.call_later(_LOOK_AGAIN, self._end_drain, target, latest)
        else:
            self._finish(target)

    def _finish(self, target: Target) -> None:
        if self.targets.get((target.spec.id, target.spec.port, target.spec.registration)) is target:
            self._unwatch(target)
            del self.targets[target.spec.id, target.spec.port, target.spec.registration]
            self.changed(target, GONE)
            target.cut()

    def _refresh(self) -> None:
        by_state: dict[str, list[Target]] = {"healthy": [], "unhealthy": []}
        for target in self.targets.values():
            by_state.setdefault(target.health[0], []).append(target)
        self._ready = by_state["healthy"] or by_state["unhealthy"]


def name_of(target: Target) -> str:
    """What a cookie calls a target."""
    spec = target.spec
    return f"{target.group.spec.arn}|{spec.id}:{spec.port}|{spec.registration}"
