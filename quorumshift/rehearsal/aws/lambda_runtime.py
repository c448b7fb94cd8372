"""The process that functions run in: ``python -m quorumshift.rehearsal.aws.lambda_runtime``.

A zygote: it imports what every function needs (botocore and the models of the services used),
then forks one execution environment for each socket that it is handed. An environment runs one
invocation at a time, stays warm, and sees what a function sees on Lambda: its own variables, its
own code and the runtime's botocore, nothing of the checkout that this file lies in.

On standard input: a socket whose messages carry two descriptors, an environment's connection and
its log. On a connection: frames (see :func:`send`), first the specification from the engine,
``{"pid"}`` back, ``{"ready"}`` or ``{"failed"}`` once the code is imported, then invocations
``{"id", "event", "seconds"}`` answered by ``{"payload", "failed", "peakMb"}``.
"""

from __future__ import annotations

import gc
import importlib
import json
import logging
import os
import resource
import signal
import socket
import struct
import sys
import time
import traceback
from collections.abc import Callable
from typing import Any

from quorumshift.rehearsal.aws.quick import read_models_once
from quorumshift.rehearsal.processes import die_with_parent

_LENGTH = struct.Struct("!I")

WARM = (
    "application-autoscaling",
    "cloudwatch",
    "codebuild",
    "codedeploy",
    "ecr",
    "ecs",
    "elbv2",
    "logs",
    "sns",
    "stepfunctions",
)
"""Services whose models are read once, here, instead of in every environment."""

_RUNTIME_FRAMES = frozenset(
    {
        *(__file__, importlib.__file__),
        *("<frozen importlib._bootstrap>", "<frozen importlib._bootstrap_external>"),
    }
)
"""Files whose frames are not the function's."""

Handler = Callable[[Any, "Context"], Any]


def send(connection: socket.socket, message: dict[str, Any]) -> None:
    """Send one frame: four bytes of length, then JSON."""
    body = json.dumps(message).encode()
    connection.sendall(_LENGTH.pack(len(body)) + body)


def receive(connection: socket.socket) -> dict[str, Any] | None:
    """The next frame; ``None`` when the other side is gone."""
    head = _exactly(connection, _LENGTH.size)
    if head is None:
        return None
    body = _exactly(connection, _LENGTH.unpack(head)[0])
    return None if body is None else dict(json.loads(body))


def _exactly(connection: socket.socket, size: int) -> bytes | None:
    parts: list[bytes] = []
    while size:
        part = connection.recv(min(size, 1 << 20))
        if not part:
            return None
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


class Context:
    """What a handler gets as its second argument, as Lambda's Python runtime has it."""

    def __init__(self, specification: dict[str, Any], request: str, seconds: float) -> None:
        self.function_name: str = specification["name"]
        self.function_version = "$LATEST"
        self.invoked_function_arn: str = specification["arn"]
        self.memory_limit_in_mb = str(specification["memoryMb"])
        self.log_group_name: str = specification["variables"]["AWS_LAMBDA_LOG_GROUP_NAME"]
        self.log_stream_name: str = specification["variables"]["AWS_LAMBDA_LOG_STREAM_NAME"]
        self.aws_request_id = request
        self.identity = None
        self.client_context = None
        self._deadline = time.monotonic() + seconds

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until the invocation is ended."""
        return max(0, int((self._deadline - time.monotonic()) * 1000))


def main() -> None:
    """Warm up, then fork an environment for every message, until the engine is gone."""
    die_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the rehearsal, which ends us
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for environments
    control = socket.socket(fileno=os.dup(0))
    _warm_up()
    gc.collect()
    gc.freeze()  # what all environments share stays shared
    while True:
        message, descriptors, _, _ = socket.recv_fds(control, 16, 2)
        if not message:
            return
        zygote = os.getpid()
        if os.fork() == 0:
            _environment(zygote, control, *descriptors)
        for descriptor in descriptors:
            os.close(descriptor)


def _warm_up() -> None:
    import botocore.session

    read_models_once()
    session = botocore.session.Session()
    for service in WARM:
        session.create_client(
            service,
            region_name="us-east-1",
            endpoint_url="http://127.0.0.1:1",
            aws_access_key_id="warm-up",
            aws_secret_access_key="warm-up",
        )


def _environment(zygote: int, control: socket.socket, connection: int, log: int) -> None:
    """The child's whole life. It must never return into the zygote's loop."""
    try:
        os.environ["QUORUMSHIFT_PARENT"] = str(zygote)
        die_with_parent()
        control.close()
        null = os.open(os.devnull, os.O_RDONLY)
        for source, target in ((null, 0), (log, 1), (log, 2)):
            os.dup2(source, target)
        os.close(null)
        os.close(log)
        _live(socket.socket(fileno=connection))
    except SystemExit as end:
        sys.stdout.flush()
        os._exit(end.code if isinstance(end.code, int) else 1)
    except BaseException:  # noqa: BLE001 # the last frame of a process: tell, then end
        traceback.print_exc()
        sys.stderr.flush()
        os._exit(1)
    os._exit(0)


def _live(connection: socket.socket) -> None:
    specification = receive(connection)
    if specification is None:
        return
    send(connection, {"pid": os.getpid()})
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    _become(specification)
    try:
        handler = _load(specification["handler"])
    except _InitError as error:
        send(connection, {"failed": error.answer})
        return
    send(connection, {"ready": True})
    while (invocation := receive(connection)) is not None:
        context = Context(specification, invocation["id"], invocation["seconds"])
        _LogRecords.request = invocation["id"]
        payload, failed = _invoke(handler, invocation["event"], context)
        sys.stdout.flush()
        sys.stderr.flush()
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        send(connection, {"payload": payload, "failed": failed, "peakMb": peak})


def _become(specification: dict[str, Any]) -> None:
    """Take on the function's variables and code; forget the checkout."""
    os.environ.clear()
    os.environ.update(specification["variables"])
    time.tzset()
    for name in [name for name in sys.modules if name.partition(".")[0] == "quorumshift"]:
        del sys.modules[name]
    ours = (os.path.realpath(sys.prefix), os.path.realpath(sys.base_prefix))
    runtime = [path for path in sys.path if path and os.path.realpath(path).startswith(ours)]
    sys.path[:] = [specification["code"], *runtime]
    sys.path_importer_cache.clear()
    importlib.invalidate_caches()
    os.chdir(specification["code"])
    logging.basicConfig(handlers=[_LogRecords()], format="%(message)s", force=True)
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr] # a text file here


class _LogRecords(logging.Handler):
    """The root logger's handler, in the format of Lambda's Python runtime."""

    request = ""

    def emit(self, record: logging.LogRecord) -> None:
        at = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        head = f"[{record.levelname}]\t{at}.{int(record.msecs):03d}Z\t{self.request}\t"
        sys.stdout.write(f"{head}{self.format(record)}\n")


class _InitError(Exception):
    def __init__(self, answer: dict[str, Any]) -> None:
        super().__init__(answer["errorMessage"])
        self.answer = answer


def _load(name: str) -> Handler:
    module, _, function = name.replace("/", ".").rpartition(".")
    try:
        loaded = importlib.import_module(module)
    except ImportError as error:
        traceback.print_exc()
        said = f"Unable to import module '{module}': {error}"
        raise _InitError({"errorMessage": said, "errorType": "Runtime.ImportModuleError"}) from None
    except Exception as error:  # noqa: BLE001 # a function's own fault, whatever it is
        raise _InitError(_failure(error, "")) from None
    handler = getattr(loaded, function, None)
    if handler is None:
        said = f"Handler '{function}' missing on module '{module}'"
        raise _InitError({"errorMessage": said, "errorType": "Runtime.HandlerNotFound"})
    return handler  # type: ignore[no-any-return] # whatever the module calls its handler


def _invoke(handler: Handler, event: Any, context: Context) -> tuple[str, bool]:
    """The answer's JSON, and whether it tells of an error."""
    try:
        result = handler(event, context)
    except Exception as error:  # noqa: BLE001 # a function's own fault, whatever it is
        return json.dumps(_failure(error, context.aws_request_id)), True
    try:
        return json.dumps(result), False
    except (TypeError, ValueError) as error:
        said = f"Unable to marshal response: {error}"
        answer = {"errorMessage": said, "errorType": "Runtime.MarshalError"}
        return json.dumps({**answer, "requestId": context.aws_request_id}), True


def _failure(error: Exception, request: str) -> dict[str, Any]:
    kind = type(error).__name__
    frames = traceback.extract_tb(error.__traceback__)
    while frames and frames[0].filename in _RUNTIME_FRAMES:
        frames.pop(0)
    stack = traceback.format_list(frames)
    print(f"[ERROR] {kind}: {error}\nTraceback (most recent call last):\n" + "".join(stack))
    answer = {"errorMessage": str(error), "errorType": kind, "stackTrace": stack}
    return {**answer, "requestId": request} if request else answer


if __name__ == "__main__":
    main()
