"""Which operations of AWS the adapters call, read from their text."""

from __future__ import annotations

import ast
from pathlib import Path

import quorumshift

ROOT = Path(quorumshift.__file__).parent
SERVICES = (
    *("application-autoscaling", "cloudwatch", "codebuild", "codedeploy", "ec2", "ecr", "ecs"),
    *("elbv2", "iam", "lambda", "logs", "scheduler", "secretsmanager", "service-quotas", "sns"),
    *("ssm", "stepfunctions", "sts"),
)


def called() -> dict[str, str]:
    """Every operation that the adapters call right there → where."""
    found: dict[str, str] = {}
    for path in (ROOT / "adapters").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                found[node.func.attr] = f"{path.name}:{node.lineno}"
    return found
