"""What is counted in one CloudWatch period, and then starts at nothing again."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Statistic:
    """A CloudWatch statistic set."""

    sum: float = 0.0
    count: int = 0
    minimum: float = 0.0
    maximum: float = 0.0

    def add(self, value: float) -> None:
        """Count one value."""
        if not self.count or value < self.minimum:
            self.minimum = value
        if not self.count or value > self.maximum:
            self.maximum = value
        self.sum += value
        self.count += 1

    def to_json(self) -> dict[str, float]:
        """``{"sum", "count", "minimum", "maximum"}``."""
        return {
            "sum": self.sum,
            "count": self.count,
            "minimum": self.minimum,
            "maximum": self.maximum,
        }


@dataclass(slots=True)
class GroupCounters:
    """``time``: seconds from the request's leaving for the target to the first header of its
    answer. ``codes``: answers of the targets by their first digit. ``refused``: connections that
    could not be made."""

    requests: int = 0
    refused: int = 0
    time: Statistic = field(default_factory=Statistic)
    codes: dict[int, int] = field(default_factory=dict)
    healthy: Statistic = field(default_factory=Statistic)
    unhealthy: Statistic = field(default_factory=Statistic)

    def answered(self, status: int, seconds: float) -> None:
        """A target's answer began."""
        self.time.add(seconds)
        first = status // 100
        self.codes[first] = self.codes.get(first, 0) + 1

    def to_json(self) -> dict[str, Any]:
        """The numbers, as the engine turns them into metrics."""
        return {
            "requests": self.requests,
            "refused": self.refused,
            "time": self.time.to_json(),
            "codes": {str(first): number for first, number in self.codes.items()},
            "healthy": self.healthy.to_json(),
            "unhealthy": self.unhealthy.to_json(),
        }


@dataclass(slots=True)
class BalancerCounters:
    """``own``: answers that the load balancer gave itself, by status."""

    requests: int = 0
    own: dict[int, int] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """The numbers, as the engine turns them into metrics."""
        return {
            "requests": self.requests,
            "own": {str(status): number for status, number in self.own.items()},
        }
