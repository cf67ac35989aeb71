# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Scalable targets of ECS services, in the layer `autoscaling`: what a declaration means."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.dockyard.aws.plugins.module_utils.layers.base import Environment, api_names
from ansible_collections.dockyard.aws.plugins.module_utils.layers.scaling_checks import policy_path, target_path
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.model import Ref, Resource, Text

OF_THE_METRIC = ("predefined_metric_type", "load_balancer", "target_group", "customized_metric_specification")
ECS = "AWS/ECS"


def resource(target: Mapping[str, Any], environment: Environment) -> Resource:
    where = target_path(target)
    name = f"{target['cluster']}/{target['service']}"
    cluster = Ref("ecs_cluster", target["cluster"], "name", where=f"{where}.cluster")
    service = Ref("ecs_service", name, "name", (("cluster", cluster),), f"{where}.service")
    properties: dict[str, Any] = {
        "MinCapacity": target["min_capacity"],
        "MaxCapacity": target["max_capacity"],
        "ScalingPolicies": {policy["name"]: _policy(policy, target) for policy in target["scaling_policies"]},
        "ScheduledActions": {
            action["name"]: api_names({key: action[key] for key in action if key != "name"}, capital=True)
            for action in target["scheduled_actions"]
        },
    }
    if target["suspended_state"]:
        properties["SuspendedState"] = api_names(target["suspended_state"], capital=True)
    return Resource(
        "scalable_target",
        name,
        properties,
        where=where,
        tags={**environment.tags, **(target["tags"] or {})},
        scope={"service": service},
        protect=target["protect"],
    )


def _policy(policy: Mapping[str, Any], target: Mapping[str, Any]) -> dict[str, Any]:
    tracking, steps = policy["target_tracking"], policy["step_scaling"]
    if tracking:
        plain = {name: value for name, value in tracking.items() if name not in OF_THE_METRIC}
        metric = _metric(tracking, policy_path(target, policy))
        return {"PolicyType": "TargetTrackingScaling", **metric, **api_names(plain, capital=True)}
    plain = {name: value for name, value in steps.items() if name != "alarms"}
    alarms = {alarm["name"]: _alarm(alarm, target) for alarm in steps["alarms"]}
    return {"PolicyType": "StepScaling", **api_names(plain, capital=True), "Alarms": alarms}


def _metric(tracking: Mapping[str, Any], where: str) -> dict[str, Any]:
    """ResourceLabel: the full names of a load balancer and of a target group behind it."""
    if tracking["customized_metric_specification"]:
        given = dict(tracking["customized_metric_specification"])
        dimensions, queries = given.pop("dimensions"), given.pop("metrics")
        metric = api_names(given, capital=True)
        if dimensions:
            metric["Dimensions"] = _dimensions(dimensions)
        if queries:
            metric["Metrics"] = queries
        return {"CustomizedMetricSpecification": metric}
    metric = {"PredefinedMetricType": tracking["predefined_metric_type"]}
    if tracking["load_balancer"]:
        names = (("load_balancer", tracking["load_balancer"]), ("target_group", tracking["target_group"]))
        refs = tuple(Ref(kind, name, "full_name", where=f"{where}.target_tracking.{kind}") for kind, name in names)
        metric["ResourceLabel"] = Text("{}/{}", refs)
    return {"PredefinedMetricSpecification": metric}


def _alarm(alarm: Mapping[str, Any], target: Mapping[str, Any]) -> dict[str, Any]:
    given = {name: value for name, value in alarm.items() if name not in ("name", "dimensions")}
    if not given["extended_statistic"]:
        given["statistic"] = given["statistic"] or "Average"
    own = {"ClusterName": target["cluster"], "ServiceName": target["service"]} if alarm["namespace"] == ECS else {}
    dimensions = own if alarm["dimensions"] is None else alarm["dimensions"]
    return {**api_names(given, capital=True), "Dimensions": _dimensions(dimensions)}


def _dimensions(values: Mapping[str, Any]) -> list[dict[str, str]]:
    return [{"Name": name, "Value": str(value)} for name, value in values.items()]
