"""What was acknowledged must be there at the end: values, and how they are read back."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import sys
from collections.abc import Iterable
from typing import Any

import aiohttp

_PAGE = 500


def value_of(key: str) -> str:
    """What is written to ``key``: anybody can tell a wrong value."""
    return hashlib.blake2b(key.encode(), digest_size=16).hexdigest()


class ReadBack:
    """Reads all keys that begin with ``prefix`` from the service at ``url``, page by page."""

    def __init__(self, session: aiohttp.ClientSession, url: str, prefix: str) -> None:
        self._session = session
        self._url = url
        self._prefix = prefix

    async def compare(self, acknowledged: Iterable[str], seconds: float) -> tuple[int, int]:
        """How many of these keys are missing or wrong, and how many could not be read within
        ``seconds``, because unknown is not the same as lost.

        A page that cannot be read is asked for again: this is the count, not the load.
        """
        missing = set(acknowledged)
        after, more = "", True
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while more:
                    page = await self._page_at_last(after)
                    items: dict[str, str] = page["items"]
                    missing -= {key for key, value in items.items() if value == value_of(key)}
                    after, more = max(items, default=after), page["more"]
        unreadable = sum(key > after for key in missing) if more else 0
        return len(missing) - unreadable, unreadable

    async def _page_at_last(self, after: str) -> Any:
        said = ""
        while True:
            try:
                return await self._page(after)
            except (aiohttp.ClientError, OSError, TimeoutError) as error:
                if said != (said := f"{type(error).__name__}: {error}"):
                    where = f"behind {after}" if after else "from the start"
                    print(f"cannot be read back {where}: {said}", file=sys.stderr, flush=True)
                await asyncio.sleep(0.1)

    async def _page(self, after: str) -> Any:
        query = {"prefix": self._prefix, "after": after, "limit": str(_PAGE)}
        async with self._session.get(f"{self._url}/kv", params=query) as response:
            response.raise_for_status()
            return json.loads(await response.read())
