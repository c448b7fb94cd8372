"""Where a resource's properties are more than another spelling of the call's parameters.

The first functions rewrite properties before they become parameters; the last make further calls
after the resource is there. Each is named in ``cloudformation_kinds``.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from typing import Any

from quorumshift.rehearsal.aws.loud import NotRehearsed

Properties = dict[str, Any]
Clients = Callable[[str], Any]


def _without(properties: Properties, *keys: str) -> Properties:
    return {key: value for key, value in properties.items() if key not in keys}


def renamed(**names: str) -> Callable[[Properties, Clients], Properties]:
    """Properties that the API calls otherwise."""
    return lambda properties, _: {names.get(key, key): value for key, value in properties.items()}


def machine_definition(properties: Properties, _: Clients) -> Properties:
    """Fill the substitutions in; the rest has other names in the API."""
    renamed = {"StateMachineName": "Name", "StateMachineType": "Type"}
    rest = _without(properties, "DefinitionString", "DefinitionSubstitutions")
    definition = properties["DefinitionString"]
    for name, value in properties.get("DefinitionSubstitutions", {}).items():
        definition = definition.replace(f"${{{name}}}", str(value))
    return {
        "Type": "STANDARD",
        **{renamed.get(key, key): value for key, value in rest.items()},
        "Definition": definition,
    }


def secret_value(properties: Properties, client: Clients) -> Properties:
    """Make the secret's value up where the template asks for that."""
    if "GenerateSecretString" not in properties:
        return properties
    wanted = dict(properties["GenerateSecretString"])
    template, key = wanted.pop("SecretStringTemplate", None), wanted.pop("GenerateStringKey", None)
    made = client("secretsmanager").get_random_password(**wanted)["RandomPassword"]
    value = made if key is None else json.dumps({**json.loads(template), key: made})
    return {**_without(properties, "GenerateSecretString"), "SecretString": value}


def function_code(properties: Properties, _: Clients) -> Properties:
    """Pack code that stands in the template; refuse a log group that would stay empty."""
    group = properties.get("LoggingConfig", {}).get("LogGroup")
    expected = f"/aws/lambda/{properties['FunctionName']}"
    if group not in (None, expected):
        raise NotRehearsed(f"the function logs to {group}; here it can be {expected} alone")
    rest = _without(properties, "LoggingConfig")
    if "ZipFile" in properties["Code"]:
        package = io.BytesIO()
        with zipfile.ZipFile(package, "w") as archive:
            archive.writestr("index.py", properties["Code"]["ZipFile"])
        rest["Code"] = {"ZipFile": package.getvalue()}
    return rest


def project_source(properties: Properties, _: Clients) -> Properties:
    """moto asks for a location where there is no source."""
    source = properties["Source"]
    if source["Type"] == "NO_SOURCE":
        source = {"Location": "none", **source}
    return {**properties, "Source": source}


def capacity_providers(properties: Properties, _: Clients) -> Properties:
    """The API wants a default strategy, if an empty one."""
    return {"DefaultCapacityProviderStrategy": [], **properties}


def topic_policy(properties: Properties, _: Clients) -> Properties:
    """The policy becomes an attribute of its topic."""
    if len(properties["Topics"]) != 1:
        raise NotRehearsed("one policy for several topics")
    return {
        "TopicArn": properties["Topics"][0],
        "AttributeName": "Policy",
        "AttributeValue": properties["PolicyDocument"],
    }


def queue_policy(properties: Properties, _: Clients) -> Properties:
    """The policy becomes an attribute of its queue."""
    if len(properties["Queues"]) != 1:
        raise NotRehearsed("one policy for several queues")
    return {
        "QueueUrl": properties["Queues"][0],
        "Attributes": {"Policy": properties["PolicyDocument"]},
    }


def scalable_target(_: Any, given: Properties) -> tuple[str, Properties]:
    """What ``Ref`` gives on AWS: three things in one."""
    return "|".join(
        given[part] for part in ("ResourceId", "ScalableDimension", "ServiceNamespace")
    ), {}


def scaling_policy(properties: Properties, _: Clients) -> Properties:
    """The API wants apart what names the target."""
    rest = _without(properties, "ScalingTargetId")
    if "ScalingTargetId" not in properties:
        return rest
    names = ("ResourceId", "ScalableDimension", "ServiceNamespace")
    return {**rest, **dict(zip(names, properties["ScalingTargetId"].split("|"), strict=True))}


def balancer_attributes(client: Any, answer: dict[str, Any], properties: Properties) -> None:
    """Attributes are set with a call of their own."""
    if wanted := properties.get("LoadBalancerAttributes"):
        arn = answer["LoadBalancers"][0]["LoadBalancerArn"]
        client.modify_load_balancer_attributes(LoadBalancerArn=arn, Attributes=wanted)


def group_attributes(client: Any, answer: dict[str, Any], properties: Properties) -> None:
    """Attributes are set with a call of their own."""
    if wanted := properties.get("TargetGroupAttributes"):
        arn = answer["TargetGroups"][0]["TargetGroupArn"]
        client.modify_target_group_attributes(TargetGroupArn=arn, Attributes=wanted)


def function_concurrency(client: Any, answer: dict[str, Any], properties: Properties) -> None:
    """A part of the account's concurrent executions is reserved with a call of its own."""
    if reserved := properties.get("ReservedConcurrentExecutions"):
        client.put_function_concurrency(
            FunctionName=answer["FunctionName"], ReservedConcurrentExecutions=reserved
        )
