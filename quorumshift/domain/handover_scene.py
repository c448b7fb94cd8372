"""One observation as the planner sees it, and as the search does: nodes in groups."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property

from quorumshift.domain.abilities import able
from quorumshift.domain.handover_problem import Counts, Group, Problem
from quorumshift.domain.handover_steps import Cover, Goal, Kind, Refused
from quorumshift.domain.locks import is_locked, is_pinned
from quorumshift.domain.policy import Dialect, Policy
from quorumshift.domain.raft import ClusterObservation, Colour, Node, Standing
from quorumshift.domain.reading import Reading, complaint, lag_of

Key = tuple[bool, Colour, bool, bool, bool, bool, tuple[Kind, ...], bool]


@dataclass(frozen=True)
class Scene:
    """All that a path depends on. ``hopeful``: voters that are unhealthy now, but have a task,
    count as healthy; ``abler``: all nodes can do what the dialect can. ``keepers``: the addresses
    of voters that are to stay besides the goal. ``lax``: the Raft is taken to admit a node while a
    voter is unhealthy, whatever the dialect says. ``refused``: what not to do now."""

    observation: ClusterObservation
    reading: Reading
    goal: Goal
    dialect: Dialect
    policy: Policy
    hopeful: bool = False
    abler: bool = False
    keepers: frozenset[str] = frozenset()
    lax: bool = False
    refused: Refused = frozenset()

    @property
    def leader(self) -> Node:
        """The confirmed leader."""
        if self.reading.leader is None:
            raise ValueError("a path needs a leader: " + self.reading.doubt)
        return self.reading.leader

    @cached_property
    def nodes(self) -> dict[str, Node]:
        """The nodes by address, the readiest first."""
        ranked = sorted(self.observation.nodes, key=self._rank)
        return {node.address: node for node in ranked}

    @cached_property
    def wanted(self) -> frozenset[str]:
        """The addresses that are to vote in the end."""
        return self.goal.voters | self.keepers

    @cached_property
    def able(self) -> frozenset[str]:
        """The addresses that can remove a member and hand leadership over when they lead."""
        if self.abler:
            return frozenset(self.nodes)
        return able(self.observation)

    @cached_property
    def locked(self) -> frozenset[str]:
        """The addresses whose tasks are protected."""
        nodes = self.observation.nodes
        return frozenset(node.address for node in nodes if is_locked(node, self.observation.at))

    @cached_property
    def healthy(self) -> frozenset[str]:
        """The addresses whose vote counts, or will once they have one. A member whose task is gone
        is about to fall silent, whatever it says."""
        answering = {node.address for node in self.reading.healthy}
        return frozenset(
            node.address
            for node in self.observation.nodes
            if node.task is not None
            and (node.address in answering or self.hopeful or node.standing is not Standing.VOTER)
        )

    @cached_property
    def groups(self) -> tuple[tuple[Key, tuple[Node, ...]], ...]:
        """The nodes that matter, those together that nothing tells apart."""
        groups: dict[Key, list[Node]] = {}
        for node in self.nodes.values():
            wanted = node.address in self.wanted
            if node.standing is Standing.VOTER or node.address in self.locked or wanted:
                groups.setdefault(self._key(node), []).append(node)
        return tuple((key, tuple(groups[key])) for key in sorted(groups))

    def problem(self, cover: Cover) -> Problem:
        """What the search needs to know, apart from where it starts."""
        barred = any(key[-2] for key, _ in self.groups)
        return Problem(
            groups=tuple(Group(*key, size=len(nodes)) for key, nodes in self.groups),
            budget=self._budget,
            tolerance=self.policy.tolerance,
            minimum_voters=self.policy.minimum_voters,
            learners=self.dialect.learners_at_a_time,
            leftover=sum(
                node.standing is Standing.LEARNER and node.address not in self.wanted
                for node in self.observation.nodes
            ),
            transfer=self.dialect.leadership_transfer,
            removal=self.dialect.removal,
            joint=self.dialect.joint_consensus,
            strict=self.dialect.joins_need_every_voter and not self.lax,
            cover=cover,
            here=tuple(counts.voters for counts in self.start()) if barred else (),
            ending=not forward(self),
        )

    @property
    def no_locks(self) -> bool:
        """Whether ECS has refused to lock for so long that no further lock is counted with."""
        return any(kind is Kind.LOCK for kind, _ in self.refused)

    @property
    def _budget(self) -> int:
        desired = self.observation.desired
        return min(desired, len(self.locked)) if self.no_locks else desired

    def start(self) -> list[Counts]:
        """Where the search starts."""
        return [
            Counts(
                voters=len(voting := [n for n in nodes if n.standing is Standing.VOTER]),
                locked=self._count_locked(voting),
                others=self._count_locked(n for n in nodes if n.standing is not Standing.VOTER),
            )
            for _, nodes in self.groups
        ]

    def unfit(self, node: Node) -> str:
        """Why a learner must not vote yet, or a voter not lead; empty when it may."""
        return unfit(node, self.leader, self.policy)

    def _count_locked(self, nodes: Iterable[Node]) -> int:
        return sum(node.address in self.locked for node in nodes)

    def _key(self, node: Node) -> Key:
        wanted = node.address in self.wanted
        return (
            wanted,
            node.colour,
            node.address in self.healthy,
            # Any other learner is removed before anything else, and is not in the way.
            wanted and node.standing is Standing.LEARNER,
            node.address == self.leader.address,
            node.address in self.able,
            self._barred(node),
            is_pinned(node, self.observation.at),
        )

    def _barred(self, node: Node) -> tuple[Kind, ...]:
        """The steps on this node that are out of question. Whoever refuses two admissions refuses
        all of them."""
        kinds = {kind for kind, address in self.refused if address == node.address}
        if sum(kind is Kind.ADMIT for kind, _ in self.refused) > 1:
            kinds.add(Kind.ADMIT)
        return tuple(sorted(kinds - {Kind.LOCK, Kind.RELEASE}))

    def _rank(self, node: Node) -> tuple[bool, bool, int, str]:
        told = node.report is not None
        lag = lag_of(node, self.leader) if told else 0
        return (not node.ready, not told, lag, node.address)


def forward(scene: Scene) -> bool:
    """Whether the goal is green's; else it is a turn back, or a change within blue."""
    return any(scene.nodes[at].colour is Colour.GREEN for at in scene.goal.voters)


def replacing(observation: ClusterObservation, goal: Goal) -> bool:
    """Whether the service wants more tasks than the goal has: ECS is still to start some."""
    return len(goal.voters) < observation.desired


def unfit(node: Node, leader: Node, policy: Policy) -> str:
    """Why a learner must not vote yet, or a voter not lead, under this leader; empty when it
    may."""
    if node.report is None:
        learns = node.standing is Standing.LEARNER
        return "was admitted and does not answer yet" if learns else "does not answer"
    backlog = node.report.last_index - node.report.applied_index
    if backlog > policy.trailing_entries:
        return f"has {backlog:,} entries still to apply"
    # Its own idea of the voters is left out: a learner's may be a moment old.
    trusting = replace(node, report=replace(node.report, voters=None))
    return complaint(trusting, leader, (), policy)


def lacking(scene: Scene) -> int:
    """How many voters a goal has too few, because ECS is still to start tasks of it."""
    policy = scene.policy
    need = min(scene.observation.desired, max(policy.minimum_voters, 2 * policy.tolerance + 1))
    return max(0, need - len(scene.goal.voters))


def kept(scene: Scene) -> list[frozenset[str]]:
    """Voters to keep besides the goal, the best choice first.

    As many as the goal lacks, where it lacks some. Else one that can remove a member when it leads,
    where nobody of the goal could take out the last of the others. Best is who can remove, then who
    leads, then whose task is locked.
    """
    others = spare(scene)
    if forward(scene) or not others:
        return []
    if more := lacking(scene):
        return [frozenset(others[:more])]
    if not stranded(scene.observation, scene.goal):
        return []
    return [frozenset({address}) for address in others if address in scene.able]


def spare(scene: Scene) -> list[str]:
    """The healthy voters outside the goal, the best to keep first."""
    leader = scene.leader.address
    voters = {node.address for node in scene.observation.voters}
    order = [
        (at not in scene.able, at != leader, at not in scene.locked, at)
        for at in (scene.healthy & voters) - scene.goal.voters
    ]
    return [address for *_, address in sorted(order)]


def stranded(observation: ClusterObservation, goal: Goal) -> bool:
    """Whether somebody votes who is to leave, and nobody of the goal could take out the last of
    them: whoever else is able to would be that last one, and no leader removes itself."""
    leaving = any(node.address not in goal.voters for node in observation.voters)
    return leaving and bool(goal.voters) and goal.voters.isdisjoint(able(observation))
