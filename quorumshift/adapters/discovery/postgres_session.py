"""One short connection to PostgreSQL, with one deadline over all of it.

Whatever listens on the port may refuse, stay silent, drip bytes or be no PostgreSQL. So the socket
is ours, TLS included, and pg8000 reads and writes through it.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
import time
from types import TracebackType
from typing import Any

import pg8000.native

from quorumshift.adapters.aws.database_secret import Credentials

APPLICATION = "quorumshift"
_TLS_WANTED = struct.pack("!ii", 8, 80877103)
"""SSLRequest (PostgreSQL's documentation, "Message Formats")."""
_MOST_BYTES = 1 << 20
"""More than any message to us holds: a row takes about 400 bytes."""
_SERVERS_PART = 0.8
"""Of the time that is left: the server gives up first, and can say so."""


class NoTls(Exception):
    """The server does not speak TLS."""


class NotPostgres(Exception):
    """What listens there is no PostgreSQL."""


class Session:
    """A connection that is signed in, until ``deadline`` (of ``time.monotonic``).

    ``context``: verifies the server; ``None``: no TLS. Making and using one raises ``OSError``,
    pg8000's errors, :class:`NoTls`, :class:`NotPostgres`, and what else pg8000 makes of a server
    that does not keep to the protocol.
    """

    def __init__(
        self, credentials: Credentials, context: ssl.SSLContext | None, deadline: float
    ) -> None:
        self._deadline = deadline
        self._wire = _Wire(_connect(credentials, context, deadline), deadline)
        try:
            self._connection = pg8000.native.Connection(
                credentials.username,
                password=credentials.password,
                database=credentials.dbname,
                sock=self._wire,
                ssl_context=False,
                application_name=APPLICATION,
            )
        except BaseException:
            self._wire.close()
            raise

    def __enter__(self) -> Session:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with contextlib.suppress(pg8000.native.Error):
            self._connection.close()
        self._wire.close()

    def read(self, query: str, **values: str) -> list[list[Any]]:
        """The rows of one query, in a transaction that cannot write and ends with the session. Its
        time zone is UTC, whatever the role's is."""
        milliseconds = max(1, int(_left(self._deadline) * 1000 * _SERVERS_PART))
        self._connection.run(
            "START TRANSACTION READ ONLY; SET LOCAL TIME ZONE 'UTC'; "
            f"SET LOCAL statement_timeout = {milliseconds}"
        )
        return list(self._connection.run(query, **values))


def _connect(
    credentials: Credentials, context: ssl.SSLContext | None, deadline: float
) -> socket.socket:
    connection = socket.create_connection(
        (credentials.host, credentials.port), timeout=_left(deadline)
    )
    try:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection if context is None else _secured(connection, context, credentials.host)
    except BaseException:
        connection.close()
        raise


def _secured(connection: socket.socket, context: ssl.SSLContext, host: str) -> ssl.SSLSocket:
    connection.sendall(_TLS_WANTED)
    match connection.recv(1):
        case b"S":
            return context.wrap_socket(connection, server_hostname=host)
        case b"N":
            raise NoTls
        case b"" | b"E":  # so it ends what it cannot begin, with too many clients for instance
            raise ConnectionResetError("closed before it was secured")
        case other:
            raise NotPostgres(f"it answered with {other!r}")


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


class _Wire:
    """What pg8000 needs of a socket, and of the file it makes of it."""

    def __init__(self, connection: socket.socket, deadline: float) -> None:
        self._connection = connection
        self._deadline = deadline
        self._unsent = bytearray()

    def makefile(self, mode: str) -> _Wire:
        """Itself (``mode`` is always ``rwb`` here)."""
        return self

    def read(self, size: int) -> bytes:
        """Some bytes, at most ``size``; ``OSError`` at the end, unlike a file."""
        if not 0 <= size <= _MOST_BYTES:
            raise NotPostgres(f"it announced a message of {size} bytes")
        if size == 0:
            return b""
        self._connection.settimeout(_left(self._deadline))
        if some := self._connection.recv(size):
            return some
        raise ConnectionResetError("closed by the server")

    def write(self, data: bytes) -> None:
        """Keep until :meth:`flush`."""
        self._unsent += data

    def flush(self) -> None:
        """Send. Not being able to is no error: the server's reason for that is still to be read,
        and reading raises if there is none."""
        with contextlib.suppress(OSError):
            self._connection.settimeout(_left(self._deadline))
            self._connection.sendall(self._unsent)
        self._unsent.clear()

    def close(self) -> None:
        """End the connection."""
        self._connection.close()
