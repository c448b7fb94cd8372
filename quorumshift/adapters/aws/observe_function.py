"""Asks, from outside, how the cluster stands: the function of the state ``Observe`` looks.

It stands in the service's network, which a person's machine does not.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from typing import Any, NoReturn

import botocore.exceptions
import botocore.session
from botocore.config import Config

from quorumshift.adapters.aws.client import Client, code, message
from quorumshift.adapters.aws.deployments import CodeDeployDeployments
from quorumshift.domain.appspec import Blueprint
from quorumshift.domain.errors import ObservationFailed, QuorumshiftError
from quorumshift.names import Names

LONGEST = 600
"""Characters of what somebody else said that are repeated."""
_CONFIG = Config(
    retries={"mode": "standard", "total_max_attempts": 3},
    connect_timeout=3,
    read_timeout=75,  # the function's own limit is below a minute
)
_MISSING = (
    "ApplicationDoesNotExistException",
    "DeploymentGroupDoesNotExistException",
    "ResourceNotFoundException",
)


class ObserveFunction:
    """The deployed function of one service, found by its name alone."""

    def __init__(self, names: Names, region: str | None, profile: str | None) -> None:
        """``region``, ``profile``: ``None`` is what the environment and AWS's own files say.

        Raises ``ObservationFailed``.
        """
        self._names = names
        with _in_one_line(self._names):
            session = botocore.session.Session(profile=profile)
            self._lambdas = _client(session, "lambda", region)
            self._deployments = CodeDeployDeployments(
                _client(session, "codedeploy", region),
                self._names.application,
                self._names.deployment_group,
                target=f"{names.cluster}:{names.service}",
                hooks={},
                blueprint=_starts_nothing,
            )

    def under_way(self) -> str | None:
        """The deployment that runs; while one is rolled back, the one that is.

        Raises ``ObservationFailed``.
        """
        with _in_one_line(self._names):
            active = self._deployments.active()
            return None if active is None else self._deployments.look(active).undoes or active

    def look(self, deployment: str | None) -> Any:
        """What the function answers, as JSON values. Raises ``ObservationFailed``."""
        function = self._names.function("Observe")
        asked = {} if deployment is None else {"deploymentId": deployment}
        with _in_one_line(self._names):
            answer = self._lambdas.invoke(FunctionName=function, Payload=json.dumps(asked).encode())
            payload = answer["Payload"].read()
        try:
            said = json.loads(payload)
        except ValueError:
            raise ObservationFailed(f"{function} answered no JSON: {_short(payload)}") from None
        if answer.get("FunctionError"):
            raise ObservationFailed(_failed(function, said))
        return said


def _client(session: Any, service: str, region: str | None) -> Client:
    made = session.create_client(service, region_name=region, config=_CONFIG)
    return Client(lambda: made)


def _starts_nothing() -> Blueprint:
    raise AssertionError("who only looks starts no deployment")


@contextlib.contextmanager
def _in_one_line(names: Names) -> Iterator[None]:
    try:
        yield
    except QuorumshiftError as error:
        raise ObservationFailed(_short(error)) from error
    except botocore.exceptions.ClientError as error:
        _refused(error, names)
    except botocore.exceptions.NoCredentialsError as error:
        raise ObservationFailed(
            "no AWS credentials were found; give --profile, or set AWS_PROFILE or the variables "
            "that `quorumshift rehearse --keep` prints; or plan from a file with --observation"
        ) from error
    except botocore.exceptions.NoRegionError as error:
        raise ObservationFailed(
            "no AWS region is set; give --region, or set AWS_DEFAULT_REGION"
        ) from error
    # ValueError: an AWS_ENDPOINT_URL that is none
    except (botocore.exceptions.BotoCoreError, ValueError) as error:
        raise ObservationFailed(f"AWS cannot be asked: {_short(error)}") from error


def _refused(error: botocore.exceptions.ClientError, names: Names) -> NoReturn:
    asked = f"{error.operation_name}: {code(error)}: {_short(message(error))}"
    if code(error) in _MISSING:
        raise ObservationFailed(
            f"the service {names.service} is not deployed here ({asked}); check region, profile "
            "and --config, or deploy the stack"
        ) from error
    raise ObservationFailed(f"AWS refused {asked}") from error


def _failed(function: str, said: Any) -> str:
    about = said if isinstance(said, dict) else {}
    kind, text = about.get("errorType") or "unknown error", about.get("errorMessage") or said
    return (
        f"the function {function} failed: {kind}: {_short(text)}; "
        f"the log group /aws/lambda/{function} tells more"
    )


def _short(text: object) -> str:
    """One line of bounded length."""
    line = " ".join(str(text).split())
    return line if len(line) <= LONGEST else f"{line[:LONGEST]}…"
