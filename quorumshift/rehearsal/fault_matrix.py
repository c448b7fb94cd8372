"""Every fault at every moment, and how each shall end: as data, for tests and benchmarks.

``docs/rehearsal.md`` tells people the same, and ``make bench ARGS='--only faults'`` compares it
with what comes of each.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from quorumshift.adapters.raft.etcd import EtcdRaft
from quorumshift.domain.handover import goal_for, plan
from quorumshift.domain.handover_steps import Kind
from quorumshift.domain.policy import Policy
from quorumshift.domain.raft import (
    ClusterObservation,
    Colour,
    Membership,
    Node,
    Report,
    Standing,
    quorum,
)
from quorumshift.rehearsal.faults import FAULTS, Deed, Fault, parse_fault
from quorumshift.rehearsal.moments import Moment, Phase
from quorumshift.rehearsal.result import Outcome

_HOURS = 7200.0


def hand_over_steps(nodes: int) -> list[Moment]:
    """The steps of a hand-over from ``nodes`` tasks to as many in which nothing goes wrong, in
    their order: the planner's own path."""
    seen = before_the_hand_over(nodes)
    path = plan(seen, goal_for(seen, Colour.GREEN), EtcdRaft.dialect, Policy()).path
    count: Counter[Kind] = Counter()
    moments = []
    for row in path:
        if row.step is not None:
            count[row.step.kind] += 1
            moments.append(Moment(Phase.STEP, count[row.step.kind], row.step.kind))
    return moments


def before_the_hand_over(nodes: int) -> ClusterObservation:
    """As BeforeInstall and Install leave it: a quorum of blue is locked, green runs."""
    ids = [f"{number:x}" for number in range(1, nodes + 1)]
    said = [Report(each, term=2, leader=ids[0], last_index=9, applied_index=9) for each in ids]
    blue = [
        Node(
            address=f"10.0.0.{number}",
            colour=Colour.BLUE,
            standing=Standing.VOTER,
            task=f"blue-{number}",
            ready=True,
            locked_until=_HOURS if number < quorum(nodes) else None,
            raft_id=report.raft_id,
            report=report,
        )
        for number, report in enumerate(said)
    ]
    green = [
        Node(f"10.0.1.{number}", Colour.GREEN, Standing.OUTSIDE, f"green-{number}", ready=True)
        for number in range(nodes)
    ]
    return ClusterObservation(0.0, (*blue, *green), nodes, Membership.CONFIRMED)


def all_faults(nodes: int = 3) -> list[str]:
    """Every fault at every moment that a rehearsal of so many tasks has, as ``--fault`` takes it.

    Kills, a cut-off leader and a person's stop come before, during and after the shift and at each
    step of the hand-over; an alarm at each step of the traffic, too.
    """
    return [name for fault in FAULTS.values() for name in _of(fault, hand_over_steps(nodes))]


def _of(fault: Fault, steps: list[Moment]) -> Iterator[str]:
    if not fault.moments:
        yield fault.name
    for phase in fault.moments:
        moments = [Moment(phase)]
        if phase is Phase.STEP:
            moments = [step for step in steps if _can_strike(fault.deed, step, steps)]
        elif phase is Phase.TRAFFIC:
            moments = _SHARES if fault.deed is Deed.RING_ALARM else []
        yield from (f"{fault.name}@{moment}" for moment in moments)


_SHARES = [Moment(Phase.TRAFFIC, share) for share in range(10, 101, 10)]
"""Of the sample's deployment configuration."""


def _can_strike(deed: Deed, step: Moment, steps: list[Moment]) -> bool:
    """Whether there still is a blue leader, or a blue follower, just before ``step``."""
    moved = steps.index(Moment(Phase.STEP, 1, Kind.TRANSFER))
    at = steps.index(step)
    if deed is Deed.KILL_BLUE_LEADER:
        return at <= moved
    if deed is Deed.KILL_BLUE_FOLLOWER:
        removed = [each for each in steps[:at] if each.kind is Kind.REMOVE]
        blue = sum(each.kind is Kind.REMOVE for each in steps) - len(removed)
        return blue > (1 if at <= moved else 0)
    return True


_ENDS = {
    "bad-image": Outcome.ROLLED_BACK,
    "unhealthy-green": Outcome.ROLLED_BACK,
    "slow-green": Outcome.ROLLED_BACK,
    "slow-learner": Outcome.ROLLED_BACK,
    "degraded": Outcome.FAILED,
    "lost-task": Outcome.DEPLOYED,
    "hook-crash": Outcome.ROLLED_BACK,
    "hook-killed": Outcome.ROLLED_BACK,
    "schedule": Outcome.DEPLOYED,
    "move-leader": Outcome.DEPLOYED,
    "alarm": Outcome.ROLLED_BACK,
    "stop": Outcome.ROLLED_BACK,
    "stop-without-functions": Outcome.ROLLED_BACK,
    "deploy-killed": Outcome.FAILED,
    "second": Outcome.DEPLOYED,
    "hand-over-killed": Outcome.DEPLOYED,
    "lost-reply": Outcome.DEPLOYED,
    "api-outage": Outcome.DEPLOYED,
}
"""How faults end that end alike at every moment."""

_BY_MOMENT = (Deed.KILL_GREEN, Deed.KILL_BLUE_LEADER, Deed.KILL_BLUE_FOLLOWER, Deed.CUT_LEADER)
"""What ends as its moment says."""

_CAUSES = {
    "bad-image": "exit",
    "unhealthy-green": "health",
    "slow-green": "alarm",
    "slow-learner": "AfterAllowTraffic",
    "degraded": "tolerance is 0",
    "hook-crash": "BeforeAllowTraffic",
    "hook-killed": "ended without an answer",
    "alarm": "alarm",
    "stop": "somebody stopped",
    "stop-without-functions": "somebody stopped",
}
"""What the cause says, beside how it ended."""

_IN_FLIGHT = 5
"""Requests that may break with a task that dies while it serves them."""


def expected(name: str) -> tuple[Outcome, ...]:
    """How a fault may end. Raises ``KeyError`` for one whose end nobody wrote down here.

    A dead node is nobody's vote any more once the hand-over goes on without it; before, a blue
    voter that died leaves the old cluster without tolerance, so the deployment ends and the votes
    are put in order with blue's replacement. A node that is cut off is not replaced: where the
    hand-over does not take it out, the cluster is not well in the end.
    """
    fault = parse_fault(name)
    if fault.deed not in _BY_MOMENT:
        return (_ENDS[_kind(name)],)
    phase = fault.moment.phase if fault.moment else Phase.START
    if fault.deed is Deed.KILL_GREEN:
        return (Outcome.ROLLED_BACK if phase is Phase.HANDED_OVER else Outcome.DEPLOYED,)
    if fault.deed is Deed.CUT_LEADER:
        return (Outcome.DEPLOYED, Outcome.ROLLED_BACK, Outcome.FAILED)
    if phase is Phase.AFTER:
        return (Outcome.DEPLOYED, Outcome.ROLLED_BACK)
    return (Outcome.DEPLOYED if phase is Phase.STEP else Outcome.ROLLED_BACK,)


def cause_of(name: str) -> str:
    """Words that the cause holds when a fault did not end in ``Deployed``; empty: any."""
    return _CAUSES.get(_kind(name), "")


def may_fail(name: str) -> int:
    """How many requests may fail: those that a task was serving when it died."""
    return _IN_FLIGHT if _kind(name).startswith("kill-") else 0


def _kind(name: str) -> str:
    return name.partition("@")[0]
