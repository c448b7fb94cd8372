"""How to get into the service's database, from Secrets Manager, in the form in which RDS keeps it
there: a JSON object with host, port, username, password and dbname."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, NoReturn

from botocore.exceptions import ClientError

from quorumshift.adapters.aws.client import code, message
from quorumshift.domain.errors import MissingResource

_KEYS = ("host", "port", "username", "password", "dbname")


@dataclass(frozen=True, slots=True)
class Credentials:
    """Where the database is, and whom to be there. Its representation has no password."""

    host: str
    port: int
    username: str
    password: str = field(repr=False)
    dbname: str


class DatabaseSecret:
    """``name``: of the secret, or its ARN. Each call asks anew, so that a rotation is seen."""

    def __init__(self, secretsmanager: Any, name: str) -> None:
        self._secretsmanager = secretsmanager
        self._name = name

    def __call__(self) -> Credentials:
        """What the secret says now. Raises ``MissingResource`` when it cannot be read, or lacks
        something; the error never quotes it."""
        values = self._values()
        missing = [key for key in _KEYS if values.get(key) in (None, "")]
        if missing:
            managed = "host" in missing and "password" not in missing
            self._refuse(
                f"lacks {', '.join(missing)}",
                f"write a JSON object with {', '.join(_KEYS)} into it"
                + ("; a secret that RDS manages itself has no host" if managed else ""),
            )
        return Credentials(
            host=self._text(values, "host"),
            port=self._port(values),
            username=self._text(values, "username"),
            password=self._text(values, "password"),
            dbname=self._text(values, "dbname"),
        )

    def _values(self) -> dict[str, Any]:
        try:
            found = self._secretsmanager.get_secret_value(SecretId=self._name)
        except ClientError as error:
            self._refuse(
                f"cannot be read ({code(error)}: {message(error)})",
                "make it, or correct database.secret, and let the functions read it",
            )
        try:
            values = json.loads(found.get("SecretString") or "")
        except ValueError:
            values = None  # the error would quote the secret
        if not isinstance(values, dict):
            self._refuse(
                "holds no JSON object", f"write one with {', '.join(_KEYS)} into it, as RDS does"
            )
        return values

    def _text(self, values: dict[str, Any], key: str) -> str:
        value = values[key]
        if not isinstance(value, str):
            self._refuse(f"has a {key} that is no text", "write it in quotes")
        return value

    def _port(self, values: dict[str, Any]) -> int:
        given = str(values["port"])
        if not (given.isascii() and given.isdigit() and 0 < int(given) < 65536):
            self._refuse("has a port that is no number from 1 to 65535", "RDS's is 5432")
        return int(given)

    def _refuse(self, seen: str, advice: str) -> NoReturn:
        raise MissingResource(f"the database's secret {self._name} {seen}; {advice}") from None
