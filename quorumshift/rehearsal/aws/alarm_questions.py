"""What an alarm asks: its metric and its terms, if the rehearsal knows them all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from quorumshift.rehearsal.aws.alarm_states import COMPARISONS, MARGIN, TREATMENTS, Terms
from quorumshift.rehearsal.aws.metrics import STATISTICS, Dimensions

MINUTE = 60


class CannotEvaluate(ValueError):
    """What of the alarm the rehearsal does not know."""


@dataclass(frozen=True, slots=True)
class Question:
    """An alarm's metric and terms, read and found good. ``minutes``: the period's length."""

    namespace: str
    metric: str
    dimensions: Dimensions
    statistic: str
    minutes: int
    terms: Terms

    @property
    def ages(self) -> range:
        """The periods to look at, the oldest first; 0 is the one that is just over."""
        return range(self.terms.periods + MARGIN - 1, -1, -1)


def read(alarm: Any) -> Question:
    """Raises :class:`CannotEvaluate`."""
    if alarm.rule is not None:
        raise CannotEvaluate("it is a composite alarm")
    if alarm.metric_data_queries or not alarm.metric_name:
        raise CannotEvaluate("it uses metric math")
    if alarm.extended_statistic or alarm.statistic not in STATISTICS:
        raise CannotEvaluate(f"its statistic is {alarm.extended_statistic or alarm.statistic}")
    if alarm.comparison_operator not in COMPARISONS:
        raise CannotEvaluate(f"its comparison is {alarm.comparison_operator}")
    if not alarm.period or int(alarm.period) % MINUTE:
        raise CannotEvaluate(f"its period of {alarm.period} s is no whole number of minutes")
    missing = alarm.treat_missing_data or "missing"
    if missing not in TREATMENTS:
        raise CannotEvaluate(f"it treats missing data as {missing}")
    periods = int(alarm.evaluation_periods)
    needed = int(alarm.datapoints_to_alarm or periods)
    return Question(
        alarm.namespace,
        alarm.metric_name,
        frozenset((one.name, one.value) for one in alarm.dimensions),
        alarm.statistic,
        int(alarm.period) // MINUTE,
        Terms(alarm.comparison_operator, float(alarm.threshold), periods, needed, missing),
    )
