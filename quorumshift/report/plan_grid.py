"""What each death would do at each step, as a grid: a row a step, a column a node."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from quorumshift.domain.forecast import Death, Deaths, Fate
from quorumshift.domain.handover_steps import Configuration
from quorumshift.domain.raft import Standing
from quorumshift.report.plan_nodes import Nodes
from quorumshift.report.plan_path import columns, step_text

TITLE = "If one node died at that moment: how many more might fail, and what the hand-over would do"
WORDS = {
    Fate.GOES_ON: "on",
    Fate.WAITS: "wait",
    Fate.TURNS_BACK: "back",
    Fate.STUCK: "stuck",
    Fate.QUORUM_LOST: "LOST",
}
MEANINGS = {
    "on": "goes on",
    "wait": "waits for ECS to replace it; after the settle deadline it turns back if it still may",
    "back": "turns back to blue",
    "stuck": "stops until a person acts",
    "LOST": "the quorum is lost",
    "~": "it leads: an election comes first",
    ".": "no member, and not to be one: nothing changes",
}


def grid(
    rows: Sequence[Configuration], forecast: Sequence[Deaths], nodes: Nodes, width: int
) -> list[str]:
    """Title, grid and legend. Where it is wider than ``width``, nodes go into further blocks."""
    known = [{death.address: cell(death) for death in deaths} for deaths in forecast]
    some = [
        [nodes[address], *(cells[address] for cells in known)]
        for address in nodes.order
        if all(address in cells for cells in known)
    ]
    heads = [
        ["#", *(str(at) for at in range(len(rows)))],
        ["step", *(step_text(row.step, nodes) for row in rows)],
    ]
    lines = textwrap.wrap(TITLE, width)
    for at, block in enumerate(_blocks(some, width - sum(map(_width, heads)) - 1)):
        lines += [""] * bool(at) + columns(list(zip(*heads, *block, strict=True)), 2)
    return lines + _legend({text for column in some for text in column[1:]}, width)


def cell(death: Death) -> str:
    """One death in short: ``1 on``, ``0 wait~``, ``LOST``."""
    if death.standing is Standing.OUTSIDE and death.fate is Fate.GOES_ON:
        return "."
    election = "~" if death.election else ""
    if death.fate is Fate.QUORUM_LOST:
        return f"{WORDS[death.fate]}{election}"
    return f"{death.tolerance} {WORDS[death.fate]}{election}"


def _blocks(some: list[list[str]], room: int) -> list[list[list[str]]]:
    """As many columns in a block as there is room for, at least one."""
    blocks: list[list[list[str]]] = []
    used = 0
    for column in some:
        needed = _width(column) + 2
        if not blocks or used + needed > room:
            blocks.append([])
            used = 0
        blocks[-1].append(column)
        used += needed
    return blocks


def _width(column: Sequence[str]) -> int:
    return max(map(len, column))


def _legend(cells: set[str], width: int) -> list[str]:
    used = {word for text in cells for word in text.removesuffix("~").split()}
    used |= {"~" for text in cells if text.endswith("~")}
    return [
        line
        for word, text in MEANINGS.items()
        if word in used
        for line in textwrap.wrap(
            text, width, initial_indent=f"{word:<6}", subsequent_indent=" " * 6
        )
    ]
