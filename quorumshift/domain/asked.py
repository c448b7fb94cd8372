"""What an execution of ``hand_over`` is asked for: its input, and so a part of its state.

Written by whoever starts one (a hook, who looks after a deployment that ended, ``Reconcile``), and
by whoever asks the function Observe from outside; read by the hand-over's own states and by the
watchdog. One type for all of them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from quorumshift.domain.raft import Colour


@dataclass(frozen=True, slots=True)
class Asked:
    """``deployment``: empty between deployments. ``hook``: the question to answer in the end;
    empty: nobody asks. ``goal``: whose votes it shall be; ``None``: only a look is asked for."""

    deployment: str = ""
    hook: str = ""
    goal: Colour | None = None

    @classmethod
    def read(cls, state: Mapping[str, Any]) -> Asked:
        """From an execution's input or state. Never raises: who answers for an execution that was
        started with nonsense must be able to."""
        goal = state.get("goal")
        return cls(
            deployment=str(state.get("deploymentId") or ""),
            hook=str(state.get("lifecycleEventHookExecutionId") or ""),
            goal=Colour(goal) if goal in ("blue", "green") else None,
        )

    @property
    def colour(self) -> Colour:
        """The goal. Raises ``ValueError`` where none can be read: it is not guessed."""
        if self.goal is None:
            raise ValueError("the hand-over's input has no goal; give green or blue")
        return self.goal

    def text(self) -> str:
        """As an execution's input, which says nothing of what there is none of."""
        told = {
            "deploymentId": self.deployment,
            "lifecycleEventHookExecutionId": self.hook,
            "goal": self.goal.value if self.goal else "",
        }
        return json.dumps({key: value for key, value in told.items() if value})
