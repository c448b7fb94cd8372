"""What was asked of a rehearsal, and what it changes in the service's description."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from quorumshift.config import load
from quorumshift.rehearsal.database_authority import ca_file
from quorumshift.rehearsal.faults import Deed, Fault
from quorumshift.rehearsal.greenfield import greenfield, in_the_clear
from quorumshift.rehearsal.preflight import CannotStart
from quorumshift.rehearsal.samples import CONTRACTS, Contract, Sample, sample_of
from quorumshift.rehearsal.service.node import EXTENDED, LEGACY
from quorumshift.rehearsal.ways import QUORUMSHIFT, SCHEDULED, VERSION_2, Way

_FOUNDERS = "CLUSTER_SIZE"
_AUTHORITY = "SNAKETRON_DB_CA"
"""Whom a task believes that the database is the database: on AWS its image brings that along."""


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line asked for, checked."""

    nodes: int
    rate: int
    speed: float
    fault: Fault | None
    configuration: Path
    way: Way = QUORUMSHIFT
    contract: Contract = CONTRACTS[EXTENDED]
    players: int | None = None
    build: bool = False

    @property
    def spoken(self) -> Contract:
        """The contract of the nodes; a way in which green votes by itself has today's only."""
        return CONTRACTS[LEGACY] if self.way.self_joining else self.contract

    @property
    def scheduled(self) -> bool:
        """Whether the service's own schedule has a part in it."""
        return self.way is SCHEDULED or bool(self.fault and self.fault.deed is Deed.FIRE_SCHEDULE)

    @property
    def overrides(self) -> dict[str, Any]:
        """What to change in the file; nothing where it says so anyway, so that the template which
        was kept for the file as it is serves again. Raises ``InvalidConfiguration``."""
        plain = load(self.configuration)
        changed: dict[str, Any] = {
            **greenfield(plain),
            **in_the_clear(plain),
            **self.contract.overrides,
        }
        if self.way.self_joining and plain.raft.reconcile:
            changed["raft.reconcile"] = False  # nobody has that today
        if self.scheduled and not plain.schedule.enabled:
            changed["schedule.enabled"] = True
        if plain.notifications.slack_secret:
            # Nothing leaves the machine.
            changed["notifications.slack_secret"] = ""
        if plain.service.desired_count != self.nodes:
            changed["service.desired_count"] = self.nodes
            if _FOUNDERS in plain.service.environment:
                changed[f"service.environment.{_FOUNDERS}"] = str(self.nodes)
        if sample_of(plain).database:
            changed["database.ca_file"] = str(ca_file())
            changed[f"service.environment.{_AUTHORITY}"] = str(ca_file())
        return changed

    @property
    def adopts(self) -> bool:
        """Whether the file names what is there already. Raises ``InvalidConfiguration``."""
        return bool(greenfield(load(self.configuration)))

    def check(self, sample: Sample) -> None:
        """Raise :class:`CannotStart` for what this sample does not have."""
        wrong = ""
        if self.contract.name != EXTENDED and not sample.contracts:
            wrong = f"--contract {self.contract.name}: the sample {sample.name} has one only"
        elif self.players and not sample.players:
            wrong = f"--players {self.players}: the sample {sample.name} has none"
        elif self.build and not load(self.configuration).build.repository:
            raise CannotStart(f"--build: {self.configuration} has no [build] repository; add one")
        if wrong:
            raise CannotStart(f"{wrong}; leave it out, or rehearse --service snaketron")
        if self.way.deploys != VERSION_2:
            self._check_without_version_2()

    def _check_without_version_2(self) -> None:
        wrong = ""
        if self.fault and self.fault.behaviour != self.fault.blue_behaviour:
            wrong = f"--fault {self.fault.name}"
        elif self.contract.blue != self.contract.green:
            wrong = f"--contract {self.contract.name}"
        elif self.build:
            wrong = "--build"
        if wrong:
            raise CannotStart(
                f"{wrong} needs a version 2, and the schedule deploys what serves; "
                "leave one of the two out"
            )
