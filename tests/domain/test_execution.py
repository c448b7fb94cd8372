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
        ("SUCCEEDED", "Skipped", {}, Ending.REFUSED),
        ("FAILED", "RolledBack", TOUCHED, Ending.ROLLED_BACK),
        ("FAILED", "Failed", {}, Ending.REFUSED),
        ("FAILED", "Failed", TOUCHED, Ending.UNCLEAR),
        ("ABORTED", "CreateDeployment", {}, Ending.UNCLEAR),
        ("ABORTED", "VerifyRaft", {}, Ending.REFUSED),
    ],
)
def test_the_ending(status: str, last: str, document: dict[str, Any], expected: Ending) -> None:
    assert ending(status, last, document) is expected
