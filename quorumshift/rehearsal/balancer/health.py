"""Health checks, as the target group says: a new connection each, closed after the answer.

A fresh target is ``initial`` until one check succeeds ("after your target is registered, it must
pass one health check to be considered healthy") or ``unhealthy`` many fail in a row. The interval
is AWS's time and scaled. The time-out is scaled too, but never below two seconds: the target that
answers is a real process on a busy machine. For the same reason a refused connection is no failure
in a fresh target's first ten seconds: its process is still starting, in real time.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from quorumshift.rehearsal.balancer import state
from quorumshift.rehearsal.balancer.targets import HEALTHY

if TYPE_CHECKING:
    from quorumshift.rehearsal.balancer.targets import Target

SHORTEST_INTERVAL = 0.1
SHORTEST_TIMEOUT = 2.0
REAL_START = 10.0
_ENOUGH = 65536

Verdict = tuple[str, str, str]
REFUSED: Verdict = "unhealthy", "Target.FailedHealthChecks", "Health checks failed"


async def watch(target: Target) -> None:
    """Check ``target`` until cancelled. The time an answer takes does not put off the next check,
    unless it takes longer than the interval."""
    loop = asyncio.get_running_loop()
    born = loop.time()
    while True:
        began = loop.time()
        check, speed = target.group.spec.health, target.group.speed
        timeout = min(check.timeout, max(check.timeout / speed, SHORTEST_TIMEOUT))
        verdict = await ask(target.spec, check, target.group.source, timeout)
        starting = target.health[0] == "initial" and began - born < REAL_START
        if verdict != REFUSED or not starting:
            note(target, verdict)
        interval = max(check.interval / speed, SHORTEST_INTERVAL)
        await asyncio.sleep(max(0.0, began + interval - loop.time()))


def note(target: Target, verdict: Verdict) -> None:
    """Count one outcome and change the target's health when its thresholds say so."""
    check, now = target.group.spec.health, target.health[0]
    if verdict == HEALTHY:
        target.failures = 0
        target.successes += 1
        if now == "initial" or (now == "unhealthy" and target.successes >= check.healthy):
            target.group.changed(target, HEALTHY)
        return
    target.successes = 0
    target.failures += 1
    if now == "unhealthy":
        if verdict != target.health:
            target.group.changed(target, verdict)
    elif target.failures >= check.unhealthy:
        target.group.changed(target, verdict)


async def ask(spec: state.Target, check: state.HealthCheck, source: str, timeout: float) -> Verdict:
    """One check: ``HEALTHY``, or what DescribeTargetHealth gives as the reason."""
    port = check.port or spec.port
    try:
        async with asyncio.timeout(timeout):
            status = await _get(spec.id, port, check.path, source)
    except TimeoutError:
        return "unhealthy", "Target.Timeout", "Request timed out"
    except (OSError, ValueError):
        return REFUSED
    if matches(check.codes, status):
        return HEALTHY
    described = f"Health checks failed with these codes: [{status}]"
    return "unhealthy", "Target.ResponseCodeMismatch", described


async def _get(address: str, port: int, path: str, source: str) -> int:
    reader, writer = await asyncio.open_connection(address, port, local_addr=(source, 0))
    try:
        writer.write(
            f"GET {path} HTTP/1.1\r\nHost: {address}:{port}\r\nConnection: close\r\n"
            "User-Agent: ELB-HealthChecker/2.0\r\n\r\n".encode()
        )
        line = await reader.readline()
        version, status, *_ = line.split(b" ", 2)
        if not version.startswith(b"HTTP/1."):
            raise ValueError("no HTTP answer")
        code = int(status)
        await reader.read(_ENOUGH)
        return code
    finally:
        writer.close()


def matches(codes: str, status: int) -> bool:
    """AWS's matcher: ``200``, ``200,202``, ``200-299``."""
    for part in codes.split(","):
        low, _, high = part.partition("-")
        if int(low) <= status <= int(high or low):
            return True
    return False
