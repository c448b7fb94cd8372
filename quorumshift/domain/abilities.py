"""What single nodes can do: those of a service's first contract admit and promote members, and can
neither remove one nor hand leadership over."""

from __future__ import annotations

from collections.abc import Sequence

from quorumshift.domain.policy import FirstContract
from quorumshift.domain.raft import ClusterObservation, Node


def only_joins(node: Node) -> bool:
    """Whether the node said that it can admit and promote, and nothing else."""
    return node.report is not None and node.report.joins_only


def tells_no_members(observation: ClusterObservation, first: FirstContract) -> tuple[str, str]:
    """That some nodes do not tell their members, and what a person can do about it."""
    nodes = joining_only(observation)
    speak = "speaks" if len(nodes) == 1 else "speak"
    missing = f"({', '.join(first.lacks)} missing)"
    return (
        f"{enumerated(nodes)} {speak} {first.name}, which tells no members {missing}: "
        "the member list is pieced together and cannot be verified.",
        "Deploy a version that tells them first, with allow_inferred in the policy for that one "
        f"deployment: {first.page}.",
    )


def joining_only(observation: ClusterObservation) -> tuple[str, ...]:
    """Addresses of the nodes that said they can admit and promote, and nothing else."""
    return tuple(node.address for node in observation.nodes if only_joins(node))


def able(observation: ClusterObservation) -> frozenset[str]:
    """Addresses of the nodes that can remove a member and hand leadership over when they lead.

    A node that has not answered is taken for what the others of its colour are, as one task set
    runs one image. Where none of them has, it counts as able: nobody votes or leads before it has
    answered, so nothing rests on that, and no first node would ever be admitted otherwise.
    """
    joining = {node.colour for node in observation.nodes if only_joins(node)}
    return frozenset(
        node.address
        for node in observation.nodes
        if not (only_joins(node) if node.report else node.colour in joining)
    )


def enumerated(addresses: Sequence[str]) -> str:
    """Addresses as the subject of a sentence: ``a, b and c``."""
    *others, last = addresses
    return f"{', '.join(others)} and {last}" if others else last
