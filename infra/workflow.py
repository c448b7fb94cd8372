"""The two state machines, made from the rendered definitions in ``workflows/golden``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from aws_cdk import RemovalPolicy
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from infra.grants import LOG_DELIVERY, SAMPLED_TRACING, allow
from infra.roles import anything_of, exact_role
from quorumshift.names import Names

_PLACEHOLDER = re.compile(r"\$\{([A-Za-z0-9]+)\}")


class Workflows(Construct):
    """``deploy`` and ``hand_over``; their ARNs are the ones that ``Arns`` makes from names."""

    def __init__(
        self,
        scope: Construct,
        names: Names,
        definitions: Path,
        functions: Mapping[str, lambda_.Function],
    ) -> None:
        super().__init__(scope, "Workflows")
        self._functions = functions
        self.deploy = self._machine("Deploy", names.deploy, definitions / "deploy.asl.json")
        self.hand_over = self._machine(
            "HandOver", names.hand_over, definitions / "hand_over.asl.json"
        )

    def _machine(self, construct: str, name: str, file: Path) -> sfn.StateMachine:
        text = file.read_text(encoding="utf-8")
        used = {state: self._functions[state] for state in sorted(set(_PLACEHOLDER.findall(text)))}
        return sfn.StateMachine(
            self,
            construct,
            state_machine_name=name,
            state_machine_type=sfn.StateMachineType.STANDARD,
            definition_body=sfn.DefinitionBody.from_string(text),
            definition_substitutions={
                state: function.function_arn for state, function in used.items()
            },
            role=self._role(construct, name, used),
            tracing_enabled=True,
            logs=sfn.LogOptions(
                destination=logs.LogGroup(
                    self,
                    f"{construct}Logs",
                    # Under this prefix AWS needs no resource policy a log group, of which an
                    # account can have ten.
                    log_group_name=f"/aws/vendedlogs/states/{name}",
                    retention=logs.RetentionDays.ONE_MONTH,
                    removal_policy=RemovalPolicy.DESTROY,
                ),
                level=sfn.LogLevel.ALL,
                # Inputs and outputs stay in the execution history.
                include_execution_data=False,
            ),
        )

    def _role(
        self, construct: str, name: str, functions: Mapping[str, lambda_.Function]
    ) -> iam.IRole:
        statements = [
            allow("lambda:InvokeFunction", function.function_arn) for function in functions.values()
        ]
        statements += [allow(action, "*") for action in (*LOG_DELIVERY, *SAMPLED_TRACING)]
        return exact_role(
            self,
            f"{construct}Role",
            service="states",
            source=anything_of(self, "states"),
            description=f"State machine {name}",
            statements=statements,
        )
