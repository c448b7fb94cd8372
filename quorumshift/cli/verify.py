"""``quorumshift verify``: the Raft check of a deployment, now."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from quorumshift.cli.exit_codes import ExitCode
from quorumshift.cli.service import Service, add_options, explained, put, tell

if TYPE_CHECKING:
    from quorumshift.domain.raft import ClusterObservation

HEALTHY = 0


def add_to(verbs: Any) -> None:
    """Add the verb and its options."""
    verb = verbs.add_parser(
        "verify",
        help="check the Raft cluster now, as every deployment does before it touches anything",
        description="Check the Raft cluster by the rules of the state VerifyRaft: healthy in two "
        "looks, a stabilisation time apart, with the tolerance that the policy asks; an election "
        "is waited for. Nothing is changed.",
        epilog="exit codes: 0 healthy; 1 nobody could tell; 2 bad usage; 4 not healthy: a "
        "deployment would be refused; 130 interrupted.",
        allow_abbrev=False,
    )
    add_options(verb)
    verb.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Check it; return the exit code."""
    return explained("verify", options, lambda service: _run(service, options))


def _run(service: Service, options: argparse.Namespace) -> int:
    from quorumshift.adapters.clock import SystemClock
    from quorumshift.cli.cluster import Cluster
    from quorumshift.domain.data import to_json
    from quorumshift.domain.health import Decision
    from quorumshift.report.status import verdict_as_text
    from quorumshift.usecases.observer import Settling

    cluster = Cluster(service)
    seconds = cluster.policy.stabilisation_seconds
    tell(f"looking at the cluster twice, {seconds:g} s apart")
    busy = ""

    def look(deployment: str | None) -> ClusterObservation:
        nonlocal busy
        seen = cluster.look(deployment)
        busy = seen.busy
        return seen.cluster

    settling = Settling(look, cluster.dialect.first_contract, SystemClock(), cluster.policy)
    verdict = settling.settled(None).verdict
    document = {**to_json(verdict), "busy": busy}
    put(options.output, document, lambda: verdict_as_text(verdict, busy))
    return HEALTHY if verdict.decision is Decision.PROCEED else ExitCode.REFUSED
