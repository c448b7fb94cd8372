"""Calls that block, beside the event loop."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


async def aside(call: Callable[[], T]) -> T:
    """``call()`` in a thread of its own, which nobody waits for when the process ends (the event
    loop's own pool is waited for, and a database that is silent would hold a task back)."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[T] = loop.create_future()

    def tell(what: Callable[[], None]) -> None:
        if not done.done():  # else whoever asked has given up
            what()

    def run() -> None:
        try:
            what = functools.partial(done.set_result, call())
        except Exception as raised:  # noqa: BLE001 # it belongs to who asked
            what = functools.partial(done.set_exception, raised)
        with contextlib.suppress(RuntimeError):  # the loop is closed: the process ends
            loop.call_soon_threadsafe(tell, what)

    threading.Thread(target=run, name="aside", daemon=True).start()
    return await done
