"""The tables of ``quorumshift.toml``, a dataclass each, and what every key may be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from quorumshift.config_schema import key
from quorumshift.config_variables import SECRET, VARIABLE
from quorumshift.domain.policy import Policy
from quorumshift.settings import DIALECTS, DISCOVERIES, TLS

_NAME = r"[a-z][a-z0-9-]{0,23}[a-z0-9]"
_PATH = r"/[A-Za-z0-9._~/-]*"
_PORT = {"least": 1, "most": 65535}
_SECRET = {
    "pattern": f"|{SECRET}",
    "says": "the name or the ARN of a secret in Secrets Manager, or empty",
}
_LETTERS = {
    "pattern": "|[A-Za-z0-9_-]{1,100}",
    "says": "up to 100 of A-Z, a-z, 0-9, _ and -, or empty",
}

_HOST = r"(?=[^/]*[.:]|localhost/)[A-Za-z0-9.-]+(?::[0-9]+)?"
_REPOSITORY = rf"{_HOST}(?:/[a-z0-9._-]+)*/(?:\*|[a-z0-9._-]+)"
_REPOSITORIES = "registry/name, or registry/* for all below, the registry's host written out"


def _one_of(allowed: Sequence[str]) -> dict[str, str]:
    return {"pattern": "|".join(allowed), "says": " or ".join(allowed)}


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
    trial_path: str = key("", pattern=f"|{_PATH}", says="a path that starts with /, or empty")
    websocket_path: str = key("", pattern=f"|{_PATH}", says="a path that starts with /, or empty")
    desired_count: int = key(3, least=1, most=9)
    cpu: int = key(256, least=256, most=16384)
    memory: int = key(512, least=512, most=122880)
    image_tag: str = key("v1", pattern=r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}", says="an image tag")
    stop_timeout_seconds: int = key(30, least=2, most=120)
    health_grace_seconds: int = key(60, least=0, most=3600)
    environment: Mapping[str, str] = key({}, names=VARIABLE)
    secrets: Mapping[str, str] = key({}, names=VARIABLE, pattern=_NAME)
    capacity_providers: Mapping[str, int] = key(
        {"FARGATE": 1}, names="FARGATE|FARGATE_SPOT", least=0, most=1000
    )

    @property
    def health(self) -> tuple[int, str]:
        """Port and path of the health check; port 0 in the file means the service's own."""
        return self.health_port or self.port, self.health_path

    @property
    def trial(self) -> str:
        """The path that can be asked of the service's own port; empty: WebSockets alone."""
        port, path = self.health
        return self.trial_path or (path if port == self.port else "")


@dataclass(frozen=True, slots=True)
class Environment:
    """What the stack is for: ``prod`` is kept from being deleted. ``nat_gateways``: ways out of the
    network that is made; 0: as ``name`` asks for."""

    name: str = key("prod", **_one_of(("prod", "staging")))
    nat_gateways: int = key(0, least=0, most=3)

    def gateways(self, zones: int) -> int:
        """One in each zone of ``prod``: a zone that is lost must not take the functions of the
        others away from AWS, which they guard the votes with."""
        return self.nat_gateways or (zones if self.is_kept else 1)

    @property
    def is_kept(self) -> bool:
        """Whether deleting takes a second thought."""
        return self.name == "prod"


@dataclass(frozen=True, slots=True)
class Scaling:
    """Whether and when the number of tasks changes by itself, between deployments."""

    enabled: bool = key(False)
    minimum: int = key(3, least=3, most=9)
    maximum: int = key(9, least=3, most=9)
    cpu_percent: int = key(70, least=10, most=95)
    memory_percent: int = key(80, least=10, most=95)
    out_seconds: int = key(60, least=0, most=3600)
    in_seconds: int = key(300, least=0, most=3600)


@dataclass(frozen=True, slots=True)
class Schedule:
    """When the current revision is deployed again, as a canary. ``rate()`` is not for this: it
    fires the moment it is created."""

    enabled: bool = key(False)
    expression: str = key("cron(0 4 ? * MON-FRI *)")
    time_zone: str = key("UTC", pattern=r"[A-Za-z0-9_+/-]{1,50}", says="a time zone")
    window_minutes: int = key(0, least=0, most=1440)


@dataclass(frozen=True, slots=True)
class Raft:
    """The service's Raft: who speaks it where, and what must hold (see ``Policy``). ``reconcile``:
    whether the votes follow the tasks between deployments."""

    dialect: str = key("etcd", **_one_of(DIALECTS))
    port: int = key(2379, **_PORT)
    peer_port: int = key(2380, **_PORT)
    tolerance: int = key(1, least=0, most=4)
    minimum_voters: int = key(3, least=1, most=9)
    trailing_entries: int = key(250, least=0, most=1_000_000)
    stabilisation_seconds: float = key(10.0, least=0, most=300)
    settle_deadline_seconds: float = key(60.0, least=1, most=600)
    lock_minutes: int = key(360, least=1, most=2880)
    bake_before_majority: bool = key(False)
    allow_unlocked: bool = key(False)
    allow_inferred: bool = key(False)
    reconcile: bool = key(True)
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
    """Listeners, health checks and cookies. The limits are Elastic Load Balancing's.

    ``certificate``: the ARN of one in AWS Certificate Manager, for the listeners that are made.
    ``host``: the name that users call, which the certificate is for. ``plain_http``: the listeners
    speak HTTP, and no certificate is needed."""

    certificate: str = key(
        "",
        pattern=r"|arn:aws[a-z-]*:acm:[a-z0-9-]+:\d{12}:certificate/[0-9a-f-]{36}",
        says="the ARN of a certificate in AWS Certificate Manager, or empty",
    )
    host: str = key(
        "",
        pattern=r"|(?=.{4,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]",
        says="a host name in small letters, such as play.example.com, or empty",
    )
    plain_http: bool = key(False)
    listener_port: int = key(8080, **_PORT)
    test_listener_port: int = key(9090, **_PORT)
    deregistration_delay_seconds: int = key(30, least=0, most=3600)
    health_interval_seconds: int = key(30, least=5, most=300)
    health_timeout_seconds: int = key(5, least=2, most=120)
    healthy_threshold: int = key(2, least=2, most=10)
    unhealthy_threshold: int = key(3, least=2, most=10)
    stickiness_seconds: int = key(86400, least=0, most=604800)

    @property
    def scheme(self) -> str:
        """What the listeners speak: ``https`` or ``http``."""
        return "http" if self.plain_http else "https"


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
    """Who is told. ``alarms``: whether an alarm sends a message of its own as well.
    ``slack_secret``: the secret in Secrets Manager that holds a webhook's URL."""

    email: str = key("", pattern=r"|[^@\s]+@[^@\s]+\.[^@\s]+", says="an e-mail address, or empty")
    alarms: bool = key(False)
    slack_secret: str = key("", **_SECRET)


@dataclass(frozen=True, slots=True)
class Images:
    """Which images may be started besides those of the service's own repository. ``allow``:
    repositories, whole or with ``/*`` behind them."""

    allow: tuple[str, ...] = key((), pattern=_REPOSITORY, says=_REPOSITORIES)


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
class Functions:
    """What the functions run on. ``reserve``: whether hooks and watchdog have a part of the
    account's concurrent executions to themselves."""

    architecture: str = key("arm64", **_one_of(("arm64", "x86_64")))
    reserve: bool = key(True)


@dataclass(frozen=True, slots=True)
class GitHub:
    """Which jobs on GitHub may start deployments. No repository, no role. What stands in the trust
    of the role may hold nothing that IAM reads as a wildcard or a variable, and no character after
    ÿ (API reference, CreateRole, AssumeRolePolicyDocument)."""

    repository: str = key(
        "",
        pattern=r"|[A-Za-z0-9_.-]+(@[0-9]+)?/[A-Za-z0-9_.-]+(@[0-9]+)?",
        says="<owner>/<repository>, or empty",
    )
    environment: str = key(
        "production",
        pattern=r"(?! )(?:(?![*?$])[ -~¡-ÿ]){1,255}(?<! )",
        says="an environment's name: up to 255 Latin letters, digits and signs, but *, ? and $",
    )

    @property
    def subject(self) -> str:
        """Of the token that a job of the environment is given: GitHub writes names as they are,
        but for colons (GitHub documentation, "OpenID Connect reference", example subject claims).
        """
        environment = self.environment.replace(":", "%3A")
        return f"repo:{self.repository}:environment:{environment}"


@dataclass(frozen=True, slots=True)
class Discovery:
    """Where the nodes' Raft ids stand: with the nodes themselves, or in the service's own table.
    Which tasks there are is always ECS's word."""

    kind: str = key("ecs", **_one_of(DISCOVERIES))


@dataclass(frozen=True, slots=True)
class Database:
    """The service's PostgreSQL, which is not this project's to make. ``secret``: JSON in Secrets
    Manager, as RDS writes it; ``reader_secret``: the like, of a user who may read the service's
    table and nothing else. ``ca_file``: absolute once read. ``environment``: variable of the
    container → key of ``secret``."""

    secret: str = key("", **_SECRET)
    reader_secret: str = key("", **_SECRET)
    tls: str = key("verify-full", **_one_of(TLS))
    ca_file: str = key("")
    region: str = key("", pattern=r"|[A-Za-z0-9._-]{1,50}", says="up to 50 letters, or empty")
    environment: Mapping[str, str] = key(
        {},
        names=VARIABLE,
        pattern="host|port|username|password|dbname",
        says="host, port, username, password or dbname",
    )

    @property
    def certificates(self) -> str:
        """The file with the authorities to trust; empty where there is none to need."""
        return self.ca_file if self.tls == "verify-full" else ""

    @property
    def secret_of_functions(self) -> str:
        """What the functions sign in with."""
        return self.reader_secret or self.secret


@dataclass(frozen=True, slots=True)
class GivenNames:
    """Names in AWS that the service has already; empty: made from ``service.name`` (see
    :class:`quorumshift.names.Names`)."""

    service: str = key("", **_LETTERS)
    cluster: str = key("", **_LETTERS)
    family: str = key("", **_LETTERS)
    application: str = key("", **_LETTERS)
    deployment_group: str = key("", **_LETTERS)
    repository: str = key(
        "",
        pattern=r"|[a-z0-9]+([._/-][a-z0-9]+){0,100}",
        says="the name of an ECR repository, or empty",
    )
    topic: str = key("", **_LETTERS)
