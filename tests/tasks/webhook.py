"""A server that takes webhooks as Slack does, on loopback and over TLS."""

from __future__ import annotations

import http.server
import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from quorumshift.rehearsal.database_authority import certificate

ADDRESS = "127.0.0.1"


@dataclass(frozen=True)
class Answer:
    """``seconds``: how long it takes before it says anything."""

    status: int = 200
    said: str = "ok"
    headers: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0


@dataclass
class Webhooks:
    """``answers``: path → what is said in turn, the last one for good; a path without any is 404.
    ``got``: path and payload of every request."""

    port: int
    answers: dict[str, list[Answer]] = field(default_factory=dict)
    got: list[tuple[str, Any]] = field(default_factory=list)
    ended: threading.Event = field(default_factory=threading.Event)

    def url(self, path: str) -> str:
        """What a secret holds."""
        return f"https://{ADDRESS}:{self.port}{path}"

    def answer(self, path: str) -> Answer:
        """The next answer at ``path``."""
        left = self.answers.get(path, [Answer(404, "no_service")])
        return left.pop(0) if len(left) > 1 else left[0]


@contextmanager
def webhooks(folder: Path) -> Iterator[Webhooks]:
    """Serve until the block ends; ``folder`` takes the certificate."""
    pem = folder / "server.pem"
    pem.write_bytes(certificate(ADDRESS))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            assert self.headers["Content-Type"] == "application/json"
            there.got.append((self.path, json.loads(body)))
            answer = there.answer(self.path)
            there.ended.wait(answer.seconds)
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer.said)))
            self.end_headers()
            self.wfile.write(answer.said.encode())

        def log_message(self, *_: Any) -> None:
            """Nothing."""

    class Server(http.server.ThreadingHTTPServer):
        def handle_error(self, *_: Any) -> None:
            """A client that went away is what some tests are about."""

    with Server((ADDRESS, 0), Handler) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        there = Webhooks(server.server_address[1])
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield there
        finally:
            there.ended.set()
            server.shutdown()
            thread.join()
