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
from quorumshift.domain.policy import Policy
from quorumshift.domain.rollout import Check, Decision, Meaning, RolloutObservation, judge

_LONGEST_CAUSE = 4000
_LONGEST_SUBJECT = 100


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


def deployed(service: str, state: Mapping[str, Any]) -> Outcome:
    """The end of an execution that went well."""
    text = f"{_to(state)} serves all traffic; the votes are with its tasks."
    return _outcome(service, "deployed", state, Meaning(Decision.SUCCEEDED, "", text), "")


def rolled_back(
    service: str, state: Mapping[str, Any], checks: Iterable[Check], policy: Policy
) -> Outcome:
    """The end of an execution whose deployment was undone.

    ``checks``: the hooks' answers as they are known by now, which may be more than the last poll
    saw; ``state["observation"]`` is that poll.
    """
    meaning = why_undone(state, checks, policy)
    end = f"{_from(state)} serves all traffic again, and its tasks hold all votes."
    return _outcome(service, "rolled back", state, meaning, end)


def failed(service: str, state: Mapping[str, Any], standing: str) -> Outcome:
    """The end of an execution that could not go on. ``standing``: how things are left."""
    failure = read_failure(state.get("failure") or {})
    last = (state.get("observation") or {}).get("meaning") or {}
    before = f" Before that: {last['cause']}" if last.get("cause") else ""
    meaning = Meaning(Decision.FAILED, failure.error, failure.message + before)
    return _outcome(service, "failed", state, meaning, standing)


def why_undone(state: Mapping[str, Any], checks: Iterable[Check], policy: Policy) -> Meaning:
    """Why the deployment had to be undone, judged again with all that is known by now."""
    if "failure" in state:
        failure = read_failure(state["failure"])
        return Meaning(Decision.DANGER, failure.error, failure.message)
    if "observation" not in state:
        return Meaning(Decision.DANGER, "Unknown", "the deployment was never looked at")
    last = from_json(RolloutObservation, state["observation"])
    again = judge(replace(last, checks=tuple(checks) or last.checks), policy)
    if again.decision is Decision.FAILED or last.meaning is None:
        return again
    return last.meaning


def _outcome(
    service: str, ended: str, state: Mapping[str, Any], meaning: Meaning, standing: str
) -> Outcome:
    cause = ". ".join(
        part.rstrip(". ")
        for part in (
            meaning.cause,
            standing,
            f"Next: {meaning.advice}" if meaning.advice else "",
        )
        if part
    )
    cause = f"{cause}."[:_LONGEST_CAUSE]
    subject = f"{service}: {ended}" + (f" ({meaning.error})" if meaning.error else "")
    lines = [subject, "", *_facts(state), "", cause, "", *_evidence(state)]
    return Outcome(
        error=meaning.error,
        cause=cause if meaning.error else "",
        subject=subject[:_LONGEST_SUBJECT],
        message="\n".join(lines).rstrip() + "\n",
    )


def _facts(state: Mapping[str, Any]) -> list[str]:
    request = state.get("request") or {}
    revision = state.get("revision") or {}
    rows = {
        "description": request.get("description"),
        "asked by": request.get("initiator"),
        "from": revision.get("from"),
        "to": revision.get("to"),
        "image": revision.get("image"),
        "deployment": (state.get("deployment") or {}).get("id"),
        "roll-back": ((state.get("rollback") or {}).get("undo")),
        "execution": (state.get("execution") or {}).get("id"),
    }
    return [f"{name + ':':<13}{text}" for name, text in rows.items() if text]


def _evidence(state: Mapping[str, Any]) -> list[str]:
    checks = (state.get("outcome") or {}).get("checks")
    if checks is None:
        checks = (state.get("observation") or {}).get("checks") or []
    rows = [
        f"  {check['name']:<22}{'yes' if check['passed'] else 'NO':<5}{check['reason']}"
        for check in checks
    ]
    verification = (state.get("verification") or {}).get("reasons") or []
    rows = [f"  {'VerifyRaft':<22}yes  {text}" for text in verification[:1]] + rows
    return ["Evidence:", *rows] if rows else []


def _to(state: Mapping[str, Any]) -> str:
    return _short((state.get("revision") or {}).get("to")) or "The new revision"


def _from(state: Mapping[str, Any]) -> str:
    return _short((state.get("revision") or {}).get("from")) or "The old revision"


def _short(arn: str | None) -> str:
    return (arn or "").rpartition("/")[2]
