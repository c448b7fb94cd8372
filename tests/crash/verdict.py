"""What must hold when a run is over: its ends, what people were told, what is left."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from quorumshift.domain.marks import mark_for
from quorumshift.domain.shown import one_line
from tests.crash.engine import HOOK_FAILED, HOOK_SECONDS, Deployment
from tests.crash.faults import Fault
from tests.crash.machines import DEPLOY, HAND_OVER, Execution
from tests.tasks.aws import SETTINGS

if TYPE_CHECKING:
    from tests.crash.world import World

FINAL = ("deployed", "rolled back", "failed")
"""How messages begin that tell an end."""
MOST_EVENTS = 25_000
"""Of one execution (Step Functions' quotas)."""
PASSING = ("refused", "slow", "lost", "throttled", "twice", "stale", "strange", "ignored", "killed")
"""What happens to one call and must not cost a deployment."""
PASSING_SECONDS = 240.0
"""An outage of AWS that must not."""

KEPT_SECONDS = 3600.0
"""Within which the keeper puts in order what is left, once nothing is out of order any more."""

BEGINNING_SECONDS = 4.0
"""Until a deployment is under way and scaling suspended. Before that nothing was touched, and an
execution ends in words after its tries of a minute or two."""

Wrong = tuple[str, str]
"""Its kind, and a sentence."""


def judge(world: World) -> Iterator[Wrong]:
    """Everything that is wrong in the end."""
    for one in world.machines.all.values():
        if one.status == "RUNNING":
            yield "end", f"{one.name} has no end: {one.states[-3:]}"
        if one.events > MOST_EVENTS:
            yield "history", f"{one.name} wrote {one.events:,} events"
        if one.machine == DEPLOY:
            yield from _told(world, one)
            yield from _once(world, one)
            yield from _skips(one)
    if left := world.watcher.astray():
        yield "astray", left
    elif world.hub.now - world.watcher.rested > KEPT_SECONDS:
        yield "astray", "what was left was put in order only when its locks had ended"
    yield from _answered(world)
    yield from _movers(world)
    yield from _deployed(world)


def _messages(world: World, one: Execution) -> list[tuple[str, str]]:
    """What was told of it: what happened, and the text."""
    return [
        (subject.removeprefix(f"{SETTINGS.service}: "), text)
        for _, subject, text in world.aws.messages
        if one.arn in text
    ]


def _told(world: World, one: Execution) -> Iterator[Wrong]:
    """One last message, a true one, which says what a hook has found; the roll-back is announced.
    At least once is what is promised: the same message twice is one."""
    if _could_not_tell(world):
        return
    said = _messages(world, one)
    last = {each: text for each, text in said if each.startswith(FINAL)}
    quiet = one.ended is not None and one.ended.at == "Skipped"
    if len(last) != (0 if quiet else 1):
        yield f"told {one.name}", f"the last messages about {one.name} were {sorted(last)}"
    if "NotifyRollingBack" in one.states and not any(w.startswith("rolling") for w, _ in said):
        yield "announced", f"nobody was told that {one.name} is being rolled back"
    mine = list(_of(world, one))
    well = any(each.status == "Succeeded" for each in mine)
    for each, text in last.items():
        if each.startswith("deployed") and not well:
            yield f"true {one.name}", f"{one.name} was not deployed, and it was said"
        if each.startswith(("deployed", "rolled back")) and text in world.aws.unserved:
            yield "serves", f"it was said that {one.name} has {each}, and users were led to nobody"
        if each.startswith("rolled back") and well:
            yield f"true {one.name}", f"{one.name} was not rolled back, and it was said"
        if each.startswith("rolled back") and mine and mine[-1].code == HOOK_FAILED:
            yield from _explained(world, mine[-1], text)


def _explained(world: World, deployment: Deployment, text: str) -> Iterator[Wrong]:
    first: dict[str, dict[str, Any]] = {}  # the engine takes the first answer only
    for line in world.aws.streams.get(deployment.id, ()):
        first.setdefault(json.loads(line)["name"], json.loads(line))
    for check in first.values():
        if not check["passed"] and not check["consequence"]:
            if one_line(check["reason"])[:60] not in one_line(text):
                yield "reason", f"people were not told that {check['name']} said {check['reason']}"
            return


def _could_not_tell(world: World) -> bool:
    """What could not be delivered rings an alarm of its own."""
    return (
        bool(world.functions.undelivered)
        or any(call.operation == "publish" and call.fault for call in world.calls.made)
        or any(one.api in ("sns", "all", "lambda", "logs") for one in world.schedule)
    )


def _of(world: World, one: Execution) -> Iterator[Deployment]:
    mark = mark_for(one.arn, "none:0").execution
    return (each for each in world.engine.all.values() if mark in each.description)


def _once(world: World, one: Execution) -> Iterator[Wrong]:
    mine = [each.id for each in _of(world, one)]
    if len(mine) > 1:
        yield "twice", f"{one.name} started {mine}"


def _skips(one: Execution) -> Iterator[Wrong]:
    if "skip" in one.given and one.ended and one.ended.error == "DeploymentActive":
        yield "skips", f"{one.name} would rather not run beside another, and failed"


def _answered(world: World) -> Iterator[Wrong]:
    """CodeDeploy waits an hour; who was out of order for most of it could not answer."""
    long = any(one.api and one.seconds > HOOK_SECONDS / 2 for one in world.schedule)
    late = [each for one in world.engine.all.values() for each in one.late]
    if late and not long:
        yield "unanswered", f"{late} got no answer"


def _movers(world: World) -> Iterator[Wrong]:
    """Never two executions at once that move the votes of the same deployment."""
    spans: dict[str, list[tuple[float, float, str]]] = {}
    for one in world.machines.all.values():
        if one.machine == HAND_OVER and one.name.startswith("d-"):
            end = one.stopped if one.stopped is not None else float("inf")
            spans.setdefault(one.name[:11], []).append((one.started, end, one.name))
    for some in spans.values():
        some.sort()
        for (_, end, first), (begin, _, second) in itertools.pairwise(some):
            if begin < end:
                yield "movers", f"{first} and {second} ran at once"


def _deployed(world: World) -> Iterator[Wrong]:
    """What passes costs no deployment, where it is all that happens."""
    if len(world.schedule) > 1 or world.first.ended is None:
        return
    if all(_passes(world, fault) for fault in world.schedule):
        end = world.first.ended.at
        if end != "Deployed":
            yield "deployed", f"it ended {end}: {world.first.ended.cause[:200]}"


def _passes(world: World, fault: Fault) -> bool:
    if fault.of_a_call:
        struck = [call for call in world.calls.made if call.number == fault.at]
        # Green that does not answer its users, even once, is not what was hoped for.
        return fault.kind in PASSING and all(call.api != "probe" for call in struck)
    if fault.api:
        under_way = fault.at >= BEGINNING_SECONDS
        return fault.api != "raft" and fault.seconds <= PASSING_SECONDS and under_way
    return fault.kind in ("second", "skip", "scaleIn", "scaleOut", "silenced", "stop:hand_over")
