"""Which nodes can do what, as far as they told."""

from __future__ import annotations

from dataclasses import replace

import pytest

from quorumshift.adapters.raft.snaketron.dialect import DIALECT
from quorumshift.domain.abilities import able, enumerated, joining_only, tells_no_members
from quorumshift.domain.guard import termination_guard
from quorumshift.domain.health import Decision, assess
from quorumshift.domain.policy import FirstContract, Policy
from quorumshift.domain.raft import Colour, Membership
from quorumshift.domain.reading import uncertainty
from tests.domain.strategies import fleet

OLD = fleet(3, 3, joins="b1 b2 b3")
FIRST = DIALECT.first_contract


def test_who_has_not_answered_is_what_its_colour_is() -> None:
    assert joining_only(OLD) == ("b1", "b2", "b3")
    assert able(OLD) == {"g1", "g2", "g3"}
    assert able(fleet(3, 3, joins="b1 b2 b3", silent="b3")) == {"g1", "g2", "g3"}
    assert able(fleet(3, 3, joins="b1 b2 b3 g1", learners="g1")) == frozenset()
    assert able(fleet(3, 3, joins="b1")) == {"b2", "b3", "g1", "g2", "g3"}


def test_nothing_known_is_no_reason_against_a_node() -> None:
    assert able(fleet(0, 2, voters="")) == {"g1", "g2"}


def test_the_sentence_names_nodes_calls_and_the_way_out() -> None:
    reason, advice = tells_no_members(OLD, FIRST)
    assert reason.startswith("b1, b2 and b3 speak SnakeTron's first contract")
    assert "RequestRemoval, RequestLeadershipTransfer missing" in reason
    assert "cannot be verified" in reason
    assert "docs/snaketron.md" in advice
    alone, _ = tells_no_members(fleet(3, 3, joins="b1"), FIRST)
    assert alone.startswith("b1 speaks SnakeTron's first contract")
    assert "SnakeTron" not in " ".join(tells_no_members(OLD, FirstContract()))


@pytest.mark.parametrize(("names", "text"), [("a", "a"), ("ab", "a and b"), ("abc", "a, b and c")])
def test_enumerated(names: str, text: str) -> None:
    assert enumerated(tuple(names)) == text


class TestTheFirstContractInTheVerdict:
    allowed = Policy(allow_inferred=True)

    def test_it_is_refused_at_once(self) -> None:
        assert assess(OLD, Policy(), FIRST).decision is Decision.ABORT

    def test_while_nobody_leads_it_is_waited_for(self) -> None:
        electing = replace(fleet(3, 0, joins="b1 b2 b3", leader=""), membership=Membership.INFERRED)
        assert assess(electing, Policy()).decision is Decision.WAIT
        assert assess(electing, self.allowed).decision is Decision.WAIT

    def test_under_a_leader_that_is_able_it_is_waited_for(self) -> None:
        led = fleet(3, 3, voters="b1 b2 b3 g1", leader="g1", joins="b1 b2 b3")
        assert assess(replace(led, membership=Membership.LOCAL), Policy()).decision is Decision.WAIT

    def test_the_policys_word_is_for_the_list_and_nothing_else(self) -> None:
        assert uncertainty(OLD, self.allowed) == ()
        doubtful = replace(OLD, unknown=("The table cannot be read.",))
        assert uncertainty(doubtful, self.allowed) == ("The table cannot be read.",)
        assert assess(doubtful, self.allowed).decision is Decision.WAIT
        for membership in (Membership.LOCAL, Membership.UNKNOWN):
            verdict = assess(replace(OLD, membership=membership), self.allowed)
            assert verdict.decision is Decision.WAIT

    def test_the_guard_follows(self) -> None:
        green = fleet(3, 3, voters="g1 g2 g3", leader="g1", joins="g1 g2 g3")
        assert termination_guard(green, Colour.BLUE, Policy()).decision is Decision.WAIT
        assert termination_guard(green, Colour.BLUE, self.allowed).decision is Decision.PROCEED
