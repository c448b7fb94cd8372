"""State ``PollDeployment``: one observation of everything, and what it means."""

from __future__ import annotations

from typing import Any

from quorumshift.domain.data import from_json, to_json
from quorumshift.domain.missed import ROLLOUT, looks_missed
from quorumshift.domain.poll_metrics import poll_metrics
from quorumshift.domain.rollout import RolloutObservation
from quorumshift.domain.shown import as_json, one_line
from quorumshift.usecases.watching import Pace
from tasks.wiring import wiring


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """→ ``$.observation``: a ``RolloutObservation``; ``meaning.decision`` tells what is next, and
    ``unseen`` why nobody could look.

    Prints what the dashboard shows: CloudWatch makes metrics of the line in the log.
    """
    last = event.get("observation")
    previous = from_json(RolloutObservation, last) if last else None
    timing = event["timing"]
    pace = Pace(timing["pollSeconds"], timing["deadlineSeconds"])
    w = wiring()
    seen = w.watch.look(event["deployment"]["id"], previous, pace, looks_missed(event, ROLLOUT))
    if seen.unseen:
        print(one_line(seen.unseen))
    else:
        print(as_json(poll_metrics(w.settings.service, seen, previous), indent=None))
    return dict(to_json(seen))
