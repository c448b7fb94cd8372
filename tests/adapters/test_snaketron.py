"""What SnakeTron's nodes say, old and new, and what is made of it."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator

import pytest

from benchmarks.verify import blackhole
from quorumshift.adapters.raft.snaketron.control import SnaketronRaft
from quorumshift.domain.errors import MissingResource, Transient
from quorumshift.domain.health import Decision, assess
from quorumshift.domain.joining import combine
from quorumshift.domain.policy import Policy
from quorumshift.domain.raft import (
    ClusterObservation,
    Colour,
    Membership,
    RaftMember,
    RaftView,
    Report,
    Standing,
    Task,
)
from tests.adapters.raft_bench import ids, standings
from tests.adapters.relay_nodes import Script, member
from tests.adapters.relay_world import NOT_UP, World, new, old

LEARNER, VOTER = Standing.LEARNER, Standing.VOTER


@pytest.fixture
def world() -> Iterator[World]:
    with contextlib.closing(World()) as world:
        yield world


def joined(world: World, view: RaftView, *numbers: int) -> ClusterObservation:
    """What the domain sees, with a task for each number."""
    tasks = [Task(f"arn-{n}", world.at(n), Colour.BLUE, ready=True) for n in numbers]
    return combine(at=0, tasks=tasks, desired=len(tasks), view=view)


def test_a_cluster_of_the_extension_is_confirmed_by_its_leader(world: World) -> None:
    members = world.members(1, 2, learners=(3,))
    world.serve(1, Script(new("1", "2", world.members(1, 2), connections=7, applied=18)))
    world.serve(2, Script(new("2", "2", members, connections=9)))
    world.serve(3, Script(new("3", "2", [])))
    view = world.raft().observe([world.at(n) for n in (1, 2, 3)])

    assert view.membership is Membership.CONFIRMED
    assert view.unknown == ()
    assert view.members == (
        RaftMember("1", world.at(1), VOTER),
        RaftMember("2", world.at(2), VOTER),
        RaftMember("3", world.at(3), LEARNER),
    )
    voters = frozenset("12")
    assert view.reports[world.at(1)] == Report("1", 3, "2", 20, 18, voters, False, 7)
    assert view.reports[world.at(2)] == Report("2", 3, "2", 20, 20, voters, False, 9)
    assert view.reports[world.at(3)] == Report("3", 3, "2", 20, 20, None, False, 0)


def test_the_leader_of_the_last_term_is_believed(world: World) -> None:
    """An old leader that has not heard of its successor may still have been confirmed."""
    world.serve(1, Script(new("1", "1", world.members(1, 2, 3), term=3)))
    world.serve(2, Script(new("2", "2", world.members(1, 2, 3, 4), term=4)))
    view = world.raft().observe([world.at(1), world.at(2)])
    assert (len(view.members), view.membership, view.unknown) == (4, Membership.CONFIRMED, ())


def test_a_list_that_no_leader_confirmed_is_the_freshest_nodes_own(world: World) -> None:
    world.serve(1, Script(new("1", "", world.members(1, 2), applied=19)))
    world.serve(2, Script(new("2", "", world.members(1, 2, 3), applied=20)))
    world.serve(3, Script(NOT_UP))
    view = world.raft().observe([world.at(n) for n in (1, 2, 3)])

    assert view.membership is Membership.LOCAL
    assert set(ids(view)) == {world.at(n) for n in (1, 2, 3)}
    assert view.reports[world.at(1)].leader is None
    (why,) = view.unknown
    assert f"{world.at(2)}'s own view" in why
    assert f"{world.at(3)} answered UNAVAILABLE 'raft is not initialized'" in why
    assert "its Raft is not up" in why


def test_a_leader_that_is_not_confirmed_is_named(world: World) -> None:
    world.serve(1, Script(new("1", "1", world.members(1, 2), confirmed=False)))
    view = world.raft().observe([world.at(1)])
    assert view.membership is Membership.LOCAL
    assert f"{world.at(1)} leads and could not confirm it" in view.unknown[0]


def test_a_follower_that_names_itself_knows_no_leader(world: World) -> None:
    status = new("1", "2", world.members(1, 2))
    status.leader_id = "1"
    world.serve(1, Script(status))
    assert world.raft().observe([world.at(1)]).reports[world.at(1)].leader is None


def test_a_cluster_of_the_first_contract_is_pieced_together(world: World) -> None:
    """Followers tell neither their id nor the leader's address: the table has the ids."""
    world.serve(1, Script(old("2")), first=True)
    world.serve(2, Script(old("2", leads=True)), first=True)
    world.serve(3, Script(old("2", applied=11)), first=True)
    world.serve(4, Script(old("2", applied=10)), first=True)
    rows = [(str(n), n) for n in (1, 2, 3, 4)]
    view = world.raft(*rows).observe([world.at(2)])  # the others are in the table

    assert (view.membership, view.unknown) == (Membership.INFERRED, ())
    assert standings(view) == {
        world.at(1): VOTER,
        world.at(2): VOTER,
        world.at(3): VOTER,
        world.at(4): LEARNER,
    }
    assert view.reports[world.at(1)] == Report("1", 3, "2", 20, 20, None, True, None)
    assert view.reports[world.at(2)] == Report("2", 3, "2", 20, 20, None, True, None)


def test_what_a_pieced_list_cannot_know_is_said(world: World) -> None:
    world.serve(1, Script(old("1", leads=True)), first=True)
    world.serve(2, Script(old("1")), first=True)
    world.serve(3, Script(NOT_UP), first=True)
    raft = world.raft(("1", 1), ("3", 3))
    view = raft.observe([world.at(n) for n in (1, 2, 4)])

    assert view.membership is Membership.INFERRED
    assert ids(view) == {world.at(1): "1"}
    unnamed, silent = view.unknown
    assert f"{world.at(2)} answers, but its Raft id is not known" in unnamed
    assert f"{world.at(3)} as alive" in silent  # the fourth is in no table: no server
    assert "its Raft is not up" in silent


def test_a_new_node_is_no_member_of_a_pieced_list(world: World) -> None:
    """It waits outside, or has not heard the list yet: to count it would be to guess its vote."""
    world.serve(1, Script(old("1", leads=True)), first=True)
    world.serve(4, Script(new("4", "", [], term=0, applied=0, connections=6)))
    raft = world.raft(("1", 1), ("4", 4))
    view = raft.observe([])
    assert (view.membership, view.unknown) == (Membership.INFERRED, ())
    assert ids(view) == {world.at(1): "1"}
    assert view.reports[world.at(4)].connections == 6

    world.serve(5, Script(new("5", "1", [])))
    (doubt,) = raft.observe([world.at(5)]).unknown
    assert f"{world.at(5)} (node 5) does not tell whether it votes" in doubt


def test_without_a_leader_a_cluster_of_the_first_contract_tells_nothing(world: World) -> None:
    world.serve(1, Script(old()), first=True)
    view = world.raft(("1", 1)).observe([world.at(1)])
    assert (view.members, view.membership) == ((), Membership.UNKNOWN)
    assert len(view.unknown) == 1
    assert world.at(1) in view.reports


def test_under_an_old_leader_a_new_nodes_list_is_better_than_a_pieced_one(world: World) -> None:
    world.serve(1, Script(old("1", leads=True)), first=True)
    world.serve(2, Script(old("1")), first=True)
    world.serve(4, Script(new("4", "1", world.members(1, 2, 3, learners=(4,)))))
    view = world.raft(*[(str(n), n) for n in (1, 2, 4)]).observe([world.at(4)])

    assert (view.membership, view.unknown) == (Membership.INFERRED, ())
    assert standings(view)[world.at(3)] is VOTER
    assert standings(view)[world.at(4)] is LEARNER
    assert {one.joins_only for one in view.reports.values()} == {True, False}


def test_under_a_new_leader_old_followers_are_known_by_table_or_list(world: World) -> None:
    world.serve(1, Script(new("1", "1", world.members(1, 2, 3))))
    world.serve(2, Script(old("1")), first=True)
    world.serve(3, Script(old("1")), first=True)
    view = world.raft(("2", 2)).observe([world.at(n) for n in (1, 2, 3)])

    assert (view.membership, view.unknown) == (Membership.CONFIRMED, ())
    assert {report.raft_id for report in view.reports.values()} == {"1", "2", "3"}


def test_a_row_that_the_node_contradicts_is_a_doubt(world: World) -> None:
    world.serve(1, Script(new("1", "1", world.members(1, 2))))
    world.serve(2, Script(new("2", "1", world.members(1, 2))))
    view = world.raft(("1", 1), ("7", 2), ("2", 2)).observe([world.at(1), world.at(2)])

    assert view.membership is Membership.CONFIRMED
    (doubt,) = view.unknown
    assert f"{world.at(2)} as node 7" in doubt
    assert "it is node 2" in doubt
    assert "30 s" in doubt
    assert view.reports[world.at(2)].raft_id == "2"  # the node's own word


def test_two_nodes_of_one_id_are_a_doubt(world: World) -> None:
    world.serve(1, Script(new("1", "1", world.members(1, 2))))
    for number in (2, 3):
        world.serve(number, Script(new("2", "1", world.members(1, 2))))
    view = world.raft().observe([world.at(n) for n in (1, 2, 3)])
    assert f"{world.at(2)} and {world.at(3)} both say that they are node 2" in view.unknown[0]


@pytest.mark.parametrize("first", [False, True])
def test_two_leaders_in_one_term_reach_the_domain(world: World, first: bool) -> None:
    """Whether they are members of one list or each has its own."""
    if first:
        world.serve(1, Script(old("1", leads=True)), first=True)
        world.serve(4, Script(old("4", leads=True)), first=True)
    else:
        world.serve(1, Script(new("1", "1", world.members(1, 2, 3))))
        world.serve(4, Script(new("4", "4", world.members(4, 5, 6))))
    view = world.raft().observe([world.at(1), world.at(4)])

    verdict = assess(joined(world, view, 1, 4), Policy(allow_inferred=True))
    assert verdict.decision is not Decision.PROCEED
    assert f"{world.at(4)} leads" in verdict.sentence or "2 nodes say" in verdict.sentence
    assert {report.leader for report in view.reports.values()} == {"1", "4"}


@pytest.mark.parametrize("term", [1, 20])
def test_a_node_that_leads_a_cluster_of_its_own_is_a_doubt(world: World, term: int) -> None:
    world.serve(1, Script(new("1", "1", world.members(1, 2, 3), term=9)))
    world.serve(4, Script(new("4", "4", world.members(4), term=term, confirmed=term < 9)))
    view = world.raft().observe([world.at(1), world.at(4)])
    assert set(ids(view)) == {world.at(n) for n in (1, 2, 3)}
    assert "started a cluster of its own" in view.unknown[0]
    assert {node.address for node in joined(world, view, 1, 4).voters} == set(ids(view))


def test_a_node_that_was_removed_still_tells_its_connections(world: World) -> None:
    world.serve(1, Script(new("1", "1", world.members(1, 2))))
    world.serve(3, Script(new("3", "", [], term=0, connections=5)))
    view = world.raft().observe([world.at(1), world.at(3)])
    assert (view.membership, view.unknown) == (Membership.CONFIRMED, ())
    assert view.reports[world.at(3)].connections == 5


def test_a_node_at_another_ones_address_speaks_for_itself(world: World) -> None:
    """A replacement that got the address of a dead voter, or a process that was removed."""
    listed = [member("1", world.at(1)), member("9", world.at(2))]
    world.serve(1, Script(new("1", "1", listed)))
    world.serve(2, Script(new("2", "1", listed)))
    view = world.raft().observe([world.at(1), world.at(2)])
    assert ids(view)[world.at(2)] == "9"
    seen = joined(world, view, 1, 2)
    assert [(n.address, n.task, n.raft_id, n.report is None) for n in seen.nodes] == [
        (world.at(1), "arn-1", "1", False),
        (world.at(2), "arn-2", None, True),
        (f"{world.at(2)} (member 9)", None, "9", True),
    ]
    assert seen.unknown == ()


def test_two_members_on_one_address_are_two_voters_and_a_doubt(world: World) -> None:
    listed = [*(member(str(n), world.at(n)) for n in (1, 2, 3)), member("9", world.at(3))]
    for number in (1, 2, 3):
        world.serve(number, Script(new(str(number), "1", listed)))
    seen = joined(world, world.raft().observe([world.at(n) for n in (1, 2, 3)]), 1, 2, 3)
    verdict = assess(seen, Policy(tolerance=0))
    assert (len(verdict.evidence.voters), verdict.evidence.quorum) == (4, 3)
    assert verdict.decision is Decision.WAIT
    assert f"The members 3 and 9 are listed at the same address, {world.at(3)}" in verdict.sentence


def test_a_table_that_cannot_be_read_now_is_a_doubt_and_not_the_end(world: World) -> None:
    world.serve(1, Script(new("1", "1", world.members(1))))
    table = world.table()
    raft = SnaketronRaft(world.nodes.port, registry=table)

    table.error = Transient("The database does not answer. Look again")
    view = raft.observe([world.at(1)])
    assert view.membership is Membership.CONFIRMED
    assert view.unknown == (
        "The table of servers could not be read: The database does not answer. Look again.",
    )
    table.error = None
    table.unknown = ("Row 5 is alive and has no address.",)
    assert raft.observe([world.at(1)]).unknown == table.unknown
    table.error = MissingResource("There is no table of servers")
    with pytest.raises(MissingResource):
        raft.observe([world.at(1)])


def test_nobody_to_ask(world: World) -> None:
    view = world.raft().observe([])
    assert (view.members, view.membership, view.reports) == ((), Membership.UNKNOWN, {})
    assert view.unknown == ("No address to ask.",)


BAD: dict[str, tuple[dict[str, object], str]] = {
    "odd-id": ({"node_id": "one", "leader_id": ""}, "'one' is not a Raft id"),
    "odd-leader": ({"leader_id": "1\n2"}, "is not a Raft id"),
    "leads-unnamed": ({"is_leader": True, "leader_id": ""}, "does not say who it is"),
    "leads-as-another": ({"is_leader": True, "leader_id": "2"}, "node 2 does"),
    "no-member-id": ({"members": [member("", "127.0.0.9")]}, "has no id"),
    "no-address": ({"members": [member("3", "game.example")]}, "expected IP:port"),
    "twice": ({"members": [member("3", "127.0.0.9"), member("3", "127.0.0.8")]}, "same id"),
}


@pytest.mark.parametrize(("fields", "why"), BAD.values(), ids=BAD.keys())
def test_nothing_rests_on_a_status_that_makes_no_sense(
    world: World, fields: dict[str, object], why: str
) -> None:
    status = new("1", "2", [])
    for name, value in fields.items():
        if name == "members":
            status.members.extend(value)  # type: ignore[arg-type] # the cases' own
        else:
            setattr(status, name, value)
    world.serve(1, Script(status))
    view = world.raft().observe([world.at(1)])
    assert (view.members, view.membership, view.reports) == ((), Membership.UNKNOWN, {})
    assert f"{world.at(1)} told a status that cannot be used" in view.unknown[0]
    assert why in view.unknown[0]


def test_the_silent_cost_one_deadline_however_many_and_however_silent(world: World) -> None:
    world.serve(1, Script(new("1", "1", world.members(1, 2, 3, 4, 5))))
    for number in (2, 3):
        world.serve(number, Script(new(str(number), "1", []), seconds=30))
    with blackhole(world.at(4), world.nodes.port), blackhole(world.at(5), world.nodes.port):
        began = time.monotonic()
        view = world.raft().observe([world.at(n) for n in range(1, 6)])
        took = time.monotonic() - began
    assert view.membership is Membership.CONFIRMED
    assert set(view.reports) == {world.at(1)}
    assert 0.5 <= took < 1.0


def test_an_address_that_is_none_is_not_looked_up(world: World) -> None:
    view = world.raft().observe(["game.example"])
    assert "'game.example' is not an IP address" in view.unknown[0]
