"""What can go wrong between a database and us, in our own words: what another try may cure, and
what a person must."""

from __future__ import annotations

import socket
import ssl
from typing import Any

import pg8000.native

from quorumshift.adapters.aws.database_secret import Credentials
from quorumshift.adapters.discovery.postgres_session import NoTls, NotPostgres
from quorumshift.domain.errors import MissingResource, QuorumshiftError, Transient

_MOST_TEXT = 200
_WRONG_PASSWORD = "28P01"
_AGAIN = "it is asked again"
_ADVICE = {
    "3D000": "correct dbname in the secret",
    "42501": "GRANT SELECT ON servers to the secret's user",
    "42703": "run the service's migrations, or correct dbname in the secret",
    "42P01": "run the service's migrations, or correct dbname in the secret",
}
_ADVICE_OF_CLASS = {
    "22": "correct database.region",
    "25": "servers must be a table, or a view that reads alone",
    "28": "let the secret's user in; `no encryption` asks for database.tls = verify-full",
}
_FOR_A_PERSON = frozenset({"0A", "22", "25", "26", "28", "34", "3D", "3F", "42"})
"""Classes of SQLSTATE that another try does not cure. Among the others: 08 connection, 40
conflict, 53 too many connections, 55 lock, 57 time-out, shutting down and starting up, 58 disk."""


class SignInRefused(Exception):
    """User and password were not accepted. Its text is for the error that a person sees."""


def translated(
    error: Exception, credentials: Credentials, timeout: float
) -> QuorumshiftError | SignInRefused:
    """``error`` of a session, as ``Transient``, ``MissingResource`` or :class:`SignInRefused`.
    ``timeout``: the session's seconds."""
    where = f"the database {credentials.dbname} at {credentials.host}:{credentials.port}"
    if isinstance(error, pg8000.native.InterfaceError) and isinstance(error.__cause__, OSError):
        error = error.__cause__
    match error:
        case pg8000.native.DatabaseError():
            return _of_server(where, error.args[0] if error.args else {})
        case TimeoutError():
            return Transient(f"{where} gave no answer within {timeout:g} s; {_AGAIN}")
        case socket.gaierror(errno=socket.EAI_NONAME):
            return MissingResource(f"{where}: there is no such host; correct host in the secret")
        case ssl.SSLCertVerificationError():
            return MissingResource(
                f"{where} showed a certificate that is not trusted ({error.verify_message}); "
                "database.ca_file must hold its authority's certificate, and host in the secret "
                "be a name that stands in it"
            )
        case ssl.SSLError() if not isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError):
            return MissingResource(
                f"{where}: no TLS handshake ({error.reason or 'no reason was given'}); what "
                "listens there must speak TLS 1.2 or newer"
            )
        case OSError():
            return Transient(f"{where} could not be reached ({_reason(error)}); {_AGAIN}")
        case NoTls():
            return MissingResource(
                f"{where} does not speak TLS; switch it on there, or set database.tls = off if "
                "nobody can listen in between"
            )
        case _:
            seen = error if isinstance(error, NotPostgres | pg8000.native.Error) else ""
            return MissingResource(
                f"{where} does not answer as PostgreSQL does "
                f"({str(seen)[:_MOST_TEXT] or type(error).__name__}); correct host and port in "
                "the secret"
            )


def _of_server(where: str, said: dict[str, Any]) -> QuorumshiftError | SignInRefused:
    code = str(said.get("C") or "")
    text = f"{str(said.get('M') or 'no message')[:_MOST_TEXT]}, {code or 'no code'}"
    if code == _WRONG_PASSWORD:
        return SignInRefused(
            f"{where} did not accept user and password of its secret, which was read again; put "
            "the right ones there, or let its rotation end, then start again"
        )
    if code[:2] in _FOR_A_PERSON:
        advice = _ADVICE.get(code) or _ADVICE_OF_CLASS.get(code[:2])
        return MissingResource(
            f"{where} refused the question who is alive ({text}); "
            + (advice or "servers must be the service's table")
        )
    return Transient(f"{where} could not answer ({text}); {_AGAIN}")


def _reason(error: OSError) -> str:
    return (error.strerror or str(error) or type(error).__name__)[:_MOST_TEXT].lower()
