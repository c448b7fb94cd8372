"""What one turn of the hand-over decides, from what it sees and what the turn before left."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from quorumshift.domain.handover import Next, Plan, goal_for, last_resort, plan, turn
from quorumshift.domain.handover_steps import Kind
from quorumshift.domain.look import Look
from quorumshift.domain.policy import Dialect, Policy
from quorumshift.domain.raft import ClusterObservation, Colour, Standing
from quorumshift.domain.reading import listed
from quorumshift.domain.rollout_facts import WAS_STOPPED
from quorumshift.usecases.draining import farewell

LONGEST_SECONDS = 2400.0
"""A hand-over gives up after forty minutes: the engine stops waiting after sixty."""
PAUSES = (1, 10)
"""Seconds between two looks of a standstill: they grow with it, from the first to the second."""


@dataclass(frozen=True, slots=True)
class Act:
    """``refused``: why the step was not done, as far as anybody answered; empty: it was."""

    refused: str


class Turn(StrEnum):
    """What comes next."""

    STEP = "step"
    WAIT = "wait"
    DONE = "done"
    BLOCKED = "blocked"


@dataclass(frozen=True, slots=True)
class Suspicion:
    """Voters that look unhealthy and may not be, the same since then (epoch seconds)."""

    addresses: frozenset[str]
    since: float


@dataclass(frozen=True, slots=True)
class Planned:
    """One turn's plan, and what later turns must know of it.

    ``goal``: the colour that shall vote in the end, by now; ``turned``: why that is no longer the
    one asked for. ``began``: epoch seconds of the first turn; ``stuck_since``: of the first turn
    of those in a row that could not go on. ``rested``: it has baked where the policy asks for it.
    ``lenient``: the way back asks for the quorum alone, and takes silent voters out, because it
    was stuck with more. ``suspicion``: whom to look at once more before anything rests on their
    being unhealthy. ``drained_seconds``: the pauses in which it waited for blue's users, in all.
    """

    decision: Turn
    goal: Colour
    plan: Plan
    reason: str
    began: float
    turned: str = ""
    stuck_since: float | None = None
    rested: bool = False
    lenient: bool = False
    suspicion: Suspicion | None = None
    settle_seconds: int = 0
    drained_seconds: int = 0


@dataclass(frozen=True, slots=True)
class _Way:
    """How to plan: what the service can do, what its policy asks, and what turns have added."""

    dialect: Dialect
    policy: Policy
    rested: bool
    lenient: bool

    def plan(self, seen: ClusterObservation, goal: Colour) -> Plan:
        policy = replace(self.policy, bake_before_majority=False) if self.rested else self.policy
        lenient = self.lenient and goal is Colour.BLUE
        wanted = goal_for(seen, goal, without_silent=lenient)
        return plan(seen, wanted, self.dialect, last_resort(policy) if lenient else policy)


def next_turn(
    look: Look,
    asked: Colour,
    last: Planned | None,
    last_act: Act | None,
    dialect: Dialect,
    policy: Policy,
    *,
    between: bool = False,
) -> Planned:
    """Plan one turn. Pure; ``last`` and ``last_act`` are what the turn before left.

    ``between``: no rollout is the reason, but a task that ended or was started. Nothing presses
    then, so there is no last resort: a voter whose task runs keeps its vote. Once a rollout is
    under way, the votes are its own.
    """
    seen = look.cluster
    began = last.began if last else seen.at
    goal, turned = (last.goal, last.turned) if last else (asked, "")
    if look.stopped and goal is Colour.GREEN:
        goal, turned = Colour.BLUE, _why_stopped(last)
    way = _Way(dialect, policy, bool(last and last.rested), bool(last and last.lenient))
    found = way.plan(seen, goal)
    if found.resting and _stuck_for(last, seen) >= policy.stabilisation_seconds:
        way = replace(way, rested=True)
        found = way.plan(seen, goal)
    refused = last_act.refused if last_act and last and last.decision is Turn.STEP else ""
    suspicion = _suspicion(seen, found, last, between)
    blocked = found.decision is Next.BLOCKED
    stands = found.decision is Next.WAIT or _doubted(seen, found, suspicion, policy)
    stuck = _stuck_since(seen, stands or blocked or bool(refused), last)
    late = stuck is not None and seen.at - stuck > policy.settle_deadline_seconds
    if goal is Colour.BLUE and late and not between:
        way = replace(way, lenient=True)
        found = way.plan(seen, goal)
    elif goal is Colour.GREEN and (blocked or (late and not found.resting)) and _turns(seen, way):
        goal, turned = Colour.BLUE, _why_turned(refused or found.sentence, seen, stuck)
        found, stuck = way.plan(seen, goal), seen.at
    decision, reason = Turn(found.decision.value), found.sentence
    if suspicion is not None and _doubted(seen, found, suspicion, policy):
        decision = Turn.WAIT
        who = listed(sorted(suspicion.addresses))
        reason = f"{who} looks unhealthy; before anything rests on that there is a second look."
    elif found.decision is Next.BLOCKED and goal is Colour.BLUE and not way.lenient:
        decision = Turn.WAIT  # what the last resort is for may pass by itself
    drained, pause = last.drained_seconds if last else 0, 0
    if decision is Turn.DONE and goal is Colour.GREEN:
        bye = farewell(seen, policy, drained, seen.at - began)
        drained, pause = drained + bye.pause, bye.pause
        decision = Turn.WAIT if pause else decision
        reason = bye.said if pause else f"{reason} {bye.said}".strip()
    if between and (nothing := _nothing_to_do(look)):
        decision, reason = Turn.DONE, nothing
    if decision is not Turn.DONE and seen.at - began > LONGEST_SECONDS:
        decision, reason = Turn.BLOCKED, f"not done after {LONGEST_SECONDS / 60:.0f} min: {reason}"
    return Planned(
        decision,
        goal,
        found,
        reason,
        began,
        turned,
        stuck,
        way.rested,
        way.lenient,
        suspicion,
        pause or _pause(seen, decision, stuck),
        drained,
    )


def _nothing_to_do(look: Look) -> str:
    """Why no vote is to be moved between rollouts; empty: some is. Locks are a rollout's."""
    if look.busy:
        return f"{look.busy} is under way; the votes are its to move."
    seen = look.cluster
    members = {node.address: node.standing for node in seen.nodes if node.raft_id}
    wanted = dict.fromkeys(goal_for(seen, Colour.BLUE).voters, Standing.VOTER)
    return "The serving tasks vote, and nobody else." if members == wanted else ""


def _why_turned(reason: str, seen: ClusterObservation, stuck: float | None) -> str:
    waited = seen.at - stuck if stuck is not None else 0.0
    return f"{reason.rstrip('.')}, for {waited:.0f} s" if waited >= 1 else reason


def _why_stopped(last: Planned | None) -> str:
    """Whoever reads that the rollout was stopped wants to know what the hand-over waited for."""
    if last is None or (last.stuck_since is None and last.decision is not Turn.WAIT):
        return WAS_STOPPED
    return f"{WAS_STOPPED} while the hand-over waited: {last.reason}"


def _pause(seen: ClusterObservation, decision: Turn, stuck: float | None) -> int:
    """Whole seconds until the next look. After a step none: whoever does it returns when it is
    seen to be done."""
    least, most = PAUSES
    if stuck is None:
        return 0 if decision is Turn.STEP else least
    return min(most, max(least, round((seen.at - stuck) / 6)))


def _turns(seen: ClusterObservation, way: _Way) -> bool:
    """Whether a hand-over to green that cannot go on turns back to blue."""
    onward = turn(seen, goal_for(seen, Colour.GREEN), way.dialect, way.policy)
    return onward == goal_for(seen, Colour.BLUE)


def _suspicion(
    seen: ClusterObservation, found: Plan, last: Planned | None, between: bool
) -> Suspicion | None:
    """Voters that look unhealthy though their tasks run; one reply that came too late looks the
    same. A task that is gone does not come back, and is no suspicion; but ``between`` rollouts
    nothing else is known of it, and ECS's list may be a moment old."""
    known = last.suspicion if last else None
    if not found.path:
        return known
    sick = frozenset(
        node.address
        for node in seen.voters
        if (node.task or between) and node.address in found.path[0].unhealthy
    )
    if known is not None and known.addresses == sick:
        return known
    return Suspicion(sick, seen.at) if sick else None


def _doubted(
    seen: ClusterObservation, found: Plan, suspicion: Suspicion | None, policy: Policy
) -> bool:
    """Whether a step must wait for a second look. To lock does no harm."""
    if suspicion is None or found.step is None or found.step.kind is Kind.LOCK:
        return False
    return seen.at - suspicion.since < policy.stabilisation_seconds


def _stuck_for(last: Planned | None, seen: ClusterObservation) -> float:
    since = last.stuck_since if last else None
    return seen.at - since if since is not None else 0.0


def _stuck_since(seen: ClusterObservation, stands: bool, last: Planned | None) -> float | None:
    """When this standstill began; ``None``: it goes on. A step that is refused is a standstill."""
    if not stands:
        return None
    if last is not None and last.stuck_since is not None:
        return last.stuck_since
    return seen.at
