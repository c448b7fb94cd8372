"""Asks every member, ten times a second, and tells what it saw."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

from quorumshift.domain.raft import Standing
from quorumshift.rehearsal.observer.record import (
    SILENT_SECONDS,
    LeaderAt,
    MemberSeen,
    ObserverResult,
    ObserverSnapshot,
    Record,
    Said,
    Sample,
    VotersAt,
)
from quorumshift.rehearsal.reporting import standard_input, write_report
from quorumshift.rehearsal.service.gateway import Gateway, Member, NoAnswer, Status
from quorumshift.rehearsal.service.node import read_instances

INTERVAL_SECONDS = 0.1
TROUBLED_INTERVAL_SECONDS = 0.02
"""While no leader is known: the end of the gap is then known more exactly."""
_LIST_SECONDS = 0.25
_REPORT_SECONDS = 0.5
_BEAT_SECONDS = 0.05
_BLIND_SECONDS = 0.25


def run(instances: Path) -> int:
    """Watch until told to finish. Returns the exit code."""
    return asyncio.run(_run(instances))


async def _run(instances: Path) -> int:
    commands = await standard_input()
    gateway = Gateway()
    watch = Watch(gateway, instances)
    told = asyncio.create_task(commands.readline())
    endless = [asyncio.create_task(watch.beat()), asyncio.create_task(watch.follow())]
    ended, _ = await asyncio.wait([told, *endless], return_when=asyncio.FIRST_COMPLETED)
    for task in ended:
        task.result()  # raises what went wrong in one that should not have ended
    for task in endless:
        task.cancel()
    if told.result().strip() == b"finish":
        write_report(result=watch.result())
    await watch.close()
    await gateway.close()
    return 0


class Voice:
    """One address that may have a member. An answer may take longer than the interval between two
    samples; it is then waited for, not asked for again."""

    def __init__(self, gateway: Gateway, address: str, now: float) -> None:
        self.status: Status | None = None
        self.heard_at = now
        self.up = False
        self._gateway = gateway
        self._address = address
        self._asking: asyncio.Task[None] | None = None

    def ask(self) -> asyncio.Task[None]:
        """Ask, unless an answer is still awaited."""
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(self._ask())
        return self._asking

    async def _ask(self) -> None:
        try:
            self.status = await self._gateway.status(self._address, SILENT_SECONDS)
        except NoAnswer:
            self.up = False
        else:
            self.up = True
            self.heard_at = asyncio.get_running_loop().time()

    async def close(self) -> None:
        """Give the last question up."""
        if self._asking is not None:
            self._asking.cancel()
            await asyncio.gather(self._asking, return_exceptions=True)


class Watch:
    """Takes the samples. ``members``: the newest configuration, of the leader where there is one,
    else of the voter that has applied most."""

    def __init__(self, gateway: Gateway, instances: Path) -> None:
        self.members: tuple[Member, ...] = ()
        self.record = Record()
        self._gateway = gateway
        self._instances = instances
        self._voices: dict[str, Voice] = {}
        self._clock = asyncio.get_running_loop().time
        self._began = self._clock()
        self._began_epoch = time.time()
        self._listed_at = 0.0
        self._blind = 0.0
        self._voters: list[VotersAt] = []
        self._leaders: list[LeaderAt] = []
        self._reported: tuple[float, object] = (0.0, None)

    async def beat(self) -> None:
        """Notice when this process was not given the processor."""
        while True:
            before = self._clock()
            await asyncio.sleep(_BEAT_SECONDS)
            late = self._clock() - before - _BEAT_SECONDS
            if late > _BLIND_SECONDS:
                self._blind += late

    async def follow(self) -> None:
        """Sample and report, for ever."""
        self._report()
        while True:
            before = self._clock()
            pause = TROUBLED_INTERVAL_SECONDS if self.record.troubled else INTERVAL_SECONDS
            await self._sample(pause)
            self._report()
            await asyncio.sleep(max(0.0, before + pause - self._clock()))

    async def close(self) -> None:
        """Give up what is still awaited."""
        for voice in self._voices.values():
            await voice.close()

    async def _sample(self, patience: float) -> None:
        questions = [self._voice(address).ask() for address in self._addresses()]
        if questions:
            await asyncio.wait(questions, timeout=patience)
        if self._clock() - self._listed_at > _LIST_SECONDS:
            await self._list()
        sample = self._now()
        if sample.leader is None or sample.leader != self.record.leader:
            # Something has changed; was it the configuration, too?
            await self._list()
            sample = self._now()
        self._blind = 0.0
        self.record.add(sample)
        self._note()

    def _addresses(self) -> set[str]:
        """Members alone, once there are any: others have no etcd to ask."""
        listed = {member.address for member in self.members}
        if listed and not self.record.troubled:
            return listed
        return listed | {each.address for each in read_instances(self._instances)}

    def _voice(self, address: str) -> Voice:
        if address not in self._voices:
            self._voices[address] = Voice(self._gateway, address, self._clock())
        return self._voices[address]

    def _elapsed(self) -> float:
        return self._clock() - self._began

    async def _list(self) -> None:
        self._listed_at = self._clock()
        address = self._best_informed()
        if address is None:
            return
        try:
            self.members = (await self._gateway.members(address, SILENT_SECONDS / 2)).members
        except NoAnswer:
            return

    def _best_informed(self) -> str | None:
        """The leader in the highest term, else who has applied most."""
        said = [
            ((status.leads, status.term, status.applied), address)
            for address, voice in self._voices.items()
            if voice.up and (status := voice.status) is not None
        ]
        return max(said)[1] if said else None

    def _now(self) -> Sample:
        standing: dict[str, Said] = {}
        down: dict[str, float] = {}
        for member in self.members:
            if member.learner:
                continue
            voice = self._voice(member.address)
            if voice.up and voice.status is not None and voice.status.raft_id == member.raft_id:
                standing[member.raft_id] = Said(voice.status.leader, voice.status.term)
            else:
                down[member.raft_id] = voice.heard_at - self._began
        return Sample(
            at=self._elapsed(),
            voters=frozenset(standing.keys() | down.keys()),
            standing=standing,
            down=down,
            blind=self._blind,
        )

    def _note(self) -> None:
        """Write down what has changed."""
        at = round(self._elapsed(), 3)
        voters = tuple(sorted(member.address for member in self.members if not member.learner))
        if voters and (not self._voters or self._voters[-1].voters != voters):
            self._voters.append(VotersAt(at, voters))
        leader, term = self._leader(), self._term()
        last = self._leaders[-1] if self._leaders else None
        if leader is not None and (last is None or (last.leader, last.term) != (leader, term)):
            self._leaders.append(LeaderAt(at, leader, term))

    def _leader(self) -> str | None:
        said = self.record.leader
        return next(
            (m.address for m in self.members if said is not None and m.raft_id == said.leader), None
        )

    def _term(self) -> int:
        if self.record.leader is not None:
            return self.record.leader.term
        return max((v.status.term for v in self._voices.values() if v.up and v.status), default=0)

    def _report(self) -> None:
        """A line when something has changed, and one every half second."""
        seen = self.snapshot()
        essence = (seen.members, seen.term, seen.leader, seen.has_quorum)
        if essence != self._reported[1] or seen.at - self._reported[0] >= _REPORT_SECONDS:
            self._reported = (seen.at, essence)
            write_report(snapshot=seen)

    def snapshot(self) -> ObserverSnapshot:
        """What is known now."""
        leader = self._leader()
        listed = {member.address: member for member in self.members}
        running = {each.address for each in read_instances(self._instances)}
        return ObserverSnapshot(
            at=round(self._elapsed(), 3),
            members=tuple(
                MemberSeen(
                    address=address,
                    standing=_standing(listed.get(address)),
                    is_leader=address == leader,
                    answering=address in listed and self._voice(address).up,
                )
                for address in sorted(listed.keys() | running, key=_numeric)
            ),
            term=self._term(),
            leader=leader,
            has_quorum=self._now().has_quorum,
            quorum_lost_seconds=self.record.quorum_lost_seconds,
            leader_changes=self.record.leader_changes,
            longest_gap_seconds=self.record.longest_gap_seconds,
        )

    def result(self) -> ObserverResult:
        """The whole time."""
        record = self.record
        return ObserverResult(
            began=self._began_epoch,
            seconds=round(self._elapsed(), 3),
            samples=record.samples,
            quorum_lost_seconds=record.quorum_lost_seconds,
            leader_changes=record.leader_changes,
            longest_gap_seconds=record.longest_gap_seconds,
            leaderless_seconds=record.leaderless_seconds,
            unmeasured_seconds=round(record.unmeasured, 3),
            voters=tuple(self._voters),
            leaders=tuple(self._leaders),
        )


def _standing(member: Member | None) -> Standing:
    if member is None:
        return Standing.OUTSIDE
    return Standing.LEARNER if member.learner else Standing.VOTER


def _numeric(address: str) -> tuple[int, ...]:
    return tuple(int(part) for part in address.split("."))
