"""How many tasks: by processor and memory, as the configuration allows."""

from __future__ import annotations

from aws_cdk import Duration
from aws_cdk import aws_ecs as ecs

from quorumshift.config import Configuration


def scale(service: ecs.FargateService, configuration: Configuration) -> None:
    """Let ``service`` scale, if it may at all. Each deployment suspends it for its own time."""
    settings = configuration.scaling
    if not settings.enabled:
        return
    count = service.auto_scale_task_count(
        min_capacity=settings.minimum, max_capacity=settings.maximum
    )
    out, back = Duration.seconds(settings.out_seconds), Duration.seconds(settings.in_seconds)
    count.scale_on_cpu_utilization(
        "Processor",
        target_utilization_percent=settings.cpu_percent,
        scale_out_cooldown=out,
        scale_in_cooldown=back,
    )
    count.scale_on_memory_utilization(
        "Memory",
        target_utilization_percent=settings.memory_percent,
        scale_out_cooldown=out,
        scale_in_cooldown=back,
    )
