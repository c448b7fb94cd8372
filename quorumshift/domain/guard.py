"""May every task of one colour end at this instant?"""

from __future__ import annotations

from dataclasses import replace

from quorumshift.domain.health import Decision, Verdict, evidence_of
from quorumshift.domain.policy import Policy
from quorumshift.domain.raft import ClusterObservation, Colour, quorum
from quorumshift.domain.reading import alarms, listed, read, uncertainty


def termination_guard(observation: ClusterObservation, ending: Colour, policy: Policy) -> Verdict:
    """*Proceed* only if the cluster keeps quorum and tolerance when all of ``ending`` dies now.

    A dead task's member stays in the configuration, so the quorum is that of all present voters.
    The evidence counts as healthy only those that stay. *Wait*: not known yet.
    """
    reading = read(observation, policy)
    evidence = evidence_of(observation, reading)
    doubts = uncertainty(observation, policy)
    if not observation.nodes:
        return Verdict(Decision.ABORT, ("No node of the service was found.",), evidence)
    if stops := (*observation.unworkable, *alarms(observation)):
        return Verdict(Decision.ABORT, stops, evidence)
    if doubts or reading.leader is None:
        return Verdict(Decision.WAIT, doubts or (reading.doubt,), evidence)
    voters = observation.voters
    going = (ending, Colour.NONE)  # what is of neither colour is left over, or not ours to count on
    staying = [node for node in reading.healthy if node.colour not in going and node.task]
    tolerance = len(staying) - quorum(len(voters))
    evidence = replace(
        evidence, healthy=tuple(node.address for node in staying), tolerance=tolerance
    )
    where = (
        f"Without {ending}, {len(staying)} of {len(voters)} voters stay healthy "
        f"({listed(evidence.healthy)}); the quorum is {evidence.quorum}"
    )
    reasons = []
    if tolerance < 0:
        reasons.append(f"{where}: it would be lost. Keep {ending} until its votes are handed over.")
    elif tolerance < policy.tolerance:
        reasons.append(
            f"{where}: tolerance would be {tolerance}, the policy asks {policy.tolerance}."
        )
    if len(staying) < policy.minimum_voters:
        reasons.append(
            f"Without {ending}, {len(staying)} healthy voters are left, the policy asks at least "
            f"{policy.minimum_voters}."
        )
    if reading.leader.colour is ending:
        reasons.append(f"{reading.leader.address} leads and is {ending}: move leadership first.")
    if reasons:
        return Verdict(Decision.ABORT, tuple(reasons), evidence)
    well = f"{where}, {reading.leader.address} leads, tolerance is {tolerance}: {ending} may end."
    return Verdict(Decision.PROCEED, (well,), evidence)
