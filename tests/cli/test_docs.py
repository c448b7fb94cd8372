"""docs/commands.md names every verb and every option of it."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest

from quorumshift.cli.exit_codes import code_of
from quorumshift.cli.main import parser
from quorumshift.domain.execution import Ending

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "commands.md").read_text()
ELSEWHERE = ("plan", "rehearse")
"""Verbs with a page of their own."""


def verbs() -> dict[str, argparse.ArgumentParser]:
    (action,) = (one for one in parser()._actions if isinstance(one, argparse._SubParsersAction))
    return dict(action.choices)


def test_every_verb_has_its_place() -> None:
    for verb in verbs():
        assert f"`{verb}`" in PAGE
        assert verb in ELSEWHERE or f"\n## {verb}\n" in PAGE


@pytest.mark.parametrize("verb", [name for name in verbs() if name not in ELSEWHERE])
def test_every_option_is_named(verb: str) -> None:
    options = [text for action in verbs()[verb]._actions for text in action.option_strings]
    for option in options:
        assert option in ("-h", "--help") or f"`{option}" in PAGE or f"{option} " in PAGE, option


@pytest.mark.parametrize("ending", list(Ending))
def test_every_ending_is_told_with_its_exit_code(ending: Ending) -> None:
    row = next(row for row in PAGE.splitlines() if row.startswith("| `") and f"`{ending}`" in row)
    assert row.split("|")[2].strip() == str(int(code_of(ending)))


@pytest.mark.parametrize("page", ["docs/github-actions.md", "action.yml"])
def test_the_action_names_every_ending_that_it_can_tell(page: str) -> None:
    text = (ROOT / page).read_text()
    assert [one for one in Ending if one is not Ending.RUNNING and one.value not in text] == []
