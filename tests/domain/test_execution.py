"""How an execution ended, from its status and the last state that it entered."""

from __future__ import annotations

from typing import Any

import pytest

from quorumshift.domain.execution import Ending, Execution, Place, ending

TOUCHED = {"deployment": {"id": "d-1"}}


@pytest.mark.parametrize(
    ("status", "last", "document", "expected"),
    [
        ("RUNNING", "PollDeployment", TOUCHED, Ending.RUNNING),
        ("SUCCEEDED", "Deployed", TOUCHED, Ending.DEPLOYED),
        ("SUCCEEDED", "Skipped", {}, Ending.SKIPPED),
        ("FAILED", "RolledBack", TOUCHED, Ending.ROLLED_BACK),
        ("FAILED", "Failed", {}, Ending.REFUSED),
        ("PENDING_REDRIVE", "Observe", TOUCHED, Ending.RUNNING),
        ("FAILED", "Failed", TOUCHED, Ending.FAILED),
        ("FAILED", "Failed", {"outcome": {"touched": True}}, Ending.FAILED),
        ("FAILED", "Failed", {"outcome": "another version's"}, Ending.REFUSED),
        ("ABORTED", "VerifyRaft", {}, Ending.REFUSED),
        ("ABORTED", "CreateDeployment", {}, Ending.STOPPED),
        ("ABORTED", "WaitForDeployment", TOUCHED, Ending.STOPPED),
        ("ABORTED", "RolledBack", TOUCHED, Ending.STOPPED),
        ("TIMED_OUT", "PollRollback", TOUCHED, Ending.TIMED_OUT),
        ("TIMED_OUT", "VerifyRaft", {}, Ending.REFUSED),
    ],
)
def test_the_ending(status: str, last: str, document: dict[str, Any], expected: Ending) -> None:
    assert ending(status, last, document) is expected


@pytest.mark.parametrize(
    ("status", "running"),
    [
        ("RUNNING", True),
        ("PENDING_REDRIVE", True),
        ("SUCCEEDED", False),
        ("FAILED", False),
        ("ABORTED", False),
        ("TIMED_OUT", False),
    ],
)
def test_whether_it_runs_and_since_when(status: str, running: bool) -> None:
    found = Execution("arn:e", "e", status, 1_790_000_000.75, None, {}, "", "")
    assert found.running is running
    assert found.since == "2026-09-21T14:13:20+00:00"


@pytest.mark.parametrize(
    ("state", "document", "has"),
    [
        ("VerifyRaft", {}, False),
        ("VerifyRaft", {"deployment": {"id": ""}, "outcome": {"touched": False}}, False),
        ("CreateDeployment", {}, True),
        ("PollDeployment", TOUCHED, True),
        ("Failed", {"outcome": {"touched": True}}, True),
    ],
)
def test_a_place_tells_whether_there_may_be_a_deployment(
    state: str, document: dict[str, Any], has: bool
) -> None:
    place = Place(state, document)
    assert place.has_deployment is has
    assert place.ending("ABORTED") is (Ending.STOPPED if has else Ending.REFUSED)
