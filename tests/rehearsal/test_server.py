"""The embedded AWS comes up, answers, records who called, and goes down."""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from quorumshift.rehearsal.aws.calls import Calls, operation, signature
from quorumshift.rehearsal.aws.patching import MotoChanged, expect
from quorumshift.rehearsal.aws.server import EmbeddedAws
from quorumshift.rehearsal.block import Block
from quorumshift.rehearsal.world import AWS_PORT, World
from tests.rehearsal.conftest import Functions


def test_a_port_in_use_is_named(aws: EmbeddedAws, world: World) -> None:
    second = EmbeddedAws(world)
    with pytest.raises(RuntimeError, match=rf"{world.block.aws}:{AWS_PORT}.*in use"):
        second.start()


def test_connections_are_kept(world: World) -> None:
    connection = http.client.HTTPConnection(world.block.aws, AWS_PORT, timeout=5)
    headers = {
        "Authorization": "AWS4-HMAC-SHA256 Credential=x/20260101/us-east-1/ecs/aws4_request, ",
        "Content-Type": "application/x-amz-json-1.1",
        "X-Amz-Target": "AmazonEC2ContainerServiceV20141113.ListClusters",
    }
    local = set()
    for _ in range(3):
        connection.request("POST", "/", b"{}", headers)
        local.add(connection.sock.getsockname() if connection.sock else None)
        answer = connection.getresponse()
        assert answer.status == 200
        assert "clusterArns" in json.loads(answer.read())
    assert len(local) == 1
    connection.close()


def test_many_callers_at_once(world: World) -> None:
    answers: list[int] = []

    def ask() -> None:
        for _ in range(10):
            answers.append(len(world.client("sqs").list_queues().get("QueueUrls", [])))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert len(answers) == 80


def test_large_bodies_in_both_directions(world: World) -> None:
    s3, body = world.client("s3"), b"x" * 3_000_000
    s3.create_bucket(Bucket="large-bodies")
    s3.put_object(Bucket="large-bodies", Key="a key/with + signs", Body=body)
    assert s3.get_object(Bucket="large-bodies", Key="a key/with + signs")["Body"].read() == body
    assert s3.head_object(Bucket="large-bodies", Key="a key/with + signs")["ContentLength"] == len(
        body
    )


def test_the_calls_of_functions_are_counted(
    aws: EmbeddedAws, world: World, functions: Functions
) -> None:
    source = """
import botocore.session

def ask(event, context):
    session = botocore.session.get_session()
    session.create_client("ecs").list_clusters()
    client = session.create_client("secretsmanager")
    try:
        client.get_secret_value(SecretId="no-such-secret")
    except client.exceptions.ResourceNotFoundException:
        return "ok"
"""
    name = functions(source, "ask")["ask"]
    before = aws.calls.count()
    everybody = aws.calls.count(functions_only=False)
    world.client("lambda").invoke(FunctionName=name)
    mine = [call for call in aws.calls.all() if call.caller == name]
    assert [(call.action, call.error) for call in mine] == [
        ("ecs:ListClusters", ""),
        ("secretsmanager:GetSecretValue", "ResourceNotFoundException"),
    ]
    assert aws.calls.count() == before + 2
    assert aws.calls.count(functions_only=False) >= everybody + 3
    invoked = [call.action for call in aws.calls.all() if call.operation == "Invoke"]
    assert invoked[-1] == "lambda:InvokeFunction"


@pytest.mark.parametrize(
    ("environ", "body", "expected"),
    [
        (
            {"HTTP_X_AMZ_TARGET": "CodeDeploy_20141006.CreateDeployment"},
            b"{}",
            ("codedeploy", "CreateDeployment"),
        ),
        (
            {"CONTENT_TYPE": "application/x-www-form-urlencoded; charset=utf-8"},
            b"Action=DescribeRules&Version=2015-12-01",
            ("elasticloadbalancing", "DescribeRules"),
        ),
        (
            {
                "PATH_INFO": "/2015-03-31/functions/a-function/invocations",
                "wsgi.url_scheme": "http",
                "SERVER_NAME": "x",
                "SERVER_PORT": "1",
            },
            b"{}",
            ("lambda", "Invoke"),
        ),
        (
            {"HTTP_X_AMZ_TARGET": "GraniteServiceVersion20100801.DescribeAlarms"},
            b"{}",
            ("monitoring", "DescribeAlarms"),
        ),
    ],
)
def test_service_and_operation_are_read_off_any_protocol(
    environ: dict[str, str], body: bytes, expected: tuple[str, str]
) -> None:
    signed, name = expected
    whole = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": "/",
        "HTTP_AUTHORIZATION": f"AWS4-HMAC-SHA256 Credential=KEY/1/us-east-1/{signed}/aws4_request",
        **environ,
    }
    found = signature(whole)
    assert (found.key, found.signed) == ("KEY", signed)
    assert found.service == {"monitoring": "cloudwatch"}.get(signed, signed)
    assert operation(whole, body, found.signed) == name


def test_an_unknown_key_is_nobody() -> None:
    calls = Calls()
    calls.name("A", "function")
    calls.add("ecs", "ListTasks", calls.caller("A"), "")
    calls.add("ecs", "ListTasks", calls.caller("B"), "Refused")
    assert [call.caller for call in calls.all()] == ["function", ""]
    assert (calls.count(), calls.count(functions_only=False)) == (1, 2)


def test_another_moto_is_refused() -> None:
    class Part:
        def method(self, one: str) -> None: ...

    assert expect(Part, "method", "self one") is Part.method
    with pytest.raises(MotoChanged, match=r"Part\.method has the parameters \(self one\)"):
        expect(Part, "method", "self one two")
    with pytest.raises(MotoChanged, match=r"has no .*Part\.gone"):
        expect(Part, "gone", "self")


_UP_AND_DOWN = """
import sys
from pathlib import Path
from quorumshift.rehearsal.aws.server import EmbeddedAws
from quorumshift.rehearsal.block import take_block
from quorumshift.rehearsal.world import World

world = World(block=take_block(), speed=60, directory=Path(sys.argv[1]))
aws = EmbeddedAws(world)
aws.start()
print(world.block.aws, flush=True)
if sys.argv[2] == "stop":
    world.client("sts").get_caller_identity()
    aws.stop()
    world.processes.close()
    print("stopped", flush=True)
sys.stdin.read()
"""


@pytest.mark.parametrize("how", ["stop", "kill"])
def test_nothing_is_left(tmp_path: Path, how: str) -> None:
    child = subprocess.Popen(
        [sys.executable, "-c", _UP_AND_DOWN, str(tmp_path), how],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdout is not None
    address = child.stdout.readline().strip()
    if how == "stop":
        assert child.stdout.readline() == "stopped\n"
    else:
        child.kill()
        child.wait(10)
    try:
        with pytest.raises(ConnectionRefusedError):
            http.client.HTTPConnection(address, AWS_PORT, timeout=2).connect()
        deadline = time.monotonic() + 10
        while (left := _runtimes_of(tmp_path)) and time.monotonic() < deadline:
            time.sleep(0.05)  # one that was only just starting finds out for itself
        assert left == []
    finally:
        child.kill()
        child.communicate(timeout=10)


def _runtimes_of(directory: Path) -> list[str]:
    """Processes that still have this rehearsal's log open, the asking ones left out."""
    log = str((directory / "lambda-runtime.log").resolve())
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if any(str(fd.readlink()) == log for fd in (process / "fd").iterdir()):
                found.append((process / "cmdline").read_text())
        except OSError:
            continue  # it has ended, or is not ours
    return found


def test_blocks_have_addresses_of_their_own() -> None:
    block = Block(prefix="127.71.9", lock=open("/dev/null"))  # noqa: SIM115 # closed below
    assert block.aws != block.balancer != block.task(0)
    block.lock.close()
