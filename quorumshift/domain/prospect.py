"""A whole hand-over, seen from now: the next step, the path, what each death would do, the end."""

from __future__ import annotations

from dataclasses import dataclass, replace

from quorumshift.domain.forecast import (
    Course,
    Deaths,
    Fate,
    forecast,
    lacks_tasks,
    outlook,
    reached,
)
from quorumshift.domain.guard import termination_guard
from quorumshift.domain.handover import goal_for, plan
from quorumshift.domain.handover_steps import Configuration, Next, Plan
from quorumshift.domain.health import Verdict
from quorumshift.domain.locks import locked
from quorumshift.domain.policy import Dialect, Policy
from quorumshift.domain.raft import ClusterObservation, Colour, Node, Standing


@dataclass(frozen=True, slots=True)
class Prospect:
    """What ``quorumshift plan`` tells.

    ``goal``: the colour that shall vote; ``safe``: there is something safe to do, or nothing left
    to do. ``imagined``: addresses of tasks that do not exist yet. ``plan``: the next step and the
    path; where locks are to be renewed first, the path that follows. ``outlook``: what a hand-over
    that is under way would do. ``forecast``: for each row of the path, each death. ``ending``:
    whether the other colour may end once the path is walked, ``None`` where none leads to the goal.
    ``observation``: what all this was made of, the imagined tasks included. ``deployment``: the one
    that was asked about; ``stopped``: it does not run any more. ``busy``: one that is under way,
    where the look was for none.
    """

    goal: Colour
    safe: bool
    imagined: tuple[str, ...]
    plan: Plan
    outlook: Fate
    forecast: tuple[Deaths, ...]
    ending: Verdict | None
    observation: ClusterObservation
    dialect: Dialect
    policy: Policy
    deployment: str | None = None
    stopped: bool = False
    busy: str = ""


def look_ahead(
    observation: ClusterObservation, colour: Colour, dialect: Dialect, policy: Policy
) -> Prospect:
    """Plan the hand-over to ``colour``. Pure; never raises for what was observed."""
    seen, imagined = imagine(observation, colour)
    course = Course(colour, dialect, policy)
    found = plan(seen, goal_for(seen, colour), dialect, policy)
    if found.decision is Next.STEP and not found.path:
        found = replace(found, path=_from_now(course.plan(seen).path, seen))
    rows = found.path
    arrives = len(rows) > 1 or found.decision is Next.DONE
    other = Colour.BLUE if colour is Colour.GREEN else Colour.GREEN
    return Prospect(
        goal=colour,
        safe=is_safe(found, seen, course),
        imagined=imagined,
        plan=found,
        outlook=outlook(seen, course),
        forecast=forecast(seen, rows, course),
        ending=termination_guard(reached(seen, rows[-1], course), other, policy)
        if arrives
        else None,
        observation=seen,
        dialect=dialect,
        policy=policy,
    )


def _from_now(
    path: tuple[Configuration, ...], seen: ClusterObservation
) -> tuple[Configuration, ...]:
    """A path that begins once some locks are taken, with the present's locks at its head."""
    held = tuple(sorted(node.address for node in locked(seen)))
    return tuple(replace(row, locked=held) if row.step is None else row for row in path)


def imagine(
    observation: ClusterObservation, goal: Colour
) -> tuple[ClusterObservation, tuple[str, ...]]:
    """Where green is the goal and nothing is deployed: the observation as if as many green tasks
    were up as the service wants, and their addresses."""
    if goal is not Colour.GREEN or any(node.colour is Colour.GREEN for node in observation.nodes):
        return observation, ()
    names = tuple(f"green-{at}" for at in range(1, observation.desired + 1))
    new = tuple(Node(name, Colour.GREEN, Standing.OUTSIDE, name, ready=True) for name in names)
    return replace(observation, nodes=(*observation.nodes, *new)), names


def is_safe(found: Plan, seen: ClusterObservation, course: Course) -> bool:
    """Whether there is a step to do, nothing left to do, or a wait that ends by itself: for what a
    known path waits for, or for tasks that ECS is to start."""
    if found.decision is not Next.WAIT:
        return found.decision is not Next.BLOCKED
    if found.path and found.path[0].tolerance < 0:
        return False
    known = bool(found.path) or not course.voters(seen).voters
    return len(found.path) > 1 or (known and lacks_tasks(seen, course))
