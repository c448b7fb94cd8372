"""Answers CodeDeploy's questions (PutLifecycleEventHookExecutionStatus)."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError

from quorumshift.adapters.aws.client import code

_PAST = frozenset(
    {
        "LifecycleEventAlreadyCompletedException",
        "DeploymentAlreadyCompletedException",
        # The deployment was rolled back and its question is gone with it.
        "InvalidLifecycleEventHookExecutionIdException",
    }
)


class CodeDeployAnswers:
    """Implements ``ports.HookAnswers``."""

    def __init__(self, codedeploy: Any) -> None:
        self._codedeploy = codedeploy

    def answer(self, deployment: str, execution: str, succeeded: bool) -> None:
        """Say yes or no. A question that is answered already, or past, is no error."""
        try:
            self._codedeploy.put_lifecycle_event_hook_execution_status(
                deploymentId=deployment,
                lifecycleEventHookExecutionId=execution,
                status="Succeeded" if succeeded else "Failed",
            )
        except ClientError as error:
            if code(error) not in _PAST:
                raise
