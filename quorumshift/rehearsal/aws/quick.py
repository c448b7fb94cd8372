"""What makes moto and botocore start in a second instead of five. No behaviour changes.

Both read the JSON models of services again for every session, loader and region list; moto also
imports services that nothing here has a use for.
"""

from __future__ import annotations

import functools
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

from quorumshift.rehearsal.aws.patching import replace
from quorumshift.rehearsal.world import REGION

# CloudFormation in moto imports every service that has a resource type.
_LEFT_OUT = ("apigateway", "datapipeline", "emr", "iot", "rds", "redshift", "sagemaker")


def read_models_once() -> None:
    """Have botocore keep each model file it has read, for all sessions of the process."""
    import botocore.loaders

    replace(botocore.loaders.JSONFileLoader, "load_file", _remembering({}), "self file_path")


def _remembering(known: dict[str, Any]) -> Any:
    import botocore.loaders

    methods = botocore.loaders._JSON_OPEN_METHODS

    def read(file_path: str) -> Any:
        for extension, open_file in methods.items():
            try:
                with open_file(file_path + extension, "rb") as file:
                    # Without botocore's OrderedDict, which takes three times as long.
                    return json.loads(file.read())
            except FileNotFoundError:
                continue
        return None

    def load_file(self: Any, file_path: str) -> Any:
        if file_path not in known:
            known[file_path] = read(file_path)
        return known[file_path]

    return load_file


@functools.cache
def import_moto() -> None:
    """Import what the embedded AWS is made of, with one region instead of all.

    A second call does nothing: whoever has time to spare before the start may call it early."""
    read_models_once()
    _regions_without_models()
    _models_of_one_kind()
    from moto.core.base_backend import AccountSpecificBackend
    from moto.core.loaders import Loader

    # moto merges extras of its own into the models: it must not share botocore's.
    base: Any = Loader.FILE_LOADER_CLASS
    own = type("MotoFileLoader", (base,), {"load_file": _remembering({})})
    setattr(Loader, "FILE_LOADER_CLASS", own)  # noqa: B010 # moto is typed, and this is untyped
    replace(
        AccountSpecificBackend,
        "_generate_regions",
        lambda self, service_name: [REGION],
        "self service_name",
    )
    with _left_out():
        import moto.cloudformation.parsing  # noqa: F401 # for its own imports


def _regions_without_models() -> None:
    """moto asks for the regions of a service; botocore reads its whole model to learn a name."""
    import botocore.session

    def get_available_regions(
        self: Any, service_name: str, partition_name: str = "aws", allow_non_regional: bool = False
    ) -> list[str]:
        resolver = self._get_internal_component("endpoint_resolver")
        return list(
            resolver.get_available_endpoints(service_name, partition_name, allow_non_regional)
        )

    names = "self service_name partition_name allow_non_regional"
    replace(botocore.session.Session, "get_available_regions", get_available_regions, names)


def _models_of_one_kind() -> None:
    """Put right what moto 5.2.5 does not do safely in several threads: its ``operation_model`` is
    cached under the key of botocore's, which it calls. So for a moment the cache holds botocore's
    model, and a request that finds it there ends with "no attribute 'http_trait'"."""
    from botocore.model import ServiceModel as Botocores
    from botocore.utils import instance_cache
    from moto.core.model import OperationModel, ServiceModel

    plain = Botocores.operation_model.__wrapped__  # without the cache

    def operation_model(self: Any, operation_name: str) -> Any:
        description = plain(self, operation_name)._operation_model
        return OperationModel(description, self, operation_name)

    cached = instance_cache(operation_model)
    replace(ServiceModel, "operation_model", cached, "self operation_name")


@contextmanager
def _left_out() -> Iterator[None]:
    stand_ins = {}
    for service in _LEFT_OUT:
        name = f"moto.{service}"
        if name not in sys.modules:
            stand_in = ModuleType(name)
            stand_in.models = ModuleType(f"{name}.models")  # type: ignore[attr-defined] # all that is asked of it
            stand_ins[name] = stand_in
    sys.modules.update(stand_ins)
    try:
        yield
    finally:
        for name, stand_in in stand_ins.items():
            if sys.modules.get(name) is stand_in:
                del sys.modules[name]
