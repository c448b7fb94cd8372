"""The rendered state machines against the Amazon States Language's own rules, by statelint."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from statelint.config import Config
from statelint.linter import Linter

from workflows.__main__ import GOLDEN, MACHINES

A_FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:a"
"""What CloudFormation puts where a placeholder stands."""


def findings(text: str) -> list[str]:
    """What statelint says of a definition."""
    return [str(problem) for problem in Linter.validate(text, Config("", False, False))]


def deployed(name: str) -> dict[str, object]:
    """The definition with a function's ARN for each placeholder."""
    definition = json.loads((GOLDEN / f"{name}.asl.json").read_text(encoding="utf-8"))
    for state in definition["States"].values():
        if state["Type"] == "Task":
            assert state["Resource"].startswith("${")
            state["Resource"] = A_FUNCTION
    return dict(definition)


@pytest.mark.parametrize("name", MACHINES)
def test_statelint_finds_nothing(name: str) -> None:
    assert findings(json.dumps(deployed(name))) == []


def test_statelint_does_look(tmp_path: Path) -> None:
    definition = deployed("deploy")
    states = definition["States"]
    assert isinstance(states, dict)
    states["VerifyRaft"]["Next"] = "Nowhere"
    found = findings(json.dumps(definition))
    assert any("Nowhere" in problem for problem in found), found
