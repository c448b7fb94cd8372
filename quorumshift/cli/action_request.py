"""What the GitHub action was asked for: which state machine, which request, under which name."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from quorumshift.domain.console import execution_page

_MACHINE = re.compile(r"arn:aws[a-z-]*:states:[a-z0-9-]+:\d{12}:stateMachine:[\w-]{1,80}", re.ASCII)
_SOURCE = re.compile(r"(?P<repository>[^@\s]+)@(?P<commit>[0-9a-f]{7,40})")
_LONGEST_NAME = 80


class BadInput(Exception):
    """An input of the action, or the combination of two, cannot be meant."""


@dataclass(frozen=True, slots=True)
class Asked:
    """``machine``: the state machine's ARN. ``name``: of the execution; ``input``: JSON.
    ``console``: a link, empty where none is known for the partition."""

    machine: str
    name: str
    input: str
    console: str

    @property
    def execution(self) -> str:
        """The execution's ARN, which is known before it is started."""
        return self.machine.replace(":stateMachine:", ":execution:", 1) + f":{self.name}"


def asked(environment: Mapping[str, str]) -> Asked:
    """Read the environment. Raises ``BadInput``.

    Name and input are the same for every attempt of a run, so that Step Functions itself sees to it
    that a re-run starts nothing (StartExecution: "idempotent" for the same name and input).
    """
    machine = environment.get("QUORUMSHIFT_STATE_MACHINE", "")
    if not _MACHINE.fullmatch(machine):
        raise BadInput(
            f"state-machine: {machine!r} is no state machine's ARN; give the output Deploy of the "
            "service's stack"
        )
    name = _name(environment)
    plain = Asked(machine, name, json.dumps(_request(environment), sort_keys=True), "")
    return replace(plain, console=execution_page(plain.execution))


def _name(environment: Mapping[str, str]) -> str:
    run, job = environment.get("GITHUB_RUN_ID", ""), environment.get("GITHUB_JOB", "")
    if not run:
        raise BadInput("GITHUB_RUN_ID is missing: this is meant to run in a job of GitHub Actions")
    return re.sub(r"[^A-Za-z0-9_-]", "-", f"github-{run}-{job}")[:_LONGEST_NAME]


def _request(environment: Mapping[str, str]) -> dict[str, object]:
    given = {
        "taskDefinition": environment.get("QUORUMSHIFT_TASK_DEFINITION"),
        "image": environment.get("QUORUMSHIFT_IMAGE"),
        "description": environment.get("QUORUMSHIFT_DESCRIPTION"),
        "deploymentConfig": environment.get("QUORUMSHIFT_DEPLOYMENT_CONFIG"),
        "initiator": _initiator(environment),
    }
    request: dict[str, object] = {key: text.strip() for key, text in given.items() if text}
    if source := environment.get("QUORUMSHIFT_SOURCE", "").strip():
        parts = _SOURCE.fullmatch(source)
        if not parts:
            raise BadInput(f"source: {source!r} is not usable; write owner/name@<commit>")
        request["source"] = parts.groupdict()
    return request


def _initiator(environment: Mapping[str, str]) -> str:
    server, repository = (
        environment.get(f"GITHUB_{key}", "") for key in ("SERVER_URL", "REPOSITORY")
    )
    run = f"{server}/{repository}/actions/runs/{environment['GITHUB_RUN_ID']}"
    return f"{environment.get('GITHUB_ACTOR', '')}, {run}"[:256].removeprefix(", ")
