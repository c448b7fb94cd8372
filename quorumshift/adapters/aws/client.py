"""Clients of AWS: made on first use, with failures that pass called by our name for them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import botocore.exceptions
import botocore.parsers

from quorumshift.adapters.aws import newer_fields
from quorumshift.adapters.aws.answers import Answer, refuse_strangers
from quorumshift.domain.errors import Transient

if TYPE_CHECKING:
    from quorumshift.adapters.aws.patience import Patience

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
ONCE = frozenset({"CreateDeployment", "RegisterTaskDefinition"})
"""Operations that AWS would do a second time, or refuse because of the first: after a lost reply
the SDK does not repeat them. Our own next try looks first for what the first one did."""
_BEGAN = "quorumshift.began"
_MOST_PAGES = 1000


class Client:
    """Stands for a botocore client that ``make`` builds when its first operation is called.

    Operations raise ``Transient`` for what another try may cure: throttles, server errors, broken
    connections, and answers that are not AWS's, after botocore's own retries. Everything else
    passes through unchanged. ``patience`` limits the whole call; ``clock``: seconds.
    """

    def __init__(
        self,
        make: Callable[[], Any],
        patience: Patience | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._make = make
        self._patience = patience
        self._clock = clock
        self._made: Any = None

    def __getattr__(self, name: str) -> Any:
        if self._made is None:
            made = self._make()
            self._listen(made.meta.events, made.meta.service_model.service_id.hyphenize())
            self._made = made
        attribute = getattr(self._made, name)
        return _translated(name, attribute) if callable(attribute) else attribute

    def _listen(self, events: Any, service: str) -> None:
        """botocore offers these events for this (``botocore/endpoint.py``)."""
        newer_fields.listen(events)
        events.register(f"before-call.{service}", self._begin)
        events.register(f"before-parse.{service}", refuse_strangers)
        events.register_first(f"needs-retry.{service}", self._judge_retry)

    def _begin(self, context: dict[str, Any], **_: Any) -> None:
        context[_BEGAN] = self._clock()

    def _judge_retry(
        self, response: Any, operation: Any, attempts: int, request_dict: dict[str, Any], **_: Any
    ) -> bool | None:
        """``False`` ends the call; ``None`` leaves the question to botocore."""
        refused = response is not None and response[0].status_code < 500
        if operation.name in ONCE and not refused:
            return False
        waited = self._clock() - request_dict["context"][_BEGAN]
        if self._patience is not None and not self._patience.allows(attempts, waited):
            return False
        return None


def _translated(name: str, operation: Callable[..., Any]) -> Callable[..., Any]:
    def call(**arguments: Any) -> Any:
        try:
            answer = operation(**arguments)
        except botocore.exceptions.ClientError as error:
            if code(error) in _PASSING or _status(error) >= 500:
                raise Transient(f"AWS could not serve {name}: {error}; try again") from error
            raise
        except (
            botocore.exceptions.HTTPClientError,
            botocore.exceptions.ConnectionError,
        ) as error:
            raise Transient(f"no reply from AWS to {name}: {error}; try again") from error
        # KeyError: a query service's answer without its wrapper
        except (botocore.parsers.ResponseParserError, KeyError) as error:
            raise Transient(
                f"AWS's answer to {name} cannot be read ({type(error).__name__}); try again"
            ) from error
        return Answer(name, answer) if isinstance(answer, dict) else answer

    return call


def code(error: botocore.exceptions.ClientError) -> str:
    """AWS's name of the error."""
    return str(error.response.get("Error", {}).get("Code", ""))


def message(error: botocore.exceptions.ClientError) -> str:
    """What AWS says of the error."""
    return str(error.response.get("Error", {}).get("Message") or error)


def every(
    operation: Callable[..., Any],
    key: str,
    token: str = "nextToken",
    sent_as: str = "",
    optional: bool = False,
    **arguments: Any,
) -> Iterator[Any]:
    """All items under ``key`` of a paged operation, whose answer names the next page by ``token``;
    ``sent_as``: the parameter's name, where that is another; ``optional``: whether a page without
    items may lack the key (the model's list has a least length of 1).

    A page may be empty though more follow; only an answer without a token is the last. Raises
    ``Transient`` where that one never comes.
    """
    for _ in range(_MOST_PAGES):
        page = operation(**arguments)
        yield from page.get(key, ()) if optional else page[key]
        if not page.get(token):
            return
        arguments[sent_as or token] = page[token]
    raise Transient(f"AWS's list of {key} has not ended after {_MOST_PAGES} pages; try again")


def _status(error: botocore.exceptions.ClientError) -> int:
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode") or 0)
