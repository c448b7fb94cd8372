"""Whole executions: the rendered machines with the real handlers, over AWS in memory."""

from __future__ import annotations

import importlib
import json
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from moto.stepfunctions.parser.asl.parse.asl_parser import AmazonStateLanguageParser

from quorumshift.adapters.aws.deployments import CodeDeployDeployments
from quorumshift.domain.errors import ClusterUnsettled, Transient
from quorumshift.domain.missed import MOST_LOOKS
from quorumshift.domain.rollout import EndedBy, Progress
from quorumshift.names import module
from tests.adapters.aws_api import Api, refusal
from tests.tasks.aws import EXECUTION, MemoryAws
from tests.tasks.conftest import aws as aws
from tests.usecases.service import DEPLOYMENT
from tests.workflows.interpreter import Ended, run
from workflows.__main__ import GOLDEN, MACHINES

CONTEXT = {
    "Execution": {
        "Id": EXECUTION["id"],
        "Name": EXECUTION["name"],
        "StartTime": EXECUTION["startTime"],
    }
}
Meddle = Callable[[str, int], None]


def machine(name: str) -> dict[str, Any]:
    return dict(json.loads((GOLDEN / f"{name}.asl.json").read_text(encoding="utf-8")))


def execute(name: str, given: Any, meddle: Meddle = lambda state, times: None) -> Ended:
    """``meddle(state, times)`` is called before each task, with how often it has run."""
    times: dict[str, int] = {}

    def call(state: str, payload: dict[str, Any]) -> Any:
        times[state] = times.get(state, 0) + 1
        meddle(state, times[state])
        return importlib.import_module(module(state)).handler(payload, None)

    return run(machine(name), given, call, CONTEXT)


@pytest.mark.parametrize("name", MACHINES)
def test_an_interpreter_of_states_language_reads_it(name: str) -> None:
    arn = "arn:aws:lambda:us-east-1:123456789012:function:sample"
    AmazonStateLanguageParser.parse(re.sub(r"\$\{\w+\}", arn, json.dumps(machine(name))))


def ends(aws: MemoryAws, progress: Progress, by: EndedBy = EndedBy.NOTHING) -> None:
    aws.service.rollout = replace(aws.service.rollout, progress=progress, ended_by=by)


def green_goes(aws: MemoryAws) -> None:
    for address in ("g1", "g2", "g3"):
        if address in aws.service.tasks:
            aws.service.kill(address)


def test_a_deployment_that_goes_well(aws: MemoryAws) -> None:
    def meddle(state: str, times: int) -> None:
        if state == "PollDeployment" and times == 3:
            ends(aws, Progress.SUCCEEDED)

    ended = execute("deploy", {"description": "new menu"}, meddle)
    assert ended.at == "Deployed"
    assert ended.states[:6] == [
        "Receive",
        "ValidateRequest",
        "BuildOrNot",
        "RegisterTaskDefinition",
        "VerifyRaft",
        "CreateDeployment",
    ]
    assert ended.states.count("PollDeployment") == 3
    assert ended.states[-4:] == ["HowIsItGoing", "VerifyOutcome", "NotifySucceeded", "Deployed"]
    assert [subject for subject, _ in aws.messages] == ["sample: started", "sample: deployed"]


@pytest.mark.parametrize("busy", [False, True])
def test_a_request_that_would_rather_not_run_while_another_does_is_skipped_quietly(
    aws: MemoryAws, monkeypatch: pytest.MonkeyPatch, busy: bool
) -> None:
    other = DEPLOYMENT if busy else None
    monkeypatch.setattr(CodeDeployDeployments, "active", lambda _: other)

    def meddle(state: str, times: int) -> None:
        if state == "PollDeployment":
            ends(aws, Progress.SUCCEEDED)

    ended = execute("deploy", {"whenBusy": "skip"}, meddle)
    assert ended.at == ("Skipped" if busy else "Deployed")
    assert bool(aws.messages) is not busy
    assert (aws.description is None) is busy


def another_begins(aws: MemoryAws) -> None:
    aws.description = "another's [quorumshift ffffffffffff r12]"


@pytest.mark.parametrize("rather", ["skip", "fail"])
@pytest.mark.parametrize("when", ["RegisterTaskDefinition", "VerifyRaft", "CreateDeployment"])
def test_another_that_begins_in_the_same_seconds_is_in_the_way_wherever_they_meet(
    aws: MemoryAws, when: str, rather: str
) -> None:
    def meddle(state: str, times: int) -> None:
        if state == when:
            another_begins(aws)

    ended = execute("deploy", {"whenBusy": rather}, meddle)
    assert ended.at == ("Skipped" if rather == "skip" else "Failed")
    assert ended.error == ("" if rather == "skip" else "DeploymentActive")
    assert bool(aws.messages) is (rather == "fail")
    assert aws.service.deeds == []  # the other one's deployment goes on
    assert not aws.apis["application-autoscaling"].asked("register_scalable_target")


def test_another_that_is_created_between_the_look_and_the_call_is_in_the_way(
    aws: MemoryAws,
) -> None:
    def create(**_: Any) -> Exception:
        another_begins(aws)
        return refusal("DeploymentLimitExceededException")

    aws.apis["codedeploy"].answers["create_deployment"] = create
    ended = execute("deploy", {"whenBusy": "skip"})
    assert (ended.at, aws.messages, aws.service.deeds) == ("Skipped", [], [])


@pytest.mark.parametrize("rather", ["skip", "fail"])
def test_a_cluster_that_another_deployment_moves_is_no_sick_cluster(
    aws: MemoryAws, rather: str
) -> None:
    def meddle(state: str, times: int) -> None:
        if state == "VerifyRaft":
            another_begins(aws)
            aws.service.cluster.nodes["3"].up = False

    ended = execute("deploy", {"whenBusy": rather}, meddle)
    assert ended.at == ("Skipped" if rather == "skip" else "Failed")
    assert ended.error == ("" if rather == "skip" else "DeploymentActive")


@pytest.mark.parametrize("given", [[], "deploy", None, {"imgae": "v2"}, 7])
def test_what_is_no_request_is_refused_before_anything_is_touched(
    aws: MemoryAws, given: Any
) -> None:
    ended = execute("deploy", given)
    assert (ended.at, ended.error) == ("Failed", "InvalidRequest")
    assert "Nothing was touched" in ended.cause
    assert aws.description is None
    assert len(aws.messages) == 1


def test_a_degraded_cluster_is_not_deployed_to(aws: MemoryAws) -> None:
    aws.service.kill("b3")
    ended = execute("deploy", {})
    assert (ended.at, ended.error) == ("Failed", "ClusterUnsafe")
    assert "tolerance is 0" in ended.cause
    assert "CreateDeployment" not in ended.states
    assert ended.state["outcome"]["touched"] is False


def test_a_hook_that_says_no_is_rolled_back_and_named(aws: MemoryAws) -> None:
    def meddle(state: str, times: int) -> None:
        if state == "PollDeployment" and times == 2:
            said = {"name": "AfterInstall", "passed": False, "reason": "ValueError: boom"}
            aws.evidence.append(json.dumps(said))
            ends(aws, Progress.FAILED, EndedBy.CHECK)
        if state == "PollRollback" and times == 2:
            green_goes(aws)

    ended = execute("deploy", {}, meddle)
    assert (ended.at, ended.error) == ("RolledBack", "CheckFailed")
    assert "AfterInstall said no: ValueError: boom" in ended.cause
    assert ended.states.count("PollRollback") == 2
    assert aws.service.deeds == []  # it had ended: there was nothing to stop
    assert aws.service.locked == set()


def test_a_cluster_in_danger_stops_the_deployment(aws: MemoryAws) -> None:
    def meddle(state: str, times: int) -> None:
        if state == "PollDeployment":
            aws.service.clock.sleep(3)
            if times == 2:
                aws.service.cluster.nodes["3"].up = False
        if state == "StopDeployment":
            aws.service.cluster.nodes["3"].up = True
            aws.service.clock.sleep(3)
            green_goes(aws)

    ended = execute("deploy", {}, meddle)
    assert (ended.at, ended.error) == ("RolledBack", "ClusterInDanger")
    assert aws.service.deeds == ["stop"]


def test_a_deployment_that_takes_too_long_is_stopped(
    aws: MemoryAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QUORUMSHIFT_DEADLINE_MINUTES", "1")

    def meddle(state: str, times: int) -> None:
        if state == "StopDeployment":
            green_goes(aws)

    ended = execute("deploy", {}, meddle)
    assert (ended.at, ended.error) == ("RolledBack", "DeadlinePassed")
    assert ended.states.count("PollDeployment") == 4


def test_a_poll_that_fails_stops_the_deployment(aws: MemoryAws) -> None:
    def meddle(state: str, times: int) -> None:
        aws.apis["cloudwatch"].answers["describe_alarms"] = refusal("AccessDenied", status=403)
        group = {"alarmConfiguration": {"alarms": [{"name": "slow"}]}}
        answers = aws.apis["codedeploy"].answers
        answers["get_deployment_group"] = {"deploymentGroupInfo": group}
        if state == "StopDeployment":
            green_goes(aws)

    ended = execute("deploy", {}, meddle)
    assert (ended.at, ended.error) == ("RolledBack", "ClientError")
    assert "AccessDenied" in ended.cause


NO_ANSWER = refusal("InternalError", status=500)


class Dead(Exception):
    """The function's process ended. ``asl``: as Step Functions names that."""

    asl = "Runtime.ExitError"


@pytest.mark.parametrize("first", [1, 3])
def test_an_outage_is_waited_for_and_a_deployment_that_succeeds_meanwhile_has_succeeded(
    aws: MemoryAws, first: int
) -> None:
    """At d002de7 the poll that would have seen the success made the execution undo it."""
    answers = aws.apis["codedeploy"].answers
    working = answers["get_deployment"]

    def meddle(state: str, times: int) -> None:
        if state == "PollDeployment" and times == first:
            answers["get_deployment"] = NO_ANSWER
            ends(aws, Progress.SUCCEEDED)
        if state == "PollDeployment" and times == first + 16:
            answers["get_deployment"] = working

    ended = execute("deploy", {}, meddle)
    assert ended.at == "Deployed"
    assert ended.states.count("PollDeployment") == first + 16
    assert ended.state["observation"]["waited"] == (first + 16) * 15
    assert [subject for subject, _ in aws.messages] == ["sample: started", "sample: deployed"]


def test_while_nobody_can_look_the_deadline_holds_and_the_reason_is_told(
    aws: MemoryAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QUORUMSHIFT_DEADLINE_MINUTES", "10")
    answers = aws.apis["ecs"].answers
    working = answers["describe_services"]

    def meddle(state: str, times: int) -> None:
        if state == "PollDeployment" and times == 5:
            answers["describe_services"] = NO_ANSWER
        if state == "StopDeployment":
            answers["describe_services"] = working
            green_goes(aws)

    ended = execute("deploy", {}, meddle)
    assert (ended.at, ended.error) == ("RolledBack", "DeadlinePassed")
    assert ended.states.count("PollDeployment") == 40
    assert "nobody could look: AWS could not serve describe_services" in ended.cause
    assert aws.service.deeds == ["stop"]


def test_looks_that_no_function_made_count_as_waits(
    aws: MemoryAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QUORUMSHIFT_DEADLINE_MINUTES", "10")

    def meddle(state: str, times: int) -> None:
        if state == "PollDeployment" and times % 4:
            raise Dead("exit status 137")
        if state == "StopDeployment":
            green_goes(aws)

    ended = execute("deploy", {}, meddle)
    assert (ended.at, ended.error) == ("RolledBack", "DeadlinePassed")
    assert ended.states.count("PollDeployment") == 40


@pytest.mark.parametrize("state", ["PollDeployment", "PollRollback"])
def test_a_function_that_never_runs_ends_the_wait_before_the_history_is_full(
    aws: MemoryAws, state: str
) -> None:
    def meddle(at: str, times: int) -> None:
        if at == "PollDeployment" and state == "PollRollback":
            ends(aws, Progress.FAILED)
        if at == state:
            raise Dead("exit status 137")
        if at == "StopDeployment" and state == "PollDeployment":
            green_goes(aws)

    ended = execute("deploy", {}, meddle)
    assert ended.states.count(state) == MOST_LOOKS
    assert ended.error == "Runtime.ExitError"
    assert "exit status 137" in ended.cause
    assert ended.at == ("RolledBack" if state == "PollDeployment" else "Failed")


def test_a_roll_back_has_looks_of_its_own_to_miss(aws: MemoryAws) -> None:
    """At 95e532a both loops had one count: after a rollout that had missed 230 looks the roll-back
    was given up at the tenth, and its deadline was nearly over before its first."""

    def meddle(state: str, times: int) -> None:
        if state == "PollDeployment" and times < MOST_LOOKS:
            raise Dead("exit status 137")
        if state == "PollDeployment":
            ends(aws, Progress.FAILED)
        if state == "PollRollback" and times < 20:
            raise Dead("exit status 137")
        if state == "PollRollback":
            green_goes(aws)

    ended = execute("deploy", {}, meddle)
    assert ended.at == "RolledBack"
    assert ended.states.count("PollDeployment") == MOST_LOOKS
    assert ended.state["rollback"]["waited"] == 20 * 15


@pytest.mark.parametrize("both", [False, True])
def test_who_gave_up_is_told(aws: MemoryAws, both: bool) -> None:
    """Of a rollout and its roll-back, both given up, the roll-back's is the last word."""

    def meddle(state: str, times: int) -> None:
        if state == "PollDeployment":
            raise Dead("exit status 137")
        if state == "PollRollback" and both:
            raise Dead("exit status 139")
        if state == "PollRollback":
            green_goes(aws)

    ended = execute("deploy", {}, meddle)
    assert ended.at == ("Failed" if both else "RolledBack")
    assert ("exit status 139" if both else "exit status 137") in ended.cause
    assert ended.states.count("PollRollback") == (MOST_LOOKS if both else 1)


def test_a_rollback_is_followed_through_an_outage(aws: MemoryAws) -> None:
    answers = aws.apis["codedeploy"].answers
    working = answers["get_deployment"]

    def meddle(state: str, times: int) -> None:
        if state == "PollDeployment":
            ends(aws, Progress.FAILED)
        if state == "PollRollback" and times == 1:
            answers["get_deployment"] = NO_ANSWER
        if state == "PollRollback" and times == 16:
            answers["get_deployment"] = working
            green_goes(aws)

    ended = execute("deploy", {}, meddle)
    assert ended.at == "RolledBack"
    assert ended.state["rollback"]["waited"] == 16 * 15


@pytest.mark.parametrize("state", ["StopDeployment", "VerifyRollback"])
def test_what_must_be_done_outlasts_an_outage(aws: MemoryAws, state: str) -> None:
    def meddle(at: str, times: int) -> None:
        if at == "PollDeployment":
            aws.evidence.append(json.dumps({"name": "AfterInstall", "passed": False, "reason": ""}))
            ends(aws, Progress.FAILED, EndedBy.CHECK)
            green_goes(aws)
        if at == state and times <= 100:
            raise Transient("no reply")

    assert execute("deploy", {}, meddle).at == "RolledBack"


@pytest.mark.parametrize("progress", [Progress.SUCCEEDED, Progress.FAILED])
@pytest.mark.parametrize("unsettled", [15, 1000])
def test_a_cluster_that_settles_late_is_waited_for_at_the_end_but_not_for_ever(
    aws: MemoryAws, progress: Progress, unsettled: int
) -> None:
    def meddle(at: str, times: int) -> None:
        if at == "PollDeployment":
            ends(aws, progress)
            if progress is Progress.FAILED:
                green_goes(aws)
        if at in ("VerifyOutcome", "VerifyRollback") and times <= unsettled:
            raise ClusterUnsettled("an election runs")

    ended = execute("deploy", {}, meddle)
    if unsettled == 1000:
        assert (ended.at, ended.error) == ("Failed", "ClusterUnsettled")
    else:
        assert ended.at == ("Deployed" if progress is Progress.SUCCEEDED else "RolledBack")


def test_a_cluster_that_does_not_settle_is_not_deployed_to(aws: MemoryAws) -> None:
    def meddle(at: str, times: int) -> None:
        if at == "VerifyRaft":
            assert times == 1
            raise ClusterUnsettled("an election runs")

    assert execute("deploy", {}, meddle).at == "Failed"


def test_a_rollback_that_leaves_the_cluster_unwell_is_told_loudly(aws: MemoryAws) -> None:
    def meddle(state: str, times: int) -> None:
        if state == "PollDeployment":
            ends(aws, Progress.FAILED)
        if state == "PollRollback":
            green_goes(aws)
        if state == "VerifyRollback":
            aws.service.cluster.nodes["3"].up = False

    ended = execute("deploy", {}, meddle)
    assert (ended.at, ended.error) == ("Failed", "ClusterUnsafe")
    assert "was rolled back, but its cluster is not well" in ended.cause
    assert f"Deployment {DEPLOYMENT} has ended (failed)" in ended.cause
    assert ended.state["outcome"]["touched"] is True


def test_messages_that_cannot_be_sent_change_no_end(aws: MemoryAws) -> None:
    aws.apis["sns"] = Api("sns", publish=refusal("NotFoundException", status=404))

    def meddle(state: str, times: int) -> None:
        if state == "PollDeployment":
            ends(aws, Progress.SUCCEEDED)

    ended = execute("deploy", {}, meddle)
    assert ended.at == "Deployed"
    assert ended.state["unheard"]["Error"] == "ClientError"


def test_when_even_the_last_task_fails_the_first_failure_is_the_cause(aws: MemoryAws) -> None:
    def meddle(state: str, times: int) -> None:
        if state == "NotifyFailed":
            raise MemoryError("out of memory")

    ended = execute("deploy", {"imgae": "v2"}, meddle)
    assert (ended.at, ended.error) == ("FailedUnheard", "InvalidRequest")
    assert "did you mean image" in ended.cause


ASKED = {"deploymentId": DEPLOYMENT, "lifecycleEventHookExecutionId": "hook-1", "goal": "green"}


def settle(aws: MemoryAws) -> Meddle:
    def meddle(state: str, times: int) -> None:
        if state == "Observe":
            aws.service.clock.sleep(1)

    return meddle


def test_a_hand_over_ends_with_yes(aws: MemoryAws) -> None:
    ended = execute("hand_over", ASKED, settle(aws))
    assert ended.at == "HandedOver"
    assert aws.answers == [("hook-1", "Succeeded")]
    assert aws.service.voters() == {"g1", "g2", "g3"}


@pytest.mark.parametrize("turn", [1, 3, 5, 7, 9, 11, 13])
def test_a_hand_over_that_is_stopped_on_the_way_ends_with_no(aws: MemoryAws, turn: int) -> None:
    def meddle(state: str, times: int) -> None:
        settle(aws)(state, times)
        if state == "Plan" and times == turn:
            aws.service.stop(DEPLOYMENT)

    ended = execute("hand_over", ASKED, meddle)
    assert (ended.at, ended.error) == ("NotHandedOver", "HandedBack")
    assert ended.cause == "the rollout was stopped"
    assert aws.answers == [("hook-1", "Failed")]
    assert aws.service.voters() == {"b1", "b2", "b3"}


def test_a_hand_over_whose_task_breaks_ends_with_no(aws: MemoryAws) -> None:
    def meddle(state: str, times: int) -> None:
        if state == "Plan" and times == 3:
            raise ValueError("broken")

    ended = execute("hand_over", ASKED, meddle)
    assert (ended.at, ended.error, ended.cause) == ("NotHandedOver", "ValueError", "broken")
    assert aws.answers == [("hook-1", "Failed")]


@pytest.mark.parametrize("state", ["Observe", "Plan", "Act", "AnswerSucceeded"])
@pytest.mark.parametrize("first", [1, 4, 9])
def test_a_hand_over_goes_on_after_an_outage(aws: MemoryAws, state: str, first: int) -> None:
    """Four minutes; at d002de7 one was enough for a no, and for votes that nobody called home."""
    most = {"AnswerSucceeded": 1}.get(state, first)

    def meddle(at: str, times: int) -> None:
        settle(aws)(at, times)
        if at == state and most <= times < most + 20:
            aws.service.clock.sleep(12)
            raise Transient("no reply") if times % 2 else Dead("exit status 137")

    ended = execute("hand_over", ASKED, meddle)
    assert ended.at == "HandedOver"
    assert aws.service.voters() == {"g1", "g2", "g3"}


def test_locks_that_ecs_does_not_answer_for_do_not_turn_a_hand_over_back(aws: MemoryAws) -> None:
    answers = aws.apis["ecs"].answers
    working = answers["update_task_protection"]

    def meddle(at: str, times: int) -> None:
        settle(aws)(at, times)
        out = at == "Act" and 4 <= times < 24
        answers["update_task_protection"] = NO_ANSWER if out else working
        if out:
            aws.service.clock.sleep(12)

    assert execute("hand_over", ASKED, meddle).at == "HandedOver"


def test_a_step_that_got_no_answer_is_not_done_again_before_the_next_look(aws: MemoryAws) -> None:
    def meddle(at: str, times: int) -> None:
        settle(aws)(at, times)
        if at == "Act" and times == 4:
            raise Dead("exit status 137")

    states = execute("hand_over", ASKED, meddle).states
    acts = [at for at, name in enumerate(states) if name == "Act"]
    assert states[acts[3] : acts[3] + 4] == ["Act", "Settle", "Observe", "Plan"]


def test_an_answer_that_cannot_be_given_fails_for_the_watchdog(aws: MemoryAws) -> None:
    answers = aws.apis["codedeploy"].answers
    answers["put_lifecycle_event_hook_execution_status"] = refusal("AccessDenied", status=403)
    ended = execute("hand_over", ASKED, settle(aws))
    assert (ended.at, ended.error) == ("Unanswered", "ClientError")


def test_votes_are_called_home(aws: MemoryAws) -> None:
    execute("hand_over", ASKED, settle(aws))
    aws.service.stop(DEPLOYMENT)
    back = {**ASKED, "lifecycleEventHookExecutionId": "", "goal": "blue"}
    assert execute("hand_over", back, settle(aws)).at == "HandedBack"
    assert aws.service.voters() == {"b1", "b2", "b3"}


@pytest.mark.parametrize("progress", [Progress.SUCCEEDED, Progress.FAILED])
def test_no_end_says_that_a_revision_serves_where_users_are_led_elsewhere(
    aws: MemoryAws, progress: Progress
) -> None:
    aws.leads = "empty"

    def meddle(state: str, times: int) -> None:
        if state == "PollDeployment":
            ends(aws, progress)
        if state == "PollRollback":
            green_goes(aws)

    ended = execute("deploy", {}, meddle)
    assert (ended.at, ended.error) == ("Failed", "TrafficAstray")
    nobody = "obody serves: the production listener leads to sample-empty"
    assert ended.cause.count(nobody) == 2  # when it was looked for, and as things are left
    assert not any("serves all traffic" in text for _, text in aws.messages)


def test_ends_say_who_serves_as_it_was_measured(aws: MemoryAws) -> None:
    def meddle(state: str, times: int) -> None:
        if state == "PollDeployment":
            ends(aws, Progress.SUCCEEDED)

    ended = execute("deploy", {}, meddle)
    assert ended.at == "Deployed"
    assert "sample:11 serves all traffic: 3 healthy targets." in aws.messages[-1][1]
