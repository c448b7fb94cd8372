"""The embedded AWS: moto's server on the rehearsal's own address, with the engines that move it."""

from __future__ import annotations

import functools
import io
import logging
import os
import socket
import threading
import traceback
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol

from quorumshift.rehearsal.aws.builds import BuildsEngine
from quorumshift.rehearsal.aws.calls import (
    Calls,
    error_code,
    iam_action,
    operation,
    signature,
)
from quorumshift.rehearsal.aws.cloudformation import CloudFormationEngine
from quorumshift.rehearsal.aws.events import EventsEngine
from quorumshift.rehearsal.aws.lambdas import LambdaEngine
from quorumshift.rehearsal.aws.loud import (
    BROKEN,
    MISSING,
    Answer,
    LoudEngine,
    Refused,
    missing,
    refuse,
)
from quorumshift.rehearsal.aws.notifications import NotificationsEngine
from quorumshift.rehearsal.aws.outage import Outage
from quorumshift.rehearsal.aws.permissions import DENIED, needed, refusal
from quorumshift.rehearsal.aws.quick import import_moto
from quorumshift.rehearsal.aws.scaling_tags import ScalingTagsEngine
from quorumshift.rehearsal.aws.schedules import SchedulesEngine
from quorumshift.rehearsal.aws.step_functions import StepFunctionsEngine
from quorumshift.rehearsal.world import AWS_PORT, REGION, World

_log = logging.getLogger("quorumshift.rehearsal.aws")


class Engine(Protocol):
    """A part that makes moto's dead records move."""

    def install(self) -> None:
        """Replace what has to be replaced in moto; once a process, before the server starts."""

    def start(self) -> None:
        """Start threads and children; the server is up."""

    def stop(self) -> None:
        """End them."""


class EmbeddedAws:
    """moto and ``engines``, listening on ``world.endpoint``. One a process: moto's state is global.

    ``calls`` records every API call; ``builds`` knows the commits that can be built; ``outage`` has
    it answer no function for a while.
    """

    def __init__(self, world: World, engines: Sequence[Engine] = ()) -> None:
        self.world = world
        self.calls = Calls()
        self.lambdas = LambdaEngine(world, self.calls)
        self.builds = BuildsEngine(world)
        self.schedules = SchedulesEngine(world)
        self.outage = Outage(world)
        self.engines: list[Engine] = [
            self.lambdas,
            StepFunctionsEngine(world, self.lambdas),
            EventsEngine(world),
            self.schedules,
            self.builds,
            NotificationsEngine(world),
            CloudFormationEngine(world),
            ScalingTagsEngine(),
            LoudEngine(),
            *engines,
        ]
        self._server: Any = None
        self._started: list[Engine] = []

    def start(self) -> None:
        """Come up. Raises ``RuntimeError`` when the port is taken."""
        with _listen(self.world.block.aws, AWS_PORT) as listening:
            self._settings()
            import_moto()
            for engine in self.engines:
                engine.install()
            self._server = _server(listening, Gate(self.world, self.calls, self.outage))
        threading.Thread(
            target=self._server.serve_forever, args=(0.05,), name="aws", daemon=True
        ).start()
        for engine in self.engines:
            engine.start()
            self._started.append(engine)

    def stop(self) -> None:
        """Stop the engines, the last one first, then the server; the port is free afterwards."""
        self.world.stopping.set()
        while self._started:
            self._started.pop().stop()
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def _settings(self) -> None:
        os.environ["MOTO_PORT"] = str(AWS_PORT)
        os.environ.setdefault("AWS_DEFAULT_REGION", REGION)
        handler = logging.FileHandler(self.world.directory / "aws.log")
        for name in ("werkzeug", "moto", "quorumshift.rehearsal.aws"):
            logger = logging.getLogger(name)
            logger.handlers = [handler]
            logger.propagate = False
            logger.setLevel(logging.WARNING)


class Gate:
    """The WSGI application around moto: records each call, refuses what a function's role does not
    grant, and is loud where moto would not be."""

    def __init__(self, world: World, calls: Calls, outage: Outage) -> None:
        self._moto = _dispatcher()
        self._world = world
        self._calls = calls
        self._outage = outage

    def __call__(self, environ: dict[str, Any], start_response: Any) -> list[bytes]:
        body = environ["wsgi.input"].getvalue()
        signed = signature(environ)
        name, caller = operation(environ, body, signed.signed), self._calls.caller(signed.key)
        status, headers, answer = self._answer(environ, body, signed.service, name, caller)
        lower = {key.lower(): value for key, value in headers}
        self._calls.add(signed.service, name, caller, error_code(status, lower, answer))
        start_response(f"{status} -", headers)
        return [answer]

    def _answer(
        self, environ: dict[str, Any], body: bytes, service: str, name: str, caller: str
    ) -> Answer:
        if (nothing := self._outage.answer(caller)) is not None:
            return nothing
        try:
            for action in needed(iam_action(service, name), body) if caller else ():
                if why := refusal(caller, action):
                    self._world.events.say("error", why, service=service, operation=name)
                    return refuse(environ, service, DENIED, why)
            status, headers, answer = _run(self._moto, environ)
        except NotImplementedError as error:
            return self._missing(environ, service, name, str(error))
        except Refused as error:
            return refuse(environ, service, error.code, str(error))
        except Exception as error:  # noqa: BLE001 # whatever moto raises must become an answer
            _log.error("%s:%s\n%s", service, name, traceback.format_exc())
            said = f"{service}:{name} broke the embedded AWS: {type(error).__name__}: {error}"
            said += f" (traceback: {self._world.directory / 'aws.log'})"
            self._world.events.say("error", said, service=service, operation=name)
            return refuse(environ, service, BROKEN, said)
        if status == 404 and service != "s3" and _has_no_code(answer):
            return self._missing(environ, service, name, "no such path")
        return status, headers, answer

    def _missing(self, environ: dict[str, Any], service: str, name: str, why: str) -> Answer:
        said = missing(service, name, why)
        self._world.events.say("error", said, service=service, operation=name)
        return refuse(environ, service, MISSING, said)


def _dispatcher() -> Callable[..., Iterable[bytes]]:
    """moto's own, which lists moto's folder for each request; this one does so once a host."""
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

    class Dispatcher(DomainDispatcherApplication):
        @functools.cache  # noqa: B019 # there is one of these, and it lives as long as the process
        def get_backend_for_host(self, host: str | None) -> Any:
            return super().get_backend_for_host(host)

    return Dispatcher(create_backend_app)


def _has_no_code(body: bytes) -> bool:
    """moto's services say what they did not find; its routing answers a page, or nothing."""
    return not body or b"<!doctype html>" in body[:100].lower()


def _run(app: Callable[..., Iterable[bytes]], environ: dict[str, Any]) -> Answer:
    head: list[Any] = []

    def start_response(status: str, headers: list[tuple[str, str]], _: Any = None) -> Any:
        head[:] = [int(status.split()[0]), headers]

    chunks = app(environ, start_response)
    try:
        body = b"".join(chunks)
    finally:
        if hasattr(chunks, "close"):
            chunks.close()
    return head[0], head[1], body


def _listen(address: str, port: int) -> socket.socket:
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((address, port))
    except OSError as error:
        listening.close()
        raise RuntimeError(
            f"the embedded AWS cannot listen on {address}:{port}: {error.strerror}."
            f" Find who does with `ss -ltnp 'sport = :{port}'` and end it."
        ) from error
    listening.listen(128)
    return listening


def _server(listening: socket.socket, app: Gate) -> Any:
    from werkzeug.serving import make_server

    address, port = listening.getsockname()
    server = make_server(
        address,
        port,
        app,
        threaded=True,
        request_handler=_handler(),
        fd=listening.fileno(),
    )
    server.daemon_threads = True  # type: ignore[attr-defined] # of the threading mix-in
    return server


def _handler() -> type[Any]:
    """werkzeug closes every connection after one answer, because it does not read what a handler
    left unread. This one reads the whole request first, and so can keep connections."""
    from moto.moto_server.werkzeug_app import MotoRequestHandler

    class Handler(MotoRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True
        wbufsize = 1 << 16

        def handle_expect_100(self) -> bool:
            proceed = bool(super().handle_expect_100())
            self.wfile.flush()
            return proceed

        def run_wsgi(self) -> None:
            self.environ = environ = self.make_environ()
            environ["wsgi.input"] = io.BytesIO(self._whole(environ))
            status, headers, body = _run(self.server.app, environ)
            self.send_response(status)
            for name, value in headers:
                if name.lower() != "content-length" or self.command == "HEAD":
                    self.send_header(name, value)
            if self.command != "HEAD":
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)
            self.wfile.flush()

        def _whole(self, environ: dict[str, Any]) -> bytes:
            if environ.get("wsgi.input_terminated"):
                body = bytes(environ["wsgi.input"].read())
                environ.pop("HTTP_TRANSFER_ENCODING", None)
                environ["CONTENT_LENGTH"] = str(len(body))
                return body
            return bytes(self.rfile.read(int(environ.get("CONTENT_LENGTH") or 0)))

        def log_request(self, code: Any = "-", size: Any = "-") -> None:
            """The record of calls has it."""

    return Handler
