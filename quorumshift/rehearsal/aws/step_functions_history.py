"""The history of an execution: told to the live view as it is made, and read as on AWS.

moto's GetExecutionHistory ignores order and page size, and its DescribeExecution leaves out when an
execution timed out. It knows no end of a history, which AWS ends at 25,000 events, and the
execution with it. Its history of an execution that was stopped or timed out goes on until the
function at hand is done; here it ends when the execution does, as on AWS, though the function runs
on.
"""

from __future__ import annotations

import datetime
import threading
from typing import Any

from quorumshift.rehearsal.aws.patching import replace
from quorumshift.rehearsal.world import World

MOST_EVENTS = 25_000
"""AWS Step Functions Developer Guide, "Service quotas", Standard workflows."""
_PAGE = 1000
_VERBS = {"stateEnteredEventDetails": "entered", "stateExitedEventDetails": "left"}


class TooManyEvents(Exception):
    """No history is longer; the execution fails, and nothing can catch that."""


def install(world: World) -> None:
    """Patch moto's history."""
    _patch_telling(world)
    _patch_reading()


def _patch_telling(world: World) -> None:
    from moto.stepfunctions.parser.asl.eval.event.event_manager import EventManager
    from moto.stepfunctions.parser.backend.execution_worker import ExecutionWorker

    def _get_evaluation_environment(self: Any) -> Any:
        env = prepare(self)
        execution = self._evaluation_details.execution_details
        machine = self._evaluation_details.state_machine_details
        about = env.states.context_object.context_object_data["Execution"]
        about |= {"StartTime": iso(execution.start_time), "RedriveCount": 0}
        events = env.event_manager
        events.told, events.closed = (machine.name, execution.name), False
        events.closing = threading.RLock()
        return env

    def add_event(
        self: Any,
        context: Any,
        event_type: Any,
        event_details: Any = None,
        timestamp: Any = None,
        update_source_event_id: bool = True,
    ) -> int:
        with self.closing:
            if self.closed:
                return int(context.last_published_event_id)
            _refuse_one_too_many(self, event_type)
            return int(
                add(self, context, event_type, event_details, timestamp, update_source_event_id)
            )

    def _publish_history_event(
        self: Any,
        event_id: int,
        source_event_id: int,
        event_type: Any,
        timestamp: Any,
        event_details: Any,
    ) -> None:
        publish(self, event_id, source_event_id, event_type, timestamp, event_details)
        _tell(world, self.told, event_details or {})

    prepare = replace(
        ExecutionWorker, "_get_evaluation_environment", _get_evaluation_environment, "self"
    )
    names = "self context event_type event_details timestamp update_source_event_id"
    add = replace(EventManager, "add_event", add_event, names)
    names = "self event_id source_event_id event_type timestamp event_details"
    publish = replace(EventManager, "_publish_history_event", _publish_history_event, names)


def _refuse_one_too_many(events: Any, event_type: Any) -> None:
    """The last one tells of the execution's end. What raises here raises for every further event,
    so no Retry and no Catch can hold it."""
    ends = event_type.name.startswith("Execution") and event_type.name != "ExecutionRedriven"
    if len(events._history_event_list) >= MOST_EVENTS - 1 and not ends:
        raise TooManyEvents(
            f"The execution reached the maximum number of history events ({MOST_EVENTS})."
        )


def end(env: Any, event_type: Any, event_details: Any = None) -> None:
    """The history ends with this event, unless it has ended; nothing is added any more."""
    events = env.event_manager
    with events.closing:
        env.event_history_context.source_event_id = 0
        events.add_event(env.event_history_context, event_type, event_details)
        events.closed = True


def go_on(old: Any, env: Any) -> None:
    """The history of ``old`` goes on in ``env``, and in it alone."""
    before, events = old.event_manager, env.event_manager
    with before.closing:
        before.closed = True
        events._history_event_list = before._history_event_list
        events._event_id_gen = before._event_id_gen
    last = before._history_event_list[-1]["id"]
    env.event_history_context.source_event_id = last
    env.event_history_context.last_published_event_id = last


def _tell(world: World, whose: tuple[str, str], details: Any) -> None:
    """For the live view: states entered and left."""
    machine, execution = whose
    for key, verb in _VERBS.items():
        if key in details:
            state = details[key]["name"]
            world.events.say(
                "state",
                f"{state} {verb}",
                machine=machine,
                execution=execution,
                state=state,
                verb=verb,
            )


def _patch_reading() -> None:
    from moto.core.responses import ActionResult
    from moto.stepfunctions.responses import StepFunctionResponse

    def get_execution_history(self: Any) -> Any:
        arn = self._get_param("executionArn")
        events = list(self.stepfunction_backend.get_execution_history(arn)["events"])
        if self._get_param("reverseOrder"):
            events.reverse()
        first = int(self._get_param("nextToken") or 0)
        last = first + int(self._get_param("maxResults") or _PAGE)
        answer: dict[str, Any] = {"events": events[first:last]}
        if last < len(events):
            answer["nextToken"] = str(last)
        return ActionResult(answer)

    def describe_execution(self: Any) -> Any:
        result = describe(self)
        arn = self._get_param("executionArn")
        execution = self.stepfunction_backend.describe_execution(arn)
        if execution.stop_date is not None:
            result.result["stopDate"] = execution.stop_date
        return result

    replace(StepFunctionResponse, "get_execution_history", get_execution_history, "self")
    describe = replace(StepFunctionResponse, "describe_execution", describe_execution, "self")


def iso(time: datetime.datetime) -> str:
    """As the context object has it: ``2026-11-22T20:14:13.192Z``."""
    return time.astimezone(datetime.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
