"""AWS out of order: functions get no answer, others do, and it ends."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from quorumshift.rehearsal.aws.outage import UNAVAILABLE, Outage
from quorumshift.rehearsal.faults import parse_fault
from tests.rehearsal.fleet import Fleet


@pytest.mark.parametrize(
    ("text", "seconds", "name"),
    [
        ("api-outage", 600, "api-outage"),
        ("api-outage@before", 600, "api-outage@before"),
        ("api-outage@promote-2:240", 240, "api-outage@promote-2:240"),
        ("stop@promote-2", 0, "stop@promote-2"),
    ],
)
def test_how_long_it_lasts_can_be_said(text: str, seconds: int, name: str) -> None:
    fault = parse_fault(text)
    assert (fault.seconds, fault.name) == (seconds, name)


def test_functions_alone_get_no_answer_until_it_is_over(tmp_path: Path) -> None:
    fleet = Fleet(tmp_path)
    try:
        world = fleet.world
        outage = Outage(world)
        assert outage.answer("sample-observe") is None
        outage.begin(world.speed * 0.2)
        assert outage.answer("sample-observe") == UNAVAILABLE
        assert outage.answer("") is None, "a person's call"
        began = time.monotonic()
        assert outage.end() == 1
        assert time.monotonic() - began < 5
        assert outage.answer("sample-observe") is None
    finally:
        fleet.close()
