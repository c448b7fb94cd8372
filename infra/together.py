"""Several services in one account: no two may make the same thing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from quorumshift.config import Configuration
from quorumshift.domain.errors import InvalidConfiguration


def check_together(described: Sequence[tuple[Path, Configuration]]) -> None:
    """Raise ``InvalidConfiguration`` where two files name the same, with both files."""
    owners: dict[tuple[str, str], Path] = {}
    for path, configuration in described:
        for key, name, remedy in _taken(configuration):
            other = owners.setdefault((key, name), path)
            if other is not path:
                raise InvalidConfiguration(
                    f'{path}: {key} is "{name}", and so it is in {other}; {remedy}'
                )


def _taken(configuration: Configuration) -> Iterator[tuple[str, str, str]]:
    """(key, name, what to do) of all that the service is alone with. The other names in AWS are
    made from ``service.name``."""
    names, adopt = configuration.names, configuration.adopt
    another = "give one of them another name"
    yield "service.name", configuration.service.name, another
    # Also in two clusters: the hooks' evidence and the metrics of polls are kept under it.
    yield "names.service", names.service, another
    yield "names.family", names.family, another
    yield "names.application", names.application, another
    yield "names.topic", names.topic, another
    if not adopt.cluster:
        remedy = "two cannot make it: give one another name, or adopt.cluster = true"
        yield "names.cluster", names.cluster, remedy
    for key in ("blue_target_group", "green_target_group"):
        if group := getattr(adopt, key):
            yield "a target group", group, "a deployment needs both for itself"
    if not adopt.load_balancer:
        return
    ports = configuration.load_balancer
    for port, listener in (
        (ports.listener_port, adopt.production_listener),
        (ports.test_listener_port, adopt.test_listener),
    ):
        yield "a listener", f"{adopt.load_balancer}:{port}", "give one of them another port"
        if listener:
            yield "a listener", listener, "each service needs its own two"
