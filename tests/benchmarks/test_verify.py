"""The benchmark of an observation asks real nodes, dead ones among them."""

from __future__ import annotations

from benchmarks.verify import DEADLINE, Scene, missed, observations


def test_the_dead_are_waited_for_and_the_others_are_heard() -> None:
    (took,) = observations(Scene((5, 10), mute=1, unreachable=1), 1)
    assert took >= DEADLINE
    (took,) = observations(Scene((5, 10)), 1)
    assert took < DEADLINE


def test_a_goal_that_was_missed_once_is_missed() -> None:
    assert missed([0.11, 0.15], [1.0, 1.1], [0.5, 2.0]) == ()
    assert missed([0.11, 0.151], [1.0, 1.2], [0.5, 2.5]) == (
        "3 nodes took 151 ms (goal 150)",
        "9 nodes with 4 dead took 1,200 ms (goal 1,100)",
        "101 nodes took 2,500 ms (goal 2,000)",
    )
