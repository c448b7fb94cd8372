"""What can be made to go wrong in a rehearsal.

A fault is data: which images are deployed, and what is done to the running world at which moment.
``quorumshift/rehearsal/deeds.py`` acts it out.
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass, replace
from enum import StrEnum

from quorumshift.domain.handover_steps import Kind
from quorumshift.rehearsal.moments import Moment, Phase, examples, read_moment

ALL = (
    Phase.BEFORE,
    Phase.TRAFFIC,
    Phase.DURING,
    Phase.AFTER,
    Phase.STEP,
    Phase.HANDED_OVER,
)
WHILE_BLUE_VOTES = ALL[:-1]
STEPS = (Phase.STEP,)
LONGEST_OUTAGE = 10_800
_DURING = Moment(Phase.DURING)


class Deed(StrEnum):
    """What is done to the world."""

    NOTHING = "nothing"
    CUT_FOLLOWER_BEFORE = "cut a follower off from its peers before the deployment starts"
    LOSE_TASK_BEFORE = "kill a follower's task, and wait until the votes have followed"
    CRASH_HOOK = "make the Lambda of one hook raise"
    KILL_HOOK = "kill the process of a hook's Lambda while it runs"
    FIRE_SCHEDULE = "let the service's schedule come due"
    MOVE_LEADER = "move leadership to another voter"
    KILL_BLUE_LEADER = "kill the blue task that leads"
    KILL_BLUE_FOLLOWER = "kill a blue task that votes and does not lead"
    KILL_GREEN = "kill a green task"
    CUT_LEADER = "cut the leader off from its peers"
    RING_ALARM = "make the deployment's alarm ring"
    STOP = "stop the deployment with roll-back, as a person would"
    STOP_WITHOUT_FUNCTIONS = "end every function, then stop the deployment with roll-back"
    KILL_DEPLOY = "stop the execution of deploy"
    DEPLOY_TWICE = "start a second deployment by hand"
    KILL_HAND_OVER = "stop the execution of the hand-over"
    API_OUTAGE = "have AWS answer no function for a while"
    LOSE_REPLY = "do the step and lose the answer"


@dataclass(frozen=True, slots=True)
class Fault:
    """``name``: as it was asked for, with the moment if one was named. ``moments``: at which its
    deed can be done; none where it has no choice. ``moment``: when it will be.

    ``behaviour``: of version 2's image (rehearsal/images.py); ``blue_behaviour``: of the one that
    runs already. ``seconds``: how long it lasts, of AWS's; 0: it has no choice.
    """

    name: str
    about: str
    deed: Deed = Deed.NOTHING
    moments: tuple[Phase, ...] = ()
    moment: Moment | None = None
    behaviour: str = "normal"
    blue_behaviour: str = "normal"
    seconds: int = 0


def _step(kind: Kind, number: int) -> Moment:
    return Moment(Phase.STEP, number, kind)


FAULTS = {
    fault.name: fault
    for fault in (
        Fault("bad-image", "green exits at start", behaviour="exit"),
        Fault("unhealthy-green", "green's health check answers 500", behaviour="unhealthy"),
        Fault("slow-green", "green answers slower than the alarm allows", behaviour="slow"),
        Fault(
            "slow-learner",
            "green's Raft never catches up",
            behaviour="slow-learner",
            blue_behaviour="relayed",  # who sends slowly is the sender's relay
        ),
        Fault(
            "degraded",
            "one blue voter reaches nobody, from before the start",
            Deed.CUT_FOLLOWER_BEFORE,
            behaviour="relayed",
            blue_behaviour="relayed",
        ),
        Fault(
            "lost-task", "one blue voter dies, and the votes follow its task", Deed.LOSE_TASK_BEFORE
        ),
        Fault("hook-crash", "a hook's Lambda raises", Deed.CRASH_HOOK),
        Fault(
            "hook-killed",
            "a hook's Lambda is killed while it runs",
            Deed.KILL_HOOK,
            (Phase.BEFORE, Phase.AFTER),
            Moment(Phase.BEFORE),
        ),
        Fault(
            "schedule",
            "the schedule comes due while a deployment runs",
            Deed.FIRE_SCHEDULE,
            WHILE_BLUE_VOTES,
            _DURING,
        ),
        Fault("move-leader", "leadership moves", Deed.MOVE_LEADER, WHILE_BLUE_VOTES, _DURING),
        Fault(
            "kill-blue-leader",
            "the blue task that leads dies",
            Deed.KILL_BLUE_LEADER,
            WHILE_BLUE_VOTES,
            _DURING,
        ),
        Fault(
            "kill-blue-follower",
            "a blue task that votes dies",
            Deed.KILL_BLUE_FOLLOWER,
            WHILE_BLUE_VOTES,
            _DURING,
        ),
        Fault("kill-green", "a green task dies", Deed.KILL_GREEN, ALL, _DURING),
        Fault(
            "partition-leader",
            "the leader cannot reach its peers any more",
            Deed.CUT_LEADER,
            WHILE_BLUE_VOTES,
            _DURING,
            behaviour="relayed",
            blue_behaviour="relayed",
        ),
        Fault("alarm", "the deployment's alarm rings", Deed.RING_ALARM, ALL, _DURING),
        Fault("stop", "a person stops the deployment", Deed.STOP, ALL, _DURING),
        Fault(
            "stop-without-functions",
            "every function is down from then on, and a person stops the deployment",
            Deed.STOP_WITHOUT_FUNCTIONS,
            ALL,
            _step(Kind.TRANSFER, 1),
        ),
        Fault(
            "deploy-killed",
            "the execution of deploy is stopped",
            Deed.KILL_DEPLOY,
            ALL,
            _DURING,
        ),
        Fault(
            "second",
            "a second deployment is started",
            Deed.DEPLOY_TWICE,
            (Phase.BEFORE, Phase.DURING),  # once votes move, it is the cluster that refuses it
            _DURING,
        ),
        Fault(
            "hand-over-killed",
            "the execution of the hand-over is stopped",
            Deed.KILL_HAND_OVER,
            STEPS,
            _step(Kind.PROMOTE, 2),
        ),
        Fault(
            "api-outage",
            "AWS answers no function for a while",
            Deed.API_OUTAGE,
            ALL,
            _step(Kind.PROMOTE, 2),
            seconds=600,
        ),
        Fault(
            "lost-reply",
            "a step is done and its answer lost",
            Deed.LOSE_REPLY,
            STEPS,
            _step(Kind.PROMOTE, 2),
        ),
    )
}


def parse_fault(text: str) -> Fault:
    """``NAME``, ``NAME@MOMENT`` or ``NAME@MOMENT:SECONDS`` as a fault with its moment.

    Raises ``ValueError`` with one line that says what can be typed instead.
    """
    name, at, when = text.partition("@")
    fault = FAULTS.get(name)
    if fault is None:
        close = difflib.get_close_matches(name, FAULTS, 1)
        meant = f"did you mean {close[0]}? " if close else ""
        raise ValueError(f"there is no fault {name!r}: {meant}choose one of {', '.join(FAULTS)}")
    if not at:
        return fault
    if not fault.moments:
        raise ValueError(f"{name} has no moments; write {name} alone")
    seconds = fault.seconds
    if seconds and ":" in when:
        when, _, lasts = when.partition(":")
        if not re.fullmatch(r"[1-9]\d{0,4}", lasts) or int(lasts) > LONGEST_OUTAGE:
            raise ValueError(
                f"{name} lasts 1 to {LONGEST_OUTAGE} seconds, not {lasts!r}; write it as in "
                f"{name}@{fault.moment}:{seconds}"
            )
        seconds = int(lasts)
    moment = read_moment(when)
    if moment is None or moment.phase not in fault.moments:
        raise ValueError(f"{name} has no moment {when!r}; it has {examples(fault.moments)}")
    asked = f"{name}@{moment}" + (f":{seconds}" if seconds != fault.seconds else "")
    return replace(fault, name=asked, moment=moment, seconds=seconds)


def listing() -> str:
    """All faults in a line, for a command's help."""
    return "; ".join(
        f"{name}{f'[@MOMENT, else {fault.moment}]' if fault.moments else ''} ({fault.about})"
        for name, fault in FAULTS.items()
    )
