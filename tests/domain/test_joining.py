"""How tasks and members are joined: by the id that a node reports, and never counted twice."""

from __future__ import annotations

import itertools
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from quorumshift.domain.health import Decision, assess
from quorumshift.domain.joining import combine
from quorumshift.domain.policy import Policy
from quorumshift.domain.raft import (
    Colour,
    Membership,
    RaftMember,
    RaftView,
    Report,
    Standing,
    Task,
    quorum,
)
from tests.domain.join_oracle import places


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


def task(address: str, number: int = 1) -> Task:
    return Task(f"task/{address}/{number}", address, Colour.BLUE, ready=True)


def voter(raft_id: str, address: str) -> RaftMember:
    return RaftMember(raft_id, address, Standing.VOTER)


def says(raft_id: str) -> Report:
    return Report(raft_id, 5, "1", 100, 100)


THREE = [task("a"), task("b"), task("c")]
MEMBERS = [voter("1", "a"), voter("2", "b"), voter("3", "c")]


class TestWhatDoesNotFit:
    def test_six_members_on_three_addresses_are_six_voters(self) -> None:
        twins = [voter("11", "a"), voter("12", "b"), voter("13", "c")]
        told = view(*MEMBERS, *twins, a=says("1"), b=says("2"), c=says("3"))
        verdict = assess(combine(at=1.0, tasks=THREE, desired=3, view=told), Policy())
        assert (len(verdict.evidence.voters), verdict.evidence.quorum) == (6, 4)
        assert verdict.decision is Decision.ABORT
        assert verdict.sentence.startswith(
            "3 of 6 voters do not answer (a (member 11), b (member 12), c (member 13)): there is "
            "no quorum of 4."
        )
        assert "The members 1 and 11 are listed at the same address, a" in verdict.sentence

    def test_a_replacement_at_a_dead_voters_address_that_tells_its_own_id(self) -> None:
        told = view(*MEMBERS, a=says("1"), b=says("2"), c=says("9"))
        seen = combine(at=1.0, tasks=THREE, desired=3, view=told)
        assert [(n.address, n.task, n.standing, n.raft_id) for n in seen.nodes[2:]] == [
            ("c", "task/c/1", Standing.OUTSIDE, None),
            ("c (member 3)", None, Standing.VOTER, "3"),
        ]
        assert seen.unknown == ()
        assert assess(seen, Policy()).evidence.unhealthy == ("c (member 3)",)

    def test_a_silent_task_is_taken_for_the_member_at_its_address(self) -> None:
        told = view(*MEMBERS, a=says("1"), b=says("2"))
        seen = combine(at=1.0, tasks=THREE, desired=3, view=told)
        assert [n.raft_id for n in seen.nodes] == ["1", "2", "3"]
        assert assess(seen, Policy()).decision is Decision.ABORT

    def test_a_member_that_answers_elsewhere_is_not_taken_for_gone(self) -> None:
        listed = [voter("1", "a"), voter("2", "b"), voter("3", "x")]
        told = view(*listed, a=says("1"), b=says("2"), c=says("3"))
        seen = combine(at=1.0, tasks=THREE, desired=3, view=told)
        assert [(n.address, n.task is None, n.raft_id) for n in seen.nodes] == [
            ("a", False, "1"),
            ("b", False, "2"),
            ("c", False, "3"),
        ]
        (doubt,) = seen.unknown
        assert doubt.startswith("c says that it is member 3, which the member list has at x")

    def test_two_nodes_of_one_id_are_a_doubt(self) -> None:
        told = view(*MEMBERS, a=says("1"), b=says("2"), c=says("2"))
        seen = combine(at=1.0, tasks=THREE, desired=3, view=told)
        assert [(n.address, n.raft_id) for n in seen.nodes] == [
            ("a", "1"),
            ("b", "2"),
            ("c", None),
            ("c (member 3)", "3"),
        ]
        (doubt,) = seen.unknown
        assert doubt.startswith("b and c say of themselves that they are member 2.")

    def test_two_tasks_of_one_address_are_a_doubt(self) -> None:
        tasks = [*THREE, task("c", 2)]
        told = view(*MEMBERS, a=says("1"), b=says("2"), c=says("3"))
        (doubt,) = combine(at=1.0, tasks=tasks, desired=3, view=told).unknown
        assert doubt.startswith("The tasks task/c/1 and task/c/2 have the same address, c")


ADDRESSES = ["a", "b", "c"]


@st.composite
def stories(draw: st.DrawFn) -> tuple[list[Task], RaftView]:
    """Tasks, members and reports, most of them such that they fit."""
    tasks = [task(at) for at in ADDRESSES if draw(st.sampled_from([True, True, True, False]))]
    members = [
        RaftMember(
            str(number),
            draw(st.sampled_from([at, at, at, at, *ADDRESSES, "x"])),
            draw(st.sampled_from([Standing.VOTER, Standing.VOTER, Standing.LEARNER])),
        )
        for number, at in enumerate([*ADDRESSES, "a", "b"], 1)
        if draw(st.booleans() if number > len(ADDRESSES) else st.sampled_from([True, True, False]))
    ]
    told = {
        one.address: says(draw(st.sampled_from([str(number), str(number), "1", "2", "9"])))
        for number, one in enumerate(tasks, 1)
        if draw(st.sampled_from([True, True, False]))
    }
    return tasks, RaftView(tuple(members), Membership.CONFIRMED, told)


@settings(max_examples=400, deadline=None)
@given(stories())
def test_every_member_and_every_task_counts_once(story: tuple[list[Task], RaftView]) -> None:
    tasks, told = story
    seen = combine(at=1.0, tasks=tasks, desired=3, view=told)
    addresses = [node.address for node in seen.nodes]
    assert len(set(addresses)) == len(addresses)
    found = sorted(node.raft_id for node in seen.nodes if node.raft_id)
    assert found == sorted(member.raft_id for member in told.members)
    assert sorted(n.task for n in seen.nodes if n.task) == sorted(one.arn for one in tasks)
    voters = [member for member in told.members if member.standing is Standing.VOTER]
    assert len(seen.voters) == len(voters)
    assert assess(seen, Policy()).evidence.quorum == quorum(len(voters))
    for node in seen.nodes:
        assert node.report is None or node.report is None or node.report.raft_id == node.raft_id
        assert node.task or node.address not in told.reports  # whoever has no task is not asked


@settings(max_examples=400, deadline=None)
@given(stories())
def test_without_a_doubt_the_join_is_the_only_one_that_fits_all_that_was_told(
    story: tuple[list[Task], RaftView],
) -> None:
    tasks, told = story
    seen = combine(at=1.0, tasks=tasks, desired=3, view=told)
    possible = places(told.members, [one.address for one in tasks], told.reports)
    most = max((sum(at is not None for at in one.values()) for one in possible), default=0)
    best = [one for one in possible if sum(at is not None for at in one.values()) == most]
    shared = any(one.address == two.address for one, two in itertools.combinations(told.members, 2))
    if seen.unknown:
        assert shared or len(best) != 1
        return
    assert best == [
        {
            node.raft_id: node.address if node.task else None
            for node in sorted(seen.nodes, key=lambda node: node.raft_id or "")
            if node.raft_id
        }
    ]
