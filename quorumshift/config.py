"""``quorumshift.toml``: one service and how it is deployed.

The file is read once, into frozen dataclasses; the dataclasses are the schema, so a key exists
there or nowhere. ``docs/configuration.md`` describes every key for people.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from quorumshift.config_adopt import Adopt
from quorumshift.config_listeners import REDIRECTING_PORT
from quorumshift.config_rules import check
from quorumshift.config_schema import Origin, read_tables
from quorumshift.config_tables import (
    Alarms,
    Build,
    Database,
    Deployment,
    Discovery,
    Environment,
    Functions,
    GitHub,
    GivenNames,
    Images,
    LoadBalancer,
    Notifications,
    Raft,
    Scaling,
    Schedule,
    Service,
)
from quorumshift.domain.errors import InvalidConfiguration
from quorumshift.names import Names


@dataclass(frozen=True, slots=True)
class Configuration:
    """The whole file, a field a table."""

    service: Service
    environment: Environment = field(default_factory=Environment)
    scaling: Scaling = field(default_factory=Scaling)
    schedule: Schedule = field(default_factory=Schedule)
    raft: Raft = field(default_factory=Raft)
    load_balancer: LoadBalancer = field(default_factory=LoadBalancer)
    deployment: Deployment = field(default_factory=Deployment)
    alarms: Alarms = field(default_factory=Alarms)
    notifications: Notifications = field(default_factory=Notifications)
    build: Build = field(default_factory=Build)
    images: Images = field(default_factory=Images)
    functions: Functions = field(default_factory=Functions)
    discovery: Discovery = field(default_factory=Discovery)
    database: Database = field(default_factory=Database)
    github: GitHub = field(default_factory=GitHub)
    adopt: Adopt = field(default_factory=Adopt)
    given_names: GivenNames = field(default_factory=GivenNames, metadata={"table": "names"})

    @property
    def redirecting_port(self) -> int | None:
        """Where users who come by HTTP are sent to HTTPS; port 80 of another's load balancer is its
        owner's."""
        secured = self.load_balancer.certificate and not self.adopt.load_balancer
        return REDIRECTING_PORT if secured else None

    @property
    def names(self) -> Names:
        """What everything of the service is called."""
        return Names(self.service.name, **asdict(self.given_names))


def load(path: Path | str, overrides: Mapping[str, Any] | None = None) -> Configuration:
    """Read ``path``; ``overrides`` maps ``"table.key"`` to the value that replaces the file's.

    Raises ``InvalidConfiguration`` naming file, line, key and what is allowed.
    """
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise InvalidConfiguration(
            f"{path}: there is no such file; write one (docs/configuration.md has a short one)"
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidConfiguration(f"{path}: cannot be read: {error}") from None
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        line = re.search(r"at line (\d+)", str(error))
        place = f"{path}:{line[1]}" if line else f"{path}"
        raise InvalidConfiguration(f"{place}: not valid TOML: {error}") from None
    origin = Origin(str(path), text, frozenset(overrides or ()))
    for dotted, value in (overrides or {}).items():
        *parents, name = dotted.split(".")
        section = tables
        for part in parents:
            section = section.setdefault(part, {})
        section[name] = value
    configuration = _placed(read_tables(Configuration, tables, origin), path.parent)
    check(configuration, origin)
    return configuration


def _placed(configuration: Configuration, folder: Path) -> Configuration:
    """Paths in the file are relative to it."""
    database = configuration.database
    if not database.ca_file:
        return configuration
    ca_file = str((folder / database.ca_file).resolve())
    return replace(configuration, database=replace(database, ca_file=ca_file))
