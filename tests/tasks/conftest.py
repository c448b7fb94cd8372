"""The handlers' wiring over AWS in memory."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import tasks.wiring
from tests.tasks.aws import SETTINGS, MemoryAws


def in_memory(monkeypatch: pytest.MonkeyPatch) -> MemoryAws:
    """Handlers called from here on see this AWS and this cluster, and its clock."""
    memory = MemoryAws()
    for name, value in SETTINGS.environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(tasks.wiring, "client", memory.client)
    monkeypatch.setattr(
        "quorumshift.adapters.raft.control.raft_control",
        lambda settings, registry: memory.service.raft,
    )
    monkeypatch.setattr("quorumshift.adapters.clock.SystemClock", lambda: memory.service.clock)
    tasks.wiring.wiring.cache_clear()
    return memory


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[MemoryAws]:
    """See :func:`in_memory`."""
    yield in_memory(monkeypatch)
    tasks.wiring.wiring.cache_clear()
