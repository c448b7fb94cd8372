"""docs/commands.md names every verb and every option of it."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest

from quorumshift.cli.main import parser

PAGE = (Path(__file__).parents[2] / "docs" / "commands.md").read_text()
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
