"""The probe, against a server of our own."""

from __future__ import annotations

import base64
import hashlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from quorumshift.adapters.http_probe import HttpProbe

GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


class Site(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        if self.path in ("/ws", "/liar"):
            key = self.headers["Sec-WebSocket-Key"] if self.path == "/ws" else "other"
            digest = hashlib.sha1((key + GUID).encode()).digest()
            self.send_response(101)
            self.send_header("Upgrade", "websocket")
            self.send_header("Connection", "Upgrade")
            self.send_header("Sec-WebSocket-Accept", base64.b64encode(digest).decode())
            self.end_headers()
            return
        body = b"OK" if self.path == "/health" else b"broken"
        self.send_response(200 if self.path == "/health" else 500)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Quiet."""


@pytest.fixture
def site() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Site)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_only_200_is_an_answer(site: str) -> None:
    probe = HttpProbe()
    assert probe.get(f"{site}/health").ok
    broken = probe.get(f"{site}/other")
    assert not broken.ok
    assert "500 'broken'" in broken.text


def test_a_websocket_opens_only_with_the_right_handshake(site: str) -> None:
    probe = HttpProbe()
    assert probe.websocket(f"{site}/ws").ok
    assert not probe.websocket(f"{site}/liar").ok
    assert not probe.websocket(f"{site}/health").ok


def test_nobody_there_is_told_and_not_raised() -> None:
    probe = HttpProbe(timeout=1)
    assert "no answer (ConnectionRefusedError" in probe.get("http://127.0.0.1:1/health").text
    assert not probe.websocket("http://127.0.0.1:1/ws").ok
