"""Resumes a hand-over that somebody stopped, or finds that it has to be answered for."""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace

from quorumshift.domain.resume import Death, Fate, fate
from quorumshift.domain.shown import one_line
from quorumshift.ports import Deployments, HandOvers
from quorumshift.usecases.questions import Question
from quorumshift.usecases.turns import LONGEST_SECONDS


@dataclass(frozen=True, slots=True)
class Resuming:
    """See ``ports``."""

    deployments: Deployments
    hand_overs: HandOvers

    def after(self, death: Death, question: Question) -> Fate:
        """Resume it where it should be, and return what became of it.

        An answer is due in every case: where one was asked for, whatever goes wrong here ends in
        ``ANSWER``. Raises only where nobody waits.
        """
        try:
            return self._after(death, question)
        except Exception as error:
            if not question.execution:
                raise
            print(one_line(f"not resumed: {type(error).__name__}: {error}"), file=sys.stderr)
            return Fate.ANSWER

    def _after(self, death: Death, question: Question) -> Fate:
        rollout = self.deployments.look(question.deployment) if question.execution else None
        found = fate(death, rollout, LONGEST_SECONDS)
        if found is not Fate.RESUME:
            return found
        if self.hand_overs.resume(question.deployment, death.execution):
            return found
        return fate(replace(death, stopped=False), rollout, LONGEST_SECONDS)
