"""Lambda's queue of asynchronous invocations: what is tried again, for how long, and what becomes
of an event that is given up (Lambda developer guide, "Asynchronous invocation").
"""

from __future__ import annotations

import json
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from quorumshift.rehearsal.aws.calls import Calls, iam_action
from quorumshift.rehearsal.aws.events import send
from quorumshift.rehearsal.aws.lambda_environment import Outcome
from quorumshift.rehearsal.aws.permissions import refusal
from quorumshift.rehearsal.world import World

RETRY_SECONDS = (60.0, 120.0)
"""AWS's pauses before the two retries after an error of the function's."""
OLDEST_SECONDS = 6 * 3600.0
"""AWS's seconds for which an event is kept while Lambda itself fails."""
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 300.0
"""AWS's seconds between two tries while Lambda itself fails; doubled each time."""

Invoke = Callable[[Any, Any, str], Outcome]


@dataclass(frozen=True, slots=True)
class Terms:
    """A function's own: retries, AWS's seconds that an event is kept, and where it goes then."""

    retries: int = len(RETRY_SECONDS)
    oldest: float = OLDEST_SECONDS
    destination: str | None = None

    @classmethod
    def of(cls, function: Any) -> Terms:
        """Read the function's event invoke configuration."""
        terms = cls()
        for configuration in function.event_invoke_config:
            told = configuration.config
            to = told.get("DestinationConfig") or {}
            terms = cls(
                int(told.get("MaximumRetryAttempts", terms.retries)),
                float(told.get("MaximumEventAgeInSeconds", terms.oldest)),
                (to.get("OnFailure") or {}).get("Destination"),
            )
        return terms


class AsyncQueue:
    """One thread an event. ``invoke(function, event, request id)`` runs it."""

    def __init__(self, world: World, calls: Calls, invoke: Invoke) -> None:
        self._world = world
        self._calls = calls
        self._invoke = invoke

    def put(self, function: Any, event: Any) -> None:
        """Invoke in the background. As on Lambda a failure is tried again after a minute, and
        after two more, unless the function's configuration says otherwise; and for hours while it
        is Lambda that fails."""
        threading.Thread(
            target=self._run, args=(function, event), name="lambda-event", daemon=True
        ).start()

    def _run(self, function: Any, event: Any) -> None:
        terms, request = Terms.of(function), str(uuid.uuid4())
        deadline = time.monotonic() + self._world.real(terms.oldest)
        attempts = 0
        for pause in (*RETRY_SECONDS[: terms.retries], None):
            outcome = self._through_outages(function, event, request, deadline)
            attempts += not outcome.in_lambda
            if not outcome.failed:
                return
            if outcome.in_lambda or pause is None or self._world.sleep(pause):
                break
        if self._world.stopping.is_set():
            return
        name, why = function.function_name, "RetriesExhausted"
        said = f"{name}: asynchronous event given up after {attempts} attempts"
        if outcome.in_lambda:
            why = "EventAgeExceeded"
            said = f"{name}: asynchronous event given up, older than {terms.oldest:.0f} s"
        self._world.events.say("lambda", said, function=name, gaveUp=True)
        if terms.destination:
            record = _record(function, request, why, attempts, event, outcome)
            self._send(function.function_name, terms.destination, record)

    def _through_outages(self, function: Any, event: Any, request: str, deadline: float) -> Outcome:
        """The function's own outcome, or Lambda's failure once the event is too old."""
        pause = FIRST_PAUSE
        while True:
            outcome = self._invoke(function, event, request)
            if not outcome.in_lambda or time.monotonic() > deadline or self._world.sleep(pause):
                return outcome
            pause = min(2 * pause, LONGEST_PAUSE)

    def _send(self, function: str, destination: str, record: dict[str, Any]) -> None:
        """To the on-failure destination, a function or a queue, in the name of the function that
        failed: its role must grant that."""
        service = destination.split(":")[2]
        operation = "SendMessage" if service == "sqs" else "Invoke"
        if why := refusal(function, iam_action(service, operation)):
            self._world.events.say("error", f"{why}; its record is not delivered")
            return
        self._calls.add(service, operation, function, "")
        if service == "sqs":
            send(destination, json.dumps(record))
            return
        if ":function:" not in destination:
            said = f"the on-failure destination {destination} is not known here: not delivered"
            self._world.events.say("error", said)
            return
        self._world.client("lambda").invoke(
            FunctionName=destination, InvocationType="Event", Payload=json.dumps(record)
        )


def _record(
    function: Any, request: str, why: str, attempts: int, event: Any, outcome: Outcome
) -> dict[str, Any]:
    """What Lambda sends to an on-failure destination; without a response where there was none."""
    record: dict[str, Any] = {
        "version": "1.0",
        "timestamp": datetime.now(UTC).isoformat(),
        "requestContext": {
            "requestId": request,
            "functionArn": f"{function.function_arn}:$LATEST",
            "condition": why,
            "approximateInvokeCount": attempts,
        },
        "requestPayload": event,
    }
    if not outcome.in_lambda:
        record["responseContext"] = {
            "statusCode": 200,
            "executedVersion": "$LATEST",
            "functionError": "Unhandled",
        }
        record["responsePayload"] = json.loads(outcome.payload)
    return record
