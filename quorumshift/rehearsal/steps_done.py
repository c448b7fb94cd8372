"""Watches which steps the hand-over is about to do, by standing around its function ``Act``."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from typing import Any

from quorumshift.domain.data import from_json
from quorumshift.domain.handover_steps import Step
from quorumshift.rehearsal.aws.lambda_environment import Outcome
from quorumshift.rehearsal.aws.lambdas import LambdaEngine
from quorumshift.rehearsal.moments import Moment, Phase

Strike = Callable[[Step, Callable[[], Outcome]], Outcome]
"""What happens around the step that was waited for: ``proceed()`` does it."""


class StepsDone:
    """Counts the steps of each kind, each once however often it is tried, and hands the one that
    is ``moment`` to ``strike``. ``labels``: those that have come, ``lock-1`` and so on."""

    def __init__(self, moment: Moment, strike: Strike) -> None:
        self.labels: list[str] = []
        self._moment = moment
        self._strike = strike
        self._seen: set[object] = set()
        self._count: Counter[str] = Counter()
        self._lock = threading.Lock()

    def watch(self, engine: LambdaEngine, function: str) -> None:
        """From now on. ``function``: what Act is called."""
        engine.around(function, self._around)

    def _around(self, event: Any, proceed: Callable[[], Outcome]) -> Outcome:
        told = event["plan"]["plan"]["step"]
        step = from_json(Step, told) if told else None
        if step is not None and self._is_the_one(step):
            return self._strike(step, proceed)
        return proceed()

    def _is_the_one(self, step: Step) -> bool:
        """A step is what it does to which node; a lock, to which tasks."""
        with self._lock:
            which = (step.kind, step.address, step.tasks)
            if which in self._seen:
                return False
            self._seen.add(which)
            self._count[step.kind] += 1
            moment = Moment(Phase.STEP, self._count[step.kind], step.kind)
            self.labels.append(str(moment))
            return moment == self._moment
