"""What one turn of the hand-over decides, from what it sees and what the turn before left."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum

from quorumshift.domain.between import at_rest, trouble
from quorumshift.domain.event_budget import least_pause
from quorumshift.domain.handover import Goal, Next, Plan, goal_for, last_resort, plan, turn
from quorumshift.domain.handover_steps import Kind, Refused
from quorumshift.domain.look import Look
from quorumshift.domain.policy import Dialect, Policy
from quorumshift.domain.raft import ClusterObservation, Colour
from quorumshift.domain.reading import listed
from quorumshift.domain.rollout_facts import WAS_STOPPED
from quorumshift.domain.standstill import Memory, out_of_question, remember
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
    """What comes next. ``OVERTAKEN``: nothing, as the rollout has the votes no more."""

    STEP = "step"
    WAIT = "wait"
    DONE = "done"
    BLOCKED = "blocked"
    OVERTAKEN = "overtaken"


@dataclass(frozen=True, slots=True)
class Planned:
    """One turn's plan, and what later turns must know of it.

    ``goal``: the colour that shall vote in the end, by now; ``turned``: why that is no longer the
    one asked for. ``began``: epoch seconds of the first turn; ``stuck_since``: of the first turn
    of those in a row in which nothing moved. ``rested``: it has baked where the policy asks for it.
    ``lenient``: the way back asks for no locks any more, and takes out voters that stay silent,
    because it was stuck with more. ``memory``: what was refused, and who is not well.
    ``asked_before``: how often this step was tried already without another way left, so that it is
    asked of another node now. ``drained_seconds``: the pauses in which it waited for blue's users,
    in all. ``told``: people were told that the way back stands still; ``tell``: they are to be.
    ``turns``: how many there were, this one included.
    ``troubled_since``: epoch seconds since when, between rollouts, something is not well that no
    step of ours cures.
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
    memory: Memory = field(default_factory=Memory)
    asked_before: int = 0
    settle_seconds: int = 0
    drained_seconds: int = 0
    told: bool = False
    tell: bool = False
    troubled_since: float | None = None
    turns: int = 1


@dataclass(frozen=True, slots=True)
class _Way:
    """How to plan: what the service can do, what its policy asks, and what turns have added."""

    dialect: Dialect
    policy: Policy
    rested: bool
    lenient: bool
    memory: Memory

    def plan(self, seen: ClusterObservation, goal: Colour) -> Plan:
        policy = replace(self.policy, bake_before_majority=False) if self.rested else self.policy
        if goal is Colour.BLUE and self.lenient:
            policy = last_resort(policy, silent=bool(self.memory.silent(self.policy)))
        return plan(seen, self.voters(seen, goal), self.dialect, policy, self.refused(goal))

    def voters(self, seen: ClusterObservation, goal: Colour) -> Goal:
        """Without those who cannot vote; in the end without those who do not answer, where others
        take their place: a vote more that may come back harms less than too few."""
        without = out_of_question(seen, self.memory, goal)
        if goal is Colour.GREEN or not self.lenient:
            return goal_for(seen, goal, without=without)
        least = self.policy.minimum_voters
        silent = self.memory.silent(self.policy)
        others = goal_for(seen, goal, without=without | silent, least=least)
        ailing = {one.address for one in self.memory.ailing}
        green = sum(n.colour is Colour.GREEN and n.address not in ailing for n in seen.voters)
        enough = len(others.voters) + green >= min(seen.desired, least)
        return others if enough else goal_for(seen, goal, without=without, least=least)

    def refused(self, goal: Colour) -> Refused:
        """On the way back the next best is tried; forward, to turn back is the next best."""
        return self.memory.lasting(self.policy) if goal is Colour.BLUE else frozenset()


@dataclass(frozen=True, slots=True)
class _Course:
    """Where a turn goes, and since when nothing has moved."""

    goal: Colour
    turned: str
    way: _Way
    found: Plan
    stuck: float | None


def next_turn(
    look: Look,
    asked: Colour,
    last: Planned | None,
    last_act: Act | None,
    dialect: Dialect,
    policy: Policy,
    *,
    between: bool = False,
    called_home: bool = False,
) -> Planned:
    """Plan one turn. Pure; ``last`` and ``last_act`` are what the turn before left.

    ``called_home``: nobody waits for an answer; it is over when the rollout has stopped, because
    the locks can be given back only then.

    ``between``: no rollout is the reason, but a task that ended or was started. Nothing presses
    then, so there is no last resort: a voter whose task runs keeps its vote. Once a rollout is
    under way, the votes are its own.
    """
    seen = look.cluster
    began = last.began if last else seen.at
    if look.overtaken:
        goal, turned = (last.goal, last.turned) if last else (asked, "")
        nothing = Plan(Next.WAIT, None, look.overtaken, "", (), crossed=False)
        return Planned(Turn.OVERTAKEN, goal, nothing, look.overtaken, began, turned)
    memory = _remembered(seen, last, last_act, policy, between=between)
    course = _course(look, asked, last, memory, dialect, policy, between=between)
    goal, found = course.goal, course.found
    decision, reason = _decided(course, policy)
    drained, pause = last.drained_seconds if last else 0, 0
    if decision is Turn.DONE and goal is Colour.GREEN:
        bye = farewell(seen, policy, drained, seen.at - began)
        drained, pause = drained + bye.pause, bye.pause
        decision = Turn.WAIT if pause else decision
        reason = bye.said if pause else f"{reason} {bye.said}".strip()
    troubled = between and bool(trouble(look, found, policy))
    since = ((last.troubled_since if last else None) or seen.at) if troubled else None
    if between and (rest := at_rest(look, found, policy, since)):
        decision, reason = Turn(rest[0].value), rest[1]
    if called_home and not look.stopped and not _only_locks(decision, found):
        decision, pause = Turn.WAIT, PAUSES[1]
        reason = f"{reason} The rollout has not stopped yet."
    if decision is not Turn.DONE and seen.at - began > LONGEST_SECONDS:
        decision, reason = Turn.BLOCKED, f"not done after {LONGEST_SECONDS / 60:.0f} min: {reason}"
    told = bool(last and last.told)
    turns = last.turns + 1 if last else 1
    pause = max(pause or _pause(seen, decision, course.stuck), least_pause(turns))
    tell = not told and not between and _waits_long(seen, decision, course, policy)
    return Planned(
        decision=decision,
        goal=goal,
        plan=found,
        reason=reason,
        began=began,
        turned=course.turned,
        stuck_since=course.stuck,
        rested=course.way.rested,
        lenient=course.way.lenient,
        memory=memory,
        asked_before=_asked_before(course),
        settle_seconds=pause,
        drained_seconds=drained,
        told=told or tell,
        tell=tell,
        troubled_since=since,
        turns=turns,
    )


def _only_locks(decision: Turn, found: Plan) -> bool:
    """Whether it may be done though the rollout runs on. Votes are not moved then: it may be ending
    blue already, which nobody stops any more."""
    return decision is Turn.STEP and found.step is not None and found.step.kind is Kind.LOCK


def _remembered(
    seen: ClusterObservation,
    last: Planned | None,
    last_act: Act | None,
    policy: Policy,
    *,
    between: bool,
) -> Memory:
    if last is None:
        return remember(seen, None, None, "", policy, between=between)
    step = last.plan.step if last.decision is Turn.STEP and last_act else None
    answer = last_act.refused if last_act else ""
    return remember(seen, last.memory, step, answer, policy, between=between)


def _course(
    look: Look,
    asked: Colour,
    last: Planned | None,
    memory: Memory,
    dialect: Dialect,
    policy: Policy,
    *,
    between: bool,
) -> _Course:
    """Where to go from here: on, to the last resort, or back."""
    seen = look.cluster
    goal, turned = (last.goal, last.turned) if last else (asked, "")
    if look.stopped and goal is Colour.GREEN:
        goal, turned = Colour.BLUE, _why_stopped(last)
    way = _Way(dialect, policy, bool(last and last.rested), bool(last and last.lenient), memory)
    found = way.plan(seen, goal)
    if found.resting and _stuck_for(last, seen) >= policy.stabilisation_seconds:
        way = replace(way, rested=True)
        found = way.plan(seen, goal)
    stuck = _stuck_since(seen, found, last, memory, policy)
    late = stuck is not None and seen.at - stuck > policy.settle_deadline_seconds
    if goal is Colour.BLUE and late and not between:
        way = replace(way, lenient=True)
        return _Course(goal, turned, way, way.plan(seen, goal), stuck)
    blocked = found.decision is Next.BLOCKED
    if goal is Colour.GREEN and (blocked or (late and not found.resting)) and _turns(seen, way):
        why = memory.refusals[-1].why if memory.refusals else found.sentence
        turned = _why_turned(why, seen, stuck)
        return _Course(Colour.BLUE, turned, way, way.plan(seen, Colour.BLUE), seen.at)
    return _Course(goal, turned, way, found, stuck)


def _decided(course: _Course, policy: Policy) -> tuple[Turn, str]:
    """What comes next, and why; with what is refused, while it is."""
    found, memory = course.found, course.way.memory
    decision, reason = Turn(found.decision.value), found.sentence
    if _doubted(found, memory, policy):
        who = listed(memory.doubtful(policy))
        decision = Turn.WAIT
        reason = f"{who} looks unhealthy; before anything rests on that there is a second look."
    elif found.decision is Next.BLOCKED and course.goal is Colour.BLUE and not course.way.lenient:
        decision = Turn.WAIT  # what the last resort is for may pass by itself
    if decision is not Turn.DONE and (refused := memory.said()):
        reason = f"{reason} {refused}"
    return decision, reason


def _asked_before(course: _Course) -> int:
    """How often the step was tried, where it lasts and there is no other way."""
    step, way = course.found.step, course.way
    if step is None or (step.kind, step.address) not in way.refused(course.goal):
        return 0
    return way.memory.tried(step)


def _waits_long(seen: ClusterObservation, decision: Turn, course: _Course, policy: Policy) -> bool:
    """Whether the way back stands still for longer than anything is waited for."""
    if course.goal is not Colour.BLUE or decision in (Turn.DONE, Turn.BLOCKED):
        return False
    return course.stuck is not None and seen.at - course.stuck > policy.settle_deadline_seconds


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


def _doubted(found: Plan, memory: Memory, policy: Policy) -> bool:
    """Whether a step must wait for a second look. To lock does no harm."""
    if found.step is None or found.step.kind is Kind.LOCK:
        return False
    return bool(memory.doubtful(policy))


def _stuck_for(last: Planned | None, seen: ClusterObservation) -> float:
    since = last.stuck_since if last else None
    return seen.at - since if since is not None else 0.0


def _stuck_since(
    seen: ClusterObservation, found: Plan, last: Planned | None, memory: Memory, policy: Policy
) -> float | None:
    """When this standstill began; ``None``: it goes on. A step that is not done is a standstill,
    whatever it was answered; and to try another one is no progress before anything has moved."""
    since = last.stuck_since if last else None
    stands = found.decision in (Next.WAIT, Next.BLOCKED) or _doubted(found, memory, policy)
    undone = any(refusal.until == seen.at for refusal in memory.refusals)
    moved = last is None or last.memory.configuration != memory.configuration
    trying = found.decision is Next.STEP and since is not None and not moved
    if stands or undone or trying:
        return seen.at if since is None else since
    return None
