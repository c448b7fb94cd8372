"""What a poll means."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from quorumshift.domain.data import from_json, to_json
from quorumshift.domain.health import assess
from quorumshift.domain.policy import Policy
from quorumshift.domain.rollout import (
    Alarm,
    Check,
    Decision,
    EndedBy,
    Progress,
    Rollout,
    RolloutObservation,
    Stage,
    StageStatus,
    TaskFailure,
    Traffic,
    failure_limit,
    interpret,
    judge,
)
from tests.domain.cluster_builder import cluster

POLICY = Policy(stabilisation_seconds=2, settle_deadline_seconds=10)
RUNNING = Rollout(
    "d-1",
    Progress.RUNNING,
    (Stage("BeforeInstall", StageStatus.DONE), Stage("AllowTraffic", StageStatus.RUNNING)),
    Traffic(70, 30),
)
DIED = TaskFailure("arn:t", "Essential container in task exited", 1)


def seen(**changes: Any) -> RolloutObservation:
    healthy = cluster()
    base = RolloutObservation(
        at=1000.0,
        waited=15,
        deadline=3600,
        rollout=RUNNING,
        cluster=healthy,
        verdict=assess(healthy, POLICY),
    )
    return replace(base, **changes)


def sick(at: float = 1000.0, **changes: Any) -> RolloutObservation:
    broken = cluster(down=("b2", "b3"), at=at)
    return seen(at=at, cluster=broken, verdict=assess(broken, POLICY), **changes)


def follow(*looks: RolloutObservation) -> RolloutObservation:
    previous = None
    for look in looks:
        previous = interpret(look, previous, POLICY)
    assert previous is not None
    return previous


def decision(look: RolloutObservation) -> tuple[str, str]:
    assert look.meaning is not None
    return look.meaning.decision.value, look.meaning.error


def test_a_rollout_that_goes_on_is_waited_for() -> None:
    assert decision(follow(seen())) == ("wait", "")


def test_a_rollout_that_succeeded_has_succeeded_whatever_else_is_seen() -> None:
    ended = replace(RUNNING, progress=Progress.SUCCEEDED)
    assert judge(sick(rollout=ended, waited=9999), POLICY).decision is Decision.SUCCEEDED


@pytest.mark.parametrize(("desired", "limit"), [(1, 3), (3, 3), (6, 3), (7, 4), (9, 5)])
def test_half_of_the_tasks_and_three_at_least_may_die(desired: int, limit: int) -> None:
    assert failure_limit(desired) == limit


def test_green_that_does_not_start_is_stopped_long_before_the_engine_would() -> None:
    assert decision(follow(seen(failures=(DIED,) * 2))) == ("wait", "")
    look = follow(seen(failures=(DIED,) * 3))
    assert decision(look) == ("danger", "TasksDoNotStart")
    assert look.meaning is not None
    assert "Essential container in task exited, exit code 1" in look.meaning.cause


def test_the_deadline_stops_it_and_says_where_it_stood() -> None:
    look = follow(seen(waited=3600))
    assert decision(look) == ("danger", "DeadlinePassed")
    assert look.meaning is not None
    assert "in AllowTraffic, 30 % of the traffic on green" in look.meaning.cause


def test_a_broken_cluster_is_danger_once_it_lasts_a_stabilisation_time() -> None:
    assert decision(follow(sick(1000))) == ("wait", "")
    assert decision(follow(sick(1000), sick(1001))) == ("wait", "")
    assert decision(follow(sick(1000), sick(1003))) == ("danger", "ClusterInDanger")


def blue_goes(left: int) -> RolloutObservation:
    """Green votes, one of it has just died, and so many blue tasks still run."""
    green = ("g1", "g2", "g3")
    found = cluster(("b1", "b2", "b3")[:left], green, voters=green, down=("g1",))
    found = replace(found, desired=3)
    done = replace(RUNNING, stages=(Stage("AfterAllowTraffic", StageStatus.DONE),))
    return seen(rollout=done, cluster=found, verdict=assess(found, POLICY))


def test_nothing_goes_back_to_a_blue_that_is_being_ended() -> None:
    """Its votes would be called home to tasks that are gone."""
    ringing = (Alarm("5xx", ringing=True, reason="so"),)

    def later(look: RolloutObservation) -> tuple[str, str]:
        look = replace(look, alarms=ringing, failures=(DIED, DIED, DIED))
        return decision(follow(look, replace(look, at=1060.0, waited=120)))

    assert later(blue_goes(left=1)) == later(blue_goes(left=0)) == ("wait", "")
    assert later(blue_goes(left=2))[0] == later(blue_goes(left=3))[0] == "danger"
    late = follow(replace(blue_goes(left=1), waited=3600))
    assert decision(late) == ("danger", "DeadlinePassed")


def test_an_alarm_stops_no_rollout_that_was_started_in_spite_of_alarms() -> None:
    ringing = (Alarm("slow", True, "2 datapoints over 1.0"),)
    ignored = replace(seen().rollout, ignores_alarms=True)
    looks = [seen(waited=waited, alarms=ringing, rollout=ignored) for waited in (15, 30, 300)]
    assert decision(follow(*looks)) == ("wait", "")
    assert follow(*looks).alarms == ringing


def test_a_look_that_is_well_again_ends_the_worry() -> None:
    assert decision(follow(sick(1000), seen(at=1001), sick(1003))) == ("wait", "")


def test_an_election_is_only_waited_for_until_the_settle_deadline() -> None:
    def election(at: float) -> RolloutObservation:
        voting = cluster(at=at, leader="nobody")
        return seen(at=at, cluster=voting, verdict=assess(voting, POLICY))

    assert decision(follow(election(1000), election(1009))) == ("wait", "")
    assert decision(follow(election(1000), election(1010))) == ("danger", "ClusterInDanger")


def test_while_the_votes_are_handed_over_a_bad_picture_may_last_longer() -> None:
    moving = replace(RUNNING, stages=(Stage("AfterAllowTraffic", StageStatus.RUNNING),))
    looks = [sick(1000, rollout=moving), sick(1005, rollout=moving), sick(1010, rollout=moving)]
    assert decision(follow(*looks[:2])) == ("wait", "")
    assert decision(follow(*looks)) == ("danger", "ClusterInDanger")


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"alarms": (Alarm("slow", True, "2 datapoints over 1.0"),)}, "AlarmRang"),
        ({"checks": (Check("AfterInstall", False, "no"),)}, "CheckFailed"),
    ],
)
def test_the_engine_has_a_minute_to_act_by_itself(changes: dict[str, Any], error: str) -> None:
    looks = [seen(waited=waited, **changes) for waited in (15, 30, 45, 60, 75)]
    assert decision(follow(*looks[:4])) == ("wait", "")
    assert decision(follow(*looks)) == ("danger", error)


def ended(by: EndedBy, **changes: Any) -> RolloutObservation:
    stopped = replace(RUNNING, progress=Progress.FAILED, ended_by=by, message="said (CODE)")
    return follow(seen(rollout=stopped, **changes))


def test_an_ended_rollout_is_explained_by_what_ended_it() -> None:
    said_no = Check("AfterInstall", False, "RuntimeError: boom")
    ringing = Alarm("slow", True, "2 datapoints over 1.0")
    for look, error, says in (
        (ended(EndedBy.CHECK, checks=(said_no,)), "CheckFailed", "RuntimeError: boom"),
        (ended(EndedBy.ALARM, alarms=(ringing,)), "AlarmRang", "2 datapoints over 1.0"),
        (ended(EndedBy.ALARM), "AlarmRang", "said (CODE)"),
        (ended(EndedBy.REQUEST), "StoppedByRequest", "in AllowTraffic"),
        (ended(EndedBy.ENGINE, failures=(DIED,)), "TasksDoNotStart", "exit code 1"),
        (ended(EndedBy.ENGINE), "RolloutFailed", "said (CODE)"),
    ):
        assert decision(look) == ("failed", error)
        assert look.meaning is not None
        assert says in look.meaning.cause
        assert look.meaning.advice


def test_a_failed_hook_without_evidence_is_named_by_its_stage() -> None:
    stages = (Stage("AfterInstall", StageStatus.FAILED, "no reply"),)
    stopped = Rollout("d-1", Progress.FAILED, stages, ended_by=EndedBy.CHECK, message="failed")
    meaning = judge(seen(rollout=stopped), POLICY)
    assert meaning.cause == "stage AfterInstall failed: no reply: failed"


def test_a_no_that_came_after_the_end_is_not_why_it_ended() -> None:
    no = Check("AfterAllowTraffic", False, "the rollout was stopped", consequence=True)
    stages = (Stage("AfterAllowTraffic", StageStatus.FAILED, "no answer within an hour"),)
    timed_out = Rollout("d-1", Progress.FAILED, stages, ended_by=EndedBy.CHECK, message="failed")
    meaning = judge(seen(rollout=timed_out, checks=(no,)), POLICY)
    assert (meaning.error, meaning.cause) == (
        "RolloutFailed",
        "stage AfterAllowTraffic failed: no answer within an hour: failed",
    )
    assert decision(follow(seen(checks=(no,)), seen(checks=(no,), waited=900))) == ("wait", "")


def test_an_observation_survives_the_state_machine() -> None:
    checks = (Check("BeforeInstall", True, "fine", {"term": 7, "voters": ["b1"]}),)
    look = follow(sick(1000, alarms=(Alarm("a", True),), checks=checks, failures=(DIED,)))
    assert from_json(RolloutObservation, to_json(look)) == look
