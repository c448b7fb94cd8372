"""Trap 7: three blue and three green tasks were six voters, and the end of blue's three lost the
quorum of four. Nobody may tell CodeDeploy that blue may end before green alone is enough."""

from __future__ import annotations

from dataclasses import replace

import pytest

from quorumshift.domain.guard import termination_guard
from quorumshift.domain.health import Decision, Verdict
from quorumshift.domain.policy import Policy
from quorumshift.domain.raft import ClusterObservation, Colour, Node, Standing
from quorumshift.usecases import hand_over
from tasks import answer_succeeded
from tasks.hooks import after_allow_traffic, after_install
from tests.domain.cluster_builder import cluster
from tests.tasks.aws import MemoryAws
from tests.traps.conftest import Deployed, Shipped
from tests.usecases.service import DEPLOYMENT, MemoryService

BLUE, GREEN = ("b1", "b2", "b3"), ("g1", "g2", "g3")
HOOK = {"DeploymentId": DEPLOYMENT, "LifecycleEventHookExecutionId": "hook-1"}
ASKED = {"deploymentId": DEPLOYMENT, "lifecycleEventHookExecutionId": "hook-1", "goal": "green"}


@pytest.mark.parametrize("leader", ["b1", "g1"])
def test_three_and_three_are_a_no(shipped: Shipped, leader: str) -> None:
    seen = cluster(BLUE, GREEN, voters=(*BLUE, *GREEN), leader=leader)
    policy = shipped.configuration.raft.policy
    careless = replace(policy, tolerance=0, minimum_voters=1, allow_unlocked=True)
    for asked in (policy, careless):
        verdict = termination_guard(seen, Colour.BLUE, asked)
        assert verdict.decision is Decision.ABORT
        assert "3 of 6 voters stay healthy" in verdict.sentence
        assert "the quorum is 4" in verdict.sentence


def green_votes_by_itself(service: MemoryService) -> None:
    """As SnakeTron's tasks did: they vote before any traffic moves."""
    members = [*service.cluster.config(), *(f"g{number}" for number in range(1, service.size + 1))]
    for raft_id in members[service.size :]:
        service.raft.admit(raft_id, ["b1"])
        service.roster(None)
        service.clock.sleep(1)
        service.raft.promote(str(len(service.cluster.nodes)), ["b1"])
        service.clock.sleep(6)  # etcd's five seconds


@pytest.fixture
def joined(deployed: Deployed) -> MemoryAws:
    """Green votes beside blue, under a leader of green's."""
    aws = deployed()
    green_votes_by_itself(aws.service)
    aws.service.raft.transfer(str(aws.service.size + 1), ["b1"])
    aws.service.clock.sleep(1)
    assert len(aws.service.voters()) == 2 * aws.service.size
    return aws


def test_the_end_of_blue_would_lose_it(joined: MemoryAws) -> None:
    service = joined.service
    assert service.cluster.leads()
    for task in list(service.tasks.values()):
        if task.colour is Colour.BLUE:
            service.kill(task.address)
    service.clock.sleep(10)
    assert not service.cluster.leads()


def test_code_deploy_is_not_told_that_blue_may_end(joined: MemoryAws) -> None:
    answer = answer_succeeded.handler(dict(ASKED), None)
    assert not answer["answered"]
    assert "it would be lost" in answer["reason"]
    after_allow_traffic.handler(HOOK, None)
    assert joined.answers == []


def test_green_that_votes_by_itself_is_refused_before_any_traffic(joined: MemoryAws) -> None:
    after_install.handler(HOOK, None)
    assert joined.answers == [("hook-1", "Failed")]
    assert "took a vote" in joined.evidence[0]


def only_who_stays(node: Node, ending: Colour) -> Node:
    """A node as one sees it who forgets that the members of dead tasks still count."""
    if node.colour is ending or node.report is None:
        return replace(node, standing=Standing.OUTSIDE)
    return replace(node, report=replace(node.report, voters=None))


def test_a_guard_that_counts_only_who_stays_is_found_out(
    joined: MemoryAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    def careless(seen: ClusterObservation, ending: Colour, policy: Policy) -> Verdict:
        nodes = tuple(only_who_stays(node, ending) for node in seen.nodes)
        return termination_guard(replace(seen, nodes=nodes), ending, policy)

    monkeypatch.setattr(hand_over, "termination_guard", careless)
    assert answer_succeeded.handler(dict(ASKED), None)["answered"]
    assert joined.answers == [("hook-1", "Succeeded")]
