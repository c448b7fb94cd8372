"""A Raft cluster in memory whose rules are real: quorum, terms, catch-up, etcd's caution.

Time is a number that only :meth:`MemoryCluster.tick` moves, so every run is the same. What is
simplified: an entry is either committed by a quorum at once or refused, never left undecided in
one node's log.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from quorumshift.domain.raft import Standing, quorum

TICK = 0.1
ELECTION = 1.0
SETTLED = 5.0
CATCH_UP = 20
"""Entries that a lagging node receives in one tick."""


@dataclass
class MemoryNode:
    """One node. ``since``: when it came up; ``applied``: how many entries it holds.

    ``frozen``: it is not up, and the others do not know: to them it is connected. ``cut``: it is
    not up to the others, and answers clients. ``deaf``: it dials the others, and they not it.
    """

    address: str
    raft_id: str
    up: bool = False
    since: float = 0.0
    applied: int = 0
    term: int = 1
    frozen: bool = False
    cut: bool = False
    deaf: bool = False


Config = dict[str, Standing]


class MemoryCluster:
    """The cluster itself. A log entry is a configuration, or a key and its value."""

    def __init__(self, addresses: Sequence[str]) -> None:
        self.now = 0.0
        self.term = 1
        self.nodes = {
            str(number): MemoryNode(address, str(number), up=True, applied=1)
            for number, address in enumerate(addresses, 1)
        }
        first: Config = dict.fromkeys(self.nodes, Standing.VOTER)
        self.log: list[Config | tuple[str, str]] = [first]
        self.leader: str | None = None
        self._election_at = ELECTION

    def config(self, applied: int | None = None) -> Config:
        """The configuration after so many entries, by default the committed one."""
        entries = self.log[:applied]
        return next((entry for entry in reversed(entries) if isinstance(entry, dict)), {})

    def voters(self) -> list[MemoryNode]:
        """The nodes that vote."""
        config = self.config()
        return [self.nodes[one] for one in config if config[one] is Standing.VOTER]

    def at(self, address: str) -> MemoryNode | None:
        """The member at an address."""
        config = self.config()
        return next((self.nodes[one] for one in config if self.nodes[one].address == address), None)

    def leads(self) -> bool:
        """Whether a leader has a quorum of voters that hold the whole log."""
        if self.leader is None or self.leader not in self.config():
            return False
        voters = self.voters()
        able = [one for one in voters if one.up and one.applied == len(self.log)]
        return self.nodes[self.leader] in able and len(able) >= quorum(len(voters))

    def commit(self, entry: Config | tuple[str, str]) -> None:
        """Append an entry. The caller has seen that :meth:`leads`."""
        in_sync = [one for one in self.nodes.values() if one.up and one.applied == len(self.log)]
        self.log.append(entry)
        for one in in_sync:
            one.applied = len(self.log)

    def connected(self, asked: MemoryNode, since: float = SETTLED) -> list[MemoryNode]:
        """The voters that the one which is asked takes for connected for so long."""
        return [
            one
            for one in self.voters()
            if one is asked
            or ((one.frozen or (one.up and self.now - one.since >= since)) and not one.deaf)
        ]

    def tick(self) -> None:
        """Let a tenth of a second pass: replication, loss of a leader, elections."""
        self.now = round(self.now + TICK, 6)
        self._replicate()
        if self.leader is not None and not self.leads():
            self.leader = None
            self._election_at = self.now + ELECTION
        if self.leader is None and self.now >= self._election_at:
            self._elect()

    def _replicate(self) -> None:
        if self.leads():
            for one in (self.nodes[raft_id] for raft_id in self.config()):
                if one.up:
                    one.applied = min(len(self.log), one.applied + CATCH_UP)

    def _elect(self) -> None:
        voters = self.voters()
        able = [one for one in voters if one.up]
        fresh = [one for one in able if one.applied == len(self.log)]
        if len(able) < quorum(len(voters)) or not fresh:
            return
        self.term += 1
        self.leader = fresh[0].raft_id
