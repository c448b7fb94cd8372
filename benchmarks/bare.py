"""The bare arm: the same calls to etcd as a hand-over makes, and nothing in between.

Which calls, and in which order, is the planner's path; its locks are left out. Each call goes to
the leader and is repeated until etcd does it.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from benchmarks.stage import Stage, Stuck
from quorumshift.adapters.raft.etcd import EtcdRaft
from quorumshift.adapters.raft.etcd_gateway import NoReply, NotSent, post
from quorumshift.domain.handover import Kind, Next, Step, goal_for, plan
from quorumshift.domain.raft import Colour

_PATHS = {
    Kind.ADMIT: "/v3/cluster/member/add",
    Kind.PROMOTE: "/v3/cluster/member/promote",
    Kind.TRANSFER: "/v3/maintenance/transfer-leadership",
    Kind.REMOVE: "/v3/cluster/member/remove",
}
_AGAIN_SECONDS = 0.05
_CALL_SECONDS = 5.0
_STEP_SECONDS = 60.0


class Script:
    """``took``: seconds of each change of the Raft cluster, in order, as (step, address)."""

    def __init__(self, stage: Stage, goal: Colour) -> None:
        """Plan it from what is seen now. Raises ``Stuck`` when there is no path."""
        seen = stage.look()
        planned = plan(seen, goal_for(seen, goal), EtcdRaft.dialect, stage.raft.policy)
        if planned.decision is not Next.STEP:
            raise Stuck(f"no path to {goal}: {planned.sentence}")
        self.steps = [row.step for row in planned.path if row.step and row.step.kind in _PATHS]
        self.took: list[tuple[str, str, float]] = []
        self._leader = planned.path[0].leader
        self._ids = {node.address: node.raft_id for node in seen.nodes if node.raft_id}
        self._ports = stage.raft.port, stage.raft.peer_port
        self._stage = stage

    def run(self) -> float:
        """Make the calls, one after another; returns the seconds that they took."""
        began = time.monotonic()
        for step in self.steps:
            since = time.monotonic()
            answer = self._call(step)
            self._stage.traffic.look()
            if step.kind is Kind.ADMIT:
                self._ids[step.address] = answer["member"]["ID"]
            elif step.kind is Kind.TRANSFER:
                self._leader = step.address
            self.took.append((step.kind.value, step.address, time.monotonic() - since))
        return time.monotonic() - began

    def _call(self, step: Step) -> Mapping[str, Any]:
        deadline = time.monotonic() + _STEP_SECONDS
        said = ""
        while time.monotonic() < deadline:
            try:
                answer = post(
                    self._leader, self._ports[0], _PATHS[step.kind], self._body(step), _CALL_SECONDS
                )
                if answer.ok:
                    return answer.body
                said = str(answer)
            except (NotSent, NoReply) as error:
                said = str(error)
            time.sleep(_AGAIN_SECONDS)
        raise Stuck(f"{step.kind} {step.address} was refused for {_STEP_SECONDS:.0f} s: {said}")

    def _body(self, step: Step) -> dict[str, object]:
        if step.kind is Kind.ADMIT:
            peer = f"http://{step.address}:{self._ports[1]}"
            return {"peerURLs": [peer], "isLearner": True}
        member = self._ids[step.address]
        return {"targetID" if step.kind is Kind.TRANSFER else "ID": member}
