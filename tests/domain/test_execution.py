"""How an execution ended, from its status and the last state that it entered."""

from __future__ import annotations

from typing import Any

import pytest

from quorumshift.domain.execution import Ending, ending

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
