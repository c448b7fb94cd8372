"""Trap 1: the Raft check was a stub, which saw three healthy nodes whatever it was asked.

Driven here is what the function VerifyRaft runs, on clusters that are not well; and the machine,
which must not come to a deployment by another way.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from quorumshift.adapters.raft.control import raft_control
from quorumshift.domain.errors import ClusterUnsafe, ClusterUnsettled
from quorumshift.domain.raft import Membership, RaftMember, RaftView, Report, Standing
from quorumshift.ports import Registered, Server
from tests.adapters.memory_raft import MemoryRaft
from tests.traps.asl import machine, reachable
from tests.traps.conftest import Deployed, Shipped
from tests.usecases.service import MemoryService

NEVER = 1e9
NOBODY = ("127.0.0.1", "127.0.0.2", "127.0.0.3")
MANY_ENTRIES = 50_000
"""More than a node in memory catches up with before any deadline."""


def _kill(service: MemoryService, voters: int) -> None:
    for address in sorted(service.voters())[-voters:]:
        service.kill(address)


def _no_task(service: MemoryService) -> None:
    for address in list(service.tasks):
        service.kill(address)


def _as_many_dead_as_it_tolerates(service: MemoryService) -> None:
    _kill(service, (service.size - 1) // 2)


def _no_quorum(service: MemoryService) -> None:
    _kill(service, service.size // 2 + 1)


def _nobody_answers(service: MemoryService) -> None:
    for node in service.cluster.nodes.values():
        node.up = False


def _no_leader(service: MemoryService) -> None:
    service.cluster.leader, service.cluster._election_at = None, NEVER


def _voters_far_behind(service: MemoryService) -> None:
    cluster = service.cluster
    cluster.log += [*[("key", "value")] * MANY_ENTRIES, cluster.config()]
    first, *others = cluster.voters()
    for node in (first, *others):
        node.applied = len(cluster.log)
    for node in others[-((service.size - 1) // 2) :]:
        node.applied = 1


def _too_few_voters(service: MemoryService) -> None:
    config = service.cluster.config()
    service.cluster.commit(dict(list(config.items())[: service.size - 1]))


SICK: dict[str, Callable[[MemoryService], None]] = {
    "no task at all": _no_task,
    "as many voters dead as it tolerates": _as_many_dead_as_it_tolerates,
    "no quorum": _no_quorum,
    "tasks that run, of which none answers": _nobody_answers,
    "no leader": _no_leader,
    "voters far behind": _voters_far_behind,
    "a voter too few": _too_few_voters,
}


def verify_raft(shipped: Shipped) -> Any:
    """What the function VerifyRaft runs, as the template names it."""
    module, _, name = shipped.handler("VerifyRaft").rpartition(".")
    return getattr(importlib.import_module(module), name)({}, None)


def let_pass(deployed: Deployed, shipped: Shipped) -> list[str]:
    """The sick clusters that the check lets a deployment begin on."""
    passed = []
    for what, spoil in SICK.items():
        spoil(deployed().service)
        try:
            verify_raft(shipped)
        except (ClusterUnsafe, ClusterUnsettled):
            continue
        passed.append(what)
    return passed


def test_no_sick_cluster_passes(deployed: Deployed, shipped: Shipped) -> None:
    assert let_pass(deployed, shipped) == []


def test_the_check_names_the_nodes_there_are(deployed: Deployed, shipped: Shipped) -> None:
    service = deployed().service
    verification = verify_raft(shipped)
    assert verification["decision"] == "proceed"
    assert set(verification["evidence"]["voters"]) == service.voters()
    assert verification["evidence"]["leader"] in service.voters()


class Stub:
    """The check that this project replaces."""

    dialect = MemoryRaft.dialect

    def observe(self, addresses: Sequence[str]) -> RaftView:
        """Three healthy nodes."""
        nodes = ("1", "2", "3")
        members = tuple(RaftMember(one, f"node-{one}", Standing.VOTER) for one in nodes)
        reports = {f"node-{one}": Report(one, 1, "1", 100, 100) for one in nodes}
        return RaftView(members, Membership.CONFIRMED, reports)


def test_the_stub_is_found_out(
    deployed: Deployed, shipped: Shipped, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("quorumshift.adapters.raft.control.raft_control", lambda *_: Stub())
    assert let_pass(deployed, shipped) == list(SICK)


class Table:
    """Has three servers as alive, of which none is."""

    def servers(self) -> Registered:
        """The rows."""
        rows = enumerate(NOBODY, 1)
        return Registered(tuple(Server(str(row), address, "active") for row, address in rows))


@pytest.mark.parametrize("registry", [None, Table()], ids=["no-table", "table"])
def test_the_adapter_itself_makes_no_nodes_up(shipped: Shipped, registry: Table | None) -> None:
    alone = replace(shipped.settings, raft_port=1)  # where nothing listens
    view = raft_control(alone, registry).observe(NOBODY)
    assert not view.members
    assert not view.reports
    assert view.membership is Membership.UNKNOWN
    assert view.unknown


def test_there_is_no_deployment_without_the_check() -> None:
    assert "CreateDeployment" in reachable(machine("deploy"))
    assert "CreateDeployment" not in reachable(machine("deploy"), without={"VerifyRaft"})
