"""CodeDeploy's errors: of a call, and of a deployment."""

from __future__ import annotations

from moto.codedeploy.exceptions import CodeDeployException


def refuse(code: str, message: str) -> CodeDeployException:
    """The error of a call, with CodeDeploy's own code."""
    return CodeDeployException(code, message)


class EventFailed(Exception):
    """A lifecycle event failed, and the deployment with it.

    ``code``: of the deployment's ``errorInformation``. ``diagnostics``: the event's errorCode.
    """

    def __init__(self, code: str, message: str, diagnostics: str = "UnknownError") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.diagnostics = diagnostics


class Interrupted(Exception):
    """Somebody stopped the deployment, or an alarm did (``code``: MANUAL_STOP, ALARM_ACTIVE)."""

    def __init__(self, code: str, message: str, roll_back: bool) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.roll_back = roll_back


class RehearsalEnds(Exception):
    """The world is stopping: no more is done or said."""
