"""May every task of one colour end now: each reason against it alone, and what it rests on."""

from __future__ import annotations

from dataclasses import replace

import pytest

from quorumshift.domain.guard import termination_guard
from quorumshift.domain.health import Decision
from quorumshift.domain.policy import Policy
from quorumshift.domain.raft import ClusterObservation, Colour, Membership
from tests.domain.strategies import fleet

HANDED_OVER = fleet(3, 3, voters="g1 g2 g3", leader="g1")
MIXED = "b1 b2 g1 g2 g3"


@pytest.mark.parametrize(
    ("seen", "policy", "says"),
    [
        pytest.param(
            fleet(3, 3, voters=MIXED, leader="g1"),
            Policy(tolerance=1, minimum_voters=3),
            "Without blue, 3 of 5 voters stay healthy (g1, g2, g3); the quorum is 3: tolerance "
            "would be 0, the policy asks 1.",
            id="tolerance",
        ),
        pytest.param(
            fleet(3, 3, voters="b1 b2 b3 g1 g2", leader="g1"),
            Policy(tolerance=0, minimum_voters=0),
            "Without blue, 2 of 5 voters stay healthy (g1, g2); the quorum is 3: it would be lost. "
            "Keep blue until its votes are handed over.",
            id="quorum",
        ),
        pytest.param(
            HANDED_OVER,
            Policy(tolerance=1, minimum_voters=4),
            "Without blue, 3 healthy voters are left, the policy asks at least 4.",
            id="minimum-voters",
        ),
        pytest.param(
            fleet(3, 3, voters=MIXED, leader="b1"),
            Policy(tolerance=0, minimum_voters=3),
            "b1 leads and is blue: move leadership first.",
            id="leader",
        ),
    ],
)
def test_each_reason_alone_keeps_blue(seen: ClusterObservation, policy: Policy, says: str) -> None:
    verdict = termination_guard(seen, Colour.BLUE, policy)
    assert (verdict.decision, verdict.reasons) == (Decision.ABORT, (says,))


@pytest.mark.parametrize(
    ("seen", "policy"),
    [
        pytest.param(
            fleet(3, 3, voters=MIXED, leader="g1"),
            Policy(tolerance=0, minimum_voters=3),
            id="as-much-as-is-asked",
        ),
        pytest.param(HANDED_OVER, Policy(tolerance=1, minimum_voters=3), id="handed-over"),
    ],
)
def test_what_the_policy_asks_is_enough(seen: ClusterObservation, policy: Policy) -> None:
    verdict = termination_guard(seen, Colour.BLUE, policy)
    assert verdict.decision is Decision.PROCEED
    assert verdict.sentence.endswith("blue may end.")
    assert verdict.evidence is not None
    assert verdict.evidence.healthy == ("g1", "g2", "g3")
    assert verdict.evidence.tolerance == policy.tolerance


def test_the_evidence_counts_those_alone_that_stay() -> None:
    seen = fleet(3, 3, voters=MIXED, leader="g1")
    verdict = termination_guard(seen, Colour.GREEN, Policy())
    assert verdict.evidence is not None
    assert (verdict.evidence.healthy, verdict.evidence.tolerance) == (("b1", "b2"), -1)


def test_who_has_no_task_is_not_counted_on() -> None:
    """It answers, and nothing of ours keeps it running."""
    first, *others = [node for node in HANDED_OVER.nodes if node.colour is Colour.GREEN]
    blue = [node for node in HANDED_OVER.nodes if node.colour is Colour.BLUE]
    seen = replace(HANDED_OVER, nodes=(*blue, first, replace(others[0], task=None), others[1]))
    verdict = termination_guard(seen, Colour.BLUE, Policy())
    assert verdict.decision is Decision.ABORT
    assert verdict.evidence is not None
    assert verdict.evidence.healthy == ("g1", "g3")


def test_a_doubt_of_the_members_is_told_before_that_nobody_leads() -> None:
    unsure = replace(HANDED_OVER, membership=Membership.LOCAL)
    verdict = termination_guard(unsure, Colour.BLUE, Policy())
    assert verdict.decision is Decision.WAIT
    assert "was not read through a quorum" in verdict.sentence
    leaderless = fleet(3, 3, voters="g1 g2 g3", leader="")
    verdict = termination_guard(leaderless, Colour.BLUE, Policy())
    assert verdict.decision is Decision.WAIT
    assert verdict.sentence
    assert "was not read through a quorum" not in verdict.sentence


def test_of_no_node_nothing_is_known() -> None:
    verdict = termination_guard(replace(HANDED_OVER, nodes=()), Colour.BLUE, Policy())
    assert (verdict.decision, verdict.reasons) == (
        Decision.ABORT,
        ("No node of the service was found.",),
    )


def test_what_cannot_be_worked_with_stops() -> None:
    seen = replace(HANDED_OVER, unworkable=("Its names are numbers.",))
    verdict = termination_guard(seen, Colour.BLUE, Policy())
    assert (verdict.decision, verdict.reasons) == (Decision.ABORT, seen.unworkable)
