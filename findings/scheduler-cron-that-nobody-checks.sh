#!/usr/bin/env bash
# cfn-lint 1.58.0 and moto 5.2.5.
# EventBridge Scheduler refuses a cron expression in which both days are set (one of them must be a
# question mark) and one whose fields are out of range. A template that holds such a schedule passes
# cfn-lint without a word, and moto creates the schedule: the error comes with the deployment.
# Seen: cfn-lint ends with 0 and prints nothing, moto answers 200, for each expression.
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet "cfn-lint==1.58.0" "moto[scheduler]==5.2.5" "boto3==1.44.5"
cat > "$folder/template.json" <<'JSON'
{"Resources": {
  "BothDays": {"Type": "AWS::Scheduler::Schedule", "Properties": {
    "ScheduleExpression": "cron(0 4 1 * MON *)", "FlexibleTimeWindow": {"Mode": "OFF"},
    "Target": {"Arn": "arn:aws:sqs:us-east-1:123456789012:q", "RoleArn": "arn:aws:iam::123456789012:role/r"}}},
  "OutOfRange": {"Type": "AWS::Scheduler::Schedule", "Properties": {
    "ScheduleExpression": "cron(75 25 * * ? *)", "FlexibleTimeWindow": {"Mode": "OFF"},
    "Target": {"Arn": "arn:aws:sqs:us-east-1:123456789012:q", "RoleArn": "arn:aws:iam::123456789012:role/r"}}}}}
JSON
linted=$("$folder/venv/bin/cfn-lint" --regions us-east-1 -- "$folder/template.json")
echo "cfn-lint: '$linted'"
test -z "$linted"
seen=$("$folder/venv/bin/python" - <<'PYTHON'
import os

os.environ |= {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x", "AWS_DEFAULT_REGION": "us-east-1"}
import boto3
from moto import mock_aws

with mock_aws():
    client = boto3.client("scheduler")
    for number, expression in enumerate(("cron(0 4 1 * MON *)", "cron(75 25 * * ? *)")):
        answer = client.create_schedule(
            Name=f"s{number}",
            ScheduleExpression=expression,
            FlexibleTimeWindow={"Mode": "OFF"},
            Target={"Arn": "arn:aws:sqs:us-east-1:123456789012:q", "RoleArn": "arn:aws:iam::123456789012:role/r"},
        )
        print(answer["ResponseMetadata"]["HTTPStatusCode"])
PYTHON
)
echo "moto: $seen"
test "$seen" = "200
200"
