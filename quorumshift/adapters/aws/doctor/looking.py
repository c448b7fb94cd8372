"""One question to AWS, whose failure is an answer too: the rest is asked all the same."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from typing import TypeVar

from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from quorumshift.adapters.aws.asking import Account, brief
from quorumshift.adapters.aws.client import Client, code, message
from quorumshift.domain.doctor.finding import Look
from quorumshift.domain.errors import QuorumshiftError, Transient

T = TypeVar("T")

READ_SECONDS = 6
"""How long one answer may take, three times; nothing here takes AWS more than one."""
_DENIED = frozenset(
    {
        *("AccessDenied", "AccessDeniedException", "AuthorizationError", "Forbidden"),
        *("NotAuthorized", "UnauthorizedOperation", "AuthorizationErrorException"),
    }
)
_ACTION = re.compile(r"not authorized to perform: ([a-z0-9-]+:[A-Za-z*]+)")


class Clients:
    """The clients of one account, each made once. botocore's sessions may not make two at a time;
    the clients themselves may be used by several threads (boto3's guide, "Multithreading")."""

    def __init__(self, account: Account) -> None:
        self.account = account
        self._lock = threading.Lock()
        self._made: dict[str, Client] = {}

    def __call__(self, service: str) -> Client:
        """The client of one AWS service. Raises ``ObservationFailed``."""
        with self._lock:
            if service not in self._made:
                self._made[service] = self.account.client(service, READ_SECONDS)
            return self._made[service]


def look(ask: Callable[[], T | None], *absent: str) -> Look[T]:
    """What ``ask`` brings. ``absent``: AWS's codes for there being no such thing; whatever else
    goes wrong is why nobody can tell."""
    try:
        return Look(ask())
    except ClientError as error:
        return _refused(error, absent)
    # ResponseParserError: somebody in between answered for AWS; ValueError: no usable endpoint
    except (QuorumshiftError, BotoCoreError, ResponseParserError, ValueError) as error:
        cause = error.__cause__
        if isinstance(error, Transient) or not isinstance(cause, ClientError):
            return Look(unknown=brief(error))
        return _refused(cause, absent)


def _refused(error: ClientError, absent: tuple[str, ...]) -> Look[T]:
    return Look() if code(error) in absent else Look(unknown=refusal(error))


def refusal(error: ClientError) -> str:
    """Why AWS did not answer: the action that is missing where it is that."""
    said = message(error)
    if code(error) in _DENIED:
        action = _ACTION.search(said)
        what = action[1] if action else error.operation_name
        return f"not allowed to look: {what} is missing"
    first, *_ = said.split(". ")
    return brief(f"{error.operation_name}: {code(error)}: {first}")
