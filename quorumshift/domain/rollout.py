"""What one look at a running rollout means: wait, done, failed, or stop it now."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum

from quorumshift.domain.appspec import HAND_OVER_STAGE
from quorumshift.domain.health import Decision as Health
from quorumshift.domain.health import Verdict
from quorumshift.domain.policy import Policy
from quorumshift.domain.raft import ClusterObservation, Colour, quorum
from quorumshift.domain.rollout_facts import (
    Alarm,
    Check,
    EndedBy,
    Progress,
    Rollout,
    Stage,
    StageStatus,
    TaskFailure,
    Traffic,
)

__all__ = [
    "Alarm",
    "Check",
    "Decision",
    "EndedBy",
    "Meaning",
    "Progress",
    "Rollout",
    "RolloutObservation",
    "Stage",
    "StageStatus",
    "TaskFailure",
    "Traffic",
    "Worry",
    "failure_limit",
    "interpret",
    "judge",
]

PATIENCE = 60
"""Seconds of waiting that the engine gets to act on an alarm or a failed check by itself."""


@dataclass(frozen=True, slots=True)
class Worry:
    """Something seen in every look since ``waited`` (seconds waited by then) and ``at`` (epoch
    seconds), hence worse than a moment's."""

    what: str
    waited: int
    at: float


class Decision(StrEnum):
    """``DANGER``: it still runs and must be stopped. ``FAILED``: it has ended, not well."""

    WAIT = "wait"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    DANGER = "danger"


@dataclass(frozen=True, slots=True)
class Meaning:
    """``error``: one word for a program; ``cause``: what was seen; ``advice``: what to do."""

    decision: Decision
    error: str = ""
    cause: str = ""
    advice: str = ""


@dataclass(frozen=True, slots=True)
class RolloutObservation:
    """Everything known of a rollout at one time.

    ``waited``, ``deadline``: seconds spent in waits so far, and allowed. Waits are counted instead
    of a clock being read, so that the state machine's own pace is what is measured.
    ``unseen``: why this look could not be made; empty: it was. All but ``at`` and ``waited`` is
    then the last one's. ``missed``: looks that no function has made so far, see
    :mod:`quorumshift.domain.missed`. ``renewed``: ``waited`` when the locks were renewed.
    """

    at: float
    waited: int
    deadline: int
    rollout: Rollout
    alarms: tuple[Alarm, ...] = ()
    failures: tuple[TaskFailure, ...] = ()
    checks: tuple[Check, ...] = ()
    cluster: ClusterObservation | None = None
    verdict: Verdict | None = None
    worries: tuple[Worry, ...] = ()
    meaning: Meaning | None = None
    unseen: str = ""
    missed: int = 0
    renewed: int = 0


def interpret(
    fresh: RolloutObservation, previous: RolloutObservation | None, policy: Policy
) -> RolloutObservation:
    """``fresh`` with its worries carried over from the look before, and with its meaning."""
    before = {worry.what: worry for worry in previous.worries} if previous else {}
    worries = tuple(
        before.get(what, Worry(what, fresh.waited, fresh.at)) for what in _worries(fresh)
    )
    carried = replace(fresh, worries=worries)
    return replace(carried, meaning=judge(carried, policy))


def judge(seen: RolloutObservation, policy: Policy) -> Meaning:
    """What the observation means. Never raises.

    What could not be looked at is waited for: nothing is decided on what was seen before. Once
    blue is being ended, nothing but the deadline is danger.
    """
    if seen.unseen:
        return _late(seen) or Meaning(Decision.WAIT)
    if seen.rollout.progress is Progress.SUCCEEDED:
        return Meaning(Decision.SUCCEEDED)
    if seen.rollout.progress is Progress.RUNNING:
        found = _late(seen) if _blue_goes(seen) else _danger(seen, policy)
        return found or Meaning(Decision.WAIT)
    return _ending(seen)


def failure_limit(desired: int) -> int:
    """How many green tasks may die before green is given up: half of them, at least three (as
    Amazon ECS's own circuit breaker counts). The engine itself would wait an hour."""
    return max(3, math.ceil(desired / 2))


def _danger(seen: RolloutObservation, policy: Policy) -> Meaning | None:
    desired = seen.cluster.desired if seen.cluster else 0
    if len(seen.failures) >= failure_limit(desired):
        return _tasks_do_not_start(seen)
    worries = {worry.what: worry for worry in seen.worries}
    for check in seen.checks:
        worry = worries.get(f"check {check.name}")
        if worry and seen.waited - worry.waited >= PATIENCE:
            return _check_failed(check)
    for alarm in seen.alarms:
        worry = worries.get(f"alarm {alarm.name}")
        if worry and seen.waited - worry.waited >= PATIENCE:
            return _alarm(seen)
    if (worry := worries.get("cluster")) and seen.at - worry.at >= _cluster_patience(seen, policy):
        return _cluster(seen, worry)
    return _late(seen)


def _blue_goes(seen: RolloutObservation) -> bool:
    """Whether the engine is ending blue: too few of its tasks are left to take the votes back, so
    whatever is not well by then is mended when the rollout is over."""
    if seen.cluster is None or seen.rollout.stage(HAND_OVER_STAGE) is not StageStatus.DONE:
        return False
    blue = sum(node.colour is Colour.BLUE and bool(node.task) for node in seen.cluster.nodes)
    return blue < quorum(seen.cluster.desired)


def _late(seen: RolloutObservation) -> Meaning | None:
    if seen.waited < seen.deadline:
        return None
    where, advice = _where(seen), "Look at the stage it stood at; raise the deadline if it only "
    if seen.unseen:
        where = f"last seen {where}; by then nobody could look: {seen.unseen}"
    return Meaning(
        Decision.DANGER,
        "DeadlinePassed",
        f"the rollout was still running after {seen.deadline // 60} minutes ({where})",
        f"{advice}needs longer.",
    )


def _ending(seen: RolloutObservation) -> Meaning:
    failed = [check for check in seen.checks if check.refused]
    if seen.rollout.ended_by is EndedBy.ALARM:
        return replace(_alarm(seen), decision=Decision.FAILED)
    if failed and seen.rollout.ended_by is not EndedBy.REQUEST:
        return replace(_check_failed(failed[0]), decision=Decision.FAILED)
    if seen.rollout.ended_by is EndedBy.REQUEST:
        return Meaning(
            Decision.FAILED,
            "StoppedByRequest",
            f"somebody stopped the rollout ({_where(seen)})",
            "Ask who stopped it and why, then start again.",
        )
    if seen.failures:
        return replace(_tasks_do_not_start(seen), decision=Decision.FAILED)
    broken = [stage for stage in seen.rollout.stages if stage.status is StageStatus.FAILED]
    where = "; ".join(f"stage {one.name} failed: {one.message or 'no reason'}" for one in broken)
    said = seen.rollout.message or "the engine gave no reason"
    return Meaning(
        Decision.FAILED,
        "RolloutFailed",
        f"{where}: {said}" if where else said,
        "Read the engine's message; when it is not about the image, start again.",
    )


def _tasks_do_not_start(seen: RolloutObservation) -> Meaning:
    last = seen.failures[-1]
    code = f", exit code {last.exit_code}" if last.exit_code is not None else ""
    return Meaning(
        Decision.DANGER,
        "TasksDoNotStart",
        f"{len(seen.failures)} green tasks stopped; the last one: {last.reason}{code}",
        "Read the log of a stopped task, mend the image, and deploy it again.",
    )


def _check_failed(check: Check) -> Meaning:
    if check.unmade:
        return Meaning(
            Decision.DANGER,
            "CheckNotMade",
            f"{check.name} could not be made: {check.reason}",
            "Start again when AWS answers (https://health.aws.amazon.com says when); nothing is "
            "wrong with green that we know of.",
        )
    return Meaning(
        Decision.DANGER,
        "CheckFailed",
        f"{check.name} said no: {check.reason}",
        f"Mend what {check.name} found, then start again.",
    )


def _alarm(seen: RolloutObservation) -> Meaning:
    ringing = [alarm for alarm in seen.alarms if alarm.ringing]
    names = "; ".join(f"{alarm.name} ({alarm.reason})" for alarm in ringing)
    return Meaning(
        Decision.DANGER,
        "AlarmRang",
        f"an alarm rang: {names or seen.rollout.message}",
        "Compare the alarm's metric for both colours; mend the image or the threshold.",
    )


def _cluster(seen: RolloutObservation, worry: Worry) -> Meaning:
    reasons = seen.verdict.sentence if seen.verdict else ""
    return Meaning(
        Decision.DANGER,
        "ClusterInDanger",
        f"the Raft cluster has not been healthy for {seen.at - worry.at:.0f} s: {reasons}",
        "Bring the cluster's voters back before the next deployment.",
    )


def _cluster_patience(seen: RolloutObservation, policy: Policy) -> float:
    """Real seconds that a bad picture may last. A hand-over changes votes and leader on purpose
    and judges every step itself, so it gets as long as an election may take."""
    handing_over = seen.rollout.stage(HAND_OVER_STAGE) is StageStatus.RUNNING
    known_bad = seen.verdict is not None and seen.verdict.decision is Health.ABORT
    if known_bad and not handing_over:
        return policy.stabilisation_seconds
    return policy.settle_deadline_seconds


def _worries(seen: RolloutObservation) -> Iterator[str]:
    for check in seen.checks:
        if check.refused:
            yield f"check {check.name}"
    for alarm in seen.alarms:
        if alarm.ringing and not seen.rollout.ignores_alarms:
            yield f"alarm {alarm.name}"
    if seen.verdict is not None and seen.verdict.decision is not Health.PROCEED:
        yield "cluster"


def _where(seen: RolloutObservation) -> str:
    running = [one.name for one in seen.rollout.stages if one.status is StageStatus.RUNNING]
    done = [one.name for one in seen.rollout.stages if one.status is StageStatus.DONE]
    place = f"in {running[0]}" if running else f"after {done[-1]}" if done else "before it began"
    if seen.rollout.traffic is None:
        return place
    return f"{place}, {seen.rollout.traffic.green:g} % of the traffic on green"
