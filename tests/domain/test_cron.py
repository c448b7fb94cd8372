"""``cron(…)`` as EventBridge Scheduler reads it, and refuses it."""

from __future__ import annotations

from datetime import date, time, timedelta

import pytest

from quorumshift.domain.cron import read_cron


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ("0 4 1 * * *", "day of the month (field 3) or a day of the week (field 5)"),
        ("0 4 ? * ? *", "EventBridge Scheduler refuses both, and neither"),
        ("0 4 * * MON-FRI *", "not '*' and 'MON-FRI'"),
        ("99 99 * * ? *", "0 to 59 as minutes (field 1), not '99'"),
        ("0 24 * * ? *", "0 to 23 as hours (field 2)"),
        ("0 4 0 * ? *", "1 to 31 as days of the month (field 3)"),
        ("0 4 32 * ? *", "1 to 31 as days of the month"),
        ("0 4 1 13 ? *", "1 to 12 or JAN to DEC as months (field 4)"),
        ("0 4 ? * 0 *", "1 to 7 or SUN to SAT as days of the week (field 5)"),
        ("0 4 ? * MONDAY *", "1 to 7 or SUN to SAT"),
        ("0 4 * * ? 1969", "1970 to 2199 as years (field 6)"),
        ("0 4 * * ? 2200", "1970 to 2199"),
        ("? 4 * * ? *", "minutes (field 1), not '?'"),
        ("0/0 4 * * ? *", "step by 1 to 59"),
        ("0/60 4 * * ? *", "step by 1 to 59"),
        ("*/x 4 * * ? *", "step by 1 to 59"),
        ("0, 4 * * ? *", "minutes (field 1), not '0,'"),
        ("*,5 4 * * ? *", "minutes (field 1), not '*,5'"),
        ("0 -4 * * ? *", "hours (field 2), not '-4'"),
        ("30-10 4 * * ? *", "smaller number"),
        ("0 4 ? * FRI-MON *", "two ranges with a comma"),
        ("0 4 L-3 * ? *", "days of the month"),
        ("0 4 W * ? *", "days of the month"),
        ("0 4 ? * 3#6 *", "1st to the 5th"),
        ("0 4 ? * 3#1,6#3 *", "1st to the 5th"),
        ("0 4 * * ?", "six fields"),
        ("0 4 * * ? * *", "six fields"),
    ],
)
def test_what_scheduler_refuses_is_refused_with_its_rule(fields: str, says: str) -> None:
    with pytest.raises(ValueError, match=r"^must ") as caught:
        read_cron(f"cron({fields})")
    assert says in str(caught.value)


@pytest.mark.parametrize("text", ["", "rate(5 minutes)", "cron", "cron(0 4 * * ? *", "0 4 * * ? *"])
def test_what_is_no_cron_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="six fields"):
        read_cron(text)


@pytest.mark.parametrize(
    ("fields", "days"),
    [
        ("0 4 ? * MON-FRI *", [2, 3, 4, 5, 6, 9, 10, 11, 12, 13, 16, 17, 18, 19, 20]),
        ("0 4 ? * 1 *", [1, 8, 15]),
        ("0 4 ? * sun,TUE-WED *", [1, 3, 4, 8, 10, 11, 15, 17, 18]),
        ("0 4 1,10-12,18/2 * ? *", [1, 10, 11, 12, 18, 20]),
        ("0 4 */7 3 ? 2026", [1, 8, 15]),
        ("0 4 L * ? *", []),
        ("0 4 ? * L *", [7, 14]),
        ("0 4 ? * 3#2 *", [10]),
        ("0 4 ? * TUE#1 *", [3]),
        ("0 4 14W * ? *", [13]),
        ("0 4 1W * ? *", [2]),
        ("0 4 * APR ? *", []),
    ],
)
def test_the_days_of_the_first_weeks_of_march_2026(fields: str, days: list[int]) -> None:
    """The 1st is a Sunday."""
    found = read_cron(f"cron({fields})")
    assert [day for day in range(1, 21) if found.falls_on(date(2026, 3, day))] == days


@pytest.mark.parametrize(
    ("fields", "days"),
    [("0 4 L * ? *", [28]), ("0 4 ? * 6L *", [27]), ("0 4 28W * ? *", [27]), ("0 4 31W * ? *", [])],
)
def test_the_end_of_february_2026(fields: str, days: list[int]) -> None:
    """The 28th is a Saturday, and no weekday of March is near enough."""
    found, begin = read_cron(f"cron({fields})"), date(2026, 2, 20)
    all_of_it = (begin + timedelta(days=after) for after in range(12))
    assert [day.day for day in all_of_it if found.falls_on(day)] == days


def test_the_times_of_a_day() -> None:
    assert read_cron("cron(0/20,5 3-4 * * ? *)").times() == tuple(
        time(hour, minute) for hour in (3, 4) for minute in (0, 5, 20, 40)
    )
