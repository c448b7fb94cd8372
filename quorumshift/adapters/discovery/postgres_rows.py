"""What the rows of living servers say, and which of them cannot be believed."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass

from quorumshift.ports import Registered, Server


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the table ``servers``, as far as we ask."""

    id: int
    ip_address: str
    grpc_port: int | None
    grpc_address: str | None
    status: str | None


def registered(rows: Iterable[Row], port: int) -> Registered:
    """Who is registered at which address. ``port``: where every node must answer.

    Of two rows with one address the newest counts, the one with the highest id: ids are handed
    out in order, and a node that starts anew takes a new one.
    """
    newest: dict[str, Row] = {}
    unknown = []
    for row in sorted(rows, key=lambda row: row.id):
        address = _ip(row.ip_address)
        doubt = _doubt(row, address, port)
        if address is None or doubt is not None:
            unknown.append(f"server {row.id} of the table servers {doubt}")
            continue
        if (older := newest.get(address)) is not None:
            unknown.append(
                f"servers {older.id} and {row.id} of the table servers are both alive at "
                f"{address}, and {row.id}, the newer, counts; wait 30 s for the last heartbeat of "
                f"{older.id} to grow old, or end the process that still sends it"
            )
        newest[address] = row
    servers = (Server(str(row.id), address, row.status or "") for address, row in newest.items())
    return Registered(tuple(servers), tuple(unknown))


def _doubt(row: Row, address: str | None, port: int) -> str | None:
    """Why this row cannot be believed, and what to do."""
    if address is None:
        return f"has the ip_address {row.ip_address!r}, which is none; correct or delete the row"
    if row.grpc_port != port:
        return (
            f"({address}) has the grpc_port {row.grpc_port}, and raft.port is {port}; "
            "one of them must change"
        )
    if row.grpc_address and not _agrees(row.grpc_address, address, port):
        return (
            f"has the ip_address {address} and the grpc_address {row.grpc_address!r}, which is "
            "another place; restart the node so that it registers anew, or correct the row"
        )
    return None


def _agrees(grpc_address: str, address: str, port: int) -> bool:
    """Whether ``[http://]host[:port]`` may be this place. A name may be anything's."""
    place = grpc_address.strip().rpartition("://")[2].rstrip("/")
    if _ip(place) is not None:  # without a port; in IPv6 the last colon is none
        return _ip(place) == address
    host, colon, given = place.rpartition(":")
    if colon and given != str(port):
        return False
    ip = _ip((host if colon else place).strip("[]"))
    return ip is None or ip == address


def _ip(text: str) -> str | None:
    """The address as everybody writes it, ``None`` if it is none. ``inet`` writes one as a network
    of one address, ``10.0.0.1/32``; any larger one is no address."""
    try:
        network = ipaddress.ip_network(text.strip())
    except ValueError:
        return None
    return network.network_address.compressed if network.num_addresses == 1 else None
