"""Which state an alarm is in: CloudWatch's rules, as one function of the data points.

Source: "Alarm evaluation" and "Configuring how CloudWatch alarms treat missing data" (AWS). More
data points are read than are evaluated, five for three there, and so two more here: when enough of
them exist, the latest existing ones decide, and missing data is filled in for the rest alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

OK, ALARM, INSUFFICIENT = "OK", "ALARM", "INSUFFICIENT_DATA"
MARGIN = 2

COMPARISONS: dict[str, tuple[Callable[[float, float], bool], str]] = {
    "GreaterThanThreshold": (lambda value, limit: value > limit, "greater than"),
    "GreaterThanOrEqualToThreshold": (
        lambda value, limit: value >= limit,
        "greater than or equal to",
    ),
    "LessThanThreshold": (lambda value, limit: value < limit, "less than"),
    "LessThanOrEqualToThreshold": (lambda value, limit: value <= limit, "less than or equal to"),
}

TREATMENTS = ("missing", "ignore", "breaching", "notBreaching")


@dataclass(frozen=True, slots=True)
class Terms:
    """``needed`` of ``periods`` data points must breach ("M out of N")."""

    comparison: str
    threshold: float
    periods: int
    needed: int
    missing: str


@dataclass(frozen=True, slots=True)
class Judgement:
    """``state`` is ``None`` when the alarm stays as it is. ``used``: the existing data points that
    decided, the oldest first. ``filled``: how many missing ones were filled in."""

    state: str | None
    used: tuple[float, ...]
    filled: int


def judge(points: Sequence[float | None], terms: Terms) -> Judgement:
    """``points``: one a period, the oldest first, ``None`` where there is no data; as many as
    ``terms.periods + MARGIN``."""
    breaches = COMPARISONS[terms.comparison][0]
    existing = [point for point in points if point is not None]
    used = tuple(existing[-terms.periods :])
    filled = terms.periods - len(used)
    bad = sum(breaches(point, terms.threshold) for point in used)
    return Judgement(_state(points, used, bad, filled, terms), used, filled)


def _state(
    points: Sequence[float | None], used: Sequence[float], bad: int, filled: int, terms: Terms
) -> str | None:
    if terms.missing == "breaching":
        return ALARM if bad + filled >= terms.needed else OK
    if bad >= terms.needed:
        return ALARM
    if terms.missing == "notBreaching":
        return OK
    if not used:
        return None if terms.missing == "ignore" else INSUFFICIENT
    if bad < len(used):
        return OK
    if terms.missing == "ignore":
        return None
    # All that exists breaches, but it is less than needed. The alarm goes off when the oldest of
    # it is at least as old as the number needed: waiting longer could not tell anything else.
    age = len(points) - next(at for at, point in enumerate(points) if point is not None)
    return ALARM if age >= terms.needed else None


def reason(judgement: Judgement, terms: Terms, before: str, times: Sequence[str]) -> str:
    """A state change in CloudWatch's words. ``times``: of the data points in ``used``."""
    total = terms.periods
    if judgement.state == INSUFFICIENT:
        return f"Insufficient Data: {_count(total, 'datapoint')} {_were(total)} unknown."
    if not judgement.used:
        return (
            f"Threshold Crossed: no datapoints were received for {_count(total, 'period')} and"
            f" {_count(judgement.filled, 'missing datapoint')} {_were(judgement.filled)} treated"
            f" as [{'Breaching' if terms.missing == 'breaching' else 'NonBreaching'}]."
        )
    breaches, words = COMPARISONS[terms.comparison]
    alarm = judgement.state == ALARM
    shown = [
        (point, at)
        for point, at in zip(judgement.used, times, strict=True)
        if breaches(point, terms.threshold) is alarm
    ]
    listed = ", ".join(f"{point!r} ({at})" for point, at in reversed(shown))
    negation = "" if alarm else "not "
    least = terms.needed if alarm else terms.periods - terms.needed + 1
    return (
        f"Threshold Crossed: {len(shown)} out of the last {_count(total, 'datapoint')} [{listed}]"
        f" {_were(len(shown))} {negation}{words} the threshold ({terms.threshold!r}) (minimum"
        f" {_count(least, 'datapoint')} for {before} -> {judgement.state} transition)."
    )


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _were(number: int) -> str:
    return "was" if number == 1 else "were"
