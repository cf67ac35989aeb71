# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ECS clusters, services and log groups."""

from __future__ import annotations

from typing import Any

from ansible_collections.dockyard.aws.plugins.module_utils.terraform_import.from_task_definitions import (
    log_group,
    task_definition,
)
from ansible_collections.dockyard.aws.plugins.module_utils.terraform_import.hosts import task_definition as family_of
from ansible_collections.dockyard.aws.plugins.module_utils.terraform_import.stack import Stack
from ansible_collections.dockyard.aws.plugins.module_utils.terraform_import.states import Block, Thing
from ansible_collections.dockyard.aws.plugins.module_utils.terraform_import.values import Fields, fields, given

SERVICE: Fields = {
    "launch_type": ("launch_type", ""),
    "platform_version": ("platform_version", "LATEST"),
    "health_check_grace_period_seconds": ("health_check_grace_period_seconds", 0),
    "scheduling_strategy": ("scheduling_strategy", "REPLICA"),
    "enable_execute_command": ("enable_execute_command", False),
    "enable_ecs_managed_tags": ("enable_ecs_managed_tags", False),
    "propagate_tags": ("propagate_tags", "NONE"),
}
PERCENT: Fields = {
    "deployment_minimum_healthy_percent": ("minimum_healthy_percent", 100),
    "deployment_maximum_percent": ("maximum_percent", 200),
}
SESSION_LOGS = (
    "cloud_watch_log_group_name",
    "cloud_watch_encryption_enabled",
    "s3_bucket_name",
    "s3_encryption_enabled",
    "s3_key_prefix",
)
OTHER_REVISION = (
    "it runs revision %s, which something else deployed, and Terraform knows %s: all but the images would go back to "
    "that (image_owner: declaration also the images), so bring the task definition up to date"
)


def convert(stack: Stack) -> None:
    for cluster in stack.of("aws_ecs_cluster"):
        _cluster(stack, cluster)
    for task in stack.of("aws_ecs_task_definition"):
        task_definition(stack, task)
    for group in stack.of("aws_cloudwatch_log_group"):
        if not stack.is_done(group):
            stack.add("ecs", "log_groups", log_group(stack, group), group)
    for service in stack.of("aws_ecs_service"):
        _service(stack, service)


def _cluster(stack: Stack, cluster: Thing) -> None:
    settings = {item.get("name"): item.get("value") for item in cluster.blocks("setting")}
    providers = stack.belonging("aws_ecs_cluster_capacity_providers", "cluster_name", cluster)
    options: dict[str, Any] = {
        "name": cluster.get("name"),
        "container_insights": settings.get("containerInsights"),
        "tags": stack.tags(cluster),
    }
    for item in providers:
        options["capacity_providers"] = sorted(item.get("capacity_providers") or ()) or None
        strategy = item.blocks("default_capacity_provider_strategy")
        options["default_capacity_provider_strategy"] = [_share(share) for share in strategy] or None
    if namespace := cluster.block("service_connect_defaults").get("namespace"):
        options["service_connect_defaults"] = {"namespace": namespace}
    configuration = cluster.block("configuration")
    if command := _command(configuration.block("execute_command_configuration")):
        options["execute_command_configuration"] = command
    storage = configuration.block("managed_storage_configuration")
    if keys := fields(
        storage,
        {
            "kms_key_id": ("kms_key_id", ""),
            "fargate_ephemeral_storage_kms_key_id": ("fargate_ephemeral_storage_kms_key_id", ""),
        },
    ):
        options["managed_storage_configuration"] = keys
    stack.add("ecs", "clusters", options, cluster, *providers)


def _share(item: Block) -> dict[str, Any]:
    return {
        "capacity_provider": item.get("capacity_provider"),
        "weight": item.get("weight", 0),
        "base": item.get("base", 0),
    }


def _command(block: Block) -> dict[str, Any]:
    logs = given({name: block.block("log_configuration").get(name) for name in SESSION_LOGS})
    found = given({"kms_key_id": block.get("kms_key_id"), "logging": block.get("logging")})
    return {**found, "log_configuration": logs} if logs and found.get("logging") == "OVERRIDE" else found


def _service(stack: Stack, service: Thing) -> None:
    cluster = stack.names.ref("aws_ecs_cluster", service.get("cluster", "default"), service).rsplit("/", 1)[-1]
    name, family = str(service.get("name")), _family(stack, service)
    daemon = service.attributes.get("scheduling_strategy") == "DAEMON"
    count = service.get("desired_count", 0)
    options: dict[str, Any] = {
        "name": name,
        "cluster": cluster,
        "task_definition": family,
        "desired_count": None if daemon else count,
        **fields(service, SERVICE),
        "capacity_provider_strategy": [_share(item) for item in service.blocks("capacity_provider_strategy")] or None,
        "load_balancers": [_load_balancer(stack, item, service) for item in service.blocks("load_balancer")] or None,
        "placement_constraints": _pairs(service.blocks("placement_constraints"), "expression"),
        "placement_strategy": _pairs(service.blocks("ordered_placement_strategy"), "field"),
        **_network(stack, service),
        **_deployment(service),
        **_role(stack, service),
        "tags": stack.tags(service),
    }
    if registries := [_registry(item) for item in service.blocks("service_registries")]:
        options["service_registries"] = registries
    stack.add("ecs", "services", options, service)


def _family(stack: Stack, service: Thing) -> str:
    service.skip("task_definition")
    reference = family_of(service)
    found = stack.names.find("aws_ecs_task_definition", reference)
    running = str(service.attributes.get("task_definition")).removeprefix(f"{reference}:")
    if found and running.isdigit() and running != str(found.attributes.get("revision", running)):
        stack.will_change(service, "task_definition", OTHER_REVISION % (running, found.attributes["revision"]))
    return str(found.attributes["family"]) if found else reference.rsplit("/", 1)[-1]


def _load_balancer(stack: Stack, block: Block, by: Thing) -> dict[str, Any]:
    arn = block.get("target_group_arn")
    return given(
        {
            "target_group": stack.names.ref("aws_lb_target_group", arn, by) if arn else None,
            "load_balancer_name": block.get("elb_name"),
            "container_name": block.get("container_name"),
            "container_port": block.get("container_port"),
        }
    )


def _registry(block: Block) -> dict[str, Any]:
    names = ("registry_arn", "port", "container_name", "container_port")
    return {name: value for name in names if (value := block.get(name))}


def _pairs(blocks: list[Block], second: str) -> list[dict[str, Any]] | None:
    return [given({"type": item.get("type"), second: item.get(second)}) for item in blocks] or None


def _network(stack: Stack, service: Thing) -> dict[str, Any]:
    block = service.block("network_configuration")
    if "subnets" not in block:
        return {}
    groups = stack.names.refs("aws_security_group", block.get("security_groups"), service)
    network = {
        "subnets": stack.names.refs("aws_subnet", block.get("subnets"), service),
        "security_groups": groups or None,
        "assign_public_ip": bool(block.get("assign_public_ip", False)),
    }
    return {"network_configuration": network}


def _deployment(service: Thing) -> dict[str, Any]:
    controller = service.block("deployment_controller").get("type", "ECS")
    percent = fields(service, PERCENT)
    configuration: dict[str, Any] = dict(percent)
    breaker = service.block("deployment_circuit_breaker")
    enabled, rollback = bool(breaker.get("enable", False)), bool(breaker.get("rollback", False))
    if controller == "ECS" and not (enabled and rollback):
        # Without it, the layer turns it on.
        configuration["deployment_circuit_breaker"] = {"enable": enabled, "rollback": rollback}
    alarms = service.block("alarms")
    if names := alarms.get("alarm_names"):
        flags = {name: bool(alarms.get(name, False)) for name in ("enable", "rollback")}
        configuration["alarms"] = {"alarm_names": sorted(names), **flags}
    result: dict[str, Any] = {"deployment_configuration": configuration} if configuration else {}
    if controller != "ECS":
        result["deployment_controller"] = controller
    rebalancing = service.get("availability_zone_rebalancing")
    implied = "DISABLED" if percent.get("maximum_percent", 200) <= 100 else "ENABLED"
    if rebalancing and rebalancing != implied:
        result["availability_zone_rebalancing"] = rebalancing
    return result


def _role(stack: Stack, service: Thing) -> dict[str, Any]:
    """Not the service-linked one, which AWS takes by itself."""
    role = str(service.get("iam_role") or "")
    if not role or "aws-service-role/" in role:
        return {}
    return {"role": stack.names.role(role, service)}
