"""Who is a member and who leads, as one node last learnt it.

Everything a front forwards goes to the leader. A follower would only pass it on, and when
leadership moves at that moment the proposal is lost without a word; the leader itself says at
once that it dropped it. A learner serves neither writes nor linearizable reads.

Evidence ends the trust in a leader (a refusal, another term), and silence does not: on a busy
machine every answer is late, and who stops asking, or asks everything again, makes it worse.
Silence makes the view ask the others, too; if one of them leads in a higher term, that is
evidence.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterator

from quorumshift.rehearsal.service.gateway import Gateway, Member, NoAnswer, Silent
from quorumshift.rehearsal.service.node import Instance

CALM_SECONDS = 0.5
"""Between two looks while a leader serves."""
WATCHFUL_SECONDS = 0.2
"""The same while this node waits to be admitted."""
HASTY_SECONDS = 0.03
"""The same while no leader is known."""
_SOON_SECONDS = 0.2
_ASK_SECONDS = 2.0
_LOST_SECONDS = 1.0


class Reign:
    """One leader's time in one term, and the requests that wait for its answer."""

    def __init__(self, raft_id: str, address: str, term: int) -> None:
        self.raft_id = raft_id
        self.address = address
        self.term = term
        self.hearing: asyncio.Task[bool] | None = None
        self._tries: set[asyncio.Timeout] = set()

    @contextlib.contextmanager
    def trying(self, limit: asyncio.Timeout) -> Iterator[None]:
        """Let ``limit`` expire at once when the reign ends: the answer may never come."""
        self._tries.add(limit)
        try:
            yield
        finally:
            self._tries.discard(limit)

    def end(self) -> None:
        """Another reign has begun."""
        now = asyncio.get_running_loop().time()
        for limit in self._tries:
            if not limit.expired():
                limit.reschedule(now)


class View:
    """``members``: the newest list that a leader told. ``watchful``: look more often."""

    def __init__(self, gateway: Gateway, instances: Callable[[], tuple[Instance, ...]]) -> None:
        self.members: tuple[Member, ...] = ()
        self.watchful = False
        self._reign: Reign | None = None
        self._gateway = gateway
        self._instances = instances
        self._wake = asyncio.Event()
        self._trusted = asyncio.Event()
        self._told_at = 0.0
        self._asking: dict[str, asyncio.Task[None]] = {}

    @property
    def reign(self) -> Reign | None:
        """Of a member that says of itself that it leads, in the highest term heard of; ``None``
        while there is reason to doubt."""
        return self._reign if self._trusted.is_set() else None

    async def find_leader(self, seconds: float) -> Reign | None:
        """The leader, as soon as one is known; ``None`` when that takes too long, or when it was
        doubted again in the meantime."""
        if self.reign is None:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._trusted.wait()
        return self.reign

    def doubt(self, reign: Reign) -> None:
        """Its leader refused a request: look again before anything else goes to it."""
        if reign is self._reign:
            self._trusted.clear()
            self._wake.set()

    async def follow(self) -> None:
        """Keep looking, for ever."""
        while True:
            self._wake.clear()
            answered = await self._look()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._pause(answered)):
                    await self._wake.wait()

    def _pause(self, answered: bool) -> float:
        if not answered:
            return HASTY_SECONDS
        return WATCHFUL_SECONDS if self.watchful else CALM_SECONDS

    async def _look(self) -> bool:
        """Whether a leader answered."""
        if self.reign is not None and await self._answers(self.reign):
            return True
        await self._search()
        return self.reign is not None and await self._answers(self.reign)

    async def _answers(self, reign: Reign) -> bool:
        """Whether the leader answers soon; if not, it is still waited for in the background."""
        if reign.hearing is None or reign.hearing.done():
            reign.hearing = asyncio.create_task(self._hear(reign))
        await asyncio.wait([reign.hearing], timeout=_SOON_SECONDS)
        return reign.hearing.done() and reign.hearing.result()

    async def _hear(self, reign: Reign) -> bool:
        """Take the member list from the leader; its header tells whether the term has changed.

        It tells the list once a quorum has confirmed that it leads still. A leader that is cut off
        from the others, or has stepped down in its own term, is silent then.
        """
        try:
            told = await self._gateway.members(reign.address, _ASK_SECONDS, confirmed=True)
        except Silent:
            return False
        except NoAnswer:
            self.doubt(reign)
            return False
        if told.told_by != reign.raft_id or told.term != reign.term:
            self.doubt(reign)
            return False
        if reign is self._reign:
            self.members = told.members
            self._told_at = asyncio.get_running_loop().time()
        return True

    async def _search(self) -> None:
        """Ask everybody who they are, until somebody claims to lead. Who is slow is waited for in
        the background, and not asked twice."""
        for address in self._candidates():
            if address not in self._asking or self._asking[address].done():
                self._asking[address] = asyncio.create_task(self._ask(address))
        waiting = [each for each in self._asking.values() if not each.done()]
        if waiting:
            await asyncio.wait(waiting, timeout=_SOON_SECONDS)

    async def _ask(self, address: str) -> None:
        try:
            status = await self._gateway.status(address, _ASK_SECONDS)
        except NoAnswer:
            return
        if status.leads:
            self._crown(status.raft_id, address, status.term)

    def _crown(self, raft_id: str, address: str, term: int) -> None:
        old = self._reign
        if old is not None and (old.raft_id, old.term) == (raft_id, term):
            self._trusted.set()
        elif old is None or term > old.term:
            # A lower term is a stale leader, which does not yet know of its successor.
            self._reign = Reign(raft_id, address, term)
            self._trusted.set()
            if old is not None:
                old.end()

    def _candidates(self) -> set[str]:
        voters = {member.address for member in self.members if not member.learner}
        lost = asyncio.get_running_loop().time() - self._told_at > _LOST_SECONDS
        if not voters or lost:
            voters |= {each.address for each in self._instances()}
        return voters
