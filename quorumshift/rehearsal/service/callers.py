"""Which process is at the other end of a loopback connection.

The source address does not tell: whatever dials a loopback address comes from 127.0.0.1, and
etcd 3.5 cannot be told to use another. Nor do the requests: etcd names itself (``X-Server-From``)
in Raft's own, and not when it asks for versions or the member list, or passes a promotion on.
The kernel knows: ``/proc/net/tcp`` gives the number of the socket at the far end, and
``/proc/<pid>/fd`` who holds it, for processes of one's own user.
"""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path

Endpoint = tuple[str, int]

_TRIES = 3


def far_socket(here: Endpoint, there: Endpoint) -> str | None:
    """The name, ``socket:[…]``, of the socket at ``there`` that is connected to ``here``; ``None``
    when nobody holds it any more."""
    wanted = f" {_kernel_form(there)} {_kernel_form(here)} ".encode()
    for _ in range(_TRIES):  # a table that changes while it is read may lack a row
        table = Path("/proc/net/tcp").read_bytes()
        at = table.find(wanted)
        if at >= 0:
            inode = table[at : table.find(b"\n", at)].split()[8].decode()
            return None if inode == "0" else f"socket:[{inode}]"
    return None


def holds(process: int, name: str) -> bool:
    """Whether the process has this socket open; ``False`` for one that is gone."""
    folder = f"/proc/{process}/fd"
    try:
        return any(_target(f"{folder}/{each}") == name for each in os.listdir(folder))
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return False


def _target(link: str) -> str:
    try:
        return os.readlink(link)
    except FileNotFoundError:
        return ""  # closed since it was listed


def _kernel_form(endpoint: Endpoint) -> str:
    address, port = endpoint
    return f"{int.from_bytes(socket.inet_aton(address), sys.byteorder):08X}:{port:04X}"
