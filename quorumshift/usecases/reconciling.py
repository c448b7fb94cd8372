"""Between deployments: the votes follow the tasks.

A task that a crash, a Spot interruption or a retirement ended leaves its vote behind, which raises
the quorum and answers nobody; the task that ECS starts in its place has none. The hand-over's own
planner puts that in order, within the serving task set. What it cannot (a voter that is silent
though its task runs, a doubt) is waited for until the settle deadline, and then told to people.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from quorumshift.domain.handover_steps import Next
from quorumshift.domain.policy import Dialect, Policy
from quorumshift.domain.raft import ClusterObservation, Colour
from quorumshift.ports import HandOvers
from quorumshift.usecases.hand_over import HandOver
from quorumshift.usecases.turns import Turn, next_turn

ONE_CAUSE_SECONDS = 600
"""The same picture within this time is the same cause of a vote to be moved."""
ONE_TROUBLE_SECONDS = 86_400
"""The same trouble is told once, and once more each day that it lasts."""


@dataclass(frozen=True, slots=True)
class Reconciled:
    """``started``: the name of the execution that puts the votes in order, if one is needed and
    none runs. ``reason``: why, or why not. ``alarming``: a person is to know the reason."""

    started: str
    reason: str
    alarming: bool = False


@dataclass(frozen=True, slots=True)
class Reconciling:
    """See ``ports``."""

    hand_over: HandOver
    hand_overs: HandOvers
    dialect: Dialect
    policy: Policy

    def look(self) -> Reconciled:
        """See whether the votes are where the tasks are, and have them follow if not."""
        look = self.hand_over.look(None)
        found = next_turn(look, Colour.BLUE, None, None, self.dialect, self.policy, between=True)
        if found.decision is Turn.DONE:
            return Reconciled("", found.reason)
        if found.plan.decision is Next.BLOCKED:
            alarming = bool(abandoned(look.cluster) or look.cluster.unworkable)
            return Reconciled("", found.reason, alarming=alarming)
        if self.hand_overs.running():
            return Reconciled("", "an execution that moves votes runs, and looks for itself")
        troubled = found.troubled_since is not None
        cause = picture(look.cluster, ONE_TROUBLE_SECONDS if troubled else ONE_CAUSE_SECONDS)
        return Reconciled(self.hand_overs.reconcile(cause), found.reason)


def picture(cluster: ClusterObservation, seconds: int = ONE_CAUSE_SECONDS) -> str:
    """A name for what is seen, silence included. Events that come together show the same; what
    shows the same again, ``seconds`` later, is a new cause."""
    nodes = sorted(
        (node.address, node.standing, node.raft_id or "", node.task or "", node.report is None)
        for node in cluster.nodes
    )
    text = repr((nodes, int(cluster.at // seconds)))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def abandoned(cluster: ClusterObservation) -> tuple[str, ...]:
    """Addresses of the voters whose task is gone."""
    return tuple(node.address for node in cluster.voters if node.task is None)
