"""Trap 6: it took the first cluster and the first service that the account listed.

Another cluster, service and deployment group are first in this account, and look just as ours.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from quorumshift.settings import Settings
from tests.traps.conftest import SHIPPED, Shipped, read

Told = dict[str, Any]

OTHERS = "a-first-of-all"

LISTS_AN_ACCOUNT = {
    "ListClusters",
    "ListServices",
    "ListServicesByNamespace",
    "ListTaskDefinitionFamilies",
    "ListApplications",
    "ListDeploymentGroups",
}


@pytest.fixture(scope="session")
def told() -> dict[tuple[Path, bool], Told]:
    """By configuration, and whether the product was made to take the first: what it did."""
    asked = [(path, first) for path in SHIPPED for first in (False, True)]
    questions = [
        {"variables": read(path).variables, "first_of_account": first} for path, first in asked
    ]
    script = subprocess.run(
        [sys.executable, "-m", "tests.traps.account", OTHERS],
        input=json.dumps(questions),
        capture_output=True,
        text=True,
        check=False,
    )
    assert script.returncode == 0, script.stderr
    return dict(zip(asked, json.loads(script.stdout), strict=True))


def strayed(told: Told, settings: Settings) -> set[str]:
    """What the product asked or did outside of the configured names."""
    found = set()
    ours = {
        "cluster": settings.cluster,
        "service": settings.service,
        "services": [settings.service],
        "serviceName": settings.service,
        "applicationName": settings.application,
        "deploymentGroupName": settings.deployment_group,
        "ResourceId": f"service/{settings.cluster}/{settings.service}",
        "ResourceIds": [f"service/{settings.cluster}/{settings.service}"],
    }
    for _, operation, parameters in told["asked"]:
        if operation in LISTS_AN_ACCOUNT:
            found.add(operation)
        if any(parameters.get(key, name) != name for key, name in ours.items()):
            found.add(f"{operation} of another")
    if f"task-definition/{settings.family}:" not in told["revision"]:
        found.add("another's task definition")
    if len(told["deployments"][OTHERS]) != 1 or len(told["deployments"][settings.application]) != 1:
        found.add("another's deployment")
    if told["suspended"] != ours["ResourceIds"]:
        found.add("another's scaling")
    return found


def test_only_what_is_configured_is_asked_and_deployed(
    told: dict[tuple[Path, bool], Told], shipped: Shipped
) -> None:
    ours = told[shipped.path, False]
    assert {"DescribeServices", "CreateDeployment", "RegisterScalableTarget"} <= {
        operation for _, operation, _ in ours["asked"]
    }
    assert strayed(ours, shipped.settings) == set()


def test_whoever_takes_the_first_is_found_out(
    told: dict[tuple[Path, bool], Told], shipped: Shipped
) -> None:
    assert strayed(told[shipped.path, True], shipped.settings) >= {
        "ListClusters",
        "ListServices",
        "DescribeServices of another",
        "another's task definition",
    }


def test_no_function_could_list_them(shipped: Shipped) -> None:
    granted = {
        action.partition(":")[2]
        for name in shipped.template.of("AWS::IAM::Role")
        for action in shipped.template.granted(name)
    }
    assert "DescribeServices" in granted
    assert not granted & LISTS_AN_ACCOUNT
