"""The baseline: nodes that join by themselves, and both ways to deploy side by side."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from quorumshift.domain.raft import Standing
from quorumshift.rehearsal.membership_news import changes
from quorumshift.rehearsal.observer import MemberSeen, Observer, ObserverSnapshot
from quorumshift.rehearsal.samples import ETCD
from quorumshift.rehearsal.service.gateway import Member
from quorumshift.rehearsal.service.self_join import Wish, wish
from tests.rehearsal.fleet import running, sees_leader, until

COMMAND = [sys.executable, "-m", "quorumshift.cli.main", "rehearse", "--baseline"]
COMMAND += ["--service", "etcd"]
ARM = [
    sys.executable,
    "-m",
    "quorumshift.cli.arms",
    "baseline",
    "--config",
    str(ETCD.configuration),
]


# What a node that joins by itself wants

BLUE = Member("1", "node-1", "127.0.0.1", learner=False)


@pytest.mark.parametrize(
    ("members", "wanted"),
    [
        pytest.param(
            [BLUE],
            Wish("add", {"peerURLs": ["http://127.0.0.2:2380"], "isLearner": True}),
            id="outside",
        ),
        pytest.param(
            [BLUE, Member("2", "", "127.0.0.2", learner=True)],
            Wish("promote", {"ID": "2"}),
            id="learner",
        ),
        pytest.param([BLUE, Member("2", "node-2", "127.0.0.2", learner=False)], None, id="voter"),
    ],
)
def test_a_node_asks_for_itself_until_it_votes(members: list[Member], wanted: Wish | None) -> None:
    assert wish("127.0.0.2", members) == wanted


def test_green_votes_by_itself_and_the_quorum_goes_with_blue(tmp_path: Path) -> None:
    """Nobody acts: a cluster of one becomes one of two, which needs both."""
    with running(tmp_path, size=1) as fleet:
        (blue,) = fleet.tasks
        green = fleet.start(version="2", behaviour="self-join")
        observer = Observer(fleet.world, fleet.instances)
        observer.start()
        until(lambda: green in voters(observer), 30)
        assert sees_leader(green)
        assert observer.snapshot().quorum_lost_seconds == 0
        assert "self-join: promote was done" in fleet.log(green).read_text()
        fleet.terminate(blue)
        until(lambda: not observer.snapshot().has_quorum)
        assert observer.finish().quorum_lost_seconds > 0


def voters(observer: Observer) -> list[str]:
    return [m.address for m in observer.snapshot().members if m.standing is Standing.VOTER]


# What is told of it


def test_a_lost_quorum_is_news_once_and_so_is_its_return() -> None:
    good, bad = seen(answering=4, lost=0.0), seen(answering=3, lost=0.1)
    lost = changes(good, bad)
    assert lost == ["the quorum is lost: 3 of 6 voters answer, 4 must"]
    assert changes(bad, bad) == []
    assert changes(bad, seen(answering=4, lost=2.0)) == [
        "there is a quorum again: 4 of 6 voters answer, 4 must"
    ]


def test_a_cluster_that_was_just_founded_has_found_no_quorum_again() -> None:
    assert changes(seen(answering=3, lost=0.0), seen(answering=4, lost=0.0)) == []


def seen(answering: int, lost: float) -> ObserverSnapshot:
    members = tuple(
        MemberSeen(f"127.0.0.{at}", Standing.VOTER, is_leader=False, answering=at < answering)
        for at in range(6)
    )
    return ObserverSnapshot(
        at=1.0,
        members=members,
        term=2,
        leader=None,
        has_quorum=answering >= 4,
        quorum_lost_seconds=lost,
        leader_changes=0,
        longest_gap_seconds=0.0,
    )


# Whole


@pytest.mark.timeout(150)
def test_the_baseline_loses_the_quorum() -> None:
    """The first arm alone. That the second keeps the quorum is what every other rehearsal shows."""
    run = subprocess.run(
        [*ARM, "--rate", "50"], capture_output=True, text=True, timeout=140, check=False
    )
    assert run.stdout, run.stderr[-4000:]
    today: dict[str, Any] = json.loads(run.stdout)
    assert run.returncode == 0
    assert today["outcome"] == "Deployed", today  # CodeDeploy knows of no quorum
    assert today["quorum"]["lostSeconds"] > 5
    assert today["quorum"]["lostAtEnd"]
    assert today["requests"]["failed"] > today["writes"]["failed"] > 0
    assert today["writes"]["unreadable"] == today["writes"]["acknowledged"] > 0
    assert (today["hooks"], today["states"], today["apiCalls"]) == ([], [], 0)
    assert "(6 voters)" in run.stderr
    assert "the quorum is lost: 3 of 6 voters answer, 4 must" in run.stderr


@pytest.mark.timeout(60)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_nothing_is_left_of_an_arm(number: signal.Signals) -> None:
    with subprocess.Popen(
        [*COMMAND, "--rate", "20"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as run:
        assert run.stderr is not None
        said = next(line for line in run.stderr if "starting the embedded AWS" in line)
        (arm,) = children(run.pid)
        started = until(lambda: set(children(arm)))
        run.send_signal(number)
        rest = run.stderr.read()  # until the last process that shares it has ended
        code = run.wait(20)
    assert code == (-number if number is signal.SIGKILL else 130), said + rest
    assert rest.count("interrupted; everything was ended") == (number is not signal.SIGKILL)
    until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in (arm, *started)))


def children(parent: int) -> Iterator[int]:
    """The process ids of the direct children of ``parent``."""
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue  # it has just ended
        if int(fields[1]) == parent:
            yield int(stat.parent.name)
