"""``quorumshift.toml``: one service and how it is deployed.

The file is read once, into frozen dataclasses; the dataclasses are the schema, so a key exists
here or nowhere. ``docs/configuration.md`` describes every key for people.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from quorumshift.config_rules import check
from quorumshift.config_schema import Origin, key, read_tables
from quorumshift.domain.errors import InvalidConfiguration
from quorumshift.domain.policy import Policy

_NAME = r"[a-z][a-z0-9-]{0,23}[a-z0-9]"
_PATH = r"/[A-Za-z0-9._~/-]*"
_PORT = {"least": 1, "most": 65535}


@dataclass(frozen=True, slots=True)
class Service:
    """What is deployed. ``cpu`` in units of 1/1,024 vCPU, ``memory`` in MiB. ``environment``:
    plain variables; ``secrets``: variable → name of a generated secret under ``<service>/``.
    ``capacity_providers``: provider → weight."""

    name: str = key(pattern=_NAME, says="2 to 25 of a-z, 0-9 and -, a letter first")
    container: str = key("app", pattern=_NAME, says="2 to 25 of a-z, 0-9 and -, a letter first")
    port: int = key(8080, **_PORT)
    health_path: str = key("/health", pattern=_PATH, says="a path that starts with /")
    health_port: int = key(0, least=0, most=65535)
    websocket_path: str = key("", pattern=f"|{_PATH}", says="a path that starts with /, or empty")
    desired_count: int = key(3, least=1, most=9)
    cpu: int = key(256, least=256, most=16384)
    memory: int = key(512, least=512, most=122880)
    image_tag: str = key("v1", pattern=r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}", says="an image tag")
    stop_timeout_seconds: int = key(30, least=2, most=120)
    environment: Mapping[str, str] = key({}, names=r"[A-Za-z_][A-Za-z0-9_]*")
    secrets: Mapping[str, str] = key({}, names=r"[A-Za-z_][A-Za-z0-9_]*", pattern=_NAME)
    capacity_providers: Mapping[str, int] = key(
        {"FARGATE": 1}, names="FARGATE|FARGATE_SPOT", least=0, most=1000
    )

    @property
    def health(self) -> tuple[int, str]:
        """Port and path of the health check; port 0 in the file means the service's own."""
        return self.health_port or self.port, self.health_path


@dataclass(frozen=True, slots=True)
class Raft:
    """The service's Raft: who speaks it where, and what must hold (see ``Policy``)."""

    dialect: str = key("etcd", pattern="etcd", says="etcd")
    port: int = key(2379, **_PORT)
    peer_port: int = key(2380, **_PORT)
    tolerance: int = key(1, least=0, most=4)
    minimum_voters: int = key(3, least=1, most=9)
    trailing_entries: int = key(250, least=0, most=1_000_000)
    stabilisation_seconds: float = key(10.0, least=0, most=300)
    settle_deadline_seconds: float = key(60.0, least=1, most=600)
    lock_minutes: int = key(120, least=1, most=2880)
    bake_before_majority: bool = key(False)
    allow_unlocked: bool = key(False)
    allow_inferred: bool = key(False)
    drain_connections: int = key(0, least=0, most=1_000_000)
    drain_minutes: int = key(0, least=0, most=30)

    @property
    def policy(self) -> Policy:
        """The keys that the domain decides by."""
        return Policy(
            tolerance=self.tolerance,
            minimum_voters=self.minimum_voters,
            trailing_entries=self.trailing_entries,
            stabilisation_seconds=self.stabilisation_seconds,
            settle_deadline_seconds=self.settle_deadline_seconds,
            lock_minutes=self.lock_minutes,
            bake_before_majority=self.bake_before_majority,
            allow_unlocked=self.allow_unlocked,
            allow_inferred=self.allow_inferred,
            drain_connections=self.drain_connections,
            drain_minutes=self.drain_minutes,
        )


@dataclass(frozen=True, slots=True)
class LoadBalancer:
    """Listeners, health checks and cookies. The limits are Elastic Load Balancing's."""

    listener_port: int = key(8080, **_PORT)
    test_listener_port: int = key(9090, **_PORT)
    deregistration_delay_seconds: int = key(30, least=0, most=3600)
    health_interval_seconds: int = key(30, least=5, most=300)
    health_timeout_seconds: int = key(5, least=2, most=120)
    healthy_threshold: int = key(2, least=2, most=10)
    unhealthy_threshold: int = key(3, least=2, most=10)
    stickiness_seconds: int = key(86400, least=0, most=604800)


@dataclass(frozen=True, slots=True)
class Deployment:
    """How traffic moves and how long we watch; ``poll_seconds`` apart, in AWS's time."""

    config: str = key(
        "CodeDeployDefault.ECSLinear10PercentEvery1Minutes",
        pattern=r"[A-Za-z0-9_.-]{1,100}",
        says="the name of a CodeDeploy configuration",
    )
    termination_wait_minutes: int = key(5, least=0, most=2880)
    poll_seconds: int = key(15, least=5, most=300)
    deadline_minutes: int = key(180, least=10, most=7200)


@dataclass(frozen=True, slots=True)
class Alarms:
    """What stops a deployment: the same two alarms for each target group."""

    response_time_seconds: float = key(1.0, least=0.001, most=60)
    unhealthy_hosts: int = key(0, least=0, most=8)
    period_seconds: int = key(60, least=10, most=3600)
    evaluation_periods: int = key(2, least=1, most=10)


@dataclass(frozen=True, slots=True)
class Notifications:
    """Who is told. ``alarms``: whether an alarm sends a message of its own as well."""

    email: str = key("", pattern=r"|[^@\s]+@[^@\s]+\.[^@\s]+", says="an e-mail address, or empty")
    alarms: bool = key(False)


@dataclass(frozen=True, slots=True)
class Build:
    """Where images are built from. No repository, no build project."""

    repository: str = key(
        "",
        pattern=r"|https://github\.com/[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+",
        says="https://github.com/<owner>/<repository>, or empty",
    )
    branch: str = key("release", pattern=r"[A-Za-z0-9_./-]{1,100}", says="the name of a branch")
    dockerfile: str = key("Dockerfile", pattern=r"[A-Za-z0-9_./-]{1,200}", says="a path")


@dataclass(frozen=True, slots=True)
class Configuration:
    """The whole file, a field a table."""

    service: Service
    raft: Raft = field(default_factory=Raft)
    load_balancer: LoadBalancer = field(default_factory=LoadBalancer)
    deployment: Deployment = field(default_factory=Deployment)
    alarms: Alarms = field(default_factory=Alarms)
    notifications: Notifications = field(default_factory=Notifications)
    build: Build = field(default_factory=Build)


def load(path: Path | str, overrides: Mapping[str, Any] | None = None) -> Configuration:
    """Read ``path``; ``overrides`` maps ``"table.key"`` to the value that replaces the file's.

    Raises ``InvalidConfiguration`` naming file, line, key and what is allowed.
    """
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise InvalidConfiguration(
            f"{path}: there is no such file; write one (docs/configuration.md has a short one)"
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidConfiguration(f"{path}: cannot be read: {error}") from None
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        line = re.search(r"at line (\d+)", str(error))
        place = f"{path}:{line[1]}" if line else f"{path}"
        raise InvalidConfiguration(f"{place}: not valid TOML: {error}") from None
    origin = Origin(str(path), text, frozenset(overrides or ()))
    for dotted, value in (overrides or {}).items():
        *parents, name = dotted.split(".")
        section = tables
        for part in parents:
            section = section.setdefault(part, {})
        section[name] = value
    configuration = read_tables(Configuration, tables, origin)
    check(configuration, origin)
    return configuration
