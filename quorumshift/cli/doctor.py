"""``quorumshift doctor``: is this account fit for a deployment?"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from quorumshift.cli.exit_codes import ExitCode
from quorumshift.cli.service import Service, add_options, explained, put
from quorumshift.domain.errors import ObservationFailed

if TYPE_CHECKING:
    from quorumshift.domain.doctor import Expected, Facts

FIT = 0


def add_to(verbs: Any) -> None:
    """Add the verb and its options."""
    verb = verbs.add_parser(
        "doctor",
        help="check account, network, service and cluster before a deployment, with each fix",
        description="Check everything that a deployment rests on: OK, SKIP with the reason, or NG "
        "with the fix. Before the stack exists it checks what must be there first. Nothing is "
        "changed, and no secret's value is read.",
        epilog="exit codes: 0 nothing is NG; 1 the command broke; 2 bad usage, or a configuration "
        "that cannot be used; 4 something is NG; 130 interrupted.",
        allow_abbrev=False,
    )
    add_options(verb)
    verb.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Check; return the exit code."""
    return explained("doctor", options, lambda service: _run(service, options))


def _run(service: Service, options: argparse.Namespace) -> int:
    from quorumshift.cli.doctor_expected import expected_of
    from quorumshift.domain.doctor import State, diagnose
    from quorumshift.report.doctor import as_json, as_text, coloured

    expected = expected_of(service.configuration, options.config)
    groups = diagnose(expected, _facts(service, expected))
    put(options.output, as_json(groups), lambda: as_text(groups, coloured()))
    bad = any(group.state is State.NG for group in groups)
    return ExitCode.REFUSED if bad else FIT


def _facts(service: Service, expected: Expected) -> Facts:
    from quorumshift.adapters.aws.doctor.gathering import gather
    from quorumshift.adapters.aws.observe_function import ObserveFunction
    from quorumshift.domain.doctor import Facts, Look

    options = service.options
    try:
        observe = ObserveFunction(service.names, options.region, options.profile)
        return gather(service.account, observe, expected)
    except ObservationFailed as error:  # no such profile, no region: nobody can be asked
        return Facts(identity=Look(unknown=str(error)))
