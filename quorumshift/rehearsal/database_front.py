"""Stands in front of a PostgreSQL that was built without TLS, and does that part for it.

A client begins with eight bytes: it asks for TLS, and the front answers and takes it off, or it
begins to speak at once. What follows is passed on to the server's socket unchanged (PostgreSQL's
documentation, "Message Flow": SSL session encryption).
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import struct
from collections.abc import Coroutine
from pathlib import Path

_Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]

_TLS_WANTED = 80877103
_GSSAPI_WANTED = 80877104
_YES = b"S"
_NO = b"N"
_OPENING = struct.Struct("!ii")
_OPENING_SECONDS = 10.0
_GOODBYE_SECONDS = 0.2
"""For a client to answer the end of TLS. One that does not even read would hold up our own end."""
_AT_ONCE = 1 << 16
_REFUSAL = (
    b"SFATAL\0VFATAL\0C28000\0Mno pg_hba.conf entry for this host, user and database, "
    b"no encryption\0\0"
)
"""As PostgreSQL says it with ``hostssl`` lines alone, but for the names."""


class Front:
    """Listens for the server at the Unix socket ``server``. ``certificate``: a file with a
    certificate and its key (PEM)."""

    def __init__(self, server: Path, certificate: Path, *, tls_only: bool) -> None:
        self._server = server
        self._tls_only = tls_only
        self._context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self._context.load_cert_chain(certificate)
        self._links: set[asyncio.Task[None]] = set()

    async def listen(self, address: str, port: int) -> None:
        """Return when clients can connect; they are served from then on."""
        listener = socket.create_server((address, port))
        listener.setblocking(False)
        self._begin(self._accept(listener))

    async def _accept(self, listener: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            client, _ = await loop.sock_accept(listener)
            client.setblocking(False)
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._begin(self._serve(client))

    def _begin(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.ensure_future(work)
        self._links.add(task)
        task.add_done_callback(self._links.discard)

    async def _serve(self, client: socket.socket) -> None:
        with client, contextlib.suppress(OSError, EOFError):
            async with asyncio.timeout(_OPENING_SECONDS):
                opening, tls = await _opening(client)
                if self._tls_only and not tls:
                    await _refuse(client, opening)
                    return
                near = await _streams(client, self._context if tls else None)
            try:
                far = await asyncio.open_unix_connection(self._server)
                far[1].write(opening)
                await _relay(near, far)
            finally:
                near[1].close()
                await near[1].wait_closed()


async def _opening(client: socket.socket) -> tuple[bytes, bool]:
    """What the client began with, and whether it speaks TLS from here on."""
    while True:
        opening = await _read(client, _OPENING.size)
        wish = _OPENING.unpack(opening)[1]
        if wish == _TLS_WANTED:
            await _send(client, _YES)
            return b"", True
        if wish != _GSSAPI_WANTED:
            return opening, False
        await _send(client, _NO)


async def _refuse(client: socket.socket, opening: bytes) -> None:
    """Hear the client out, say why not, and let it hang up: whoever closes with something unread
    breaks the connection off, and the answer with it."""
    length: int = _OPENING.unpack(opening)[0]
    await _read(client, min(length, _AT_ONCE) - len(opening))
    await _send(client, b"E" + struct.pack("!i", 4 + len(_REFUSAL)) + _REFUSAL)
    client.shutdown(socket.SHUT_WR)
    while True:
        await _read(client, 1)


async def _read(client: socket.socket, size: int) -> bytes:
    """So many bytes. Raises ``EOFError``."""
    read = b""
    while len(read) < size:
        some = await asyncio.get_running_loop().sock_recv(client, size - len(read))
        if not some:
            raise EOFError
        read += some
    return read


async def _send(client: socket.socket, data: bytes) -> None:
    await asyncio.get_running_loop().sock_sendall(client, data)


async def _streams(client: socket.socket, context: ssl.SSLContext | None) -> _Streams:
    """A connection that was accepted, after the handshake if there is to be one."""
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    protocol = asyncio.StreamReaderProtocol(reader)
    transport, _ = await loop.connect_accepted_socket(
        lambda: protocol,
        client,
        ssl=context,
        ssl_shutdown_timeout=None if context is None else _GOODBYE_SECONDS,
    )
    return reader, asyncio.StreamWriter(transport, protocol, reader, loop)


async def _relay(near: _Streams, far: _Streams) -> None:
    """Pass on both ways until one side ends; what it said last still arrives."""
    pumps = {asyncio.ensure_future(_pump(*way)) for way in ((near[0], far[1]), (far[0], near[1]))}
    try:
        await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for pump in pumps:
            pump.cancel()
        await asyncio.gather(*pumps, return_exceptions=True)
        far[1].close()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(_AT_ONCE):
        writer.write(data)
        await writer.drain()
