# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Scalable targets of ECS services, with their policies, alarms and scheduled actions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ansible_collections.dockyard.aws.plugins.module_utils.terraform_import.stack import Stack
from ansible_collections.dockyard.aws.plugins.module_utils.terraform_import.states import Block, Thing
from ansible_collections.dockyard.aws.plugins.module_utils.terraform_import.values import Fields, fields, given

OTHERS = "it scales something else than an ECS service: it stays with Terraform"
LOST = "its scalable target is not in this state: import the state that has it too"
TARGET, POLICY = "aws_appautoscaling_target", "aws_appautoscaling_policy"
ACTION, ALARM = "aws_appautoscaling_scheduled_action", "aws_cloudwatch_metric_alarm"
SAYS_WHERE = ("service_namespace", "scalable_dimension", "resource_id")
SUSPENDED: Fields = {
    name: (name, False)
    for name in ("dynamic_scaling_in_suspended", "dynamic_scaling_out_suspended", "scheduled_scaling_suspended")
}
TRACKING: Fields = {
    "scale_in_cooldown": ("scale_in_cooldown", 300),
    "scale_out_cooldown": ("scale_out_cooldown", 300),
    "disable_scale_in": ("disable_scale_in", False),
}
STEPS: Fields = {
    "adjustment_type": ("adjustment_type", None),
    "cooldown": ("cooldown", 300),
    "metric_aggregation_type": ("metric_aggregation_type", "Average"),
    "min_adjustment_magnitude": ("min_adjustment_magnitude", 0),
}
METRIC = ("metric_name", "namespace", "statistic", "unit")
ALARM_FIELDS: Fields = {
    "metric_name": ("metric_name", None),
    "statistic": ("statistic", "Average"),
    "extended_statistic": ("extended_statistic", ""),
    "evaluation_periods": ("evaluation_periods", 1),
    "datapoints_to_alarm": ("datapoints_to_alarm", 0),
    "comparison_operator": ("comparison_operator", None),
    "treat_missing_data": ("treat_missing_data", "missing"),
    "unit": ("unit", ""),
}


def convert(stack: Stack) -> None:
    for target in stack.of(TARGET):
        if target.attributes.get("service_namespace") == "ecs":
            _target(stack, target)
    kinds = (TARGET, POLICY, ACTION)
    stack.refuse(OTHERS, *(item for item in stack.of(*kinds) if item.attributes.get("service_namespace") != "ecs"))
    stack.refuse(LOST, *stack.of(POLICY, ACTION))


def _target(stack: Stack, target: Thing) -> None:
    # AWS has one role for this in each account, which it makes itself.
    target.skip("role_arn", *SAYS_WHERE)
    _kind, cluster, service = str(target.attributes["resource_id"]).split("/", 2)
    policies, actions = _inside(stack, POLICY, target), _inside(stack, ACTION, target)
    alarms = {policy.address: _alarms_of(stack, policy) for policy in policies}
    options = given(
        {
            "cluster": cluster,
            "service": service,
            "min_capacity": target.get("min_capacity", 0),
            "max_capacity": target.get("max_capacity", 0),
            "suspended_state": fields(target.block("suspended_state"), SUSPENDED) or None,
            "scaling_policies": [_policy(stack, policy, alarms[policy.address]) for policy in policies],
            "scheduled_actions": [_action(action) for action in actions],
            "tags": stack.tags(target),
        }
    )
    parts = [*policies, *actions, *(alarm for found in alarms.values() for alarm in found)]
    stack.add("autoscaling", "scalable_targets", options, target, *parts, host=_host(stack, cluster, service))


def _inside(stack: Stack, kind: str, target: Thing) -> list[Thing]:
    found = [
        item
        for item in stack.of(kind)
        if all(item.attributes.get(name) == target.attributes.get(name) for name in SAYS_WHERE)
    ]
    for item in found:
        item.skip(*SAYS_WHERE, "alarm_arns")
    return sorted(found, key=lambda item: str(item.attributes.get("name")))


def _host(stack: Stack, cluster: str, service: str) -> str:
    """The host of the service."""
    for item in stack.of("aws_ecs_service"):
        its_cluster = str(item.attributes.get("cluster") or "").rsplit("/", 1)[-1]
        if (its_cluster, item.attributes.get("name")) == (cluster, service):
            return stack.hosts.of(item)
    return stack.hosts.platform


def _alarms_of(stack: Stack, policy: Thing) -> list[Thing]:
    """Those that set off this policy and do nothing else."""
    arn = policy.attributes.get("arn")
    return [
        alarm
        for alarm in stack.of(ALARM)
        if arn and alarm.attributes.get("alarm_actions") == [arn]
        if not alarm.attributes.get("ok_actions") and not alarm.attributes.get("insufficient_data_actions")
    ]


def _policy(stack: Stack, policy: Thing, alarms: Sequence[Thing]) -> dict[str, Any]:
    name, kind = policy.get("name"), policy.get("policy_type", "StepScaling")
    if kind == "TargetTrackingScaling":
        return {"name": name, "target_tracking": _tracking(stack, policy)}
    block = policy.block("step_scaling_policy_configuration")
    steps = [_step(item) for item in block.blocks("step_adjustment")]
    options: dict[str, Any] = {**fields(block, STEPS), "step_adjustments": steps}
    if alarms:
        options["alarms"] = [_alarm(alarm) for alarm in alarms]
    return {"name": name, "step_scaling": options}


def _tracking(stack: Stack, policy: Thing) -> dict[str, Any]:
    block = policy.block("target_tracking_scaling_policy_configuration")
    options: dict[str, Any] = {"target_value": block.get("target_value")}
    known = block.block("predefined_metric_specification")
    if metric := known.get("predefined_metric_type"):
        options["predefined_metric_type"] = metric
    if label := known.get("resource_label"):
        balancer, _part, group = str(label).partition("/targetgroup/")
        options["load_balancer"] = _named(stack, "aws_lb", balancer)
        options["target_group"] = _named(stack, "aws_lb_target_group", f"targetgroup/{group}")
    custom = block.block("customized_metric_specification")
    if "metric_name" in custom or "metrics" in custom:
        options["customized_metric_specification"] = _custom(custom)
    return {**options, **fields(block, TRACKING)}


def _named(stack: Stack, kind: str, suffix: str) -> str:
    """A load balancer or target group by the end of its ARN, which has its name in AWS in it."""
    for item in stack.of(kind):
        if item.attributes.get("arn_suffix") == suffix:
            return stack.names.of(item)
    return suffix.split("/")[1] if "/" in suffix else suffix


def _custom(block: Block) -> dict[str, Any]:
    options = given({name: block.get(name) for name in METRIC})
    if dimensions := {item.get("name"): item.get("value") for item in block.blocks("dimensions")}:
        options["dimensions"] = dimensions
    if queries := block.blocks("metrics"):
        options["metrics"] = [_query(item) for item in queries]
    return options


def _query(block: Block) -> dict[str, Any]:
    query = {"Id": block.get("id"), "Expression": block.get("expression"), "Label": block.get("label")}
    stat = block.block("metric_stat")
    if "stat" in stat:
        metric = stat.block("metric")
        dimensions = [{"Name": item.get("name"), "Value": item.get("value")} for item in metric.blocks("dimensions")]
        inner = {"MetricName": metric.get("metric_name"), "Namespace": metric.get("namespace")}
        whole = given({**inner, "Dimensions": dimensions or None})
        query["MetricStat"] = given({"Metric": whole, "Stat": stat.get("stat"), "Unit": stat.get("unit")})
    if block.get("return_data", True) is False:
        query["ReturnData"] = False
    return given(query)


def _step(block: Block) -> dict[str, Any]:
    """Terraform writes bounds as texts, and none as an empty one."""
    names = ("metric_interval_lower_bound", "metric_interval_upper_bound")
    bounds = {name: block.get(name) for name in names}
    numbers = {name: _number(value) for name, value in bounds.items() if value is not None}
    return {**numbers, "scaling_adjustment": block.get("scaling_adjustment", 0)}


def _number(value: Any) -> float | int:
    found = float(value)
    return int(found) if found.is_integer() else found


def _alarm(alarm: Thing) -> dict[str, Any]:
    alarm.skip("alarm_actions", "actions_enabled", "alarm_description", "tags", "tags_all")
    options = {
        "name": alarm.get("alarm_name"),
        "namespace": alarm.get("namespace"),
        "dimensions": alarm.get("dimensions", {}),
        "period": alarm.get("period", 60),
        "threshold": alarm.get("threshold", 0),
    }
    return {**options, **fields(alarm, ALARM_FIELDS)}


def _action(action: Thing) -> dict[str, Any]:
    capacity = action.block("scalable_target_action")
    options = {
        "name": action.get("name"),
        "schedule": action.get("schedule"),
        "timezone": action.get("timezone", "UTC"),
        "start_time": action.get("start_time"),
        "end_time": action.get("end_time"),
    }
    # The provider writes them as texts, to tell 0 from not given.
    sizes = {name: capacity.get(name) for name in ("min_capacity", "max_capacity")}
    return given({**options, **{name: int(value) for name, value in sizes.items() if value is not None}})
