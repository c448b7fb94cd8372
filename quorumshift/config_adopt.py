"""``[adopt]``: what is there already and is taken by its id instead of being made.

Each key rests on others: a load balancer stands in a VPC, a listener on a load balancer. What is
missing is said here, because AWS would say it in the middle of the first deployment.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from quorumshift.config_schema import Origin, key
from quorumshift.config_variables import SECRET, VARIABLE, check_secret

if TYPE_CHECKING:
    from quorumshift.config import Configuration

_JSON_KEY = r"[A-Za-z0-9_.-]{1,100}"
_ADDRESS = r"(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)"


def _optional(pattern: str, says: str) -> Any:
    return key("", pattern=f"|{pattern}", says=f"{says}, or empty")


def _id(kind: str) -> dict[str, str]:
    return {"pattern": f"{kind}-[0-9a-f]{{8,17}}", "says": f"{kind}-… as AWS writes it"}


def _arn(service: str, resource: str, says: str) -> Any:
    return _optional(rf"arn:aws[a-z-]*:{service}:[a-z0-9-]*:\d{{12}}:{resource}", says)


def _elastic(resource: str, says: str) -> Any:
    return _arn("elasticloadbalancing", resource, f"the ARN of {says}")


def _role() -> Any:
    return _arn("iam", "role/[A-Za-z0-9+=,.@_/-]{1,512}", "the ARN of a role")


@dataclass(frozen=True, slots=True)
class Adopt:
    """Ids and ARNs of what this project does not make; nothing given: all of it is made.

    ``cluster`` and ``service``: those called so in ``[names]`` are there. ``secrets``: variable of
    the container → name or ARN of a secret, and ``#key`` where one key of its JSON is meant.
    """

    vpc: str = _optional(**_id("vpc"))
    private_subnets: tuple[str, ...] = key((), **_id("subnet"))
    public_subnets: tuple[str, ...] = key((), **_id("subnet"))
    outgoing_addresses: tuple[str, ...] = key((), pattern=_ADDRESS, says="an IPv4 address")
    tasks_security_group: str = _optional(**_id("sg"))
    functions_security_group: str = _optional(**_id("sg"))
    cluster: bool = key(False)
    load_balancer: str = _elastic(
        "loadbalancer/app/[A-Za-z0-9-]{1,32}/[0-9a-f]{16}", "an Application Load Balancer"
    )
    load_balancer_dns_name: str = _optional(r"[A-Za-z0-9.-]{4,253}", "its DNS name")
    load_balancer_security_group: str = _optional(**_id("sg"))
    production_listener: str = _elastic(
        "listener/app/[A-Za-z0-9-]{1,32}/[0-9a-f]{16}/[0-9a-f]{16}", "one of its listeners"
    )
    test_listener: str = _elastic(
        "listener/app/[A-Za-z0-9-]{1,32}/[0-9a-f]{16}/[0-9a-f]{16}", "one of its listeners"
    )
    blue_target_group: str = _elastic(
        "targetgroup/[A-Za-z0-9-]{1,32}/[0-9a-f]{16}", "a target group"
    )
    green_target_group: str = _elastic(
        "targetgroup/[A-Za-z0-9-]{1,32}/[0-9a-f]{16}", "a target group"
    )
    service: bool = key(False)
    task_role: str = _role()
    execution_role: str = _role()
    secrets: Mapping[str, str] = key(
        {},
        names=VARIABLE,
        pattern=f"(?:{SECRET})(?:#{_JSON_KEY})?",
        says="the name or the ARN of a secret, and #key for one key of its JSON",
    )

    def secret(self, variable: str) -> tuple[str, str]:
        """Name or ARN of a variable's secret, and the key of its JSON (empty: all of it)."""
        which, _, part = self.secrets[variable].partition("#")
        return which, part


_NEEDS = {
    "private_subnets": ("vpc",),
    "public_subnets": ("vpc",),
    "outgoing_addresses": ("vpc",),
    "tasks_security_group": ("vpc",),
    "functions_security_group": ("vpc",),
    "load_balancer": ("vpc", "load_balancer_dns_name", "load_balancer_security_group"),
    "load_balancer_dns_name": ("load_balancer",),
    "load_balancer_security_group": ("load_balancer",),
    "blue_target_group": ("green_target_group", "load_balancer"),
    "green_target_group": ("blue_target_group",),
    # A listener that is there forwards to groups that are there; CodeDeploy expects one of its pair
    # behind it.
    "production_listener": ("load_balancer", "blue_target_group"),
    "test_listener": ("production_listener",),
    "service": ("cluster", "tasks_security_group", "test_listener", "execution_role"),
    "task_role": ("service",),
    "execution_role": ("service",),
}
"""Key → the keys that it is nothing without; theirs count too."""


def check_adopt(configuration: Configuration, origin: Origin) -> None:
    """Raise ``InvalidConfiguration`` for the first rule that does not hold."""
    adopt = configuration.adopt
    for name, needed in _NEEDS.items():
        missing = [f"adopt.{each}" for each in needed if not getattr(adopt, each)]
        if getattr(adopt, name) and missing:
            verb = "is" if len(missing) == 1 else "are"
            origin.refuse(
                f"adopt.{name}",
                f"needs {' and '.join(missing)}, which {verb} missing; "
                f"add {'it' if verb == 'is' else 'them'} to [adopt], or take this key out",
            )
    if adopt.vpc:
        _check_subnets(configuration, origin)
    _check_traffic(configuration, origin)
    _check_service(configuration, origin)
    _check_secrets(configuration, origin)


def _check_subnets(configuration: Configuration, origin: Origin) -> None:
    adopt = configuration.adopt
    wanted = [("private_subnets", "the tasks and the functions run in them")]
    if not adopt.load_balancer:
        wanted.append(("public_subnets", "the load balancer that is made stands in them"))
    elif adopt.public_subnets:
        origin.refuse("adopt.public_subnets", "is for a load balancer that is made; take it out")
    for name, reason in wanted:
        if len(getattr(adopt, name)) < 2:
            origin.refuse(
                f"adopt.{name}",
                f"must name two subnets or more, in different zones: {reason}; three let the "
                "voters survive the loss of a zone",
            )
    if not adopt.load_balancer and not adopt.outgoing_addresses:
        origin.refuse(
            "adopt.outgoing_addresses",
            "is missing: the functions reach the test listener from the public addresses of the "
            "VPC's NAT gateways, and nobody else may; list these addresses",
        )


def _check_traffic(configuration: Configuration, origin: Origin) -> None:
    adopt = configuration.adopt
    for name in ("production_listener", "test_listener"):
        listener = getattr(adopt, name)
        balancer = listener.rpartition("/")[0].replace(":listener/", ":loadbalancer/")
        if listener and balancer != adopt.load_balancer:
            origin.refuse(f"adopt.{name}", f"must be a listener of {adopt.load_balancer}")
    for one, other in (
        ("test_listener", "production_listener"),
        ("green_target_group", "blue_target_group"),
    ):
        if getattr(adopt, one) and getattr(adopt, one) == getattr(adopt, other):
            origin.refuse(f"adopt.{one}", f"must differ from adopt.{other}")


def _check_service(configuration: Configuration, origin: Origin) -> None:
    if configuration.adopt.service and configuration.scaling.enabled:
        origin.refuse(
            "scaling.enabled",
            "must be false with adopt.service: who made the service scales it, and each "
            "deployment suspends that all the same",
        )


def _check_secrets(configuration: Configuration, origin: Origin) -> None:
    tables = {
        "service.environment": configuration.service.environment,
        "service.secrets": configuration.service.secrets,
        "database.environment": configuration.database.environment,
    }
    for variable in configuration.adopt.secrets:
        dotted = f"adopt.secrets.{variable}"
        for table, variables in tables.items():
            if variable in variables:
                origin.refuse(dotted, f"is in [{table}] too; keep one of them")
        check_secret(dotted, configuration.adopt.secret(variable)[0], origin)
