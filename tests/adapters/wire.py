"""What may listen on a port where an etcd is expected."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
from collections.abc import Callable, Iterator

from quorumshift.adapters.raft.etcd_gateway import NoReply, NotSent, post

PORT = 2379


@contextlib.contextmanager
def listening(address: str, talk: Callable[[socket.socket], None]) -> Iterator[None]:
    """Listen on ``address``; ``talk`` gets each connection, in a thread of its own."""
    server = socket.create_server((address, PORT))
    server.settimeout(0.05)
    over = threading.Event()
    threads: list[threading.Thread] = []

    def one(connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError, ValueError, IndexError):
            connection.settimeout(5)  # and no HTTP is no end of the test: a handshake, for one
            talk(connection)

    def accept() -> None:
        while not over.is_set():
            with contextlib.suppress(TimeoutError):
                thread = threading.Thread(target=one, args=(server.accept()[0],))
                thread.start()
                threads.append(thread)

    acceptor = threading.Thread(target=accept)
    acceptor.start()
    try:
        yield
    finally:
        over.set()
        acceptor.join()
        server.close()
        for thread in threads:
            thread.join()


def request(connection: socket.socket) -> tuple[str, bytes]:
    """Read one HTTP request: its path and its body."""
    with connection.makefile("rb") as lines:
        path = lines.readline().split()[1].decode()
        length = 0
        while (line := lines.readline()) not in (b"\r\n", b""):
            name, _, value = line.decode().partition(":")
            if name.lower() == "content-length":
                length = int(value)
        return path, lines.read(length)


def answer(status: int, body: bytes) -> bytes:
    """One HTTP answer."""
    return b"HTTP/1.1 %d X\r\nContent-Length: %d\r\n\r\n%s" % (status, len(body), body)


def losing_replies(to: str) -> Callable[[socket.socket], None]:
    """Pass requests on to the etcd at ``to``; the reply to a change never comes back."""

    def talk(connection: socket.socket) -> None:
        path, body = request(connection)
        try:
            got = post(to, PORT, path, json.loads(body), 3)
        except (NotSent, NoReply):
            return
        if path.endswith(("/status", "/list")):
            connection.sendall(answer(got.status, json.dumps(got.body).encode()))

    return talk
