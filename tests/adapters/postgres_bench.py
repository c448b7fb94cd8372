"""What tests need around a real PostgreSQL: rows, roles, and what may stand in its place."""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pg8000.native

from quorumshift.adapters.aws.database_secret import Credentials
from quorumshift.adapters.discovery.postgres import PostgresRegistry
from quorumshift.rehearsal.database import Database
from quorumshift.rehearsal.database_authority import ca_file
from tests.adapters import wire

REGION = "us-east-1"
PORT = 50051


class Table:
    """The table ``servers``, for its owner and for the superuser."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.credentials = Credentials(**database.secret())  # type: ignore[arg-type] # its keys
        self._superuser = connect(Credentials(**database.administrator()))  # type: ignore[arg-type] # its keys

    def run(self, sql: str, **values: Any) -> list[list[Any]]:
        """As the superuser."""
        return list(self._superuser.run(sql, **values) or ())

    def add(
        self,
        ip_address: str | None,
        *,
        age: float | None = 1,
        region: str = REGION,
        status: str | None = "active",
        grpc_port: int | None = PORT,
        grpc_address: str | None = None,
    ) -> str:
        """A row, and its id. ``age``: of its heartbeat by the database's clock, in seconds."""
        rows = self.run(
            "INSERT INTO servers (ip_address, grpc_port, grpc_address, last_heartbeat, region, "
            "status) VALUES (:ip, :port, :grpc, (now() AT TIME ZONE 'utc') - "
            "CAST(:age AS double precision) * interval '1 second', :region, :status) RETURNING id",
            ip=ip_address,
            port=grpc_port,
            grpc=grpc_address,
            age=age,
            region=region,
            status=status,
        )
        return str(rows[0][0])

    def close(self) -> None:
        """End the superuser's connection."""
        self._superuser.close()


def connect(credentials: Credentials) -> pg8000.native.Connection:
    """A connection that is verified."""
    return pg8000.native.Connection(
        credentials.username,
        host=credentials.host,
        port=credentials.port,
        database=credentials.dbname,
        password=credentials.password,
        ssl_context=ssl.create_default_context(cafile=ca_file()),
    )


class Secret:
    """What the secret says, one reading after another; the last for ever."""

    def __init__(self, *readings: Credentials) -> None:
        self._readings = readings
        self.reads = 0

    def __call__(self) -> Credentials:
        self.reads += 1
        return self._readings[min(self.reads, len(self._readings)) - 1]


def registry(
    secret: Credentials | Secret,
    *,
    region: str = REGION,
    tls: str = "verify-full",
    ca: Path | None = None,
    timeout: float = 2.0,
    **changed: Any,
) -> PostgresRegistry:
    """What is tested. ``changed``: of the secret."""
    if isinstance(secret, Credentials):
        secret = Secret(replace(secret, **changed))
    return PostgresRegistry(
        secret, region=region, port=PORT, tls=tls, ca_file=ca or ca_file(), timeout=timeout
    )


def forwarding(to: Credentials) -> Callable[[socket.socket], None]:
    """Pass everything on to the database."""

    def pump(one: socket.socket, other: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := one.recv(1 << 16):
                other.sendall(data)
        with contextlib.suppress(OSError):
            other.shutdown(socket.SHUT_WR)

    def talk(client: socket.socket) -> None:
        with socket.create_connection((to.host, to.port), 5) as server:
            back = threading.Thread(target=pump, args=(server, client))
            back.start()
            pump(client, server)
            back.join()

    return talk


def saying(*parts: bytes) -> Callable[[socket.socket], None]:
    """Answer each thing that the client says with the next of ``parts``, then listen."""

    def talk(client: socket.socket) -> None:
        for part in parts:
            if not client.recv(1 << 16):
                return
            client.sendall(part)
        while client.recv(1 << 16):
            pass

    return talk


def message(kind: bytes, body: bytes) -> bytes:
    """One message of PostgreSQL's protocol."""
    return kind + struct.pack("!i", 4 + len(body)) + body


def refusal(code: str, text: str) -> bytes:
    """PostgreSQL's ErrorResponse."""
    return message(b"E", f"SFATAL\0VFATAL\0C{code}\0M{text}\0\0".encode())


@contextlib.contextmanager
def instead(
    address: str, talk: Callable[[socket.socket], None], like: Credentials
) -> Iterator[Credentials]:
    """Something else listens at ``address``; credentials that lead there."""
    with wire.listening(address, talk):
        yield replace(like, host=address, port=wire.PORT)
