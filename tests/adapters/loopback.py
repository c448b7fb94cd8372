"""A server on loopback that botocore and the AWS CLI take for AWS; a test says what it answers."""

from __future__ import annotations

import contextlib
import threading
import urllib.parse
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import botocore.session
from botocore.config import Config

from quorumshift.adapters.aws.client import Client
from quorumshift.adapters.aws.patience import Patience


@dataclass(frozen=True, slots=True)
class Reply:
    """What goes back. ``DROPPED`` stands for a connection that is closed without a word."""

    body: bytes
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)


DROPPED = Reply(b"", 0)
PAGE = Reply(
    b"<!DOCTYPE html><html><body>Please sign in</body></html>",
    headers={"Content-Type": "text/html"},
)


@contextlib.contextmanager
def serving(answer: Callable[[str, bytes], Reply]) -> Iterator[str]:
    """The server's URL. ``answer`` is given the operation's name and the request's body."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            reply = answer(_operation(self.headers.get("X-Amz-Target"), self.path, body), body)
            if reply is DROPPED:
                self.close_connection = True
                return
            self.send_response(reply.status)
            for name, value in reply.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(reply.body)))
            self.end_headers()
            self.wfile.write(reply.body)

        do_GET = do_POST

        def log_message(self, format: str, *arguments: Any) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def client(service: str, url: str, patience: Patience | None = None) -> Client:
    """The real client of one service, asking the server behind ``url``."""
    session = botocore.session.Session()
    session.set_credentials("testing", "testing")
    config = patience.config() if patience else Config(retries={"total_max_attempts": 2})

    def make() -> Any:
        return session.create_client(
            service, region_name="us-east-1", endpoint_url=url, config=config
        )

    return Client(make, patience)


def _operation(target: str | None, path: str, body: bytes) -> str:
    if target:
        return target.rpartition(".")[2]
    (action,) = urllib.parse.parse_qs(body.decode("latin-1")).get("Action", [path])
    return action
