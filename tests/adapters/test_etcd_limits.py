"""What an etcd says of itself, and what the adapter cannot work with: seen before all else."""

from __future__ import annotations

import base64
import contextlib
import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from quorumshift.adapters.raft.etcd import EtcdRaft
from quorumshift.adapters.raft.etcd_gateway import Answer, post
from quorumshift.domain.errors import ChangeRefused
from quorumshift.domain.guard import termination_guard
from quorumshift.domain.handover import Next, goal_for, plan
from quorumshift.domain.health import Decision, assess
from quorumshift.domain.joining import combine
from quorumshift.domain.policy import Policy
from quorumshift.domain.raft import ClusterObservation, Colour, Membership, RaftView, Standing, Task
from quorumshift.rehearsal.block import take_block
from quorumshift.rehearsal.database_authority import certificate
from tests.adapters.etcd_cluster import CLIENT, EtcdBench
from tests.adapters.raft_bench import until
from tests.adapters.wire import answer, listening, request

POLICY = Policy(tolerance=0, minimum_voters=1)


@contextlib.contextmanager
def one_etcd(folder: Path, **options: str) -> Iterator[EtcdBench]:
    with contextlib.closing(EtcdBench(folder, size=1, **options)) as bench:
        yield bench


def joined(view: RaftView, *addresses: str) -> ClusterObservation:
    tasks = [Task(f"task/{at}", at, Colour.BLUE, ready=True) for at in addresses]
    return combine(at=0, tasks=tasks, desired=len(tasks), view=view)


def call(bench: EtcdBench, path: str, **body: object) -> Answer:
    return post(bench.voters[0], CLIENT, f"/v3/{path}", body, 3.0)


def revision(bench: EtcdBench) -> tuple[Any, Any]:
    status = call(bench, "maintenance/status")
    return status.body["raftIndex"], status.body["header"].get("revision")


def test_a_cluster_whose_space_is_used_up_is_no_healthy_one(tmp_path: Path) -> None:
    with one_etcd(tmp_path / "etcd", quota_backend_bytes="100000") as bench:
        bench.wait_ready()
        text = base64.b64encode(b"x" * 20_000).decode()
        key = base64.b64encode(b"key").decode()

        def full() -> bool:
            return call(bench, "kv/put", key=key, value=text).status == 429

        until(bench, "a full database", full)
        until(
            bench, "the alarm", lambda: bool(call(bench, "maintenance/status").body.get("errors"))
        )
        seen = joined(bench.control.observe(bench.voters), *bench.voters)

    assert seen.membership is Membership.CONFIRMED
    for verdict in (assess(seen, POLICY), termination_guard(seen, Colour.GREEN, POLICY)):
        assert verdict.decision is Decision.ABORT
        assert "does not take every write: alarm NOSPACE of member" in verdict.sentence
        assert "etcdctl alarm disarm" in verdict.sentence


def test_authentication_is_told_by_a_read_that_leaves_nothing_behind(tmp_path: Path) -> None:
    with one_etcd(tmp_path / "etcd") as bench:
        bench.wait_ready()
        assert bench.control.observe(bench.voters).unworkable == ()
        assert call(
            bench, "auth/user/add", name="root", password="not-a-secret"
        ).ok  # the test's own
        assert call(bench, "auth/role/add", name="root").ok
        assert call(bench, "auth/user/grant", user="root", role="root").ok
        assert call(bench, "auth/enable").ok
        before = revision(bench)
        view = bench.control.observe(bench.voters)
        assert revision(bench) == before
        with pytest.raises(ChangeRefused, match="user name is empty"):
            bench.control.admit(bench.spare(0), bench.voters)

    assert view.membership is Membership.CONFIRMED  # all else passes
    (limit,) = view.unworkable
    assert limit.startswith(f"{bench.voters[0]} asked for a user: authentication is on")
    seen = joined(view, *bench.voters)
    assert assess(seen, POLICY).decision is Decision.ABORT
    found = plan(seen, goal_for(seen, Colour.BLUE), bench.control.dialect, POLICY)
    assert (found.decision, found.reason) == (Next.BLOCKED, limit)


def test_a_listener_that_speaks_tls_alone_is_called_that(tmp_path: Path) -> None:
    pair = tmp_path / "pair.pem"
    pair.write_bytes(certificate("127.0.0.1"))
    options = {
        "cert_file": str(pair),
        "key_file": str(pair),
        "listen_client_urls": "https://{at}:2379",
        "advertise_client_urls": "https://{at}:2379",
    }
    with one_etcd(tmp_path / "etcd", **options) as bench:
        until(bench, "it", lambda: bool(bench.control.observe(bench.voters).unworkable))
        view = bench.control.observe(bench.voters)
    (limit,) = view.unworkable
    assert limit.startswith(f"{bench.voters[0]} speaks TLS alone")
    assert "--listen-client-urls" in limit
    assert assess(joined(view, *bench.voters), POLICY).decision is Decision.ABORT


STATUS = {
    "header": {"cluster_id": "77", "member_id": "1", "raft_term": "5"},
    "version": "3.5.21",
    "leader": "1",
    "raftIndex": "100",
    "raftTerm": "5",
    "raftAppliedIndex": "100",
}


@contextlib.contextmanager
def told(peer_urls: str, **fields: object) -> Iterator[tuple[str, RaftView]]:
    """A look at something that says this. ``{at}``: its own address."""
    block = take_block()
    address = block.task(0)
    urls = [url.format(at=address) for url in peer_urls.split()]
    listed = {"members": [{"ID": str(n), "peerURLs": [url]} for n, url in enumerate(urls, 1)]}

    def talk(connection: socket.socket) -> None:
        path, _ = request(connection)
        body = {**STATUS, **fields} if path.endswith("/status") else listed
        connection.sendall(answer(200, json.dumps(body).encode()))

    with contextlib.closing(block.lock), listening(address, talk):
        yield address, EtcdRaft(timeout=0.5).observe([address])


@pytest.mark.parametrize("version", ["3.4.23", "2.3.8", "", "?", "3"])
def test_a_version_that_answers_from_memory_confirms_nothing(version: str) -> None:
    with told("http://{at}:2380", version=version) as (address, view):
        assert view.membership is Membership.LOCAL
        (limit,) = view.unworkable
        assert f"below 3.5: {address} ({version or 'it told none'})" in limit
        assert assess(joined(view, address), POLICY).decision is Decision.ABORT


@pytest.mark.parametrize("version", ["3.5.0", "3.5.21", "3.6.0-rc.1", "3.10.1", "4.0.0"])
def test_a_version_that_asks_the_others_confirms(version: str) -> None:
    with told("http://{at}:2380", version=version) as (_, view):
        assert (view.membership, view.unworkable) == (Membership.CONFIRMED, ())


@pytest.mark.parametrize(
    ("errors", "alarms"),
    [
        ([], ()),
        (["etcdserver: no leader"], ()),
        (["memberID:7 alarm:CORRUPT "], ("alarm CORRUPT of member 7 (its data differ",)),
        (["memberID:7 alarm:NEW "], ("alarm NEW of member 7 (read that node's log)",)),
        (["something \x1b[31mnew"], ("'something \\x1b[31mnew'",)),
    ],
)
def test_what_a_status_says_is_wrong_is_read(errors: list[str], alarms: tuple[str, ...]) -> None:
    with told("http://{at}:2380", errors=errors) as (address, view):
        got = view.reports[address].alarms
        assert len(got) == len(alarms)
        assert all(one.startswith(other) for one, other in zip(got, alarms, strict=True))
        decision = assess(joined(view, address), POLICY).decision
        assert decision is (Decision.ABORT if alarms else Decision.PROCEED)


def test_a_voter_that_takes_itself_for_a_learner_does_not_count_yet() -> None:
    with told("http://{at}:2380", isLearner=True) as (address, view):
        assert view.reports[address].learns
        assert view.membership is Membership.UNKNOWN  # nobody is asked who may not tell


def test_members_that_are_listed_by_name_are_found_where_they_answer() -> None:
    with told("http://node-1.internal:2380 http://node-2.internal:2380") as (address, view):
        seen = joined(view, address)
        assert [(n.address, n.task, n.standing) for n in seen.nodes] == [
            (address, f"task/{address}", Standing.VOTER),
            ("node-2.internal", None, Standing.VOTER),
        ]
        (doubt,) = seen.unknown
        assert "Member 2 is listed at 'node-2.internal', which is no IP address" in doubt
