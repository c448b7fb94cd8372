#!/usr/bin/env bash
# moto 5.2.5 with botocore 1.44.5.
# moto's ServiceModel.operation_model calls botocore's method of the same name. Both are cached, and
# both cache under the same key of the same instance: first botocore's OperationModel is stored, then
# moto's in its place. Another thread that asks in between gets botocore's, which has no http_trait.
# Seen: the cache is written twice, first with botocore's class, then with moto's.
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet "moto==5.2.5" "botocore==1.44.5" "boto3==1.44.5"
seen=$("$folder/venv/bin/python" - <<'PYTHON'
from moto.core.model import ServiceModel
from moto.core.utils import get_service_model


class Watched(dict):
    def __setitem__(self, key, value):
        print(f"{type(value).__module__}.{type(value).__name__} {hasattr(value, 'http_trait')}")
        super().__setitem__(key, value)


model = ServiceModel(get_service_model("lambda")._service_description, "lambda")
model._instance_cache = Watched()
model.operation_model("GetFunction")
PYTHON
)
echo "$seen"
test "$seen" = "botocore.model.OperationModel False
moto.core.model.OperationModel True"
