"""What a deployed function knows of its service: its environment, read once.

The CDK app writes these variables from ``quorumshift.toml`` and from the resources it owns; nothing
else decides what a deployment acts on. No value here is a secret.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields

from quorumshift.domain.data import from_json, to_json
from quorumshift.domain.errors import InvalidConfiguration
from quorumshift.domain.policy import Policy

PREFIX = "QUORUMSHIFT_"

DIALECTS = ("etcd", "snaketron")
DISCOVERIES = ("ecs", "postgres")
TLS = ("verify-full", "off")
_ONE_OF = {
    "dialect": DIALECTS,
    "discovery": DISCOVERIES,
    "database_tls": TLS,
    "reconcile": ("on", "off"),
}


@dataclass(frozen=True, slots=True)
class Settings:
    """One field, one variable: ``service`` is ``QUORUMSHIFT_SERVICE``.

    ``service``/``cluster``: the ECS service and cluster (names). ``application``,
    ``deployment_group``: CodeDeploy's. ``family``, ``container``, ``port``: the task definition's
    family and the container and port that the load balancer talks to. ``health_url``: path and
    port a task answers its health check on, ``:8080/health``. ``trial_path``: what ``port``
    answers with 200, empty when it takes WebSockets alone; ``websocket_path``: empty when it takes
    none. ``test_url``: the test listener, ``https://name:port``. ``hook_prefix``: a hook's function
    is ``<hook_prefix><hook-name>``. ``hand_over``: ARN of that state machine; ``deploy``: of this
    one; ``topic``: SNS topic ARN. ``project``: CodeBuild project (empty: none). ``repository``: ECR
    repository URI. ``dialect``: the Raft adapter; ``raft_port``: where it is asked,
    ``raft_peer_port``: where nodes talk to each other. ``policy``: JSON of
    :class:`~quorumshift.domain.policy.Policy`. ``deployment_config``: the default.
    ``poll_seconds``, ``deadline_minutes``: of the wait for a deployment, in AWS's time.
    ``listener``: ARN of the production listener. ``host``: the name that users call, which the
    listeners' certificate is for; empty: the load balancer's own.

    ``discovery``: ``ecs``, or ``postgres`` where the nodes' ids stand in the service's own table.
    Then ``database_secret`` is the name or ARN of the secret that tells how to get there, never
    what it says; ``database_tls`` is ``verify-full`` or ``off``; ``database_ca`` the file in the
    package with the certificates to trust (empty: the system's); ``database_region`` the value of
    the table's column.

    ``slack_secret``: the name or ARN of the secret that holds the webhook's URL, never the URL;
    empty where nobody is told through Slack. ``images_allow``: further repositories whose images
    may be started, with spaces between them. ``reconcile``: ``on``, or ``off`` where the votes do
    not follow the tasks between deployments.
    """

    service: str
    cluster: str
    application: str
    deployment_group: str
    family: str
    container: str
    port: int
    health_url: str
    websocket_path: str
    test_url: str
    hook_prefix: str
    deploy: str
    hand_over: str
    topic: str
    project: str
    repository: str
    dialect: str
    raft_port: int
    policy: Policy
    deployment_config: str
    poll_seconds: int
    deadline_minutes: int
    listener: str
    raft_peer_port: int = 2380
    trial_path: str = ""
    discovery: str = "ecs"
    database_secret: str = ""
    database_tls: str = "verify-full"
    database_ca: str = ""
    database_region: str = ""
    slack_secret: str = ""
    reconcile: str = "on"
    host: str = ""
    images_allow: str = ""

    @property
    def allowed(self) -> tuple[str, ...]:
        """The further repositories."""
        return tuple(self.images_allow.split())

    @property
    def evidence_group(self) -> str:
        """The log group in which the hooks leave what they saw."""
        return evidence_group(self.service)

    def environment(self) -> dict[str, str]:
        """The variables that :meth:`read` reads back; none for what has its default."""
        return {
            PREFIX + field.name.upper(): (
                json.dumps(to_json(self.policy), separators=(",", ":"))
                if field.name == "policy"
                else str(getattr(self, field.name))
            )
            for field in fields(self)
            if getattr(self, field.name) != field.default
        }

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> Settings:
        """Read the variables. Raises ``InvalidConfiguration`` naming the first bad one."""
        values: dict[str, object] = {}
        for field in fields(cls):
            name = PREFIX + field.name.upper()
            if name not in environment:
                if field.default is not MISSING:
                    continue
                raise InvalidConfiguration(
                    f"environment variable {name} is missing; deploy the stack again"
                )
            text = environment[name]
            try:
                if field.name == "policy":
                    values[field.name] = from_json(Policy, json.loads(text))
                elif field.type == "int":
                    values[field.name] = int(text)
                else:
                    values[field.name] = _known(field.name, text)
            except ValueError as error:
                raise InvalidConfiguration(f"environment variable {name}: {error}") from None
        return cls(**values)  # type: ignore[arg-type] # each value was made for its field above


def _known(field: str, text: str) -> str:
    """Raises ``ValueError`` for a value that nothing here is made for."""
    allowed = _ONE_OF.get(field)
    if allowed is not None and text not in allowed:
        raise ValueError(
            f"{text!r} is not known; allowed: {', '.join(allowed)}. "
            "Correct it in quorumshift.toml and deploy the stack"
        )
    return text


def evidence_group(service: str) -> str:
    """The log group for a service's evidence; it holds a stream for each deployment."""
    return f"/quorumshift/{service}/evidence"
