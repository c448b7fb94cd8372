"""No deployment begins while votes are being moved; who moves them says what is done about it."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from quorumshift.domain.errors import DeploymentActive, Transient
from quorumshift.usecases.beginning import WAIT_SECONDS, Beginning


class Moving:
    """What runs at each look, the last for ever; and a clock that its looks are made by.
    ``own``: the deployment that the execution has started already."""

    def __init__(self, looks: Sequence[tuple[str, ...]], own: str | None = None) -> None:
        self._looks, self._own = list(looks), own
        self.asked: list[tuple[str, str]] = []
        self.seconds = 1000.0

    def running(self) -> tuple[str, ...]:
        return self._looks.pop(0) if len(self._looks) > 1 else self._looks[0]

    def of_execution(self, execution: str, since: str) -> str | None:
        self.asked.append((execution, since))
        return self._own

    def now(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        assert seconds > 0
        self.seconds += seconds


def wait(world: Moving) -> float:
    """Seconds that it took."""
    before = world.seconds
    beginning = Beginning(world, world, world)  # type: ignore[arg-type] # the few methods it calls
    beginning.wait_until_votes_rest("e-1", "2026-11-22")
    return world.seconds - before


def test_where_nothing_moves_it_begins_at_once() -> None:
    world = Moving([()])
    assert wait(world) == 0
    assert world.asked == []


def test_who_has_begun_before_goes_on_whatever_moves() -> None:
    world = Moving([("hand-over-d-1",)], own="d-1")
    assert wait(world) == 0
    assert world.asked == [("e-1", "2026-11-22")]


def test_votes_that_are_put_in_order_are_waited_for() -> None:
    busy = ("reconcile-1",)
    assert 0 < wait(Moving([busy, busy, busy, ()])) < WAIT_SECONDS


def test_what_takes_longer_passes_and_is_tried_again() -> None:
    world = Moving([("reconcile-1",)])
    with pytest.raises(Transient, match="reconcile-1 of hand_over is putting the votes in order"):
        wait(world)
    assert world.seconds == 1000 + WAIT_SECONDS


@pytest.mark.parametrize("others", [(), ("reconcile-1",)])
def test_an_earlier_deployment_that_still_moves_votes_refuses(others: tuple[str, ...]) -> None:
    """Also where votes are put in order beside it, whichever is listed or would be sorted first."""
    for mover in ("back-d-1", "way-back-d-1"):
        for running in ((*others, mover), (mover, *others)):
            world = Moving([running])
            with pytest.raises(
                DeploymentActive, match=f"{mover} of hand_over still moves the vote"
            ):
                wait(world)
            assert world.seconds == 1000


def test_one_that_begins_while_votes_are_put_in_order_refuses_too() -> None:
    with pytest.raises(DeploymentActive, match="hand-over-d-2"):
        wait(Moving([("reconcile-1",), ("reconcile-1",), ("hand-over-d-2",)]))
