"""From the search's operations back to nodes and steps: the path as rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby

from quorumshift.domain.handover_problem import Move, Operation
from quorumshift.domain.handover_scene import Scene
from quorumshift.domain.handover_search import search
from quorumshift.domain.handover_steps import Configuration, Cover, Kind, Step
from quorumshift.domain.locks import lock_step
from quorumshift.domain.raft import Colour, Node, Standing, quorum

Rows = tuple[Configuration, ...]


def find(scene: Scene, cover: Cover = Cover.QUORUM) -> Rows | None:
    """The best path (its first row is the present), or ``None`` if there is none."""
    operations = search(scene.problem(cover), scene.start())
    return None if operations is None else _Player(scene, cover).play(operations)


def present(scene: Scene) -> Configuration:
    """The present configuration alone."""
    return _Player(scene).row(None)


class _Player:
    """Plays the operations, and says which node each of them means."""

    def __init__(self, scene: Scene, cover: Cover = Cover.QUORUM) -> None:
        self.scene = scene
        self.cover = cover
        nodes = scene.observation.nodes
        self.voters = {node.address for node in nodes if node.standing is Standing.VOTER}
        self.learners = {node.address for node in nodes if node.standing is Standing.LEARNER}
        self.locked = set(scene.locked)
        self.leader = scene.leader.address
        self.rows: list[Configuration] = []

    def play(self, operations: Sequence[Operation]) -> Rows:
        """Follow the operations, a row each; neighbouring locks, or releases, make one row."""
        self.rows.append(self.row(None))
        for move, some in groupby(operations, key=lambda operation: operation.move):
            if move in (Move.LOCK, Move.RELEASE):
                self._turn_keys(move, list(some))
                continue
            for operation in some:
                self._remove_leftovers()
                self._change(operation)
        self._remove_leftovers()
        return tuple(self.rows)

    def _turn_keys(self, move: Move, operations: Sequence[Operation]) -> None:
        nodes = []
        for operation in operations:
            locked = move is Move.RELEASE
            node = self._pick(operation.group, voting=operation.voting, locked=locked)
            self.locked ^= {node.address}
            nodes.append(node)
        if move is Move.LOCK:
            self._add(lock_step(Kind.LOCK, nodes, _WHY_LOCK[self.cover]))
        else:
            self._add(lock_step(Kind.RELEASE, nodes, _WHY_RELEASE[self.cover]))

    def _remove_leftovers(self) -> None:
        if self.leader not in self.scene.able:
            return
        for address in sorted(self.learners - self.scene.wanted):
            if (Kind.REMOVE, address) in self.scene.refused:
                continue
            self.learners.discard(address)
            self._step(Kind.REMOVE, address, "It is a learner that is left over.")

    def _change(self, operation: Operation) -> None:
        if operation.move is Move.PROMOTE:
            node = self._pick(operation.group, voting=False, locked=operation.locked)
            self._admit(node.address)
            self.learners.discard(node.address)
            self.voters.add(node.address)
            self._step(Kind.PROMOTE, node.address, f"It is to vote. {self._arithmetic()}")
        elif operation.move is Move.REMOVE:
            node = self._pick(operation.group, voting=True, locked=operation.locked)
            self.voters.discard(node.address)
            why = f"{self._why_remove(node)} {self._arithmetic()}"
            self._step(Kind.REMOVE, node.address, why)
        elif operation.move is Move.TRANSFER:
            able = self.leader in self.scene.able
            why = "is to leave" if able else "can only admit and promote members"
            self.leader = self._heir(operation.group)
            self._step(Kind.TRANSFER, self.leader, f"The present leader {why}.")
        else:
            self._replace()

    def _admit(self, first: str) -> None:
        """Admit one node unless it is a member, then others while there is room: they catch up
        meanwhile."""
        slots = self.scene.dialect.learners_at_a_time - len(self.learners)
        others = (at for at in self.scene.nodes if at in self.scene.wanted)
        wanted = [first, *(at for at in others if (Kind.ADMIT, at) not in self.scene.refused)]
        for address in wanted:
            if slots > 0 and address not in self.learners | self.voters:
                self.learners.add(address)
                self._step(Kind.ADMIT, address, "It is to vote, and learns the log first.")
                slots -= 1

    def _replace(self) -> None:
        """Joint consensus: the goal, and the leader while it leads."""
        wanted = self.scene.wanted | {self.leader}
        self._admit(min(wanted))
        self.voters = set(wanted)
        self.learners -= wanted
        node = self.scene.nodes[self.leader]
        voters = tuple(self.scene.nodes[at].raft_id or at for at in sorted(wanted))
        text = "All voters change at once, through joint consensus."
        self._add(Step(Kind.REPLACE_ALL, self.leader, node.raft_id, node.task, text, (), voters))

    def _pick(self, group: int, *, voting: bool, locked: bool) -> Node:
        """The readiest node of the group with this standing; members come first."""
        fitting = [
            node
            for node in self.scene.groups[group][1]
            if (node.address in self.voters) is voting and (node.address in self.locked) is locked
        ]
        return next((node for node in fitting if node.address in self.learners), fitting[0])

    def _heir(self, group: int) -> str:
        voters = [n.address for n in self.scene.groups[group][1] if n.address in self.voters]
        return next((address for address in voters if address in self.locked), voters[0])

    def _why_remove(self, node: Node) -> str:
        if node.task is None:
            return "Its task is gone."
        if node.address not in self.scene.healthy:
            return f"It {self.scene.reading.complaints.get(node.address, 'is not healthy')}."
        return "It is not to vote any more."

    def _arithmetic(self) -> str:
        total = len(self.voters)
        spare = len(self.voters & self.scene.healthy) - quorum(total)
        return f"Then {quorum(total)} of {total} voters are the quorum, and {spare} may fail."

    def _step(self, kind: Kind, address: str, reason: str) -> None:
        node = self.scene.nodes[address]
        self._add(Step(kind, address, node.raft_id, node.task, reason))

    def _add(self, step: Step) -> None:
        self.rows.append(self.row(step))

    def row(self, step: Step | None) -> Configuration:
        """The configuration as it is now."""
        locked = tuple(sorted(self.locked))
        learners = tuple(sorted(self.learners))
        if step is not None and step.kind not in _CHANGES:
            last = self.rows[-1]
            return replace(
                last, step=step, learners=learners, locked=locked, point_of_no_return=False
            )
        nodes = self.scene.nodes
        voting = [nodes[address].colour for address in self.voters]
        healthy = self.voters & self.scene.healthy
        fit = [nodes[address].colour for address in healthy]
        needed = quorum(len(self.voters))
        green = len(fit) - fit.count(Colour.GREEN) >= needed
        return Configuration(
            step=step,
            voters=tuple(sorted(self.voters)),
            learners=learners,
            leader=self.leader,
            locked=locked,
            unhealthy=tuple(sorted(self.voters - healthy)),
            blue=voting.count(Colour.BLUE),
            green=voting.count(Colour.GREEN),
            quorum=needed,
            tolerance=len(healthy) - needed,
            green_may_vanish=green,
            blue_may_vanish=len(fit) - fit.count(Colour.BLUE) >= needed,
            point_of_no_return=bool(self.rows) and self.rows[-1].green_may_vanish and not green,
        )


_WHY_LOCK = {
    Cover.QUORUM: "A quorum of the voters is to be locked, now and after the next change.",
    Cover.EITHER: "A quorum is to be left, whichever colour's unlocked tasks end.",
    Cover.NONE: "As many votes as may be are to be locked.",
}
_WHY_RELEASE = {
    Cover.QUORUM: "A quorum of the voters stays locked without it.",
    Cover.EITHER: "A quorum is left without it, whichever colour's unlocked tasks end.",
    Cover.NONE: "Another vote needs the lock, or this one none any more.",
}
_CHANGES = (Kind.PROMOTE, Kind.REMOVE, Kind.TRANSFER, Kind.REPLACE_ALL)
"""Steps after which others vote or lead."""
