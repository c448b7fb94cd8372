"""Scaling is suspended for a deployment, and restored to what it was by who suspended it."""

from __future__ import annotations

import contextlib
import itertools
from typing import Any

import pytest

from quorumshift.adapters.aws.scaling import ServiceScaling
from quorumshift.domain.suspension import SUSPENSIONS, TAG, Suspension, read_suspension
from tests.adapters.one_target import OneTarget

IN, OUT, SCHEDULED = SUSPENSIONS
ALL = set(SUSPENSIONS)
STATES = [set(some) for many in range(4) for some in itertools.combinations(SUSPENSIONS, many)]


def scaling(target: OneTarget) -> ServiceScaling:
    return ServiceScaling(target.api, "c", "s")


@pytest.mark.parametrize("before", STATES)
@pytest.mark.parametrize("tells_arn", [True, False])
def test_what_was_suspended_before_is_what_is_suspended_after(
    before: set[str], tells_arn: bool
) -> None:
    target = OneTarget(*before, tells_arn=tells_arn)
    ours = scaling(target)
    for deployment in ("d-1", "d-2"):
        assert ours.suspend(deployment) is (before != ALL)
        assert target.suspended == ALL
        assert not ours.suspend(deployment), "twice is once"
        assert ours.suspended_for() == deployment
        assert ours.resume(deployment) is (before != ALL)
        assert (target.suspended, target.tags) == (before, {})
        assert not ours.resume(deployment)
        assert ours.suspended_for() is None


@pytest.mark.parametrize("before", STATES)
def test_who_suspended_nothing_restores_nothing(before: set[str]) -> None:
    """As on-call did before a request that is then refused."""
    target = OneTarget(*before)
    assert not scaling(target).resume("d-1")
    assert not scaling(target).resume(None)
    assert target.suspended == before
    assert target.api.asked("register_scalable_target") == []


def test_a_deployment_that_was_overtaken_restores_nothing() -> None:
    target = OneTarget(OUT)
    ours = scaling(target)
    ours.suspend("d-1")  # and whoever should have restored it has died
    ours.suspend("d-2")
    assert not ours.resume("d-1")
    assert target.suspended == ALL
    assert ours.resume("d-2")
    assert target.suspended == {OUT}, "what was before the first"


def test_what_somebody_let_go_on_meanwhile_goes_on() -> None:
    target = OneTarget(OUT, SCHEDULED)
    scaling(target).suspend("d-1")
    target.suspended = {IN, SCHEDULED}  # somebody needed more tasks
    scaling(target).resume("d-1")
    assert target.suspended == {SCHEDULED}


@pytest.mark.parametrize("deed", ["suspend", "resume"])
@pytest.mark.parametrize("before", STATES)
def test_a_death_between_any_two_calls_loses_nothing(before: set[str], deed: str) -> None:
    """Whatever comes next, suspend or restore: in the end it is as it was before."""
    for dies_at in range(1, 5):
        target = OneTarget(*before)
        if deed == "resume":
            scaling(target).suspend("d-1")
        answers = target.api.answers
        target.api.answers = dying(answers, dies_at)
        with contextlib.suppress(MemoryError):
            getattr(scaling(target), deed)("d-1")
        target.api.answers = answers
        if deed == "suspend":
            scaling(target).suspend("d-2")
        scaling(target).resume(None)
        assert (target.suspended, target.tags) == (before, {}), dies_at


def dying(answers: dict[str, Any], at: int) -> dict[str, Any]:
    """The function dies before its ``at``-th call."""
    calls = itertools.count(1)

    def before(answer: Any) -> Any:
        def call(**given: Any) -> Any:
            if next(calls) == at:
                raise MemoryError
            return answer(**given)

        return call

    return {name: before(answer) for name, answer in answers.items()}


def test_a_service_that_does_not_scale_is_left_alone() -> None:
    target = OneTarget(scales=False)
    ours = scaling(target)
    assert not ours.suspend("d-1")
    assert not ours.resume("d-1")
    assert ours.suspended_for() is None
    assert [name for name, _ in target.api.calls] == ["describe_scalable_targets"] * 3


@pytest.mark.parametrize("text", [None, "", "d-1", "d-1 before:x", " before:i", "by hand"])
def test_a_record_that_cannot_be_read_is_none_of_ours(text: str | None) -> None:
    assert read_suspension(text) is None
    target = OneTarget(IN)
    target.tags = {TAG: text or ""}
    assert not scaling(target).resume(None)
    assert target.suspended == {IN}


@pytest.mark.parametrize("before", STATES)
def test_a_record_survives_the_way_through_a_tag(before: set[str]) -> None:
    record = Suspension("d-ABC123DEF", frozenset(before))
    assert read_suspension(record.text()) == record
