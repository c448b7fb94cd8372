"""The stacks of one service, in their order: network, service, deployment.

A stack that would own nothing, because all of it is adopted, is left out.
"""

from __future__ import annotations

from collections.abc import Iterable

from aws_cdk import Stack
from constructs import Construct

from infra import network_stack
from infra.deployment_stack import DeploymentStack
from infra.network_stack import NetworkStack
from infra.parts import NetworkParts, ServiceParts, TrafficParts
from infra.service_stack import ServiceStack
from infra.sources import Sources
from quorumshift.config import Configuration


def add_stacks(scope: Construct, configuration: Configuration, sources: Sources) -> None:
    """Add the stacks of one service to ``scope``."""
    before: list[Stack] = []
    if network_stack.is_needed(configuration):
        made = NetworkStack(scope, configuration)
        network = made.parts
        before.append(made)
    else:
        network = NetworkParts.adopted(configuration)
    if configuration.adopt.service:
        traffic, service = TrafficParts.adopted(configuration), ServiceParts.adopted(configuration)
    else:
        running = ServiceStack(scope, configuration, network)
        traffic, service = running.traffic, running.service
        _after(running, before)
        before.append(running)
    _after(DeploymentStack(scope, configuration, network, traffic, service, sources), before)


def _after(stack: Stack, others: Iterable[Stack]) -> None:
    """Also where it refers to nothing of theirs: it needs rules, and the service by its name."""
    for other in others:
        stack.add_stack_dependency(other)
