"""What the hooks check, one method a hook; each returns its answer with what it rests on."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, replace
from typing import Any

from quorumshift.domain.data import to_json
from quorumshift.domain.errors import ChangeRefused
from quorumshift.domain.health import Decision, assess
from quorumshift.domain.policy import Policy
from quorumshift.domain.raft import ClusterObservation, Colour, Node, Standing
from quorumshift.domain.rollout import Check
from quorumshift.ports import (
    Clock,
    Deployments,
    Discovery,
    GreenTasks,
    Images,
    Probe,
    TaskDefinitions,
    TrialRoute,
)
from quorumshift.usecases.observer import PAUSE, Observer, Seen
from quorumshift.usecases.vote_locks import VoteLocks

_REQUESTS_A_TASK = 3
_MOST_REQUESTS = 30


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where a service answers. ``health_url``: port and path at a task, ``:8080/health``;
    ``test_url``: the test listener; ``trial_path``, ``websocket_path``: what it answers there, one
    of them empty when it has none."""

    health_url: str
    test_url: str
    trial_path: str
    websocket_path: str


@dataclass(frozen=True, slots=True)
class HookChecks:
    """Everything a check may ask; see ``ports``."""

    observer: Observer
    locks: VoteLocks
    discovery: Discovery
    green: GreenTasks
    deployments: Deployments
    definitions: TaskDefinitions
    images: Images
    probe: Probe
    route: TrialRoute
    clock: Clock
    policy: Policy
    addresses: Addresses

    def before_install(self, deployment: str) -> Check:
        """The cluster is healthy, with the tolerance the policy asks, and stable; then a quorum of
        the votes is locked."""
        seen = self.observer.settled(deployment)
        check = _of_cluster("BeforeInstall", seen)
        if not check.passed:
            return check
        after = self.locks.take(deployment)
        locked = sorted(node.address for node in after.voters if node.locked_until)
        return replace(
            check,
            reason=f"{check.reason} Locked: {', '.join(locked) or 'none'}.",
            evidence={**check.evidence, "locked": locked},
        )

    def after_install(self, deployment: str) -> Check:
        """Every green task runs, is steady and answers its health check; none of them votes."""
        deadline = self.clock.now() + self.policy.settle_deadline_seconds
        while True:
            seen = self.observer.look(deployment)
            trouble = self._trouble_of_green(deployment, seen)
            voting = [node.address for node in _green(seen) if node.standing is Standing.VOTER]
            if voting:
                trouble = f"{', '.join(voting)} took a vote before the hand-over gave it one"
            if not trouble or voting or self.clock.now() >= deadline:
                break
            self.clock.sleep(PAUSE)
        if voting:
            self._hold(deployment)
        green = _green(seen)
        fine = f"{len(green)} green tasks run, are steady and healthy, and none of them votes."
        evidence = {
            **_evidence(Seen(seen, assess(seen, self.policy))),
            "green": {node.address: node.standing.value for node in green},
        }
        return Check("AfterInstall", not trouble, trouble or fine, evidence)

    def after_allow_test_traffic(self, deployment: str) -> Check:
        """Real requests through the test listener are answered, and by green alone."""
        green = {node.address for node in _green(self.observer.look(deployment))}
        targets = self._wait_for_targets(frozenset(green))
        evidence: dict[str, Any] = {"green": sorted(green), "targets": sorted(targets)}
        name = "AfterAllowTestTraffic"
        if not green or targets != green:
            reason = (
                f"the test listener leads to {', '.join(sorted(targets)) or 'no healthy task'}, "
                f"green is {', '.join(sorted(green)) or 'nowhere'}"
            )
            return Check(name, False, reason, evidence)
        url = self.addresses.test_url.rstrip("/")
        count = min(_MOST_REQUESTS, _REQUESTS_A_TASK * len(green))
        path, socket = self.addresses.trial_path, self.addresses.websocket_path
        replies = [self.probe.get(url + path) for _ in range(count)] if path else []
        if socket:
            many = 1 if path else count
            replies += [self.probe.websocket(url + socket) for _ in range(many)]
        evidence["replies"] = sorted({reply.text for reply in replies})
        bad = [reply.text for reply in replies if not reply.ok]
        if bad:
            return Check(name, False, f"{len(bad)} of {len(replies)} failed: {bad[0]}", evidence)
        what = f"{count} requests" if path else f"{count} WebSockets"
        included = ", and a WebSocket," if path and socket else ""
        fine = f"{what}{included} were answered by {len(green)} green tasks."
        return Check(name, True, fine, evidence)

    def before_allow_traffic(self, deployment: str) -> Check:
        """The cluster is still healthy, and green is what was asked for."""
        seen = self.observer.healthy(deployment)
        check = _of_cluster("BeforeAllowTraffic", seen)
        if not check.passed:
            return check
        wrong, digests = self._trouble_of_images(deployment)
        return replace(
            check,
            passed=not wrong,
            reason=wrong or f"{check.reason} Green runs {', '.join(digests)}.",
            evidence={**check.evidence, "images": digests},
        )

    def _hold(self, deployment: str) -> None:
        """Lock what can be locked of a quorum of the votes there are: after our *no* green ends at
        once, and with it the votes that it took."""
        with contextlib.suppress(ChangeRefused):
            self.locks.take(deployment)

    def _trouble_of_green(self, deployment: str, seen: ClusterObservation) -> str:
        green = _green(seen)
        ready = [node.address for node in green if node.ready]
        if len(ready) < max(1, seen.desired):
            return f"{len(ready)} of {seen.desired} green tasks run and are healthy"
        if not self.discovery.roster(deployment).steady:
            return "the green task set is not steady"
        for node in green:
            reply = self.probe.get(f"http://{node.address}{self.addresses.health_url}")
            if not reply.ok:
                return reply.text
        return ""

    def _wait_for_targets(self, green: frozenset[str]) -> frozenset[str]:
        """The listener's healthy targets, as soon as they are green's."""
        deadline = self.clock.now() + self.policy.settle_deadline_seconds
        while True:
            targets = self.route.healthy_targets()
            if targets == green or self.clock.now() >= deadline:
                return targets
            self.clock.sleep(PAUSE)

    def _trouble_of_images(self, deployment: str) -> tuple[str, list[str]]:
        """What is wrong with what green runs (empty: nothing), and the digests it runs."""
        tasks = self.green.running(deployment)
        digests = sorted({task.digest for task in tasks})
        if not tasks:
            return "no green task runs", digests
        asked = self.deployments.look(deployment).revision
        for task in tasks:
            revision = task.task_definition.rpartition(":")[2]
            if asked is not None and revision != str(asked):
                return f"green runs revision {revision}, asked for was {asked}", digests
        image = self.definitions.image(tasks[0].task_definition)
        others = [digest for digest in digests if not self.images.runs(image, digest)]
        for task in tasks:
            if task.digest in others:
                seen = task.digest or "an image of unknown digest"
                return f"{task.task.rpartition('/')[2]} runs {seen}, not {image}", digests
        return "", digests


def _of_cluster(name: str, seen: Seen) -> Check:
    passed = seen.verdict.decision is Decision.PROCEED
    return Check(name, passed, seen.verdict.sentence, _evidence(seen))


def _evidence(seen: Seen) -> dict[str, Any]:
    return dict(to_json(seen.verdict.evidence))


def _green(seen: ClusterObservation) -> list[Node]:
    return [node for node in seen.nodes if node.colour is Colour.GREEN]
