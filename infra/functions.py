"""The functions: one a state, one a hook, and the watchdog; each with a role of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_lambda_destinations as destinations
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra import packaging, references
from infra.acknowledged import accept
from infra.function_specs import READ_SECRET, SLACK_SPEC, SPECS, FunctionSpec
from infra.grants import NETWORK_INTERFACES, TRACING, Grants, allow
from infra.parts import NetworkParts
from infra.roles import exact_role
from quorumshift.config import Configuration
from quorumshift.domain.keeping import EVERY_SECONDS
from quorumshift.names import HOOKS, KEEP, OF_EVENTS, SLACK, WATCHDOG, Names, kebab, module

ROOT = Path(__file__).resolve().parent.parent
LONGEST_SECONDS = 900
_RUNTIME = lambda_.Runtime.PYTHON_3_12
_ARCHITECTURES = {"arm64": lambda_.Architecture.ARM_64, "x86_64": lambda_.Architecture.X86_64}
"""``infra/libraries.py`` brings what these can load."""
_KEPT = frozenset({*OF_EVENTS, SLACK})
"""What is called for events that are kept when it fails."""
_UNTIL_THE_NEXT: Mapping[str, Any] = {
    "retry_attempts": 0,
    "max_event_age": Duration.seconds(EVERY_SECONDS),
}
"""The keeper is called again anyway."""
_WRITE_LOGS = ("CreateLogStream", "PutLogEvents")


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a function runs; nothing of it: outside the service's network."""

    vpc: ec2.IVpc | None = None
    subnets: ec2.SubnetSelection | None = None
    groups: Sequence[ec2.ISecurityGroup] | None = None


@dataclass(frozen=True, slots=True)
class _Common:
    names: Names
    grants: Grants
    inside: _Place
    code: Path
    architecture: lambda_.Architecture
    environment: Mapping[str, str]
    settle_seconds: float
    layers: Mapping[str, Sequence[lambda_.ILayerVersion]]
    of_nodes: tuple[str, ...]
    webhook: str
    reserves: bool


class Functions(Construct):
    """``by_state``: state, hook or ``Watchdog`` → function. ``code``: the folder of their packages.
    ``libraries``: the layer's zip file; those have it that import something of it."""

    def __init__(
        self,
        scope: Construct,
        configuration: Configuration,
        names: Names,
        network: NetworkParts,
        grants: Grants,
        code: Path,
        environment: Mapping[str, str],
        libraries: Path | None = None,
        *,
        undelivered: sqs.IQueue,
    ) -> None:
        super().__init__(scope, "Functions")
        common = _Common(
            names,
            grants,
            self._inside(network),
            code,
            _ARCHITECTURES[configuration.functions.architecture],
            environment,
            # The look that the deadline falls into may still take a stabilisation time.
            configuration.raft.settle_deadline_seconds
            + 2 * configuration.raft.stabilisation_seconds,
            {} if libraries is None else self._layers(names, libraries, configuration),
            READ_SECRET if configuration.discovery.kind == "postgres" else (),
            configuration.notifications.slack_secret,
            configuration.functions.reserve,
        )
        specs = (*SPECS, SLACK_SPEC) if common.webhook else SPECS
        self.by_state = {spec.state: self._function(spec, common) for spec in specs}
        self._watch_hooks()
        # What these cannot do after Lambda's three tries is kept for a person.
        for state in sorted(self.by_state.keys() & _KEPT):
            again = _UNTIL_THE_NEXT if state == KEEP else {}
            self.by_state[state].configure_async_invoke(
                on_failure=destinations.SqsDestination(undelivered), **again
            )

    def _inside(self, network: NetworkParts) -> _Place:
        return _Place(
            references.vpc(self, network.vpc),
            references.subnets(self, "Private", network.private_subnets),
            [references.security_group(self, "Group", network.functions)],
        )

    def _layers(
        self, names: Names, libraries: Path, configuration: Configuration
    ) -> dict[str, list[lambda_.ILayerVersion]]:
        layer = lambda_.LayerVersion(
            self,
            "Libraries",
            layer_version_name=f"{names.root}-libraries",
            description=f"What the functions of {names.root} need besides Lambda's own",
            code=lambda_.Code.from_asset(str(libraries)),
            compatible_architectures=[_ARCHITECTURES[configuration.functions.architecture]],
            compatible_runtimes=[_RUNTIME],
        )
        needs = packaging.needs(ROOT)
        return {state: [layer] for state in needs if packaging.needs_layer(needs[state])}

    def _function(self, spec: FunctionSpec, common: _Common) -> lambda_.Function:
        group = f"/aws/lambda/{common.names.function(spec.state)}"
        log_group = logs.LogGroup(
            self,
            f"{spec.state}Logs",
            log_group_name=group,
            retention=logs.RetentionDays.ONE_MONTH,
            removal_policy=RemovalPolicy.DESTROY,
        )
        inside = common.inside if spec.reaches_nodes else _Place()
        function = lambda_.Function(
            self,
            spec.state,
            function_name=common.names.function(spec.state),
            description=spec.does,
            runtime=_RUNTIME,
            architecture=common.architecture,
            code=lambda_.Code.from_asset(str(common.code / f"{kebab(spec.state)}.zip")),
            layers=common.layers.get(spec.state, []),
            handler=f"{module(spec.state)}.handler",
            memory_size=spec.memory,
            timeout=Duration.seconds(self._timeout(spec, common.settle_seconds)),
            reserved_concurrent_executions=(spec.reserved if common.reserves else 0) or None,
            environment=dict(common.environment),
            role=self._role(spec, group, common),
            log_group=log_group,
            tracing=lambda_.Tracing.ACTIVE,
            vpc=inside.vpc,
            vpc_subnets=inside.subnets,
            security_groups=inside.groups,
        )
        accept(
            function,
            "L1",
            "Lambda supports Python 3.12 until October 2028; the layer is built for it, and moves "
            "with it",
        )
        return function

    @staticmethod
    def _timeout(spec: FunctionSpec, settle_seconds: float) -> int:
        """What waits for the cluster gets the policy's times on top."""
        waits = settle_seconds if spec.settles else 0
        return min(LONGEST_SECONDS, round(spec.timeout_seconds + waits))

    def _role(self, spec: FunctionSpec, group: str, common: _Common) -> iam.IRole:
        arns = common.grants.arns
        actions = [*spec.actions, *TRACING]
        if spec.reaches_nodes:
            actions += (*NETWORK_INTERFACES, *common.of_nodes)
        statements = common.grants.statements(actions)
        streams = arns.log_streams(group)
        statements += [allow(f"logs:{verb}", streams) for verb in _WRITE_LOGS]
        if spec.state == SLACK:
            statements += [allow(action, arns.secret(common.webhook)) for action in READ_SECRET]
        if spec.state in _KEPT:
            statements.append(allow("sqs:SendMessage", arns.undelivered()))
        if spec.state == KEEP:  # it asks of those that follow deployments as well
            deploy = common.names.deploy
            statements.append(allow("states:ListExecutions", arns.state_machine(deploy)))
            statements.append(allow("states:DescribeExecution", arns.executions(deploy)))
        if spec.state in HOOKS:
            statements.append(allow("lambda:InvokeFunction", arns.function(WATCHDOG)))
        return exact_role(
            self,
            f"{spec.state}Role",
            service="lambda",
            description=f"{common.names.function(spec.state)}: {spec.does}",
            statements=statements,
        )

    def _watch_hooks(self) -> None:
        """A hook that dies without an answer would hold its deployment for an hour. Lambda tries it
        twice more, a minute and two minutes later; three times fifteen minutes leave room for the
        watchdog, which gets the record then and answers."""
        watchdog = destinations.LambdaDestination(self.by_state[WATCHDOG])
        for hook in HOOKS:
            self.by_state[hook].configure_async_invoke(
                on_failure=watchdog, retry_attempts=2, max_event_age=Duration.hours(1)
            )
