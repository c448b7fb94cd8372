"""Reading synthesized templates: resources by type, references resolved to readable text."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

PSEUDO = {
    "AWS::AccountId": "123456789012",
    "AWS::Partition": "aws",
    "AWS::Region": "us-east-1",
    "AWS::URLSuffix": "amazonaws.com",
}


def stacks(assembly: Path) -> dict[str, dict[str, Any]]:
    """Name → template, of all stacks of a cloud assembly, as CloudFormation gets them."""
    return {
        path.name.removesuffix(".template.json"): json.loads(path.read_text(encoding="utf-8"))
        for path in sorted(assembly.glob("*.template.json"))
    }


def merged(assembly: Path) -> dict[str, Any]:
    """The stacks of one service as one template: what one imports of another is a reference."""
    documents = list(stacks(assembly).values())
    outputs = [output for document in documents for output in document.get("Outputs", {}).values()]
    exported = {each["Export"]["Name"]: each["Value"] for each in outputs if "Export" in each}
    whole: dict[str, Any] = {"Resources": {}, "Outputs": {}}
    for document in documents:
        for part, found in whole.items():
            added = _imported(document.get(part, {}), exported)
            assert not found.keys() & added.keys(), "two stacks have a logical id in common"
            found.update(added)
    return whole


def _imported(value: Any, exported: Mapping[str, Any]) -> Any:
    if isinstance(value, list):
        return [_imported(each, exported) for each in value]
    if not isinstance(value, dict):
        return value
    if "Fn::ImportValue" in value:
        return exported[value["Fn::ImportValue"]]
    return {key: _imported(each, exported) for key, each in value.items()}


class Template:
    """``resources``: logical id → resource."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.resources: dict[str, dict[str, Any]] = document["Resources"]
        self.outputs: dict[str, Any] = document["Outputs"]

    def of(self, kind: str) -> dict[str, dict[str, Any]]:
        """Logical id → properties, of all resources of one type."""
        return {
            name: resource.get("Properties", {})
            for name, resource in self.resources.items()
            if resource["Type"] == kind
        }

    def one(self, kind: str) -> dict[str, Any]:
        """The properties of the only resource of one type."""
        (properties,) = self.of(kind).values()
        return properties

    def target(self, value: Any) -> str:
        """The logical id that a Ref or GetAtt points at; of what is adopted its id or name."""
        if isinstance(value, str):
            return value
        if "Ref" in value:
            return str(value["Ref"])
        return str(value["Fn::GetAtt"][0])

    def text(self, value: Any) -> str:
        """A value as text: parameters replaced, resources as ``<LogicalId>``."""
        if isinstance(value, (str, int)):
            return str(value)
        if "Ref" in value:
            return PSEUDO.get(value["Ref"], f"<{value['Ref']}>")
        if "Fn::GetAtt" in value:
            return "<{}.{}>".format(*value["Fn::GetAtt"])
        if "Fn::Join" in value:
            separator, parts = value["Fn::Join"]
            return str(separator).join(self.text(part) for part in parts)
        if "Fn::Select" in value:
            index, parts = value["Fn::Select"]
            separator, text = parts["Fn::Split"]
            return f"<part {index} of {self.text(text)} at {separator}>"
        raise ValueError(f"no text for {value!r}")

    def statements(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """(logical id, statement) of every identity policy."""
        for name, role in self.of("AWS::IAM::Role").items():
            for policy in role.get("Policies", []):
                for statement in policy["PolicyDocument"]["Statement"]:
                    yield name, statement
        for name, policy in self.of("AWS::IAM::Policy").items():
            for statement in policy["PolicyDocument"]["Statement"]:
                yield name, statement

    def granted(self, role: str) -> dict[str, list[str]]:
        """Action → resources as text, of one role's own statements."""
        found: dict[str, list[str]] = {}
        for name, statement in self.statements():
            if name == role:
                for action in as_list(statement["Action"]):
                    resources = [self.text(each) for each in as_list(statement["Resource"])]
                    found.setdefault(action, []).extend(resources)
        return found


def as_list(value: Any) -> list[Any]:
    """IAM writes a list of one without the list."""
    return value if isinstance(value, list) else [value]
