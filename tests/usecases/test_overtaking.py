"""Which rollout under way is another one: neither the one asked for nor its roll-back."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest

from quorumshift.domain.rollout import Progress, Rollout
from quorumshift.usecases.overtaking import another
from tests.usecases.service import DEPLOYMENT, MemoryService


@dataclass
class Engine(MemoryService):
    """``runs``: what is under way; ``undoes``: what that one rolls back, as far as it is told."""

    runs: str | None = None
    undoes: str | None = None

    def active(self) -> str | None:
        return self.runs

    def look(self, deployment: str) -> Rollout:
        assert deployment == self.runs, "nothing else is asked for"
        return replace(Rollout(deployment, Progress.RUNNING), undoes=self.undoes)


@pytest.mark.parametrize(
    ("runs", "undone_by", "undoes", "other"),
    [
        (None, None, None, ""),
        (DEPLOYMENT, None, None, ""),
        ("d-2", "d-2", None, ""),
        ("d-2", None, DEPLOYMENT, ""),
        ("d-9", None, None, "d-9"),
        ("d-9", "d-2", "d-8", "d-9"),
    ],
)
def test_a_roll_back_is_known_from_either_of_its_ends(
    runs: str | None, undone_by: str | None, undoes: str | None, other: str
) -> None:
    assert another(Engine(runs=runs, undoes=undoes), DEPLOYMENT, undone_by) == other
