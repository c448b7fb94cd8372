"""Where an HTTP/1.1 message's body ends (RFC 9112, section 6), without decoding or copying it."""

from __future__ import annotations

from typing import Protocol

_LONGEST_LINE = 8192


class BadFraming(ValueError):
    """The body does not keep to its own framing."""


class Framing(Protocol):
    """``feed`` takes the bytes from ``start`` on and returns where this message ends in them
    (their length when it goes on). ``done``: the whole body has been seen."""

    done: bool

    def feed(self, data: bytes, start: int) -> int: ...


class NoBody:
    """The head was all."""

    __slots__ = ()
    done = True

    def feed(self, data: bytes, start: int) -> int:
        return start


class Length:
    """So many bytes, as ``Content-Length`` said."""

    __slots__ = ("_left", "done")

    def __init__(self, length: int) -> None:
        self._left = length
        self.done = length == 0

    def feed(self, data: bytes, start: int) -> int:
        take = min(self._left, len(data) - start)
        self._left -= take
        self.done = self._left == 0
        return start + take


class UntilClose:
    """A response without a length: it ends with its connection."""

    __slots__ = ()
    done = False

    def feed(self, data: bytes, start: int) -> int:
        return len(data)


class Chunked:
    """Chunks, then a zero one, then trailers up to an empty line."""

    __slots__ = ("_left", "_line", "_state", "done")

    def __init__(self) -> None:
        self.done = False
        self._state = "size"
        self._left = 0
        self._line = b""

    def feed(self, data: bytes, start: int) -> int:
        while start < len(data) and not self.done:
            if self._left:
                take = min(self._left, len(data) - start)
                self._left -= take
                start += take
                continue
            start = self._take_line(data, start)
        return start

    def _take_line(self, data: bytes, start: int) -> int:
        end = data.find(b"\n", start)
        self._line += data[start:] if end < 0 else data[start : end + 1]
        if len(self._line) > _LONGEST_LINE:
            raise BadFraming("a chunk's size line is too long")
        if end < 0:
            return len(data)
        line, self._line = self._line.rstrip(b"\r\n"), b""
        if self._state == "size":
            self._begin_chunk(line)
        elif self._state == "after":
            if line:
                raise BadFraming("a chunk is longer than its size")
            self._state = "size"
        elif not line:
            self.done = True
        return end + 1

    def _begin_chunk(self, line: bytes) -> None:
        digits = line.split(b";", 1)[0].strip()
        if not digits or digits.strip(b"0123456789abcdefABCDEF"):
            raise BadFraming("a chunk's size is no hexadecimal number")
        self._left = int(digits, 16)
        self._state = "after" if self._left else "trailers"
