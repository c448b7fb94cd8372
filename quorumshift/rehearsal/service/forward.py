"""Reads and writes, forwarded to whoever leads, until they are done."""

from __future__ import annotations

import asyncio
import base64
import json
from dataclasses import dataclass
from typing import Any

from quorumshift.rehearsal.service.gateway import Gateway, NoAnswer
from quorumshift.rehearsal.service.view import View

PATIENCE_SECONDS = 8.0
"""A client is answered within this time, whatever happens to the cluster."""
FIRST_TRY_SECONDS = 4.0
"""A leader that is silent for so long is asked again. It is the last resort: what usually ends a
try is the leader's refusal, or that another one leads. On a busy machine an answer is late rather
than lost, and asking again early would only make it busier."""
_FIRST_PAUSE_SECONDS = 0.005
_LAST_PAUSE_SECONDS = 0.1


class NotServed(Exception):
    """The cluster did not serve the request in time; the message tells the last refusal."""


@dataclass(frozen=True, slots=True)
class Page:
    """Some keys in order, and whether there are more."""

    items: dict[str, str]
    more: bool


class Store:
    """The replicated keys and values.

    Every request may be tried more than once. Reads change nothing, and writing the same value to
    a key again leaves it as it is, so a client with one writer a key never notices. (Two clients
    that write *different* values to one key at the same time could: a try of the first that came
    late may end up on top. The service promises no order between them.)
    """

    def __init__(self, gateway: Gateway, view: View) -> None:
        self._gateway = gateway
        self._view = view

    async def put(self, key: str, value: str) -> int:
        """Write, and return the cluster's revision. The write is then on a majority's disks."""
        answer = await self._ask("/v3/kv/put", {"key": _encode(key), "value": _encode(value)})
        return int(answer["header"]["revision"])

    async def get(self, key: str) -> str | None:
        """Read what was last acknowledged (a linearizable read); ``None``: no such key."""
        found = (await self._ask("/v3/kv/range", {"key": _encode(key)})).get("kvs")
        return _decode(found[0].get("value", "")) if found else None

    async def page(self, prefix: str, after: str, limit: int) -> Page:
        """Up to ``limit`` keys that begin with ``prefix`` and come behind ``after``, in order."""
        first = max(prefix, after + "\0") if after else prefix
        # The first key behind the prefix: its last byte plus one (etcd's own clients do the same).
        end = prefix.encode()[:-1] + bytes([prefix.encode()[-1] + 1]) if prefix else b"\0"
        answer = await self._ask(
            "/v3/kv/range",
            {
                "key": _encode(first or "\0"),
                "range_end": base64.b64encode(end).decode(),
                "limit": str(limit),
            },
        )
        items = {
            _decode(each["key"]): _decode(each.get("value", "")) for each in answer.get("kvs", ())
        }
        return Page(items, bool(answer.get("more", False)))

    async def _ask(self, path: str, question: dict[str, str]) -> Any:
        """Raises :class:`NotServed`, and ``Invalid`` when etcd takes the request for wrong."""
        body = json.dumps(question).encode()
        clock = asyncio.get_running_loop().time
        deadline = clock() + PATIENCE_SECONDS
        patience, pause = FIRST_TRY_SECONDS, _FIRST_PAUSE_SECONDS
        said = "no member says that it leads"
        while (left := deadline - clock()) > 0:
            reign = await self._view.find_leader(left)
            if reign is None:
                continue
            try:
                async with asyncio.timeout(min(patience, deadline - clock())) as limit:
                    with reign.trying(limit):
                        return await self._gateway.post(reign.address, path, body)
            except TimeoutError:
                said = f"{reign.address} is silent, or leads no more"
                patience *= 2
            except NoAnswer as error:
                said = str(error)
                self._view.doubt(reign)
                await asyncio.sleep(pause)
                pause = min(pause * 2, _LAST_PAUSE_SECONDS)
        raise NotServed(f"not served within {PATIENCE_SECONDS:.0f} s: {said}")


def _encode(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _decode(text: str) -> str:
    return base64.b64decode(text).decode(errors="replace")
