"""The services that a rehearsal can deploy, and the contracts that SnakeTron's nodes can speak."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from quorumshift.rehearsal.service.node import EXTENDED, LEGACY

if TYPE_CHECKING:
    from quorumshift.config import Configuration


ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Contract:
    """What the nodes of version 1 and of version 2 speak, and what the service's configuration
    must say for it. ``about``: for a person."""

    name: str
    about: str
    blue: str
    green: str
    overrides: Mapping[str, Any] = field(default_factory=dict)


CONTRACTS = {
    contract.name: contract
    for contract in (
        Contract(EXTENDED, "the nodes tell their members and can remove one", EXTENDED, EXTENDED),
        Contract(LEGACY, "today's: a node can join and be promoted, no more", LEGACY, LEGACY),
        Contract(
            "migration",
            "from today's contract to the extended one",
            LEGACY,
            EXTENDED,
            {"raft.allow_inferred": True},
        ),
    )
}


@dataclass(frozen=True, slots=True)
class Sample:
    """A service. ``configuration``: how it is described. ``module``: what its tasks run.
    ``ports``: of a task, besides those in its configuration. ``database``: it registers its nodes
    in one. ``players``: how many keep a WebSocket open, unless told otherwise. ``joins_itself``:
    the behaviour of an image, in the first contract, whose nodes join and vote by themselves.
    ``contracts``: its nodes speak one of :data:`CONTRACTS`."""

    name: str
    about: str
    configuration: Path
    module: str
    ports: tuple[int, ...]
    database: bool
    players: int
    joins_itself: str
    contracts: bool


SNAKETRON = Sample(
    "snaketron",
    "a multiplayer game: players on WebSockets, Raft behind gRPC, nodes found in PostgreSQL",
    ROOT / "quorumshift.toml",
    "quorumshift.rehearsal.snaketron",
    (2379, 2380),
    True,
    300,
    "normal",
    True,
)
ETCD = Sample(
    "etcd",
    "a front and an etcd member in each task, asked directly",
    ROOT / "examples" / "etcd" / "quorumshift.toml",
    "quorumshift.rehearsal.service",
    (),
    False,
    0,
    "self-join",
    False,
)
SAMPLES = {sample.name: sample for sample in (SNAKETRON, ETCD)}
"""By the Raft dialect that each of them speaks."""


def sample_of(configuration: Configuration) -> Sample:
    """What stands for the configured service in a rehearsal: who speaks its dialect."""
    return SAMPLES[configuration.raft.dialect]
