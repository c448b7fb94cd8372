"""Everything that the Step Functions SDK lacks, in one place.

The SDK (2.3.0) knows neither MaxDelaySeconds nor JitterStrategy, nor ErrorPath and CausePath, and
answers a misspelt attribute with ``None``. So the few kinds of states that the workflows are made
of are built here, and what is rendered is compared with golden files.
"""

from __future__ import annotations

import itertools
import logging
import warnings
from dataclasses import dataclass
from typing import Any

logging.getLogger("sagemaker.config").setLevel(logging.WARNING)
with warnings.catch_warnings():
    # It imports pkg_resources and compares texts with "is"; neither is ours to mend.
    warnings.simplefilter("ignore")
    from stepfunctions import steps
    from stepfunctions.steps.states import Graph

PASSING = (
    "Lambda.ClientExecutionTimeoutException",
    "Lambda.ServiceException",
    "Lambda.AWSLambdaException",
    "Lambda.SdkClientException",
    "Lambda.TooManyRequestsException",
    "Transient",
)
"""Errors worth another try: Lambda's own (AWS's advice for every Lambda task), and ours."""

DIED = ("Lambda.Unknown", "Runtime.ExitError", "Sandbox.Timedout", "States.Timeout")
"""The function ended without an answer: what it did is not known, and every step may be repeated.
Tried fewer times than what is passing, because each may last as long as the function may run."""

UNSETTLED = "ClusterUnsettled"
"""An election, or a member that catches up: it passes, and may outlast one try."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How often a state is tried again: after what is ``passing``, and after its function ``died``;
    with pauses that grow to ``longest`` seconds. A try costs three events of the history."""

    passing: int
    died: int
    longest: int = 20


USUAL = Patience(passing=6, died=2)
"""A minute: for what nothing depends on yet."""
LASTING = Patience(passing=120, died=20, longest=60)
"""An hour, as half of the longest pause is what the jitter makes of it: for what must be done once
a deployment exists. No longer, because the scheduled keeper does it then."""
PRESSING = Patience(passing=300, died=40)
"""The same, with short pauses: for the hand-over, whose own time-out ends it."""


class Retry(steps.Retry):  # type: ignore[misc] # the SDK has no types
    """Tries again with backoff, jitter and a cap."""

    def __init__(self, errors: tuple[str, ...], most: int, longest: int) -> None:
        super().__init__(
            error_equals=list(errors), interval_seconds=1, max_attempts=most, backoff_rate=2.0
        )
        self.longest = longest

    def to_dict(self) -> dict[str, Any]:
        """With the two fields that the SDK refuses."""
        return {**super().to_dict(), "MaxDelaySeconds": self.longest, "JitterStrategy": "FULL"}


class Fail(steps.Fail):  # type: ignore[misc] # the SDK has no types
    """Ends the execution with an error and a cause that stand in its state."""

    def __init__(self, name: str, comment: str, error_path: str, cause_path: str) -> None:
        super().__init__(name, comment=comment)
        self.paths = {"ErrorPath": error_path, "CausePath": cause_path}

    def to_dict(self) -> dict[str, Any]:
        """With the two fields that the SDK refuses."""
        return {**super().to_dict(), **self.paths}


def task(
    name: str, comment: str, result: str, *, seconds: int = 60, patience: Patience = USUAL
) -> Any:
    """The state ``name``, run by the function of the same name, whose ARN ``${name}`` becomes.

    The function gets the whole state; what it returns is put at ``result``.
    """
    return steps.Task(
        name,
        comment=comment,
        resource=f"${{{name}}}",
        result_path=result,
        timeout_seconds=seconds,
        retry=_retries(patience),
    )


def verification(name: str, comment: str, result: str, *, seconds: int) -> Any:
    """A :func:`task` at an execution's end, which is tried for most of an hour, also while the
    cluster does not settle: each try waits for the policy's own deadline."""
    unsettled = Retry((UNSETTLED,), most=30, longest=60)
    return steps.Task(
        name,
        comment=comment,
        resource=f"${{{name}}}",
        result_path=result,
        timeout_seconds=seconds,
        retry=[*_retries(LASTING), unsettled],
    )


def look_anew(name: str, comment: str, result: str, *, seconds: int) -> Any:
    """A :func:`task` that is never tried again at once, because it stands in a loop that looks
    anew: see :func:`catch_passing`."""
    return steps.Task(
        name,
        comment=comment,
        resource=f"${{{name}}}",
        result_path=result,
        timeout_seconds=seconds,
    )


def look(name: str, comment: str, result: str, *, seconds: int = 60) -> Any:
    """As :func:`task`, for what is asked again after a pause anyway. It is tried three times at
    most, because every try of every look counts for the history
    (``quorumshift/domain/event_budget.py``)."""
    return steps.Task(
        name,
        comment=comment,
        resource=f"${{{name}}}",
        result_path=result,
        timeout_seconds=seconds,
        retry=[Retry((*PASSING, *DIED), most=2, longest=20)],
    )


def news(name: str, comment: str) -> Any:
    """A message on the way, by the function of the same name. It is tried for a minute at most: the
    deployment waits meanwhile, and news that is late is none."""
    return steps.Task(
        name,
        comment=comment,
        resource=f"${{{name}}}",
        result_path="$.notification",
        timeout_seconds=14,
        retry=_retries(Patience(passing=2, died=1)),
    )


def _retries(patience: Patience) -> list[Retry]:
    return [
        Retry(PASSING, patience.passing, patience.longest),
        Retry(DIED, patience.died, patience.longest),
    ]


def begin(name: str, comment: str, parameters: dict[str, Any]) -> Any:
    """Makes the state that the first task gets out of the input and the context."""
    return steps.Pass(name, comment=comment, parameters=parameters)


def count_missed(name: str, comment: str, count: str) -> Any:
    """Counts a look that could not be made, whose failure is at ``$.unseen``, at ``count``."""
    return steps.Pass(
        name,
        comment=comment,
        parameters={
            "looks.$": f"States.MathAdd({count}.looks, 1)",
            "most.$": f"{count}.most",
            "last.$": "$.unseen",
        },
        result_path=count,
    )


def wait(name: str, comment: str, seconds_path: str) -> Any:
    """Waits for as long as the state says."""
    return steps.Wait(name, comment=comment, seconds_path=seconds_path)


def choice(name: str, comment: str) -> Any:
    """A branch; see :func:`when` and :func:`otherwise`."""
    return steps.Choice(name, comment=comment)


def when(branch: Any, variable: str, equals: str | bool, then: Any) -> None:
    """Go to ``then`` when ``variable`` equals a text, or a truth."""
    rule = steps.ChoiceRule
    matches = rule.BooleanEquals if isinstance(equals, bool) else rule.StringEquals
    branch.add_choice(matches(variable, equals), next_step=then)


def when_present(branch: Any, variable: str, then: Any) -> None:
    """Go to ``then`` when there is anything at ``variable``."""
    branch.add_choice(steps.ChoiceRule.IsPresent(variable, True), next_step=then)


def when_less(branch: Any, variable: str, than: str, then: Any) -> None:
    """Go to ``then`` when the number at ``variable`` is less than the one at ``than``."""
    branch.add_choice(steps.ChoiceRule.NumericLessThanPath(variable, than), next_step=then)


def otherwise(branch: Any, then: Any) -> None:
    """Go to ``then`` when nothing else matched."""
    branch.default_choice(then)


def succeed(name: str, comment: str) -> Any:
    """Ends the execution well."""
    return steps.Succeed(name, comment=comment)


def catch(states: list[Any], then: Any) -> None:
    """Whatever else fails in one of ``states`` goes to ``then``, the error is at ``$.failure``."""
    for state in states:
        state.add_catch(
            steps.Catch(error_equals=["States.ALL"], result_path="$.failure", next_step=then)
        )


def catch_passing(state: Any, then: Any, result: str) -> None:
    """What another try may cure goes to ``then``; the error is at ``result``. Before
    :func:`catch`, whose is the rest."""
    state.add_catch(steps.Catch(error_equals=[*PASSING, *DIED], result_path=result, next_step=then))


def catch_busy(states: list[Any], then: Any) -> None:
    """Where another deployment is in the way of one of ``states``, it goes to ``then``; the error
    is at ``$.failure``. Before :func:`catch`, whose is the rest."""
    for state in states:
        state.add_catch(
            steps.Catch(error_equals=["DeploymentActive"], result_path="$.failure", next_step=then)
        )


def catch_quietly(state: Any, then: Any) -> None:
    """A failure of ``state`` changes nothing about how the execution ends at ``then``; it is
    beside the point, at ``$.unheard``."""
    state.add_catch(
        steps.Catch(error_equals=["States.ALL"], result_path="$.unheard", next_step=then)
    )


def chain(*states: Any) -> None:
    """One after the other."""
    for state, following in itertools.pairwise(states):
        state.next(following)


def definition(comment: str, start: Any, timeout_seconds: int) -> dict[str, Any]:
    """The machine that starts at ``start``."""
    graph = Graph(start, comment=comment, timeout_seconds=timeout_seconds)
    return dict(graph.to_dict())
