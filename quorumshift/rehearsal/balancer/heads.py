"""The heads of requests and responses: read once, passed on with what a proxy must change."""

from __future__ import annotations

from dataclasses import dataclass, field

from quorumshift.rehearsal.balancer.framing import Chunked, Framing, Length, NoBody, UntilClose

LONGEST_HEAD = 65536  # ALB's limit for a whole request head

# Never passed on: they speak of one connection, not of the message (RFC 9110, section 7.6.1).
_HOP = frozenset((b"connection", b"keep-alive", b"proxy-connection", b"te", b"upgrade"))
_READ = _HOP | {b"content-length", b"transfer-encoding", b"host", b"cookie", b"x-forwarded-for"}
_OWN = frozenset((b"x-forwarded-proto", b"x-forwarded-port"))


class BadHead(ValueError):
    """``status``: what to answer, when it was a request's."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


@dataclass(slots=True)
class Request:
    """``fields``: the header lines to pass on. ``keep``: the client wants its connection kept.
    ``upgrade``: the protocol it asks for (``websocket``), or empty."""

    method: bytes
    target: bytes
    modern: bool
    fields: list[bytes]
    framing: Framing
    keep: bool
    upgrade: bytes
    host: bytes
    cookie: bytes
    forwarded: bytes

    def to_target(self, client: bytes, port: bytes) -> bytes:
        """The head as the target gets it."""
        came = self.forwarded + b", " + client if self.forwarded else client
        if self.upgrade:
            link = b"\r\nConnection: Upgrade\r\nUpgrade: " + self.upgrade
        elif self.modern:
            link = b""
        else:
            link = b"\r\nConnection: close"
        return b"".join(
            (
                self.method,
                b" ",
                self.target,
                b" HTTP/1.1\r\n" if self.modern else b" HTTP/1.0\r\n",
                b"\r\n".join(self.fields),
                b"\r\nX-Forwarded-For: " if self.fields else b"X-Forwarded-For: ",
                came,
                b"\r\nX-Forwarded-Proto: http\r\nX-Forwarded-Port: ",
                port,
                link,
                b"\r\n\r\n",
            )
        )

    def header(self, name: bytes) -> bytes:
        """The value of a header, for rules; empty when it is not there."""
        for line in self.fields:
            key, _, value = line.partition(b":")
            if key.lower() == name:
                return value.strip()
        return b""


@dataclass(slots=True)
class Response:
    """``reusable``: the target keeps the connection. ``endless``: the body ends when it closes."""

    status: int
    line: bytes
    fields: list[bytes]
    framing: Framing
    reusable: bool
    upgrade: bytes
    endless: bool

    def to_client(self, keep: bool, modern: bool, cookies: list[bytes]) -> bytes:
        """The head as the client gets it. ``keep``: its connection stays open."""
        lines = [self.line, *self.fields]
        lines += [b"Set-Cookie: " + cookie for cookie in cookies]
        if self.status == 101:
            lines += [b"Connection: Upgrade", b"Upgrade: " + self.upgrade]
        elif not keep:
            lines.append(b"Connection: close")
        elif not modern:
            lines.append(b"Connection: keep-alive")
        return b"\r\n".join(lines) + b"\r\n\r\n"


@dataclass(slots=True)
class _Fields:
    passed: list[bytes] = field(default_factory=list)
    length: bytes | None = None
    coding: bytes = b""
    connection: bytes = b""
    upgrade: bytes = b""
    host: bytes = b""
    cookie: bytes = b""
    forwarded: bytes = b""


def read_request(head: bytes) -> Request:
    """Raises :class:`BadHead` with 400, 501 or 505, as ALB answers them."""
    first, *lines = head.split(b"\r\n")
    words = first.split(b" ")
    if len(words) != 3 or not words[0] or not words[1]:
        raise BadHead(400, "the request line is malformed")
    method, target, version = words
    if version not in (b"HTTP/1.1", b"HTTP/1.0"):
        raise BadHead(505, "only HTTP/1.0 and HTTP/1.1 are spoken here")
    modern = version == b"HTTP/1.1"
    read = _read(lines)
    if modern and not read.host:
        raise BadHead(400, "the header Host is missing")
    connection = read.connection.lower()
    return Request(
        method,
        target,
        modern,
        read.passed,
        _body(read, NoBody()),
        b"close" not in connection if modern else b"keep-alive" in connection,
        read.upgrade if b"upgrade" in connection else b"",
        read.host,
        read.cookie,
        read.forwarded,
    )


def read_response(head: bytes, method: bytes) -> Response:
    """``method``: what was asked; the answer to HEAD has no body. Raises :class:`BadHead`."""
    first, *lines = head.split(b"\r\n")
    version, _, rest = first.partition(b" ")
    code = rest[:3]
    if not version.startswith(b"HTTP/1.") or len(code) != 3 or not code.isdigit():
        raise BadHead(502, "the target's status line is malformed")
    status = int(code)
    read = _read(lines)
    bodiless = method == b"HEAD" or status in (204, 304) or status < 200
    framing = NoBody() if bodiless else _body(read, UntilClose())
    connection = read.connection.lower()
    kept = b"keep-alive" in connection if version == b"HTTP/1.0" else b"close" not in connection
    endless = isinstance(framing, UntilClose)
    return Response(
        status,
        b"HTTP/1.1 " + rest,
        read.passed,
        framing,
        kept and not endless,
        read.upgrade,
        endless,
    )


def _read(lines: list[bytes]) -> _Fields:
    read = _Fields()
    passed = read.passed
    for line in lines:
        name, colon, value = line.partition(b":")
        if not colon or not name or name[:1] in b" \t" or name[-1:] in b" \t":
            raise BadHead(400, "a header line is malformed")
        key = name.lower()
        if key in _READ:
            _note(read, key, value.strip(), line)
        elif key not in _OWN:
            passed.append(line)
    _drop_nominated(read)
    return read


def _note(read: _Fields, key: bytes, value: bytes, line: bytes) -> None:
    if key == b"content-length":
        if not value.isdigit() or (read.length is not None and read.length != value):
            raise BadHead(400, "Content-Length is no number, or there are two")
        if read.length is None:
            read.passed.append(line)
        read.length = value
        return
    if key == b"transfer-encoding":
        read.coding = read.coding + b"," + value if read.coding else value
    elif key == b"connection":
        read.connection = read.connection + b"," + value if read.connection else value
    elif key == b"upgrade":
        read.upgrade = value
    elif key == b"host":
        if read.host:
            raise BadHead(400, "there are two Host headers")
        read.host = value
    elif key == b"cookie":
        read.cookie = read.cookie + b"; " + value if read.cookie else value
    elif key == b"x-forwarded-for":
        read.forwarded = read.forwarded + b", " + value if read.forwarded else value
        return
    if key not in _HOP:
        read.passed.append(line)


def _drop_nominated(read: _Fields) -> None:
    """Headers that ``Connection`` names are for this hop alone."""
    if not read.connection or read.connection.lower() in (b"keep-alive", b"close", b"upgrade"):
        return
    named = {word.strip().lower() for word in read.connection.split(b",")}
    named -= {b"content-length", b"transfer-encoding", b"host"}
    read.passed[:] = [line for line in read.passed if line.partition(b":")[0].lower() not in named]


def _body(read: _Fields, otherwise: Framing) -> Framing:
    if read.coding:
        if read.length is not None:
            raise BadHead(400, "both Content-Length and Transfer-Encoding: which is meant?")
        if read.coding.lower() != b"chunked":
            raise BadHead(501, "the only transfer coding spoken here is chunked")
        return Chunked()
    if read.length is not None:
        return Length(int(read.length)) if read.length.strip(b"0") else NoBody()
    return otherwise
