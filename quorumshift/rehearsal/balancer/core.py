"""The load balancer as a whole: becomes what it is told to be, and tells what it sees."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable
from typing import Any

from quorumshift.rehearsal.balancer import state
from quorumshift.rehearsal.balancer.clients import Listener
from quorumshift.rehearsal.balancer.counters import BalancerCounters, GroupCounters, Statistic
from quorumshift.rehearsal.balancer.groups import Group
from quorumshift.rehearsal.balancer.routing import Router
from quorumshift.rehearsal.balancer.targets import Target

AWS_PERIOD = 60.0
_SWEEP = 1.0
_TICK = 0.05


class Balancer:
    """``tell`` takes the messages for the engine, as JSON values (see :mod:`.control`)."""

    def __init__(self, address: str, speed: float, tell: Callable[[dict[str, Any]], None]) -> None:
        self.address = address
        self.speed = speed
        self._tell = tell
        self._groups: dict[str, Group] = {}
        self._listeners: dict[str, Listener] = {}
        self._counters: dict[str, BalancerCounters] = {}
        self._late = Statistic()
        self._helping: list[asyncio.Task[None]] = []

    async def apply(self, desired: state.Desired) -> list[dict[str, Any]]:
        """Become ``desired``. Returns the listeners whose port could not be had, with the reason.

        Groups come first, then each listener's rules change in one assignment: a request sees
        either the old or the new.
        """
        for spec in desired.groups:
            if spec.arn not in self._groups:
                self._groups[spec.arn] = Group(spec, self.address, self.speed, self._report)
            self._groups[spec.arn].apply(spec)
        for listener in desired.listeners:
            self._counters.setdefault(listener.balancer, BalancerCounters())
            known = self._listeners.get(listener.arn)
            if known is not None and known.spec.port == listener.port:
                known.router = Router(listener.rules, self._groups)
                known.spec = listener
        named = {group.arn for group in desired.groups}
        for arn in [arn for arn in self._groups if arn not in named]:
            self._groups.pop(arn).close()
        return await self._open_and_close(desired)

    async def run(self) -> None:
        """Close a metrics period whenever the wall clock enters the next, until cancelled."""
        loop = asyncio.get_running_loop()
        self._helping = [loop.create_task(self._sweep()), loop.create_task(self._tick())]
        period = AWS_PERIOD / self.speed
        bucket = int(time.time() // period)
        while True:
            await asyncio.sleep(max(0.0, (bucket + 1) * period - time.time()))
            if (now := int(time.time() // period)) > bucket:
                self._close_period(bucket)
                bucket = now

    async def _open_and_close(self, desired: state.Desired) -> list[dict[str, Any]]:
        wanted = {(spec.arn, spec.port) for spec in desired.listeners}
        for listener in list(self._listeners.values()):
            if (listener.spec.arn, listener.spec.port) not in wanted:
                self._listeners.pop(listener.spec.arn).close()
        refused = []
        for spec in desired.listeners:
            if spec.arn in self._listeners:
                continue
            router = Router(spec.rules, self._groups)
            listener = Listener(spec, router, self._counters[spec.balancer])
            try:
                await listener.open(self.address)
            except OSError as error:
                refused.append(
                    {
                        "listener": spec.arn,
                        "port": spec.port,
                        "error": os.strerror(error.errno or 0),
                    }
                )
            else:
                self._listeners[spec.arn] = listener
        return refused

    def _report(self, target: Target) -> None:
        name, reason, description = target.health
        self._tell(
            {
                "kind": "health",
                "group": target.group.spec.arn,
                "id": target.spec.id,
                "port": target.spec.port,
                "registration": target.spec.registration,
                "state": name,
                "reason": reason,
                "description": description,
            }
        )

    def _close_period(self, bucket: int) -> None:
        groups, balancers = {}, {}
        for arn, group in self._groups.items():
            group.sample()
            groups[arn] = group.counters.to_json()
            group.counters = GroupCounters()
        for name, counters in self._counters.items():
            balancers[name] = counters.to_json()
            counters.requests = 0
            counters.own = {}
        late, self._late = self._late.to_json(), Statistic()
        closed = {"groups": groups, "balancers": balancers, "late": late}
        self._tell({"kind": "metrics", "bucket": bucket, **closed})

    async def _tick(self) -> None:
        """See how late this process gets to what is due: the machine's doing, and no target's."""
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + _TICK
            await asyncio.sleep(_TICK)
            self._late.add(loop.time() - due)

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(_SWEEP)
            idle = min((one.spec.idle_timeout for one in self._listeners.values()), default=60.0)
            for listener in self._listeners.values():
                listener.sweep()
            for group in self._groups.values():
                group.sweep(idle)
