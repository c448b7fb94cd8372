"""Rules of ``quorumshift.toml`` that concern more than one value, or need a reason."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from quorumshift.config_adopt import check_adopt
from quorumshift.config_listeners import check_listeners
from quorumshift.config_schema import Origin
from quorumshift.config_variables import check_secret, check_variables
from quorumshift.domain.cron import read_cron
from quorumshift.domain.locks import SHORTEST_MINUTES

if TYPE_CHECKING:
    from quorumshift.config import Configuration

_FARGATE_MEMORY = {
    256: (512, 1024, 2048),
    512: tuple(range(1024, 4097, 1024)),
    1024: tuple(range(2048, 8193, 1024)),
    2048: tuple(range(4096, 16385, 1024)),
    4096: tuple(range(8192, 30721, 1024)),
    8192: tuple(range(16384, 61441, 4096)),
    16384: tuple(range(32768, 122881, 8192)),
}


def check(configuration: Configuration, origin: Origin) -> None:
    """Raise ``InvalidConfiguration`` for the first rule that does not hold."""
    _check_count(configuration, origin)
    _check_scaling(configuration, origin)
    _check_schedule(configuration, origin)
    _check_size(configuration, origin)
    _check_ports(configuration, origin)
    check_variables(configuration, origin)
    _check_database(configuration, origin)
    check_secret("notifications.slack_secret", configuration.notifications.slack_secret, origin)
    _check_times(configuration, origin)
    _check_locks(configuration, origin)
    check_adopt(configuration, origin)
    check_listeners(configuration, origin)


def _check_count(configuration: Configuration, origin: Origin) -> None:
    count, raft = configuration.service.desired_count, configuration.raft
    where = "service.desired_count"
    if count < 3:
        origin.refuse(where, f"must be 3, 5, 7 or 9, not {count}: fewer survive no failure")
    if count % 2 == 0:
        near = f"{count - 1} or {count + 1}"
        origin.refuse(
            where,
            f"must be 3, 5, 7 or 9, not {count}: {count} voters survive no more failures than "
            f"{count - 1}, and can be cut into two halves of which neither is a quorum; "
            f"take {near}",
        )
    if raft.minimum_voters > count:
        origin.refuse(
            "raft.minimum_voters",
            f"must be at most service.desired_count ({count}), not {raft.minimum_voters}",
        )
    if raft.tolerance > (count - 1) // 2:
        origin.refuse(
            "raft.tolerance",
            f"must be at most {(count - 1) // 2}, not {raft.tolerance}: "
            f"{count} voters survive no more failures",
        )


def _check_scaling(configuration: Configuration, origin: Origin) -> None:
    scaling, count = configuration.scaling, configuration.service.desired_count
    if scaling.enabled and not scaling.minimum <= count <= scaling.maximum:
        origin.refuse(
            "scaling.minimum" if count < scaling.minimum else "scaling.maximum",
            f"must leave room for service.desired_count ({count}): "
            f"{scaling.minimum} to {scaling.maximum} do not",
        )


def _check_schedule(configuration: Configuration, origin: Origin) -> None:
    expression, zone = configuration.schedule.expression, configuration.schedule.time_zone
    if expression.startswith("rate("):
        origin.refuse(
            "schedule.expression",
            "must be cron(…) with six fields, not rate(…), which would deploy the moment that the "
            "schedule is made",
        )
    try:
        read_cron(expression)
    except ValueError as error:
        origin.refuse("schedule.expression", str(error))
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError):
        origin.refuse(
            "schedule.time_zone",
            f'must be a time zone such as "UTC" or "Europe/Berlin", not "{zone}"',
        )


def _check_size(configuration: Configuration, origin: Origin) -> None:
    service = configuration.service
    if service.cpu not in _FARGATE_MEMORY:
        sizes = ", ".join(str(size) for size in _FARGATE_MEMORY)
        origin.refuse("service.cpu", f"must be one of Fargate's sizes {sizes}, not {service.cpu}")
    sizes_of_memory = _FARGATE_MEMORY[service.cpu]
    if service.memory not in sizes_of_memory:
        step = sizes_of_memory[1] - sizes_of_memory[0]
        steps = "" if service.cpu == 256 else f" in steps of {step:,}"
        origin.refuse(
            "service.memory",
            f"must be {sizes_of_memory[0]:,} to {sizes_of_memory[-1]:,} MiB{steps} "
            f"with service.cpu = {service.cpu}, not {service.memory}",
        )
    if not any(service.capacity_providers.values()):
        origin.refuse(
            "service.capacity_providers", "must give one provider a weight over 0: FARGATE = 1"
        )


def _check_ports(configuration: Configuration, origin: Origin) -> None:
    balancer = configuration.load_balancer
    if balancer.test_listener_port == balancer.listener_port:
        origin.refuse(
            "load_balancer.test_listener_port",
            f"must differ from load_balancer.listener_port ({balancer.listener_port})",
        )
    service = configuration.service
    if not service.trial and not service.websocket_path:
        origin.refuse(
            "service.trial_path",
            f"is missing: nothing is known that port {service.port} answers, with the health check "
            f"on {service.health[0]}; give service.trial_path or service.websocket_path",
        )
    taken = {configuration.service.health[0]: "service.health_port"}
    taken[configuration.service.port] = "service.port"
    for name, port in (
        ("raft.port", configuration.raft.port),
        ("raft.peer_port", configuration.raft.peer_port),
    ):
        if port in taken:
            origin.refuse(name, f"must differ from {taken[port]}, which is {port} too")
        taken[port] = name


def _check_database(configuration: Configuration, origin: Origin) -> None:
    database, kind = configuration.database, configuration.discovery.kind
    if kind == "postgres" and configuration.raft.dialect != "snaketron":
        origin.refuse(
            "discovery.kind",
            'must be "ecs" with raft.dialect = '
            f'"{configuration.raft.dialect}", whose nodes tell their own ids; '
            'the table of "postgres" is SnakeTron\'s',
        )
    if not database.secret:
        if kind == "postgres":
            origin.refuse(
                "database.secret",
                'is missing, and discovery.kind is "postgres"; '
                'name the secret that says where the database is, or take kind = "ecs"',
            )
        if database.environment:
            origin.refuse(
                "database.environment",
                "takes its values from database.secret, which is missing",
            )
    if kind == "postgres" and not database.region:
        origin.refuse(
            "database.region",
            'is missing, and discovery.kind is "postgres"; give the region that the nodes write '
            "into the table's column",
        )
    if database.reader_secret and kind != "postgres":
        origin.refuse(
            "database.reader_secret",
            'is for the functions, which ask no database unless discovery.kind = "postgres"',
        )
    check_secret("database.secret", database.secret, origin)
    check_secret("database.reader_secret", database.reader_secret, origin)
    if database.certificates:
        _check_certificates(Path(database.certificates), origin)


def _check_certificates(file: Path, origin: Origin) -> None:
    where = "database.ca_file"
    try:
        text = file.read_text(encoding="utf-8")
    except FileNotFoundError:
        origin.refuse(
            where,
            f"names {file}, which does not exist; put the certificates that the database's is "
            "signed by there (PEM), or leave the key out to trust the system's",
        )
    except (OSError, UnicodeDecodeError) as error:
        origin.refuse(where, f"names {file}, which cannot be read: {error}")
    if "-----BEGIN CERTIFICATE-----" not in text:
        origin.refuse(where, f"names {file}, which holds no certificate in PEM")


def _check_times(configuration: Configuration, origin: Origin) -> None:
    balancer = configuration.load_balancer
    if balancer.health_timeout_seconds >= balancer.health_interval_seconds:
        origin.refuse(
            "load_balancer.health_timeout_seconds",
            f"must be less than load_balancer.health_interval_seconds "
            f"({balancer.health_interval_seconds}), not {balancer.health_timeout_seconds}",
        )
    period = configuration.alarms.period_seconds
    if period not in (10, 30) and period % 60:
        origin.refuse("alarms.period_seconds", f"must be 10, 30 or a multiple of 60, not {period}")
    wait, deadline = (
        configuration.deployment.termination_wait_minutes,
        configuration.deployment.deadline_minutes,
    )
    if wait >= deadline:
        origin.refuse(
            "deployment.deadline_minutes",
            f"must be more than deployment.termination_wait_minutes ({wait}), not {deadline}",
        )


def _check_locks(configuration: Configuration, origin: Origin) -> None:
    minutes = configuration.raft.lock_minutes
    if minutes < SHORTEST_MINUTES:
        origin.refuse(
            "raft.lock_minutes",
            f"must be {SHORTEST_MINUTES} to 2,880, not {minutes}: CodeDeploy waits an hour for the "
            "hand-over, in which only the hand-over itself renews locks; a lock that ends before "
            "protects no vote when the hand-over has died",
        )
