"""Who is where, by brute force: every way to give members to tasks, less what contradicts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product

from quorumshift.domain.raft import RaftMember, Report


def places(
    members: Sequence[RaftMember], tasks: Sequence[str], reports: Mapping[str, Report]
) -> list[dict[str, str | None]]:
    """Every way to give the members to the tasks (by address; ``None``: its task is gone) that
    contradicts nothing: who tells a listed id is that member alone, and listed where it answers;
    who tells another id is none; who is silent may be the one that is listed at its address."""
    found = []
    for choice in product([*tasks, None], repeat=len(members)):
        taken = [at for at in choice if at is not None]
        fits = len(set(taken)) == len(taken)
        for member, at in zip(members, choice, strict=True):
            claims = [
                one for one in tasks if one in reports and reports[one].raft_id == member.raft_id
            ]
            if claims:
                fits = fits and claims == [at] == [member.address]
            elif at is not None:
                fits = fits and at not in reports and at == member.address
        if fits:
            found.append({m.raft_id: at for m, at in zip(members, choice, strict=True)})
    return found
