"""CloudFormation: stacks are created from the template as it is, or not at all.

moto skips resource types it does not know and drops properties it does not read. Here a resource is
made by the API call it stands for (:mod:`cloudformation_kinds`), or by moto where it is known to
honour what the template says; everything else ends the creation with the logical id and the reason.
Stacks are created only: there is no update and no deletion, a rehearsal starts anew instead.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from quorumshift.rehearsal.aws.cloudformation_kinds import MADE, NATIVE, RECORDED, Kind
from quorumshift.rehearsal.aws.cloudformation_shapes import parameters
from quorumshift.rehearsal.aws.loud import NotRehearsed, Refused
from quorumshift.rehearsal.aws.patching import replace
from quorumshift.rehearsal.world import REGION, World


class CreationFailed(Refused):
    """One resource could not be made; the message says which and why."""

    code = "CREATE_FAILED"


class CloudFormationEngine:
    """Patches moto's template parser."""

    def __init__(self, world: World) -> None:
        self.world = world

    def install(self) -> None:
        """Register our types and make the parser loud and quick."""
        from moto.cloudformation import parsing

        kinds = parsing.get_model_map()
        model = _model(self.world)
        for name, kind in MADE.items():
            kinds[name] = type(name.replace("::", ""), (model,), {"kind": kind, "type_name": name})
        for name in RECORDED:
            kinds[name] = type(name.replace("::", ""), (model,), {"kind": None, "type_name": name})
        _patch_creation(parsing)
        _patch_reading()

    def start(self) -> None:
        """Nothing of its own runs."""

    def stop(self) -> None:
        """Nothing of its own runs."""


def _model(world: World) -> type[Any]:
    from moto.core.common_models import CloudFormationModel

    class Made(CloudFormationModel):
        """A resource that was made with an API call."""

        kind: Kind | None = None
        type_name = ""

        def __init__(self, physical_id: str, attributes: dict[str, Any]) -> None:
            self.physical_resource_id = physical_id
            self.attributes = attributes

        @staticmethod
        def cloudformation_name_type() -> str:
            return ""

        @staticmethod
        def cloudformation_type() -> str:
            return "AWS::Quorumshift::Made"

        @classmethod
        def has_cfn_attr(cls, attr: str) -> bool:
            return True  # get_cfn_attribute says which it has not

        def get_cfn_attribute(self, attribute: str) -> Any:
            if attribute not in self.attributes:
                # moto would only log a NotImplementedError and leave the text as it is.
                raise LookupError(
                    f"Fn::GetAtt {attribute} of {self.type_name}"
                    f" (it has {', '.join(sorted(self.attributes)) or 'none'})"
                )
            return self.attributes[attribute]

        @classmethod
        def create_from_cloudformation_json(
            cls,
            resource_name: str,
            cloudformation_json: dict[str, Any],
            account_id: str,
            region_name: str,
            **_: Any,
        ) -> Made:
            if cls.kind is None:
                return cls(resource_name, {})
            properties = cloudformation_json.get("Properties", {})
            return cls(*_make(world, cls.kind, resource_name, properties))

    return Made


def _make(
    world: World, kind: Kind, generated: str, properties: dict[str, Any]
) -> tuple[str, dict[str, Any]]:
    if kind.name and kind.name not in properties:
        properties = {**properties, kind.name: generated}
    kept = {k: v for k, v in properties.items() if k not in kind.separate}
    if kind.prepare is not None:
        kept = kind.prepare(kept, world.client)
    client = world.client(kind.service)
    operation = client.meta.service_model.operation_model(kind.operation)
    given = parameters(kept, operation.input_shape)
    answer = client._make_api_call(kind.operation, given)
    if kind.after is not None:
        kind.after(client, answer, properties)
    return kind.made(answer, given)


def _patch_creation(parsing: Any) -> None:
    def clean_json(resource_json: Any, resources_map: Any) -> Any:
        if isinstance(resource_json, dict) and "Fn::GetAZs" in resource_json:
            region = read(resource_json["Fn::GetAZs"], resources_map) or REGION
            return [f"{region}{zone}" for zone in "abc"]
        return read(resource_json, resources_map)

    def parse_and_create_resource(
        logical_id: str,
        resource_json: dict[str, Any],
        resources_map: Any,
        account_id: str,
        region_name: str,
    ) -> Any:
        with _blame(logical_id, resource_json["Type"]):
            return create(logical_id, resource_json, resources_map, account_id, region_name)

    def parse_resource(resource_json: dict[str, Any], resources_map: Any) -> Any:
        made, cleaned, kind = clean(resource_json, resources_map)
        _check(kind, cleaned["Properties"])
        return made, cleaned, kind

    def resource_class_from_type(resource_type: str) -> Any:
        if resource_type not in (MADE.keys() | NATIVE.keys() | RECORDED.keys()):
            raise NotRehearsed(
                "the rehearsal does not know this resource type;"
                " add it in quorumshift/rehearsal/aws/cloudformation_kinds.py"
            )
        return find(resource_type)

    read = replace(parsing, "clean_json", clean_json, "resource_json resources_map")
    clean = replace(parsing, "parse_resource", parse_resource, "resource_json resources_map")
    find = replace(parsing, "resource_class_from_type", resource_class_from_type, "resource_type")
    names = "logical_id resource_json resources_map account_id region_name"
    create = replace(parsing, "parse_and_create_resource", parse_and_create_resource, names)


def _check(kind: str, properties: dict[str, Any]) -> None:
    """Nothing may be left unread."""
    if left := sorted(_unresolved(properties)):
        raise NotRehearsed(f"moto's CloudFormation leaves {', '.join(left)} as it is")
    known = NATIVE.get(kind, RECORDED.get(kind))
    if known is not None and (unread := sorted(set(properties) - known)):
        raise NotRehearsed(
            f"the rehearsal would ignore the properties {', '.join(unread)};"
            " see NATIVE in quorumshift/rehearsal/aws/cloudformation_kinds.py"
        )


@contextmanager
def _blame(logical_id: str, kind: str) -> Iterator[None]:
    """Name the resource that something went wrong with; the innermost, for they nest."""
    try:
        yield
    except CreationFailed:
        raise
    except NotRehearsed as error:
        if error.blamed:
            raise
        blamed = NotRehearsed(f"{logical_id} ({kind}): {error}")
        blamed.blamed = True
        raise blamed from error
    except Exception as error:
        said = getattr(error, "message", None) or str(error) or type(error).__name__
        raise CreationFailed(f"{logical_id} ({kind}): {said}") from error


def _unresolved(value: Any) -> set[str]:
    if isinstance(value, list):
        return set().union(*(_unresolved(item) for item in value))
    if not isinstance(value, dict):
        return set()
    found = {key for key in value if key == "Ref" or key.startswith("Fn::")}
    return found.union(*(_unresolved(item) for item in value.values()))


def _patch_reading() -> None:
    """A JSON template is read as JSON; as YAML it takes seconds."""
    from moto.cloudformation.models import Stack

    def parse_template(template: str) -> Any:
        try:
            return json.loads(template)
        except ValueError:
            return read(template)

    read = replace(Stack, "parse_template", parse_template, "template")
