"""The probe, against a server of our own."""

from __future__ import annotations

import base64
import hashlib
import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from quorumshift.adapters.http_probe import HttpProbe
from quorumshift.rehearsal.database_authority import ca_file, certificate

GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


class Site(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    hosts: list[str]

    def do_GET(self) -> None:
        self.hosts.append(self.headers["Host"])
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


def serve(certificates: Path | None = None) -> Iterator[str]:
    Site.hosts = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Site)
    if certificates:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificates)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield f"{'https' if certificates else 'http'}://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def site() -> Iterator[str]:
    yield from serve()


USERS_NAME = "127.64.0.1"
"""What stands for it: the certificate is for this name, and the server is at another."""


@pytest.fixture
def secured(tmp_path: Path) -> Iterator[str]:
    """A listener: its certificate is for what users call."""
    file = tmp_path / "listener.pem"
    file.write_bytes(certificate(USERS_NAME))
    yield from serve(file)


@pytest.fixture
def trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    """The authority is one of the system's."""
    monkeypatch.setenv("SSL_CERT_FILE", str(ca_file()))


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


@pytest.mark.usefixtures("trusted")
def test_a_certificate_is_checked_for_the_name_that_users_call(secured: str) -> None:
    probe = HttpProbe(host=USERS_NAME)
    assert probe.get(f"{secured}/health").ok
    assert probe.websocket(f"{secured}/ws").ok
    assert Site.hosts == [USERS_NAME, USERS_NAME]


@pytest.mark.usefixtures("trusted")
@pytest.mark.parametrize("host", ["", "127.64.0.2"])
def test_a_certificate_for_another_name_is_refused(secured: str, host: str) -> None:
    probe = HttpProbe(host=host)
    for reply in (probe.get(f"{secured}/health"), probe.websocket(f"{secured}/ws")):
        assert not reply.ok
        assert "the certificate is not trusted" in reply.text
        assert "load_balancer.host" in reply.text
    assert Site.hosts == []


def test_a_certificate_of_an_unknown_authority_is_refused(secured: str) -> None:
    reply = HttpProbe(host=USERS_NAME).get(f"{secured}/health")
    assert "the certificate is not trusted" in reply.text
    assert Site.hosts == []


@pytest.mark.usefixtures("trusted")
def test_who_speaks_no_tls_is_told_and_not_raised(site: str) -> None:
    reply = HttpProbe(timeout=2, host=USERS_NAME).get(f"{site.replace('http:', 'https:')}/health")
    assert "no answer (SSLError" in reply.text


def test_a_task_is_asked_by_its_own_address(site: str) -> None:
    assert HttpProbe(host=USERS_NAME).get(f"{site}/health").ok
    assert Site.hosts == [site.removeprefix("http://")]
