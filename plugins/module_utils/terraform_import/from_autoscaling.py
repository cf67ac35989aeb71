# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Launch templates, Auto Scaling groups, capacity providers."""

from __future__ import annotations

from typing import Any

from ansible_collections.dockyard.aws.plugins.module_utils.layers.autoscaling import ECS_MANAGED
from ansible_collections.dockyard.aws.plugins.module_utils.terraform_import.from_launch_templates import launch_template
from ansible_collections.dockyard.aws.plugins.module_utils.terraform_import.stack import Stack
from ansible_collections.dockyard.aws.plugins.module_utils.terraform_import.states import Block, Thing
from ansible_collections.dockyard.aws.plugins.module_utils.terraform_import.values import (
    Fields,
    fields,
    number,
    without_defaults,
)

GROUP: Fields = {
    "capacity_rebalance": ("capacity_rebalance", False),
    "default_cooldown": ("default_cooldown", 300),
    "default_instance_warmup": ("default_instance_warmup", 0),
    "health_check_grace_period": ("health_check_grace_period", 0),
    "max_instance_lifetime": ("max_instance_lifetime", 0),
    "termination_policies": ("termination_policies", []),
    "suspended_processes": ("suspended_processes", []),
    "enabled_metrics": ("enabled_metrics", []),
}
DISTRIBUTION: Fields = {
    "on_demand_allocation_strategy": ("on_demand_allocation_strategy", "prioritized"),
    "on_demand_base_capacity": ("on_demand_base_capacity", 0),
    "on_demand_percentage_above_base_capacity": ("on_demand_percentage_above_base_capacity", 100),
    "spot_allocation_strategy": ("spot_allocation_strategy", ""),
    "spot_instance_pools": ("spot_instance_pools", 0),
    "spot_max_price": ("spot_max_price", ""),
}
STEPS: Fields = {
    "target_capacity": ("target_capacity", 0),
    "minimum_scaling_step_size": ("minimum_scaling_step_size", 1),
    "maximum_scaling_step_size": ("maximum_scaling_step_size", 10000),
    "instance_warmup_period": ("instance_warmup_period", 0),
}
NO_TEMPLATE = "it has no launch template: give it one with Terraform first (launch configurations are of the past)"
NO_GROUP = "its Auto Scaling group is not in this state: import the state that has it too"


def convert(stack: Stack) -> None:
    for template in stack.of("aws_launch_template"):
        options = launch_template(stack, template)
        stack.add("autoscaling", "launch_templates", options, template)
    providers = {
        str(block.attributes["auto_scaling_group_provider"][0]["auto_scaling_group_arn"]): block
        for block in stack.of("aws_ecs_capacity_provider")
        if block.attributes.get("auto_scaling_group_provider")
    }
    for group in stack.of("aws_autoscaling_group"):
        _group(stack, group, providers.get(str(group.attributes.get("arn"))))
    stack.refuse(NO_TEMPLATE, *stack.of("aws_autoscaling_group"))
    stack.refuse(NO_GROUP, *stack.of("aws_ecs_capacity_provider"))


def _group(stack: Stack, group: Thing, provider: Thing | None) -> None:
    mixed = group.block("mixed_instances_policy")
    specification = mixed.block("launch_template").block("launch_template_specification")
    direct = group.block("launch_template")
    template = _template(stack, direct, group) or _template(stack, specification, group)
    if template is None:
        return
    options: dict[str, Any] = {
        "name": group.get("name"),
        "launch_template": template,
        "subnets": stack.names.refs("aws_subnet", group.get("vpc_zone_identifier"), group),
        "min_size": group.get("min_size"),
        "max_size": group.get("max_size"),
        "health_check_type": _health_check_type(group),
        **fields(group, GROUP),
        "tags": stack.tags(group, *(ECS_MANAGED if provider else ())),
    }
    if "mixed_instances_policy" in group:
        options["mixed_instances_policy"] = _mixed(stack, mixed, group)
    maintenance = group.block("instance_maintenance_policy")
    if least := maintenance.get("min_healthy_percentage"):
        most = maintenance.get("max_healthy_percentage")
        options["instance_maintenance_policy"] = {"min_healthy_percentage": least, "max_healthy_percentage": most}
    options |= _scaling(group, provider)
    for block in (direct, specification):
        _check_version(stack, group, block)
    stack.add("autoscaling", "auto_scaling_groups", options, group, *([provider] if provider else []))


def _template(stack: Stack, block: Block, by: Thing) -> str | None:
    identity, name = block.get("id") or block.get("launch_template_id"), block.get("name")
    name = name or block.get("launch_template_name")
    return stack.names.ref("aws_launch_template", identity or name, by) if identity or name else None


def _check_version(stack: Stack, group: Thing, block: Block) -> None:
    version = str(block.get("version") or "")
    if version.startswith("$"):
        message = f"is {version}; the layer pins the number of the latest version, which starts an instance refresh"
        stack.will_change(group, "launch_template.version", message)


def _health_check_type(group: Thing) -> list[str] | None:
    kind = str(group.get("health_check_type", "EC2"))
    return kind.split(",") if kind != "EC2" else None


def _scaling(group: Thing, provider: Thing | None) -> dict[str, Any]:
    """The capacity provider, and what of the group depends on it."""
    protected = bool(group.get("protect_from_scale_in", False))
    desired = group.get("desired_capacity")
    if provider is None:
        return {"desired_capacity": desired} | ({"new_instances_protected_from_scale_in": True} if protected else {})
    block = provider.block("auto_scaling_group_provider")
    block.skip("auto_scaling_group_arn")
    scaling = block.block("managed_scaling")
    status = scaling.get("status", "DISABLED")
    termination = block.get("managed_termination_protection", "DISABLED")
    options = {
        "name": provider.get("name"),
        "managed_scaling": status,
        **fields(scaling, STEPS),
        "managed_termination_protection": termination if termination != status else None,
        "managed_draining": block.get("managed_draining", "ENABLED"),
    }
    result: dict[str, Any] = {"capacity_provider": options}
    if protected != (termination == "ENABLED"):
        result["new_instances_protected_from_scale_in"] = protected
    return result | ({} if status == "ENABLED" else {"desired_capacity": desired})


def _mixed(stack: Stack, mixed: Block, group: Thing) -> dict[str, Any]:
    overrides = [
        without_defaults(
            {
                "instance_type": item.get("instance_type"),
                "weighted_capacity": number(item.get("weighted_capacity")),
                "launch_template": _template(stack, item.block("launch_template_specification"), group),
            },
            {},
        )
        for item in mixed.block("launch_template").blocks("override")
    ]
    distribution = fields(mixed.block("instances_distribution"), DISTRIBUTION)
    result: dict[str, Any] = {"instances_distribution": distribution} if distribution else {}
    return {**result, "overrides": overrides} if overrides else result
