"""Links into the AWS console, made from ARNs: for messages, the action and the commands.

A partition has a console of its own; where none is known there is no link, and the ARN has to do.
"""

from __future__ import annotations

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
    region, _, _ = _read(arn)
    return _page(arn, f"states/home?region={region}#/v2/executions/details/{arn}")


def build_page(arn: str) -> str:
    """The page of a build (``…:build/<project>:<id>``), with its phases and its log."""
    region, account, resource = _read(arn)
    project = resource.removeprefix("build/").partition(":")[0]
    build = quote(resource, safe="/")
    return _page(arn, f"codesuite/codebuild/{account}/projects/{project}/{build}/?region={region}")


def alarm_page(arn: str) -> str:
    """The page of a CloudWatch alarm (``…:alarm:<name>``)."""
    region, _, resource = _read(arn)
    name = quote(resource.removeprefix("alarm:"), safe="")
    return _page(arn, f"cloudwatch/home?region={region}#alarmsV2:alarm/{name}")


def _page(arn: str, path: str) -> str:
    host = _HOSTS.get(arn.split(":")[1]) if _is_arn(arn) else None
    return f"https://{_read(arn)[0]}.{host}/{path}" if host else ""


def _read(arn: str) -> tuple[str, str, str]:
    """Region, account and resource; empty for what is no ARN."""
    if not _is_arn(arn):
        return "", "", ""
    region, account, resource = arn.split(":", _ARN_PARTS - 1)[3:]
    return region, account, resource


def _is_arn(text: str) -> bool:
    return text.startswith("arn:") and len(text.split(":", _ARN_PARTS - 1)) == _ARN_PARTS
