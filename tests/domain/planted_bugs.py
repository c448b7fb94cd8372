"""Planners with one bug each. The model check must find every one of them.

Some believe a false observation, some do another step than the planned one, some have a wrong rule
inside the search. Each is a slip that a person could make.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

import pytest

from quorumshift.domain import handover, handover_search, handover_votes
from quorumshift.domain.handover import Goal, Kind, Next, Plan, Step, plan
from quorumshift.domain.handover_problem import Problem
from quorumshift.domain.handover_space import Space
from quorumshift.domain.handover_steps import Refused
from quorumshift.domain.handover_votes import Votes
from quorumshift.domain.policy import Dialect, Policy
from quorumshift.domain.raft import ClusterObservation, Colour, Node, Report, Standing
from tests.domain import model_check
from tests.domain.model import LAST, TERM, Planner

Patch = pytest.MonkeyPatch
Maker = Callable[[Patch], Planner]
BUGS: dict[str, tuple[Maker, str]] = {}
"""Each bug, and what the check is to say of it."""
JOINING: set[str] = set()
"""Those that only do harm where blue can just admit and promote."""


WORLDS: dict[str, str] = {}
"""Those that only do harm in worlds of a set of their own, and which."""
LATE = "three, ECS starts no task of one that is missing"
CUT = "three, a voter is cut off"
ALARM = "three, an alarm"


def _bug(flaw: str, *, joining: bool = False, world: str = "") -> Callable[[Maker], Maker]:
    def enlist(make: Maker) -> Maker:
        BUGS[make.__name__] = (make, flaw)
        if world:
            WORLDS[make.__name__] = world
        if joining:
            JOINING.add(make.__name__)
        return make

    return enlist


# Planners that believe what is not so


def _believing(lie: Callable[[ClusterObservation], ClusterObservation]) -> Planner:
    def planner(
        seen: ClusterObservation, goal: Goal, dialect: Dialect, policy: Policy, refused: Refused
    ) -> Plan:
        return plan(lie(seen), goal, dialect, policy, refused)

    return planner


def _each(lie: Callable[[Node], Node]) -> Planner:
    return _believing(lambda seen: replace(seen, nodes=tuple(lie(node) for node in seen.nodes)))


@_bug("done below tolerance")
def takes_silent_voters_for_healthy(_: Patch) -> Planner:
    def lie(seen: ClusterObservation) -> ClusterObservation:
        leader = next((node.report.leader for node in seen.nodes if node.report), None)
        nodes = (
            replace(n, report=Report(n.raft_id, TERM, leader, LAST, LAST))
            if n.raft_id and n.report is None and n.standing is Standing.VOTER
            else n
            for n in seen.nodes
        )
        return replace(seen, nodes=tuple(nodes))

    return _believing(lie)


@_bug("a learner was promoted that lags")
def takes_every_learner_for_caught_up(_: Patch) -> Planner:
    return _each(
        lambda n: (
            replace(n, report=replace(n.report, last_index=LAST, applied_index=LAST))
            if n.report
            else n
        )
    )


@_bug("too many locks")
def does_not_see_locks(_: Patch) -> Planner:
    return _each(lambda n: replace(n, locked_until=None))


@_bug("while a vote could be locked")
def sees_locks_everywhere(_: Patch) -> Planner:
    return _each(lambda n: replace(n, locked_until=1e9 if n.task else None))


@_bug("too many locks")
def does_not_know_the_limit_of_locks(_: Patch) -> Planner:
    return _believing(lambda seen: replace(seen, desired=len(seen.nodes)))


@_bug("locks that end are not renewed")
def does_not_look_when_locks_end(_: Patch) -> Planner:
    return _each(lambda n: replace(n, locked_until=1e9 if n.locked_until else None))


@_bug("a removal was asked of a leader that only joins", joining=True)
def takes_every_node_for_able(_: Patch) -> Planner:
    return _each(lambda n: replace(n, report=n.report and replace(n.report, joins_only=False)))


@_bug("too many learners")
def admits_as_many_as_it_likes(_: Patch) -> Planner:
    def planner(
        seen: ClusterObservation, goal: Goal, dialect: Dialect, policy: Policy, refused: Refused
    ) -> Plan:
        return plan(seen, goal, replace(dialect, learners_at_a_time=9), policy, refused)

    return planner


# Planners that do something else


def _instead(change: Callable[[Plan, ClusterObservation, Goal], Plan]) -> Planner:
    def planner(
        seen: ClusterObservation, goal: Goal, dialect: Dialect, policy: Policy, refused: Refused
    ) -> Plan:
        return change(plan(seen, goal, dialect, policy, refused), seen, goal)

    return planner


def _do(kind: Kind, nodes: Iterable[Node], old: Plan) -> Plan:
    first, *rest = nodes
    tasks = tuple(node.task for node in (first, *rest) if node.task)
    step = Step(kind, first.address, first.raft_id, first.task, "A bug.", tasks)
    return replace(old, decision=Next.STEP, step=step)


def _is_step(found: Plan, kind: Kind) -> bool:
    return found.step is not None and found.step.kind is kind


@_bug("the leader was removed")
def removes_the_leader(_: Patch) -> Planner:
    def change(found: Plan, seen: ClusterObservation, goal: Goal) -> Plan:
        leaders = [n for n in seen.voters if n.report and n.report.leader == n.raft_id]
        return _do(Kind.REMOVE, leaders, found) if _is_step(found, Kind.TRANSFER) else found

    return _instead(change)


@_bug("would lose the quorum")
def releases_blue_as_soon_as_green_votes(_: Patch) -> Planner:
    def change(found: Plan, seen: ClusterObservation, goal: Goal) -> Plan:
        greens = [node for node in seen.voters if node.colour is Colour.GREEN]
        blues = [n for n in seen.nodes if n.colour is Colour.BLUE and n.locked_until]
        return _do(Kind.RELEASE, blues, found) if len(greens) > 1 and blues else found

    return _instead(change)


@_bug("done with locks left over")
def never_releases(_: Patch) -> Planner:
    def change(found: Plan, seen: ClusterObservation, goal: Goal) -> Plan:
        if _is_step(found, Kind.RELEASE) and {n.address for n in seen.voters} == goal.voters:
            return replace(found, decision=Next.DONE, step=None)
        return found

    return _instead(change)


@_bug("done with leftovers")
def leaves_learners_behind(_: Patch) -> Planner:
    def change(found: Plan, seen: ClusterObservation, goal: Goal) -> Plan:
        node = seen.node(found.step.address) if found.step else None
        if _is_step(found, Kind.REMOVE) and node and node.standing is Standing.LEARNER:
            return replace(found, decision=Next.DONE, step=None)
        return found

    return _instead(change)


@_bug("done without locks")
def is_done_when_green_is_a_quorum(_: Patch) -> Planner:
    def change(found: Plan, seen: ClusterObservation, goal: Goal) -> Plan:
        votes = [node for node in seen.voters if node.address in goal.voters]
        enough = 2 * len(votes) > len(seen.voters)
        return replace(found, decision=Next.DONE, step=None) if enough else found

    return _instead(change)


@_bug("goes in circles")
def moves_leadership_before_each_change(_: Patch) -> Planner:
    def change(found: Plan, seen: ClusterObservation, goal: Goal) -> Plan:
        fit = [n for n in seen.voters if n.report and n.task and n.report.last_index == LAST]
        away = [n for n in fit if n.report and n.report.leader != n.raft_id]
        return _do(Kind.TRANSFER, away, found) if _is_step(found, Kind.ADMIT) and away else found

    return _instead(change)


@_bug("leadership was moved between nodes that only join", joining=True)
def moves_leadership_to_whoever_votes(_: Patch) -> Planner:
    def change(found: Plan, seen: ClusterObservation, goal: Goal) -> Plan:
        away = [n for n in seen.voters if n.report and n.report.leader != n.raft_id]
        return _do(Kind.TRANSFER, away, found) if _is_step(found, Kind.TRANSFER) else found

    return _instead(change)


@_bug("the promised tolerance is broken|fewer voters are left than the minimum")
def removes_a_blue_voter_first(_: Patch) -> Planner:
    def change(found: Plan, seen: ClusterObservation, goal: Goal) -> Plan:
        away = [n for n in seen.voters if n.report and n.report.leader != n.raft_id]
        return _do(Kind.REMOVE, away, found) if _is_step(found, Kind.ADMIT) and away else found

    return _instead(change)


@_bug("stuck without a reason")
def gives_up_without_saying_why(_: Patch) -> Planner:
    def change(found: Plan, seen: ClusterObservation, goal: Goal) -> Plan:
        if any(node.task is None for node in seen.nodes):
            return replace(found, decision=Next.BLOCKED, step=None, reason="", advice="")
        return found

    return _instead(change)


# Planners whose search follows a wrong rule


def _searching(patch: Patch) -> Planner:
    patch.setattr(handover_search, "_space", Space)  # nothing of the bug stays in the cache
    return handover.plan


@_bug("would lose the quorum|fewer than a quorum")
def takes_half_for_a_majority(patch: Patch) -> Planner:
    patch.setattr(handover_votes, "quorum", lambda voters: (voters + 1) // 2)
    return _searching(patch)


@_bug("while a vote could be locked")
def searches_without_locks(patch: Patch) -> Planner:
    patch.setattr(Space, "uncovered", lambda self, state: 0)
    patch.setattr(Space, "missing", lambda self, state: 0)
    return _searching(patch)


@_bug("a removal was asked of a leader that only joins", joining=True)
def searches_as_if_any_leader_could_remove(patch: Patch) -> Planner:
    def may_remove(self: Space, at: int, leading: int, votes: Votes) -> bool:
        first = not self.groups[at].healthy or not votes.unhealthy_leaving
        return at != leading and first

    patch.setattr(Space, "_may_remove", may_remove)
    return _searching(patch)


@_bug("the promised tolerance is broken|fewer voters are left than the minimum")
def spends_the_last_spare_vote(patch: Patch) -> Planner:
    rule = Space._enter

    def enter(self: Space, voters: int, before: Votes, weakest: int) -> int | None:
        kept: Problem = self.problem
        self.problem = replace(kept, tolerance=0, minimum_voters=1)
        try:
            return rule(self, voters, before, weakest)
        finally:
            self.problem = kept

    patch.setattr(Space, "_enter", enter)
    patch.setattr(
        handover_search, "range", lambda best, stop, by: iter(range(0, -1, -1)), raising=False
    )
    return _searching(patch)


@_bug("while a vote could be locked")
def changes_before_the_votes_are_locked(patch: Patch) -> Planner:
    patch.setattr(Space, "missing", lambda self, state: 0)
    rule = Space.uncovered
    patch.setattr(Space, "uncovered", lambda self, state: min(1, rule(self, state)))
    return _searching(patch)


@_bug("fewer voters are left than the minimum|done below tolerance")
def counts_no_minimum(patch: Patch) -> Planner:
    def planner(
        seen: ClusterObservation, goal: Goal, dialect: Dialect, policy: Policy, refused: Refused
    ) -> Plan:
        return plan(seen, goal, dialect, replace(policy, minimum_voters=1, tolerance=0), refused)

    return planner


# What only shows where ECS starts no task, a voter is cut off, or the cluster takes no writes


def _quorum_alone(policy: Policy, *, silent: bool = True) -> Policy:
    return replace(policy, tolerance=0, minimum_voters=1, allow_unlocked=True)


@_bug("fewer voters are left than the minimum|the promised tolerance", world=LATE)
def asks_for_the_quorum_alone_in_the_end(patch: Patch) -> Planner:
    patch.setattr(model_check, "last_resort", _quorum_alone)
    return plan


@_bug("fewer voters are left than the minimum|the promised tolerance", world=CUT)
def asks_for_the_quorum_alone_where_a_voter_is_cut_off(patch: Patch) -> Planner:
    patch.setattr(model_check, "last_resort", _quorum_alone)
    return plan


@_bug("while a vote could be locked", world=LATE)
def takes_the_tasks_there_are_for_all(_: Patch) -> Planner:
    def planner(
        seen: ClusterObservation, goal: Goal, dialect: Dialect, policy: Policy, refused: Refused
    ) -> Plan:
        size = len(goal.voters)
        less = replace(policy, minimum_voters=min(size, policy.minimum_voters), tolerance=0)
        return plan(replace(seen, desired=size), goal, dialect, less, refused)

    return planner


@_bug("a change forward without writes|done without writes", world=ALARM)
def does_not_read_alarms(_: Patch) -> Planner:
    return _each(lambda n: replace(n, report=n.report and replace(n.report, alarms=())))


@_bug("while a vote could be locked", world=CUT)
def takes_whoever_answers_for_healthy(_: Patch) -> Planner:
    def lie(seen: ClusterObservation) -> ClusterObservation:
        leader = next((n.report.leader for n in seen.nodes if n.report and n.report.leader), None)
        return replace(
            seen,
            nodes=tuple(
                replace(n, report=n.report and replace(n.report, term=TERM, leader=leader))
                for n in seen.nodes
            ),
        )

    return _believing(lie)


@_bug("while a vote could be locked", world=CUT)
def forgets_voters_that_name_no_leader(_: Patch) -> Planner:
    return _believing(
        lambda seen: replace(
            seen, nodes=tuple(n for n in seen.nodes if not (n.report and n.report.leader is None))
        )
    )


@_bug("done without all votes|done below|nobody leads|done with")
def is_done_when_green_leads(_: Patch) -> Planner:
    def change(found: Plan, seen: ClusterObservation, goal: Goal) -> Plan:
        leads = any(
            n.report and n.report.leader == n.raft_id and n.colour is Colour.GREEN
            for n in seen.voters
        )
        return replace(found, decision=Next.DONE, step=None) if leads else found

    return _instead(change)


@_bug("done with leftovers|nobody leads|done without all votes")
def is_done_when_leadership_is_to_move(_: Patch) -> Planner:
    def change(found: Plan, seen: ClusterObservation, goal: Goal) -> Plan:
        moves = _is_step(found, Kind.TRANSFER)
        return replace(found, decision=Next.DONE, step=None) if moves else found

    return _instead(change)


@_bug("would lose the quorum|fewer than a quorum")
def gives_back_all_locks_at_once(_: Patch) -> Planner:
    def change(found: Plan, seen: ClusterObservation, goal: Goal) -> Plan:
        held = [n for n in seen.nodes if n.locked_until and n.task]
        return _do(Kind.RELEASE, held, found) if _is_step(found, Kind.RELEASE) else found

    return _instead(change)


@_bug("goes in circles")
def takes_out_who_begins_to_learn(_: Patch) -> Planner:
    def change(found: Plan, seen: ClusterObservation, goal: Goal) -> Plan:
        learning = [n for n in seen.nodes if n.standing is Standing.LEARNER]
        go = _is_step(found, Kind.PROMOTE) and learning
        return _do(Kind.REMOVE, learning, found) if go else found

    return _instead(change)


@_bug("stuck though nothing is broken")
def waits_for_ever_once_green_votes(_: Patch) -> Planner:
    def change(found: Plan, seen: ClusterObservation, goal: Goal) -> Plan:
        green = any(n.colour is Colour.GREEN for n in seen.voters)
        return replace(found, decision=Next.WAIT, step=None) if green else found

    return _instead(change)


@_bug("leadership was moved to a node that cannot lead")
def moves_leadership_to_a_learner(_: Patch) -> Planner:
    def change(found: Plan, seen: ClusterObservation, goal: Goal) -> Plan:
        learning = [n for n in seen.nodes if n.standing is Standing.LEARNER]
        go = _is_step(found, Kind.PROMOTE) and learning
        return _do(Kind.TRANSFER, learning, found) if go else found

    return _instead(change)


@_bug("tolerance|minimum|quorum")
def takes_the_well_out_before_the_dead(_: Patch) -> Planner:
    def change(found: Plan, seen: ClusterObservation, goal: Goal) -> Plan:
        node = seen.node(found.step.address) if found.step else None
        dead = _is_step(found, Kind.REMOVE) and node and node.standing is Standing.VOTER
        well = [n for n in seen.voters if n.report and n.report.leader != n.raft_id]
        go = dead and node and node.report is None and well
        return _do(Kind.REMOVE, well, found) if go else found

    return _instead(change)


@_bug("a member was admitted while a voter is not connected")
def admits_beside_a_voter_that_is_not_connected(_: Patch) -> Planner:
    def planner(
        seen: ClusterObservation, goal: Goal, dialect: Dialect, policy: Policy, refused: Refused
    ) -> Plan:
        lax = replace(dialect, joins_need_every_voter=False)
        return plan(seen, goal, lax, policy, refused)

    return planner


@_bug("blocked without advice|stuck without a reason", world=LATE)
def does_not_say_what_it_waits_for(_: Patch) -> Planner:
    return _instead(lambda found, seen, goal: replace(found, reason="", advice=""))
