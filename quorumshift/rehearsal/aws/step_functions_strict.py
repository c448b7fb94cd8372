"""Where moto's interpreter is kinder than Step Functions, it is made as strict, and says so.

moto 5.2 sends a Choice on a variable that is not there to its Default, creates a machine whose
``Next`` names no state, lets ``States.ALL`` match what AWS never lets it match, and takes a path
that finds nothing in a task's parameters for a failure of the function. Each of them would let a
defect of ours pass a rehearsal and fail in an account.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from quorumshift.rehearsal.aws.patching import replace
from quorumshift.rehearsal.world import World

_FINAL, _NOT_BY_ALL = "States.Runtime", "States.DataLimitExceeded"
"""No Retry and no Catch matches the first; the second must be named, ``States.ALL`` is not enough
(Step Functions Developer Guide, "Handling errors in Step Functions workflows")."""


def install(world: World) -> None:
    """Patch moto's interpreter."""
    _patch_choices(world)
    _patch_wildcards(world)
    _patch_paths()
    _patch_definitions()


def astray(definition: str) -> tuple[str, ...]:
    """What leads nowhere in a machine's definition (JSON text), a sentence each."""
    return tuple(_astray(json.loads(definition), "the machine"))


def _astray(machine: dict[str, Any], where: str) -> Iterator[str]:
    states = machine.get("States") or {}
    if machine.get("StartAt") not in states:
        yield f"StartAt of {where} names {machine.get('StartAt')!r}, which is no state of it"
    for name, state in states.items():
        for target in _targets(state):
            if target not in states:
                yield f"{name} leads to {target!r}, which is no state of {where}"
        inner = [*state.get("Branches", []), state.get("ItemProcessor") or state.get("Iterator")]
        for part in filter(None, inner):
            yield from _astray(part, name)


def _targets(state: dict[str, Any]) -> Iterator[str]:
    yield from (state[key] for key in ("Next", "Default") if key in state)
    for key in ("Catch", "Choices"):
        yield from (rule["Next"] for rule in state.get(key, []) if "Next" in rule)


def _patch_choices(world: World) -> None:
    from moto.stepfunctions.parser.asl.component.state.choice.comparison import (
        comparison_variable,
    )
    from moto.stepfunctions.parser.asl.component.state.choice.comparison.comparison_operator_type import (  # noqa: E501 # moto's own names
        ComparisonOperatorType,
    )
    from moto.stepfunctions.parser.asl.component.state.choice.comparison.variable import (
        NoSuchVariable,
    )

    def _eval_body(self: Any, env: Any) -> None:
        self.variable.eval(env)
        asks = self.comparison_function.operator_type
        if isinstance(env.stack[-1], NoSuchVariable) and asks != ComparisonOperatorType.IsPresent:
            path = self.variable.string_sampler.literal_value
            said = (
                f"Invalid path '{path}': The choice state's condition path references an invalid "
                "value."
            )
            world.events.say("error", f"a Choice failed its execution: {said}")
            raise RuntimeError(said)
        self.comparison_function.eval(env)

    replace(comparison_variable.ComparisonVariable, "_eval_body", _eval_body, "self env")


def _patch_wildcards(world: World) -> None:
    from moto.stepfunctions.parser.asl.component.common.error_name.error_equals_decl import (
        ErrorEqualsDecl,
    )

    def _eval_body(self: Any, env: Any) -> None:
        error = env.stack[-1].error_name
        matches(self, env)
        named = any(name.error_name == error for name in self.error_names)
        if env.stack[-1] and (error == _FINAL or (error == _NOT_BY_ALL and not named)):
            env.stack[-1] = False
            world.events.say("error", f"{error} fails its execution: States.ALL does not match it")

    matches = replace(ErrorEqualsDecl, "_eval_body", _eval_body, "self env")


def _patch_paths() -> None:
    from moto.stepfunctions.parser.asl.component.state.exec.execute_state import ExecutionState
    from moto.stepfunctions.parser.asl.component.state.exec.state_task.state_task_lambda import (
        StateTaskLambda,
    )
    from moto.stepfunctions.parser.asl.utils.json_path import NoSuchJsonPathError

    def _from_error(self: Any, env: Any, ex: Exception) -> Any:
        if isinstance(ex, NoSuchJsonPathError):
            return ExecutionState._from_error(self, env, ex)
        return of_function(self, env, ex)

    of_function = replace(StateTaskLambda, "_from_error", _from_error, "self env ex")


def _patch_definitions() -> None:
    from moto.stepfunctions.parser.api import InvalidDefinition
    from moto.stepfunctions.parser.models import StepFunctionsParserBackend

    def _validate_definition(definition: str) -> None:
        valid(definition)
        if wrong := astray(definition):
            raise InvalidDefinition(f"MISSING_TRANSITION_TARGET: {'; '.join(wrong)}")

    valid = replace(
        StepFunctionsParserBackend, "_validate_definition", _validate_definition, "definition"
    )
