"""The adapter over the cluster in memory, and its bench."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from quorumshift.domain.errors import ChangeRefused, Transient
from quorumshift.domain.policy import Dialect
from quorumshift.domain.raft import (
    Membership,
    RaftMember,
    RaftView,
    Report,
    Standing,
    quorum,
)
from tests.adapters.memory_cluster import Config, MemoryCluster, MemoryNode


class MemoryRaft:
    """Implements ``RaftControl`` over a :class:`MemoryCluster`.

    ``losing``: addresses that lead to another one and lose the reply to every change. ``refusing``,
    ``lying``: changes ("remove 3") that are refused for good, or answered as done and not done.
    """

    dialect = Dialect(
        name="memory",
        learners_at_a_time=1,
        leadership_transfer=True,
        removal=True,
        joins_need_every_voter=True,
    )

    def __init__(self, cluster: MemoryCluster) -> None:
        self._cluster = cluster
        self.losing: dict[str, str] = {}
        self.refusing: set[str] = set()
        self.lying: set[str] = set()
        self.asked: list[str] = []

    def observe(self, addresses: Sequence[str]) -> RaftView:
        """Every asked member that is up, and the list as the best of them knows it."""
        cluster = self._cluster
        asked = {address: cluster.at(self.losing.get(address, address)) for address in addresses}
        up = {
            address: one
            for address, one in asked.items()
            if one is not None and (one.up or one.cut)
        }
        reports = {address: self._report(one) for address, one in up.items()}
        tell = [one for one in up.values() if one in cluster.voters() and one.up]
        if not tell:
            return RaftView((), Membership.UNKNOWN, reports, ("no voter told the member list",))
        if cluster.leads():
            return RaftView(self._list(cluster.config()), Membership.CONFIRMED, reports)
        freshest = max(tell, key=lambda one: (one.term, one.applied))
        local = self._list(cluster.config(freshest.applied))
        return RaftView(local, Membership.LOCAL, reports, ("no quorum confirmed the list",))

    def admit(self, address: str, via: Sequence[str]) -> None:
        """Add a learner."""
        cluster = self._cluster

        def change(asked: MemoryNode) -> None:
            if cluster.at(address) is not None:
                return
            if len(cluster.connected(asked)) < len(cluster.voters()):
                raise Transient(f"Cannot admit {address}: the connections are too young")
            config = cluster.config()
            if Standing.LEARNER in config.values():
                raise ChangeRefused(f"Cannot admit {address}: there is a learner already")
            raft_id = str(len(cluster.nodes) + 1)
            cluster.nodes[raft_id] = MemoryNode(address, raft_id)
            cluster.commit({**config, raft_id: Standing.LEARNER})

        self._through(f"admit {address}", via, change)

    def promote(self, raft_id: str, via: Sequence[str]) -> None:
        """Make a learner a voter, when it holds nine tenths of the log."""
        cluster = self._cluster

        def change(asked: MemoryNode) -> None:
            config = cluster.config()
            if raft_id not in config:
                raise ChangeRefused(f"Cannot promote {raft_id}: no such member")
            if config[raft_id] is Standing.VOTER:
                return
            one = cluster.nodes[raft_id]
            if not one.up or one.applied < 0.9 * len(cluster.log):
                raise Transient(f"Cannot promote {raft_id}: it is not in sync")
            cluster.commit({**config, raft_id: Standing.VOTER})

        self._through(f"promote {raft_id}", via, change)

    def transfer(self, raft_id: str, via: Sequence[str]) -> None:
        """Move leadership to a voter that is up and holds the whole log."""
        cluster = self._cluster

        def change(asked: MemoryNode) -> None:
            if cluster.leader == raft_id:
                return
            if cluster.config().get(raft_id) is not Standing.VOTER:
                raise ChangeRefused(f"Cannot move leadership to {raft_id}: it is no voter")
            one = cluster.nodes[raft_id]
            if not one.up or one.applied < len(cluster.log):
                raise Transient(f"Cannot move leadership to {raft_id}: it does not answer or lags")
            cluster.leader = raft_id
            cluster.term += 1

        self._through(f"move leadership to {raft_id}", via, change)

    def remove(self, raft_id: str, via: Sequence[str]) -> None:
        """Take a member out; a voter that is up only while enough others are settled."""
        cluster = self._cluster

        def change(asked: MemoryNode) -> None:
            config = cluster.config()
            if raft_id not in config:
                return
            one = cluster.nodes[raft_id]
            left = [other for other in cluster.voters() if other is not one]
            if config[raft_id] is Standing.VOTER and one.up:
                settled = [other for other in cluster.connected(asked) if other is not one]
                if len(settled) < quorum(len(left)):
                    raise Transient(f"Cannot remove {raft_id}: the connections are too young")
            cluster.commit({other: config[other] for other in config if other != raft_id})
            one.up = False

        self._through(f"remove {raft_id}", via, change)

    def _through(self, what: str, via: Sequence[str], change: Callable[[MemoryNode], None]) -> None:
        """Apply a change at the first address that can; look before a lost reply is an error."""
        cluster = self._cluster
        seen = []
        self.asked.append(what)
        if what in self.lying:
            return
        for address in via:
            one = cluster.at(self.losing.get(address, address))
            if one is None or not one.up or one not in cluster.voters():
                seen.append(f"{address}: no voter answers")
            elif not cluster.leads():
                seen.append(f"{address}: no leader")
            else:
                if what in self.refusing:
                    raise ChangeRefused(f"Cannot {what}: {address} answered no")
                change(one)
                if address in self.losing:
                    change(one)  # what is already so is not an error: the second call is the look
                return
        raise Transient(f"Cannot {what}: {'; '.join(seen) or 'no address to ask'}")

    def _report(self, one: MemoryNode) -> Report:
        cluster = self._cluster
        leads = cluster.leads() and one.up
        if leads:
            one.term = cluster.term
        config = cluster.config(one.applied)
        voters = frozenset(other for other in config if config[other] is Standing.VOTER)
        is_voter = cluster.config().get(one.raft_id) is Standing.VOTER
        return Report(
            raft_id=one.raft_id,
            term=one.term,
            leader=cluster.leader if leads else None,
            last_index=one.applied,
            applied_index=one.applied,
            voters=voters if is_voter else None,
        )

    def _list(self, config: Config) -> tuple[RaftMember, ...]:
        nodes = self._cluster.nodes
        return tuple(RaftMember(one, nodes[one].address, config[one]) for one in config)


class MemoryBench:
    """A :class:`~tests.adapters.raft_bench.RaftBench` in memory. ``address``: of the ``number``-th
    node."""

    def __init__(self, address: Callable[[int], str] = "10.0.0.{}".format) -> None:
        self._address = address
        self.voters = tuple(address(number) for number in range(3))
        self.cluster = MemoryCluster(self.voters)
        self.control = MemoryRaft(self.cluster)

    def spare(self, number: int) -> str:
        """The ``number``-th address outside."""
        return self._address(3 + number)

    def boot(self, address: str) -> None:
        """The node is up from now on."""
        one = self._member(address)
        one.up, one.since = True, self.cluster.now

    def crash(self, address: str) -> None:
        """The node is down."""
        self._member(address).up = False

    def losing_replies(self, address: str) -> str:
        """Another name of ``address``."""
        alias = f"losing-{address}"
        self.control.losing[alias] = address
        return alias

    def write(self, key: str, value: str, via: str) -> bool:
        """Commit an entry, if the node at ``via`` has a leader."""
        serves = self._serves(via)
        if serves:
            self.cluster.commit((key, value))
        return serves

    def read(self, key: str, via: str) -> str | None:
        """The last value committed for ``key``."""
        if not self._serves(via):
            return None
        written = [entry for entry in self.cluster.log if isinstance(entry, tuple)]
        return dict(written).get(key)

    def pause(self) -> None:
        """One tick."""
        self.cluster.tick()

    def _serves(self, via: str) -> bool:
        one = self.cluster.at(via)
        return one in self.cluster.voters() and one.up and self.cluster.leads()

    def _member(self, address: str) -> MemoryNode:
        one = self.cluster.at(address)
        assert one is not None, f"{address} is no member"
        return one
