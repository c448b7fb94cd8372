"""What a command's exit code says. The numbers stay; docs/commands.md lists them."""

from enum import IntEnum

from quorumshift.domain.execution import FOLLOWING, Ending
from quorumshift.rehearsal.result import Outcome, Result


class ExitCode(IntEnum):
    """``BROKEN``: the command itself broke, so it says nothing about the deployment."""

    DEPLOYED = 0
    BROKEN = 1
    USAGE = 2
    ROLLED_BACK = 3
    REFUSED = 4
    INTERRUPTED = 130


def exit_code(result: Result) -> ExitCode:
    """A failure after a deployment existed is none of the ends that a deployment may have."""
    if result.outcome is Outcome.DEPLOYED:
        return ExitCode.DEPLOYED
    if result.outcome is Outcome.ROLLED_BACK:
        return ExitCode.ROLLED_BACK
    return ExitCode.REFUSED if FOLLOWING.isdisjoint(result.states) else ExitCode.BROKEN


_ENDINGS = {
    Ending.RUNNING: ExitCode.DEPLOYED,
    Ending.DEPLOYED: ExitCode.DEPLOYED,
    Ending.ROLLED_BACK: ExitCode.ROLLED_BACK,
    Ending.REFUSED: ExitCode.REFUSED,
    Ending.SKIPPED: ExitCode.REFUSED,
    Ending.FAILED: ExitCode.BROKEN,
    Ending.STOPPED: ExitCode.BROKEN,
    Ending.TIMED_OUT: ExitCode.BROKEN,
}


def code_of(ending: Ending) -> ExitCode:
    """How an execution ended. One that is still under way is told of, which is no failure."""
    return _ENDINGS[ending]
