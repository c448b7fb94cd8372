"""The path as a table, a row a step."""

from __future__ import annotations

from collections.abc import Sequence

from quorumshift.domain.handover_steps import Configuration, Kind, Step
from quorumshift.report.plan_nodes import Nodes

NO_RETURN = "point of no return: from here on green may not vanish"
LEGEND = {"*": "locked by ECS task protection", "!": "a voter that does not count now"}
_FACTS = ("#", "step", "voters", "learners", "leader", "quorum", "tolerance")
_WIDE = ((*_FACTS, "green may vanish", "blue may vanish"),)
_MIDDLE = (
    ("#", "step", "voters", "learn-", "leader", "quorum", "toler-", "green may", "blue may"),
    ("", "", "", "ers", "", "", "ance", "vanish", "vanish"),
)
_NARROW = (
    ("#", "step", "voters", "learn-", "leader", "quorum", "toler-", "green", "blue"),
    ("", "", "", "ers", "", "", "ance", "may", "may"),
    ("", "", "", "", "", "", "", "vanish", "vanish"),
)


def path_table(rows: Sequence[Configuration], nodes: Nodes, width: int) -> list[str]:
    """The table's lines, as airy as ``width`` allows; a line of its own marks the point of no
    return."""
    cells = [_cells(at, row, nodes) for at, row in enumerate(rows)]
    for head, gap in ((_WIDE, 2), (_MIDDLE, 2), (_NARROW, 1)):
        lines = columns([*head, *cells], gap)
        whole = max(map(len, lines))
        if whole <= width:
            break
    for at in reversed(range(len(rows))):
        if rows[at].point_of_no_return:
            lines.insert(len(head) + at, f"── {NO_RETURN} ".ljust(whole, "─"))
    marks = [f"{mark} {says}" for mark, says in LEGEND.items() if any(mark in t for t in lines)]
    return lines + ["   ".join(marks)] * bool(marks)


def step_text(step: Step | None, nodes: Nodes) -> str:
    """A step in short: ``promote g1``, ``lock b1 b2``; the present is ``now``."""
    if step is None:
        return "now"
    if step.kind in (Kind.LOCK, Kind.RELEASE):
        return f"{step.kind} {nodes.group([nodes.address(task) for task in step.tasks], {})}"
    if step.kind is Kind.REPLACE_ALL:
        return "replace all"
    return f"{step.kind} {nodes[step.address]}"


def columns(lines: Sequence[Sequence[str]], gap: int) -> list[str]:
    """Cells as lines, ``gap`` spaces between them: the first to the right, with one space after
    it, the others to the left."""
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    between = " " * gap
    return [
        f"{number:>{widths[0]}} "
        + between.join(
            f"{cell:<{width}}" for cell, width in zip(cells, widths[1:], strict=True)
        ).rstrip()
        for number, *cells in lines
    ]


def _cells(at: int, row: Configuration, nodes: Nodes) -> tuple[str, ...]:
    marks = {
        address: "*" * (address in row.locked) + "!" * (address in row.unhealthy)
        for address in (*row.voters, *row.learners)
    }
    return (
        str(at),
        step_text(row.step, nodes),
        nodes.group(row.voters, marks),
        nodes.group(row.learners, marks) or "-",
        nodes[row.leader],
        f"{row.quorum} of {len(row.voters)}",
        str(row.tolerance),
        "yes" if row.green_may_vanish else "no",
        "yes" if row.blue_may_vanish else "no",
    )
