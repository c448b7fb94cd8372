#!/usr/bin/env bash
# moto 5.2.5, its Step Functions interpreter.
# On AWS a Choice whose variable is not there fails the execution with States.Runtime, and a machine
# whose Next names no state cannot be created. In moto the Choice goes to its Default, and the machine
# is created: a workflow that cannot work passes its tests.
# Seen: SUCCEEDED by way of Default, and a state machine ARN.
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet "moto[stepfunctions]==5.2.5" "boto3==1.44.5"
seen=$("$folder/venv/bin/python" - <<'PYTHON'
import json
import os
import time

os.environ |= {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x", "AWS_DEFAULT_REGION": "us-east-1"}
import boto3
from moto import mock_aws

ask = {"Variable": "$.plan.goal", "StringEquals": "green", "Next": "Green"}
choice = {
    "StartAt": "Ask",
    "States": {
        "Ask": {"Type": "Choice", "Choices": [ask], "Default": "Other"},
        "Green": {"Type": "Succeed"},
        "Other": {"Type": "Succeed"},
    },
}
nowhere = {"StartAt": "A", "States": {"A": {"Type": "Pass", "Next": "B"}}}
role = "arn:aws:iam::123456789012:role/r"
with mock_aws(config={"stepfunctions": {"execute_state_machine": True}}):
    client = boto3.client("stepfunctions")
    arn = client.create_state_machine(name="c", definition=json.dumps(choice), roleArn=role)["stateMachineArn"]
    run = client.start_execution(stateMachineArn=arn, input="{}")["executionArn"]
    for _ in range(200):
        status = client.describe_execution(executionArn=run)["status"]
        if status != "RUNNING":
            break
        time.sleep(0.05)
    events = client.get_execution_history(executionArn=run)["events"]
    entered = [e["stateEnteredEventDetails"]["name"] for e in events if "stateEnteredEventDetails" in e]
    print(status, *entered)
    made = client.create_state_machine(name="n", definition=json.dumps(nowhere), roleArn=role)
    print(made["stateMachineArn"].rpartition(":")[2])
PYTHON
)
echo "$seen"
test "$seen" = "SUCCEEDED Ask Other
n"
