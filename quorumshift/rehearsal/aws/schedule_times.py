"""When a schedule fires: EventBridge Scheduler's ``rate()``, ``cron()`` and ``at()``.

Grammar and behaviour are the EventBridge Scheduler User Guide's ("Schedule types"). ``L``, ``W``
and ``#`` of ``cron()`` are refused.
"""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from quorumshift.rehearsal.aws.loud import NotRehearsed

_FORM = re.compile(r"(rate|cron|at)\((.+)\)")
_UNITS = {"minute": 60, "hour": 3600, "day": 86400}
_DAY_NAMES = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_DAYS = {name: number for number, name in enumerate(_DAY_NAMES, 1)}
_MONTHS = {name.upper(): number for number, name in enumerate(calendar.month_abbr) if name}
_YEARS_AHEAD = 5


@dataclass(frozen=True, slots=True)
class Times:
    """``seconds``: of a rate. ``once``: of ``at()``. ``fields``: minutes, hours, days of the month,
    months, days of the week (1 is Sunday) and years of ``cron()``, in ``zone``."""

    zone: ZoneInfo
    seconds: int = 0
    once: datetime | None = None
    fields: tuple[frozenset[int], ...] = ()

    def first(self, created: datetime) -> datetime | None:
        """The first time. A rate without a start date begins at once."""
        return created if self.seconds else self.after(created)

    def after(self, moment: datetime) -> datetime | None:
        """The next time after ``moment`` (aware); ``None`` when there is none."""
        if self.seconds:
            return moment + timedelta(seconds=self.seconds)
        if self.once is not None:
            return self.once if self.once > moment else None
        return self._cron(moment)

    def _cron(self, moment: datetime) -> datetime | None:
        minutes, hours, days, months, weekdays, years = self.fields
        day = moment.astimezone(self.zone).date()
        for _ in range(366 * _YEARS_AHEAD):
            if (
                day.year in years
                and day.month in months
                and day.day in days
                and day.isoweekday() % 7 + 1 in weekdays
            ):
                for hour in sorted(hours):
                    for minute in sorted(minutes):
                        at = datetime.combine(day, time(hour, minute), self.zone).astimezone(UTC)
                        if at > moment:
                            return at
            day += timedelta(days=1)
        return None


def parse(expression: str, zone: str = "UTC") -> Times:
    """Read a schedule's expression. Raises :class:`NotRehearsed` for what is none, or not built."""
    found = _FORM.fullmatch(expression.strip())
    if found is None:
        raise NotRehearsed(f"the schedule expression {expression!r} is none of rate, cron and at")
    kind, inside = found[1], found[2].split()
    where = ZoneInfo(zone or "UTC")
    if kind == "rate":
        unit = inside[-1].removesuffix("s")
        if len(inside) != 2 or unit not in _UNITS or not inside[0].isdigit():
            raise NotRehearsed(f"the rate {expression!r} is no number of minutes, hours or days")
        return Times(where, seconds=int(inside[0]) * _UNITS[unit])
    if kind == "at":
        return Times(where, once=datetime.fromisoformat(found[2]).replace(tzinfo=where))
    if len(inside) != 6:
        raise NotRehearsed(f"{expression!r} must have six fields: it has {len(inside)}")
    return Times(
        where,
        fields=(
            _field(inside[0], 0, 59),
            _field(inside[1], 0, 23),
            _field(inside[2], 1, 31),
            _field(inside[3], 1, 12, _MONTHS),
            _field(inside[4], 1, 7, _DAYS),
            _field(inside[5], 1970, 2199),
        ),
    )


def _field(text: str, low: int, high: int, names: dict[str, int] | None = None) -> frozenset[int]:
    chosen: set[int] = set()
    for part in text.split(","):
        span, _, step = part.partition("/")
        start, dash, end = span.partition("-")
        if span in ("*", "?"):
            first, last = low, high
        else:
            first = _number(start, names)
            last = _number(end, names) if dash else (high if step else first)
        if not low <= first <= last <= high:
            raise NotRehearsed(f"the cron field {text!r} is not within {low} to {high}")
        chosen.update(range(first, last + 1, int(step or 1)))
    return frozenset(chosen)


def _number(text: str, names: dict[str, int] | None) -> int:
    if names and text.upper() in names:
        return names[text.upper()]
    if not text.isdigit():
        raise NotRehearsed(f"{text!r} in a cron field is not built in the rehearsal")
    return int(text)
