"""The findings of ``quorumshift doctor``, as a tree and as JSON."""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from quorumshift.domain.data import to_json
from quorumshift.domain.doctor import Check, Group, State
from quorumshift.report.folding import folded

_COLOURS = {State.OK: "32", State.SKIP: "33", State.NG: "31;1"}


def as_json(groups: Sequence[Group]) -> dict[str, Any]:
    """``{"state", "counts", "groups": [{"name", "state", "checks": […]}]}``."""
    counts = _counts(groups)
    return {
        "state": State.NG if counts[State.NG] else State.OK,
        "counts": {state.value: counts[state] for state in State},
        "groups": [
            {"name": group.name, "state": group.state, "checks": to_json(group.checks)}
            for group in groups
        ],
    }


def as_text(groups: Sequence[Group], colour: bool = False) -> str:
    """A head for each group, a line for each check, and the fix under each that is NG."""
    lines = []
    for group in groups:
        lines.append(f"{_word(group.state, colour)} {group.name}")
        for check in _gathered(group.checks):
            lines += _check(check, colour)
    counts = _counts(groups)
    lines.append(", ".join(f"{counts[state]} {state.upper()}" for state in State))
    return "\n".join(lines)


def coloured() -> bool:
    """Whether standard output is a terminal that shall show colours (https://no-color.org)."""
    plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
    return sys.stdout.isatty() and not plain


def _gathered(checks: Sequence[Check]) -> list[Check]:
    """Neighbours that are skipped for the same reason stand in one line."""
    lines: list[Check] = []
    for check in checks:
        last = lines[-1] if lines else check
        if lines and check.state is last.state is State.SKIP and check.seen == last.seen:
            lines[-1] = replace(last, name=f"{last.name}, {check.name}")
        else:
            lines.append(check)
    return lines


def _check(check: Check, colour: bool) -> list[str]:
    head = f"  {check.state.upper():<4} "
    first, *rest = folded(head, f"{check.name}: {check.seen}")
    lines = [f"  {_word(check.state, colour)}{first[len(head) - 1 :]}", *rest]
    if check.fix:
        lines += folded(f"{'':{len(head)}}fix: ", check.fix)
    return lines


def _word(state: State, colour: bool) -> str:
    word = f"{state.upper():<4}"
    return f"\x1b[{_COLOURS[state]}m{word}\x1b[0m" if colour else word


def _counts(groups: Sequence[Group]) -> Counter[State]:
    return Counter(check.state for group in groups for check in group.checks)
