"""What a deployment would do, as a page."""

from __future__ import annotations

from dataclasses import replace

from quorumshift.domain.preview import Preview
from quorumshift.domain.revision_changes import Change
from quorumshift.domain.shift import at_once, canary, linear
from quorumshift.report.preview import as_text

PREVIEW = Preview(
    before="arn:aws:ecs:r:1:task-definition/app:3",
    after=None,
    image="app@sha256:2",
    changes=(Change("app.image", "app@sha256:1", "app@sha256:2"),),
    config="CodeDeployDefault.ECSLinear10PercentEvery1Minutes",
    steps=linear(10, 1),
    termination_minutes=5,
    hand_over="green votes, in 14 steps; tolerance never below 1; leadership moves once",
)


def test_the_whole_page() -> None:
    assert as_text(PREVIEW).splitlines() == [
        "from       app:3",
        "to         a new revision",
        "changes    app.image: app@sha256:1 → app@sha256:2",
        "traffic    green 10 % at once, 10 % more every 1 min, 100 % after 9 min",
        "           (CodeDeployDefault.ECSLinear10PercentEvery1Minutes)",
        "blue       ends 5 min after the last step",
        "votes      green votes, in 14 steps; tolerance never below 1; leadership moves once",
    ]


def test_what_refuses_it_stands_at_the_end() -> None:
    page = as_text(replace(PREVIEW, notes=("look",), refusals=("d-1 is under way",)))
    assert page.splitlines()[-2:] == ["note       look", "REFUSED    d-1 is under way"]


def test_changes_of_every_kind() -> None:
    some = (
        Change("app.environment.A", "…", "…"),
        Change("app.environment.B", None, "…"),
        Change("app.cpu", "1", None),
    )
    page = as_text(replace(PREVIEW, changes=some, steps=canary(10, 5)))
    assert "changes    app.environment.A: changed" in page
    assert "           app.environment.B: added (…)" in page
    assert "           app.cpu: removed (1)" in page
    assert "green 10 % at once, 100 % after 5 min" in page


def test_nothing_changes_or_nobody_knows_yet() -> None:
    assert "the same revision is deployed again" in as_text(replace(PREVIEW, changes=()))
    assert "once it is built" in as_text(replace(PREVIEW, changes=None))


def test_all_at_once() -> None:
    assert "traffic    all to green at once (" in as_text(replace(PREVIEW, steps=at_once()))
