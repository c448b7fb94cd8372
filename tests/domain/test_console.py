"""Links into the console, in each partition."""

from __future__ import annotations

import pytest

from quorumshift.domain.console import alarm_page, build_page, execution_page

REST = "123456789012"


@pytest.mark.parametrize(
    ("partition", "region", "host"),
    [
        ("aws", "eu-west-1", "eu-west-1.console.aws.amazon.com"),
        ("aws-cn", "cn-north-1", "cn-north-1.console.amazonaws.cn"),
        ("aws-us-gov", "us-gov-west-1", "us-gov-west-1.console.amazonaws-us-gov.com"),
    ],
)
def test_each_partition_has_a_console_of_its_own(partition: str, region: str, host: str) -> None:
    arn = f"arn:{partition}:states:{region}:{REST}:execution:sample-deploy:one"
    assert execution_page(arn) == (
        f"https://{host}/states/home?region={region}#/v2/executions/details/{arn}"
    )
    build = f"arn:{partition}:codebuild:{region}:{REST}:build/sample-build:0f-1"
    assert build_page(build) == (
        f"https://{host}/codesuite/codebuild/{REST}/projects/sample-build/"
        f"build/sample-build%3A0f-1/?region={region}"
    )
    alarm = f"arn:{partition}:cloudwatch:{region}:{REST}:alarm:blue: a/b"
    assert alarm_page(alarm) == (
        f"https://{host}/cloudwatch/home?region={region}#alarmsV2:alarm/blue%3A%20a%2Fb"
    )


@pytest.mark.parametrize("page", [execution_page, build_page, alarm_page])
@pytest.mark.parametrize(
    "arn", ["", "one", "arn:aws", "ARN:aws:x:r:1:z", f"arn:aws-iso:x:us-iso-east-1:{REST}:y:z"]
)
def test_where_no_console_is_known_there_is_no_link(page: object, arn: str) -> None:
    assert callable(page)
    assert page(arn) == ""
