"""An AWS client whose answers a test gives, held to AWS's own model of the service.

For operations that moto lacks. Parameters and answers are both checked against botocore's model,
so that a misspelt key fails here and not in an account.
"""

from __future__ import annotations

import functools
import types
from typing import Any

import botocore.hooks
import botocore.session
from botocore import xform_name
from botocore.exceptions import ClientError
from botocore.validate import validate_parameters

from quorumshift.adapters.aws.newer_fields import RAW


def refusal(code: str, operation: str = "Operation", status: int = 400) -> Exception:
    """An error as AWS raises it."""
    error: Exception = ClientError(
        {
            "Error": {"Code": code, "Message": f"{code} was said"},
            "ResponseMetadata": {"HTTPStatusCode": status},
        },
        operation,
    )
    return error


@functools.cache
def model(service: str) -> Any:
    """AWS's own description of a service; reading it takes a while."""
    return botocore.session.get_session().get_service_model(service)


class Api:
    """``answers``: operation (snake case) → a value, an exception, or a function of the
    parameters. ``calls``: what was asked, in order."""

    def __init__(self, service: str, **answers: Any) -> None:
        self._model = model(service)
        self.meta = types.SimpleNamespace(
            service_model=self._model, events=botocore.hooks.HierarchicalEmitter()
        )
        self._operations = {xform_name(name): name for name in self._model.operation_names}
        self.answers = answers
        self.calls: list[tuple[str, dict[str, Any]]] = []

    def asked(self, operation: str) -> list[dict[str, Any]]:
        """The parameters of every call of one operation."""
        return [parameters for name, parameters in self.calls if name == operation]

    def __getattr__(self, name: str) -> Any:
        operation = self._model.operation_model(self._operations[name])

        def call(**parameters: Any) -> Any:
            parameters.pop(RAW, None)
            validate_parameters(parameters, operation.input_shape)
            self.calls.append((name, parameters))
            answer = self.answers[name]
            if callable(answer):
                answer = answer(**parameters)
            if isinstance(answer, Exception):
                raise answer
            if operation.output_shape is not None:
                known = set(operation.output_shape.members)
                assert set(answer) <= known, f"{name} never answers {set(answer) - known}"
                validate_parameters(answer, operation.output_shape)
            # What the client tells besides, of one that answers what its model knows alone.
            return {**answer, RAW: answer} if "taskDefinition" in (answer or ()) else answer

        return call


def build_environment(variables: list[dict[str, str]]) -> dict[str, Any]:
    """The environment of a build, as CodeBuild tells it."""
    return {
        "type": "LINUX_CONTAINER",
        "image": "aws/codebuild/standard:7.0",
        "computeType": "BUILD_GENERAL1_SMALL",
        "environmentVariables": variables,
    }
