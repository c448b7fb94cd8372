"""What would happen if one node died, at any configuration of a path.

A row of a path says who votes, leads and is locked; here it becomes what would be observed then,
with one task gone, and the planner is asked what it would do. Rows that follow the present assume
that all went well until then: who was to be ready is ready, who learns has caught up.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from quorumshift.domain.abilities import able
from quorumshift.domain.handover import goal_for, last_resort, plan, turn
from quorumshift.domain.handover_scene import replacing, stranded
from quorumshift.domain.handover_steps import Configuration, Goal, Kind, Next, Plan
from quorumshift.domain.locks import is_locked
from quorumshift.domain.policy import Dialect, Policy
from quorumshift.domain.raft import ClusterObservation, Colour, Node, Report, Standing
from quorumshift.domain.reading import read, uncertainty


class Fate(StrEnum):
    """How a hand-over would go on, the best first.

    ``WAITS``: until ECS has replaced a task, or what is missing is there; after the settle deadline
    it turns back where that is safe. ``TURNS_BACK``: the votes go to blue again. ``STUCK``: nothing
    is safe until a person acts. ``QUORUM_LOST``: the cluster stands still.
    """

    GOES_ON = "goesOn"
    WAITS = "waits"
    TURNS_BACK = "turnsBack"
    STUCK = "stuck"
    QUORUM_LOST = "quorumLost"


@dataclass(frozen=True, slots=True)
class Death:
    """What would happen if the task at ``address`` ended in one configuration.

    ``standing``: its place there. ``tolerance``: how many more might fail then; negative: the
    quorum is lost. ``election``: it leads, so another must be elected first.
    """

    address: str
    standing: Standing
    tolerance: int
    election: bool
    fate: Fate


Deaths = tuple[Death, ...]


@dataclass(frozen=True, slots=True)
class Course:
    """Where a hand-over goes, and by which rules. ``goal``: the colour that shall vote; ``least``:
    with how many of its tasks, where the service wants fewer."""

    goal: Colour
    dialect: Dialect
    policy: Policy
    least: int = 0

    def plan(self, seen: ClusterObservation) -> Plan:
        """The next step; where it only takes or renews locks first, what comes after them."""
        for _ in range(len(seen.nodes) + 1):
            found = plan(seen, self.voters(seen), self.dialect, self.policy)
            step = found.step
            if step is None or step.kind not in (Kind.LOCK, Kind.RELEASE):
                return found
            if len(found.path) > 1 and found.path[1].step == step:
                return found
            until = seen.at + self.policy.lock_minutes * 60 if step.kind is Kind.LOCK else None
            seen = _locked(seen, step.tasks, until)
        return found

    def voters(self, seen: ClusterObservation) -> Goal:
        """Which nodes shall vote."""
        return goal_for(seen, self.goal, least=self.least)

    def back(self) -> Course:
        """The same rules, with blue as the goal and without a rest."""
        return Course(Colour.BLUE, self.dialect, replace(self.policy, bake_before_majority=False))


def forecast(
    observation: ClusterObservation, path: Sequence[Configuration], course: Course
) -> tuple[Deaths, ...]:
    """For each row of ``path``: every task that may die then, in the observation's order."""
    return tuple(_deaths(reached(observation, row, course), row, course) for row in path)


def reached(
    observation: ClusterObservation, row: Configuration, course: Course
) -> ClusterObservation:
    """What would be observed at ``row``; the present is what was observed."""
    if row.step is None:
        return observation
    reading = read(observation, course.policy)
    if reading.leader is None or reading.leader.report is None:
        raise ValueError("a path needs a leader: " + reading.doubt)
    leader = observation.node(row.leader)
    as_member = replace(
        reading.leader.report, leader=_raft_id(leader) if leader else None, voters=None
    )
    capable = able(observation)
    wanted = course.voters(observation).voters
    until = observation.at + course.policy.lock_minutes * 60

    def then(node: Node) -> Node:
        standing = _standing(node.address, row)
        member = standing is not Standing.OUTSIDE
        sick = node.address in row.unhealthy
        return replace(
            node,
            standing=standing,
            ready=node.task is not None and (node.ready or member or node.address in wanted),
            locked_until=until if node.address in row.locked else None,
            raft_id=_raft_id(node) if member else None,
            report=_sick(node, as_member)
            if sick
            else _well(node, as_member, joins_only=node.address not in capable)
            if member
            else None,
        )

    return replace(observation, nodes=tuple(then(node) for node in observation.nodes))


def outlook(seen: ClusterObservation, course: Course) -> Fate:
    """How a hand-over that sees this would go on."""
    onward = course.plan(seen)
    if _goes(onward):
        return Fate.GOES_ON
    if uncertainty(seen, course.policy) or read(seen, course.policy).leader is None:
        return Fate.WAITS
    if onward.path and onward.path[0].tolerance < 0:
        return Fate.QUORUM_LOST
    if onward.decision is Next.WAIT and (len(onward.path) > 1 or lacks_tasks(seen, course)):
        return Fate.WAITS
    return _turned(seen, course)


def lacks_tasks(seen: ClusterObservation, course: Course) -> bool:
    """Whether ECS is still to start tasks of the goal."""
    return replacing(seen, course.voters(seen))


def _deaths(seen: ClusterObservation, row: Configuration, course: Course) -> Deaths:
    wanted = course.voters(seen).voters
    known: dict[object, Fate] = {}
    found = []
    for node in seen.nodes:
        if node.task is None:
            continue
        left = row.without(frozenset({node.address}))
        leads = node.address == row.leader
        kind = (_kind(node, seen.at), leads, node.address in wanted)
        if kind not in known:  # who is alike in all that a plan depends on shares a fate
            known[kind] = Fate.QUORUM_LOST if left < 0 else _fate(seen, node, leads, course)
        found.append(Death(node.address, node.standing, left, leads, known[kind]))
    return tuple(found)


def _fate(seen: ClusterObservation, node: Node, leads: bool, course: Course) -> Fate:
    after = _without(seen, node)
    ways = list(_elected(after, seen, course)) if leads else [after]
    order = list(Fate)
    return max((_with_replacement(way, node, course) for way in ways), key=order.index)


def _with_replacement(seen: ClusterObservation, node: Node, course: Course) -> Fate:
    """The fate without ``node``: what can go on once ECS has started it anew, waits for that."""
    if course.plan(seen).decision is Next.WAIT or lacks_tasks(seen, course):
        replacement = Node(
            f"{node.address}+", node.colour, Standing.OUTSIDE, f"{node.task}+", ready=True
        )
        anew = replace(seen, nodes=(*seen.nodes, replacement))
        return Fate.WAITS if _goes(course.plan(anew)) else outlook(anew, course)
    return outlook(seen, course)


def _turned(seen: ClusterObservation, course: Course) -> Fate:
    """For what cannot go on: whether blue can be had instead, be it with the quorum alone."""
    home = course.back()
    goal = course.voters(seen)
    onward = turn(seen, goal, course.dialect, course.policy)
    if onward == goal and course.goal is not Colour.BLUE:
        return Fate.STUCK
    if stranded(seen, home.voters(seen)):
        return Fate.STUCK
    least = home.policy.minimum_voters
    lenient = replace(home, policy=last_resort(home.policy), least=least)
    for way in (home, lenient):
        if _goes(way.plan(seen)):
            return Fate.GOES_ON if course.goal is Colour.BLUE else Fate.TURNS_BACK
    return Fate.STUCK


def _goes(found: Plan) -> bool:
    return found.decision in (Next.STEP, Next.DONE) or found.resting


def _elected(
    after: ClusterObservation, before: ClusterObservation, course: Course
) -> Iterator[ClusterObservation]:
    """The observation after an election; one for a winner of each kind, as any may win. Who was
    healthy stays so, whichever log is the longest: the winner brings the others to its own."""
    reading = read(before, course.policy)
    healthy = {node.address for node in reading.healthy}
    kinds = set()
    for node in reading.healthy:
        left = after.node(node.address)
        if left is None or left.report is None:
            continue
        kind = (left.colour, left.report.joins_only)
        if kind not in kinds:
            kinds.add(kind)
            brought = dict.fromkeys(healthy, left.report.last_index)
            yield replace(
                after,
                nodes=tuple(_follows(n, left, reading.term, brought) for n in after.nodes),
            )


def _follows(node: Node, winner: Node, term: int | None, brought: Mapping[str, int]) -> Node:
    report = node.report
    if report is None or term is None or report.term != term:
        return node
    last = brought.get(node.address, report.last_index)
    return replace(
        node, report=replace(report, term=term + 1, leader=winner.raft_id, last_index=last)
    )


def _without(seen: ClusterObservation, gone: Node) -> ClusterObservation:
    """Its task is gone; a member stays in the list."""
    dead = replace(gone, colour=Colour.NONE, task=None, ready=False, locked_until=None, report=None)
    nodes = tuple(dead if node is gone else node for node in seen.nodes)
    return replace(
        seen, nodes=tuple(n for n in nodes if n is not dead or n.standing is not Standing.OUTSIDE)
    )


def _locked(
    seen: ClusterObservation, tasks: Sequence[str], until: float | None
) -> ClusterObservation:
    nodes = (
        replace(node, locked_until=until) if node.task in tasks else node for node in seen.nodes
    )
    return replace(seen, nodes=tuple(nodes))


def _standing(address: str, row: Configuration) -> Standing:
    if address in row.voters:
        return Standing.VOTER
    return Standing.LEARNER if address in row.learners else Standing.OUTSIDE


def _raft_id(node: Node) -> str:
    """Its Raft id; before it is admitted nobody knows it."""
    return node.raft_id or f"?{node.address}"


def _well(node: Node, pattern: Report, *, joins_only: bool) -> Report:
    return replace(pattern, raft_id=_raft_id(node), joins_only=joins_only)


def _sick(node: Node, pattern: Report) -> Report | None:
    """What ails it stays, whoever leads by now."""
    if node.report is None or node.report.term != pattern.term:
        return node.report
    return replace(node.report, leader=pattern.leader if node.report.leader else None)


def _kind(node: Node, at: float) -> object:
    report = node.report
    return (
        node.colour,
        node.standing,
        node.ready,
        is_locked(node, at),
        report and (report.term, report.leader, report.last_index, report.applied_index),
        report and (report.voters, report.joins_only),
    )
