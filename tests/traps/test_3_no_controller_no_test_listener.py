"""Trap 3: the service was not under CodeDeploy's controller, and the deployment group had no test
listener, so AfterAllowTestTraffic could not run."""

from __future__ import annotations

import copy
from collections.abc import Callable, Collection
from typing import Any

import pytest

from tests.infra.template import Template
from tests.traps.conftest import Shipped


def faults(template: Template, adopted: Collection[str] = ()) -> set[str]:
    """What keeps CodeDeploy from shifting and trying the traffic. ``adopted``: listeners that are
    there already."""
    found = set()
    service = template.one("AWS::ECS::Service")
    if service.get("DeploymentController") != {"Type": "CODE_DEPLOY"}:
        found.add("controller")
    group = template.one("AWS::CodeDeploy::DeploymentGroup")
    if group["DeploymentStyle"] != {
        "DeploymentOption": "WITH_TRAFFIC_CONTROL",
        "DeploymentType": "BLUE_GREEN",
    }:
        found.add("style")
    (pair,) = group["LoadBalancerInfo"]["TargetGroupPairInfoList"]
    production, trial = (
        [template.target(arn) for arn in pair.get(route, {}).get("ListenerArns", ())]
        for route in ("ProdTrafficRoute", "TestTrafficRoute")
    )
    listeners = {*template.of("AWS::ElasticLoadBalancingV2::Listener"), *adopted}
    if len(production) != 1 or not set(production) <= listeners:
        found.add("production listener")
    if len(trial) != 1 or not set(trial) <= listeners - set(production):
        found.add("test listener")
    if len({each["Name"] for each in pair["TargetGroups"]}) != 2:
        found.add("two target groups")
    return found


def adopted(shipped: Shipped) -> set[str]:
    """The listeners that the configuration names."""
    adopt = shipped.configuration.adopt
    return {each for each in (adopt.production_listener, adopt.test_listener) if each}


def test_code_deploy_can_shift_and_try_the_traffic(shipped: Shipped) -> None:
    assert faults(shipped.template, adopted(shipped)) == set()


def test_the_checks_try_the_listener_that_the_group_names(shipped: Shipped) -> None:
    balancer = shipped.configuration.load_balancer
    assert shipped.settings.test_url.endswith(f":{balancer.test_listener_port}")
    ports = {
        each["Port"]
        for each in shipped.template.of("AWS::ElasticLoadBalancingV2::Listener").values()
    }
    wanted = {balancer.test_listener_port}
    if not shipped.configuration.adopt.production_listener:
        wanted.add(balancer.listener_port)
    assert wanted <= ports


def _no_controller(template: Template) -> None:
    del template.one("AWS::ECS::Service")["DeploymentController"]


def _no_test_route(template: Template) -> None:
    group = template.one("AWS::CodeDeploy::DeploymentGroup")
    (pair,) = group["LoadBalancerInfo"]["TargetGroupPairInfoList"]
    del pair["TestTrafficRoute"]


def _one_route_for_both(template: Template) -> None:
    group = template.one("AWS::CodeDeploy::DeploymentGroup")
    (pair,) = group["LoadBalancerInfo"]["TargetGroupPairInfoList"]
    pair["TestTrafficRoute"] = pair["ProdTrafficRoute"]


def _in_place(template: Template) -> None:
    style = template.one("AWS::CodeDeploy::DeploymentGroup")["DeploymentStyle"]
    style["DeploymentType"] = "IN_PLACE"


@pytest.mark.parametrize(
    ("open_it", "fault"),
    [
        (_no_controller, "controller"),
        (_no_test_route, "test listener"),
        (_one_route_for_both, "test listener"),
        (_in_place, "style"),
    ],
)
def test_the_trap_is_found_open(
    shipped: Shipped, open_it: Callable[[Template], None], fault: str
) -> None:
    document: dict[str, Any] = copy.deepcopy(shipped.document)
    spoilt = Template(document)
    open_it(spoilt)
    assert faults(spoilt, adopted(shipped)) == {fault}
