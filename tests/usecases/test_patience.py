"""What AWS does not answer is tried again while there is time for one more try."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from quorumshift.domain.errors import ChangeRefused, Transient
from quorumshift.usecases.patience import PAUSE_SECONDS, RESERVE_SECONDS, Patience


@dataclass
class Clock:
    time: float = 1000.0

    def now(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.time += seconds


@dataclass
class Context:
    """Of an invocation that has so many seconds left."""

    seconds: float

    def get_remaining_time_in_millis(self) -> int:
        return int(self.seconds * 1000)


@dataclass
class Silent:
    """Answers nothing for so many tries."""

    tries: int
    asked: int = 0

    def __call__(self) -> str:
        self.asked += 1
        if self.asked <= self.tries:
            raise Transient(f"no reply to try {self.asked}")
        return "done"


def test_it_lasts_as_long_as_the_invocation_but_for_a_reserve() -> None:
    assert Patience.of(Context(900), Clock()).until == 1000 + 900 - RESERVE_SECONDS


def test_without_an_invocation_there_is_one_try() -> None:
    clock, silent = Clock(), Silent(9)
    with pytest.raises(Transient, match="try 1"):
        Patience.of(None, clock).keep(silent)
    assert (silent.asked, clock.time) == (1, 1000)


def test_it_is_tried_again_after_a_pause_until_it_is_answered(
    capsys: pytest.CaptureFixture[str],
) -> None:
    clock, silent = Clock(), Silent(3)
    assert Patience(clock, until=2000).keep(silent) == "done"
    assert clock.time == 1000 + 3 * PAUSE_SECONDS
    assert "no reply to try 3" in capsys.readouterr().out


@pytest.mark.parametrize(("seconds", "tries"), [(0, 1), (10, 1), (11, 2), (30, 3), (31, 4)])
def test_no_try_begins_when_its_time_is_over(seconds: float, tries: int) -> None:
    clock, silent = Clock(), Silent(99)
    with pytest.raises(Transient, match=f"try {tries}"):
        Patience(clock, until=1000 + seconds).keep(silent)
    assert silent.asked == tries


def test_what_was_answered_with_no_is_not_tried_again() -> None:
    asked = []

    def refused() -> None:
        asked.append(1)
        raise ChangeRefused("never")

    with pytest.raises(ChangeRefused):
        Patience(Clock(), until=2000).keep(refused)
    assert len(asked) == 1
