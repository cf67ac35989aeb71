# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong with declarations of the layer `autoscaling`, found without AWS."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from ansible_collections.dockyard.aws.plugins.module_utils.layers import autoscaling_template_checks as of_template
from ansible_collections.dockyard.aws.plugins.module_utils.layers import scaling_checks
from ansible_collections.dockyard.aws.plugins.module_utils.layers.autoscaling_options import (
    HEALTH_CHECKS,
    METRICS,
    PROCESSES,
    TERMINATION_POLICIES,
)
from ansible_collections.dockyard.aws.plugins.module_utils.layers.base import Declaration
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.model import Address, Problem, Resource

ECS_AMAZON_LINUX = of_template.ECS_AMAZON_LINUX
PROVIDER_NAME = re.compile(r"(?!aws|ecs|fargate)[A-Za-z0-9_-]{1,255}", re.IGNORECASE)
# AWS takes any text here; a colon or slash would break the ARN's form, which IAM policies and people rely on.
GROUP_NAME = re.compile(r"[^:/\x00-\x1f]{1,255}")
LAMBDA = "arn:aws"
DAY = 86_400

Complaints = Iterator[tuple[str, str]]


def template_path(template: Mapping[str, Any]) -> str:
    return f"autoscaling.launch_templates[{template['name']}]"


def group_path(group: Mapping[str, Any]) -> str:
    return f"autoscaling.auto_scaling_groups[{group['name']}]"


def termination_protection(provider: Mapping[str, Any]) -> str:
    """Managed termination protection: as declared, else together with managed scaling."""
    return str(provider["managed_termination_protection"] or provider["managed_scaling"])


def protected_from_scale_in(group: Mapping[str, Any]) -> bool | None:
    """Whether new instances are protected: as declared, else where managed termination protection needs it."""
    declared, provider = group["new_instances_protected_from_scale_in"], group["capacity_provider"]
    if declared is None and provider and termination_protection(provider) == "ENABLED":
        return True
    return None if declared is None else bool(declared)


def problems(declarations: Sequence[Declaration]) -> Iterator[Problem]:
    """Everything at once, each with its host and the path of the variable."""
    templates = {template["name"]: template for item in declarations for template in item.options["launch_templates"]}
    yield from _duplicates(declarations)
    for declaration in declarations:
        for template in declaration.options["launch_templates"]:
            for path, message in of_template.complaints(template):
                yield Problem(declaration.host, _joined(template_path(template), path), message)
        for group in declaration.options["auto_scaling_groups"]:
            for path, message in _group_complaints(group, templates):
                yield Problem(declaration.host, _joined(group_path(group), path), message)
        for target in declaration.options["scalable_targets"]:
            for path, message in scaling_checks.complaints(target):
                yield Problem(declaration.host, _joined(scaling_checks.target_path(target), path), message)


def warnings(declarations: Sequence[Declaration], declared: Mapping[Address, Resource]) -> Iterator[Problem]:
    """What is allowed and will not work as one would expect."""
    for declaration in declarations:
        for group in declaration.options["auto_scaling_groups"]:
            for path, message in _group_warnings(group, declared):
                yield Problem(declaration.host, _joined(group_path(group), path), message)
        for target in declaration.options["scalable_targets"]:
            for path, message in scaling_checks.warnings(target):
                yield Problem(declaration.host, _joined(scaling_checks.target_path(target), path), message)


def _joined(base: str, path: str) -> str:
    return f"{base}.{path}" if path else base


def _duplicates(declarations: Sequence[Declaration]) -> Iterator[Problem]:
    """A name means one thing, whichever host declares it."""
    seen: dict[tuple[str, str], str] = {}
    for declaration in declarations:
        for kind, name, path in _names(declaration):
            if (kind, name) in seen:
                yield Problem(declaration.host, path, f"{kind} {name!r} is declared already by {seen[kind, name]}")
            seen.setdefault((kind, name), declaration.host)


def _names(declaration: Declaration) -> Iterator[tuple[str, str, str]]:
    for template in declaration.options["launch_templates"]:
        yield "launch template", template["name"], template_path(template)
    for group in declaration.options["auto_scaling_groups"]:
        yield "Auto Scaling group", group["name"], group_path(group)
        if group["capacity_provider"]:
            yield "capacity provider", group["capacity_provider"]["name"], f"{group_path(group)}.capacity_provider"
    for target in declaration.options["scalable_targets"]:
        path = scaling_checks.target_path(target)
        yield "scalable target", f"{target['cluster']}/{target['service']}", path
        yield from (("alarm", name, f"{path}.scaling_policies") for name in sorted(set(scaling_checks.alarms(target))))


def _group_complaints(group: Mapping[str, Any], templates: Mapping[str, Mapping[str, Any]]) -> Complaints:
    if not GROUP_NAME.fullmatch(group["name"]):
        yield "name", f"must have 1 to 255 characters, no colon and no slash, got {group['name']!r}"
    if not group["subnets"]:
        yield "subnets", "must name at least one subnet"
    yield from _sizes(group)
    yield from _choices("health_check_type", group["health_check_type"], HEALTH_CHECKS)
    yield from _choices("suspended_processes", group["suspended_processes"], PROCESSES)
    yield from _choices("enabled_metrics", group["enabled_metrics"], (*METRICS, "all"))
    policies = [name for name in group["termination_policies"] or () if not name.startswith(LAMBDA)]
    yield from _choices("termination_policies", policies, TERMINATION_POLICIES)
    yield from _times(group)
    if group["instance_maintenance_policy"]:
        yield from _percentages("instance_maintenance_policy", group["instance_maintenance_policy"])
    yield from _refresh_complaints(group["instance_refresh"])
    if group["mixed_instances_policy"]:
        yield from _mixed_complaints(group, templates)
    if group["capacity_provider"]:
        yield from _provider_complaints(group, templates)


def _sizes(group: Mapping[str, Any]) -> Complaints:
    least, most, desired = group["min_size"], group["max_size"], group["desired_capacity"]
    if least < 0:
        yield "min_size", f"must be at least 0, got {least}"
    if most < least:
        yield "max_size", f"must be at least min_size ({least}), got {most}"
    if desired is not None and not least <= desired <= most:
        yield "desired_capacity", f"must be between min_size ({least}) and max_size ({most}), got {desired}"


def _choices(path: str, values: Iterable[str] | None, allowed: Sequence[str]) -> Complaints:
    for value in values or ():
        if value not in allowed:
            yield path, f"{value!r} is unknown; allowed are {', '.join(allowed)}"


def _times(group: Mapping[str, Any]) -> Complaints:
    lifetime = group["max_instance_lifetime"]
    if lifetime and not DAY <= lifetime <= 365 * DAY:
        yield "max_instance_lifetime", f"must be 0 or between {DAY} (a day) and {365 * DAY} seconds, got {lifetime}"
    yield from _between("default_instance_warmup", group["default_instance_warmup"], -1, 3600 * 24)
    yield from _between("health_check_grace_period", group["health_check_grace_period"], 0, 3600 * 24)
    yield from _between("default_cooldown", group["default_cooldown"], 0, 3600 * 24)


def _between(path: str, value: int | None, least: int, most: int) -> Complaints:
    if value is not None and not least <= value <= most:
        yield path, f"must be between {least} and {most}, got {value}"


def _percentages(path: str, options: Mapping[str, Any]) -> Complaints:
    least, most = options["min_healthy_percentage"], options["max_healthy_percentage"]
    cleared = least == most == -1 and path == "instance_maintenance_policy"
    if not cleared:
        yield from _between(f"{path}.min_healthy_percentage", least, 0, 100)
        yield from _between(f"{path}.max_healthy_percentage", most, 100, 200)
    if (least is None) != (most is None):
        yield path, "min_healthy_percentage and max_healthy_percentage are given together or not at all"
    elif least is not None and most - least > 100:
        yield path, f"max_healthy_percentage ({most}) may be at most 100 above min_healthy_percentage ({least})"


def _refresh_complaints(refresh: Mapping[str, Any]) -> Complaints:
    yield from _percentages("instance_refresh", refresh)
    yield from _between("instance_refresh.instance_warmup", refresh["instance_warmup"], 0, 3600 * 24)
    yield from _between("instance_refresh.checkpoint_delay", refresh["checkpoint_delay"], 0, 172_800)
    yield from _between("instance_refresh.bake_time", refresh["bake_time"], 0, 172_800)
    if refresh["wait_timeout"] < 1:
        yield "instance_refresh.wait_timeout", f"must be at least 1 second, got {refresh['wait_timeout']}"
    checkpoints = refresh["checkpoint_percentages"]
    if checkpoints and (checkpoints != sorted(set(checkpoints)) or not 1 <= checkpoints[0] <= checkpoints[-1] <= 100):
        yield "instance_refresh.checkpoint_percentages", f"must ascend between 1 and 100, got {checkpoints}"
    if refresh["checkpoint_delay"] is not None and not checkpoints:
        yield "instance_refresh.checkpoint_delay", "needs checkpoint_percentages"


def _mixed_complaints(group: Mapping[str, Any], templates: Mapping[str, Mapping[str, Any]]) -> Complaints:
    policy, path = group["mixed_instances_policy"], "mixed_instances_policy"
    overrides = policy["overrides"] or []
    if len(overrides) > 40:
        yield f"{path}.overrides", f"has {len(overrides)} instance types, AWS allows 40"
    for override in overrides:
        where = f"{path}.overrides[{override['instance_type']}]"
        if not of_template.INSTANCE_TYPE.fullmatch(override["instance_type"]):
            yield f"{where}.instance_type", of_template.bad_instance_type(override["instance_type"])
        yield from _between(f"{where}.weighted_capacity", override["weighted_capacity"], 1, 999)
    template = templates.get(group["launch_template"])
    if template and template["instance_market_options"]:
        yield path, (
            f"launch template {template['name']} asks for Spot instances itself (instance_market_options), "
            "which AWS refuses together with a mixed instances policy"
        )
    if policy["instances_distribution"]:
        yield from _distribution_complaints(policy["instances_distribution"], f"{path}.instances_distribution")


def _distribution_complaints(distribution: Mapping[str, Any], path: str) -> Complaints:
    percentage = distribution["on_demand_percentage_above_base_capacity"]
    yield from _between(f"{path}.on_demand_percentage_above_base_capacity", percentage, 0, 100)
    yield from _between(f"{path}.on_demand_base_capacity", distribution["on_demand_base_capacity"], 0, 10_000)
    pools, strategy = distribution["spot_instance_pools"], distribution["spot_allocation_strategy"]
    yield from _between(f"{path}.spot_instance_pools", pools, 1, 20)
    if pools is not None and strategy != "lowest-price":
        yield f"{path}.spot_instance_pools", f"needs spot_allocation_strategy lowest-price, got {strategy}"
    price = distribution["spot_max_price"]
    if price and not of_template.PRICE.fullmatch(price):
        yield f"{path}.spot_max_price", f"must be a price per hour in US dollars such as 0.05, got {price!r}"


def _provider_complaints(group: Mapping[str, Any], templates: Mapping[str, Mapping[str, Any]]) -> Complaints:
    provider, path = group["capacity_provider"], "capacity_provider"
    if not PROVIDER_NAME.fullmatch(provider["name"]):
        yield f"{path}.name", (
            "must have 1 to 255 letters, digits, hyphens and underscores, and not begin with aws, ecs or fargate, "
            f"got {provider['name']!r}"
        )
    yield from _between(f"{path}.target_capacity", provider["target_capacity"], 1, 100)
    yield from _between(f"{path}.instance_warmup_period", provider["instance_warmup_period"], 0, 10_000)
    least, most = provider["minimum_scaling_step_size"], provider["maximum_scaling_step_size"]
    yield from _between(f"{path}.minimum_scaling_step_size", least, 1, 10_000)
    yield from _between(f"{path}.maximum_scaling_step_size", most, 1, 10_000)
    if least is not None and most is not None and least > most:
        yield f"{path}.minimum_scaling_step_size", f"is {least}, more than maximum_scaling_step_size ({most})"
    if termination_protection(provider) == "ENABLED":
        if provider["managed_scaling"] != "ENABLED":
            yield f"{path}.managed_termination_protection", "ENABLED needs managed_scaling ENABLED"
        if not protected_from_scale_in(group):
            yield (
                "new_instances_protected_from_scale_in",
                "must be true where the capacity provider has managed termination protection, got false",
            )
    template = templates.get(group["launch_template"])
    if template and not template["cluster"] and not template["user_data"]:
        yield "launch_template", (
            f"{template['name']} names no cluster, so that the instances of capacity provider {provider['name']} "
            "would never join one: set its cluster, or join it in user_data"
        )


def _group_warnings(group: Mapping[str, Any], declared: Mapping[Address, Resource]) -> Complaints:
    provider, refresh = group["capacity_provider"], group["instance_refresh"]
    if provider:
        address = Address("ecs_capacity_provider", provider["name"])
        clusters = [item for item in declared.values() if item.kind == "ecs_cluster_capacity_providers"]
        if clusters and not any(ref.address == address for item in clusters for ref in item.references()):
            yield "capacity_provider", f"no declared cluster uses capacity provider {provider['name']}"
        if provider["managed_scaling"] == "ENABLED" and group["min_size"] == group["max_size"]:
            yield "max_size", "equals min_size, so that managed scaling can never scale"
    if refresh["enabled"] and protected_from_scale_in(group) and refresh["scale_in_protected_instances"] != "Refresh":
        yield "instance_refresh.scale_in_protected_instances", (
            f"{refresh['scale_in_protected_instances']} leaves instances protected from scale-in on the old "
            "configuration, and all instances of this group are protected"
        )
    if refresh["enabled"] and "InstanceRefresh" in (group["suspended_processes"] or ()):
        yield "suspended_processes", "InstanceRefresh is suspended, so that an instance refresh would never move"
    distribution = (group["mixed_instances_policy"] or {}).get("instances_distribution") or {}
    for_spot = distribution.get("spot_max_price") or distribution.get("spot_instance_pools")
    if for_spot and distribution["on_demand_percentage_above_base_capacity"] in (None, 100):
        yield "mixed_instances_policy.instances_distribution", (
            "has settings for Spot, but on_demand_percentage_above_base_capacity 100 leaves no Spot instances"
        )
