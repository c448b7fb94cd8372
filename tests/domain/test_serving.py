"""Who serves is said by weights and healthy targets, and by nothing else."""

from __future__ import annotations

import pytest

from quorumshift.domain.serving import Led, Serving, who_serves

ARN = "arn:aws:ecs:eu-west-1:123456789012:task-definition/app:"
REVISIONS = {"b1": f"{ARN}7", "b2": f"{ARN}7", "g1": f"{ARN}9", "g2": f"{ARN}9"}
EMPTY = "nobody serves: the production listener leads to green, which has no healthy target"


@pytest.mark.parametrize(
    ("led", "found"),
    [
        (
            (Led("blue", 100, ("b1", "b2")), Led("green", 0, ("g1",))),
            Serving("app:7 serves all traffic: 2 healthy targets", "app:7"),
        ),
        ((Led("green", 100, ()), Led("blue", 0, ("b1",))), Serving(EMPTY)),
        (
            (Led("blue", 90, ("b1",)), Led("green", 10, ())),
            Serving(
                "nobody serves 10 % of the traffic: the production listener leads to green, which "
                "has no healthy target"
            ),
        ),
        (
            (Led("blue", 90, ("b1",)), Led("green", 10, ("g1", "g2"))),
            Serving("app:7 (1 healthy target) and app:9 (2 healthy targets) serve together"),
        ),
        (
            (Led("blue", 100, ("x1",)),),
            Serving("what is no task of the service serves all traffic: 1 healthy target"),
        ),
        (
            (Led("green", 10, ("g1",)), Led("blue", 90, ("b1",))),
            Serving("app:7 (1 healthy target) and app:9 (1 healthy target) serve together"),
        ),
        (
            (Led("blue", 1, ("b1",)), Led("green", 999, ())),
            Serving(
                "nobody serves 99 % of the traffic: the production listener leads to green, which "
                "has no healthy target"
            ),
        ),
        ((), Serving("nobody serves: the production listener leads to no target group")),
    ],
)
def test_who_serves(led: tuple[Led, ...], found: Serving) -> None:
    assert who_serves(led, REVISIONS) == found
