"""Whole rehearsals of SnakeTron through the command: players, contracts, and the move between."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

COMMAND = [sys.executable, "-m", "quorumshift.cli.main", "rehearse", "--output", "json"]
pytestmark = pytest.mark.timeout(180)


def rehearse(*arguments: str) -> tuple[int, dict[str, Any]]:
    run = subprocess.run(
        [*COMMAND, "--rate", "50", "--players", "60", *arguments],
        capture_output=True,
        text=True,
        timeout=170,
        check=False,
    )
    assert run.stdout, run.stderr[-4000:]
    result = json.loads(run.stdout)
    assert result["writes"]["lost"] == 0, result
    assert result["players"]["commandsLost"] == 0, result
    assert result["players"]["commandsAcknowledged"] > 0
    return run.returncode, result


def test_players_are_carried_over_to_green() -> None:
    code, result = rehearse()
    assert (code, result["outcome"], result["versionServed"]) == (0, "Deployed", "2"), result
    assert result["requests"]["failed"] == 0
    assert result["quorum"]["lostSeconds"] == 0
    players = result["players"]
    assert players["longestGapSeconds"] <= 1.0, players
    assert players["reconnects"] > players["broken"]
    first, last = players["timeline"][1], players["timeline"][-1]
    assert set(first["versions"]) == {"1"}
    assert set(last["versions"]) == {"2"}


def test_today_s_contract_is_refused_before_anything_is_touched() -> None:
    code, result = rehearse("--contract", "legacy")
    assert (code, result["outcome"], result["versionServed"]) == (4, "Failed", "1"), result
    assert "CreateDeployment" not in result["states"]
    for word in ("RequestRemoval", "RequestLeadershipTransfer", "docs/snaketron.md"):
        assert word in result["cause"], result["cause"]
    assert result["requests"]["failed"] == 0
    assert result["quorum"]["lostSeconds"] == 0


def test_the_schedule_deploys_and_is_skipped_when_it_comes_due_again_meanwhile() -> None:
    code, result = rehearse("--start", "schedule", "--fault", "schedule")
    assert (code, result["outcome"], result["versionServed"]) == (0, "Deployed", "1"), result
    assert result["initiator"] == "schedule"
    assert result["requests"]["failed"] == 0
    assert result["quorum"]["lostSeconds"] == 0
    assert result["players"]["longestGapSeconds"] <= 1.0
    assert result["players"]["reconnects"] > 0, "green took nobody over"


def test_a_stop_in_the_middle_brings_everybody_back_to_blue() -> None:
    code, result = rehearse("--fault", "stop@promote-2")
    assert (code, result["outcome"], result["versionServed"]) == (3, "RolledBack", "1"), result
    assert result["quorum"]["lostSeconds"] == 0
    assert result["players"]["longestGapSeconds"] <= 1.0
