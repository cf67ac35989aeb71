# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What roles for ECS look like: who may assume them, and what AWS means them to have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.dockyard.aws.plugins.module_utils.layers.base import Environment

SESSION_MANAGER_POLICY = "AmazonSSMManagedInstanceCore"
SECRETS_POLICY = "secrets"


@dataclass(frozen=True)
class Preset:
    """service: who assumes the role. policies: AWS's own, with their path. own_account: for its tasks only."""

    service: str
    policies: tuple[str, ...] = ()
    own_account: bool = False


PRESETS: dict[str, Preset] = {
    "ecs_service": Preset("ecs.amazonaws.com", ("service-role/AmazonEC2ContainerServiceRole",)),
    "ecs_instance": Preset("ec2.amazonaws.com", ("service-role/AmazonEC2ContainerServiceforEC2Role",)),
    "ecs_task_execution": Preset("ecs-tasks.amazonaws.com", ("service-role/AmazonECSTaskExecutionRolePolicy",), True),
    "ecs_task": Preset("ecs-tasks.amazonaws.com", (), True),
}


def aws_managed(name: str, environment: Environment) -> str:
    """The ARN of one of AWS's own policies."""
    return f"arn:{environment.partition}:iam::aws:policy/{name}"


def trust_policy(preset: Preset, environment: Environment) -> dict[str, Any]:
    service = preset.service
    if environment.partition == "aws-cn" and service == "ec2.amazonaws.com":
        service = "ec2.amazonaws.com.cn"
    statement: dict[str, Any] = {
        "Effect": "Allow",
        "Principal": {"Service": service},
        "Action": "sts:AssumeRole",
    }
    if preset.own_account:
        # Without it, ECS could be talked into using the role for another account's task (the confused deputy).
        statement["Condition"] = {"StringEquals": {"aws:SourceAccount": environment.account_id}}
    return {"Version": "2012-10-17", "Statement": [statement]}


def trust_of_principals(principals: Sequence[str]) -> dict[str, Any]:
    """A trust policy for users, roles and accounts, by ARN or account id."""
    statement = {"Effect": "Allow", "Principal": {"AWS": list(principals)}, "Action": "sts:AssumeRole"}
    return {"Version": "2012-10-17", "Statement": [statement]}


def managed_policies(role: Mapping[str, Any], environment: Environment) -> list[str]:
    """The ARNs of AWS's own policies that the role's preset stands for."""
    names = list(PRESETS[role["preset"]].policies)
    if role["session_manager"]:
        names.append(SESSION_MANAGER_POLICY)
    return [aws_managed(name, environment) for name in names]


def secrets_policy(secrets: Sequence[str], kms_keys: Sequence[str]) -> dict[str, Any]:
    """Reading exactly these secrets and parameters, which ECS does before it starts a container."""
    parameters = [arn for arn in secrets if ":ssm:" in arn]
    others = [arn for arn in secrets if arn not in parameters]
    statements = []
    if others:
        statements.append(_allow("secretsmanager:GetSecretValue", others))
    if parameters:
        statements.append(_allow("ssm:GetParameters", parameters))
    if kms_keys:
        statements.append(_allow("kms:Decrypt", list(kms_keys)))
    return {"Version": "2012-10-17", "Statement": statements}


def _allow(action: str, resources: list[str]) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resources}
