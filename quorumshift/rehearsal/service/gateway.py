"""etcd's JSON gateway: as much of it as the rehearsal needs.

The gateway leaves proto3 defaults out of its JSON, writes 64-bit numbers as strings, and bytes in
base64. One :class:`Gateway` keeps its connections open and is shared by everything in a process.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import aiohttp

from quorumshift.rehearsal.service.node import CLIENT_PORT

_CONNECTIONS = 64
"""To one member. More at once would not be served sooner, and opening them costs time."""
_INVALID_ARGUMENT = 3  # gRPC's code: no other member would take the request either


class NoAnswer(Exception):
    """A member did not answer, or did not do what it was asked."""


class Refused(NoAnswer):
    """Nobody listens there, or the connection broke."""


class Silent(NoAnswer):
    """No answer in time; whether the request took effect is not known."""


class Declined(NoAnswer):
    """The member answered, and said no: no leader, a dropped proposal, a learner."""


class Invalid(Exception):
    """The request itself is wrong; asking again will not help."""


@dataclass(frozen=True, slots=True)
class Member:
    """An entry of the member list; ``name`` is empty until the member has started."""

    raft_id: str
    name: str
    address: str
    learner: bool


@dataclass(frozen=True, slots=True)
class Members:
    """A member list, as the member ``told_by`` knew it in ``term``."""

    told_by: str
    term: int
    members: tuple[Member, ...]


@dataclass(frozen=True, slots=True)
class Status:
    """What a member says of itself; ``leader`` is ``None`` when it knows none."""

    raft_id: str
    cluster: str
    term: int
    leader: str | None
    index: int
    applied: int
    learner: bool

    @property
    def leads(self) -> bool:
        """It says that it is the leader."""
        return self.leader == self.raft_id


class Gateway:
    """A client of any member. To be made inside a running event loop."""

    def __init__(self) -> None:
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, limit_per_host=_CONNECTIONS),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=None),
            cookie_jar=aiohttp.DummyCookieJar(),
        )

    async def close(self) -> None:
        """Close all connections."""
        await self._session.close()

    async def post(self, address: str, path: str, body: bytes) -> Any:
        """POST ``body`` to the member at ``address`` and return its JSON answer, however long it
        takes.

        Raises :class:`Refused` or :class:`Declined`, and :class:`Invalid` when no member would
        take this request.
        """
        url = f"http://{address}:{CLIENT_PORT}{path}"
        try:
            async with self._session.post(url, data=body) as response:
                answer = await response.read()
        except (aiohttp.ClientError, ConnectionError) as error:
            raise Refused(f"{address} cannot be reached: {error}") from None
        if response.status == 200:
            return json.loads(answer)
        said = _reason(answer)
        if said.get("code") == _INVALID_ARGUMENT:
            raise Invalid(said["error"])
        raise Declined(f"{address} answered {response.status}: {said.get('error', 'no reason')}")

    async def call(self, address: str, path: str, body: bytes, seconds: float) -> Any:
        """:meth:`post` that also raises :class:`Silent`, after ``seconds``."""
        try:
            async with asyncio.timeout(seconds):
                return await self.post(address, path, body)
        except TimeoutError:
            raise Silent(f"{address} did not answer {path} within {seconds:.2f} s") from None

    async def status(self, address: str, seconds: float) -> Status:
        """Ask one member about itself; it needs no quorum to answer."""
        told = await self.call(address, "/v3/maintenance/status", b"{}", seconds)
        leader = told.get("leader", "0")
        return Status(
            raft_id=told["header"]["member_id"],
            cluster=told["header"]["cluster_id"],
            term=int(told.get("raftTerm", 0)),
            leader=None if leader == "0" else leader,
            index=int(told.get("raftIndex", 0)),
            applied=int(told.get("raftAppliedIndex", 0)),
            learner=told.get("isLearner", False),
        )

    async def members(self, address: str, seconds: float, *, confirmed: bool = False) -> Members:
        """The member list as this member has it, or ``confirmed`` by a quorum."""
        body = b'{"linearizable":true}' if confirmed else b"{}"
        told = await self.call(address, "/v3/cluster/member/list", body, seconds)
        return Members(
            told_by=told["header"]["member_id"],
            term=int(told["header"].get("raft_term", 0)),
            members=tuple(_member(each) for each in told["members"]),
        )


def _member(told: Any) -> Member:
    return Member(
        raft_id=told["ID"],
        name=told.get("name", ""),
        address=urlsplit(told["peerURLs"][0]).hostname or "",
        learner=told.get("isLearner", False),
    )


def _reason(answer: bytes) -> dict[str, Any]:
    try:
        said = json.loads(answer)
    except ValueError:
        return {"error": answer[:200].decode(errors="replace")}
    return said if isinstance(said, dict) else {"error": str(said)[:200]}
