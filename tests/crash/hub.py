"""Virtual time, and all that waits in it.

Whatever runs (a function, an execution, CodeDeploy itself) is a process that gives way whenever it
waits, so that real handlers interleave as they do in an account; and every run is the same.
"""

from __future__ import annotations

import functools
import heapq
import itertools
from collections.abc import Callable
from typing import Any

from greenlet import GreenletExit, getcurrent, greenlet

Deed = Callable[[], Any]
FOREVER = float("inf")


class Killed(GreenletExit):
    """Raised where a process waits that is ended from outside. No ``except Exception`` sees it."""


class Process:
    """Something that runs. ``value`` or ``error``: how it ended."""

    def __init__(self, hub: Hub, deed: Deed, ended: Callable[[Process], None] | None) -> None:
        self.over = False
        self.value: Any = None
        self.error: Exception | None = None
        self.killed = False
        self._hub = hub
        self._ended = ended
        self._waiting: list[greenlet] = []
        self._body = greenlet(lambda: self._run(deed), parent=hub.main)

    def _run(self, deed: Deed) -> None:
        try:
            self.value = deed()
        except Exception as error:  # noqa: BLE001 # whoever waits is told
            self.error = error
        except GreenletExit:
            self.killed = True
        self._end()

    def _end(self) -> None:
        if self.over:
            return
        self.over = True
        for one in self._waiting:
            self._hub.after(0, functools.partial(_go_on, one))
        if self._ended is not None:
            self._hub.after(0, functools.partial(self._ended, self))

    def go(self) -> None:
        """Let it begin. The hub's own."""
        if not self.over:
            self._body.switch()

    def kill(self) -> None:
        """End it where it waits, as soon as the hub has its turn."""
        self._hub.after(0, self._kill)

    def _kill(self) -> None:
        if self.over:
            return
        begun = bool(self._body)
        self._body.throw(Killed())
        if not begun:
            self.killed = True
            self._end()

    def join(self) -> None:
        """Wait for its end. Only from within another process."""
        if not self.over:
            me = getcurrent()
            self._waiting.append(me)
            self._hub.main.switch()


def _go_on(one: greenlet) -> None:
    if not one.dead:
        one.switch()


class Signal:
    """What some wait for."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._waiting: list[Deed] = []

    def ring(self) -> None:
        """Wake whoever waits."""
        waiting, self._waiting = self._waiting, []
        for wake in waiting:
            self._hub.after(0, wake)

    def wait(self, seconds: float) -> None:
        """Until it rings, or so long. Only from within a process."""
        me, woken = getcurrent(), False

        def wake() -> None:
            nonlocal woken
            if not woken and not me.dead:
                woken = True
                me.switch()

        self._waiting.append(wake)
        if seconds < FOREVER:
            self._hub.after(seconds, wake)
        self._hub.main.switch()


class Hub:
    """``now``: epoch seconds. ``passed``: told of each moment before what is due then happens;
    ``looks``: called after each thing that happened."""

    def __init__(self, now: float, passed: Callable[[float], None], looks: Deed) -> None:
        self.now = now
        self.main = getcurrent()
        self._passed = passed
        self._looks = looks
        self._due: list[tuple[float, int, Deed]] = []
        self._count = itertools.count()

    def after(self, seconds: float, deed: Deed) -> None:
        """Have something happen."""
        heapq.heappush(self._due, (self.now + max(0.0, seconds), next(self._count), deed))

    def spawn(self, deed: Deed, ended: Callable[[Process], None] | None = None) -> Process:
        """A new process, which begins at this time; ``ended`` is told of its end."""
        process = Process(self, deed, ended)
        self.after(0, process.go)
        return process

    def sleep(self, seconds: float) -> None:
        """Wait. Only from within a process."""
        me = getcurrent()
        assert me is not self.main, "the hub itself never waits"
        self.after(seconds, functools.partial(_go_on, me))
        self.main.switch()

    def run(self, until: Callable[[], bool], longest: float) -> None:
        """Until ``until()`` holds, nothing is due any more, or so many seconds have passed."""
        end = self.now + longest
        while self._due and not until():
            when, _, deed = self._due[0]
            if when > end:
                self.now = end
                return
            heapq.heappop(self._due)
            if when > self.now:
                self._passed(when)
                self.now = when
            deed()
            self._looks()

    def close(self) -> None:
        """Forget all that is still due; what waits ends as it is collected."""
        self._due.clear()
