"""One state, one file, one handler, one name."""

from __future__ import annotations

import importlib
import json
from pathlib import Path

import pytest

from quorumshift.names import (
    DEPLOY_STATES,
    HAND_OVER_STATES,
    HOOKS,
    OF_EVENTS,
    PACKAGES,
    SLACK,
    module,
)

ROOT = Path(__file__).parents[2]


def files(folder: Path) -> set[str]:
    names = {path.stem for path in folder.glob("*.py")}
    return {
        ".".join((*folder.relative_to(ROOT).parts, name)) for name in names - {"__init__", "wiring"}
    }


def test_every_file_is_a_state_a_hook_of_events_or_slack() -> None:
    states = {module(name) for name in (*DEPLOY_STATES, *HAND_OVER_STATES, *OF_EVENTS, SLACK)}
    assert files(ROOT / "tasks") == states
    assert files(ROOT / "tasks" / "hooks") == {module(name) for name in HOOKS}


@pytest.mark.parametrize("name", PACKAGES)
def test_every_file_has_a_handler_and_says_which_state_it_is(name: str) -> None:
    found = importlib.import_module(module(name))
    assert callable(found.handler)
    if name not in OF_EVENTS:
        assert f"``{name}``" in (found.__doc__ or "")


@pytest.mark.parametrize(
    ("machine", "names"), [("deploy", DEPLOY_STATES), ("hand_over", HAND_OVER_STATES)]
)
def test_the_task_states_are_the_files(machine: str, names: tuple[str, ...]) -> None:
    text = (ROOT / "workflows" / "golden" / f"{machine}.asl.json").read_text()
    states = json.loads(text)["States"]
    resources = {k: one["Resource"] for k, one in states.items() if one["Type"] == "Task"}
    assert resources == {name: f"${{{name}}}" for name in names}
