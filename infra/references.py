"""Constructs that stand for what another stack, or somebody else, owns.

Nothing is looked up: synthesis needs no account. None of them lets itself be changed.
"""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import Fn, Stack
from aws_cdk import aws_ec2 as ec2
from constructs import Construct


def vpc(scope: Construct, vpc_id: str) -> ec2.IVpc:
    """A VPC by its id. Its subnets are always named beside it, so its zones are asked by nobody."""
    zones = [Fn.select(0, Fn.get_azs(Stack.of(scope).region))]
    return ec2.Vpc.from_vpc_attributes(scope, "Vpc", vpc_id=vpc_id, availability_zones=zones)


def subnets(scope: Construct, name: str, ids: Sequence[str]) -> ec2.SubnetSelection:
    """Subnets by their ids."""
    return ec2.SubnetSelection(
        subnets=[
            ec2.Subnet.from_subnet_id(scope, f"{name}{number}", subnet_id)
            for number, subnet_id in enumerate(ids, 1)
        ]
    )


def security_group(scope: Construct, name: str, group_id: str) -> ec2.ISecurityGroup:
    """A security group by its id; its rules stand in the network's stack alone."""
    return ec2.SecurityGroup.from_security_group_id(scope, name, group_id, mutable=False)
