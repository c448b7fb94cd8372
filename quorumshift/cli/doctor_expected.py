"""What ``quorumshift doctor`` expects, from the configuration."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

from infra.function_specs import SPECS
from quorumshift.adapters.raft.dialects import dialect, environment
from quorumshift.config import Configuration
from quorumshift.domain.doctor.expected import Adopted, Expected
from quorumshift.names import FUNCTIONS, HOOKS, SLACK


def expected_of(configuration: Configuration, file: Path) -> Expected:
    """Names, ports, times and policy. ``file``: where they stand."""
    service, raft, names = configuration.service, configuration.raft, configuration.names
    balancer, adopt = configuration.load_balancer, configuration.adopt
    able = dialect(raft.dialect)
    return Expected(
        file=str(file),
        service=names.service,
        cluster=names.cluster,
        family=names.family,
        container=service.container,
        port=service.port,
        health_port=service.health[0],
        health_path=service.health[1],
        raft_port=raft.port,
        raft_peer_port=raft.peer_port,
        desired=service.desired_count,
        cpu=service.cpu,
        stop_timeout=service.stop_timeout_seconds,
        providers=dict(service.capacity_providers),
        balancer=names.balancer,
        blue=names.blue,
        green=names.green,
        production_port=balancer.listener_port,
        test_port=balancer.test_listener_port,
        delay=balancer.deregistration_delay_seconds,
        scheme=balancer.scheme,
        reserved=sum(spec.reserved for spec in SPECS) if configuration.functions.reserve else 0,
        images_allow=configuration.images.allow,
        application=names.application,
        deployment_group=names.deployment_group,
        functions=tuple(names.function(state) for state in _functions(configuration)),
        hooks=tuple(names.function(hook) for hook in HOOKS),
        observe=names.function("Observe"),
        registers=names.function("RegisterTaskDefinition"),
        machines=(names.deploy, names.hand_over),
        repository=names.repository,
        image_tag=service.image_tag,
        project=names.project,
        build=configuration.build.repository,
        generated=_generated(configuration),
        given=_given(configuration),
        database=configuration.discovery.kind == "postgres",
        topic=names.topic,
        email=configuration.notifications.email,
        canary=names.canary,
        fires=configuration.schedule.enabled,
        github=configuration.github.repository,
        policy=raft.policy,
        dialect=able,
        environment=environment(able.name),
        adopted=Adopted(**{one.name: getattr(adopt, one.name) for one in fields(Adopted)}),
    )


def _functions(configuration: Configuration) -> tuple[str, ...]:
    return (*FUNCTIONS, SLACK) if configuration.notifications.slack_secret else FUNCTIONS


def _generated(configuration: Configuration) -> tuple[str, ...]:
    """Secrets that the stack makes: none for a service that is there without it."""
    if configuration.adopt.service:
        return ()
    return tuple(configuration.names.secret(one) for one in configuration.service.secrets.values())


def _given(configuration: Configuration) -> tuple[str, ...]:
    """Secrets that are there before the stack, each once."""
    database, adopt = configuration.database, configuration.adopt
    adopted = (adopt.secret(variable)[0] for variable in adopt.secrets)
    told = configuration.notifications.slack_secret
    found = (database.secret, database.reader_secret, told, *adopted)
    return tuple(dict.fromkeys(name for name in found if name))
