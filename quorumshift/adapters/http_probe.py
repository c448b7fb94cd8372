"""Asks a task or a listener the way its users do: HTTP, and the opening of a WebSocket."""

from __future__ import annotations

import base64
import hashlib
import http.client
import os
import urllib.parse

from quorumshift.ports import Reply

_GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
"""RFC 6455, section 1.3."""


class HttpProbe:
    """Implements ``ports.Probe``. Each question has a connection of its own, so that a load
    balancer chooses anew.

    ``timeout``: seconds for a connection and for each reply.
    """

    def __init__(self, timeout: float = 5.0) -> None:
        self._timeout = timeout

    def get(self, url: str) -> Reply:
        """Whether ``GET url`` is answered with 200."""
        where = urllib.parse.urlsplit(url)
        connection = self._connect(where)
        try:
            connection.request("GET", where.path or "/", headers={"Connection": "close"})
            answer = connection.getresponse()
            body = answer.read(200)
        except (OSError, http.client.HTTPException) as error:
            return Reply(False, f"GET {url}: {_reason(error)}")
        finally:
            connection.close()
        said = f" {body[:80].decode(errors='replace')!r}" if answer.status != 200 else ""
        return Reply(answer.status == 200, f"GET {url}: {answer.status}{said}")

    def websocket(self, url: str) -> Reply:
        """Whether a WebSocket opens at ``url`` (``http://…``; RFC 6455, section 4)."""
        where = urllib.parse.urlsplit(url)
        key = base64.b64encode(os.urandom(16)).decode()
        expected = base64.b64encode(hashlib.sha1((key + _GUID).encode()).digest()).decode()
        headers = {
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

    def _connect(self, where: urllib.parse.SplitResult) -> http.client.HTTPConnection:
        kind = http.client.HTTPSConnection if where.scheme == "https" else None
        make = kind or http.client.HTTPConnection
        return make(where.hostname or "", where.port, timeout=self._timeout)


def _reason(error: Exception) -> str:
    return f"no answer ({type(error).__name__}: {error})"
