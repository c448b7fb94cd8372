"""The ways in which a rehearsal can deploy: the product's, and everybody's of today."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from quorumshift.config import Configuration
from quorumshift.rehearsal.baseline import PlainDeployment
from quorumshift.rehearsal.execution import Execution
from quorumshift.rehearsal.result import Hook, Outcome
from quorumshift.rehearsal.scheduled import Scheduled
from quorumshift.rehearsal.starts import Start
from quorumshift.rehearsal.world import World

if TYPE_CHECKING:
    from quorumshift.rehearsal.aws.server import EmbeddedAws


class Deploying(Protocol):
    """One deployment, from its start to its end."""

    def start(self) -> None:
        """Start it. Raises ``NotSeen`` when somebody else was to start it, and did not."""

    def ended(self) -> bool:
        """Whether it has ended, a roll-back of it included."""

    def outcome(self) -> tuple[Outcome, str]:
        """How it ended, and the cause where it failed. Raises ``RuntimeError`` when it broke."""

    def states(self) -> tuple[str, ...]:
        """The states of ``deploy`` that it entered."""

    def hooks(self) -> tuple[Hook, ...]:
        """What its hooks answered."""

    def initiator(self) -> str:
        """Who asked for it; empty where nobody kept that."""


VERSION_2 = "version 2"
Request = Mapping[str, Any]
"""What asks ``deploy`` for version 2."""


@dataclass(frozen=True, slots=True)
class Way:
    """``self_joining``: version 2 is one that votes by itself. ``seconds_after``: how long the load
    goes on after the end. ``about``: a line for a person. ``begin``: makes it. ``deploys``: what
    green will be, :data:`VERSION_2` or what serves anyway."""

    name: str
    about: str
    self_joining: bool
    seconds_after: float
    begin: Callable[[World, Configuration, EmbeddedAws, Request], Deploying]
    deploys: str = VERSION_2


QUORUMSHIFT = Way(
    "quorumshift",
    "the votes are handed over before blue ends",
    False,
    1.0,
    lambda world, configuration, _, request: Execution(world, configuration.names, request),
)
SCHEDULED = Way(
    "schedule",
    "its schedule asks for that, when its time comes",
    False,
    1.0,
    lambda world, configuration, aws, _: Scheduled(world, configuration.names, aws.schedules),
    deploys="what serves, once more",
)
BASELINE = Way(
    "baseline",
    "green votes by itself, CodeDeploy ends blue at once",
    True,
    10.0,
    lambda world, configuration, *_: PlainDeployment(world, configuration),
)
WAYS = {way.name: way for way in (BASELINE, QUORUMSHIFT)}
"""In the order in which they are compared."""
STARTED_BY = {Start.COMMAND: QUORUMSHIFT, Start.SCHEDULE: SCHEDULED}
