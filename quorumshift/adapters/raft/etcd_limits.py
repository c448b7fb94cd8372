"""What of an etcd cluster this adapter cannot work with. It is told before anything starts."""

from __future__ import annotations

from collections.abc import Sequence

from quorumshift.adapters.raft.etcd_view import OLDEST, Said, Silent


def unworkable(
    said: Sequence[Said], silent: Sequence[Silent], *, confirmed: bool
) -> tuple[str, ...]:
    """A sentence for each limit that is met: what was seen, and what to do. ``confirmed``: a
    quorum has told the member list."""
    found = []
    if with_users := [one.address for one in said if one.asks_for_user]:
        found.append(
            f"{', '.join(with_users)} asked for a user: authentication is on in this etcd cluster, "
            "and without a user every change of members is refused ('user name is empty'). Switch "
            "it off (etcdctl auth disable) and let the security group keep others out."
        )
    voters = [one for one in said if not one.report.learns]
    old = [f"{one.address} ({one.version or 'it told none'})" for one in voters if not one.confirms]
    if old and not confirmed:
        least = ".".join(map(str, OLDEST))
        found.append(
            f"The version of etcd is below {least}: {', '.join(old)}. Such a node tells its "
            "members from memory, so that no list can be confirmed. Bring the cluster to "
            f"{least} or newer first, by etcd's own way, a node at a time."
        )
    if not said and (secure := [one.tls_at for one in silent if one.tls_at]):
        found.append(
            f"{', '.join(secure)} speaks TLS alone, and the etcds are asked in plain HTTP. Add an "
            "http:// URL with raft.port to --listen-client-urls, and let the security group keep "
            "others out."
        )
    return tuple(found)
