"""The words of a cluster: quorum, and how tasks and members are joined."""

from __future__ import annotations

from dataclasses import replace

import pytest

from quorumshift.domain.raft import (
    Colour,
    Membership,
    RaftMember,
    RaftView,
    Report,
    Standing,
    Task,
    combine,
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


def view(*members: RaftMember, **reports: Report) -> RaftView:
    return RaftView(members, Membership.CONFIRMED, reports)


class TestCombine:
    blue = Task("task/1", "a", Colour.BLUE, ready=True, locked_until=5.0)
    member = RaftMember("id-a", "a", Standing.VOTER)
    report = Report("id-a", 3, "id-a", 10, 10)

    def test_a_task_and_its_member_are_one_node(self) -> None:
        seen = combine(at=1.0, tasks=[self.blue], desired=1, view=view(self.member, a=self.report))
        (node,) = seen.nodes
        assert (node.address, node.colour, node.standing) == ("a", Colour.BLUE, Standing.VOTER)
        assert (node.task, node.ready, node.locked_until) == ("task/1", True, 5.0)
        assert (node.raft_id, node.report) == ("id-a", self.report)

    def test_a_member_without_a_task_has_no_colour(self) -> None:
        seen = combine(at=1.0, tasks=[], desired=1, view=view(self.member, a=self.report))
        (node,) = seen.nodes
        assert (node.colour, node.task, node.ready) == (Colour.NONE, None, False)
        assert seen.voters == (node,)

    def test_a_task_without_a_member_is_outside_and_its_report_does_not_count(self) -> None:
        seen = combine(at=1.0, tasks=[self.blue], desired=1, view=view(a=self.report))
        (node,) = seen.nodes
        assert (node.standing, node.raft_id, node.report) == (Standing.OUTSIDE, None, None)
        assert seen.voters == ()

    def test_users_of_a_task_count_whether_it_is_a_member_or_not(self) -> None:
        report = replace(self.report, connections=7)
        others = [Task("task/2", "b", Colour.BLUE, ready=True)]
        told = view(self.member, a=report, b=replace(report, raft_id="id-b", connections=5))
        seen = combine(at=1.0, tasks=[self.blue, *others], desired=1, view=told)
        assert [(n.address, n.standing, n.connections) for n in seen.nodes] == [
            ("a", Standing.VOTER, 7),
            ("b", Standing.OUTSIDE, 5),
        ]
        assert [n.report for n in seen.nodes] == [report, None]
        silent = combine(at=1.0, tasks=others, desired=1, view=view(self.member, a=self.report))
        assert [n.connections for n in silent.nodes] == [None, None]

    def test_everything_else_is_passed_on(self) -> None:
        seen = combine(at=1.0, tasks=[], desired=3, view=view(self.member), unknown=["x"])
        assert (seen.at, seen.desired, seen.unknown) == (1.0, 3, ("x",))
        assert seen.membership is Membership.CONFIRMED

    def test_nodes_are_found_by_address_and_by_raft_id(self) -> None:
        seen = combine(at=1.0, tasks=[self.blue], desired=1, view=view(self.member))
        assert seen.node("a") == seen.by_raft_id("id-a") == seen.nodes[0]
        assert seen.node("b") is seen.by_raft_id("id-b") is seen.by_raft_id(None) is None
