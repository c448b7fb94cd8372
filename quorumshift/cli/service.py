"""What all verbs about a deployed service share: options, clients, errors in one line."""

from __future__ import annotations

import argparse
import functools
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from quorumshift.cli.entry import heed
from quorumshift.cli.errors import add_debug, broke, say
from quorumshift.cli.exit_codes import ExitCode
from quorumshift.cli.rehearse import DEFAULT_CONFIGURATION, put_out
from quorumshift.domain.errors import InvalidConfiguration, InvalidRequest, QuorumshiftError
from quorumshift.domain.shown import as_json, page

if TYPE_CHECKING:
    from quorumshift.adapters.aws.asking import Account
    from quorumshift.adapters.aws.deployments import CodeDeployDeployments
    from quorumshift.adapters.aws.executions import Executions
    from quorumshift.adapters.aws.images import EcrImages
    from quorumshift.adapters.aws.task_definitions import EcsTaskDefinitions
    from quorumshift.config import Configuration
    from quorumshift.domain.execution import Execution

CODES = (
    "exit codes: 0 deployed; 1 the command broke, or nobody can say how it ended; 2 bad usage; "
    "3 rolled back; 4 refused before anything was touched; 130 interrupted."
)


class NotThere(QuorumshiftError):
    """What a person named does not exist."""


def add_options(verb: Any) -> None:
    """Add the options that every verb about a deployed service takes: which it is, where, the form
    of the answer, and of errors."""
    verb.add_argument("--output", choices=("text", "json"), default="text", help="default text")
    verb.add_argument(
        "--config",
        type=Path,
        default=DEFAULT_CONFIGURATION,
        metavar="FILE",
        help="the service's description (default: the repository's quorumshift.toml)",
    )
    verb.add_argument("--region", metavar="NAME", help="AWS region (default: as AWS's tools do)")
    verb.add_argument("--profile", metavar="NAME", help="AWS profile (default: as AWS's tools do)")
    add_debug(verb)


def add_wait(verb: Any, what: str) -> None:
    """Add ``--wait`` and ``--no-wait``."""
    verb.add_argument(
        "--wait",
        action=argparse.BooleanOptionalAction,
        default=True,
        help=f"{what} (default: --wait)",
    )


def add_execution(verb: Any) -> None:
    """Add the execution that is meant."""
    verb.add_argument(
        "execution",
        nargs="?",
        default="latest",
        metavar="EXECUTION",
        help="its ARN, its name, or latest (the default)",
    )


class Service:
    """A deployed service, as options and configuration name it; each client on first use."""

    def __init__(self, options: argparse.Namespace) -> None:
        """Raises ``InvalidConfiguration`` and ``ObservationFailed``."""
        from quorumshift.config import load

        self.options = options
        self.configuration: Configuration = load(options.config)
        self.names = self.configuration.names

    @functools.cached_property
    def account(self) -> Account:
        """Where it is deployed."""
        from quorumshift.adapters.aws.asking import Account

        return Account(self.names, self.options.region, self.options.profile)

    @functools.cached_property
    def executions(self) -> Executions:
        """Of the state machine ``deploy``."""
        from quorumshift.adapters.aws.executions import Executions

        machine = self.account.arn("states", f"stateMachine:{self.names.deploy}")
        return Executions(self.account.client("stepfunctions"), machine)

    @functools.cached_property
    def deployments(self) -> CodeDeployDeployments:
        """The deployment engine, to look at and to stop."""
        from quorumshift.adapters.aws.observe_function import watched_deployments

        return watched_deployments(self.account, self.names)

    @functools.cached_property
    def definitions(self) -> EcsTaskDefinitions:
        """The task definition's revisions."""
        from quorumshift.adapters.aws.task_definitions import EcsTaskDefinitions
        from quorumshift.adapters.discovery.ecs import EcsService

        ecs, names = self.account.client("ecs"), self.names
        container = self.configuration.service.container
        tasks = EcsService(ecs, names.cluster, names.service, container)
        deployed = self.deployments.ended_well
        return EcsTaskDefinitions(ecs, names.family, container, tasks.live, deployed)

    @functools.cached_property
    def images(self) -> EcrImages:
        """The service's container images."""
        from quorumshift.adapters.aws.images import EcrImages

        _, partition, _, region, account, *_ = self.account.arn("ecr", "").split(":")
        suffix = ".cn" if partition == "aws-cn" else ""
        host = f"{account}.dkr.ecr.{region}.amazonaws.com{suffix}"
        own, allow = f"{host}/{self.names.repository}", self.configuration.images.allow
        return EcrImages(self.account.client("ecr"), own, allow)

    def serving(self) -> dict[str, str]:
        """The revision that serves now, and its image."""
        live = self.definitions.live()
        return {"taskDefinition": live, "image": self.definitions.image(live)}

    def execution(self, text: str) -> Execution:
        """The one that a person named. Raises ``NotThere``."""
        found = self.executions.find(text)
        if found is not None:
            return found
        if text == "latest":
            raise NotThere(
                f"nothing was ever deployed through {self.names.deploy}; start with "
                "`quorumshift deploy`"
            )
        raise NotThere(
            f"there is no execution {text!r} of {self.names.deploy}; `quorumshift history` lists "
            "those that there are"
        )


def explained(verb: str, options: argparse.Namespace, act: Callable[[Service], int]) -> int:
    """The exit code of ``act``; what it raises becomes a line on standard error and a code."""
    from quorumshift.adapters.aws.asking import in_one_line

    heed()
    if options.debug:
        return act(Service(options))
    try:
        service = Service(options)
        with in_one_line(service.names):
            return act(service)
    except (InvalidConfiguration, InvalidRequest) as error:
        return say(verb, error, ExitCode.USAGE)
    except QuorumshiftError as error:
        return say(verb, error, ExitCode.BROKEN)
    except KeyboardInterrupt:
        return say(verb, "interrupted", ExitCode.INTERRUPTED)
    except Exception as error:  # noqa: BLE001 # one line for whatever we did not think of
        return broke(verb, error)


def tell(text: str) -> None:
    """Progress, on standard error: a line, or a page."""
    print(page(text), file=sys.stderr, flush=True)


def put(form: str, document: Any, as_text: Callable[[], str]) -> None:
    """The result on standard output, in the form that was asked for."""
    put_out(as_json(document) if form == "json" else as_text())
