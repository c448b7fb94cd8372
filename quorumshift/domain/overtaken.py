"""Whose the votes and locks of a service are: a rollout's own, or no longer.

A rollout has them while it runs, and after it has failed or was stopped until they are home. One
that has succeeded has nothing to undo: what it replaced is gone. And once another is under way,
everything is that one's.
"""

from __future__ import annotations

from quorumshift.domain.rollout_facts import Progress, Rollout


def overtaken(rollout: Rollout, another: str) -> str:
    """Why nothing is to be changed for ``rollout`` any more, a sentence; empty: it still is.

    ``another``: id of a rollout that is under way, and is neither this one nor its roll-back.
    """
    if rollout.progress is Progress.RUNNING:
        return ""
    if another:
        return f"{another} is under way: votes and locks are its own."
    if rollout.progress is Progress.SUCCEEDED:
        return f"{rollout.id} has succeeded: there is nothing to go back to."
    return ""
