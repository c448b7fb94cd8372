"""Kills a hook's function in the middle of its work, as Lambda does with one that is out of memory.

It gives no answer, and dies again when Lambda tries it twice more: the record of its death goes to
the function's on-failure destination, and the watchdog there answers.
"""

from __future__ import annotations

import time

from quorumshift.names import Names
from quorumshift.rehearsal.aws.lambda_queue import RETRY_SECONDS
from quorumshift.rehearsal.aws.server import EmbeddedAws
from quorumshift.rehearsal.moments import Phase
from quorumshift.rehearsal.waiting import NotSeen
from quorumshift.rehearsal.world import World

HOOK_AT = {Phase.BEFORE: "BeforeAllowTraffic", Phase.AFTER: "AfterAllowTraffic"}
"""The hook that is asked at a moment."""
BEGIN_SECONDS = 20.0
_LOOK_EVERY = 0.002


def kill_hook(world: World, aws: EmbeddedAws, names: Names, at: Phase) -> None:
    """SIGKILL for the hook that is asked at this moment, as soon as it has asked AWS something.

    Raises :class:`NotSeen` when it did not begin, or ended before it could be killed.
    """
    function = names.function(HOOK_AT[at])
    deadline = time.monotonic() + BEGIN_SECONDS
    while not any(call.caller == function for call in aws.calls.all()):
        if time.monotonic() > deadline or world.stopping.wait(_LOOK_EVERY):
            raise NotSeen(f"{function} asked AWS nothing within {BEGIN_SECONDS:.0f} s")
    if not aws.lambdas.kill(function):
        raise NotSeen(f"{function} had ended before it could be killed")
    said = f"the process of the function {function} is killed while it runs"
    world.events.say("fault", said, function=function)
    for pause in RETRY_SECONDS:
        deadline = time.monotonic() + world.real(pause) + BEGIN_SECONDS
        while not aws.lambdas.kill(function):
            if time.monotonic() > deadline or world.stopping.wait(_LOOK_EVERY):
                raise NotSeen(f"{function} was not tried again by Lambda")
        world.events.say("fault", f"{said}, again", function=function)
