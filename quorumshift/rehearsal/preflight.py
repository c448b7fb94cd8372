"""What must be so before anything is started."""

from __future__ import annotations

import socket
from collections.abc import Iterable


class CannotStart(Exception):
    """The rehearsal cannot run here now; nothing was started."""


def check_ports(wanted: Iterable[tuple[str, int]]) -> None:
    """Raise :class:`CannotStart` naming the first of these (address, port) that is taken."""
    for address, port in wanted:
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            # As the servers do: a connection that lingers from an earlier run is no obstacle.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((address, port))
                probe.listen(1)
            except OSError as error:
                raise CannotStart(
                    f"port {port} of {address} cannot be used ({error.strerror}); something "
                    f"listens on it, perhaps on all addresses: end it (`ss -ltnp sport = :{port}` "
                    "names it), then try again"
                ) from None
