"""The container health check of a task definition, asked over HTTP by the rehearsal itself.

ECS runs the command in the container. Here only ``curl URL`` is understood: ``localhost`` in it
means the task's own address. Times are AWS's and scaled, with floors where the thing waited for
is real: an answer, and the start of a process.
"""

from __future__ import annotations

import http.client
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from quorumshift.rehearsal.world import World

_URL = re.compile(r"https?://[^\s'\"|;&]+")

LEAST_INTERVAL = 0.25
LEAST_TIMEOUT = 2.0
REAL_START = 10.0
"""Real seconds a process may take until it listens: a refused connection before is no failure, and
a start period is no shorter than this, unless the task definition asks for less."""


class CannotCheck(Exception):
    """The command is not one that the rehearsal understands."""


@dataclass(frozen=True, slots=True)
class HealthCheck:
    """Real seconds. ``start_period``: failures in it do not count until the first success."""

    url: str
    interval: float
    timeout: float
    retries: int
    start_period: float


def health_check(world: World, check: Mapping[str, Any], address: str) -> HealthCheck:
    """Read ``containerDefinitions[].healthCheck``. Raises :class:`CannotCheck`."""
    command = " ".join(check.get("command", []))
    found = _URL.search(command)
    if found is None or "curl" not in command:
        raise CannotCheck(
            f"health check {command!r}: the rehearsal can only ask a URL, write it as"
            " `curl -f http://localhost:PORT/PATH || exit 1`"
        )
    granted = check.get("startPeriod", 0)
    url = re.sub(r"//(localhost|127\.0\.0\.1)(?=[:/]|$)", f"//{address}", found[0])
    return HealthCheck(
        url=url,
        interval=max(LEAST_INTERVAL, world.real(check.get("interval", 30))),
        timeout=max(LEAST_TIMEOUT, world.real(check.get("timeout", 5))),
        retries=int(check.get("retries", 3)),
        start_period=max(world.real(granted), min(granted, REAL_START)),
    )


def ask(url: str, timeout: float) -> bool:
    """Whether ``curl -f`` would be content: an answer below 400 in time.

    Raises ``ConnectionRefusedError`` when nobody listens.
    """
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=timeout)
    try:
        connection.request("GET", parts.path or "/")
        return connection.getresponse().status < 400
    except ConnectionRefusedError:
        raise
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def watch(
    check: HealthCheck, pause: Callable[[float], bool], report: Callable[[bool], None]
) -> None:
    """Ask until ``pause(seconds)`` says that the task has ended.

    ``report(healthy)`` is called for the first success, and when ``retries`` checks in a row have
    failed; then the watch is over, because ECS replaces the task.
    """
    began = time.monotonic()
    succeeded = False
    failures = 0
    while not pause(check.interval):
        age = time.monotonic() - began
        try:
            healthy = ask(check.url, check.timeout)
        except ConnectionRefusedError:
            if not succeeded and age < REAL_START:
                continue
            healthy = False
        if healthy:
            failures = 0
            if not succeeded:
                succeeded = True
                report(True)
        elif succeeded or age >= check.start_period:
            failures += 1
            if failures >= check.retries:
                report(False)
                return
