"""The Raft cluster in memory on the hub's time: it ticks while something moves in it, and jumps
while nothing does."""

from __future__ import annotations

from collections.abc import Sequence

from quorumshift.domain.raft import quorum
from tests.adapters.memory_cluster import SETTLED, TICK, Config, MemoryCluster, MemoryNode


class JumpingCluster(MemoryCluster):
    """Its time begins at ``now``, with connections that are old enough."""

    def __init__(self, addresses: Sequence[str], now: float) -> None:
        self._configs: dict[int, Config] = {}
        self._voters: tuple[int, list[MemoryNode]] = (0, [])
        super().__init__(addresses)
        self.now = now
        self.leader = "1"
        self._election_at = now
        for node in self.nodes.values():
            node.since = now - SETTLED

    def config(self, applied: int | None = None) -> Config:
        """See there; each is looked for once."""
        at = len(self.log) if applied is None else applied
        known = self._configs.get(at)
        if known is None:
            known = self._configs[at] = super().config(at)
        return known

    def voters(self) -> list[MemoryNode]:
        """See there; found anew when the log has grown."""
        if self._voters[0] != len(self.log):
            self._voters = (len(self.log), super().voters())
        return self._voters[1]

    def pass_to(self, when: float) -> None:
        """Let the time until then pass."""
        while self.now + TICK <= when:
            if self._quiet():
                self.now += TICK * int((when - self.now) / TICK)
                return
            self.tick()

    def _quiet(self) -> bool:
        if self.leads():
            whole = len(self.log)
            return all(
                one.applied == whole
                for one in (self.nodes[raft_id] for raft_id in self.config())
                if one.up
            )
        return self.leader is None and not self.has_quorum()

    def has_quorum(self) -> bool:
        """Whether a quorum of the voters is up."""
        voters = self.voters()
        return sum(one.up for one in voters) >= quorum(len(voters))
