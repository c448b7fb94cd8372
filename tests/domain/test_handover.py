"""The planner, one turn at a time: cases as files, and what holds for anything that may be seen."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import combinations, pairwise
from typing import Any

import pytest
from hypothesis import given, settings

from quorumshift.domain.data import from_json, to_json
from quorumshift.domain.handover import (
    Configuration,
    Cover,
    Goal,
    Kind,
    Next,
    Plan,
    Step,
    goal_for,
    last_resort,
    plan,
    turn,
)
from quorumshift.domain.handover_scene import stranded
from quorumshift.domain.policy import Dialect, Policy
from quorumshift.domain.raft import ClusterObservation, Colour, Membership
from tests.domain import cases
from tests.domain.strategies import (
    ETCD,
    dialects,
    fleet,
    observations,
    policies,
    under_way,
)

GREENS = Goal(frozenset({"g1", "g2", "g3"}))
BLUES = Goal(frozenset({"b1", "b2", "b3"}))


def line(row: Configuration) -> str:
    """A row of a path as one line."""
    step = row.step
    what = f"{step.kind} {' '.join(step.tasks) or step.address}" if step else "now"
    notes = [f"{row.blue}/{row.green} led by {row.leader}"]
    notes.append(f"quorum {row.quorum}, tolerance {row.tolerance}")
    notes += [f"learns: {' '.join(row.learners)}"] if row.learners else []
    notes.append(f"locked: {' '.join(row.locked) or 'nobody'}")
    notes += [f"unhealthy: {' '.join(row.unhealthy)}"] if row.unhealthy else []
    vanish = {"green": row.green_may_vanish, "blue": row.blue_may_vanish}
    notes.append(f"may vanish: {' '.join(c for c, may in vanish.items() if may) or 'neither'}")
    notes += ["POINT OF NO RETURN"] if row.point_of_no_return else []
    return f"{what} → {'; '.join(notes)}"


def readable(found: Plan) -> dict[str, Any]:
    """A plan as its case file has it."""
    return {**to_json(found), "path": [line(row) for row in found.path]}


@pytest.mark.parametrize("name", cases.names("handover"))
def test_case(name: str) -> None:
    asked = cases.question("handover", name)
    seen = cases.observation("handover", name)
    dialect = from_json(Dialect, asked["dialect"])
    policy = from_json(Policy, asked["policy"])
    found = plan(seen, goal_for(seen, Colour(asked["goal"])), dialect, policy)
    cases.compare("handover", name, "plan", readable(found))


def test_there_are_cases_enough() -> None:
    assert len(cases.names("handover")) >= 20


# What holds for anything


@settings(max_examples=400, deadline=None)
@given(observations() | under_way(), dialects(), policies())
def test_every_plan_is_sound(
    observation: ClusterObservation, dialect: Dialect, policy: Policy
) -> None:
    for colour in (Colour.GREEN, Colour.BLUE):
        goal = goal_for(observation, colour)
        found = plan(observation, goal, dialect, policy)
        assert from_json(Plan, json.loads(json.dumps(to_json(found)))) == found
        assert found.reason
        assert (found.step is not None) is (found.decision is Next.STEP)
        assert bool(found.advice) is (found.decision is Next.BLOCKED)
        inferred = observation.membership is Membership.INFERRED and policy.allow_inferred
        uncertain = not inferred and observation.membership is not Membership.CONFIRMED
        if found.step and found.step.kind not in (Kind.LOCK, Kind.RELEASE):
            assert not uncertain
            assert not found.resting
        if found.path and found.path[-1].step:
            check_end(found, goal, observation)
            check_path(found, policy, observation.desired)


def check_end(found: Plan, goal: Goal, observation: ClusterObservation) -> None:
    """A path ends with the goal; or with as many voters more as it lacks tasks, or with one more,
    who alone could have removed others."""
    last = found.path[-1]
    kept = set(last.voters) - goal.voters
    assert goal.voters <= set(last.voters)
    assert last.leader in last.voters
    if kept and len(goal.voters) < observation.desired:
        assert len(last.voters) <= observation.desired
    elif kept:
        (node,) = (observation.node(address) for address in kept)
        assert node is not None
        assert node.report is not None
        assert not node.report.joins_only
        assert stranded(observation, goal)


def check_path(found: Plan, policy: Policy, desired: int) -> None:
    """No row of a path is below the quorum, below the promised tolerance, or without locks."""
    for before, after in pairwise(found.path):
        fit = set(after.voters) - set(after.unhealthy)
        floor = min(policy.tolerance, before.tolerance)
        for dead in combinations(sorted(fit), max(0, floor)):
            assert 2 * len(fit - set(dead)) > len(after.voters)
        assert len(after.locked) <= max(desired, len(before.locked))
        changed = set(before.voters) ^ set(after.voters)
        assert after.step is not None
        assert len(changed) <= 1 or after.step.kind is Kind.REPLACE_ALL
        if changed and found.cover is Cover.QUORUM:
            check_locks(before, after, desired)


def check_locks(before: Configuration, after: Configuration, desired: int) -> None:
    """As many locks as could be taken before the change, and no more lacking after it."""
    fit = set(before.voters) - set(before.unhealthy)
    assert before.quorum - lacking(before) >= min(before.quorum, len(fit), desired)
    assert lacking(after) <= lacking(before)


def lacking(row: Configuration) -> int:
    """How many locks a quorum of locked healthy voters lacks."""
    fit = set(row.voters) - set(row.unhealthy)
    return max(0, row.quorum - len(fit & set(row.locked)))


@settings(max_examples=100, deadline=None)
@given(observations() | under_way(), dialects(), policies())
def test_a_turn_is_a_colours_goal(
    observation: ClusterObservation, dialect: Dialect, policy: Policy
) -> None:
    green = goal_for(observation, Colour.GREEN)
    blue = goal_for(observation, Colour.BLUE)
    for stuck in (True, False):
        assert turn(observation, green, dialect, policy, stuck=stuck) in (green, blue)
        assert turn(observation, blue, dialect, policy, stuck=stuck) == blue


# Goals


def test_a_goal_is_every_task_of_one_colour() -> None:
    assert goal_for(fleet(3, 3), Colour.GREEN) == GREENS
    assert goal_for(fleet(3, 3), Colour.BLUE) == BLUES


def test_a_member_without_a_task_is_no_goal() -> None:
    observation = fleet(3, 3, voters="b1 b2 b3 g1", gone="g1")
    assert goal_for(observation, Colour.GREEN) == Goal(frozenset({"g2", "g3"}))


def test_of_more_tasks_than_wanted_those_that_vote_and_answer_are_the_goal() -> None:
    observation = fleet(
        3, 5, desired=3, voters="b1 b2 b3 g1 g4", silent="g1", unready="g2", learners="g5"
    )
    assert goal_for(observation, Colour.GREEN) == Goal(frozenset({"g4", "g5", "g3"}))


def test_what_leads_or_is_locked_stays_the_goal() -> None:
    observation = fleet(5, 3, desired=3, leader="b4", locked="b5")
    assert goal_for(observation, Colour.BLUE) == Goal(frozenset({"b4", "b5", "b1"}))


# Turning back


class TestTurn:
    policy = Policy()

    def turned(self, observation: ClusterObservation, *, stuck: bool = True) -> Goal:
        return turn(observation, GREENS, ETCD, self.policy, stuck=stuck)

    def test_before_the_point_of_no_return_it_is_back(self) -> None:
        assert self.turned(fleet(3, 3, voters="b1 b2 b3 g1")) == BLUES

    def test_where_neither_colour_is_a_quorum_it_is_back_if_there_is_a_path(self) -> None:
        assert self.turned(fleet(3, 3, voters="b1 b2 g1 g2", locked="b1 g1 g2")) == BLUES

    def test_past_it_it_goes_forward_while_green_can(self) -> None:
        observation = fleet(3, 3, voters="b1 g1 g2 g3", leader="g1", locked="b1 g1 g2")
        assert self.turned(observation, stuck=False) == GREENS
        assert self.turned(observation) == GREENS

    def test_past_it_and_stuck_blue_votes_again(self) -> None:
        observation = fleet(
            3, 3, voters="b1 g1 g2", leader="g1", locked="b1 g1 g2", learners="g3", silent="g3"
        )
        assert self.turned(observation, stuck=False) == GREENS
        assert self.turned(observation) == BLUES

    def test_while_too_little_is_known_nothing_turns(self) -> None:
        observation = replace(fleet(3, 3), membership=Membership.LOCAL)
        assert self.turned(observation) == GREENS
        assert self.turned(fleet(3, 3, leader="")) == GREENS

    def test_where_blue_alone_is_out_of_reach_it_goes_forward_while_it_can(self) -> None:
        """Green's first vote under a leader that cannot remove it: to wait for green is better."""
        observation = fleet(
            3, 3, voters="b1 b2 b3 g1", learners="g2", behind="g2", joins="b1 b2 b3"
        )
        allowed = Policy(allow_inferred=True)
        assert turn(observation, GREENS, ETCD, allowed) == GREENS
        lagging = fleet(3, 3, learners="g2", behind="g2", joins="b1 b2 b3")
        assert turn(lagging, GREENS, ETCD, allowed) == BLUES

    def test_and_back_as_far_as_may_be_where_it_cannot(self) -> None:
        observation = fleet(3, 3, voters="b1 b2 b3 g1 g2", joins="b1 b2 b3 g1 g2")
        allowed = Policy(allow_inferred=True)
        assert plan(observation, GREENS, ETCD, allowed).decision is Next.BLOCKED
        assert turn(observation, GREENS, ETCD, allowed) == BLUES

    def test_a_turn_back_stays_one(self) -> None:
        observation = fleet(3, 3, voters="b1 g1 g2 g3", leader="g1")
        assert turn(observation, BLUES, ETCD, self.policy) == BLUES


def test_the_last_resort_is_without_the_silent_and_never_below_the_minimum() -> None:
    """A blue voter that stays silent: the policy's tolerance cannot be reached with it."""
    observation = fleet(3, 3, voters="b1 b2 b3 g1 g2", silent="b3", locked="b1 b2 g1", leader="g1")
    assert plan(observation, BLUES, ETCD, Policy()).decision is Next.WAIT
    assert plan(observation, BLUES, ETCD, last_resort(Policy())).decision is Next.WAIT
    others = goal_for(observation, Colour.BLUE, without=frozenset({"b3"}))
    found = plan(observation, others, ETCD, last_resort(Policy()))
    assert (found.step and found.step.kind, found.step and found.step.address) == (
        Kind.REMOVE,
        "b3",
    )
    assert {len(row.voters) - len(row.unhealthy) for row in found.path} == {4, 3}
    assert found.path[-1].voters == ("b1", "b2", "g1"), "one of green stays until there is a third"


def test_what_is_refused_for_long_is_left_out_where_there_is_another_way() -> None:
    """Two of green vote in the place of one of blue, and who leads admits nobody."""
    observation = fleet(3, 3, voters="b2 b3 g1 g2", locked="b2 b3 g1", leader="b2")
    refused = frozenset({(Kind.ADMIT, "b1")})
    found = plan(observation, BLUES, ETCD, Policy(), refused)
    assert found.path[1].step is not None
    assert found.path[1].step.kind is Kind.REMOVE
    assert found.path[-1].voters == ("b1", "b2", "b3"), "with other voters it may be admitted"
    three = fleet(3, 3, voters="b2 b3 g1", locked="b2 b3 g1", leader="b2")
    again = plan(three, BLUES, ETCD, Policy(), refused)
    assert again.step is not None
    assert (again.step.kind, again.step.address) == (Kind.ADMIT, "b1"), "there is no other way"


def test_who_refuses_two_admissions_is_not_asked_for_a_third() -> None:
    observation = fleet(3, 3, voters="b3 g1 g2 g3", locked="b3 g1 g2", leader="b3")
    refused = frozenset({(Kind.ADMIT, "b1"), (Kind.ADMIT, "g9")})
    for tried in (refused, refused - {(Kind.ADMIT, "g9")}):
        found = plan(observation, BLUES, ETCD, Policy(), tried)
        first = found.path[1].step
        assert first is not None
        expected = (Kind.REMOVE, None) if len(tried) > 1 else (Kind.ADMIT, "b2")
        assert first.kind is expected[0]
        assert expected[1] in (None, first.address)


def test_locks_that_ecs_refuses_for_long_are_done_without_in_the_end() -> None:
    observation = fleet(3, 3, voters="b1 b2 b3 g1", locked="b1", leader="b1")
    refused = frozenset({(Kind.LOCK, "b2")})
    assert plan(observation, BLUES, ETCD, last_resort(Policy())).step is not None
    found = plan(observation, BLUES, ETCD, last_resort(Policy()), refused)
    assert found.step is not None
    assert (found.step.kind, found.step.address) == (Kind.REMOVE, "g1")


def test_back_a_raft_is_asked_to_admit_beside_a_voter_that_only_we_do_not_hear() -> None:
    """etcd takes a frozen node for connected. Forward, to turn back is better."""
    back = fleet(3, 3, voters="b1 b2 g1 g2", silent="g1", locked="b1 b2 g2", leader="b1")
    deaf = plan(back, BLUES, ETCD, Policy(), frozenset({(Kind.REMOVE, "g1")}))
    assert deaf.path[1].step is not None
    assert deaf.path[1].step.kind in (Kind.ADMIT, Kind.REMOVE)
    ahead = fleet(3, 3, voters="b1 b2 b3 g1", silent="g1", locked="b1 b2 b3", leader="b1")
    assert plan(ahead, GREENS, ETCD, Policy()).step is None


# Baking


class TestBake:
    policy = Policy(bake_before_majority=True)

    def planned(self, observation: ClusterObservation, policy: Policy | None = None) -> Plan:
        return plan(observation, GREENS, ETCD, policy or self.policy)

    def test_it_rests_before_the_step_from_which_green_may_not_vanish(self) -> None:
        observation = fleet(3, 3, voters="b1 b2 g1", locked="b1 g1 g2", learners="g2")
        found = self.planned(observation)
        assert (found.decision, found.resting, found.crossed) == (Next.WAIT, True, False)
        assert found.path[0].green_may_vanish
        assert found.path[1].point_of_no_return

    def test_it_goes_on_when_asked_without(self) -> None:
        observation = fleet(3, 3, voters="b1 b2 g1", locked="b1 g1 g2", learners="g2")
        found = self.planned(observation, Policy())
        assert found.step is not None
        assert (found.step.kind, found.step.address) == (Kind.PROMOTE, "g2")

    def test_a_learner_is_not_waited_for_by_resting(self) -> None:
        observation = fleet(3, 3, voters="b1 b2 g1", locked="b1 g1 g2", learners="g2", behind="g2")
        assert not self.planned(observation).resting

    def test_it_neither_rests_earlier_nor_past_it(self) -> None:
        assert self.planned(fleet(3, 3)).decision is Next.STEP
        past = fleet(3, 3, voters="b1 b2 g1 g2", locked="b1 g1 g2")
        assert self.planned(past).decision is Next.STEP


def test_a_goal_that_has_vanished_is_refused() -> None:
    gone = Goal(frozenset({"g1", "g2", "g9"}))
    found = plan(fleet(3, 3), gone, ETCD, Policy())
    assert found.decision is Next.BLOCKED
    assert found.sentence == "g9 of the goal has no task any more. Aim at the tasks there are."


def test_a_row_tells_what_is_left_when_nodes_die() -> None:
    row = plan(fleet(3, 3, silent="b3"), GREENS, ETCD, Policy()).path[0]
    assert (row.tolerance, row.unhealthy) == (0, ("b3",))
    assert row.without(frozenset({"b3", "g1"})) == 0
    assert row.without(frozenset({"b1"})) == -1


def test_following_the_plan_ends_with_green_alone() -> None:
    """The steps in order, as one reads them in the log of a rehearsal."""
    path = plan(fleet(3, 3), GREENS, ETCD, Policy()).path
    steps = [row.step for row in path if row.step]
    assert [words(step) for step in steps] == [
        "lock b1 b2 g1",
        "admit g1",
        "promote g1",
        "remove b2",
        "release b2",
        "lock g2",
        "admit g2",
        "promote g2",
        "admit g3",
        "promote g3",
        "transfer g1",
        "remove b3",
        "remove b1",
        "release b1",
    ]


def words(step: Step) -> str:
    targets = [task.removeprefix("task/") for task in step.tasks] or [step.address]
    return f"{step.kind} {' '.join(targets)}"


def test_votes_go_home_though_the_cluster_takes_no_writes_and_not_onward() -> None:
    """An alarm of etcd stops writes, not changes of members; blue may not end under it."""
    seen = fleet(3, 3, voters="b1 b2 b3 g1", locked="b1 b2 g1")
    nodes = (
        replace(n, report=replace(n.report, alarms=("alarm NOSPACE",)) if n.report else None)
        for n in seen.nodes
    )
    ringing = replace(seen, nodes=tuple(nodes))
    onward = plan(ringing, GREENS, ETCD, Policy())
    assert (onward.decision, "alarm NOSPACE" in onward.reason) == (Next.BLOCKED, True)
    assert plan(ringing, BLUES, ETCD, Policy()).decision is Next.STEP
    assert turn(ringing, GREENS, ETCD, Policy()) == BLUES


@pytest.mark.parametrize("goal", [GREENS, BLUES])
def test_nothing_is_changed_where_no_change_can_be_made(goal: Goal) -> None:
    seen = replace(fleet(3, 3, locked="b1 b2"), unworkable=("Authentication is on.",))
    found = plan(seen, goal, ETCD, Policy())
    assert (found.decision, found.reason) == (Next.BLOCKED, "Authentication is on.")


def test_a_cluster_whose_voters_trail_is_waited_for_with_their_names() -> None:
    found = plan(fleet(3, 3, behind="b2 b3"), GREENS, ETCD, Policy())
    assert (found.decision, found.step, found.advice) == (Next.WAIT, None, "")
    assert found.reason.startswith("The quorum of 2 is lost (b2 trails by ")
    assert [row.tolerance for row in found.path] == [-1]


def test_a_service_that_wants_no_task_has_no_goal_and_one_that_does_waits_for_ecs() -> None:
    for desired, decision in ((0, Next.BLOCKED), (3, Next.WAIT)):
        seen = fleet(0, 0, desired=desired, voters="")
        assert plan(seen, goal_for(seen, Colour.GREEN), ETCD, Policy()).decision is decision


def test_a_task_that_is_gone_is_no_goal_whatever_its_colour() -> None:
    seen = fleet(3, 3)
    nodes = (replace(n, task=None if n.address == "g2" else n.task) for n in seen.nodes)
    goal = goal_for(replace(seen, nodes=tuple(nodes)), Colour.GREEN)
    assert goal.voters == {"g1", "g3"}


def test_what_is_not_known_is_told_before_that_nobody_leads() -> None:
    seen = replace(fleet(3, 3, leader=""), unknown=("The table cannot be read.",))
    assert plan(seen, GREENS, ETCD, Policy()).reason == "The table cannot be read."


def test_a_due_renewal_comes_first_until_locks_are_refused() -> None:
    seen = fleet(3, 3, locked="b1 b2")
    soon = (replace(n, locked_until=seen.at + 60 if n.locked_until else None) for n in seen.nodes)
    seen = replace(seen, nodes=tuple(soon))
    due = plan(seen, GREENS, ETCD, Policy())
    assert due.reason.startswith("Time to renew")
    admission = frozenset({(Kind.ADMIT, "g1"), (Kind.RELEASE, "")})
    assert plan(seen, GREENS, ETCD, Policy(), admission) == due
    locks = plan(seen, GREENS, ETCD, Policy(), frozenset({(Kind.LOCK, "")}))
    assert not locks.reason.startswith("Time to renew")


def test_past_the_point_of_no_return_what_is_blocked_turns_back_though_nothing_is_stuck() -> None:
    seen = fleet(3, 3, voters="b1 g1 g2 g3", leader="g1", locked="g1 g2 g3")
    nodes = (
        replace(n, report=replace(n.report, alarms=("alarm NOSPACE",)) if n.report else None)
        for n in seen.nodes
    )
    ringing = replace(seen, nodes=tuple(nodes))
    assert plan(ringing, GREENS, ETCD, Policy()).decision is Next.BLOCKED
    assert turn(ringing, GREENS, ETCD, Policy(), stuck=False) == BLUES
    assert turn(seen, GREENS, ETCD, Policy(), stuck=False) == GREENS


def test_the_last_resort_gives_up_what_is_to_spare_only_against_who_is_silent() -> None:
    asked = Policy(tolerance=2)
    assert last_resort(asked) == replace(asked, tolerance=0, allow_unlocked=True)
    assert last_resort(asked, silent=False) == replace(asked, allow_unlocked=True)
