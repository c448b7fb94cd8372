"""The table ``servers``: who is there, by which id. Every call opens a connection of its own, and
blocks."""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pg8000.native
from pg8000.exceptions import InterfaceError

from quorumshift.rehearsal.snaketron.settings import Settings

RAFT_PORT = 50052
_GRPC_PORT = 50051
_SECONDS = 3.0
"""For a connection, and for each answer."""
_ALIVE_SECONDS = 30
_TLS_REQUEST = struct.pack("!ii", 8, 80877103)

_REGISTER = """
    INSERT INTO servers (ip_address, grpc_port, raft_port, grpc_address, region, status, created_at)
    VALUES (:ip, :grpc_port, :raft_port, :grpc_address, :region, 'active', timezone('utc', now()))
    RETURNING id"""
_BEAT = """
    UPDATE servers SET last_heartbeat = timezone('utc', now()), status = :status
    WHERE id = CAST(:id AS integer)"""
_MARK = "UPDATE servers SET status = :status WHERE id = CAST(:id AS integer)"
_READ = """
    SELECT id, ip_address, grpc_address,
           coalesce(last_heartbeat > timezone('utc', now()) - make_interval(secs => :alive), false)
    FROM servers WHERE ip_address IS NOT NULL ORDER BY id"""


class Unreachable(Exception):
    """The database did not do what it was asked; the message says why."""


@dataclass(frozen=True, slots=True)
class Row:
    """A server. ``raft_id``: decimal. ``grpc_address``: ``host:port``. ``alive``: its last
    heartbeat is young."""

    raft_id: str
    address: str
    grpc_address: str
    alive: bool


class Table:
    """A client of the table; safe to use from several threads.

    With a CA the connection is verified TLS or there is none. Without one TLS is used where the
    server offers it, verified by the system's own authorities, and a server that offers none is
    spoken to in the clear. A certificate that does not verify is never accepted.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._tls = ssl.create_default_context(cafile=settings.database.ca)

    def register(self) -> str:
        """Add our row, and return its id. Raises :class:`Unreachable`, as the others do."""
        with self._connected() as connection:
            told = connection.run(
                _REGISTER,
                ip=self._settings.node.address,
                grpc_port=self._settings.grpc_port,
                raft_port=RAFT_PORT,
                grpc_address=self._settings.grpc_address,
                region=self._settings.region,
            )
        return str(told[0][0])

    def beat(self, raft_id: str, status: str) -> tuple[Row, ...]:
        """Say that we are there; all rows, the oldest first."""
        with self._connected() as connection:
            connection.run(_BEAT, id=raft_id, status=status)
            return _rows(connection)

    def mark(self, raft_id: str, status: str) -> None:
        """Change our status alone."""
        with self._connected() as connection:
            connection.run(_MARK, id=raft_id, status=status)

    def rows(self) -> tuple[Row, ...]:
        """All rows that have an address, the oldest first."""
        with self._connected() as connection:
            return _rows(connection)

    @contextlib.contextmanager
    def _connected(self) -> Iterator[Any]:
        where = self._settings.database
        try:
            with contextlib.closing(self._open()) as connection:
                yield connection
        except Exception as error:  # pg8000 raises anything when a server breaks off
            raise Unreachable(
                f"database {where.name} at {where.host}:{where.port}: {_reason(error)}"
            ) from error

    def _open(self) -> Any:
        where = self._settings.database
        wire = self._secure(socket.create_connection((where.host, where.port), _SECONDS))
        try:
            return pg8000.native.Connection(
                user=where.user,
                database=where.name,
                password=where.password,
                sock=wire,
                ssl_context=False,  # done
            )
        except BaseException:
            wire.close()
            raise

    def _secure(self, wire: socket.socket) -> socket.socket:
        """PostgreSQL's documentation, "Message Flow": SSL session encryption. pg8000 does not tell
        a server without TLS from one that hangs up."""
        try:
            wire.sendall(_TLS_REQUEST)
            answer = wire.recv(1)
            if answer == b"S":
                return self._tls.wrap_socket(wire, server_hostname=self._settings.database.host)
            if answer == b"N" and self._settings.database.ca is None:
                return wire
            raise OSError("it offers no TLS" if answer == b"N" else "it hung up")
        except OSError:
            wire.close()
            raise


def _rows(connection: Any) -> tuple[Row, ...]:
    return tuple(
        Row(str(raft_id), address, grpc_address or f"{address}:{_GRPC_PORT}", alive)
        for raft_id, address, grpc_address, alive in connection.run(_READ, alive=_ALIVE_SECONDS)
    )


def _reason(error: Exception) -> str:
    """PostgreSQL's own words; pg8000 gives them as a dictionary."""
    said = error.args[0] if error.args else None
    if isinstance(said, dict):
        return str(said.get("M", said))
    if isinstance(error, InterfaceError):
        return str(error.__cause__ or error)
    return str(error) if isinstance(error, OSError) else f"{type(error).__name__}: {error}"
