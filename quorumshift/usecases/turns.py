"""One turn of the hand-over: observe, plan, act; and how it answers in the end."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from quorumshift.domain.errors import ChangeRefused, Transient
from quorumshift.domain.handover import Next, Plan, goal_for, plan, termination_guard, turn
from quorumshift.domain.handover_steps import Kind, Step
from quorumshift.domain.health import Verdict
from quorumshift.domain.policy import Dialect, Policy
from quorumshift.domain.raft import ClusterObservation, Colour, Standing
from quorumshift.domain.rollout import Progress
from quorumshift.ports import Deployments, RaftControl
from quorumshift.usecases.observer import Observer
from quorumshift.usecases.vote_locks import VoteLocks

LONGEST_SECONDS = 2400.0
"""A hand-over gives up after forty minutes: the engine stops waiting after sixty."""
SETTLE_SECONDS = 1
STANDSTILL_SECONDS = 10
"""Between two looks while there is nothing to do but wait, or a step is refused for now."""


@dataclass(frozen=True, slots=True)
class Look:
    """``stopped``: the rollout does not run any more, so green is on its way out."""

    cluster: ClusterObservation
    stopped: bool


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
class Planned:
    """One turn's plan, and what later turns must know of it.

    ``goal``: the colour that shall vote in the end, by now; ``turned``: why that is no longer the
    one asked for. ``began``: epoch seconds of the first turn; ``stuck_since``: of the first turn
    of those in a row that could not go on. ``rested``: it has baked where the policy asks for it.
    """

    decision: Turn
    goal: Colour
    plan: Plan
    reason: str
    began: float
    turned: str = ""
    stuck_since: float | None = None
    rested: bool = False
    settle_seconds: int = SETTLE_SECONDS


def next_turn(
    look: Look,
    asked: Colour,
    last: Planned | None,
    last_act: Act | None,
    dialect: Dialect,
    policy: Policy,
) -> Planned:
    """Plan one turn. Pure; ``last`` and ``last_act`` are what the turn before left."""
    seen = look.cluster
    began = last.began if last else seen.at
    goal = last.goal if last else asked
    turned = last.turned if last else ""
    rested = last.rested if last else False
    if look.stopped and goal is Colour.GREEN:
        goal, turned = Colour.BLUE, "the rollout was stopped"
    found = _plan(seen, goal, dialect, policy, rested)
    if found.resting and _stuck_for(last, seen) >= policy.stabilisation_seconds:
        rested = True
        found = _plan(seen, goal, dialect, policy, rested)
    refused = last_act.refused if last_act and last and last.decision is Turn.STEP else ""
    stuck = _stuck_since(seen, found, last, refused)
    late = stuck is not None and seen.at - stuck > policy.settle_deadline_seconds
    if goal is Colour.GREEN and (found.decision is Next.BLOCKED or (late and not found.resting)):
        onward = turn(seen, goal_for(seen, goal), dialect, policy)
        if onward == goal_for(seen, Colour.BLUE):
            goal, turned = Colour.BLUE, refused or found.sentence
            found, stuck = _plan(seen, goal, dialect, policy, rested), seen.at
    decision = Turn(found.decision.value)
    reason = found.sentence
    if decision is not Turn.DONE and seen.at - began > LONGEST_SECONDS:
        decision, reason = Turn.BLOCKED, f"not done after {LONGEST_SECONDS / 60:.0f} min: {reason}"
    settle = SETTLE_SECONDS if stuck is None else STANDSTILL_SECONDS
    return Planned(decision, goal, found, reason, began, turned, stuck, rested, settle)


def _plan(
    seen: ClusterObservation, goal: Colour, dialect: Dialect, policy: Policy, rested: bool
) -> Plan:
    if rested:
        policy = replace(policy, bake_before_majority=False)
    return plan(seen, goal_for(seen, goal), dialect, policy)


def _stuck_for(last: Planned | None, seen: ClusterObservation) -> float:
    since = last.stuck_since if last else None
    return seen.at - since if since is not None else 0.0


def _stuck_since(
    seen: ClusterObservation, found: Plan, last: Planned | None, refused: str
) -> float | None:
    """When this standstill began; ``None``: it goes on. A step that is refused is a standstill."""
    if found.decision is not Next.WAIT and not refused:
        return None
    if last is not None and last.stuck_since is not None:
        return last.stuck_since
    return seen.at


class HandOver:
    """What the state machine's tasks do."""

    def __init__(
        self,
        observer: Observer,
        raft: RaftControl,
        locks: VoteLocks,
        deployments: Deployments,
        policy: Policy,
    ) -> None:
        self._observer = observer
        self._raft = raft
        self._locks = locks
        self._deployments = deployments
        self._policy = policy

    def look(self, deployment: str | None) -> Look:
        """Nodes, votes and locks, and whether the rollout still runs; ``None``: without one."""
        stopped = (
            deployment is not None
            and self._deployments.look(deployment).progress is not Progress.RUNNING
        )
        return Look(self._observer.look(deployment), stopped)

    def act(self, planned: Planned, seen: ClusterObservation) -> Act:
        """Do the planned step. What was refused, or got no reply, is seen by the next look."""
        step = planned.plan.step
        if step is None:
            return Act("")
        try:
            self._do(step, _via(seen))
        except (ChangeRefused, Transient) as error:
            return Act(str(error))
        return Act("")

    def may_end(self, deployment: str) -> tuple[Look, Verdict]:
        """A fresh look, and whether every blue task may end at this instant."""
        look = self.look(deployment)
        return look, termination_guard(look.cluster, Colour.BLUE, self._policy)

    def _do(self, step: Step, via: list[str]) -> None:
        if step.kind in (Kind.LOCK, Kind.RELEASE):
            self._locks.apply(step)
        elif step.kind is Kind.ADMIT:
            self._raft.admit(step.address, via)
        elif step.raft_id is None:
            raise ChangeRefused(f"{step.address} has no Raft id; {step.kind} needs one")
        elif step.kind is Kind.PROMOTE:
            self._raft.promote(step.raft_id, via)
        elif step.kind is Kind.TRANSFER:
            self._raft.transfer(step.raft_id, via)
        elif step.kind is Kind.REMOVE:
            self._raft.remove(step.raft_id, via)
        else:
            raise ChangeRefused(f"the Raft adapter cannot do {step.kind}")


def _via(seen: ClusterObservation) -> list[str]:
    """Members that answered, the one that takes itself for the leader in the last term first."""
    members = [node for node in seen.nodes if node.report and node.standing is not Standing.OUTSIDE]
    return [
        node.address
        for node in sorted(
            members,
            key=lambda node: (
                not (node.report and node.report.leader == node.raft_id),
                -(node.report.term if node.report else 0),
                node.address,
            ),
        )
    ]
