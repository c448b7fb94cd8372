"""Gathers what a deployment would do; touches nothing."""

from __future__ import annotations

from dataclasses import dataclass

from quorumshift.cli.cluster import Cluster
from quorumshift.cli.service import Service
from quorumshift.domain.health import Decision
from quorumshift.domain.preview import Preview
from quorumshift.domain.prospect import Prospect, look_ahead
from quorumshift.domain.raft import Colour
from quorumshift.domain.request import CURRENT, Request
from quorumshift.domain.revision_changes import Change, changes
from quorumshift.domain.rollout import Alarm


@dataclass(frozen=True, slots=True)
class _Target:
    after: str | None
    image: str | None
    changes: tuple[Change, ...] | None


def gather(service: Service, request: Request) -> Preview:
    """What ``request`` would do now.

    Raises ``InvalidRequest`` when what it names does not exist, and ``ObservationFailed``.
    """
    from quorumshift.adapters.aws.shifts import Shifts

    names = service.names
    shifts = Shifts(service.account.client("codedeploy"), names.application, names.deployment_group)
    live = service.definitions.live()
    target = _target(service, request, live)
    active = service.deployments.active()
    refusals, notes = _running(service, active)
    rings = ringing(service)
    if request.ignore_alarms:
        notes += _ignored(rings)
    else:
        refusals += [_stops(alarm) for alarm in rings]
    hand_over = ""
    if active is None:
        hand_over, unsafe, waits = _votes(service)
        refusals += unsafe
        notes += waits
    return Preview(
        before=live,
        after=target.after,
        image=target.image,
        changes=target.changes,
        config=request.deployment_config,
        steps=shifts.steps(request.deployment_config),
        termination_minutes=shifts.termination_minutes(),
        hand_over=hand_over,
        refusals=tuple(refusals),
        notes=tuple(notes),
    )


def _target(service: Service, request: Request, live: str) -> _Target:
    definitions = service.definitions
    if request.source is not None:
        return _Target(None, None, None)
    if request.image is not None:
        image = service.images.resolve(request.image)
        was = definitions.image(live)
        if image == was:
            return _Target(live, image, ())
        what = f"{service.configuration.service.container}.image"
        return _Target(None, image, (Change(what, was, image),))
    after = definitions.resolve(request.task_definition or CURRENT)
    differ = changes(definitions.contents(live), definitions.contents(after))
    service.images.check(definitions.image(after))
    return _Target(after, definitions.image(after), differ)


def _running(service: Service, active: str | None) -> tuple[list[str], list[str]]:
    """What another deployment, or one that is about to become one, means for this one."""
    last = next(service.executions.newest(1), None)
    if active is not None:
        whose = f" ({last.name})" if last is not None and last.running else ""
        return [_busy(active, whose)], []
    if last is not None and last.running:
        return [], [
            f"the execution {last.name} runs and has no deployment under way; should it create one "
            "first, this one is refused"
        ]
    return [], []


def _busy(active: str, whose: str = "") -> str:
    return (
        f"deployment {active} is under way{whose}; wait for its end (quorumshift watch), or "
        "stop it (quorumshift stop), and start again"
    )


def ringing(service: Service) -> tuple[Alarm, ...]:
    """The alarms of the deployment group that ring now."""
    from quorumshift.adapters.aws.alarms import GroupAlarms

    client, names = service.account.client, service.names
    alarms = GroupAlarms(
        client("codedeploy"), client("cloudwatch"), names.application, names.deployment_group
    )
    return tuple(one for one in alarms.look() if one.ringing)


def _stops(alarm: Alarm) -> str:
    return (
        f"the alarm {alarm.name} rings ({alarm.reason}): CodeDeploy would roll back at once; wait "
        "until it is quiet, or go back to what served with quorumshift rollback, which no alarm "
        "stops"
    )


def _ignored(rings: tuple[Alarm, ...]) -> list[str]:
    names = "; ".join(f"{one.name} ({one.reason})" for one in rings)
    now = f"; these ring now: {names}" if rings else ""
    return [f"no alarm stops this deployment{now}. Watch it yourself"]


def _votes(service: Service) -> tuple[str, list[str], list[str]]:
    """The hand-over in a sentence, why it would be refused now, and what would be waited for."""
    from quorumshift.domain.handover_steps import Next

    cluster = Cluster(service)
    look = cluster.look(None)
    if look.busy:  # it began after CodeDeploy was asked
        return "", [_busy(look.busy)], []
    seen = look.cluster
    verdict = cluster.verdict(seen)
    refusals = [verdict.sentence] if verdict.decision is Decision.ABORT else []
    notes = [f"waited for: {verdict.sentence}"] if verdict.decision is Decision.WAIT else []
    prospect = look_ahead(seen, Colour.GREEN, cluster.dialect, cluster.policy)
    if prospect.plan.decision is Next.BLOCKED and not refusals:
        refusals.append(f"the votes cannot be handed over: {prospect.plan.sentence}")
    return _path(prospect), refusals, notes


def _path(prospect: Prospect) -> str:
    from quorumshift.report.plan import goal_of

    text = goal_of(prospect)
    return f"{text}; `quorumshift plan` shows each step" if len(prospect.plan.path) > 1 else ""
