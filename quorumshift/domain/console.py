"""Links into the AWS console, made from ARNs: for messages, the action and the commands.

A partition has a console of its own; where none is known there is no link, and the ARN has to do.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple
from urllib.parse import quote

_HOSTS = {
    "aws": "console.aws.amazon.com",
    "aws-cn": "console.amazonaws.cn",
    "aws-us-gov": "console.amazonaws-us-gov.com",
}
"""By partition; the region goes before it (AWS Management Console User Guide, "Working with AWS
Regions"; the user guides of AWS GovCloud (US) and of AWS in China have the other two)."""
_ARN_PARTS = 6


def execution_page(arn: str) -> str:
    """The page of an execution of a state machine; empty where no console is known."""
    return _page(arn, lambda at: f"states/home?region={at.region}#/v2/executions/details/{arn}")


def build_page(arn: str) -> str:
    """The page of a build (``…:build/<project>:<id>``), with its phases and its log."""

    def path(at: _Place) -> str:
        project = at.resource.removeprefix("build/").partition(":")[0]
        projects = f"codesuite/codebuild/{at.account}/projects/{project}"
        return f"{projects}/{quote(at.resource)}/?region={at.region}"

    return _page(arn, path)


def alarm_page(arn: str) -> str:
    """The page of a CloudWatch alarm (``…:alarm:<name>``)."""

    def path(at: _Place) -> str:
        name = quote(at.resource.removeprefix("alarm:"), safe="")
        return f"cloudwatch/home?region={at.region}#alarmsV2:alarm/{name}"

    return _page(arn, path)


class _Place(NamedTuple):
    """What stands behind ``arn:<partition>:<service>:``."""

    region: str
    account: str
    resource: str


def _page(arn: str, path: Callable[[_Place], str]) -> str:
    """Empty for what is no ARN, too."""
    kind, *parts = arn.split(":", _ARN_PARTS - 1)
    host = _HOSTS.get(parts[0]) if kind == "arn" and len(parts) == _ARN_PARTS - 1 else None
    if host is None:
        return ""
    place = _Place(*parts[2:])
    return f"https://{place.region}.{host}/{path(place)}"
