"""Is the cluster healthy: cases as files, and brute force over every failure."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import combinations

import pytest
from hypothesis import given, settings

from quorumshift.domain.data import from_json, to_json
from quorumshift.domain.guard import termination_guard
from quorumshift.domain.health import Decision, Verdict, assess, steady
from quorumshift.domain.policy import FirstContract, Policy
from quorumshift.domain.raft import (
    ClusterObservation,
    Colour,
    Membership,
    Node,
    Standing,
)
from tests.domain import cases
from tests.domain.strategies import NOW, fleet, observations, policies


@pytest.mark.parametrize("name", cases.names("health"))
def test_case(name: str) -> None:
    asked = cases.question("health", name)
    policy = from_json(Policy, asked["policy"])
    first = from_json(FirstContract, asked.get("firstContract", {}))
    verdict = assess(cases.observation("health", name), policy, first)
    cases.compare("health", name, "verdict", to_json(verdict))


def leads(observation: ClusterObservation) -> Node | None:
    """The one node that leads in the highest term and that a majority names, by brute force."""
    members = [n for n in observation.nodes if n.standing is not Standing.OUTSIDE and n.report]
    top = max((n.report.term for n in members if n.report), default=None)
    for node in observation.voters:
        named = [
            v
            for v in observation.voters
            if v.report and v.report.leader == node.raft_id and v.report.term == top
        ]
        itself = node.report and node.report.leader == node.raft_id and node.report.term == top
        if itself and 2 * len(named) > len(observation.voters):
            rivals = [
                n
                for n in members
                if n.report and n.report.leader == n.raft_id and n.report.term == top
            ]
            return node if len(rivals) == 1 else None
    return None


def works(observation: ClusterObservation, policy: Policy, dead: set[str]) -> bool:
    """Whether a majority of the voters would still be alive and caught up."""
    leader = leads(observation)
    if leader is None or leader.report is None:
        return False
    left = [
        node
        for node in observation.voters
        if node.report
        and node.address not in dead
        and node.report.term == leader.report.term
        and node.report.leader == leader.raft_id
        and not node.report.learns
        and not any(voter.report and voter.report.alarms for voter in observation.voters)
        and leader.report.last_index - node.report.last_index <= policy.trailing_entries
    ]
    return 2 * len(left) > len(observation.voters)


@settings(max_examples=400, deadline=None)
@given(observations(), policies())
def test_proceed_is_what_enumerating_every_failure_says(
    observation: ClusterObservation, policy: Policy
) -> None:
    voters = [node.address for node in observation.voters]
    survives = all(
        works(observation, policy, set(dead))
        for many in range(policy.tolerance + 1)
        for dead in combinations(voters, many)
    )
    inferred = observation.membership is Membership.INFERRED and policy.allow_inferred
    known = (observation.membership is Membership.CONFIRMED or inferred) and not observation.unknown
    enough = len(voters) >= max(1, policy.minimum_voters)
    verdict = assess(observation, policy)
    assert (verdict.decision is Decision.PROCEED) is (survives and known and enough)
    assert verdict.reasons
    assert from_json(Verdict, json.loads(json.dumps(to_json(verdict)))) == verdict


@settings(max_examples=400, deadline=None)
@given(observations(), policies())
def test_the_guard_is_what_ending_every_task_says(
    observation: ClusterObservation, policy: Policy
) -> None:
    for ending in (Colour.BLUE, Colour.GREEN):
        verdict = termination_guard(observation, ending, policy)
        if verdict.decision is not Decision.PROCEED:
            assert verdict.reasons
            continue
        ended = {n.address for n in observation.nodes if n.colour is ending or n.task is None}
        voters = [node.address for node in observation.voters]
        for many in range(policy.tolerance + 1):
            for dead in combinations(voters, many):
                assert works(observation, policy, ended | set(dead))
        leader = leads(observation)
        assert leader is not None
        assert leader.address not in ended
        inferred = observation.membership is Membership.INFERRED and policy.allow_inferred
        assert observation.membership is Membership.CONFIRMED or inferred


def test_the_message_names_the_voter_and_what_to_do() -> None:
    verdict = assess(fleet(3, 0, silent="b2"), Policy())
    assert verdict.decision is Decision.ABORT
    assert verdict.sentence == (
        "1 of 3 voters does not answer (b2): tolerance is 0, the policy asks 1. "
        "Bring it back, then start again."
    )
    assert (verdict.evidence.leader, verdict.evidence.tolerance) == ("b1", 0)


@pytest.mark.parametrize("membership", [Membership.LOCAL, Membership.INFERRED, Membership.UNKNOWN])
def test_unconfirmed_membership_is_never_proceed(membership: Membership) -> None:
    observation = replace(fleet(3, 0), membership=membership)
    assert assess(observation, Policy()).decision is Decision.WAIT
    assert termination_guard(observation, Colour.GREEN, Policy()).decision is Decision.WAIT


def test_what_could_not_be_learnt_is_never_proceed() -> None:
    observation = replace(fleet(3, 0), unknown=("The locks could not be read.",))
    verdict = assess(observation, Policy())
    assert (verdict.decision, verdict.sentence) == (Decision.WAIT, "The locks could not be read.")


def with_reports(observation: ClusterObservation, **told: object) -> ClusterObservation:
    """Every node that answers says this, too."""
    nodes = (
        replace(n, report=replace(n.report, **told) if n.report else None)  # type: ignore[arg-type] # the test's own fields
        for n in observation.nodes
    )
    return replace(observation, nodes=tuple(nodes))


def test_an_alarm_is_named_whoever_else_is_in_doubt() -> None:
    seen = replace(with_reports(fleet(3, 3), alarms=("alarm NOSPACE",)), unknown=("What else.",))
    for verdict in (assess(seen, Policy()), termination_guard(seen, Colour.GREEN, Policy())):
        assert verdict.decision is Decision.ABORT
        assert verdict.sentence == (
            "The cluster does not take every write: alarm NOSPACE (told by b1, b2, b3)."
        )


def test_what_cannot_be_worked_with_is_not_waited_for() -> None:
    unworkable = ("Authentication is on.",)
    seen = replace(fleet(3, 0), membership=Membership.LOCAL, unworkable=unworkable)
    for verdict in (assess(seen, Policy()), termination_guard(seen, Colour.GREEN, Policy())):
        assert (verdict.decision, verdict.reasons) == (Decision.ABORT, unworkable)


def test_an_observation_of_before_is_read() -> None:
    old = to_json(fleet(3, 0))
    del old["unworkable"]
    for node in old["nodes"]:
        del node["report"]["alarms"], node["report"]["learns"]
    assert from_json(ClusterObservation, old) == fleet(3, 0)


class TestSteady:
    policy = Policy(stabilisation_seconds=10)

    def look(self, seconds: float, leader: str = "b1", voters: str = "b1 b2 b3") -> Verdict:
        first = fleet(3, 0, voters="b1 b2 b3")
        second = replace(fleet(4, 0, voters=voters, leader=leader), at=NOW + seconds)
        return steady(first, second, self.policy)

    def test_the_same_picture_later_is_proceed(self) -> None:
        assert self.look(10).decision is Decision.PROCEED

    def test_the_same_picture_at_once_is_not(self) -> None:
        verdict = self.look(0)
        assert verdict.decision is Decision.WAIT
        assert "the policy asks 10 s" in verdict.sentence

    def test_another_leader_is_not(self) -> None:
        verdict = self.look(10, leader="b2")
        assert verdict.decision is Decision.WAIT
        assert "moved from b1 (term 7) to b2 (term 7)" in verdict.sentence

    def test_other_voters_are_not(self) -> None:
        verdict = self.look(10, voters="b1 b2 b4")
        assert verdict.decision is Decision.WAIT
        assert "b1, b2, b3 to b1, b2, b4" in verdict.sentence

    def test_an_unhealthy_second_look_is_what_it_is(self) -> None:
        sick = replace(fleet(3, 0, silent="b3"), at=NOW + 10)
        assert steady(fleet(3, 0), sick, self.policy) == assess(sick, self.policy)

    def test_an_unhealthy_first_look_is_waited_out(self) -> None:
        well = replace(fleet(3, 0), at=NOW + 10)
        verdict = steady(fleet(3, 0, silent="b3"), well, self.policy)
        assert verdict.decision is Decision.WAIT
        assert "b3" in verdict.sentence


class TestGuard:
    def test_blue_may_end_when_green_has_everything(self) -> None:
        observation = fleet(3, 3, voters="g1 g2 g3", leader="g1")
        verdict = termination_guard(observation, Colour.BLUE, Policy())
        assert verdict.decision is Decision.PROCEED
        assert verdict.evidence.tolerance == 1

    @pytest.mark.parametrize(
        ("voters", "leader", "reason"),
        [
            ("b1 b2 b3", "b1", "it would be lost"),
            ("b1 g1 g2 g3", "g1", "tolerance would be 0"),
            ("b1 b2 g1 g2 g3", "b1", "move leadership first"),
            ("b1 b2 g1 g2", "g1", "it would be lost"),
        ],
    )
    def test_blue_may_not_end(self, voters: str, leader: str, reason: str) -> None:
        observation = fleet(3, 3, voters=voters, leader=leader)
        verdict = termination_guard(observation, Colour.BLUE, Policy())
        assert verdict.decision is Decision.ABORT
        assert reason in verdict.sentence

    def test_an_election_is_waited_for(self) -> None:
        observation = fleet(3, 3, voters="g1 g2 g3", leader="")
        assert termination_guard(observation, Colour.BLUE, Policy()).decision is Decision.WAIT

    def test_nothing_at_all_is_not_safe(self) -> None:
        observation = replace(fleet(0, 0), membership=Membership.CONFIRMED)
        assert termination_guard(observation, Colour.BLUE, Policy()).decision is Decision.ABORT
