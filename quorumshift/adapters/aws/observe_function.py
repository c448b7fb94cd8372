"""Asks, from outside, how the cluster stands: the function of the state ``Observe`` looks.

It stands in the service's network, which a person's machine does not.
"""

from __future__ import annotations

import json
from typing import Any

from quorumshift.adapters.aws.asking import Account, brief, in_one_line
from quorumshift.adapters.aws.deployments import CodeDeployDeployments
from quorumshift.domain.appspec import Blueprint
from quorumshift.domain.asked import Asked
from quorumshift.domain.errors import ObservationFailed
from quorumshift.domain.look import Look, look_from
from quorumshift.names import Names


class ObserveFunction:
    """The deployed function of one service, found by its name alone."""

    def __init__(self, names: Names, region: str | None, profile: str | None) -> None:
        """``region``, ``profile``: ``None`` is what the environment and AWS's own files say.

        Raises ``ObservationFailed``.
        """
        self._names = names
        account = Account(names, region, profile)
        self._lambdas = account.client("lambda")
        self._deployments = watched_deployments(account, names)

    def under_way(self) -> str | None:
        """The deployment that runs; while one is rolled back, the one that is.

        Raises ``ObservationFailed``.
        """
        with in_one_line(self._names):
            active = self._deployments.active()
            return None if active is None else self._deployments.look(active).undoes or active

    def look(self, deployment: str | None) -> Look:
        """One look. Raises ``ObservationFailed``."""
        answer = self._ask(deployment)
        try:
            return look_from(answer)
        except ValueError as error:
            raise ObservationFailed(
                f"the deployed function Observe is of another version: {error}; deploy the stack "
                "again"
            ) from None

    def _ask(self, deployment: str | None) -> Any:
        function = self._names.function("Observe")
        asked = Asked(deployment or "").text().encode()
        with in_one_line(self._names):
            answer = self._lambdas.invoke(FunctionName=function, Payload=asked)
            payload = answer["Payload"].read()
        try:
            said = json.loads(payload)
        except ValueError:
            raise ObservationFailed(f"{function} answered no JSON: {brief(payload)}") from None
        if answer.get("FunctionError"):
            raise ObservationFailed(_failed(function, said))
        return said


def watched_deployments(account: Account, names: Names) -> CodeDeployDeployments:
    """The service's deployments, to look at and to stop; none can be started by it."""
    return CodeDeployDeployments(
        account.client("codedeploy"),
        names.application,
        names.deployment_group,
        target=f"{names.cluster}:{names.service}",
        hooks={},
        blueprint=_starts_nothing,
    )


def _starts_nothing() -> Blueprint:
    raise AssertionError("who only looks starts no deployment")


def _failed(function: str, said: Any) -> str:
    about = said if isinstance(said, dict) else {}
    kind, text = about.get("errorType") or "unknown error", about.get("errorMessage") or said
    return (
        f"the function {function} failed: {kind}: {brief(text)}; "
        f"the log group /aws/lambda/{function} tells more"
    )
