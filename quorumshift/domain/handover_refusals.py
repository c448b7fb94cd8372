"""Why a hand-over cannot go on: goals that make no sense, and configurations without a path."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from quorumshift.domain.abilities import enumerated, joining_only, tells_no_members
from quorumshift.domain.handover_path import Rows, find, present
from quorumshift.domain.handover_scene import Scene, forward, lacking, replacing
from quorumshift.domain.handover_steps import Cover, Goal, Next, Plan
from quorumshift.domain.locks import hold, protected_by_others
from quorumshift.domain.policy import Dialect, Policy
from quorumshift.domain.raft import ClusterObservation, Colour, quorum
from quorumshift.domain.reading import Reading, alarms, barred, listed, strangers

Refusal = tuple[str, str]
"""A reason, and what a person can do."""


def refusal(
    observation: ClusterObservation,
    reading: Reading,
    goal: Goal,
    dialect: Dialect,
    policy: Policy,
) -> Refusal | None:
    """What makes the goal senseless or unsafe whatever the path, or ``None``."""
    lost = sorted(
        address
        for address in goal.voters
        if (node := observation.node(address)) is None or node.task is None
    )
    if lost:
        return f"{listed(lost)} of the goal has no task any more.", "Aim at the tasks there are."
    if not dialect.membership_list:
        return (
            f"The Raft of {dialect.name} does not tell its members, so no change can be checked.",
            "Deploy a version of the service that tells them first.",
        )
    if observation.unworkable:
        return " ".join(observation.unworkable), "Then start again."
    ringing = alarms(observation)
    if ringing and any(
        n.colour is Colour.GREEN for n in observation.nodes if n.address in goal.voters
    ):
        return " ".join(ringing), "Clear it, then start again."
    if barred(observation, reading, policy):
        return tells_no_members(observation, dialect.first_contract)
    if not goal.voters:
        return "The goal names no voter.", "Check that the service wants tasks at all."
    return None if replacing(observation, goal) else _too_small(len(goal.voters), policy)


def _too_small(size: int, policy: Policy) -> Refusal | None:
    if size < policy.minimum_voters:
        return (
            f"The goal has {size} voters, the policy asks at least {policy.minimum_voters}.",
            "Run more tasks, or lower minimum_voters in the policy.",
        )
    spare = size - quorum(size)
    if spare < policy.tolerance:
        return (
            f"The goal's {size} voters tolerate {spare}, the policy asks {policy.tolerance}.",
            "Run more tasks, or lower the tolerance in the policy.",
        )
    return None


def covers(scene: Scene) -> tuple[Cover, ...]:
    """What to ask of the locks, the best first.

    Forward, no less than a quorum without the policy's word. Back, not to move would be worse: the
    locks of green outlive a stop, but not for long.
    """
    if scene.policy.allow_unlocked:
        return (Cover.QUORUM, Cover.EITHER, Cover.NONE)
    return (Cover.QUORUM,) if forward(scene) else (Cover.QUORUM, Cover.EITHER)


def ways(scene: Scene) -> Iterator[tuple[Scene, Cover]]:
    """How to search, the best first. On the way back a Raft that admits nobody while a voter is
    not connected is asked all the same where nothing else is left: whom we do not hear may be
    connected to the others (etcd takes a frozen node for that). Forward, to turn back is better."""
    silent = any(node.address not in scene.healthy for node in scene.observation.voters)
    lax = silent and scene.dialect.joins_need_every_voter and not forward(scene)
    for cover in covers(scene):
        yield scene, cover
        if lax:
            yield replace(scene, lax=True), cover


def no_path(scene: Scene) -> Plan:
    """Why there is no path: something to wait for, or blocked.

    The votes are held meanwhile; only a hand-over forward that is blocked says so at once, as to
    turn back is better, and takes the locks that it needs.
    """
    here = present(scene)
    crossed = not here.green_may_vanish
    wait = _what_may_come(scene)
    keep = hold(scene.observation, scene.policy) if wait or not forward(scene) else None
    if keep:
        return Plan(Next.STEP, keep, keep.reason, "", (here,), crossed)
    if wait:
        return Plan(Next.WAIT, None, wait, "", (here,), crossed)
    # One look may be late: what stands beside a lock may be told before or after the lock itself.
    theirs = protected_by_others(scene.observation)
    decision = Next.WAIT if theirs else Next.BLOCKED
    return Plan(decision, None, *_blocked(scene), path=(here,), crossed=crossed)


def not_further(scene: Scene, path: Rows) -> Plan:
    """The end of a way back that leaves voters beside the goal; a quorum of them is locked."""
    keep = None if scene.no_locks else hold(scene.observation, scene.policy)
    crossed = not path[0].green_may_vanish
    if keep:
        return Plan(Next.STEP, keep, keep.reason, "", path, crossed)
    keepers = listed(sorted(scene.keepers))
    goal = listed(sorted(scene.goal.voters))
    if lacking(scene):
        verb = "keeps its vote" if len(scene.keepers) == 1 else "keep their votes"
        reason = f"{keepers} {verb} beside {goal} until then. {missing_tasks(scene)}"
        return Plan(Next.WAIT, None, reason, "", path, crossed)
    reason = (
        f"{keepers} keeps its vote beside {goal}: no node that leads removes itself, and "
        f"{_lack(scene)}."
    )
    held = scene.keepers <= scene.locked
    when = f"Before the lock of {keepers} ends" if held else f"While {keepers} runs"
    advice = (
        f"{when}, deploy the version that can remove members once more: that hand-over goes on "
        "from here. Ended, its vote would stay, and count as lost."
    )
    return Plan(Next.BLOCKED, None, reason, advice, path, crossed)


def _what_may_come(scene: Scene) -> str:
    """What would open a path by itself; empty: nothing."""
    hopeful = replace(scene, hopeful=True)
    if any(find(hopeful, cover) is not None for cover in covers(scene)):
        return f"No path to the goal keeps what the policy asks{faults(scene)}."
    return missing_tasks(scene) if replacing(scene.observation, scene.goal) else ""


def _blocked(scene: Scene) -> Refusal:
    able = replace(scene.dialect, removal=True, leadership_transfer=True)
    least = covers(scene)[-1]
    if joining_only(scene.observation) and _only_ability_lacks(scene):
        return (
            f"{_lack(scene)}, and no path does without.",
            "Deploy a version of the service that can remove a member and move leadership.",
        )
    if scene.dialect != able and find(replace(scene, dialect=able), least) is not None:
        lacking = "move leadership" if scene.dialect.removal else "remove a member"
        return (
            f"The Raft of {scene.dialect.name} cannot {lacking}, and no path does without.",
            "Deploy a version of the service that can.",
        )
    if find(scene, Cover.NONE) is not None:
        others = protected_by_others(scene.observation)
        return (
            "No path keeps a quorum of the voters locked at every moment: ECS protects no more "
            f"tasks than the service wants ({scene.observation.desired}){others}.",
            "Raise the desired count, or set allow_unlocked in the policy to go on without.",
        )
    floor = min(present(scene).tolerance, scene.policy.tolerance)
    return (
        f"No path keeps a tolerance of {floor}{faults(scene)}.",
        "Bring the unhealthy voters back, or lower the tolerance in the policy.",
    )


def _lack(scene: Scene) -> str:
    unable = joining_only(scene.observation)
    lack = "lacks" if len(unable) == 1 else "lack"
    return f"{enumerated(unable)} {lack} {enumerated(scene.dialect.first_contract.lacks)}"


def _only_ability_lacks(scene: Scene) -> bool:
    """Whether there is no path because some nodes can only admit and promote, whatever is asked of
    the locks."""
    abler = find(replace(scene, abler=True), Cover.NONE)
    return abler is not None and find(scene, Cover.NONE) is None


def missing_tasks(scene: Scene) -> str:
    """That ECS is still to start tasks of the goal, be it in the place of some that were tried."""
    have, want = len(scene.goal.voters), scene.observation.desired
    colour = Colour.GREEN if forward(scene) else Colour.BLUE
    tried = [
        node.address
        for node in scene.observation.nodes
        if node.colour is colour and node.task and node.address not in scene.goal.voters
    ]
    if not tried:
        return f"Only {have} of {want} tasks of the goal exist: ECS is to start the rest."
    if apart := strangers(node for node in scene.observation.nodes if node.address in tried):
        return f"Only {have} of {want} tasks of the goal can vote: {apart}."
    them = "that task" if len(tried) == 1 else "those tasks"
    return (
        f"Only {have} of {want} tasks of the goal can vote; {enumerated(sorted(tried))} did not "
        f"answer or did not catch up. Stop {them}: ECS starts others in their place."
    )


def faults(scene: Scene) -> str:
    """What is wrong with the unhealthy voters, in brackets; empty when nothing is."""
    complaints = scene.reading.complaints
    texts = "; ".join(f"{address} {text}" for address, text in complaints.items())
    return f" ({texts})" if texts else ""
