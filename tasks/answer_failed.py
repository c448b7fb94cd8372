"""State ``AnswerFailed`` of the hand-over: the deployment must be rolled back."""

from __future__ import annotations

from typing import Any

from quorumshift.domain.appspec import HAND_OVER_STAGE
from quorumshift.domain.asked import Asked
from quorumshift.domain.notice import unreconciled
from quorumshift.domain.outcome import read_failure
from quorumshift.domain.raft import Colour
from quorumshift.domain.rollout import Check
from quorumshift.domain.rollout_facts import WAS_STOPPED
from quorumshift.domain.shown import one_line
from quorumshift.usecases.questions import Question, answer
from tasks.wiring import evidence, hook_answers, patience, wiring


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """→ ``$.answer``: ``{"answered", "error", "cause", "handedBack"}``.

    ``handedBack``: the votes are with blue. A hand-over that has brought them there, and whose
    question nobody waits for (there is none, or the rollout was stopped), gives the locks back if
    they are still its rollout's, because the execution that does it at the end may be gone as
    well; one that belongs to no deployment tells people when it could not.
    """
    planned, failure = event.get("plan") or {}, event.get("failure")
    done = planned.get("decision") == "done" and not failure
    if failure:
        found = read_failure(failure)
        error, reason = found.error, found.message
    else:
        error = "HandedBack" if done else "HandOverBlocked"
        reasons = [planned.get("turned"), None if done else planned.get("reason")]
        reason = "; ".join(filter(None, reasons)) or planned.get("reason") or "it was asked for"
    asked = Asked.read(event)
    question = Question(asked.deployment, asked.hook)
    stopped = (event.get("observation") or {}).get("stopped", False)
    if question.execution:
        where = "the votes are with blue" if done else "the votes were not handed back"
        seen = {"goal": planned.get("goal"), "plan": planned.get("reason")}
        because = str(planned.get("turned")).startswith(WAS_STOPPED)
        check = Check(HAND_OVER_STAGE, False, f"{reason} ({where})", seen, consequence=because)
        answer(question, check, hook_answers(), evidence, patience(None))
    if not question.deployment:
        _between(done, reason)
    elif done and (stopped or not question.execution):
        left = wiring().ending.give_back_locks(question.deployment)
        print(one_line(left or "the locks were given back"))
    return {
        "answered": bool(question.execution),
        "error": error,
        "cause": reason,
        "handedBack": done and asked.goal is Colour.BLUE,
    }


def _between(done: bool, reason: str) -> None:
    w = wiring()
    if done:
        w.ending.give_back_locks(None)
    else:
        notice = unreconciled(w.settings.service, reason)
        w.notifier.publish(notice.subject, notice.message)
