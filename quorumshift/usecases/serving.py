"""Measures who serves, before anybody says it."""

from __future__ import annotations

from dataclasses import dataclass

from quorumshift.domain.errors import TrafficAstray
from quorumshift.domain.serving import Serving, who_serves
from quorumshift.ports import Clock, ProductionRoute, TaskRevisions

PATIENCE_SECONDS = 40
"""How long targets may take to be healthy after the traffic has moved."""
PAUSE_SECONDS = 5


@dataclass(frozen=True, slots=True)
class Measure:
    """What is asked; see ``ports``."""

    route: ProductionRoute
    tasks: TaskRevisions
    clock: Clock

    def now(self) -> Serving:
        """Who serves at this moment."""
        return who_serves(self.route.leads_to(), self.tasks.revisions())

    def said(self) -> str:
        """:meth:`now` in a sentence. Never raises: an end must be reached."""
        try:
            return _sentence(self.now().sentence)
        except Exception as error:  # noqa: BLE001 # see above
            return f"Who serves could not be measured: {type(error).__name__}: {error}"

    def require(self, revision: str, happened: str) -> str:
        """The sentence that this revision (ARN) serves all traffic, looked for until then.

        Raises ``TrafficAstray`` where it does not, or not yet after the patience.
        """
        wanted = revision.rpartition("/")[2]
        began = self.clock.now()
        while True:
            serving = self.now()
            if serving.revision == wanted:
                return _sentence(serving.sentence)
            if self.clock.now() - began >= PATIENCE_SECONDS:
                break
            self.clock.sleep(PAUSE_SECONDS)
        raise TrafficAstray(
            f"{happened}, and {wanted} was to serve all traffic, but {serving.sentence}. Look at "
            "the production listener's default action and at the health of its targets; "
            "quorumshift doctor names what is wrong with them"
        )


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}" if text.startswith("nobody") else text
