"""What a command's exit code says. The numbers stay; docs/rehearsal.md lists them."""

from enum import IntEnum

from quorumshift.rehearsal.result import Outcome


class ExitCode(IntEnum):
    """``BROKEN``: the command itself broke, so it says nothing about the deployment."""

    DEPLOYED = 0
    BROKEN = 1
    USAGE = 2
    ROLLED_BACK = 3
    REFUSED = 4
    INTERRUPTED = 130


BY_OUTCOME = {
    Outcome.DEPLOYED: ExitCode.DEPLOYED,
    Outcome.ROLLED_BACK: ExitCode.ROLLED_BACK,
    Outcome.FAILED: ExitCode.REFUSED,
}
