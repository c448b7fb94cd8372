"""Who serves the users, by what was measured: where the production listener leads, and who of those
is healthy there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Led:
    """A target group that the production listener leads to. ``weight``: its share; ``healthy``: the
    addresses of its healthy targets."""

    group: str
    weight: int
    healthy: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Serving:
    """``sentence``: who serves. ``revision``: ``family:number`` of the one revision that serves all
    traffic; empty where there is none such."""

    sentence: str
    revision: str = ""


def who_serves(led: tuple[Led, ...], revisions: Mapping[str, str]) -> Serving:
    """``revisions``: address of a task → ARN of its revision. A group without weight does not
    count."""
    used = [one for one in led if one.weight > 0]
    if not used:
        return Serving("nobody serves: the production listener leads to no target group")
    empty = [one.group for one in used if not one.healthy]
    if empty:
        whole = len(empty) == len(used)
        share = 100 * sum(one.weight for one in used if not one.healthy)
        share //= sum(one.weight for one in used)
        who = "nobody serves" if whole else f"nobody serves {share} % of the traffic"
        return Serving(
            f"{who}: the production listener leads to {' and '.join(empty)}, which has no healthy "
            "target"
        )
    counts: dict[str, int] = {}
    for one in used:
        for address in one.healthy:
            name = revisions.get(address, "").rpartition("/")[2] or "what is no task of the service"
            counts[name] = counts.get(name, 0) + 1
    if len(counts) == 1:
        ((name, count),) = counts.items()
        known = name if ":" in name else ""
        return Serving(f"{name} serves all traffic: {_targets(count)}", known)
    shares = " and ".join(f"{name} ({_targets(count)})" for name, count in sorted(counts.items()))
    return Serving(f"{shares} serve together")


def _targets(count: int) -> str:
    return f"{count} healthy target{'' if count == 1 else 's'}"
