"""What differs between two revisions, and what of it is shown."""

from __future__ import annotations

from typing import Any

import pytest

from quorumshift.domain.revision_changes import Change, changes
from quorumshift.domain.shift import Step, at_once, canary, linear


def revision(**container: Any) -> dict[str, Any]:
    app = {"name": "app", "image": "app:1", "environment": [], **container}
    return {"family": "app", "cpu": "256", "containerDefinitions": [app]}


def test_the_same_has_no_changes() -> None:
    assert changes(revision(), revision()) == ()


@pytest.mark.parametrize(
    ("container", "change"),
    [
        ({"image": "app:2"}, Change("app.image", "app:1", "app:2")),
        ({"stopTimeout": 30}, Change("app.stopTimeout", None, "30")),
        ({"command": ["--name", "ü"]}, Change("app.command", None, '["--name", "ü"]')),
        (
            {"portMappings": [{"containerPort": 80}]},
            Change("app.portMappings", None, '[{"containerPort": 80}]'),
        ),
        ({"command": ["a", "b"]}, Change("app.command", None, '["a", "b"]')),
        (
            {"environment": [{"name": "URL", "value": "postgres://me:secret@db"}]},
            Change("app.environment.URL", None, "…"),
        ),
        (
            {"secrets": [{"name": "TOKEN", "valueFrom": "arn:1"}]},
            Change("app.secrets.TOKEN", None, "arn:1"),
        ),
    ],
)
def test_what_is_new_in_a_container(container: dict[str, Any], change: Change) -> None:
    assert changes(revision(), revision(**container)) == (change,)
    (back,) = changes(revision(**container), revision())
    assert (back.what, back.before, back.after) == (change.what, change.after, change.before)


def test_a_value_of_the_environment_is_never_shown() -> None:
    one = revision(environment=[{"name": "A", "value": "old"}])
    other = revision(environment=[{"name": "A", "value": "new"}, {"name": "B", "value": "more"}])
    assert changes(one, other) == (
        Change("app.environment.A", "…", "…"),
        Change("app.environment.B", None, "…"),
    )


def test_a_container_that_is_new_is_named() -> None:
    two = revision()
    two["containerDefinitions"].append({"name": "log", "image": "log:1"})
    (change,) = changes(revision(), two)
    assert change.what == "log"
    assert change.before is None


def test_what_stands_beside_the_containers() -> None:
    assert changes(revision(), {**revision(), "cpu": "512"}) == (Change("cpu", "256", "512"),)


def test_what_is_empty_is_as_good_as_missing() -> None:
    (change,) = changes(revision(command=[]), revision(command=["a"]))
    assert change == Change("app.command", None, '["a"]')


def test_changes_are_in_the_order_of_their_places() -> None:
    letters = "qwertyuiopasdfghjkl"
    found = changes({}, dict.fromkeys(letters, 1))
    assert [change.what for change in found] == sorted(letters)


def test_the_traffic_moves_in_steps() -> None:
    assert linear(10, 1)[0] == Step(10, 0)
    assert linear(10, 1)[-1] == Step(100, 9)
    assert len(linear(10, 1)) == 10
    assert linear(30, 2) == (Step(30, 0), Step(60, 2), Step(90, 4), Step(100, 6))
    assert canary(10, 5) == (Step(10, 0), Step(100, 5))
    assert at_once() == (Step(100, 0),)
