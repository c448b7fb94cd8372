"""Slack is told where the configuration names a webhook's secret, by a function that may do nothing
else. The snaketron template is synthesized with one, the other without.
"""

from __future__ import annotations

import json
from typing import Any

from quorumshift.names import SLACK, Names
from tests.infra.conftest import SLACK_SECRET
from tests.infra.template import Template

NAMES = Names("snaketron-prod")
(SECRET,) = SLACK_SECRET.values()


def slack(template: Template) -> tuple[str, dict[str, Any]]:
    """Logical id and properties of the function."""
    (found,) = [
        each
        for each in template.of("AWS::Lambda::Function").items()
        if each[1]["FunctionName"] == NAMES.function(SLACK)
    ]
    return found


def queue(template: Template) -> str:
    (found,) = template.of("AWS::SQS::Queue")
    return found


def test_it_hears_what_is_published_and_what_it_misses_is_kept(snaketron: Template) -> None:
    function, _ = slack(snaketron)
    (topic,) = snaketron.of("AWS::SNS::Topic")
    (heard,) = snaketron.of("AWS::SNS::Subscription").values()
    assert (heard["Protocol"], snaketron.target(heard["Endpoint"])) == ("lambda", function)
    assert snaketron.target(heard["TopicArn"]) == topic
    kept = heard["RedrivePolicy"]["deadLetterTargetArn"]
    assert snaketron.target(kept) == queue(snaketron)
    (own,) = [
        each
        for each in snaketron.of("AWS::Lambda::EventInvokeConfig").values()
        if snaketron.target(each["FunctionName"]) == function
    ]
    failed = own["DestinationConfig"]["OnFailure"]["Destination"]
    assert snaketron.target(failed) == queue(snaketron)
    assert "MaximumRetryAttempts" not in own, "Lambda's two further tries are wanted here"
    callers = [
        (each["Principal"], snaketron.target(each["SourceArn"]))
        for each in snaketron.of("AWS::Lambda::Permission").values()
        if snaketron.target(each["FunctionName"]) == function
    ]
    assert callers == [("sns.amazonaws.com", topic)]
    senders = [
        statement
        for policy in snaketron.of("AWS::SQS::QueuePolicy").values()
        for statement in policy["PolicyDocument"]["Statement"]
        if statement["Principal"] == {"Service": "sns.amazonaws.com"}
    ]
    assert [each["Action"] for each in senders] == ["sqs:SendMessage"]
    (condition,) = (each["Condition"]["ArnEquals"]["aws:SourceArn"] for each in senders)
    assert snaketron.target(condition) == topic


def test_it_may_read_its_secret_and_nothing_else(snaketron: Template) -> None:
    _, function = slack(snaketron)
    granted = snaketron.granted(snaketron.target(function["Role"]))
    assert granted.pop("secretsmanager:GetSecretValue") == [
        f"arn:aws:secretsmanager:us-east-1:123456789012:secret:{SECRET}-??????"
    ]
    assert granted.pop("sqs:SendMessage") == [
        f"arn:aws:sqs:us-east-1:123456789012:{NAMES.undelivered}"
    ]
    assert set(granted) == {
        *("logs:CreateLogStream", "logs:PutLogEvents"),
        *("xray:PutTelemetryRecords", "xray:PutTraceSegments"),
    }
    assert "VpcConfig" not in function, "from inside the VPC the internet costs a NAT gateway"
    variables = function["Environment"]["Variables"]
    assert variables["QUORUMSHIFT_SLACK_SECRET"] == SECRET


def test_nobody_else_may_read_it(snaketron: Template) -> None:
    readers = {
        name
        for name, statement in snaketron.statements()
        if SECRET in json.dumps(statement["Resource"])
    }
    assert readers == {snaketron.target(slack(snaketron)[1]["Role"])}


def test_without_a_webhook_there_is_no_function_for_it(template: Template) -> None:
    names = {each["FunctionName"] for each in template.of("AWS::Lambda::Function").values()}
    assert Names("sample").function(SLACK) not in names
    assert not template.of("AWS::SNS::Subscription")
