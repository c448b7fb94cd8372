"""What turns of a hand-over must know of each other: what was refused, who is not well, and whether
anything moves.

A step is done when a look shows it, whatever it was answered. One that is not done is a *refusal*,
and says why as far as anybody answered.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from quorumshift.domain.handover_scene import unfit
from quorumshift.domain.handover_steps import Kind, Refused, Step
from quorumshift.domain.locks import RENEW_BELOW, is_locked, locked, our_locks
from quorumshift.domain.policy import Policy
from quorumshift.domain.raft import ClusterObservation, Colour, Node, Standing
from quorumshift.domain.reading import Reading, read, uncertainty

_LONGEST_WHY = 300
"""Characters of a refusal's reason: it is carried from turn to turn."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A step that was tried ``times`` times and is not done: planned first at ``since``, seen to be
    undone last at ``until`` (epoch seconds)."""

    kind: Kind
    address: str
    since: float
    until: float
    times: int
    why: str

    @property
    def lasted(self) -> float:
        """Seconds."""
        return self.until - self.since

    def said(self) -> str:
        """As a sentence."""
        tries = "once" if self.times == 1 else f"{self.times} times in {self.lasted:.0f} s"
        return f"Not done though tried {tries}: {self.kind} {self.address} ({self.why})."


@dataclass(frozen=True, slots=True)
class Ailing:
    """A voter that is not healthy, or a learner that is not fit to vote, though its task runs; the
    same since then (epoch seconds)."""

    address: str
    task: str | None
    votes: bool
    since: float


@dataclass(frozen=True, slots=True)
class Memory:
    """What the next turn must know of those before.

    ``at``: epoch seconds of the last look. ``configuration``: who voted, learnt, led and was
    locked; it changes when something moves. ``refusals``: of the present voters. ``removed``: tasks
    whose node lost its vote because it was not healthy: its process ends with its membership, so
    they vote no more. ``passed_over``: tasks of learners that did not become fit; others are tried
    before them.
    """

    at: float = 0.0
    configuration: tuple[str, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    ailing: tuple[Ailing, ...] = ()
    removed: frozenset[str] = frozenset()
    passed_over: frozenset[str] = frozenset()

    def lasting(self, policy: Policy) -> Refused:
        """The steps that were refused for so long that another way is wanted."""
        long = policy.stabilisation_seconds
        return frozenset((r.kind, r.address) for r in self.refusals if r.lasted >= long)

    def silent(self, policy: Policy) -> frozenset[str]:
        """The voters that have not been healthy for longer than anything is waited for."""
        return frozenset(
            one.address
            for one in self.ailing
            if one.votes and self.at - one.since > policy.settle_deadline_seconds
        )

    def doubtful(self, policy: Policy) -> list[str]:
        """The voters that have not looked unhealthy for long, so that nothing rests on it yet: one
        reply that came too late looks the same."""
        young = policy.stabilisation_seconds
        return sorted(
            one.address for one in self.ailing if one.votes and self.at - one.since < young
        )

    def tried(self, step: Step) -> int:
        """How often the step was tried and not done."""
        return sum(
            r.times for r in self.refusals if (r.kind, r.address) == (step.kind, step.address)
        )

    def said(self) -> str:
        """What is refused, as sentences; empty: nothing."""
        return " ".join(refusal.said() for refusal in self.refusals)


def remember(
    seen: ClusterObservation,
    last: Memory | None,
    step: Step | None,
    answer: str,
    policy: Policy,
    *,
    between: bool = False,
) -> Memory:
    """The memory after this look.

    ``step``: what was tried since ``last``, with its ``answer``: why it was not done, empty where
    it was said to be. ``between`` rollouts a voter whose task is gone may be well, too, as ECS's
    list may be a moment old; else it is known to be dead, and not ailing.
    """
    before = last or Memory()
    reading = read(seen, policy)
    now = _configuration(seen, reading)
    known = not uncertainty(seen, policy)
    refusals = before.refusals if not known or _voters(before.configuration) == _voters(now) else ()
    if step is not None:
        refusals = _judged(refusals, step, answer, seen, before, policy)
    ailing = before.ailing
    if known and reading.leader is not None:
        ailing = tuple(_ailing(seen, reading, before, policy, between=between))
    memory = replace(before, at=seen.at, configuration=now, refusals=refusals, ailing=ailing)
    return replace(
        memory,
        removed=before.removed | _removed(seen, before, step),
        passed_over=before.passed_over | _given_up(memory, policy),
    )


def out_of_question(seen: ClusterObservation, memory: Memory, colour: Colour) -> frozenset[str]:
    """Addresses of this colour that are not to be tried (again): who was removed because it was
    silent, unless it answers again; and who did not become fit while it could, as long as another
    ready task may take its place."""
    tasks = [node for node in seen.nodes if node.colour is colour and node.task]
    outside = [node for node in tasks if node.standing is not Standing.VOTER]
    gone = {n.address for n in outside if n.task in memory.removed and not _answers(n)}
    if colour is Colour.GREEN:  # to turn back is better than to pick and choose
        return frozenset(gone)
    slow = {n.address for n in outside if n.task in memory.passed_over}
    others = [n for n in outside if n.ready and n.address not in gone | slow]
    return frozenset(gone | slow if others else gone)


def is_done(step: Step, seen: ClusterObservation, policy: Policy) -> bool | None:
    """Whether the look shows the step; ``None``: it does not tell."""
    if step.kind in (Kind.LOCK, Kind.RELEASE):
        held = {node.task: node for node in locked(seen)}
        if step.kind is Kind.RELEASE:
            return {node.task for node in our_locks(seen)}.isdisjoint(step.tasks)
        left = seen.at + policy.lock_minutes * 60 * RENEW_BELOW
        here = {node.task for node in seen.nodes}
        return all(
            (held[t].locked_until or 0) > left if t in held else False
            for t in step.tasks
            if t in here
        )
    if uncertainty(seen, policy):
        return None
    node = seen.node(step.address)
    standing = node.standing if node else Standing.OUTSIDE
    if step.kind is Kind.ADMIT:
        return node is None or standing is not Standing.OUTSIDE
    if step.kind is Kind.PROMOTE:
        return node is None or standing is Standing.VOTER
    if step.kind is Kind.REMOVE:
        return standing is Standing.OUTSIDE or (node is not None and node.raft_id != step.raft_id)
    leader = read(seen, policy).leader
    if step.kind is Kind.TRANSFER:
        return None if leader is None else leader.address == step.address
    return {voter.raft_id for voter in seen.voters} == set(step.voters)


def _judged(
    refusals: tuple[Refusal, ...],
    step: Step,
    answer: str,
    seen: ClusterObservation,
    before: Memory,
    policy: Policy,
) -> tuple[Refusal, ...]:
    """The refusals with this step's own, or without it when it is done."""
    same = [r for r in refusals if (r.kind, r.address) == (step.kind, step.address)]
    others = tuple(r for r in refusals if r not in same)
    done = is_done(step, seen, policy)
    if done or (done is None and not answer):
        return others
    why = answer or "it was said to be done, and the look after it does not show it"
    since, times = (same[0].since, same[0].times) if same else (before.at, 0)
    return (
        *others,
        Refusal(step.kind, step.address, since, seen.at, times + 1, why[:_LONGEST_WHY]),
    )


def _ailing(
    seen: ClusterObservation, reading: Reading, before: Memory, policy: Policy, *, between: bool
) -> list[Ailing]:
    since = {(one.address, one.votes): one.since for one in before.ailing}
    found = []
    for node in seen.nodes:
        votes = node.standing is Standing.VOTER
        if votes:
            sick = node.address in reading.complaints or node.task is None
            counts = node.task is not None or between
        else:
            sick = node.standing is Standing.LEARNER and _is_unfit(node, reading, policy)
            counts = node.task is not None
        if sick and counts:
            began = since.get((node.address, votes), seen.at)
            found.append(Ailing(node.address, node.task, votes, began))
    return found


def _is_unfit(node: Node, reading: Reading, policy: Policy) -> bool:
    return reading.leader is not None and bool(unfit(node, reading.leader, policy))


def _removed(seen: ClusterObservation, before: Memory, step: Step | None) -> set[str]:
    """The task of an ailing voter that the last step took out."""
    if step is None or step.kind is not Kind.REMOVE or step.task is None:
        return set()
    node = seen.node(step.address)
    if node is None or node.standing is not Standing.OUTSIDE:
        return set()
    return {step.task} & {one.task for one in before.ailing if one.votes}


def _given_up(memory: Memory, policy: Policy) -> set[str]:
    long = policy.settle_deadline_seconds
    return {
        one.task
        for one in memory.ailing
        if one.task and not one.votes and memory.at - one.since > long
    }


def _answers(node: Node) -> bool:
    """Whether a node outside tells anything. (Of the Raft it is not asked.)"""
    return node.report is not None or node.connections is not None


def _configuration(seen: ClusterObservation, reading: Reading) -> tuple[str, ...]:
    """Who votes, learns, leads and is locked, in words that are compared only."""
    words = [
        f"{n.standing.value} {n.address}" for n in seen.nodes if n.standing is not Standing.OUTSIDE
    ]
    words += [f"locked {n.address}" for n in seen.nodes if is_locked(n, seen.at)]
    words += [f"leader {reading.leader.address}"] if reading.leader else []
    return tuple(sorted(words))


def _voters(configuration: tuple[str, ...]) -> list[str]:
    return [word for word in configuration if word.startswith(Standing.VOTER.value)]
