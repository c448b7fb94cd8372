"""Between deployments: a task came or went, and the votes are to follow."""

from __future__ import annotations

from typing import Any

from quorumshift.domain.notice import unreconciled
from quorumshift.domain.shown import one_line
from quorumshift.usecases.reconciling import Reconciling
from tasks.wiring import patience, wiring


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Takes EventBridge's events: ``ECS Task State Change`` of the service's tasks, and ``Step
    Functions Execution Status Change`` of what may have left votes behind.

    → ``{"started", "reason"}``: the name of the execution of ``hand_over``, or empty, and why.
    """
    w = wiring()
    found = patience(context).keep(Reconciling(w.hand_over, w.hand_overs, w.dialect, w.policy).look)
    if found.alarming:
        notice = unreconciled(w.settings.service, found.reason)
        w.notifier.publish(notice.subject, notice.message)
    print(one_line(found.reason))
    return {"started": found.started, "reason": found.reason}
