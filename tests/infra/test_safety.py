"""What keeps the stack safe that no linter asks for."""

from __future__ import annotations

from tests.infra.template import Template, as_list


def test_the_topic_is_encrypted_with_a_key_that_lets_its_publishers_in(template: Template) -> None:
    topic = template.one("AWS::SNS::Topic")
    key = template.of("AWS::KMS::Key")[template.target(topic["KmsMasterKeyId"])]
    assert key["EnableKeyRotation"] is True
    statements = {each.get("Sid", ""): each for each in key["KeyPolicy"]["Statement"]}
    publishers = statements["Publishers"]
    assert publishers["Principal"] == {
        "Service": ["cloudwatch.amazonaws.com", "events.amazonaws.com"]
    }
    assert "Condition" not in publishers
    through = statements["ThroughTheTopic"]["Condition"]["StringEquals"]
    assert {name: template.text(value) for name, value in through.items()} == {
        "kms:CallerAccount": "123456789012",
        "kms:ViaService": "sns.us-east-1.amazonaws.com",
    }
    for each in (publishers, statements["ThroughTheTopic"]):
        assert as_list(each["Action"]) == ["kms:Decrypt", "kms:GenerateDataKey*"]


def test_the_load_balancer_logs_who_asked(template: Template) -> None:
    ((name, resource),) = [
        (name, each)
        for name, each in template.resources.items()
        if each["Type"] == "AWS::ElasticLoadBalancingV2::LoadBalancer"
    ]
    attributes = {
        each["Key"]: each["Value"] for each in resource["Properties"]["LoadBalancerAttributes"]
    }
    assert attributes["access_logs.s3.enabled"] == "true"
    bucket = template.target(attributes["access_logs.s3.bucket"])
    assert template.resources[bucket]["DeletionPolicy"] == "Retain"
    ((policy, properties),) = template.of("AWS::S3::BucketPolicy").items()
    assert policy in resource["DependsOn"], f"{name} would write before it may"
    (allowed,) = [
        each for each in properties["PolicyDocument"]["Statement"] if each["Effect"] == "Allow"
    ]
    assert allowed["Principal"] == {"Service": "logdelivery.elasticloadbalancing.amazonaws.com"}
    assert template.text(allowed["Resource"]) == f"<{bucket}.Arn>/AWSLogs/123456789012/*"


def test_what_is_refused_in_the_network_is_logged(template: Template) -> None:
    log = template.one("AWS::EC2::FlowLog")
    assert (log["TrafficType"], log["LogDestinationType"]) == ("REJECT", "cloud-watch-logs")
