"""How a service stands, as a page."""

from __future__ import annotations

from typing import Any

from quorumshift.domain.health import assess
from quorumshift.domain.policy import Policy
from quorumshift.report.history import as_text as history
from quorumshift.report.status import as_text, verdict_as_text
from tests.domain.strategies import fleet

RECORD = {
    "execution": "one",
    "executionArn": "arn:aws:states:eu-west-1:123456789012:execution:app-deploy:one",
    "ending": "rolledBack",
    "state": "PollDeployment",
    "cause": "an alarm rang.",
    "request": {"image": "v2", "initiator": "ada"},
    "revision": None,
    "started": "2026-11-23T06:48:40Z",
    "seconds": 75.0,
}
FOUND: dict[str, Any] = {
    "service": "app",
    "serving": {"taskDefinition": "arn:aws:ecs:r:1:task-definition/app:3", "image": "app:v1"},
    "deployment": None,
    "execution": None,
    "last": RECORD,
    "cluster": {"reasons": ["All is well."]},
    "locks": [],
    "trouble": "",
}


def test_nothing_is_under_way() -> None:
    assert as_text(FOUND).splitlines() == [
        "service    app",
        "serves     app:3, app:v1",
        "deployment none is under way",
        "last       one, 2026-11-23T06:48:40Z: rolled back. an alarm rang.",
        "cluster    All is well.",
        "locks      none",
    ]


def test_a_roll_back_is_under_way() -> None:
    deployment = {
        "id": "d-2",
        "stage": None,
        "undoes": "d-1",
        "traffic": {"blue": 90.0, "green": 10.0},
    }
    lock = {"address": "10.0.0.1", "task": "t", "until": 1795416520.0, "ours": True}
    locks = [lock, {**lock, "address": "10.0.0.2", "ours": False}]
    found = {**FOUND, "deployment": deployment, "execution": RECORD, "last": None, "locks": locks}
    page = as_text(found)
    assert "deployment d-2 at its beginning, rolls d-1 back\n" in page
    assert "traffic    blue 90 %, green 10 %\n" in page
    assert "execution  one at PollDeployment for 1:15: image v2, asked by ada; " in page
    assert f"executions/details/{RECORD['executionArn']}\n" in page
    until = "until 2026-11-23T06:48:40Z"
    assert f"locks      10.0.0.1 {until}, 10.0.0.2 {until} (not ours)" in page
    assert "last" not in page


def test_a_cluster_that_nobody_can_ask() -> None:
    found = {**FOUND, "cluster": None, "locks": None, "trouble": "no reply"}
    page = as_text(found)
    assert page.endswith("cluster    unknown: no reply")


def test_an_execution_that_has_no_deployment_yet() -> None:
    page = as_text({**FOUND, "execution": RECORD, "last": None})
    assert "deployment none is under way\nexecution  one at PollDeployment" in page
    assert "last" not in page


def test_a_verdict_while_a_deployment_is_under_way() -> None:
    page = verdict_as_text(assess(fleet(3, 0), Policy()), "d-1")
    assert page.endswith("\n  deployment d-1 is under way: another one is refused")


def test_the_first_deployment_of_all() -> None:
    assert "last       nothing was ever deployed" in as_text({**FOUND, "last": None})


def test_history_is_a_table() -> None:
    row = {**RECORD, "revision": {"to": "arn:aws:ecs:r:1:task-definition/app:4"}}
    assert history([row, RECORD]).splitlines() == [
        "started              outcome      revision  took  asked by  execution",
        "2026-11-23 06:48:40  Rolled back  app:4     1:15  ada       one",
        "2026-11-23 06:48:40  Rolled back  image v2  1:15  ada       one",
    ]
