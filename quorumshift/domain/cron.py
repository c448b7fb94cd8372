"""``cron(…)`` of EventBridge Scheduler: what it may say, and on which days and times that is.

Six fields: minutes, hours, days of the month, months, days of the week (1 is Sunday), years.
Grammar and limits are the EventBridge Scheduler User Guide's ("Schedule types", "Cron-based
schedules"). What it does not document is refused.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, time

_FORM = re.compile(r"cron\(([^()]*)\)")
_MONTHS = {name.upper(): number for number, name in enumerate(calendar.month_abbr) if name}
_WEEKDAYS = {
    name: number for number, name in enumerate(("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"), 1)
}


@dataclass(frozen=True, slots=True)
class _Field:
    """Its place in words, and the values that it may have."""

    what: str
    low: int
    high: int
    names: Mapping[str, int]


_MINUTES = _Field("minutes (field 1)", 0, 59, {})
_HOURS = _Field("hours (field 2)", 0, 23, {})
_DAYS = _Field("days of the month (field 3)", 1, 31, {})
_MONTH = _Field("months (field 4)", 1, 12, _MONTHS)
_WEEK = _Field("days of the week (field 5)", 1, 7, _WEEKDAYS)
_YEARS = _Field("years (field 6)", 1970, 2199, {})


_NONE: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Days:
    """Of a month or of a week. ``last``: ``L``; ``near``: ``15W``, the weekday nearest to that day
    in its month (0: not so); ``nth``: ``3#2``, the second Tuesday, or ``6L``, the last Friday:
    weekday and which one, 0 for the last."""

    of_month: frozenset[int] = _NONE
    of_week: frozenset[int] = _NONE
    last: bool = False
    near: int = 0
    nth: tuple[int, int] | None = None

    def include(self, day: date) -> bool:
        """Whether ``day`` is one of them."""
        length = calendar.monthrange(day.year, day.month)[1]
        weekday = day.isoweekday() % 7 + 1
        if self.last:
            return day.day == length
        if self.near:
            return day.day == _nearest_weekday(day, self.near, length)
        if self.nth is not None:
            wanted, which = self.nth
            there = (day.day - 1) // 7 + 1 == which if which else day.day > length - 7
            return weekday == wanted and there
        return day.day in self.of_month or weekday in self.of_week


@dataclass(frozen=True, slots=True)
class Cron:
    """The numbers that each field allows."""

    minutes: frozenset[int]
    hours: frozenset[int]
    months: frozenset[int]
    years: frozenset[int]
    days: Days

    def falls_on(self, day: date) -> bool:
        """Whether it fires on ``day``."""
        return day.year in self.years and day.month in self.months and self.days.include(day)

    def times(self) -> tuple[time, ...]:
        """At what times of such a day, in order."""
        return tuple(
            time(hour, minute) for hour in sorted(self.hours) for minute in sorted(self.minutes)
        )


def read_cron(expression: str) -> Cron:
    """Raises ``ValueError`` for what EventBridge Scheduler would refuse, with the rule."""
    found = _FORM.fullmatch(expression.strip())
    fields = found[1].upper().split() if found else []
    if len(fields) != 6:
        raise ValueError(
            "must be cron(…) with six fields: minutes, hours, day of the month, month, day of the "
            f"week and year, such as cron(0 4 ? * MON-FRI *), not {expression!r}"
        )
    minutes, hours, days, months, weekdays, years = fields
    if (days == "?") == (weekdays == "?"):
        raise ValueError(
            "must say a day of the month (field 3) or a day of the week (field 5), and ? for the "
            f"other, not {days!r} and {weekdays!r}: EventBridge Scheduler refuses both, and neither"
        )
    return Cron(
        minutes=_numbers(minutes, _MINUTES),
        hours=_numbers(hours, _HOURS),
        months=_numbers(months, _MONTH),
        years=_numbers(years, _YEARS),
        days=_of_week(weekdays) if days == "?" else _of_month(days),
    )


def _of_month(text: str) -> Days:
    if text == "L":
        return Days(last=True)
    if text.endswith("W"):
        return Days(near=_number(text[:-1], text, _DAYS))
    return Days(of_month=_numbers(text, _DAYS))


def _of_week(text: str) -> Days:
    weekday, numbered, which = text.partition("#")
    if numbered:
        if which not in ("1", "2", "3", "4", "5"):
            raise ValueError(f"must name the 1st to the 5th of a month after #, not {text!r}")
        return Days(nth=(_number(weekday, text, _WEEK), int(which)))
    if text == "L":
        return Days(of_week=frozenset({_WEEK.high}))
    if text.endswith("L"):
        return Days(nth=(_number(text[:-1], text, _WEEK), 0))
    return Days(of_week=_numbers(text, _WEEK))


def _numbers(text: str, field: _Field) -> frozenset[int]:
    """``*``, ``5``, ``1-5``, each of them with ``/2``, and lists of them."""
    chosen: set[int] = set()
    for part in text.split(","):
        span, stepped, step = part.partition("/")
        first, ranged, last = span.partition("-")
        if span == "*" and (stepped or part == text):
            low, high = field.low, field.high
        else:
            low = _number(first, text, field)
            high = field.high if stepped else low
            high = _number(last, text, field) if ranged else high
        if low > high:
            raise ValueError(
                f"must begin a range in {field.what} with the smaller number, not {text!r}; "
                "write two ranges with a comma between them"
            )
        chosen.update(range(low, high + 1, _step(step, text, field) if stepped else 1))
    return frozenset(chosen)


def _number(word: str, text: str, field: _Field) -> int:
    number = field.names.get(word, int(word) if re.fullmatch("[0-9]{1,4}", word) else -1)
    if not field.low <= number <= field.high:
        named = f" or {next(iter(field.names))} to {list(field.names)[-1]}" if field.names else ""
        raise ValueError(
            f"must have {field.low} to {field.high}{named} as {field.what}, not {text!r}"
        )
    return number


def _step(word: str, text: str, field: _Field) -> int:
    if not re.fullmatch("[0-9]{1,4}", word) or not 1 <= int(word) <= field.high - field.low:
        raise ValueError(
            f"must step by 1 to {field.high - field.low} in {field.what} after /, not {text!r}"
        )
    return int(word)


def _nearest_weekday(day: date, wanted: int, length: int) -> int:
    """The day of the month, Monday to Friday, nearest to ``wanted`` and in the same month."""
    if wanted > length:
        return 0
    weekday = day.replace(day=wanted).isoweekday()
    if weekday == 6:
        return wanted - 1 if wanted > 1 else wanted + 2
    if weekday == 7:
        return wanted + 1 if wanted < length else wanted - 2
    return wanted
