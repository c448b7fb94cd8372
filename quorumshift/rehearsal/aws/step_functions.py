"""Step Functions: moto's interpreter, made to keep the rehearsal's time and to behave like AWS
where it does not.

What moto 5.2 gets wrong and is put right here: Wait and Retry take AWS's time; an execution without
a name gets one; StopExecution takes effect at once, keeps its error and cause, and is never
overwritten by what the interrupted state still does; RedriveExecution is there; status changes
reach EventBridge; it is as strict as AWS (``step_functions_strict``), and a history and the data of
a state end where AWS ends them. Lambda functions are called directly, and run on when their
execution ends. State and machine timeouts are real time, as
Lambda's are.
"""

from __future__ import annotations

import datetime
import json
import threading
import uuid
from typing import Any

from quorumshift.rehearsal.aws import step_functions_history as history
from quorumshift.rehearsal.aws import step_functions_redrive, step_functions_strict
from quorumshift.rehearsal.aws import step_functions_sizes as sizes
from quorumshift.rehearsal.aws.events import emit
from quorumshift.rehearsal.aws.lambda_environment import Outcome
from quorumshift.rehearsal.aws.lambdas import LambdaEngine
from quorumshift.rehearsal.aws.patching import expect, replace
from quorumshift.rehearsal.world import World

RUNNING = "RUNNING"
STATUS_CHANGE = "Step Functions Execution Status Change"


class StepFunctionsEngine:
    """Runs state machines for real."""

    def __init__(self, world: World, lambdas: LambdaEngine) -> None:
        self.world = world
        self.lambdas = lambdas
        self.starting = threading.RLock()  # a rule may start another execution on the way
        self.ending = threading.Lock()

    def install(self) -> None:
        """Make moto execute, and patch its interpreter."""
        from moto.core.config import default_user_config

        default_user_config["stepfunctions"] = {"execute_state_machine": True}
        _patch_time(self.world)
        _patch_tasks(self)
        _patch_starting(self)
        _patch_ending(self)
        history.install(self.world)
        step_functions_strict.install(self.world)
        sizes.install()
        step_functions_redrive.install(self.ending, self.changed)

    def start(self) -> None:
        """Nothing of its own runs."""

    def stop(self) -> None:
        """Executions end with the process."""

    def invoke(self, arn: str, payload: bytes) -> Outcome:
        """Run the function that a Task state names."""
        from moto.awslambda.models import lambda_backends
        from moto.core.exceptions import JsonRESTError, ServiceException

        region, account = arn.split(":")[3:5]
        try:
            function = lambda_backends[account][region].get_function(arn)
        except (JsonRESTError, ServiceException) as error:
            answer = {"errorType": "Lambda.ResourceNotFoundException", "errorMessage": str(error)}
            return Outcome(json.dumps(answer), failed=True, log="")
        return self.lambdas.invoke(function, json.loads(payload))

    def changed(self, execution: Any) -> None:
        """The status has changed: for the live view, and for EventBridge's rules."""
        status, machine = execution.status, execution.state_machine.name
        said = f"{machine} {execution.name}: {status}"
        redriven = step_functions_redrive.described(execution)
        if status == RUNNING and redriven["redriveCount"]:
            said += f" (redriven, {redriven['redriveCount']})"
        if execution.error:
            said += f" ({execution.error})"
        self.world.events.say(
            "execution", said, machine=machine, execution=execution.name, status=status
        )
        output = json.dumps(execution.output) if status == "SUCCEEDED" else None
        detail = {
            "executionArn": execution.exec_arn,
            "stateMachineArn": execution.state_machine_arn,
            "name": execution.name,
            "status": status,
            "startDate": _milliseconds(execution.start_date),
            "stopDate": _milliseconds(execution.stop_date),
            "input": execution.execution_input,
            "inputDetails": {"included": True},
            "output": output,
            "outputDetails": {"included": True} if output else None,
            "error": execution.error,
            "cause": execution.cause,
            **redriven,
            "redriveDate": _milliseconds(redriven["redriveDate"]),
        }
        emit(self.world, "aws.states", STATUS_CHANGE, detail, [execution.exec_arn])


def _milliseconds(time: datetime.datetime | None) -> int | None:
    return None if time is None else int(time.timestamp() * 1000)


def _patch_time(world: World) -> None:
    from moto.stepfunctions.parser.asl.component.common.retry import retrier_decl
    from moto.stepfunctions.parser.asl.component.state.wait.wait_function import wait_function

    def _wait_interval(self: Any, env: Any, wait_seconds: float) -> None:
        if wait_seconds > 0 and env.is_running():
            env.program_state_event.wait(world.real(wait_seconds))

    class Clock:
        """Stands where the module ``time`` stood, which is used for the pause alone."""

        @staticmethod
        def sleep(seconds: float) -> None:
            world.sleep(seconds)

    replace(wait_function.WaitFunction, "_wait_interval", _wait_interval, "self env wait_seconds")
    expect(retrier_decl.RetrierDecl, "_eval_body", "self env")
    setattr(retrier_decl, "time", Clock)  # noqa: B010 # a module's name that is not for others


def _patch_tasks(engine: StepFunctionsEngine) -> None:
    from moto.stepfunctions.parser.asl.component.state.exec.state_task import lambda_eval_utils

    def _invoke_lambda_function(
        parameters: dict[str, Any], region: str, state_credentials: Any
    ) -> dict[str, Any]:
        outcome = engine.invoke(parameters["FunctionName"], parameters["Payload"])
        if outcome.failed:
            raise lambda_eval_utils.LambdaFunctionErrorException("Unhandled", outcome.payload)
        return {"StatusCode": 200, "Payload": json.loads(outcome.payload)}

    names = "parameters region state_credentials"
    replace(lambda_eval_utils, "_invoke_lambda_function", _invoke_lambda_function, names)


def _patch_starting(engine: StepFunctionsEngine) -> None:
    from moto.stepfunctions.parser.api import ExecutionStatus
    from moto.stepfunctions.parser.backend.execution import Execution
    from moto.stepfunctions.parser.models import StepFunctionsParserBackend

    def start_execution(
        self: Any,
        state_machine_arn: str,
        name: str | None = None,
        execution_input: str | None = None,
        trace_header: Any = None,
    ) -> Any:
        sizes.refuse_input(execution_input)
        name = name or str(uuid.uuid4())
        with engine.starting:  # two with the same name must see each other
            return begin(self, state_machine_arn, name, execution_input, trace_header)

    def start(self: Any) -> None:
        self.exec_status = ExecutionStatus.RUNNING
        engine.changed(self)
        run(self)

    names = "self state_machine_arn name execution_input trace_header"
    begin = replace(StepFunctionsParserBackend, "start_execution", start_execution, names)
    run = replace(Execution, "start", start, "self")


def _patch_ending(engine: StepFunctionsEngine) -> None:
    from moto.core.responses import ActionResult
    from moto.stepfunctions.parser.api import ExecutionStatus, HistoryEventType
    from moto.stepfunctions.parser.asl.eval import environment, program_state
    from moto.stepfunctions.parser.backend import execution as executions
    from moto.stepfunctions.responses import StepFunctionResponse

    ended = (program_state.ProgramStopped, program_state.ProgramTimedOut)

    def set_error(self: Any, error: Any) -> None:
        if not isinstance(self.program_state(), ended):
            fail(self, error)

    def terminated(self: Any) -> None:
        execution = self.execution
        with engine.ending:
            current = execution.exec_worker._execution_communication is self
            if execution.status != RUNNING or not current:  # it was stopped; or redriven, too
                return
            reflect(self)
            if execution.status == "TIMED_OUT":
                history.end(execution.exec_worker.env, HistoryEventType.ExecutionTimedOut)
        engine.changed(execution)

    def stop(self: Any, stop_date: datetime.datetime, error: str | None, cause: str | None) -> None:
        with engine.ending:
            if self.status != RUNNING:
                return
            env = _environment(self)
            env.set_stop(stop_date=stop_date, error=error, cause=cause)
            why = {"executionAbortedEventDetails": {"error": error, "cause": cause}}
            history.end(env, HistoryEventType.ExecutionAborted, why)
            self.exec_status = ExecutionStatus.ABORTED
            self.stop_date, self.error, self.cause = stop_date, error, cause
        engine.changed(self)

    def stop_execution(self: Any) -> Any:
        arn = self._get_param("executionArn")
        execution = self.stepfunction_backend.describe_execution(arn)
        now = datetime.datetime.now(tz=datetime.UTC)
        execution.stop(now, self._get_param("error"), self._get_param("cause"))
        return ActionResult({"stopDate": execution.stop_date})

    fail = replace(environment.Environment, "set_error", set_error, "self error")
    reports = executions.BaseExecutionWorkerCommunication
    reflect = replace(reports, "terminated", terminated, "self")
    replace(executions.Execution, "stop", stop, "self stop_date error cause")
    replace(StepFunctionResponse, "stop_execution", stop_execution, "self")


def _environment(execution: Any) -> Any:
    """The interpreter's, which its thread makes in the first milliseconds."""
    pause = threading.Event()
    while True:
        env = execution.exec_worker.env if execution.exec_worker else None
        if env is not None and env.program_state() is not None:
            return env
        pause.wait(0.001)
