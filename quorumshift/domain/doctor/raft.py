"""Whether the Raft cluster could be deployed to now, and its votes handed over."""

from __future__ import annotations

from quorumshift.domain.doctor.expected import Expected
from quorumshift.domain.doctor.facts import Facts
from quorumshift.domain.doctor.finding import Group, Ledger, because, listed
from quorumshift.domain.doctor.stage import Stage
from quorumshift.domain.handover import goal_for, plan
from quorumshift.domain.handover_steps import Next
from quorumshift.domain.health import Decision, assess
from quorumshift.domain.prospect import imagine
from quorumshift.domain.raft import ClusterObservation, Colour, Membership

_NAMES = ("every node answers", "member list", "health", "hand-over")


def raft(expected: Expected, facts: Facts, stage: Stage) -> Group:
    """The group ``Raft``: one look of the function Observe, judged as a deployment would be."""
    ledger = Ledger("Raft")
    seen = facts.seen.value
    if facts.failed:
        ledger.ng(
            "look",
            facts.failed,
            "look at the function's log and, if no node is reached, at the security groups above",
        )
    if seen is None:
        observe = facts.functions.get(expected.observe)
        missing = observe is None or observe.value is None
        why = stage.deployment or facts.seen.unknown
        why = why or because("the function Observe was not found" if missing else "it failed")
        ledger.skip(why, *_NAMES)
        return ledger.group()
    if not seen.cluster.nodes:
        ledger.ng(_NAMES[0], "there is none", "see to it that the service is steady, above")
        ledger.skip(because("there are no nodes"), *_NAMES[1:])
        return ledger.group()
    running = facts.active.value or seen.busy
    moving = (
        because(f"deployment {running} is under way: `quorumshift plan` tells") if running else ""
    )
    _nodes(ledger, seen.cluster, moving)
    _health(ledger, expected, seen.cluster, moving)
    return ledger.group()


def _nodes(ledger: Ledger, cluster: ClusterObservation, moving: str) -> None:
    """``moving``: why a node may be silent for a moment; empty: it may not."""
    members = [node for node in cluster.nodes if node.raft_id is not None]
    silent = [node.address for node in members if node.report is None]
    outside = len(cluster.nodes) - len(members)
    also = f"; tasks that are no members: {outside}" if outside else ""
    if silent and moving:
        ledger.skip(moving, _NAMES[0])
    else:
        ledger.that(
            not silent,
            _NAMES[0],
            (f"{listed(silent)} does not" if silent else f"all {len(members)} members do") + also,
            "bring it back, or take it out of the cluster if its task is gone for good",
        )
    ledger.that(
        cluster.membership is Membership.CONFIRMED,
        _NAMES[1],
        " ".join((f"{cluster.membership.value}.", *cluster.unknown))
        if cluster.unknown
        else cluster.membership.value,
        "see to it that a quorum answers; nodes that tell no members: docs/snaketron.md",
    )


def _health(ledger: Ledger, expected: Expected, cluster: ClusterObservation, moving: str) -> None:
    if moving:
        ledger.skip(moving, *_NAMES[2:])
        return
    verdict = assess(cluster, expected.policy, expected.dialect.first_contract)
    fix = "do what the sentence says; an election may settle by itself: `quorumshift verify` waits"
    ledger.that(verdict.decision is Decision.PROCEED, _NAMES[2], verdict.sentence, fix)
    there, _ = imagine(cluster, Colour.GREEN)
    found = plan(there, goal_for(there, Colour.GREEN), expected.dialect, expected.policy)
    least = min((row.tolerance for row in found.path), default=None)
    ledger.that(
        found.decision is not Next.BLOCKED,
        _NAMES[3],
        found.sentence
        if found.decision is Next.BLOCKED or least is None
        else f"possible in {len(found.path) - 1} steps, tolerance never below {least}",
        "do what the sentence says; `quorumshift plan` shows more",
    )
