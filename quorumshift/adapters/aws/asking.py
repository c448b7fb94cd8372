"""What a person's commands need of AWS: clients as every AWS tool makes them, errors in a line."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import NoReturn

import botocore.exceptions
import botocore.session
from botocore.config import Config

from quorumshift.adapters.aws.client import Client, code, message
from quorumshift.domain.errors import InvalidRequest, ObservationFailed, QuorumshiftError
from quorumshift.names import Names

LONGEST = 600
"""Characters of what somebody else said that are repeated."""
PATIENT_SECONDS = 75
"""A function's own limit, where one is called, is below a minute."""
_CONFIG = Config(retries={"mode": "standard", "total_max_attempts": 3}, connect_timeout=3)
_MISSING = (
    "ApplicationDoesNotExistException",
    "ClusterNotFoundException",
    "DeploymentGroupDoesNotExistException",
    "ResourceNotFoundException",
    "StateMachineDoesNotExist",
)


class Account:
    """The account, region and endpoint that a person's environment, files and options name."""

    def __init__(self, names: Names, region: str | None, profile: str | None) -> None:
        """``None``: what the environment and AWS's own files say. Raises ``ObservationFailed``."""
        self._names = names
        self._region = region
        with in_one_line(names):
            self._session = botocore.session.Session(profile=profile)

    def client(self, service: str, read_seconds: int = PATIENT_SECONDS) -> Client:
        """The client of one AWS service, which waits so long for an answer. Raises
        ``ObservationFailed``."""
        config = _CONFIG.merge(Config(read_timeout=read_seconds))
        with in_one_line(self._names):
            made = self._session.create_client(service, region_name=self._region, config=config)
        return Client(lambda: made)

    @property
    def region(self) -> str:
        """The region that is asked."""
        return str(self._region or self._session.get_config_variable("region") or "")

    def arn(self, service: str, what: str) -> str:
        """The ARN of a resource of this account and region. Raises ``ObservationFailed``."""
        with in_one_line(self._names):
            caller = str(self.client("sts").get_caller_identity()["Arn"]).split(":")
        return f"arn:{caller[1]}:{service}:{self.region}:{caller[4]}:{what}"


@contextlib.contextmanager
def in_one_line(names: Names) -> Iterator[None]:
    """Whatever is raised by AWS, its client or our adapters becomes an ``ObservationFailed`` of one
    line; a person's own mistakes, ``InvalidRequest``, pass."""
    try:
        yield
    except InvalidRequest:
        raise
    except QuorumshiftError as error:
        raise ObservationFailed(brief(error)) from error
    except botocore.exceptions.ClientError as error:
        _refused(error, names)
    except botocore.exceptions.NoCredentialsError as error:
        raise ObservationFailed(
            "no AWS credentials were found; give --profile, or set AWS_PROFILE or the variables "
            "that `quorumshift rehearse --keep` prints"
        ) from error
    except botocore.exceptions.NoRegionError as error:
        raise ObservationFailed(
            "no AWS region is set; give --region, or set AWS_DEFAULT_REGION"
        ) from error
    # ValueError: an AWS_ENDPOINT_URL that is none
    except (botocore.exceptions.BotoCoreError, ValueError) as error:
        raise ObservationFailed(f"AWS cannot be asked: {brief(error)}") from error


def _refused(error: botocore.exceptions.ClientError, names: Names) -> NoReturn:
    asked = f"{error.operation_name}: {code(error)}: {brief(message(error))}"
    if code(error) in _MISSING:
        raise ObservationFailed(
            f"the service {names.service} is not deployed here ({asked}); check region, profile "
            "and --config, or deploy the stack"
        ) from error
    raise ObservationFailed(f"AWS refused {asked}") from error


def brief(text: object) -> str:
    """One line of bounded length."""
    line = " ".join(str(text).split())
    return line if len(line) <= LONGEST else f"{line[:LONGEST]}…"
