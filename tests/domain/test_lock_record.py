"""Whose a task's protection is, and what is put back once our lock is given back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quorumshift.domain.lock_record import (
    MOST_MINUTES,
    SLACK_SECONDS,
    LockRecord,
    foreign_until,
    giving_back,
    locking,
    read_lock_record,
)

NOW = 1_790_000_000.0
HOURS = 7200.0
MINUTES = 120


@pytest.mark.parametrize("before", [None, NOW, NOW + 12.25])
def test_a_record_survives_the_way_through_a_tag(before: float | None) -> None:
    read = read_lock_record(LockRecord(NOW + HOURS, before).text())
    assert read is not None
    assert read.until == NOW + HOURS
    assert (read.before is None) is (before is None)
    assert (before or 0) <= (read.before or 0) < (before or 0) + 1


@pytest.mark.parametrize(
    "text",
    [None, "", "by hand", "until:x before:-", "until:1", "until:1 before:- ", "until:-1 before:-"],
)
def test_what_cannot_be_read_is_no_record_of_ours(text: str | None) -> None:
    assert read_lock_record(text) is None
    assert giving_back(read_lock_record(text), NOW + 60, NOW) is None


def test_a_lock_on_a_task_that_nobody_protected_ends() -> None:
    record = locking(None, None, NOW, MINUTES)
    assert record == LockRecord(NOW + HOURS)
    assert foreign_until(record, NOW + HOURS + 3) is None
    assert giving_back(record, NOW + HOURS + 3, NOW + 600) == 0


def test_a_protection_that_ends_too_early_is_extended_and_put_back() -> None:
    theirs = NOW + 1800
    record = locking(None, theirs, NOW, MINUTES)
    assert record == LockRecord(NOW + HOURS, theirs)
    assert foreign_until(record, NOW + HOURS) == theirs
    assert giving_back(record, NOW + HOURS, NOW + 600) == 20
    assert giving_back(record, NOW + HOURS, NOW + 601) == 20, "never for less than it was"
    assert giving_back(record, NOW + HOURS, NOW + 1800) == 0


def test_a_protection_that_lasts_longer_is_left_alone() -> None:
    theirs = NOW + HOURS + 1
    assert locking(None, theirs, NOW, MINUTES) is None
    assert locking(LockRecord(NOW + 60), theirs, NOW, MINUTES) is None
    assert giving_back(None, theirs, NOW) is None


def test_a_renewal_remembers_what_was_before_the_first_lock() -> None:
    first = LockRecord(NOW + HOURS, NOW + 4000)
    again = locking(first, NOW + HOURS, NOW + 3600, MINUTES)
    assert again == LockRecord(NOW + 3600 + HOURS, NOW + 4000)
    late = locking(first, NOW + HOURS, NOW + 4000, MINUTES)
    assert late == LockRecord(NOW + 4000 + HOURS), "which has ended by then"


def test_a_task_that_protects_itself_meanwhile_keeps_that() -> None:
    record, theirs = LockRecord(NOW + HOURS), NOW + HOURS + 600
    assert foreign_until(record, theirs) == theirs
    assert giving_back(record, theirs, NOW + 600) is None
    assert locking(record, theirs, NOW + 3600, MINUTES) == LockRecord(NOW + 3600 + HOURS, theirs)


def test_a_task_that_unprotects_itself_meanwhile_is_locked_anew() -> None:
    record = LockRecord(NOW + HOURS, NOW + 3600)
    assert giving_back(record, None, NOW) is None
    assert locking(record, None, NOW + 60, MINUTES) == LockRecord(NOW + 60 + HOURS)


def test_two_minutes_between_the_record_and_what_ecs_tells_are_still_ours() -> None:
    record, until = LockRecord(NOW + HOURS), NOW + HOURS + SLACK_SECONDS
    assert foreign_until(record, until) is None
    assert foreign_until(record, until + 1) == until + 1
    theirs = LockRecord(NOW + HOURS, NOW + 3600)
    assert foreign_until(theirs, NOW + 3600 + SLACK_SECONDS) == NOW + 3600 + SLACK_SECONDS
    assert foreign_until(theirs, NOW + 3600 + SLACK_SECONDS + 1) == NOW + 3600


def test_what_ends_at_this_very_moment_has_ended() -> None:
    record = LockRecord(NOW + HOURS, NOW)
    assert giving_back(record, NOW, NOW) is None
    assert giving_back(LockRecord(NOW + HOURS), NOW, NOW) is None
    assert giving_back(LockRecord(NOW), NOW - 1, NOW) is None
    assert giving_back(record, NOW + HOURS, NOW) == 0
    assert locking(None, NOW, NOW, MINUTES) == LockRecord(NOW + HOURS)
    assert locking(None, NOW + HOURS, NOW, MINUTES) == LockRecord(NOW + HOURS, NOW + HOURS)


def test_no_longer_is_put_back_than_ecs_takes() -> None:
    most = MOST_MINUTES * 60
    record = LockRecord(NOW + most + HOURS, NOW + most + 600)
    assert giving_back(record, NOW + most + HOURS, NOW) == MOST_MINUTES
    assert giving_back(record, NOW + most + HOURS, NOW + 1200) == MOST_MINUTES - 10


@given(
    theirs=st.none() | st.floats(NOW + 1, NOW + MOST_MINUTES * 60),
    minutes=st.integers(60, MOST_MINUTES),
    later=st.floats(0, HOURS),
    delay=st.floats(0, SLACK_SECONDS),
)
def test_whoever_dies_between_the_calls_what_was_is_what_is_after(
    theirs: float | None, minutes: int, later: float, delay: float
) -> None:
    record = locking(None, theirs, NOW, minutes)
    if record is None:
        return
    read = read_lock_record(record.text())
    # It died before the lock: nothing is to be done, and the next one remembers the same.
    if theirs is not None:
        assert giving_back(read, theirs, NOW) is None
        again = locking(read, theirs, NOW, minutes)
        assert again is not None
        assert again.before == theirs
    # It was locked: there is something to give back, unless that would change next to nothing.
    until, then = NOW + delay + minutes * 60, NOW + later
    if until <= then:
        return
    back = giving_back(read, until, then)
    if theirs is None:
        assert back == 0
    elif back is not None:
        end = then + back * 60 if back else then
        assert max(theirs, then) - 1 <= end <= max(theirs, then) + 61
        # It died before the record was taken away: there is nothing more to give back.
        assert back == 0 or giving_back(read, end, then) is None
    else:
        assert until <= theirs + SLACK_SECONDS + 1
    # It died in a renewal, whose record stands, and whose lock does not: it is still ours.
    renewed = locking(read, until, then, minutes)
    if renewed is not None and back == 0:
        assert giving_back(read_lock_record(renewed.text()), until, then) == 0
