"""Lambda: the real handlers, called and waited for, or called and repeated until one goes well."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from infra.function_specs import SPECS
from quorumshift.names import kebab, module
from tests.crash.hub import Hub, Process

_SETTLES_SECONDS = 600
"""What a function that waits for the cluster may run at least, in all."""
TIMEOUT = {
    spec.state: max(spec.timeout_seconds, _SETTLES_SECONDS if spec.settles else 0) for spec in SPECS
}
PAUSES = (60.0, 120.0)
"""Before the second and the third try of what nobody waits for (Lambda Developer Guide,
"Asynchronous invocation")."""
OUT_OF_ORDER = "Lambda.ServiceException"
KEPT_SECONDS = 6 * 3600.0
LONGEST_PAUSE = 300.0
"""What nobody waits for is kept for six hours while Lambda itself is out of order, and tried every
five minutes at least (the same page); such a try does not count."""


class FunctionError(Exception):
    """How Step Functions hears of a function that failed: ``asl`` is the error's name."""

    def __init__(self, asl: str, said: str) -> None:
        super().__init__(said)
        self.asl = asl


def handler(state: str) -> Callable[[Any, object], Any]:
    """The real one."""
    found: Callable[[Any, object], Any] = importlib.import_module(module(state)).handler
    return found


class Context:
    """What a handler may ask Lambda."""

    def __init__(self, hub: Hub, until: float) -> None:
        self._hub, self._until = hub, until

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds."""
        return round((self._until - self._hub.now) * 1000)


class Functions:
    """``names``: of the function that a greenlet runs, by the greenlet's identity. ``undelivered``:
    what failed three times and had nowhere to go. ``out``: whether Lambda is out of order."""

    def __init__(self, hub: Hub, out: Callable[[], bool]) -> None:
        self.hub = hub
        self.names: dict[int, str] = {}
        self.undelivered: list[tuple[str, str]] = []
        self._waiting = 0
        self._out = out

    def start(self, state: str, event: Any, ended: Callable[[Process], None]) -> Process:
        """Run it once. It dies when it has run for longer than it may."""
        until = self.hub.now + TIMEOUT[state]

        def body() -> Any:
            self.names[id(process._body)] = state  # who calls AWS is asked by it
            if self._out():
                raise FunctionError(OUT_OF_ORDER, "Lambda is out of order")
            return handler(state)(event, Context(self.hub, until))

        process = self.hub.spawn(body, ended)
        self.hub.after(TIMEOUT[state], process.kill)
        return process

    def busy(self) -> bool:
        """Whether one runs, or is to run."""
        return self._waiting > 0

    def call(self, state: str, event: Any) -> Any:
        """Run it and wait for it. Raises ``FunctionError``."""
        process = self.start(state, event, lambda process: None)
        process.join()
        if process.killed:
            raise FunctionError("Lambda.Unknown", f"{state} died")
        if process.error is not None:
            error = process.error
            raise FunctionError(getattr(error, "asl", type(error).__name__), str(error))
        return process.value

    def send(self, state: str, event: Any, failed: Callable[[Any], None] | None = None) -> None:
        """Have it run; three times if need be. ``failed`` is told of the third one's end, in the
        words of Lambda's destinations."""
        self._waiting += 1
        self._try(_Sent(state, event, failed, self.hub.now))

    def _try(self, sent: _Sent) -> None:
        self.start(sent.state, sent.event, lambda process: self._tried(sent, process))

    def _tried(self, sent: _Sent, process: Process) -> None:
        if not process.killed and process.error is None:
            self._waiting -= 1
            return
        out = getattr(process.error, "asl", "") == OUT_OF_ORDER
        if out and self.hub.now - sent.at < KEPT_SECONDS:
            sent.kept += 1
            self.hub.after(min(LONGEST_PAUSE, 2.0**sent.kept), lambda: self._try(sent))
        elif not out and sent.tried < len(PAUSES):
            sent.tried += 1
            self.hub.after(PAUSES[sent.tried - 1], lambda: self._try(sent))
        else:
            self._waiting -= 1
            name = "Sandbox.Timedout" if process.killed else type(process.error).__name__
            said = f"{sent.state} died" if process.killed else str(process.error)
            if sent.failed is None:
                self.undelivered.append((sent.state, f"{name}: {said}"))
            else:
                sent.failed(_record(sent.state, sent.event, name, said))


@dataclass
class _Sent:
    """What nobody waits for. ``tried``: how often it failed; ``kept``: how often it could not be
    tried."""

    state: str
    event: Any
    failed: Callable[[Any], None] | None
    at: float
    tried: int = 0
    kept: int = 0


def _record(state: str, event: Any, error: str, said: str) -> dict[str, Any]:
    """A record for an on-failure destination (Lambda Developer Guide, "Capturing records of
    asynchronous invocations")."""
    arn = f"arn:aws:lambda:us-east-1:123456789012:function:sample-{kebab(state)}:$LATEST"
    return {
        "version": "1.0",
        "requestContext": {
            "functionArn": arn,
            "condition": "RetriesExhausted",
            "approximateInvokeCount": 1 + len(PAUSES),
        },
        "requestPayload": event,
        "responsePayload": {"errorType": error, "errorMessage": said},
    }
