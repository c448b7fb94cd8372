"""``cron(…)`` as EventBridge Scheduler reads it, and refuses it."""

from __future__ import annotations

from datetime import date, time, timedelta

import pytest

from quorumshift.domain.cron import Cron, Days, read_cron


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


def test_each_field_has_the_values_that_scheduler_gives_it() -> None:
    all_of_them = Cron(
        minutes=frozenset(range(60)),
        hours=frozenset(range(24)),
        months=frozenset(range(1, 13)),
        years=frozenset(range(1970, 2200)),
        days=Days(of_month=frozenset(range(1, 32))),
    )
    assert read_cron("cron(* * * * ? *)") == all_of_them
    assert read_cron("cron(0-59 0-23 1-31 1-12 ? 1970-2199)") == all_of_them
    assert read_cron("cron(0 0 ? 1 1-7 1970)").days == Days(of_week=frozenset(range(1, 8)))
    assert read_cron("cron(0 0 ? 1 * 1970)").days == Days(of_week=frozenset(range(1, 8)))


@pytest.mark.parametrize(
    ("names", "field"),
    [("JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC", 3), ("SUN MON TUE WED THU FRI SAT", 4)],
)
def test_names_stand_for_their_numbers(names: str, field: int) -> None:
    for number, name in enumerate(names.split(), 1):
        said, meant = (["0", "0", "?", "1", "1", "2026"] for _ in "12")
        said[field], meant[field] = name.lower(), str(number)
        assert read_cron(f"cron({' '.join(said)})") == read_cron(f"cron({' '.join(meant)})")


@pytest.mark.parametrize(
    ("hours", "values"),
    [
        ("7", {7}),
        ("7-7", {7}),
        ("20/2", {20, 22}),
        ("20/3", {20, 23}),
        ("3-9/3", {3, 6, 9}),
        ("*/23", {0, 23}),
        ("1,3-4,22/1", {1, 3, 4, 22, 23}),
    ],
)
def test_ranges_steps_and_lists(hours: str, values: set[int]) -> None:
    assert read_cron(f"cron(0 {hours} * * ? *)").hours == values


@pytest.mark.parametrize(
    "hours", ["*/24", "7/0", "7/", "24", "7-24", "8-7", "00007", "*-5", "1-2-3"]
)
def test_what_no_hour_can_be(hours: str) -> None:
    with pytest.raises(ValueError, match=r"hours \(field 2\)"):
        read_cron(f"cron(0 {hours} * * ? *)")


def dates(fields: str, year: int, month: int) -> list[int]:
    """The days of a month on which it falls."""
    found = read_cron(f"cron(0 4 {fields} *)")
    length = (date(year + month // 12, month % 12 + 1, 1) - date(year, month, 1)).days
    return [day for day in range(1, length + 1) if found.falls_on(date(year, month, day))]


@pytest.mark.parametrize(
    ("fields", "year", "month", "days"),
    [
        ("1W * ?", 2026, 8, [3]),  # a Saturday, and what is before it is of another month
        ("1W * ?", 2026, 3, [2]),  # a Sunday
        ("2W * ?", 2026, 8, [3]),  # a Sunday
        ("2W * ?", 2026, 5, [1]),  # a Saturday
        ("15W * ?", 2026, 6, [15]),  # a Monday
        ("31W * ?", 2026, 5, [29]),  # a Sunday, and what is after it is of another month
        ("30W * ?", 2026, 5, [29]),  # a Saturday
        ("30W * ?", 2026, 8, [31]),  # a Sunday
        ("31W * ?", 2026, 6, []),
        ("30W * ?", 2026, 4, [30]),  # a Thursday, the last of the month
        ("L * ?", 2028, 2, [29]),
        ("? * 5L", 2026, 4, [30]),  # the last Thursday is the last day
        ("? * 6L", 2026, 4, [24]),  # the last Friday is a week before the month's last days
        ("? * 4#5", 2026, 4, [29]),
        ("? * 6#5", 2026, 4, []),
        ("? * 4#1", 2026, 4, [1]),
        ("? * 3#1", 2026, 4, [7]),
        ("? * 3#2", 2026, 4, [14]),
    ],
)
def test_days_that_depend_on_the_month(fields: str, year: int, month: int, days: list[int]) -> None:
    assert dates(fields, year, month) == days


def test_only_in_the_months_and_years_that_it_names() -> None:
    found = read_cron("cron(0 4 1 3 ? 2026)")
    assert found.falls_on(date(2026, 3, 1))
    assert not found.falls_on(date(2026, 4, 1))
    assert not found.falls_on(date(2027, 3, 1))


def test_times_are_in_order_however_they_are_written() -> None:
    assert read_cron("cron(40,1 8,1 * * ? *)").times() == (
        time(1, 1),
        time(1, 40),
        time(8, 1),
        time(8, 40),
    )


@pytest.mark.parametrize("fields", ["? * FRIL", "? * 6L", "? * fril"])
def test_the_last_weekday_by_its_name(fields: str) -> None:
    assert dates(fields, 2026, 4) == [24]


@pytest.mark.parametrize(("which", "day"), [(1, 3), (2, 10), (3, 17), (4, 24), (5, 31)])
def test_which_tuesday(which: int, day: int) -> None:
    assert dates(f"? * TUE#{which}", 2026, 3) == [day]


def test_a_step_may_stand_in_a_list_and_is_smaller_than_the_field() -> None:
    assert read_cron("cron(*/20,5 4 * * ? *)").minutes == {0, 5, 20, 40}
    assert read_cron("cron(0 4 */30 * ? *)").days.of_month == {1, 31}
    with pytest.raises(ValueError, match="step by 1 to 30"):
        read_cron("cron(0 4 */31 * ? *)")
