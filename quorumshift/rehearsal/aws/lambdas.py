"""Lambda: the packaged code of each function, run in processes of its own.

Everything that invokes a function in moto (the API, SNS, EventBridge) ends in
``LambdaFunction.invoke``; Step Functions comes through :meth:`LambdaEngine.invoke`. When
invocations of one function overlap, another environment is started.
"""

from __future__ import annotations

import base64
import json
import socket
import threading
import time
import uuid
from collections.abc import Callable
from typing import Any

from quorumshift.rehearsal.aws import lambda_account
from quorumshift.rehearsal.aws.calls import Calls
from quorumshift.rehearsal.aws.lambda_code import Unpacked
from quorumshift.rehearsal.aws.lambda_environment import (
    Answer,
    Died,
    Environment,
    Outcome,
    dead,
    failed_in_lambda,
    identity,
)
from quorumshift.rehearsal.aws.lambda_queue import AsyncQueue
from quorumshift.rehearsal.aws.patching import replace
from quorumshift.rehearsal.world import World

Around = Callable[[Any, Callable[[], Outcome]], Outcome]
"""Stands around an invocation, given its event and what does it."""


class LambdaEngine:
    """Runs functions for real. ``calls`` learns which access key id is whose."""

    def __init__(self, world: World, calls: Calls) -> None:
        self.world = world
        self.calls = calls
        self.folder = world.directory / "lambda"
        self._control, self._theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._idle: dict[str, list[Environment]] = {}
        self._busy: set[Environment] = set()
        self._lock = threading.Lock()
        self._making = threading.Lock()
        self._stopped = False
        self._code = Unpacked(self.folder)
        self._around: dict[str, Around] = {}
        self._down = threading.Event()
        self._queue = AsyncQueue(world, calls, self.invoke)

    def install(self) -> None:
        """Take the place of moto's Docker containers."""
        from moto.awslambda.models import LambdaBackend, LambdaFunction

        engine = self

        def invoke(self: Any, body: Any, request_headers: Any, response_headers: Any) -> bytes:
            kind = request_headers.get("x-amz-invocation-type", "RequestResponse")
            return engine.answer(self, json.loads(body or "{}"), kind, response_headers)

        def send_sns_message(
            self: Any, function_name: str, message: str, subject: Any = None, qualifier: Any = None
        ) -> None:
            sns = {"Type": "Notification", "Message": message, "Subject": subject}
            record = {"EventVersion": "1.0", "EventSource": "aws:sns", "Sns": sns}
            function = self.get_function(function_name, qualifier)
            engine.put(function, {"Records": [record]})

        replace(LambdaFunction, "invoke", invoke, "self body request_headers response_headers")
        names = "self function_name message subject qualifier"
        replace(LambdaBackend, "send_sns_message", send_sns_message, names)
        lambda_account.install()

    def start(self) -> None:
        """Start the process that environments are forked from; it warms up by itself."""
        self.folder.mkdir(exist_ok=True)
        self.world.processes.python(
            "quorumshift.rehearsal.aws.lambda_runtime",
            stdin=self._theirs.fileno(),
            log=self.world.directory / "lambda-runtime.log",
        )
        self._theirs.close()

    def stop(self) -> None:
        """End every environment, and with its socket the process they are forked from."""
        with self._making:
            self._stopped = True
        with self._lock:
            environments = [*self._busy, *(e for idle in self._idle.values() for e in idle)]
            self._idle.clear()
        self._control.close()
        for environment in environments:
            environment.kill()

    def around(self, name: str, around: Around) -> None:
        """Let ``around`` stand around every invocation of the function ``name`` from now on."""
        self._around[name] = around

    def kill(self, name: str) -> bool:
        """SIGKILL for what runs of the function ``name``; whether anything did. What was killed
        before, and is not gone yet, does not count."""
        with self._lock:
            running = [one for one in self._busy if one.name == name and not one.killed]
        for environment in running:
            environment.kill()
        return bool(running)

    def take_down(self) -> None:
        """Let no function run until :meth:`bring_back`, as when Lambda itself is unavailable.

        What runs is killed. Who waits for an answer gets ``Lambda.ServiceException``; events are
        kept and tried again.
        """
        self._down.set()
        with self._lock:
            environments = [*self._busy, *(e for idle in self._idle.values() for e in idle)]
        for environment in environments:
            environment.kill()

    def bring_back(self) -> None:
        """Let functions run again."""
        with self._lock:
            for environment in (e for idle in self._idle.values() for e in idle):
                environment.end()
            self._idle.clear()
        self._down.clear()

    def answer(self, function: Any, event: Any, kind: str, response_headers: Any) -> bytes:
        """What the API ``Invoke`` answers, for each invocation type."""
        if kind == "DryRun":
            return b""
        if kind == "Event":
            self.put(function, event)
            return b""
        outcome = self.invoke(function, event)
        if outcome.in_lambda:
            raise _unavailable(json.loads(outcome.payload)["errorMessage"])
        if outcome.failed:
            response_headers["x-amz-function-error"] = "Unhandled"
        tail = base64.b64encode(outcome.log.encode()[-4096:])
        response_headers["x-amz-log-result"] = tail.decode()
        return outcome.payload.encode()

    def put(self, function: Any, event: Any) -> None:
        """Invoke in the background; see :class:`AsyncQueue`."""
        self._queue.put(function, event)

    def invoke(self, function: Any, event: Any, request: str | None = None) -> Outcome:
        """One invocation, from start to answer; never raises for what the function does."""
        around = self._around.get(function.function_name)
        if around is None:
            return self._invoke(function, event, request)
        return around(event, lambda: self._invoke(function, event, request))

    def _invoke(self, function: Any, event: Any, request: str | None) -> Outcome:
        if self._down.is_set():
            return failed_in_lambda("Lambda.ServiceException", "Lambda is unavailable")
        request = request or str(uuid.uuid4())
        began = time.monotonic()
        environment, answer = self._acquire(function)
        if answer is None and environment is not None and not self._down.is_set():
            began = time.monotonic()
            answer = environment.run(request, event, float(function.timeout))
        if self._down.is_set() and (answer is None or answer.dead is not None):
            self._give_back(function, environment, keep=False)
            return failed_in_lambda("Lambda.ServiceException", "Lambda became unavailable")
        assert answer is not None
        seconds = time.monotonic() - began
        log = _report(function, environment, request, seconds, answer) if environment else ""
        self._give_back(function, environment, keep=answer.dead is None)
        self._say(function, seconds, answer)
        return Outcome(answer.payload, answer.failed, log)

    def _acquire(self, function: Any) -> tuple[Environment | None, Answer | None]:
        """A warm environment, or a new one; with an answer if none could be had."""
        wanted = identity(function)
        with self._lock:
            idle = self._idle.setdefault(function.function_name, [])
            while idle:
                environment = idle.pop()
                if environment.identity == wanted:
                    self._busy.add(environment)
                    return environment, None
                environment.end()
        return self._create(function)

    def _create(self, function: Any) -> tuple[Environment | None, Answer | None]:
        name = function.function_name
        with self._making:
            if self._stopped:
                return None, dead("Runtime.ExitError", f"{name}: the rehearsal has ended")
            try:
                environment = Environment(
                    function, self._code.of(function), self.folder, self.world.endpoint, self._fork
                )
            except (Died, OSError) as error:
                said = f"no execution environment for {name}: {error or 'the runtime ended'}"
                said += f" (see {self.world.directory / 'lambda-runtime.log'})"
                return None, dead("Runtime.ExitError", said)
            with self._lock:
                self._busy.add(environment)
        self.calls.name(environment.key, name)
        return environment, environment.ready()

    def _give_back(self, function: Any, environment: Environment | None, *, keep: bool) -> None:
        if environment is None:
            return
        with self._lock:
            self._busy.discard(environment)
            keep = keep and not self.world.stopping.is_set()
            if keep:
                self._idle.setdefault(function.function_name, []).append(environment)
        if not keep:
            environment.end()

    def _say(self, function: Any, seconds: float, answer: Answer) -> None:
        name, ms = function.function_name, round(seconds * 1000, 1)
        error = json.loads(answer.payload) if answer.failed else {}
        said = f"{name} {ms:.0f} ms"
        if error:
            said += f", {error['errorType']}: {error['errorMessage']}"
        kind = error.get("errorType", "")
        self.world.events.say("lambda", said, function=name, ms=ms, error=kind)

    def _fork(self, connection: int, log: int) -> None:
        """Have the runtime fork an environment on this connection."""
        socket.send_fds(self._control, [b"fork"], [connection, log])


def _unavailable(said: str) -> Exception:
    """What the API answers while Lambda itself fails."""
    from moto.core.exceptions import JsonRESTError

    error = JsonRESTError("ServiceException", said)
    error.code = 500
    return error


def _report(
    function: Any, environment: Environment, request: str, seconds: float, answer: Answer
) -> str:
    """Write the invocation's lines to CloudWatch Logs; they are there before its answer."""
    ms = seconds * 1000
    lines = [
        f"START RequestId: {request} Version: $LATEST",
        *environment.written(),
        *([answer.dead] if answer.dead else []),
        f"END RequestId: {request}",
        f"REPORT RequestId: {request}\tDuration: {ms:.2f} ms\tBilled Duration: {int(ms) + 1} ms"
        f"\tMemory Size: {function.memory_size} MB\tMax Memory Used: {answer.peak_mb} MB",
    ]
    logs = function.logs_backend
    logs.ensure_log_group(environment.group)
    logs.ensure_log_stream(environment.group, environment.stream)
    now = int(time.time() * 1000)
    events = [{"timestamp": now, "message": line} for line in lines]
    logs.put_log_events(environment.group, environment.stream, events)
    return "\n".join(lines)
