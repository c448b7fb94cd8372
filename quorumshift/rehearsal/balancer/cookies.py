"""The cookies of sticky sessions: ``AWSALB`` holds a client on a target, ``AWSALBTG`` on a group.

AWS encrypts theirs and documents only that clients must not read them; these are plain, for
nothing here is secret. The value carries its own end, in real seconds of the wall clock.
"""

from __future__ import annotations

import base64
import email.utils
import math
import time

TARGET = b"AWSALB"
GROUP = b"AWSALBTG"


def make(name: bytes, value: str, seconds: float) -> bytes:
    """The value of a ``Set-Cookie`` header that lasts ``seconds``."""
    ends = time.time() + seconds
    packed = base64.urlsafe_b64encode(f"{ends:.3f}|{value}".encode()).rstrip(b"=")
    expires = email.utils.formatdate(math.ceil(ends), usegmt=True).encode()
    return b"".join((name, b"=", packed, b"; Expires=", expires, b"; Path=/"))


def read(header: bytes, name: bytes) -> str | None:
    """The value given to :func:`make`; ``None`` when it is absent, stale or not ours."""
    for pair in header.split(b";"):
        key, _, packed = pair.strip().partition(b"=")
        if key != name:
            continue
        try:
            text = base64.urlsafe_b64decode(packed + b"=" * (-len(packed) % 4)).decode()
            ends, _, value = text.partition("|")
            return value if float(ends) > time.time() else None
        except ValueError:
            return None
    return None
