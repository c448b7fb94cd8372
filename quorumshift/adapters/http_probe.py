"""Asks a task or a listener the way its users do: HTTP, and the opening of a WebSocket.

A listener is called by the name of its load balancer, which its certificate is not for. The
certificate is therefore checked for the name that users call, and nothing less is checked of it.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import http.client
import os
import ssl
import urllib.parse

from quorumshift.ports import Reply

_GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
"""RFC 6455, section 1.3."""


class HttpProbe:
    """Implements ``ports.Probe``. Each question has a connection of its own, so that a load
    balancer chooses anew.

    ``timeout``: seconds for a connection and for each reply. ``host``: the name that users call;
    empty: the one in the URL. A task is asked by HTTP, and by its own address.
    """

    def __init__(self, timeout: float = 5.0, host: str = "") -> None:
        self._timeout = timeout
        self._host = host

    def get(self, url: str) -> Reply:
        """Whether ``GET url`` is answered with 200."""
        where = urllib.parse.urlsplit(url)
        connection = self._connect(where)
        try:
            headers = {**self._named(where), "Connection": "close"}
            connection.request("GET", where.path or "/", headers=headers)
            answer = connection.getresponse()
            body = answer.read(200)
        except (OSError, http.client.HTTPException) as error:
            return Reply(False, f"GET {url}: {_reason(error)}")
        finally:
            connection.close()
        said = f" {body[:80].decode(errors='replace')!r}" if answer.status != 200 else ""
        return Reply(answer.status == 200, f"GET {url}: {answer.status}{said}")

    def websocket(self, url: str) -> Reply:
        """Whether a WebSocket opens at ``url`` (RFC 6455, section 4)."""
        where = urllib.parse.urlsplit(url)
        key = base64.b64encode(os.urandom(16)).decode()
        expected = base64.b64encode(hashlib.sha1((key + _GUID).encode()).digest()).decode()
        headers = {
            **self._named(where),
            "Connection": "Upgrade",
            "Upgrade": "websocket",
            "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Key": key,
        }
        connection = self._connect(where)
        try:
            connection.request("GET", where.path or "/", headers=headers)
            answer = connection.getresponse()
            accepted = answer.getheader("Sec-WebSocket-Accept")
        except (OSError, http.client.HTTPException) as error:
            return Reply(False, f"WebSocket {url}: {_reason(error)}")
        finally:
            connection.close()
        ok = answer.status == 101 and accepted == expected
        return Reply(ok, f"WebSocket {url}: {answer.status}{'' if ok else ', no handshake'}")

    def _named(self, where: urllib.parse.SplitResult) -> dict[str, str]:
        return {"Host": self._host} if self._host and where.scheme == "https" else {}

    def _connect(self, where: urllib.parse.SplitResult) -> http.client.HTTPConnection:
        name = where.hostname or ""
        if where.scheme == "https":
            secured = _Secured(name, where.port, timeout=self._timeout)
            secured.named, secured.context = self._host or name, self._context
            return secured
        return http.client.HTTPConnection(name, where.port, timeout=self._timeout)

    @functools.cached_property
    def _context(self) -> ssl.SSLContext:
        """Trusts the system's authorities."""
        return ssl.create_default_context()


class _Secured(http.client.HTTPConnection):
    """HTTPS to one who shows a certificate for ``named`` that ``context`` trusts."""

    default_port = http.client.HTTPS_PORT
    named: str
    context: ssl.SSLContext

    def connect(self) -> None:
        """Raises ``OSError``, ``ssl.SSLError`` among them."""
        super().connect()
        self.sock = self.context.wrap_socket(self.sock, server_hostname=self.named)


def _reason(error: Exception) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return (
            f"the certificate is not trusted ({error.verify_message}); it must be for "
            "load_balancer.host and signed by a public authority"
        )
    return f"no answer ({type(error).__name__}: {error})"
