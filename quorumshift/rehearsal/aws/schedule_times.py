"""When a schedule fires: EventBridge Scheduler's ``rate()``, ``cron()`` and ``at()``.

Grammar and behaviour are the EventBridge Scheduler User Guide's ("Schedule types"): a time that
does not exist, because the clocks go forward, is skipped; one that comes twice fires the first time
alone.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from quorumshift.domain.cron import Cron, read_cron
from quorumshift.rehearsal.aws.loud import Refused

_FORM = re.compile(r"(rate|cron|at)\((.+)\)")
_RATE = re.compile(r"([1-9][0-9]*)\s+(minute|hour|day)s?")
_UNITS = {"minute": 60, "hour": 3600, "day": 86400}
_YEARS_AHEAD = 9
"""From one 29th of February to the next at the turn of a century that has none."""


@dataclass(frozen=True, slots=True)
class Times:
    """``seconds``: of a rate. ``once``: of ``at()``. ``cron``: of ``cron()``, in ``zone``."""

    zone: ZoneInfo
    seconds: int = 0
    once: datetime | None = None
    cron: Cron | None = None

    def first(self, created: datetime) -> datetime | None:
        """The first time. A rate without a start date begins at once."""
        return created if self.seconds else self.after(created)

    def after(self, moment: datetime) -> datetime | None:
        """The next time after ``moment`` (aware); ``None`` when there is none."""
        if self.seconds:
            return moment + timedelta(seconds=self.seconds)
        if self.cron is not None:
            return self._next(self.cron, moment)
        return self.once if self.once and self.once > moment else None

    def _next(self, cron: Cron, moment: datetime) -> datetime | None:
        day = moment.astimezone(self.zone).date()
        for _ in range(366 * _YEARS_AHEAD):
            if cron.falls_on(day):
                for time in cron.times():
                    local = datetime.combine(day, time, self.zone)
                    at = local.astimezone(UTC)
                    if at > moment and at.astimezone(self.zone).time() == time:
                        return at
            day += timedelta(days=1)
        return None


def parse(expression: str, zone: str = "UTC") -> Times:
    """Read a schedule's expression. Raises :class:`Refused` for what AWS would refuse."""
    found = _FORM.fullmatch(expression.strip())
    if found is None:
        raise Refused(f"the schedule expression {expression!r} is none of rate, cron and at")
    where = ZoneInfo(zone or "UTC")
    try:
        if found[1] == "cron":
            return Times(where, cron=read_cron(expression))
        if found[1] == "at":
            return Times(where, once=datetime.fromisoformat(found[2]).replace(tzinfo=where))
    except ValueError as error:
        raise Refused(f"the schedule expression {expression!r} {error}") from None
    rate = _RATE.fullmatch(found[2].strip())
    if rate is None:
        raise Refused(f"the rate {expression!r} is no number of minutes, hours or days")
    return Times(where, seconds=int(rate[1]) * _UNITS[rate[2]])
