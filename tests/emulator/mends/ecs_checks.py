# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What AWS refuses when a service is created or updated; moto accepted all of it."""

from __future__ import annotations

from typing import Any

from moto.ec2.exceptions import InvalidSecurityGroupNotFoundError, InvalidSubnetIdError
from moto.ecs.exceptions import ECSException, InvalidParameterException
from moto.iam.models import iam_backends

from emulator.ecs_model import FARGATE_PROVIDERS, ec2_of, elbv2_of


def check_service(backend: Any, cluster: Any, data: dict[str, Any], params: dict[str, Any]) -> None:
    """Refuse what AWS refuses, in AWS's words."""
    definition = backend.describe_task_definition(data["taskDefinition"])
    if definition.status != "ACTIVE" and params.get("taskDefinition"):
        raise ECSException("ClientException", "TaskDefinition is inactive")
    check_capacity(backend, cluster, data, definition)
    check_percentages(data["deploymentConfiguration"])
    check_network(backend, data, definition)
    check_role(backend, params.get("role"), data, definition)
    if params.get("healthCheckGracePeriodSeconds") is not None and not data["loadBalancers"]:
        raise InvalidParameterException(
            "Health check grace period is only valid for services configured to use load balancers"
        )
    if params.get("loadBalancers"):
        for balancer in data["loadBalancers"]:
            check_balancer(backend, balancer, definition)


def check_capacity(backend: Any, cluster: Any, data: dict[str, Any], definition: Any) -> None:
    """Capacity providers belong to the cluster; Fargate needs a fitting task definition and no placement."""
    strategy = [one["capacityProvider"] for one in data.get("capacityProviderStrategy") or []]
    for name in strategy:
        if name not in (cluster.capacity_providers or []):
            raise InvalidParameterException(
                f"The specified capacity provider '{name}' was not found. Specify a valid name or ARN and try again."
            )
    if data.get("launchType") != "FARGATE" and not set(strategy) & set(FARGATE_PROVIDERS):
        return
    if "FARGATE" not in definition.compatibilities:
        raise InvalidParameterException("Task definition does not support launch_type FARGATE.")
    if data["placementStrategy"]:
        raise InvalidParameterException("Placement strategies are not supported with FARGATE launch type.")
    if data["placementConstraints"]:
        raise InvalidParameterException("Placement constraints are not supported with FARGATE launch type.")
    if data["schedulingStrategy"] == "DAEMON":
        raise InvalidParameterException("The daemon scheduling strategy is not supported with FARGATE launch type.")


def check_percentages(configuration: dict[str, Any]) -> None:
    """The maximum must not be below the minimum, and both at 100 leave no room for a deployment."""
    maximum, minimum = configuration["maximumPercent"], configuration["minimumHealthyPercent"]
    if maximum == minimum == 100:
        raise InvalidParameterException(
            "Both maximumPercent and minimumHealthyPercent cannot be 100 as this will block deployments."
        )
    if maximum < minimum:
        raise InvalidParameterException("maximumPercent cannot be smaller than minimumHealthyPercent.")


def check_network(backend: Any, data: dict[str, Any], definition: Any) -> None:
    """A network configuration for awsvpc and for nothing else, with subnets and security groups that exist."""
    configuration = data.get("networkConfiguration")
    if definition.network_mode != "awsvpc":
        if configuration:
            raise InvalidParameterException(
                "Network Configuration is not valid for the given networkMode of this task definition."
            )
        return
    if not configuration:
        raise InvalidParameterException(
            "Network Configuration must be provided when networkMode 'awsvpc' is specified."
        )
    awsvpc = configuration["awsvpcConfiguration"]
    if not awsvpc.get("subnets"):
        raise InvalidParameterException("subnets can not be empty.")
    if awsvpc.get("assignPublicIp") == "ENABLED" and data.get("launchType") == "EC2":
        raise InvalidParameterException("Assign public IP is not supported for this launch type.")
    ec2 = ec2_of(backend)
    try:
        ec2.describe_subnets(subnet_ids=awsvpc["subnets"])
    except InvalidSubnetIdError as exc:
        raise InvalidParameterException(
            f"Error retrieving subnet information for [{', '.join(awsvpc['subnets'])}]: {exc.message} "
            f"(ErrorCode: InvalidSubnetID.NotFound)"
        ) from exc
    for group in awsvpc.get("securityGroups") or []:
        if ec2.get_security_group_from_id(group) is None:
            missing = InvalidSecurityGroupNotFoundError(group)
            raise InvalidParameterException(
                f"Error retrieving security group information for [{group}]: {missing.message} "
                f"(ErrorCode: InvalidGroup.NotFound)"
            )


def check_role(backend: Any, role: str | None, data: dict[str, Any], definition: Any) -> None:
    """The role must exist, and is only for load balancers without awsvpc."""
    if not role:
        return
    if definition.network_mode == "awsvpc":
        raise InvalidParameterException(
            "You cannot specify an IAM role for services that require a service linked role."
        )
    if not data["loadBalancers"]:
        raise InvalidParameterException("IAM roles are only valid for services configured to use load balancers.")
    known = iam_backends[backend.account_id]["aws"].roles.values()
    if not any(role in (one.name, one.arn) for one in known):
        raise InvalidParameterException(
            "Unable to assume role and validate the listeners configured on your load balancer. "
            "Please verify that the ECS service role being passed has the proper permissions."
        )


def check_balancer(backend: Any, balancer: dict[str, Any], definition: Any) -> None:
    """The target group exists, hangs on a load balancer and fits the network mode; container and port exist."""
    name, port = balancer.get("containerName"), balancer.get("containerPort")
    container = next((one for one in definition.container_definitions if one["name"] == name), None)
    if container is None:
        raise InvalidParameterException(f"The container {name} does not exist in the task definition.")
    if port not in [mapping.get("containerPort") for mapping in container.get("portMappings") or []]:
        raise InvalidParameterException(f"The container {name} did not have a container port {port} defined.")
    arn = balancer.get("targetGroupArn")
    if not arn:
        return
    elbv2 = elbv2_of(backend)
    group = elbv2.target_groups.get(arn)
    if group is None:
        raise InvalidParameterException(f"The specified target group {arn} does not exist.")
    if (group.target_type == "ip") != (definition.network_mode == "awsvpc"):
        mode = definition.network_mode
        raise InvalidParameterException(
            f"The provided target group {arn} has target type {group.target_type}, "
            f"which is incompatible with the {mode} network mode specified in the task definition."
        )
    if not elbv2._any_listener_using(arn):
        raise InvalidParameterException(
            f"The target group with targetGroupArn {arn} does not have an associated load balancer."
        )
