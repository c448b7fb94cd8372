"""One picture from what ECS and Raft told: which task is which member.

A node that answers says which member it is, and its word counts. The address in the member list
counts only where no id was told: a task that is silent is taken for the member that is listed at
its address. What is listed at the address of somebody else is a node of its own, whose task is
gone; what contradicts itself is a doubt as well, and on a doubt nothing is changed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from quorumshift.domain.raft import (
    ClusterObservation,
    Colour,
    Node,
    RaftMember,
    RaftView,
    Report,
    Standing,
    Task,
)


def combine(
    *,
    at: float,
    tasks: Iterable[Task],
    desired: int,
    view: RaftView,
    unknown: Iterable[str] = (),
) -> ClusterObservation:
    """Join what ECS and Raft told into one observation.

    Every listed member and every task is exactly one node, alone or together, and no two nodes
    have the same ``address``: a member at whose address another node is has its id added to it.
    What a task without a member says of the Raft does not count: of its report the users alone are
    kept, who may stay when its vote has gone.
    """
    everybody = tuple(tasks)
    by_address = {task.address: task for task in everybody}
    members = {member.raft_id: member for member in view.members}
    places = _places(members, view.reports.items())
    at_place = {place: members[raft_id] for raft_id, place in places.items()}
    nodes = [
        _node(place, by_address.get(place), at_place.get(place), view)
        for place in sorted(by_address.keys() | at_place.keys())
    ]
    return ClusterObservation(
        at=at,
        nodes=tuple(nodes),
        desired=desired,
        membership=view.membership,
        unknown=(*unknown, *view.unknown, *_doubts(everybody, view), *_strange(nodes)),
        unworkable=view.unworkable,
    )


def _node(address: str, task: Task | None, member: RaftMember | None, view: RaftView) -> Node:
    told = view.reports.get(address)
    return Node(
        address=address,
        colour=task.colour if task else Colour.NONE,
        standing=member.standing if member else Standing.OUTSIDE,
        task=task.arn if task else None,
        ready=task.ready if task else False,
        locked_until=task.locked_until if task else None,
        raft_id=member.raft_id if member else None,
        report=told if member else None,
        connections=told.connections if told else None,
        foreign_until=task.foreign_until if task else None,
        apart=view.apart.get(address, ""),
    )


def _places(
    members: dict[str, RaftMember], reports: Iterable[tuple[str, Report]]
) -> dict[str, str]:
    """Where each member is, by its id; the addresses are all different."""
    told = {address: report.raft_id for address, report in sorted(reports)}
    places = {}
    for raft_id, member in members.items():
        claims = [address for address, said in told.items() if said == raft_id]
        if claims:
            places[raft_id] = member.address if member.address in claims else claims[0]
    silent = [member for member in members.values() if member.raft_id not in places]
    for member in silent:
        alone = sum(other.address == member.address for other in silent) == 1
        free = alone and member.address not in told
        label = f"{member.address} (member {member.raft_id})"
        places[member.raft_id] = member.address if free else label
    return places


def _doubts(tasks: Sequence[Task], view: RaftView) -> list[str]:
    """What cannot be true as it was told, a sentence each."""
    listed: dict[str, list[str]] = {}
    for member in view.members:
        listed.setdefault(member.address, []).append(member.raft_id)
    doubts = [
        f"The members {_all(ids)} are listed at the same address, {address}, where only one can "
        "be. Find out which of them it is, and take what is too many out of the member list."
        for address, ids in sorted(listed.items())
        if len(ids) > 1
    ]
    for member in view.members:
        claims = sorted(at for at, told in view.reports.items() if told.raft_id == member.raft_id)
        if len(claims) > 1:
            doubts.append(
                f"{_all(claims)} say of themselves that they are member {member.raft_id}. Find out "
                "which of them is, and stop what is not."
            )
        elif claims and claims[0] != member.address:
            doubts.append(
                f"{claims[0]} says that it is member {member.raft_id}, which the member list has "
                f"at {member.address}: the others look for it there. Correct that address in the "
                "member list, or have the task replaced."
            )
    shared: dict[str, list[str]] = {}
    for task in tasks:
        shared.setdefault(task.address, []).append(task.arn)
    doubts += [
        f"The tasks {_all(arns)} have the same address, {address}; which of them answers there "
        "cannot be told. Each task needs an address of its own (network mode awsvpc)."
        for address, arns in sorted(shared.items())
        if len(arns) > 1
    ]
    return doubts


def _strange(nodes: Sequence[Node]) -> list[str]:
    """Whoever is of another cluster and not green: then that other one may be the service's."""
    return [
        f"{node.address} {node.apart}. Whether its cluster is the service's cannot be told."
        for node in nodes
        if node.apart and node.colour is not Colour.GREEN
    ]


def _all(names: Sequence[str]) -> str:
    *others, last = names
    return f"{', '.join(others)} and {last}"
