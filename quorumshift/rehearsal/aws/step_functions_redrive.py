"""RedriveExecution, which moto lacks: an execution that was stopped, failed or timed out goes on
where it stood.

As on AWS (Step Functions Developer Guide, "Restarting state machine executions with redrive"; API
Reference, "RedriveExecution"): the execution keeps its ARN, its start date and its history; it
goes on from the state that did not succeed, with the input that this state had; what succeeded is
not run again; retriers and the machine's timeout begin anew. Of a Map or Parallel state AWS runs
the failed branches alone; that is not built, and is said.
"""

from __future__ import annotations

import datetime
import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from quorumshift.rehearsal.aws import step_functions_history as history
from quorumshift.rehearsal.aws.loud import NotRehearsed, Refused
from quorumshift.rehearsal.aws.patching import replace

REDRIVABLE = frozenset({"ABORTED", "FAILED", "TIMED_OUT"})
_TOKENS = 10


class NotRedrivable(Refused):
    """As AWS says it."""

    code = "ExecutionNotRedrivable"


@dataclass
class Redrives:
    """Of one execution: how many, when the last one was, and which request made which."""

    count: int = 0
    date: datetime.datetime | None = None
    tokens: dict[str, datetime.datetime] = field(default_factory=dict)

    def add(self, token: str) -> datetime.datetime:
        """Count one more, asked for with ``token``; AWS remembers ten."""
        self.count += 1
        self.date = datetime.datetime.now(tz=datetime.UTC)
        self.tokens[token] = self.date
        while len(self.tokens) > _TOKENS:
            del self.tokens[next(iter(self.tokens))]
        return self.date


def redrives(execution: Any) -> Redrives:
    """The redrives of one of moto's executions."""
    found: Redrives = execution.__dict__.setdefault("redrives", Redrives())
    return found


def described(execution: Any) -> dict[str, Any]:
    """``redriveCount``, ``redriveDate``, ``redriveStatus`` and ``redriveStatusReason``; the date
    and the reason are ``None`` where there is none."""
    known, can = redrives(execution), execution.status in REDRIVABLE
    return {
        "redriveCount": known.count,
        "redriveDate": known.date,
        "redriveStatus": "REDRIVABLE" if can else "NOT_REDRIVABLE",
        "redriveStatusReason": None if can else _refusal(execution),
    }


def install(ending: threading.Lock, changed: Callable[[Any], None]) -> None:
    """Add the operation, and what DescribeExecution says of it. ``ending``: held while an
    execution's status changes; ``changed``: is told that it has."""
    _patch_progress()
    _patch_describing()
    _add_operation(ending, changed)


def _patch_progress() -> None:
    from moto.stepfunctions.parser.asl.component.program.program import Program

    def evaluate(self: Any, env: Any) -> None:
        env.next_state_name = self.start_at.start_at_name
        env.progress = env._program_state  # knows the state at hand, even when it has ended
        begin(self, env)

    begin = replace(Program, "eval", evaluate, "self env")


def _patch_describing() -> None:
    from moto.stepfunctions.responses import StepFunctionResponse

    def describe_execution(self: Any) -> Any:
        answer = describe(self)
        execution = self.stepfunction_backend.describe_execution(self._get_param("executionArn"))
        known = described(execution)
        answer.result.update({key: value for key, value in known.items() if value is not None})
        return answer

    describe = replace(StepFunctionResponse, "describe_execution", describe_execution, "self")


def _add_operation(ending: threading.Lock, changed: Callable[[Any], None]) -> None:
    from moto.core.responses import ActionResult
    from moto.stepfunctions.responses import StepFunctionResponse

    def redrive_execution(self: Any) -> Any:
        arn, token = self._get_param("executionArn"), self._get_param("clientToken")
        execution = self.stepfunction_backend.describe_execution(arn)
        with ending:
            if known := redrives(execution).tokens.get(token):
                return ActionResult({"redriveDate": known})
            if execution.status not in REDRIVABLE:
                raise NotRedrivable(_refusal(execution))
            go_on = _prepare(execution)
            date = redrives(execution).add(token)
            _begin_again(execution, date)
        changed(execution)
        threading.Thread(target=go_on, daemon=True).start()
        return ActionResult({"redriveDate": date})

    if hasattr(StepFunctionResponse, "redrive_execution"):
        raise RuntimeError("moto has RedriveExecution by now: compare the two, and keep one")
    setattr(StepFunctionResponse, "redrive_execution", redrive_execution)  # noqa: B010 # new there


def _refusal(execution: Any) -> str:
    return f"Execution is {execution.status} and cannot be redriven"


def _prepare(execution: Any) -> Callable[[], None]:
    """Give the execution a new interpreter that stands where the old one stood; return what runs
    it. The old one may still wait for a function; nobody listens to it any more."""
    old = execution.exec_worker.env
    worker = execution._get_start_execution_worker()
    program = worker._get_evaluation_entrypoint()
    name, data = _stood(old, program)
    env = worker._get_evaluation_environment()
    history.go_on(old, env)
    env.states.reset(data)
    env.variable_store = old.variable_store
    program.start_at.start_at_name = name
    worker.env = env
    execution.exec_worker = worker

    def go_on() -> None:
        program.eval(env)
        worker._execution_communication.terminated()

    return go_on


def _stood(env: Any, program: Any) -> tuple[str, Any]:
    """The state that did not succeed, and its input."""
    from moto.stepfunctions.parser.asl.component.state.state_type import StateType

    name = env.progress.next_state_name
    if program.states.states[name].state_type in (StateType.Map, StateType.Parallel):
        raise NotRehearsed(f"{name}: of a Map or Parallel state no single branch is run again")
    events = env.event_manager.get_event_history()
    entered = [found for event in events if (found := event.get("stateEnteredEventDetails"))]
    if entered and entered[-1]["name"] == name:
        return name, json.loads(entered[-1]["input"])
    return name, env.states.get_input()  # it ended between two states


def _begin_again(execution: Any, date: datetime.datetime) -> None:
    from moto.stepfunctions.parser.api import ExecutionStatus, HistoryEventType

    known, env = redrives(execution), execution.exec_worker.env
    execution.exec_status = ExecutionStatus.RUNNING
    execution.stop_date = execution.error = execution.cause = None
    about = env.states.context_object.context_object_data["Execution"]
    about |= {"RedriveCount": known.count, "RedriveTime": history.iso(date)}
    env.event_manager.add_event(
        context=env.event_history_context,
        event_type=HistoryEventType.ExecutionRedriven,
        event_details={"executionRedrivenEventDetails": {"redriveCount": known.count}},
    )
