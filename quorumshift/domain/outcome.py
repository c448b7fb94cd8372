"""How an execution ended, in words: what happened, what was seen, what to do next.

A function of the state machine's own data, which is all that notifications, causes and reports
are made from.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from quorumshift.domain.data import from_json
from quorumshift.domain.missed import gave_up
from quorumshift.domain.notice import Command, Notice, command, compose, revision, watch
from quorumshift.domain.policy import Policy
from quorumshift.domain.rollout import Check, Decision, Meaning, RolloutObservation, judge

_LONGEST_CAUSE = 4000
_STORY = "what happened, event by event"
_LOOK = Command("quorumshift status", "what serves, what runs, how the cluster stands")
_READY = Command("quorumshift verify", "is the cluster ready for another deployment?")
_PATH = Command("quorumshift plan", "where the votes are, and what each node's death would do")


@dataclass(frozen=True, slots=True)
class Outcome:
    """``error`` and ``cause`` end the execution (both empty when it went well); ``subject`` and
    ``message`` go to people."""

    error: str
    cause: str
    subject: str
    message: str


@dataclass(frozen=True, slots=True)
class Failure:
    """What a Catch found: the error's name and its message, freed from Lambda's wrapping."""

    error: str
    message: str


def read_failure(caught: Mapping[str, Any]) -> Failure:
    """Read what Step Functions puts behind a Catch, ``{"Error", "Cause"}``.

    Lambda's cause is a JSON text with ``errorMessage``; a time-out has none.
    """
    error = str(caught.get("Error") or "Unknown")
    cause = str(caught.get("Cause") or "")
    try:
        wrapped = json.loads(cause)
    except ValueError:
        wrapped = None
    if isinstance(wrapped, dict) and wrapped.get("errorMessage"):
        cause = str(wrapped["errorMessage"])
    if error in ("States.Timeout", "States.HeartbeatTimeout") and not cause:
        cause = "a step did not answer in time"
    return Failure(error, cause or "no message was left")


def may_still_come(state: Mapping[str, Any]) -> bool:
    """Whether the execution failed while its deployment was being created, without an answer of the
    function that did so, or of AWS: nobody knows then whether there is one."""
    creating = "verification" in state and "deployment" not in state
    error = read_failure(state.get("failure") or {}).error
    unanswered = ("Transient", "Lambda.", "Runtime.", "Sandbox.", "States.")
    return creating and error.startswith(unanswered)


def deployed(service: str, state: Mapping[str, Any], another: str = "") -> Outcome:
    """The end of an execution that went well. ``another``: the deployment that is under way by
    now."""
    text = f"{_serving(state, 'to')} The votes are with its tasks."
    if another:
        text = f"{revision(state, 'to')} was deployed. {_followed(another)}"
    if "stop" in state:
        text += f" It was to be stopped ({_why_given_up(state)}), and had succeeded by then."
    back = Command("quorumshift rollback", f"go back to {revision(state, 'from')}")
    meaning = Meaning(Decision.SUCCEEDED, "", text)
    return _outcome(service, "deployed", state, meaning, "", (watch(state, _STORY), back))


def rolling_back(service: str, state: Mapping[str, Any], policy: Policy) -> Notice:
    """The deployment was just given up; how that ends is another message's to say."""
    meaning = why_undone(state, (), policy)
    deployment = (state.get("deployment") or {}).get("id")
    if (state.get("stop") or {}).get("wasRunning"):
        standing = f"Deployment {deployment} is being stopped and rolled back"
    else:
        standing = f"Deployment {deployment} has ended by itself, and its roll-back is followed"
    standing += f": {revision(state, 'from')} gets the traffic back, and votes that moved go home"
    text = _cause(replace(meaning, advice=""), standing)
    commands = (watch(state, "follow it"), _LOOK)
    return compose(service, "rolling back", state, text, commands, meaning.error)


def rolled_back(
    service: str,
    state: Mapping[str, Any],
    checks: Iterable[Check],
    policy: Policy,
    another: str = "",
) -> Outcome:
    """The end of an execution whose deployment was undone.

    ``checks``: the hooks' answers as they are known by now, which may be more than the last poll
    saw; ``state["observation"]`` is that poll. ``another``: the deployment that is under way by
    now.
    """
    meaning = why_undone(state, checks, policy)
    end = f"{_serving(state, 'from')} Its tasks hold all votes."
    end = f"It was rolled back. {_followed(another)}" if another else end
    commands = (watch(state, _STORY), _READY)
    return _outcome(service, "rolled back", state, meaning, end, commands)


def failed(service: str, state: Mapping[str, Any], standing: str, touched: bool) -> Outcome:
    """The end of an execution that could not go on. ``standing``: how things are left;
    ``touched``: a deployment had been started."""
    failure = read_failure(_caught(state) or {})
    last = (state.get("observation") or {}).get("meaning") or {}
    before = f" Before that: {last['cause']}" if last.get("cause") else ""
    meaning = Meaning(Decision.FAILED, failure.error, failure.message + before)
    stop = Command(command(state, "stop"), "stop its deployment, if that still runs")
    commands = (_LOOK, stop, _PATH) if touched else (watch(state, _STORY), _READY)
    return _outcome(service, "failed", state, meaning, standing, commands)


def why_undone(state: Mapping[str, Any], checks: Iterable[Check], policy: Policy) -> Meaning:
    """Why the deployment had to be undone, judged again with all that is known by now."""
    if (caught := _caught(state)) is not None:
        failure = read_failure(caught)
        return Meaning(Decision.DANGER, failure.error, failure.message)
    if "observation" not in state:
        return Meaning(Decision.DANGER, "Unknown", "the deployment was never looked at")
    last = from_json(RolloutObservation, state["observation"])
    again = judge(replace(last, checks=tuple(checks) or last.checks), policy)
    if again.decision is Decision.FAILED or last.meaning is None:
        return again
    return last.meaning


def _caught(state: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The failure that ended the way forward: of a state, or of too many looks."""
    return state.get("failure") or gave_up(state)


def _why_given_up(state: Mapping[str, Any]) -> str:
    if caught := _caught(state):
        return read_failure(caught).message.rstrip(". ")
    said = ((state.get("observation") or {}).get("meaning") or {}).get("cause")
    return str(said or "no reason was left").rstrip(". ")


def _followed(another: str) -> str:
    return (
        f"Deployment {another} is under way by now, so traffic, votes, locks and scaling are its "
        "own, and were not looked at."
    )


def _serving(state: Mapping[str, Any], which: str) -> str:
    """Who serves, as it was measured; without that nobody says it."""
    measured = str((state.get("outcome") or {}).get("serving") or "")
    unknown = f"The traffic was to go to {revision(state, which)}; that was not measured"
    return f"{(measured or unknown).rstrip('. ')}."


def _outcome(
    service: str,
    ended: str,
    state: Mapping[str, Any],
    meaning: Meaning,
    standing: str,
    commands: Iterable[Command],
) -> Outcome:
    cause = _cause(meaning, standing)
    notice = compose(service, ended, state, cause, commands, meaning.error)
    return Outcome(
        error=meaning.error,
        cause=cause if meaning.error else "",
        subject=notice.subject,
        message=notice.message,
    )


def _cause(meaning: Meaning, standing: str) -> str:
    parts = (meaning.cause, standing, f"Next: {meaning.advice}" if meaning.advice else "")
    return f"{'. '.join(part.rstrip('. ') for part in parts if part)}."[:_LONGEST_CAUSE]
