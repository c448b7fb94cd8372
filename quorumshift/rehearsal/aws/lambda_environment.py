"""One execution environment of a function, seen from the engine's side."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import signal
import socket
import string
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from quorumshift.rehearsal.aws.lambda_runtime import receive, send
from quorumshift.rehearsal.world import REGION

INIT_SECONDS = 10.0
"""How long a function may take to import its code (Lambda: 10 s)."""
FORK_SECONDS = 60.0
"""How long the runtime may take to warm up and fork; far more than it needs."""
_KEY_LETTERS = string.ascii_uppercase + string.digits


@dataclass(frozen=True, slots=True)
class Outcome:
    """``payload``: JSON, the result or ``{"errorMessage", "errorType", …}`` when ``failed``.
    ``log``: what the function wrote, with Lambda's own lines around it. ``in_lambda``: it is Lambda
    that failed; the function may have run or not."""

    payload: str
    failed: bool
    log: str
    in_lambda: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """What one invocation came to. ``dead``: the environment must not be used again, with the line
    that the log gets for it."""

    payload: str
    failed: bool = False
    peak_mb: int = 0
    dead: str | None = None


def dead(kind: str, said: str) -> Answer:
    """The answer for an environment that ended before it gave one."""
    payload = json.dumps({"errorMessage": said, "errorType": kind})
    return Answer(payload, failed=True, dead=said)


def failed_in_lambda(kind: str, said: str) -> Outcome:
    """The outcome of an invocation whose answer Lambda, or the way to it, lost. ``kind``: the
    error's name as Step Functions has it, such as ``Lambda.ServiceException``."""
    payload = json.dumps({"errorMessage": said, "errorType": kind})
    return Outcome(payload, failed=True, log="", in_lambda=True)


class Died(Exception):
    """The environment's process ended, or was ended, before it answered."""


def identity(function: Any) -> tuple[str, ...]:
    """What an environment is made from: another identity needs another environment."""
    return (
        str(function.code_sha_256),
        str(function.handler),
        json.dumps(function.environment_vars, sort_keys=True),
    )


class Environment:
    """One process of one function; it runs one invocation at a time and stays warm.

    ``name``: the function's. ``key``: the access key id that it signs its calls with. ``killed``:
    whether its process was told to end. Raises :class:`Died` when the runtime could not fork it,
    ``OSError`` when the runtime is gone.
    """

    def __init__(
        self,
        function: Any,
        code: Path,
        log: Path,
        endpoint: str,
        fork: Callable[[int, int], None],
    ) -> None:
        self.name: str = function.function_name
        self.identity = identity(function)
        self.group = f"/aws/lambda/{function.function_name}"
        self.stream = f"{time.strftime('%Y/%m/%d')}/[$LATEST]{uuid.uuid4().hex}"
        self.key = "ASIA" + "".join(secrets.choice(_KEY_LETTERS) for _ in range(16))
        self.killed = False
        self._pidfd = -1
        self.connection, theirs = socket.socketpair()
        path = log / f"{function.function_name}.{self.stream[-8:]}.log"
        with theirs, path.open("ab") as sink:
            fork(theirs.fileno(), sink.fileno())
        self._log = path.open("rb", buffering=0)
        self.connection.settimeout(FORK_SECONDS)
        send(self.connection, self._specification(function, code, endpoint))
        try:
            self._pidfd = os.pidfd_open(self._receive()["pid"])
        except ProcessLookupError as error:
            raise Died from error

    def _specification(self, function: Any, code: Path, endpoint: str) -> dict[str, Any]:
        return {
            "name": function.function_name,
            "arn": function.function_arn,
            "handler": function.handler,
            "memoryMb": int(function.memory_size),
            "code": str(code),
            "variables": {
                **_variables(function, code),
                "AWS_ACCESS_KEY_ID": self.key,
                "AWS_ENDPOINT_URL": endpoint,
                "AWS_LAMBDA_LOG_GROUP_NAME": self.group,
                "AWS_LAMBDA_LOG_STREAM_NAME": self.stream,
                **{name: str(value) for name, value in function.environment_vars.items()},
            },
        }

    def ready(self) -> Answer | None:
        """Wait until the code is imported; the error's answer if it could not be."""
        self.connection.settimeout(INIT_SECONDS)
        try:
            failed = self._receive().get("failed")
        except TimeoutError:
            said = f"Error: the code was not imported within {INIT_SECONDS:.0f} seconds"
            return dead("Sandbox.Timedout", said)
        except Died:
            return dead("Runtime.ExitError", "Error: Runtime exited without providing a reason")
        return None if failed is None else Answer(json.dumps(failed), failed=True, dead="")

    def run(self, request: str, event: Any, seconds: float) -> Answer:
        """One invocation, ended after ``seconds``."""
        self.connection.settimeout(seconds)
        try:
            send(self.connection, {"id": request, "event": event, "seconds": seconds})
            answer = self._receive()
        except TimeoutError:
            said = f"RequestId: {request} Error: Task timed out after {seconds:.2f} seconds"
            return dead("Sandbox.Timedout", said)
        except (Died, OSError):
            said = f"RequestId: {request} Error: Runtime exited without providing a reason"
            return dead("Runtime.ExitError", said)
        return Answer(answer["payload"], answer["failed"], answer["peakMb"])

    def _receive(self) -> Mapping[str, Any]:
        try:
            answer = receive(self.connection)
        except ConnectionError as error:
            raise Died from error
        if answer is None:
            raise Died
        return answer

    def written(self) -> list[str]:
        """The lines that the function has written since this was last asked."""
        return self._log.read().decode("utf-8", "replace").splitlines()

    def kill(self) -> None:
        """End the process, whatever it is doing; who waits for its answer sees that it died."""
        self.killed = True
        if self._pidfd >= 0:
            with contextlib.suppress(ProcessLookupError):  # it has ended by itself
                signal.pidfd_send_signal(self._pidfd, signal.SIGKILL)

    def end(self) -> None:
        """Kill, and forget. Only for who holds the environment."""
        self.kill()
        if self._pidfd >= 0:
            os.close(self._pidfd)
            self._pidfd = -1
        self.connection.close()
        self._log.close()


def _variables(function: Any, code: Path) -> dict[str, str]:
    """What Lambda sets."""
    return {
        "_HANDLER": str(function.handler),
        "AWS_DEFAULT_REGION": REGION,
        "AWS_EXECUTION_ENV": f"AWS_Lambda_{function.run_time}",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory_size),
        "AWS_LAMBDA_FUNCTION_NAME": str(function.function_name),
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_REGION": REGION,
        "AWS_SECRET_ACCESS_KEY": "rehearsal",
        "AWS_SESSION_TOKEN": "rehearsal",
        # On Lambda there is no home, and so no developer's ~/.aws to read.
        "HOME": str(code / "no-home"),
        "LAMBDA_TASK_ROOT": str(code),
        "LANG": "en_US.UTF-8",
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "TZ": ":UTC",
    }
