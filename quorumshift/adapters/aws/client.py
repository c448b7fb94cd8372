"""Clients of AWS: made on first use, with failures that pass called by our name for them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import botocore.exceptions

from quorumshift.domain.errors import Transient

_PASSING = frozenset(
    {
        "InternalError",
        "InternalFailure",
        "InternalServerError",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "ServerException",
        "ServiceUnavailable",
        "ServiceUnavailableException",
        "Throttling",
        "ThrottlingException",
        "ThrottledException",
        "TooManyRequestsException",
    }
)


class Client:
    """Stands for a botocore client that ``make`` builds when its first operation is called.

    Operations raise ``Transient`` for what another try may cure: throttles, server errors and
    broken connections, after botocore's own retries. Everything else passes through unchanged.
    """

    def __init__(self, make: Callable[[], Any]) -> None:
        self._make = make
        self._made: Any = None

    def __getattr__(self, name: str) -> Any:
        if self._made is None:
            self._made = self._make()
        attribute = getattr(self._made, name)
        return _translated(name, attribute) if callable(attribute) else attribute


def _translated(name: str, operation: Callable[..., Any]) -> Callable[..., Any]:
    def call(**arguments: Any) -> Any:
        try:
            return operation(**arguments)
        except botocore.exceptions.ClientError as error:
            if code(error) in _PASSING or _status(error) >= 500:
                raise Transient(f"AWS could not serve {name}: {error}; try again") from error
            raise
        except (
            botocore.exceptions.HTTPClientError,
            botocore.exceptions.ConnectionError,
        ) as error:
            raise Transient(f"no reply from AWS to {name}: {error}; try again") from error

    return call


def code(error: botocore.exceptions.ClientError) -> str:
    """AWS's name of the error."""
    return str(error.response.get("Error", {}).get("Code", ""))


def message(error: botocore.exceptions.ClientError) -> str:
    """What AWS says of the error."""
    return str(error.response.get("Error", {}).get("Message") or error)


def every(operation: Callable[..., Any], key: str, **arguments: Any) -> Iterator[Any]:
    """All items under ``key`` of a paged operation, page after page."""
    while True:
        page = operation(**arguments)
        yield from page.get(key, [])
        token = page.get("nextToken")
        if not token:
            return
        arguments["nextToken"] = token


def _status(error: botocore.exceptions.ClientError) -> int:
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode") or 0)
