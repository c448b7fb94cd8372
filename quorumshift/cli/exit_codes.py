"""What a command's exit code says. The numbers stay; docs/rehearsal.md lists them."""

from enum import IntEnum

from quorumshift.rehearsal.result import Outcome, Result


class ExitCode(IntEnum):
    """``BROKEN``: the command itself broke, so it says nothing about the deployment."""

    DEPLOYED = 0
    BROKEN = 1
    USAGE = 2
    ROLLED_BACK = 3
    REFUSED = 4
    INTERRUPTED = 130


TOUCHED = "WaitForDeployment"
"""Once this state was entered, there is a deployment."""


def exit_code(result: Result) -> ExitCode:
    """A failure after a deployment existed is none of the ends that a deployment may have."""
    if result.outcome is Outcome.DEPLOYED:
        return ExitCode.DEPLOYED
    if result.outcome is Outcome.ROLLED_BACK:
        return ExitCode.ROLLED_BACK
    return ExitCode.BROKEN if TOUCHED in result.states else ExitCode.REFUSED
