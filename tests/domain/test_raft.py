"""The words of a cluster: quorum, and how tasks and members are joined."""

from __future__ import annotations

import pytest

from quorumshift.domain.raft import (
    quorum,
)


@pytest.mark.parametrize(
    ("voters", "majority"), [(1, 1), (2, 2), (3, 2), (4, 3), (5, 3), (6, 4), (7, 4), (9, 5)]
)
def test_quorum(voters: int, majority: int) -> None:
    assert quorum(voters) == majority


@pytest.mark.parametrize("voters", range(1, 20))
def test_two_quorums_always_meet_and_one_voter_less_is_none(voters: int) -> None:
    assert 2 * quorum(voters) > voters
    assert 2 * (quorum(voters) - 1) <= voters
