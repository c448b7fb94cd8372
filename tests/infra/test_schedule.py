"""The schedule of canaries in the template."""

from __future__ import annotations

import json
from typing import Any

from quorumshift.domain.request import parse_request
from quorumshift.rehearsal.aws.schedule_times import parse
from tests.infra.template import Template


def _canary(template: Template) -> dict[str, Any]:
    """The other schedule is the keeper's."""
    schedules = template.of("AWS::Scheduler::Schedule").values()
    (canary,) = [each for each in schedules if "canary" in str(each["Name"])]
    return dict(canary)


def test_a_schedule_starts_a_canary_of_the_current_revision(snaketron: Template) -> None:
    schedule = _canary(snaketron)
    assert schedule["State"] == "ENABLED"
    assert schedule["FlexibleTimeWindow"] == {"Mode": "FLEXIBLE", "MaximumWindowInMinutes": 30}
    assert parse(schedule["ScheduleExpression"], schedule["ScheduleExpressionTimezone"])
    target = schedule["Target"]
    assert snaketron.text(target["Arn"]).endswith(":stateMachine:snaketron-prod-deploy")
    request = parse_request(json.loads(target["Input"]), "another")
    assert request.task_definition == "current"
    assert request.deployment_config == "CodeDeployDefault.ECSCanary10Percent5Minutes"
    assert (request.initiator, request.when_busy) == ("schedule", "skip")
    assert snaketron.target(target["DeadLetterConfig"]["Arn"]) in snaketron.of("AWS::SQS::Queue")


def test_a_schedule_may_start_the_one_machine_alone(snaketron: Template) -> None:
    target = _canary(snaketron)["Target"]
    assert snaketron.granted(snaketron.target(target["RoleArn"])) == {
        "states:StartExecution": [
            "arn:aws:states:us-east-1:123456789012:stateMachine:snaketron-prod-deploy"
        ],
        "sqs:SendMessage": ["arn:aws:sqs:us-east-1:123456789012:snaketron-prod-undelivered"],
    }


def test_a_schedule_is_off_unless_it_is_wanted(template: Template) -> None:
    schedule = _canary(template)
    assert (schedule["State"], schedule["FlexibleTimeWindow"]) == ("DISABLED", {"Mode": "OFF"})
