"""The clusters that the contract suite runs against."""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Iterator

import pytest

from tests.adapters.etcd_cluster import EtcdBench
from tests.adapters.memory_raft import MemoryBench
from tests.adapters.raft_bench import RaftBench
from tests.adapters.relay_cluster import RelayBench

AHEAD = 2


@pytest.fixture(scope="session")
def stock() -> Iterator[deque[EtcdBench]]:
    """Clusters that nobody has used. etcd changes members only when its voters have been connected
    for five seconds, so the next ones grow old while a test runs."""
    started: deque[EtcdBench] = deque()
    try:
        yield started
    finally:
        for bench in started:
            bench.close()


@pytest.fixture
def etcd(stock: deque[EtcdBench], tmp_path_factory: pytest.TempPathFactory) -> Iterator[EtcdBench]:
    """Three real etcds with a leader."""
    while len(stock) <= AHEAD:
        stock.append(EtcdBench(tmp_path_factory.mktemp("etcd")))
    bench = stock.popleft()
    try:
        bench.wait_ready()
        yield bench
    finally:
        bench.close()


@pytest.fixture
def snaketron() -> Iterator[RelayBench]:
    """Three gRPC servers before a cluster in memory that has a leader."""
    with contextlib.closing(RelayBench()) as bench:
        while not bench.write("ready", "yes", bench.voters[0]):
            bench.pause()
        yield bench


@pytest.fixture(params=["memory", "etcd", "snaketron"])
def bench(request: pytest.FixtureRequest) -> RaftBench:
    """A fresh cluster of three voters: in memory, in memory behind real gRPC, and real."""
    if request.param == "memory":
        memory = MemoryBench()
        while not memory.write("ready", "yes", memory.voters[0]):
            memory.pause()
        return memory
    real: RaftBench = request.getfixturevalue(request.param)
    return real
