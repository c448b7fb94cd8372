"""What every Raft adapter keeps, held against a cluster in memory, against the same one behind real
gRPC servers, and against real etcd."""

from __future__ import annotations

import pytest

from quorumshift.domain.errors import ChangeRefused, Transient
from quorumshift.domain.raft import Membership, Standing
from tests.adapters.raft_bench import RaftBench, ids, leader, persist, standings, until

NOBODY = "123456789"


def followers(bench: RaftBench) -> list[str]:
    at = leader(bench.control.observe(bench.voters))
    assert at is not None
    return [address for address in bench.voters if address != at]


def test_all_nodes_tell_one_story(bench: RaftBench) -> None:
    view = bench.control.observe([*bench.voters, bench.spare(0)])

    assert view.membership is Membership.CONFIRMED
    assert view.unknown == ()
    assert standings(view) == dict.fromkeys(bench.voters, Standing.VOTER)
    assert set(view.reports) == set(bench.voters)
    assert leader(view) in bench.voters
    assert len({report.term for report in view.reports.values()}) == 1
    for address, report in view.reports.items():
        assert report.raft_id == ids(view)[address]
        assert report.voters == frozenset(ids(view).values())
        assert 0 < report.applied_index <= report.last_index


def test_a_learner_that_never_started_is_taken_out_again(bench: RaftBench) -> None:
    control, via, new = bench.control, bench.voters, bench.spare(0)

    persist(bench, lambda: control.admit(new, via))
    control.admit(new, via)  # repeated: fine
    view = control.observe([*via, new])
    assert standings(view)[new] is Standing.LEARNER
    assert new not in view.reports
    learner = ids(view)[new]
    with pytest.raises(ChangeRefused, match="learner"):
        persist(bench, lambda: control.admit(bench.spare(1), via))
    with pytest.raises(ChangeRefused, match=learner):
        persist(bench, lambda: control.transfer(learner, via))
    with pytest.raises(Transient, match="in sync"):
        control.promote(learner, via)

    persist(bench, lambda: control.remove(learner, via))
    persist(bench, lambda: control.remove(learner, via))
    assert set(ids(control.observe(via))) == set(via)
    with pytest.raises(ChangeRefused, match=learner):
        persist(bench, lambda: control.promote(learner, via))


def test_a_node_goes_from_outside_to_leader_and_its_forerunner_goes_out(bench: RaftBench) -> None:
    control, via, new = bench.control, bench.voters, bench.spare(0)
    assert bench.write("before", "1", via[0])
    persist(bench, lambda: control.admit(new, via))
    bench.boot(new)

    until(bench, "its report", lambda: new in control.observe([*via, new]).reports)
    view = control.observe([*via, new])
    learner = ids(view)[new]
    assert standings(view)[new] is Standing.LEARNER
    assert control.observe([new]).membership is Membership.UNKNOWN
    with pytest.raises(Transient, match=new):
        control.remove(learner, [new])  # a learner serves no change

    persist(bench, lambda: control.promote(learner, via))
    control.promote(learner, via)
    view = control.observe([*via, new])
    assert standings(view)[new] is Standing.VOTER
    assert view.reports[new].raft_id == learner

    old = leader(view)
    assert old is not None
    rest = [address for address in via if address != old]
    persist(bench, lambda: control.transfer(learner, via))
    control.transfer(learner, via)
    until(bench, "its lead", lambda: leader(control.observe([*via, new])) == new)

    persist(bench, lambda: control.remove(ids(view)[old], rest))
    control.remove(ids(view)[old], rest)
    after = control.observe([*via, new])
    assert after.membership is Membership.CONFIRMED
    assert set(ids(after)) == {*rest, new}
    assert bench.read("before", new) == "1"
    assert bench.write("after", "2", new)


def test_a_dead_follower_is_seen_and_may_go_but_costs_no_healthy_one(bench: RaftBench) -> None:
    control = bench.control
    dead, healthy = followers(bench)
    members = ids(control.observe(bench.voters))
    bench.crash(dead)

    view = control.observe(bench.voters)
    assert view.membership is Membership.CONFIRMED
    assert set(view.reports) == set(bench.voters) - {dead}
    assert leader(view) in view.reports
    with pytest.raises(Transient):
        control.transfer(members[dead], bench.voters)
    with pytest.raises(Transient):
        control.remove(members[healthy], bench.voters)
    with pytest.raises(Transient):
        control.admit(bench.spare(0), bench.voters)

    persist(bench, lambda: control.remove(members[dead], bench.voters))
    assert set(ids(control.observe(bench.voters))) == set(bench.voters) - {dead}


def test_another_voter_leads_after_the_leader_died(bench: RaftBench) -> None:
    before = bench.control.observe(bench.voters)
    old = leader(before)
    assert old is not None
    bench.crash(old)
    rest = [address for address in bench.voters if address != old]

    until(bench, "a new leader", lambda: leader(bench.control.observe(rest)) in rest)

    view = bench.control.observe(bench.voters)
    assert view.membership is Membership.CONFIRMED
    assert set(view.reports) == set(rest)
    assert min(r.term for r in view.reports.values()) > before.reports[old].term


def test_without_quorum_nothing_is_confirmed_and_nothing_changes(bench: RaftBench) -> None:
    control = bench.control
    members = ids(control.observe(bench.voters))
    one, two = followers(bench)
    last = next(address for address in bench.voters if address not in (one, two))
    bench.crash(one)
    bench.crash(two)
    until(
        bench,
        "the loss of the leader",
        lambda: control.observe(bench.voters).reports[last].leader is None,
    )

    view = control.observe(bench.voters)
    assert view.membership is Membership.LOCAL
    assert ids(view) == members
    assert len(view.unknown) == 1
    for change, whom in (
        (control.admit, bench.spare(0)),
        (control.transfer, members[last]),
    ):
        with pytest.raises(Transient):
            change(whom, bench.voters)
    assert not bench.write("lost", "1", last)

    bench.crash(last)
    view = control.observe(bench.voters)
    assert (view.members, view.membership, view.reports) == ((), Membership.UNKNOWN, {})
    assert len(view.unknown) == 1


def test_members_that_do_not_exist(bench: RaftBench) -> None:
    control, via = bench.control, bench.voters
    with pytest.raises(ChangeRefused, match=NOBODY):
        control.promote(NOBODY, via)
    with pytest.raises(ChangeRefused, match=NOBODY):
        control.transfer(NOBODY, via)
    control.remove(NOBODY, via)  # as good as gone
    assert set(ids(control.observe(via))) == set(via)


def test_the_first_address_need_not_answer_and_one_must(bench: RaftBench) -> None:
    control, nobody = bench.control, bench.spare(5)
    with pytest.raises(ChangeRefused):
        control.promote(NOBODY, [nobody, *bench.voters])
    for via in ([nobody], []):
        for change in (control.promote, control.transfer, control.remove):
            with pytest.raises(Transient, match=NOBODY):
                change(NOBODY, via)
        with pytest.raises(Transient, match=bench.spare(0)):
            control.admit(bench.spare(0), via)


def test_a_lost_reply_is_no_error_when_the_change_was_made(bench: RaftBench) -> None:
    control, new = bench.control, bench.spare(0)
    at = leader(control.observe(bench.voters))
    assert at is not None
    lossy = bench.losing_replies(at)
    persist(bench, lambda: control.admit(new, [lossy]))
    members = ids(control.observe([*bench.voters]))
    bench.boot(new)
    persist(bench, lambda: control.promote(members[new], [lossy]))
    assert standings(control.observe(bench.voters))[new] is Standing.VOTER
    until(bench, "its report", lambda: new in control.observe([*bench.voters, new]).reports)

    gone = next(address for address in bench.voters if address != at)
    persist(bench, lambda: control.remove(members[gone], [lossy]))
    assert set(ids(control.observe([at]))) == {*bench.voters, new} - {gone}
