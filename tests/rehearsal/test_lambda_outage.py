"""Lambda itself fails: what waits for an answer is told so, and events are kept."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from quorumshift.rehearsal.aws.lambda_environment import Outcome, failed_in_lambda
from quorumshift.rehearsal.aws.lambdas import LambdaEngine
from quorumshift.rehearsal.aws.server import EmbeddedAws
from quorumshift.rehearsal.world import World
from tests.rehearsal.conftest import Functions, function_arn
from tests.rehearsal.stage import until

SOURCE = """
import time

def tells(event, context):
    print("told", event["n"])
    return {"n": event["n"]}

def hangs(event, context):
    print("hanging", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def engine(aws: EmbeddedAws) -> Iterator[LambdaEngine]:
    yield aws.lambdas
    aws.lambdas.bring_back()


def lines(world: World, name: str) -> list[str]:
    logs, group = world.client("logs"), f"/aws/lambda/{name}"
    if not logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"]:
        return []
    return [event["message"] for event in logs.filter_log_events(logGroupName=group)["events"]]


def call(aws: EmbeddedAws, name: str, event: Any) -> Outcome:
    """As Step Functions does."""
    from quorumshift.rehearsal.aws.step_functions import StepFunctionsEngine

    engine = next(e for e in aws.engines if isinstance(e, StepFunctionsEngine))
    return engine.invoke(function_arn(name), json.dumps(event).encode())


def test_a_state_machine_is_told_that_lambda_failed(
    aws: EmbeddedAws, engine: LambdaEngine, functions: Functions
) -> None:
    name = functions(SOURCE, "tells")["tells"]
    assert not call(aws, name, {"n": 1}).failed
    engine.take_down()
    outcome = call(aws, name, {"n": 2})
    assert outcome.failed
    assert json.loads(outcome.payload)["errorType"] == "Lambda.ServiceException"
    engine.bring_back()
    assert json.loads(call(aws, name, {"n": 3}).payload) == {"n": 3}
    assert [line for line in lines(aws.world, name) if "told" in line] == ["told 1", "told 3"]


def test_who_calls_the_api_gets_an_error_of_the_service(
    world: World, engine: LambdaEngine, functions: Functions
) -> None:
    name = functions(SOURCE, "tells")["tells"]
    engine.take_down()
    with pytest.raises(ClientError) as refused:
        world.client("lambda").invoke(FunctionName=name, Payload=b'{"n": 1}')
    assert refused.value.response["Error"]["Code"] == "ServiceException"
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 500


def test_an_invocation_is_killed_once(
    aws: EmbeddedAws, engine: LambdaEngine, functions: Functions
) -> None:
    """Who kills each of three tries must not take one that is dying for the next."""
    name = functions(SOURCE, "hangs", timeout=60)["hangs"]
    waits = threading.Thread(target=call, args=(aws, name, {}))
    waits.start()
    until(lambda: engine.kill(name))
    assert not engine.kill(name)
    waits.join(10)
    assert not waits.is_alive()


def test_what_runs_is_killed(aws: EmbeddedAws, engine: LambdaEngine, functions: Functions) -> None:
    name = functions(SOURCE, "hangs", timeout=60)["hangs"]
    outcomes: list[Outcome] = []
    caller = threading.Thread(target=lambda: outcomes.append(call(aws, name, {})))
    caller.start()
    folder = engine.folder
    until(lambda: any("hanging" in log.read_text() for log in folder.glob(f"{name}.*.log")))
    engine.take_down()
    caller.join(5)
    assert [json.loads(o.payload)["errorType"] for o in outcomes] == ["Lambda.ServiceException"]


def test_events_are_kept_until_lambda_is_back(
    world: World, engine: LambdaEngine, functions: Functions
) -> None:
    name = functions(SOURCE, "tells")["tells"]
    client = world.client("lambda")
    client.put_function_event_invoke_config(FunctionName=name, MaximumRetryAttempts=0)
    engine.take_down()
    for number in range(3):
        payload = json.dumps({"n": number})
        answer = client.invoke(FunctionName=name, InvocationType="Event", Payload=payload)
        assert answer["StatusCode"] == 202
    world.sleep(10)
    assert lines(world, name) == []
    engine.bring_back()
    until(lambda: sum("told" in line for line in lines(world, name)) == 3)


def test_an_event_that_is_too_old_goes_to_the_on_failure_destination(
    world: World, engine: LambdaEngine, functions: Functions
) -> None:
    name = functions(SOURCE, "tells")["tells"]
    client = world.client("lambda")
    client.put_function_event_invoke_config(FunctionName=name, MaximumEventAgeInSeconds=60)
    engine.take_down()
    client.invoke(FunctionName=name, InvocationType="Event", Payload=b'{"n": 1}')
    until(
        lambda: any(
            event.data.get("gaveUp") and event.data["function"] == name
            for event in world.events.all("lambda")
        )
    )
    engine.bring_back()
    assert lines(world, name) == []


def test_somebody_stands_around_the_invocations_of_one_function(
    aws: EmbeddedAws, engine: LambdaEngine, functions: Functions
) -> None:
    names = functions(SOURCE, "tells")["tells"], functions(SOURCE, "tells")["tells"]
    seen: list[Any] = []

    def around(event: Any, proceed: Callable[[], Outcome]) -> Outcome:
        seen.append((event, json.loads(proceed().payload)))
        return failed_in_lambda("Lambda.SdkClientException", "reset")

    engine.around(names[0], around)
    outcomes = [call(aws, name, {"n": 7}) for name in names]
    assert seen == [({"n": 7}, {"n": 7})]
    assert [outcome.failed for outcome in outcomes] == [True, False]
    assert json.loads(outcomes[0].payload)["errorType"] == "Lambda.SdkClientException"
