"""The ways in which a rehearsal can deploy version 2: the product's, and everybody's of today."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from quorumshift.config import Configuration
from quorumshift.rehearsal.baseline import PlainDeployment
from quorumshift.rehearsal.execution import Execution
from quorumshift.rehearsal.result import Hook, Outcome
from quorumshift.rehearsal.world import World


class Deploying(Protocol):
    """One deployment, from its start to its end."""

    def start(self, request: dict[str, Any]) -> None:
        """Start it; ``request["image"]`` is ``<repository>:<tag>``."""

    def ended(self) -> bool:
        """Whether it has ended, a roll-back of it included."""

    def outcome(self) -> tuple[Outcome, str]:
        """How it ended, and the cause where it failed. Raises ``RuntimeError`` when it broke."""

    def states(self) -> tuple[str, ...]:
        """The states of ``deploy`` that it entered."""

    def hooks(self) -> tuple[Hook, ...]:
        """What its hooks answered."""


@dataclass(frozen=True, slots=True)
class Way:
    """``self_joining``: version 2 is one that votes by itself. ``seconds_after``: how long the load
    goes on after the end. ``about``: a line for a person. ``begin``: makes it."""

    name: str
    about: str
    self_joining: bool
    seconds_after: float
    begin: Callable[[World, Configuration], Deploying]


QUORUMSHIFT = Way(
    "quorumshift",
    "the votes are handed over before blue ends",
    False,
    1.0,
    lambda world, configuration: Execution(world, configuration.names.deploy),
)
BASELINE = Way(
    "baseline",
    "green votes by itself, CodeDeploy ends blue at once",
    True,
    10.0,
    PlainDeployment,
)
WAYS = {way.name: way for way in (BASELINE, QUORUMSHIFT)}
"""In the order in which they are compared."""
