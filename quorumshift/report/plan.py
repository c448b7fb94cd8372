"""The path of a hand-over and what each death on it would do, for a person and for a program."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from itertools import pairwise

from quorumshift.domain import shown
from quorumshift.domain.abilities import joining_only
from quorumshift.domain.data import to_json
from quorumshift.domain.forecast import Fate
from quorumshift.domain.handover_steps import Cover, Next
from quorumshift.domain.prospect import Prospect
from quorumshift.domain.raft import Colour
from quorumshift.report.plan_grid import grid
from quorumshift.report.plan_nodes import Nodes
from quorumshift.report.plan_path import path_table, step_text

WIDTH = 100
_HEADS = {Next.STEP: "Next", Next.WAIT: "Wait", Next.DONE: "Done", Next.BLOCKED: "Blocked"}
_COVERS = {
    Cover.QUORUM: "at every moment a quorum of the voters is locked",
    Cover.EITHER: "whichever colour's unlocked tasks end, a quorum is left",
    Cover.NONE: "the votes are not locked at every moment, as the policy allows",
}


def as_json(prospect: Prospect) -> str:
    """All of it as one JSON object."""
    return shown.as_json(to_json(prospect))


def as_text(prospect: Prospect, width: int = WIDTH) -> str:
    """All of it as a page, folded to ``width`` columns; tables keep the width that they need."""
    nodes = Nodes(prospect.observation)
    parts = [
        [line for text in _head(prospect, nodes) for line in textwrap.wrap(text, width)],
        [line for name, text in _facts(prospect, nodes) for line in _row(name, text, width)],
    ]
    rows = prospect.plan.path
    if rows:
        parts += [path_table(rows, nodes, width), grid(rows, prospect.forecast, nodes, width)]
        parts += [_wrapped(prospect, width)]
    return "\n\n".join("\n".join(lines) for lines in parts if lines)


def _head(prospect: Prospect, nodes: Nodes) -> list[str]:
    """What is to be done, first; then what a person must know of it."""
    found = prospect.plan
    lines = []
    if prospect.stopped and prospect.goal is Colour.BLUE:
        lines.append("The deployment does not run any more: the votes go back to blue.")
    if prospect.imagined:
        count = len(prospect.imagined)
        tasks = "1 new task is" if count == 1 else f"{count} new tasks are"
        lines.append(f"{_why_imagined(prospect)}: {tasks} imagined.")
    elif prospect.busy:
        lines.append(f"{_busy(prospect)}.")
    what = f"{step_text(found.step, nodes)}. " if found.step else ""
    lines.append(f"{_HEADS[found.decision]}: {what}{found.sentence}")
    if not prospect.safe:
        lines.append(_unsafe(prospect))
    if found.crossed and found.decision is not Next.DONE:
        lines.append("The point of no return is behind: green may not vanish any more.")
    return lines


def _why_imagined(prospect: Prospect) -> str:
    if prospect.deployment:
        return "Green has no task yet"
    return _busy(prospect) if prospect.busy else "No deployment is under way"


def _busy(prospect: Prospect) -> str:
    """A look without a deployment takes every task for what serves."""
    return (
        f"Deployment {prospect.busy} is under way and this look was not for it (plan for it with "
        f"--deployment {prospect.busy})"
    )


def _unsafe(prospect: Prospect) -> str:
    home = prospect.outlook is Fate.TURNS_BACK
    if prospect.plan.decision is Next.BLOCKED:
        then = "turn back to blue" if home else "stop here, until a person acts"
        return f"Nothing is safe to do. A hand-over that is under way would {then}."
    seconds = prospect.policy.settle_deadline_seconds
    then = f"; after {seconds:g} s it would turn back to blue" if home else ""
    return (
        "Nothing is safe to do until that has changed. A hand-over that is under way waits for it"
        f"{then}."
    )


def _facts(prospect: Prospect, nodes: Nodes) -> list[tuple[str, str]]:
    found, policy = prospect.plan, prospect.policy
    return [
        ("nodes", nodes.legend()),
        ("of", f"deployment {prospect.deployment}" if prospect.deployment else ""),
        ("joins", _joins(prospect, nodes)),
        ("goal", _goal(prospect, nodes)),
        (
            "policy",
            f"tolerance {policy.tolerance}, at least {_count(policy.minimum_voters, 'voter')}"
            f"; Raft as {prospect.dialect.name} does it"
            + ("; rest before the point of no return" if policy.bake_before_majority else ""),
        ),
        ("locks", _COVERS[found.cover] if len(found.path) > 1 else ""),
    ]


def goal_of(prospect: Prospect) -> str:
    """What the hand-over comes to, in a sentence: whose votes, how many steps, how safe."""
    return _goal(prospect, Nodes(prospect.observation))


def _joins(prospect: Prospect, nodes: Nodes) -> str:
    """Who can do less than others."""
    some = joining_only(prospect.observation)
    if not some:
        return ""
    return (
        f"{nodes.group(some, {})} can only admit and promote, neither remove a member nor hand "
        "leadership over"
    )


def _goal(prospect: Prospect, nodes: Nodes) -> str:
    rows = prospect.plan.path
    text = f"{prospect.goal} votes"
    if len(rows) < 2:
        return text
    seen = prospect.observation
    mine = {node.address for node in seen.nodes if node.colour is prospect.goal}
    if others := set(rows[-1].voters) - mine:
        text += f", and so does {nodes.group(others, {})}, which nobody else can remove"
    moves = sum(a.leader != b.leader for a, b in pairwise(rows))
    lowest = min(row.tolerance for row in rows)
    moved = {0: "the leader stays", 1: "leadership moves once"}
    return (
        f"{text}, in {_count(len(rows) - 1, 'step')}; tolerance never below {lowest}; "
        + moved.get(moves, f"leadership moves {moves} times")
    )


def _wrapped(prospect: Prospect, width: int) -> list[str]:
    """The end: what the deaths amount to, and whether the other colour may end."""
    lost = [
        at
        for at, deaths in enumerate(prospect.forecast)
        if any(death.fate is Fate.QUORUM_LOST for death in deaths)
    ]
    if lost:
        text = f"One death loses the quorum at {_steps(lost)}."
    else:
        text = "No single death loses the quorum, whatever the step."
    texts = [text]
    if prospect.ending is not None:
        other = Colour.BLUE if prospect.goal is Colour.GREEN else Colour.GREEN
        texts.append(f"May {other} end after that? {prospect.ending.sentence}")
    return [line for text in texts for line in textwrap.wrap(text, width)]


def _steps(rows: Sequence[int]) -> str:
    named = ", ".join(str(at) for at in rows)
    return f"step{'' if len(rows) == 1 else 's'} {named}"


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _row(name: str, text: str, width: int) -> list[str]:
    """``text`` behind ``name``, folded under itself; what is one long word stays whole."""
    if not text:
        return []
    return textwrap.wrap(
        text,
        width,
        initial_indent=f"{name:<8}",
        subsequent_indent=" " * 8,
        break_long_words=False,
        break_on_hyphens=False,
    )
