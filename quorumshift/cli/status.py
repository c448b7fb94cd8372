"""``quorumshift status``: what serves, what is being deployed, how the cluster stands."""

from __future__ import annotations

import argparse
import time
from typing import TYPE_CHECKING, Any

from quorumshift.cli.exit_codes import ExitCode
from quorumshift.cli.service import Service, add_options, explained, put
from quorumshift.domain.errors import ObservationFailed

if TYPE_CHECKING:
    from quorumshift.domain.rollout import Rollout

TOLD = 0


def add_to(verbs: Any) -> None:
    """Add the verb and its options."""
    verb = verbs.add_parser(
        "status",
        help="what serves, whether a deployment is under way and where it stands, the cluster",
        description="Tell what serves, whether a deployment is under way and where it stands, how "
        "the Raft cluster is, and which tasks are locked. Nothing is changed.",
        epilog="exit codes: 0 told, whatever it is; 1 something could not be told; 2 bad usage.",
        allow_abbrev=False,
    )
    add_options(verb)
    verb.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Tell it; return the exit code."""
    return explained("status", options, lambda service: _run(service, options))


def _run(service: Service, options: argparse.Namespace) -> int:
    from quorumshift.report.status import as_text

    rollout = _under_way(service)
    cluster, busy = _cluster(service, rollout)
    if busy:  # it began after CodeDeploy was asked
        rollout = service.deployments.look(busy)
    last = next(service.executions.newest(1), None)
    record = _record(service, last)
    running = record if last is not None and last.running else None
    found = {
        "service": service.names.service,
        "serving": service.serving(),
        "deployment": _deployment(rollout),
        "execution": running,
        "last": None if running else record,
        **cluster,
    }
    put(options.output, found, lambda: as_text(found))
    return ExitCode.BROKEN if found["trouble"] else TOLD


def _under_way(service: Service) -> Rollout | None:
    active = service.deployments.active()
    return service.deployments.look(active) if active else None


def _record(service: Service, last: Any) -> dict[str, Any] | None:
    from quorumshift.report.chronicle import record

    if last is None:
        return None
    return record(last, service.executions.place(last.id), time.time())


def _deployment(rollout: Rollout | None) -> dict[str, Any] | None:
    from quorumshift.domain.data import to_json
    from quorumshift.domain.rollout import StageStatus

    if rollout is None:
        return None
    began = [one.name for one in rollout.stages if one.status is not StageStatus.PENDING]
    return {**to_json(rollout), "stage": began[-1] if began else None}


def _cluster(service: Service, rollout: Rollout | None) -> tuple[dict[str, Any], str]:
    """How it stands; and the deployment that is under way where ``rollout`` is none."""
    from quorumshift.cli.cluster import Cluster
    from quorumshift.domain.data import to_json
    from quorumshift.domain.locks import is_ours, locked

    try:
        cluster = Cluster(service)
        look = cluster.look((rollout.undoes or rollout.id) if rollout else None)
    except ObservationFailed as error:
        return {"cluster": None, "locks": None, "trouble": str(error)}, ""
    seen = look.cluster
    locks = [
        {
            "address": node.address,
            "task": node.task,
            "until": node.locked_until,
            "ours": is_ours(node, seen.at),
        }
        for node in locked(seen)
    ]
    verdict = to_json(cluster.verdict(seen))
    return {"cluster": verdict, "locks": locks, "trouble": ""}, look.busy
