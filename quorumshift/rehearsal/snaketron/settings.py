"""What a task of SnakeTron knows when it starts."""

from __future__ import annotations

import os
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from quorumshift.rehearsal.service.node import (
    CONTRACTS,
    EXTENDED,
    InvalidNode,
    Node,
    read_node,
    required,
)

SELF, ORCHESTRATED = PROMOTIONS = ("self", "orchestrated")
"""Who asks for a joining node's vote: the node, or somebody else."""


@dataclass(frozen=True, slots=True)
class Database:
    """Where the table of servers is. ``ca``: a file with the authority that its certificate comes
    from, where it is told."""

    host: str
    port: int
    user: str
    password: str = field(repr=False)
    name: str
    ca: Path | None


@dataclass(frozen=True, slots=True)
class Settings:
    """One task. ``extended``: it speaks what was added to the contract as well.
    ``votes_by_itself``: once admitted, it asks for its own promotion."""

    node: Node
    database: Database
    ws_port: int
    grpc_port: int
    api_port: int
    region: str
    extended: bool
    votes_by_itself: bool

    @property
    def grpc_address(self) -> str:
        """Where other nodes ask this one: ``host:port``."""
        return f"{self.node.address}:{self.grpc_port}"


def read_settings(environment: Mapping[str, str] = os.environ) -> Settings:
    """Read the task's environment. Raises :class:`InvalidNode`."""
    node = read_node(environment)
    extended = _choice(environment, "QUORUMSHIFT_IMAGE_CONTRACT", CONTRACTS) == EXTENDED
    promotion = SELF
    if environment.get("SNAKETRON_RAFT_PROMOTION"):
        promotion = _choice(environment, "SNAKETRON_RAFT_PROMOTION", PROMOTIONS)
    required(environment, "SNAKETRON_JWT_SECRET")  # the game's; a rehearsal has nobody to log in
    return Settings(
        node=node,
        database=_database(environment),
        ws_port=_port(environment, "SNAKETRON_WS_PORT", 8080),
        grpc_port=_port(environment, "SNAKETRON_GRPC_PORT", 50051),
        api_port=_port(environment, "SNAKETRON_API_PORT", 3001),
        region=required(environment, "SNAKETRON_REGION"),
        extended=extended,
        # The first contract does not know the variable.
        votes_by_itself=not extended or promotion == SELF or node.behaviour == "self-join",
    )


def _database(environment: Mapping[str, str]) -> Database:
    ca = environment.get("SNAKETRON_DB_CA")
    try:
        ssl.create_default_context(cafile=ca or None)
    except OSError as error:
        raise InvalidNode(
            f"SNAKETRON_DB_CA is {ca!r}, which is no PEM file ({error}): name the file with the "
            "authority of the database's certificate"
        ) from None
    return Database(
        host=required(environment, "SNAKETRON_DB_HOST"),
        port=_port(environment, "SNAKETRON_DB_PORT", 5432),
        user=required(environment, "SNAKETRON_DB_USER"),
        password=required(environment, "SNAKETRON_DB_PASS"),
        name=required(environment, "SNAKETRON_DB_NAME"),
        ca=Path(ca) if ca else None,
    )


def _choice(environment: Mapping[str, str], name: str, known: Sequence[str]) -> str:
    value = required(environment, name)
    if value not in known:
        raise InvalidNode(f"{name} is {value!r}; allowed: {', '.join(known)}")
    return value


def _port(environment: Mapping[str, str], name: str, usual: int) -> int:
    value = environment.get(name) or str(usual)
    if not value.isdecimal() or not 0 < int(value) < 65536:
        raise InvalidNode(f"{name} is {value!r}; set it to a port, from 1 to 65535")
    return int(value)
