"""Lambda's GetAccountSettings, which moto lacks: how much of the account's concurrency is reserved.

The seam: ``moto.awslambda.urls.url_paths``; it is read when the server gets its first request for
Lambda.
"""

from __future__ import annotations

import json
from typing import Any

LIMIT = 1_000
"""Concurrent executions of an account that asked for no more (AWS Lambda Developer Guide, "Lambda
quotas")."""
_CODE_SIZES = {"TotalCodeSize": 75 << 30, "CodeSizeUnzipped": 250 << 20, "CodeSizeZipped": 50 << 20}


def install() -> None:
    """Let moto answer it."""
    from moto.awslambda import urls
    from moto.awslambda.responses import LambdaResponse

    class Responses(LambdaResponse):
        def get_account_settings(self) -> str:
            """GetAccountSettings."""
            return json.dumps(_settings(list(self.backend.list_functions())))

    urls.url_paths["{0}/2016-08-19/account-settings/?$"] = Responses.dispatch


def _settings(functions: list[Any]) -> dict[str, Any]:
    reserved = sum(int(each.reserved_concurrency or 0) for each in functions)
    left = {
        "ConcurrentExecutions": LIMIT,
        "UnreservedConcurrentExecutions": LIMIT - reserved,
    }
    size = sum(int(each.code_size) for each in functions)
    return {
        "AccountLimit": {**_CODE_SIZES, **left},
        "AccountUsage": {"TotalCodeSize": size, "FunctionCount": len(functions)},
    }
