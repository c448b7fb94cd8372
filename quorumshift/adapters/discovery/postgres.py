"""Which nodes are alive, from the table ``servers`` in which SnakeTron's register themselves."""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from quorumshift.adapters.aws.database_secret import Credentials
from quorumshift.adapters.discovery.postgres_errors import SignInRefused, translated
from quorumshift.adapters.discovery.postgres_rows import Row, registered
from quorumshift.adapters.discovery.postgres_session import Session
from quorumshift.domain.errors import InvalidConfiguration, MissingResource
from quorumshift.ports import Registered

VERIFY_FULL = "verify-full"
OFF = "off"

_ALIVE = """
SELECT id, ip_address::text, grpc_port, grpc_address::text, status::text,
       pg_typeof(last_heartbeat)::text
FROM servers
WHERE (region::text = :region OR CAST(:region AS text) = '')
  AND (last_heartbeat > (now() AT TIME ZONE 'utc') - interval '30 seconds'
       OR pg_typeof(last_heartbeat)::text NOT LIKE 'timestamp%')
  AND ip_address IS NOT NULL
  AND status::text IS DISTINCT FROM 'offline'
ORDER BY id
"""
"""The database's clock alone decides. The times of the column are UTC and have no zone; a column
with one (``timestamptz``) means the same, because the session's zone is UTC. One of another type
is told, and not compared. An ``ip_address`` may be text or ``inet``."""


class PostgresRegistry:
    """Implements ``ports.Registry``.

    ``secret``: asked for each question, so that a rotated password is picked up. ``region``: the
    value of the column, empty: any. ``port``: where every node must answer. ``tls``:
    ``verify-full`` or ``off``. ``ca_file``: whom to trust (PEM), ``None``: the system's.
    ``timeout``: seconds for one question, from the connection to the last row; it has a connection
    of its own, and a transaction that cannot write.
    """

    def __init__(
        self,
        secret: Callable[[], Credentials],
        *,
        region: str,
        port: int,
        tls: str,
        ca_file: Path | None,
        timeout: float = 2.0,
    ) -> None:
        if tls not in (VERIFY_FULL, OFF):
            raise InvalidConfiguration(f"database.tls: {tls!r} is neither {VERIFY_FULL} nor {OFF}")
        self._secret = secret
        self._region = region
        self._port = port
        self._tls = tls
        self._ca_file = ca_file
        self._timeout = timeout
        self._made: ssl.SSLContext | None = None

    def servers(self) -> Registered:
        """Who is alive now.

        Raises ``Transient`` when the database cannot answer now, ``MissingResource`` when it
        refuses, and ``InvalidConfiguration`` for a CA file that cannot be used.
        """
        return registered(self._rows(), self._port)

    def _rows(self) -> list[Row]:
        credentials = self._secret()
        try:
            return self._ask(credentials)
        except SignInRefused as refused:
            again = self._secret()  # it may have been rotated in between
            if again == credentials:
                raise MissingResource(str(refused)) from None
        try:
            return self._ask(again)
        except SignInRefused as refused:
            raise MissingResource(str(refused)) from None

    def _ask(self, credentials: Credentials) -> list[Row]:
        context = self._context()
        deadline = time.monotonic() + self._timeout
        try:
            with Session(credentials, context, deadline) as session:
                rows = session.read(_ALIVE, region=self._region)
            return [_believed(row) for row in rows]
        except MissingResource:
            raise
        except Exception as error:  # a stranger's bytes may make anything of pg8000
            raise translated(error, credentials, self._timeout) from error

    def _context(self) -> ssl.SSLContext | None:
        if self._tls == OFF:
            return None
        if self._made is None:
            try:
                self._made = ssl.create_default_context(cafile=self._ca_file)
            except (OSError, ValueError) as error:
                raise InvalidConfiguration(
                    f"database.ca_file: {self._ca_file} cannot be used ({error}); put the "
                    "certificates (PEM) of the database's authority there"
                ) from None
        return self._made


def _believed(row: list[Any]) -> Row:
    *values, heartbeat = row
    if not str(heartbeat).startswith("timestamp"):
        raise MissingResource(
            f"the column last_heartbeat of servers is of the type {heartbeat}, which does not tell "
            "when a server was last alive; it must be timestamp (UTC) or timestamptz"
        )
    return Row(*values)
