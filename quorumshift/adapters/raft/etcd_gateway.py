"""One call to one etcd node, through the JSON gateway that etcd serves beside gRPC under ``/v3/``.

A node is never trusted to be an etcd: whatever listens on the port may refuse, stay silent, drip
bytes or send something else. Each of these ends in :class:`NotSent` or :class:`NoReply` before the
deadline, and in nothing else.
"""

from __future__ import annotations

import contextlib
import http.client
import io
import json
import socket
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

_MOST_BYTES = 1 << 20
"""More than any answer of ours holds: a member takes about 150 bytes."""

_MOST_TEXT = 160


class NotSent(Exception):
    """No connection: the node certainly did not get the request."""


class NoReply(Exception):
    """The request may have reached the node, but no usable answer came back."""


class Closed(NoReply):
    """The connection was closed without an answer."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a node answered. ``status``: of HTTP. ``body``: the JSON object."""

    status: int
    body: Mapping[str, Any]

    @property
    def ok(self) -> bool:
        """The node did what it was asked."""
        return self.status == http.client.OK

    @property
    def message(self) -> str:
        """etcd's error text, shortened; empty when there is none."""
        return str(self.body.get("message") or self.body.get("error") or "")[:_MOST_TEXT]

    def __str__(self) -> str:
        return f"{self.status} {self.message!r}"


def post(address: str, port: int, path: str, body: Mapping[str, object], seconds: float) -> Answer:
    """Send one request and read its answer, all within ``seconds``.

    Raises :class:`NotSent` or :class:`NoReply`, with a reason that a person can read.
    """
    deadline = time.monotonic() + seconds
    try:
        connection = http.client.HTTPConnection(address, port, timeout=seconds)
        connection.connect()
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise NotSent(f"no connection to port {port} ({_reason(error)})") from None
    with contextlib.closing(connection):
        try:
            return _exchange(connection, path, body, deadline)
        except (OSError, http.client.HTTPException, ValueError, RecursionError) as error:
            kind = Closed if isinstance(error, ConnectionError) else NoReply
            raise kind(f"no usable answer on port {port} ({_reason(error)})") from None


def speaks_tls(address: str, port: int, seconds: float) -> bool:
    """Whether what listens there answers a TLS handshake. Nothing is sent after it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE  # whom it is does not matter: nothing is told to it
    try:
        with (
            socket.create_connection((address, port), timeout=seconds) as connection,
            context.wrap_socket(connection),
        ):
            return True
    except ssl.SSLError as error:  # a TLS alert is an answer in TLS, too
        return "ALERT" in (error.reason or "")
    except (OSError, ValueError):
        return False


def _exchange(
    connection: http.client.HTTPConnection,
    path: str,
    body: Mapping[str, object],
    deadline: float,
) -> Answer:
    connection.sock.settimeout(_left(deadline))
    connection.request(
        "POST", path, json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    wire = cast(socket.socket, _Wire(connection.sock, deadline))
    response = http.client.HTTPResponse(wire, method="POST")
    try:
        response.begin()
        text = response.read(_MOST_BYTES)
    finally:
        response.close()
    try:
        parsed = json.loads(text)
    except ValueError:
        raise ValueError(f"HTTP {response.status}, and not JSON: not an etcd?") from None
    if not isinstance(parsed, dict):
        raise ValueError(f"HTTP {response.status}, and no JSON object: not an etcd?")
    return Answer(response.status, parsed)


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError("timed out")
    return left


def _reason(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.lower()
    return str(error)[:_MOST_TEXT] or type(error).__name__


class _Wire:
    """What ``HTTPResponse`` needs of a socket, with one deadline over the whole answer.

    A socket's own time-out starts again with every byte that drips in.
    """

    def __init__(self, sock: socket.socket, deadline: float) -> None:
        self._sock = sock
        self._deadline = deadline

    def makefile(self, mode: str) -> io.BufferedReader:
        """A reader over the socket (``mode`` is always ``rb`` here)."""
        return io.BufferedReader(_Bytes(self._sock, self._deadline))


class _Bytes(io.RawIOBase):
    def __init__(self, sock: socket.socket, deadline: float) -> None:
        self._sock = sock
        self._deadline = deadline

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._sock.settimeout(_left(self._deadline))
        return self._sock.recv_into(buffer)
