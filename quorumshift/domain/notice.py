"""What people are told of an execution: every message in one form.

What happened, who asked for what, the evidence, the next commands and a link, made from the state
machine's own data.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from quorumshift.domain.console import execution_page
from quorumshift.domain.data import from_json
from quorumshift.domain.request import Request
from quorumshift.domain.shown import one_line, page

_LONGEST_SUBJECT = 99
"""Of Amazon SNS: "UTF-8 text with no line breaks or control characters, and less than 100
characters long" (API reference, Publish)."""
_LONGEST_CUT = 30
"""Of a last word: one that is longer is cut in two."""


@dataclass(frozen=True, slots=True)
class Notice:
    """One message. ``subject``: see :func:`subject_line`; ``message``: lines of plain text."""

    subject: str
    message: str


@dataclass(frozen=True, slots=True)
class Command:
    """``line``: to be typed as it stands; ``does``: what for."""

    line: str
    does: str


def compose(
    service: str,
    happened: str,
    state: Mapping[str, Any],
    text: str,
    commands: Iterable[Command],
    error: str = "",
) -> Notice:
    """``happened``: in a word or two; ``error``: one word why. ``state``: the execution's, or as
    much of it as is known. ``text``: what happened, in sentences."""
    subject = f"{service}: {happened}" + (f" ({error})" if error else "")
    parts = [
        [subject],
        _facts(state),
        [text],
        _evidence(state),
        ["Commands:", *(f"  {each.line:<40}  {each.does}" for each in commands)],
        [f"Console: {link}"] if (link := execution_page(_execution(state))) else [],
    ]
    message = "\n\n".join("\n".join(lines) for lines in parts if lines)
    return Notice(subject_line(subject), page(message) + "\n")


def subject_line(text: str) -> str:
    """``text`` as Amazon SNS takes it for a subject: one line of at most 99 characters that are
    seen, cut between two words where one ends near."""
    line = " ".join("".join(each if each.isprintable() else " " for each in text).split())
    if _width(line) <= _LONGEST_SUBJECT:
        return line
    while _width(line) >= _LONGEST_SUBJECT:
        line = line[:-1]
    words, space, rest = line.rpartition(" ")
    return (words if space and len(rest) <= _LONGEST_CUT else line) + "…"


def _width(text: str) -> int:
    """Characters as Java counts them: those outside of Unicode's first plane are two."""
    return len(text.encode("utf-16-le")) // 2


def started(service: str, state: Mapping[str, Any]) -> Notice:
    """A deployment exists; nothing has changed for the service's users so far."""
    text = (
        f"Deployment {_deployment(state)} has begun: {revision(state, 'to')} is to replace "
        f"{revision(state, 'from')}. The traffic moves first, then the votes; whatever goes wrong "
        "before the old tasks end rolls it back."
    )
    stop = Command(command(state, "stop"), "stop it and roll it back")
    return compose(service, "started", state, text, (watch(state, "follow it"), stop))


def resumed(service: str, deployment: str, hand_over: str) -> Notice:
    """A hand-over (its execution's ARN) goes on that somebody stopped, who may have wanted
    something else."""
    text = (
        "The hand-over's execution was stopped from outside. It goes on where it stood, once, "
        "because a hand-over left half-way is worse than one that is finished or turned back. "
        f"To end the hand-over, stop deployment {deployment}: the votes then go back to the old "
        "tasks. To end this execution for good, stop it again: the deployment is then rolled back."
    )
    state = {"execution": {"id": hand_over}, "deployment": {"id": deployment}}
    commands = (
        Command("quorumshift watch", "follow the deployment"),
        Command("quorumshift stop", "stop the deployment and roll it back"),
    )
    return compose(service, "hand-over resumed", state, text, commands)


def unreconciled(service: str, reason: str) -> Notice:
    """Between deployments the votes are not where the tasks are, or a voter is not well, and stay
    so."""
    why = reason.rstrip(". ")
    text = (
        f"The Raft cluster of {service} is not well, and no step of ours mends it: {why}. Until it "
        "is, it may tolerate fewer failures than it should, and a deployment may be refused."
    )
    commands = (
        Command("quorumshift plan", "where the votes are, and the path to where they should be"),
        Command("quorumshift status", "what serves, what runs, how the cluster stands"),
    )
    return compose(service, "the votes need a person", {}, text, commands)


def kept(service: str, news: Iterable[str]) -> Notice:
    """The keeper did something in the place of an execution that could not, or cannot."""
    text = " ".join(news)
    commands = (
        Command("quorumshift status", "what serves, what runs, how the cluster stands"),
        Command("quorumshift plan", "where the votes are, and the path to where they should be"),
    )
    return compose(service, "looked after", {}, text, commands)


def cleaned_up(service: str, execution: str, standing: str) -> Notice:
    """An execution has failed and said so, and left something that was put in order after it."""
    text = (
        "The execution failed, as was told, before a state of it could clean up. What it left was "
        f"looked after: {standing}."
    )
    commands = (
        Command("quorumshift status", "what serves, what runs, how the cluster stands"),
        Command("quorumshift plan", "where the votes are, and the path to where they should be"),
    )
    return compose(service, "looked after", {"execution": {"id": execution}}, text, commands)


def still_waiting(service: str, deployment: str, reason: str) -> Notice:
    """The votes are on their way back, and the way stands still."""
    text = (
        f"The votes of {service} are to go back to the old tasks, and nothing has moved for a "
        f"while: {reason.rstrip('. ')}. Until then no vote that the quorum needs is taken out, and "
        "the locks are renewed; it is given up forty minutes after it began."
    )
    state = {"deployment": {"id": deployment}}
    commands = (
        Command("quorumshift plan", "where the votes are, and what is next"),
        Command("quorumshift status", "what serves, what runs, how the cluster stands"),
    )
    return compose(service, "way back waits", state, text, commands)


def watch(state: Mapping[str, Any], does: str) -> Command:
    """``quorumshift watch`` of this execution, while it runs or later."""
    return Command(command(state, "watch"), does)


def command(state: Mapping[str, Any], verb: str) -> str:
    """A verb that takes an execution, with this one's name."""
    return f"quorumshift {verb} {shlex.quote(_execution(state).rpartition(':')[2])}".rstrip()


def revision(state: Mapping[str, Any], which: str) -> str:
    """``family:number`` of the revision that is left (``from``) or deployed (``to``)."""
    unknown = {"from": "the old revision", "to": "the new revision"}[which]
    return str((state.get("revision") or {}).get(which) or "").rpartition("/")[2] or unknown


def _execution(state: Mapping[str, Any]) -> str:
    return str((state.get("execution") or {}).get("id") or "")


def _deployment(state: Mapping[str, Any]) -> str:
    return str((state.get("deployment") or {}).get("id") or "")


def _facts(state: Mapping[str, Any]) -> list[str]:
    request = from_json(Request, state["request"]) if "request" in state else None
    known = state.get("revision") or {}
    rows = {
        "asked for": request.what() if request else "",
        "description": request.description if request else "",
        "asked by": request.initiator if request else "",
        "from": revision(state, "from") if known.get("from") else "",
        "to": revision(state, "to") if known.get("to") else "",
        "image": known.get("image"),
        "traffic": request.deployment_config if request and _deployment(state) else "",
        "build": (state.get("build") or {}).get("log"),
        "deployment": _deployment(state),
        "roll-back": (state.get("rollback") or {}).get("undo"),
        "execution": _execution(state),
    }
    return [f"{name + ':':<13}{one_line(value)}" for name, value in rows.items() if value]


def _evidence(state: Mapping[str, Any]) -> list[str]:
    checks = (state.get("outcome") or {}).get("checks")
    if checks is None:
        checks = (state.get("observation") or {}).get("checks") or []
    rows = [
        f"  {check['name']:<22}{'yes' if check['passed'] else 'NO':<5}{one_line(check['reason'])}"
        for check in checks
    ]
    verification = (state.get("verification") or {}).get("reasons") or []
    rows = [f"  {'VerifyRaft':<22}yes  {one_line(said)}" for said in verification[:1]] + rows
    return ["Evidence:", *rows] if rows else []
