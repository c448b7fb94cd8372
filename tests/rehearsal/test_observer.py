"""What the observer makes of its samples, and what it sees of real members."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from quorumshift.domain.raft import Standing
from quorumshift.rehearsal.observer import Observer
from quorumshift.rehearsal.observer.record import Record, Said, Sample
from tests.rehearsal.fleet import Fleet, change, running, sees_leader, until

VOTERS = ("a", "b", "c")
A2 = Said("a", 2)
B3 = Said("b", 3)


def sample(
    at: float,
    said: dict[str, Said],
    heard: dict[str, float] | None = None,
    voters: tuple[str, ...] = VOTERS,
    blind: float = 0.0,
) -> Sample:
    """``heard``: when those that are down were last heard; just now, if it is not said."""
    down = {voter: (heard or {}).get(voter, at) for voter in voters if voter not in said}
    return Sample(at, frozenset(voters), said, down, blind)


def good(at: float, leader: Said = A2) -> Sample:
    return sample(at, dict.fromkeys(VOTERS, leader))


def recorded(*samples: Sample) -> Record:
    record = Record()
    for each in samples:
        record.add(each)
    return record


def test_a_cluster_that_is_being_founded_has_lost_nothing() -> None:
    record = recorded(sample(0, {}), sample(1, {"a": Said(None, 1)}), good(2), good(3))
    assert (record.quorum_lost_seconds, record.longest_gap_seconds) == (0, 0)


def test_one_of_three_may_be_down() -> None:
    record = recorded(good(1), sample(1.1, {"a": A2, "b": A2}), good(1.2))
    assert (record.quorum_lost_seconds, record.longest_gap_seconds) == (0, 0)


def test_a_lost_quorum_lasts_from_the_last_good_sample_to_the_next() -> None:
    record = recorded(good(1), sample(1.5, {"a": A2}), sample(2, {"a": A2}), good(2.5))
    assert record.quorum_lost_seconds == 1.5


def test_a_lost_quorum_that_lasts_is_counted_up_to_now() -> None:
    assert recorded(good(1), sample(1.5, {"a": A2}), sample(3, {})).quorum_lost_seconds == 2


def test_a_silent_voter_has_been_lost_since_it_was_last_heard() -> None:
    """Of the two that are down the second one broke the quorum."""
    heard = {"b": 1.0, "c": 4.0}
    record = recorded(good(4.9), sample(5, {"a": A2}, heard), good(6))
    assert record.quorum_lost_seconds == 2


def test_two_losses_add_up() -> None:
    bad = {"a": A2}
    record = recorded(good(1), sample(1.1, bad), good(1.2), good(2), sample(2.1, bad), good(2.2))
    assert record.quorum_lost_seconds == 0.4


def test_terminating_half_of_six_loses_the_quorum() -> None:
    six = ("a", "b", "c", "d", "e", "f")
    record = recorded(
        sample(1, dict.fromkeys(six, A2), voters=six),
        sample(2, dict.fromkeys("abc", A2), voters=six),
        sample(3, dict.fromkeys("abcd", A2), voters=six),
    )
    assert record.quorum_lost_seconds == 2


def test_an_election_is_a_gap_but_no_lost_quorum() -> None:
    nobody = Said(None, 3)
    record = recorded(good(1), sample(1.1, dict.fromkeys("bc", nobody)), good(2, B3))
    assert (record.quorum_lost_seconds, record.longest_gap_seconds) == (0, 1)
    assert record.leader_changes == 1


def test_a_dead_leader_leads_no_more_although_it_is_named() -> None:
    record = recorded(good(1), sample(1.1, {"b": A2, "c": A2}, {"a": 0.9}))
    assert record.leader is None
    record.add(good(2, B3))
    assert record.longest_gap_seconds == 1.1


@pytest.mark.parametrize(
    ("said", "leads"),
    [
        ({"a": A2, "b": A2}, True),
        ({"a": A2, "b": B3, "c": B3}, True),
        ({"a": A2, "b": B3}, False),
        ({"a": A2, "b": Said("a", 3), "c": Said("a", 4)}, False),
        ({"a": Said(None, 2), "b": Said(None, 2), "c": Said(None, 2)}, False),
        ({"a": Said("x", 2), "b": Said("x", 2), "c": Said("x", 2)}, False),
    ],
)
def test_a_leader_is_one_that_a_quorum_names_in_one_term(
    said: dict[str, Said], leads: bool
) -> None:
    assert (sample(1, said).leader is not None) is leads


def test_a_new_term_of_the_same_leader_is_a_change() -> None:
    record = recorded(good(1), good(2, Said("a", 3)), good(3, Said("a", 3)), good(4, B3))
    assert record.leader_changes == 2
    assert record.longest_gap_seconds == 0


def test_what_was_not_measured_is_not_called_lost() -> None:
    asleep = recorded(good(1), sample(6, dict.fromkeys(VOTERS, A2), blind=5))
    assert (asleep.quorum_lost_seconds, asleep.unmeasured) == (0, 5)
    woke_to_a_loss = recorded(good(1), sample(6, {"a": A2}, blind=4.9), good(6.5))
    assert woke_to_a_loss.quorum_lost_seconds == 0.5
    asleep_within = recorded(good(1), sample(1.5, {}), sample(6, {}, blind=4), good(6.5))
    assert asleep_within.quorum_lost_seconds == 1.5


def test_it_sees_the_nodes_as_they_come_and_change(tmp_path: Path) -> None:
    fleet = Fleet(tmp_path, size=1)
    try:
        observer = Observer(fleet.world, fleet.instances)
        observer.start()
        assert observer.snapshot().members == ()
        first = fleet.start()
        until(lambda: observer.snapshot().leader == first)
        second = fleet.start()
        until(lambda: sees_leader(second))

        def seen(address: str) -> tuple[Standing, bool] | None:
            found = {m.address: m for m in observer.snapshot().members}.get(address)
            return None if found is None else (found.standing, found.answering)

        until(lambda: seen(second) == (Standing.OUTSIDE, False))
        added = change(first, "add", peerURLs=[f"http://{second}:2380"], isLearner=True)
        until(lambda: seen(second) == (Standing.LEARNER, True))
        change(first, "remove", ID=added["member"]["ID"])
        until(lambda: seen(second) == (Standing.OUTSIDE, False))
        fleet.terminate(second)
        until(lambda: seen(second) is None)
        whole = observer.finish()
        assert seen(first) == (Standing.VOTER, True)
        assert [at.voters for at in whole.voters] == [(first,)]
        assert (whole.quorum_lost_seconds, whole.leader_changes) == (0, 0)
        assert [led.leader for led in whole.leaders] == [first]
    finally:
        fleet.close()


def test_a_slow_answer_is_not_a_lost_quorum_but_silence_is(tmp_path: Path) -> None:
    with running(tmp_path, size=1) as fleet:
        (address,) = fleet.tasks
        etcd = fleet.etcd(address)
        assert etcd is not None
        observer = Observer(fleet.world, fleet.instances)
        observer.start()
        until(lambda: observer.snapshot().leader)
        os.kill(etcd, signal.SIGSTOP)
        time.sleep(0.4)  # the length of the stall is what is tested
        os.kill(etcd, signal.SIGCONT)
        resumed = observer.snapshot().at
        until(lambda: observer.snapshot().at > resumed + 0.6)
        assert observer.snapshot().quorum_lost_seconds == 0
        os.kill(etcd, signal.SIGSTOP)
        until(lambda: not observer.snapshot().has_quorum)
        os.kill(etcd, signal.SIGCONT)
        until(lambda: observer.snapshot().has_quorum)
        assert observer.finish().quorum_lost_seconds > 1
