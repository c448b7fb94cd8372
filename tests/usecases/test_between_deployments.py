"""The turns of an execution that belongs to no deployment, over a cluster with real rules."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from quorumshift.domain.look import Look
from quorumshift.domain.raft import Colour, Task, quorum
from quorumshift.domain.rollout import Progress
from quorumshift.usecases.turns import Act, Planned, Turn, next_turn
from tests.usecases.service import MemoryService
from tests.usecases.test_turns import POLICY, machine


def reconcile(service: MemoryService) -> Planned:
    hand_over = machine(service)
    planned: Planned | None = None
    act: Act | None = None
    for _ in range(200):
        look = Look(hand_over.look(None).cluster, stopped=False)
        planned = next_turn(
            look, Colour.BLUE, planned, act, service.raft.dialect, POLICY, between=True
        )
        if planned.decision in (Turn.DONE, Turn.BLOCKED):
            return planned
        if planned.decision is Turn.STEP:
            act = hand_over.act(planned, look, None)
        service.clock.sleep(planned.settle_seconds)
    raise AssertionError(f"no end: {planned}")


@settings(max_examples=25, deadline=None)
@given(
    size=st.sampled_from([3, 5]),
    losses=st.lists(st.lists(st.integers(0, 4), min_size=1, max_size=2), min_size=1, max_size=4),
)
def test_as_many_losses_as_the_cluster_tolerates_never_add_up(
    size: int, losses: list[list[int]]
) -> None:
    """Again and again as many voters as a minority are lost at once; the votes follow the tasks,
    and the cluster tolerates as much as before. Without that the second time is the last."""
    service = MemoryService(size, green=False)
    service.rollout = replace(service.rollout, progress=Progress.SUCCEEDED)
    for started, some in enumerate(losses):
        here = sorted(service.voters())
        for which in {each % size for each in some[: (size - 1) // 2]}:
            service.kill(here[which])
            address = f"n{started}-{which}"
            service.tasks[address] = Task(f"arn:{address}", address, Colour.BLUE, ready=True)
        service.clock.sleep(POLICY.stabilisation_seconds)
        assert reconcile(service).decision is Turn.DONE
        voters = service.cluster.voters()
        assert {node.address for node in voters} == set(service.tasks)
        assert sum(node.up for node in voters) - quorum(size) == (size - 1) // 2


def test_there_is_no_last_resort() -> None:
    service = MemoryService(green=False)
    service.kill("b3")
    node = service.cluster.at("b2")
    assert node is not None
    node.up = False
    hand_over, planned = machine(service), None
    for _ in range(100):
        look = Look(hand_over.look(None).cluster, stopped=False)
        planned = next_turn(
            look, Colour.BLUE, planned, None, service.raft.dialect, POLICY, between=True
        )
        assert planned.decision is not Turn.STEP
        assert not planned.lenient
        service.clock.sleep(1)
    assert service.voters() == {"b1", "b2", "b3"}
