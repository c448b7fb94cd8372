"""A node that founded a cluster of its own is set aside; whose cluster is whose is never guessed.

Compared with brute force: each cluster in turn is taken for the service's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hypothesis import given, settings
from hypothesis import strategies as st

from quorumshift.adapters.raft.dialects import ETCD
from quorumshift.adapters.raft.etcd_look import EtcdNodes
from quorumshift.adapters.raft.etcd_view import Said, Silent
from quorumshift.domain.handover import Next, goal_for, plan
from quorumshift.domain.joining import combine
from quorumshift.domain.policy import Policy
from quorumshift.domain.raft import (
    ClusterObservation,
    Colour,
    Membership,
    RaftMember,
    Report,
    Standing,
    Task,
    quorum,
)
from quorumshift.domain.reading import read
from quorumshift.usecases.hand_over import _via

ADDRESSES = tuple(f"10.0.0.{number}" for number in range(1, 7))


@dataclass(frozen=True)
class Etcd:
    """One node. ``cluster``: the one that it is of; the first voter of each that answers leads."""

    address: str
    cluster: str
    colour: Colour
    answers: bool = True
    learns: bool = False


class Told(EtcdNodes):
    """What etcds would say. ``listed``: an address that the cluster ``1`` lists besides its own."""

    def __init__(self, nodes: Sequence[Etcd], listed: str = "") -> None:
        super().__init__(2379, 1.0)
        self.nodes = {node.address: node for node in nodes}
        self.listed = listed

    def __repr__(self) -> str:
        return f"Told({list(self.nodes.values())}, {self.listed!r})"

    def ask(self, address: str) -> Said | Silent:
        node = self.nodes[address]
        if not node.answers:
            return Silent(f"{address}: no answer")
        members = self.members_of(node.cluster)
        voters = [m.raft_id for m in members if m.standing is Standing.VOTER]
        up = [v for v in voters if self.nodes[v.split("@")[1]].answers]
        leader = up[0] if len(up) >= quorum(len(voters)) else None
        report = Report(f"{node.cluster}@{address}", 7, leader, 9, 9, learns=node.learns)
        return Said(address, node.cluster, "3.5.1", report, None if node.learns else members)

    def members_of(self, cluster: str) -> tuple[RaftMember, ...]:
        own = [node for node in self.nodes.values() if node.cluster == cluster]
        found = [
            RaftMember(
                f"{cluster}@{node.address}",
                node.address,
                Standing.LEARNER if node.learns else Standing.VOTER,
            )
            for node in own
        ]
        if cluster == "1" and self.listed:
            found.append(RaftMember("1@admitted", self.listed, Standing.LEARNER))
        return tuple(found)

    def _members(
        self, address: str, seconds: float, linearizable: bool
    ) -> tuple[RaftMember, ...] | None:
        said = self.ask(address)
        if isinstance(said, Silent) or (linearizable and said.report.leader is None):
            return None
        return self.members_of(said.cluster)


def look(told: Told) -> ClusterObservation:
    tasks = [Task(f"arn:{n.address}", n.address, n.colour, True) for n in told.nodes.values()]
    view = told.observe(list(told.nodes))
    return combine(at=1.0, tasks=tasks, desired=3, view=view)


def service_of(told: Told) -> set[str]:
    """Which clusters may be the service's: those beside which everybody else that answers is a
    green node, alone in the list that it tells."""
    answering = [node for node in told.nodes.values() if node.answers]
    possible = set()
    for cluster in {node.cluster for node in answering}:
        ours = [node for node in answering if node.cluster == cluster]
        others = [node for node in answering if node.cluster != cluster]
        lone = all(
            len(told.members_of(node.cluster)) == 1 and node.colour is Colour.GREEN
            for node in others
        )
        if lone and (len(ours) > 1 or not others):
            possible.add(cluster)
    return possible


@st.composite
def stories(draw: st.DrawFn) -> Told:
    """Blue and green nodes of up to four clusters, most of them of the first."""
    nodes = [
        Etcd(
            address,
            draw(st.sampled_from(["1", "1", "1", "2", "3", "4"])),
            draw(st.sampled_from([Colour.BLUE, Colour.GREEN, Colour.GREEN])),
            draw(st.sampled_from([True, True, True, False])),
        )
        for address in ADDRESSES[: draw(st.integers(2, 6))]
    ]
    strangers = [node.address for node in nodes if node.cluster != "1"]
    return Told(nodes, draw(st.sampled_from(["", *strangers])))


@settings(max_examples=300, deadline=None)
@given(stories())
def test_only_who_cannot_be_of_the_service_is_set_aside(told: Told) -> None:
    answering = {node.cluster for node in told.nodes.values() if node.answers}
    seen = look(told)
    possible = service_of(told)
    if len(answering) > 1 and len(possible) != 1:
        assert seen.unknown, "on a doubt nothing is changed"
        found = plan(seen, goal_for(seen, Colour.GREEN), ETCD, Policy())
        assert found.decision in (Next.WAIT, Next.BLOCKED)
        return
    apart = {node.address for node in seen.nodes if node.apart}
    assert apart == {
        node.address
        for node in told.nodes.values()
        if node.answers and len(answering) > 1 and node.cluster not in possible
    }
    for node in seen.nodes:
        assert not (node.apart and node.report)
    healthy = {node.address for node in read(seen, Policy()).healthy}
    assert apart.isdisjoint({*healthy, *_via(seen, 0), *_via(seen, 1)})
    for colour in (Colour.BLUE, Colour.GREEN):
        assert apart.isdisjoint(goal_for(seen, colour).voters)
    if possible and seen.membership is Membership.CONFIRMED:
        ours = told.members_of(possible.pop())
        voters = {m.raft_id for m in ours if m.standing is Standing.VOTER}
        assert {node.raft_id for node in seen.voters} == voters


BLUE = [Etcd(at, "1", Colour.BLUE) for at in ADDRESSES[:3]]


def test_a_lone_green_node_is_set_aside_and_blue_is_seen_as_it_is() -> None:
    seen = look(Told([*BLUE, Etcd("10.0.0.4", "2", Colour.GREEN)], listed="10.0.0.4"))
    assert (seen.unknown, seen.membership) == ((), Membership.CONFIRMED)
    (alone,) = (node for node in seen.nodes if node.apart)
    assert (alone.address, alone.standing, alone.report) == ("10.0.0.4", Standing.LEARNER, None)
    assert alone.apart.startswith("started an etcd cluster of its own")


def test_a_lone_blue_node_beside_a_cluster_of_green_ones_is_a_doubt() -> None:
    """That is what a service of one looks like beside green nodes that found each other."""
    green = [Etcd(at, "2", Colour.GREEN) for at in ADDRESSES[3:]]
    (doubt,) = look(Told([BLUE[0], *green])).unknown
    assert doubt.startswith("10.0.0.1 started an etcd cluster of its own")
    assert "Whether its cluster is the service's cannot be told" in doubt


def test_a_learner_of_the_service_is_no_lone_node() -> None:
    learner = Etcd("10.0.0.4", "1", Colour.GREEN, learns=True)
    seen = look(Told([*BLUE, learner, Etcd("10.0.0.5", "2", Colour.GREEN)]))
    assert [node.address for node in seen.nodes if node.apart] == ["10.0.0.5"]
    assert seen.unknown == ()
