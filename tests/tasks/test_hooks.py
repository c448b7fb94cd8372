"""The hooks: every path ends with an answer, and leaves why."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

import tasks.wiring
from quorumshift.domain.errors import Transient
from quorumshift.domain.rollout import Progress
from quorumshift.ports import Reply
from tasks.hooks import (
    after_allow_test_traffic,
    after_allow_traffic,
    after_install,
    before_allow_traffic,
    before_install,
)
from tests.adapters.aws_api import Api, refusal
from tests.tasks.aws import DIGEST, REPOSITORY, MemoryAws
from tests.usecases.service import DEPLOYMENT

EVENT = {"DeploymentId": DEPLOYMENT, "LifecycleEventHookExecutionId": "hook-1"}
HANDLERS = [
    before_install,
    after_install,
    after_allow_test_traffic,
    before_allow_traffic,
    after_allow_traffic,
]


def evidence(aws: MemoryAws) -> dict[str, Any]:
    (line,) = aws.evidence
    return dict(json.loads(line))


def test_before_install_locks_the_votes_of_a_healthy_cluster(aws: MemoryAws) -> None:
    before_install.handler(EVENT, None)
    assert aws.answers == [("hook-1", "Succeeded")]
    assert len(aws.service.locked) == 2
    left = evidence(aws)
    assert left["name"] == "BeforeInstall"
    assert left["evidence"]["leader"] == "b1"
    assert left["evidence"]["locked"] == sorted(aws.service.locked)


def test_before_install_refuses_a_cluster_that_misses_a_voter(aws: MemoryAws) -> None:
    aws.service.kill("b3")
    before_install.handler(EVENT, None)
    assert aws.answers == [("hook-1", "Failed")]
    assert "b3" in evidence(aws)["reason"]
    assert aws.service.locked == set()


class Site:
    """A probe that is answered with one of two replies."""

    def __init__(self, aws: MemoryAws) -> None:
        self.aws = aws
        self.asked: list[str] = []
        self.broken = ""
        self.host = ""

    def get(self, url: str) -> Any:
        self.asked.append(url)
        return Reply(self.broken not in url or not self.broken, f"GET {url}")

    websocket = get


@pytest.fixture
def site(aws: MemoryAws, monkeypatch: pytest.MonkeyPatch) -> Site:
    site = Site(aws)

    def probe(host: str) -> Site:
        site.host = host
        return site

    monkeypatch.setattr("quorumshift.adapters.http_probe.HttpProbe", probe)
    aws.apis["elbv2"] = Api(
        "elbv2",
        describe_listeners={
            "Listeners": [
                {
                    "Port": 9090,
                    "LoadBalancerArn": "arn:lb",
                    "DefaultActions": [{"Type": "forward", "TargetGroupArn": "arn:two"}],
                }
            ]
        },
        describe_target_health=lambda **_: {
            "TargetHealthDescriptions": [
                {"Target": {"Id": address}, "TargetHealth": {"State": "healthy"}}
                for address in ("g1", "g2", "g3")
            ]
        },
    )
    return site


def test_after_install_asks_every_green_task(aws: MemoryAws, site: Site) -> None:
    after_install.handler(EVENT, None)
    assert aws.answers == [("hook-1", "Succeeded")]
    assert site.asked == [f"http://g{number}:8080/health" for number in (1, 2, 3)]


def test_after_install_says_which_task_does_not_answer(aws: MemoryAws, site: Site) -> None:
    site.broken = "g2"
    after_install.handler(EVENT, None)
    assert aws.answers == [("hook-1", "Failed")]
    assert "http://g2:8080/health" in evidence(aws)["reason"]


def test_after_install_refuses_a_green_task_that_votes(aws: MemoryAws, site: Site) -> None:
    raft = aws.service.raft
    raft.admit("g1", ["b1"])
    aws.service.roster(None)
    aws.service.clock.sleep(1)
    raft.promote("4", ["b1"])
    after_install.handler(EVENT, None)
    assert aws.answers == [("hook-1", "Failed")]
    assert "g1 took a vote" in evidence(aws)["reason"]


def test_where_all_of_green_votes_by_itself_the_quorum_is_locked_before_the_no(
    aws: MemoryAws, site: Site
) -> None:
    """The no makes CodeDeploy end green at once, and three of six voters are no quorum."""
    raft = aws.service.raft
    before_install.handler(EVENT, None)
    for address, raft_id in (("g1", "4"), ("g2", "5"), ("g3", "6")):
        raft.admit(address, ["b1"])
        aws.service.roster(None)
        aws.service.clock.sleep(6)
        raft.promote(raft_id, ["b1"])
    after_install.handler(EVENT, None)
    assert aws.answers[-1] == ("hook-1", "Failed")
    assert len(aws.service.voters()) == 6
    staying = {"b1", "b2", "b3"} | (aws.service.locked & {"g1", "g2", "g3"})
    assert len(staying) >= 4, aws.service.locked


def test_after_install_refuses_too_few_tasks(aws: MemoryAws, site: Site) -> None:
    aws.service.kill("g3")
    after_install.handler(EVENT, None)
    assert evidence(aws)["reason"] == "2 of 3 green tasks run and are healthy"


def test_test_traffic_is_answered_by_green_and_its_websockets(aws: MemoryAws, site: Site) -> None:
    after_allow_test_traffic.handler(EVENT, None)
    assert aws.answers == [("hook-1", "Succeeded")]
    assert site.host == "play.example.com"
    assert site.asked == ["https://lb.example:9090/health"] * 9 + ["https://lb.example:9090/ws"]


def test_a_service_that_is_all_websockets_is_asked_by_websocket_alone(
    aws: MemoryAws, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SnakeTron answers its health check on a port that the load balancer does not forward to."""
    monkeypatch.setenv("QUORUMSHIFT_TRIAL_PATH", "")
    after_allow_test_traffic.handler(EVENT, None)
    assert aws.answers == [("hook-1", "Succeeded")]
    assert site.asked == ["https://lb.example:9090/ws"] * 9
    assert "9 WebSockets were answered by 3 green tasks" in evidence(aws)["reason"]


def test_test_traffic_that_fails_or_goes_elsewhere_is_refused(aws: MemoryAws, site: Site) -> None:
    site.broken = "/ws"
    after_allow_test_traffic.handler(EVENT, None)
    assert "1 of 10 failed: GET https://lb.example:9090/ws" in evidence(aws)["reason"]
    aws.evidence.clear()
    aws.service.kill("g3")
    after_allow_test_traffic.handler(EVENT, None)
    assert "leads to g1, g2, g3, green is g1, g2" in evidence(aws)["reason"]
    assert [status for _, status in aws.answers] == ["Failed", "Failed"]


def test_before_traffic_green_runs_the_digest_that_was_asked_for(aws: MemoryAws) -> None:
    aws.description = "new menu [quorumshift 0123456789ab r12]"
    before_allow_traffic.handler(EVENT, None)
    assert aws.answers == [("hook-1", "Succeeded")]


def test_before_traffic_another_digest_or_revision_is_refused(aws: MemoryAws) -> None:
    aws.description = "new menu [quorumshift 0123456789ab r13]"
    before_allow_traffic.handler(EVENT, None)
    assert evidence(aws)["reason"] == "green runs revision 12, asked for was 13"
    aws.evidence.clear()
    aws.description = "by hand"
    aws.digest = "sha256:" + "3" * 64
    before_allow_traffic.handler(EVENT, None)
    assert "runs sha256:333" in evidence(aws)["reason"]
    assert f"not {REPOSITORY}@{DIGEST}" in evidence(aws)["reason"]


def test_after_traffic_the_hand_over_answers_and_not_the_hook(aws: MemoryAws) -> None:
    result = after_allow_traffic.handler(EVENT, None)
    assert not result["answered"]
    assert aws.answers == []
    assert aws.executions == {f"{DEPLOYMENT}-green": "RUNNING"}


def test_a_hand_over_that_cannot_start_is_a_no(aws: MemoryAws) -> None:
    aws.apis["stepfunctions"].answers["start_execution"] = RuntimeError("no such machine")
    after_allow_traffic.handler(EVENT, None)
    assert aws.answers == [("hook-1", "Failed")]
    assert evidence(aws)["reason"] == "RuntimeError: no such machine"


class Invocation:
    """A context with fifteen minutes on the memory's clock."""

    def __init__(self, aws: MemoryAws) -> None:
        self._clock = aws.service.clock
        self._ends = self._clock.now() + 900

    def get_remaining_time_in_millis(self) -> int:
        return int((self._ends - self._clock.now()) * 1000)


def failing(aws: MemoryAws, which: int) -> list[str]:
    """The calls of AWS, by name; the one with the number ``which`` has no answer."""
    seen: list[str] = []

    def wrap(name: str, answer: Any) -> Any:
        def call(**parameters: Any) -> Any:
            seen.append(name)
            if len(seen) - 1 == which:
                return refusal("InternalError", status=500)
            return answer(**parameters) if callable(answer) else answer

        return call

    for api in aws.apis.values():
        api.answers = {name: wrap(name, answer) for name, answer in api.answers.items()}
    return seen


def fresh(monkeypatch: pytest.MonkeyPatch) -> MemoryAws:
    aws = MemoryAws()
    monkeypatch.setattr("tasks.wiring.client", aws.client)
    monkeypatch.setattr(
        "quorumshift.adapters.raft.control.raft_control",
        lambda settings, registry: aws.service.raft,
    )
    monkeypatch.setattr("quorumshift.adapters.clock.SystemClock", lambda: aws.service.clock)
    tasks.wiring.wiring.cache_clear()
    return aws


def went_well(aws: MemoryAws) -> bool:
    return aws.answers == [("hook-1", "Succeeded")] or aws.executions == {
        f"{DEPLOYMENT}-green": "RUNNING"
    }


@pytest.mark.parametrize("hook", HANDLERS)
def test_no_call_of_aws_that_gets_no_answer_once_is_a_no(
    aws: MemoryAws, site: Site, monkeypatch: pytest.MonkeyPatch, hook: Any
) -> None:
    """At d002de7 each of these calls, 51 in all, rolled the deployment back."""
    elbv2 = aws.apis["elbv2"].answers
    which = 0
    while True:
        memory = fresh(monkeypatch)
        memory.apis["elbv2"] = Api("elbv2", **elbv2)
        seen = failing(memory, which)
        hook.handler(EVENT, Invocation(memory))
        assert went_well(memory), f"call {which}, {seen[which]}: {memory.answers}"
        if which >= len(seen):
            break
        which += 1
    assert which >= 3


@pytest.mark.parametrize("hook", HANDLERS)
def test_what_aws_does_not_answer_in_fifteen_minutes_is_left_to_the_next_try(
    aws: MemoryAws, hook: Any
) -> None:
    working = aws.apis["codedeploy"].answers["get_deployment"]
    aws.apis["codedeploy"].answers["get_deployment"] = refusal("InternalError", status=500)
    began = aws.service.clock.now()
    with pytest.raises(Transient):
        hook.handler(EVENT, Invocation(aws))
    assert 600 < aws.service.clock.now() - began < 800
    assert (aws.answers, aws.evidence, aws.executions) == ([], [], {})
    aws.apis["codedeploy"].answers["get_deployment"] = working


@pytest.mark.parametrize("hook", HANDLERS)
def test_whatever_is_raised_becomes_a_no_that_names_it(
    aws: MemoryAws, monkeypatch: pytest.MonkeyPatch, hook: Any
) -> None:
    aws.apis["codedeploy"].answers["get_deployment"] = RuntimeError("boom")
    hook.handler(EVENT, None)
    assert aws.answers == [("hook-1", "Failed")]
    assert evidence(aws)["reason"] == "RuntimeError: boom"


@pytest.mark.parametrize("hook", HANDLERS)
def test_a_hook_without_settings_still_says_no(
    aws: MemoryAws, monkeypatch: pytest.MonkeyPatch, hook: Any
) -> None:
    monkeypatch.delenv("QUORUMSHIFT_CLUSTER")
    hook.handler(EVENT, None)
    assert aws.answers == [("hook-1", "Failed")]
    assert "QUORUMSHIFT_CLUSTER is missing" in evidence(aws)["reason"]


def test_evidence_that_cannot_be_kept_does_not_cost_the_answer(aws: MemoryAws) -> None:
    aws.apis["logs"] = Api("logs", create_log_stream=RuntimeError("logs are down"))
    before_install.handler(EVENT, None)
    assert aws.answers == [("hook-1", "Succeeded")]


@pytest.mark.parametrize("hook", HANDLERS)
def test_a_rollback_is_not_held_up(aws: MemoryAws, hook: Any) -> None:
    aws.undoes = "d-0"
    aws.service.kill("b3")
    hook.handler(EVENT, None)
    assert aws.answers == [("hook-1", "Succeeded")]


@pytest.mark.parametrize("hook", HANDLERS)
@pytest.mark.parametrize("progress", [Progress.STOPPED, Progress.FAILED, Progress.SUCCEEDED])
def test_a_question_that_comes_late_starts_nothing(
    aws: MemoryAws, hook: Any, progress: Progress
) -> None:
    """Lambda may keep it for hours: a hand-over that began then would be the second one."""
    aws.service.rollout = replace(aws.service.rollout, progress=progress)
    hook.handler(EVENT, None)
    assert aws.answers == [("hook-1", "Failed")]
    assert aws.executions == {}
    assert evidence(aws)["consequence"]


def test_an_event_that_is_none_says_what_is_missing(aws: MemoryAws) -> None:
    with pytest.raises(ValueError, match="LifecycleEventHookExecutionId"):
        before_install.handler({}, None)
