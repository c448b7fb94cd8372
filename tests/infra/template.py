"""Reading a synthesized template: resources by type, references resolved to readable text."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

PSEUDO = {
    "AWS::AccountId": "123456789012",
    "AWS::Partition": "aws",
    "AWS::Region": "us-east-1",
    "AWS::URLSuffix": "amazonaws.com",
}


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
        """The logical id that a Ref or GetAtt points at."""
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
