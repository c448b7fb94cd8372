"""The load balancer's engine, through the AWS APIs and real requests."""

from __future__ import annotations

import contextlib
import http.client
import itertools
import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import botocore.exceptions
import pytest

from quorumshift.rehearsal.aws.load_balancing import BalancerEngine
from quorumshift.rehearsal.aws.server import EmbeddedAws
from quorumshift.rehearsal.block import take_block
from quorumshift.rehearsal.preflight import CannotStart, check_ports
from quorumshift.rehearsal.world import World
from tests.rehearsal.balancer_rig import listen

_numbers = itertools.count(1)
_addresses = itertools.count(200)  # the tasks of other tests take theirs from below


class Site:
    """A load balancer with a production listener, two target groups, and real targets."""

    def __init__(self, world: World, engine: BalancerEngine) -> None:
        self.world = world
        self.engine = engine
        self.elb = world.client("elbv2")
        self.name = f"site{next(_numbers)}"
        self.port = 19080 + next(_numbers)
        ec2 = world.client("ec2")
        vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        subnet = ec2.create_subnet(
            VpcId=vpc, CidrBlock="10.0.0.0/24", AvailabilityZone="us-east-1a"
        )
        made = self.elb.create_load_balancer(
            Name=self.name, Subnets=[subnet["Subnet"]["SubnetId"]]
        )["LoadBalancers"][0]
        self.arn, self.dns = made["LoadBalancerArn"], made["DNSName"]
        self.blue = self._group("blue", vpc)
        self.green = self._group("green", vpc)
        self.listener = self.listen(self.port)
        self.servers: list[ThreadingHTTPServer] = []

    def close(self) -> None:
        for listener in self.elb.describe_listeners(LoadBalancerArn=self.arn)["Listeners"]:
            self.elb.delete_listener(ListenerArn=listener["ListenerArn"])
        for group in (self.blue, self.green):
            self.elb.delete_target_group(TargetGroupArn=group)
        self.elb.delete_load_balancer(LoadBalancerArn=self.arn)
        for server in self.servers:
            server.shutdown()
            server.server_close()

    def _group(self, colour: str, vpc: str) -> str:
        made = self.elb.create_target_group(
            Name=f"{self.name}-{colour}",
            Protocol="HTTP",
            Port=8080,
            VpcId=vpc,
            TargetType="ip",
            HealthCheckPath="/health",
            HealthCheckIntervalSeconds=10,
            HealthyThresholdCount=2,
            UnhealthyThresholdCount=2,
        )["TargetGroups"][0]["TargetGroupArn"]
        self.elb.modify_target_group_attributes(
            TargetGroupArn=made,
            Attributes=[{"Key": "deregistration_delay.timeout_seconds", "Value": "30"}],
        )
        return str(made)

    def listen(self, port: int) -> str:
        made = self.elb.create_listener(
            LoadBalancerArn=self.arn, Protocol="HTTP", Port=port, DefaultActions=[self.action(100)]
        )
        return str(made["Listeners"][0]["ListenerArn"])

    def action(self, blue: int) -> dict[str, Any]:
        shares = ((self.blue, blue), (self.green, 100 - blue))
        groups = [{"TargetGroupArn": arn, "Weight": weight} for arn, weight in shares]
        return {"Type": "forward", "ForwardConfig": {"TargetGroups": groups}}

    def weigh(self, blue: int) -> None:
        self.elb.modify_listener(ListenerArn=self.listener, DefaultActions=[self.action(blue)])

    def start(self, group: str, colour: str, status: int = 200) -> str:
        """A target that answers its colour, registered; its address."""
        address = self.world.block.task(next(_addresses))

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_GET(self) -> None:
                self.send_response(status)
                self.send_header("Content-Length", str(len(colour)))
                self.end_headers()
                self.wfile.write(colour.encode())

            def log_message(self, *_: Any) -> None:
                """Nothing."""

        server = ThreadingHTTPServer((address, 8080), Handler)
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        self.servers.append(server)
        self.elb.register_targets(TargetGroupArn=group, Targets=[{"Id": address, "Port": 8080}])
        return address

    def ask(self, times: int, link: http.client.HTTPConnection | None = None) -> Counter[str]:
        link = link or http.client.HTTPConnection(self.dns, self.port, timeout=5)
        answers: Counter[str] = Counter()
        for _ in range(times):
            link.request("GET", "/")
            answer = link.getresponse()
            answers[answer.read().decode() if answer.status == 200 else str(answer.status)] += 1
        return answers

    def health(self, group: str, *ids: str) -> dict[str, tuple[str, str | None]]:
        """Address → state and reason."""
        targets = {"Targets": [{"Id": id} for id in ids]} if ids else {}
        found = self.elb.describe_target_health(TargetGroupArn=group, **targets)
        return {
            one["Target"]["Id"]: (one["TargetHealth"]["State"], one["TargetHealth"].get("Reason"))
            for one in found["TargetHealthDescriptions"]
        }


@pytest.fixture
def engine(aws: EmbeddedAws) -> BalancerEngine:
    return next(one for one in aws.engines if isinstance(one, BalancerEngine))


@pytest.fixture
def site(world: World, engine: BalancerEngine) -> Iterator[Site]:
    made = Site(world, engine)
    yield made
    made.close()


def until(holds: Callable[[], object], seconds: float = 8) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it did not come to pass"
        time.sleep(0.02)


def test_the_listener_shows_and_does_what_it_was_told(site: Site) -> None:
    blue, green = site.start(site.blue, "blue"), site.start(site.green, "green")
    assert site.dns == site.world.block.balancer
    until(lambda: site.health(site.blue) == {blue: ("healthy", None)})
    until(lambda: site.health(site.green) == {green: ("healthy", None)})
    assert site.ask(20) == {"blue": 20}
    link = http.client.HTTPConnection(site.dns, site.port, timeout=5)
    site.ask(1, link)
    connected = link.sock
    site.weigh(0)
    described = site.elb.describe_listeners(ListenerArns=[site.listener])["Listeners"][0]
    config = described["DefaultActions"][0]["ForwardConfig"]
    assert [(one["TargetGroupArn"], one["Weight"]) for one in config["TargetGroups"]] == [
        (site.blue, 0),
        (site.green, 100),
    ]
    site.engine.settle()
    assert site.ask(20, link) == {"green": 20}
    assert link.sock is connected
    until(
        lambda: any(
            event.data == {"port": site.port, "blue": 0, "green": 100}
            for event in site.world.events.all("traffic")
        )
    )


def test_target_health_through_a_target_s_life(site: Site) -> None:
    nobody = site.world.block.task(next(_addresses))
    assert site.health(site.blue, nobody) == {nobody: ("unused", "Target.NotRegistered")}
    address = site.start(site.blue, "ill", status=500)
    state, reason = site.health(site.blue)[address]
    assert state == "initial"
    assert reason in ("Elb.RegistrationInProgress", "Elb.InitialHealthChecking")
    until(lambda: site.health(site.blue)[address] == ("unhealthy", "Target.ResponseCodeMismatch"))
    found = site.elb.describe_target_health(TargetGroupArn=site.blue)["TargetHealthDescriptions"]
    assert found[0]["Target"] == {"Id": address, "Port": 8080}
    assert found[0]["HealthCheckPort"] == "8080"
    described = found[0]["TargetHealth"]["Description"]
    assert described == "Health checks failed with these codes: [500]"

    site.elb.deregister_targets(TargetGroupArn=site.blue, Targets=[{"Id": address}])
    draining = (address, ("draining", "Target.DeregistrationInProgress"))
    assert list(site.health(site.blue).items()) == [draining]
    site.elb.register_targets(TargetGroupArn=site.blue, Targets=[{"Id": address}])
    assert site.health(site.blue)[address][0] == "initial"
    until(lambda: site.health(site.blue)[address][0] == "unhealthy")
    site.elb.deregister_targets(TargetGroupArn=site.blue, Targets=[{"Id": address}])
    site.elb.deregister_targets(TargetGroupArn=site.blue, Targets=[{"Id": address}])  # no error
    until(lambda: site.health(site.blue) == {})
    assert site.health(site.blue, address) == {address: ("unused", "Target.NotRegistered")}


def test_targets_of_a_group_that_no_listener_uses(site: Site) -> None:
    only = [{"Type": "forward", "TargetGroupArn": site.blue}]
    site.elb.modify_listener(ListenerArn=site.listener, DefaultActions=only)
    site.engine.settle()
    address = site.start(site.green, "green")
    until(lambda: site.health(site.green) == {address: ("unused", "Target.NotInUse")})
    site.weigh(100)
    until(lambda: site.health(site.green) == {address: ("healthy", None)})
    site.elb.modify_listener(ListenerArn=site.listener, DefaultActions=only)
    until(lambda: site.health(site.green) == {address: ("unused", "Target.NotInUse")})
    site.elb.deregister_targets(TargetGroupArn=site.green, Targets=[{"Id": address}])
    assert site.health(site.green) == {}


def test_deregistered_targets_get_no_requests(site: Site) -> None:
    first, second = site.start(site.blue, "first"), site.start(site.blue, "second")
    until(lambda: {one[0] for one in site.health(site.blue).values()} == {"healthy"})
    assert site.ask(10) == {"first": 5, "second": 5}
    site.elb.deregister_targets(TargetGroupArn=site.blue, Targets=[{"Id": first}])
    site.engine.settle()
    assert site.ask(10) == {"second": 10}
    site.elb.deregister_targets(TargetGroupArn=site.blue, Targets=[{"Id": second}])
    site.engine.settle()
    assert site.ask(1) == {"503": 1}


def test_rules_stickiness_and_what_is_not_known(site: Site) -> None:
    site.start(site.blue, "blue")
    site.start(site.green, "green")
    for group in (site.blue, site.green):
        until(lambda: {"healthy"} == {one[0] for one in site.health(group).values()})  # noqa: B023 # at once
    forward = {"Type": "forward", "TargetGroupArn": site.green}
    site.elb.create_rule(
        ListenerArn=site.listener,
        Priority=5,
        Conditions=[{"Field": "path-pattern", "PathPatternConfig": {"Values": ["/"]}}],
        Actions=[forward],
    )
    site.elb.modify_target_group_attributes(
        TargetGroupArn=site.green,
        Attributes=[
            {"Key": "stickiness.enabled", "Value": "true"},
            {"Key": "stickiness.type", "Value": "lb_cookie"},
            {"Key": "stickiness.lb_cookie.duration_seconds", "Value": "600"},
        ],
    )
    site.engine.settle()
    link = http.client.HTTPConnection(site.dns, site.port, timeout=5)
    link.request("GET", "/")
    answer = link.getresponse()
    assert answer.read() == b"green"
    assert answer.headers["Set-Cookie"].startswith("AWSALB=")
    redirect = {"Type": "redirect", "RedirectConfig": {"StatusCode": "HTTP_301", "Path": "/x"}}
    site.elb.create_rule(
        ListenerArn=site.listener,
        Priority=1,
        Conditions=[{"Field": "host-header", "HostHeaderConfig": {"Values": ["*"]}}],
        Actions=[redirect],
    )
    site.engine.settle()
    assert site.ask(1, link) == {"501": 1}
    said = f"listener {site.port} of app/{site.name}/"
    assert any(
        event.text.startswith(said) and "redirect" in event.text
        for event in site.world.events.all("error")
    )


def test_a_busy_port_fails_where_the_listener_is_created(site: Site) -> None:
    port = 19080 + next(_numbers)
    with contextlib.closing(listen(site.world.block.balancer, port)):
        with pytest.raises(CannotStart, match=rf"port {port} of 127\.72\.\d+\.2 .*already in use"):
            check_ports([(site.world.block.balancer, port)])
        with pytest.raises(botocore.exceptions.ClientError) as refused:
            site.listen(port)
    assert f"{site.world.block.balancer}:{port}" in str(refused.value)
    assert len(site.elb.describe_listeners(LoadBalancerArn=site.arn)["Listeners"]) == 1
    check_ports([(site.world.block.balancer, port)])
    site.listen(port)


def test_metrics_reach_cloudwatch_with_albs_dimensions(site: Site) -> None:
    site.start(site.blue, "blue")
    until(lambda: {"healthy"} == {one[0] for one in site.health(site.blue).values()})
    site.ask(30)
    cloudwatch = site.world.client("cloudwatch")
    balancer = site.arn.partition("loadbalancer/")[2]
    group = {"Name": "TargetGroup", "Value": site.blue.rpartition(":")[2]}
    whole = {"Name": "LoadBalancer", "Value": balancer}
    zone = {"Name": "AvailabilityZone", "Value": "us-east-1a"}

    def sums(name: str, *dimensions: dict[str, str]) -> list[float]:
        found = cloudwatch.get_metric_statistics(
            Namespace="AWS/ApplicationELB",
            MetricName=name,
            Dimensions=dimensions,
            StartTime=time.time() - 60,
            EndTime=time.time() + 60,
            Period=3600,
            Statistics=["Sum", "Maximum", "SampleCount"],
        )["Datapoints"]
        return [found[0]["Sum"], found[0]["Maximum"], found[0]["SampleCount"]] if found else []

    until(lambda: sums("TargetResponseTime", group, whole, zone)[2:] == [30])
    listed = cloudwatch.list_metrics(Namespace="AWS/ApplicationELB", Dimensions=[whole])["Metrics"]
    shapes = {(one["MetricName"], *(d["Name"] for d in one["Dimensions"])) for one in listed}
    assert shapes >= {
        ("RequestCount", "LoadBalancer"),
        ("RequestCount", "AvailabilityZone", "LoadBalancer"),
        ("RequestCount", "LoadBalancer", "TargetGroup"),
        ("RequestCount", "AvailabilityZone", "LoadBalancer", "TargetGroup"),
        ("HealthyHostCount", "LoadBalancer", "TargetGroup"),
        ("UnHealthyHostCount", "LoadBalancer", "TargetGroup"),
        ("HTTPCode_Target_2XX_Count", "LoadBalancer", "TargetGroup"),
    }
    assert sums("HealthyHostCount", group, whole, zone)[1] == 1
    assert sums("UnHealthyHostCount", group, whole, zone)[1] == 0


def test_a_balancer_that_dies_is_not_overlooked(tmp_path: Path) -> None:
    world = World(block=take_block(), speed=60, directory=tmp_path)
    engine = BalancerEngine(world)  # not installed: the shared one keeps moto
    engine.start()
    assert engine.pid is not None
    os.kill(engine.pid, signal.SIGKILL)
    until(lambda: world.events.all("error"))
    (event,) = world.events.all("error")
    assert event.text.startswith("the load balancer ended by itself with status -9; see ")
    engine.stop()
    world.processes.close()
    world.block.lock.close()
