# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Scalable targets with their policies, alarms and scheduled actions: every change that AWS lets one make, alone."""

from __future__ import annotations

import copy
from typing import Any

from tests.integration.kinds.ecs import FARGATE

TARGET = "scalable_target/web/web"
BY_REQUESTS = {
    "target_value": 500,
    "predefined_metric_type": "ALBRequestCountPerTarget",
    "load_balancer": "web",
    "target_group": "web",
}
CUSTOM = {
    "metric_name": "Backlog",
    "namespace": "Web",
    "statistic": "Average",
    "dimensions": {"Service": "web"},
}
QUERIES = [
    {
        "Id": "queue",
        "MetricStat": {"Metric": {"MetricName": "Backlog", "Namespace": "Web"}, "Stat": "Sum"},
        "ReturnData": False,
    },
    {"Id": "each", "Expression": "queue / 2"},
]
HIGH = {
    "name": "web-cpu-high",
    "metric_name": "CPUUtilization",
    "threshold": 70,
    "comparison_operator": "GreaterThanThreshold",
    "period": 60,
    "evaluation_periods": 3,
}
STEPS = {
    "adjustment_type": "PercentChangeInCapacity",
    "step_adjustments": [
        {"metric_interval_lower_bound": 0, "metric_interval_upper_bound": 10, "scaling_adjustment": 20},
        {"metric_interval_lower_bound": 10, "scaling_adjustment": 50},
    ],
    "cooldown": 60,
    "alarms": [HIGH],
}
NIGHT = {"name": "night", "schedule": "cron(0 22 * * ? *)", "timezone": "Europe/Berlin", "max_capacity": 3}


def target(**changes: Any) -> dict[str, Any]:
    """The service with a scalable target that has one of everything."""
    whole = {
        "cluster": "web",
        "service": "web",
        "min_capacity": 1,
        "max_capacity": 6,
        "scaling_policies": [
            {"name": "requests", "target_tracking": BY_REQUESTS},
            {"name": "backlog", "target_tracking": {"target_value": 10, "customized_metric_specification": CUSTOM}},
            {"name": "cpu", "step_scaling": STEPS},
        ],
        "scheduled_actions": [NIGHT],
    }
    result = copy.deepcopy(FARGATE)
    result["ecs"]["web"]["services"][0]["desired_count"] = 2
    options = {name: value for name, value in {**whole, **changes}.items() if value is not None}
    result["autoscaling"] = {"web": {"scalable_targets": [copy.deepcopy(options)]}}
    return result


def policies(requests: Any = None, backlog: Any = None, cpu: Any = None) -> dict[str, Any]:
    tracking = {**BY_REQUESTS, **(requests or {})}
    custom = {"target_value": 10, "customized_metric_specification": CUSTOM, **(backlog or {})}
    found = [
        {"name": "requests", "target_tracking": tracking},
        {"name": "backlog", "target_tracking": custom},
        {"name": "cpu", "step_scaling": {**STEPS, **(cpu or {})}},
    ]
    return target(scaling_policies=found)


def change(name: str, declared: dict[str, Any], *paths: str, **more: Any) -> dict[str, Any]:
    return {"id": f"scalable_target.{name}", "declared": declared, "address": TARGET, "paths": list(paths), **more}


def of_requests(name: str, value: Any, *paths: str) -> dict[str, Any]:
    return change(name, policies(requests={name: value}), *(f"ScalingPolicies[requests].{path}" for path in paths))


def of_steps(name: str, value: Any, *paths: str) -> dict[str, Any]:
    return change(name, policies(cpu={name: value}), *(f"ScalingPolicies[cpu].{path}" for path in paths))


def of_alarm(name: str, value: Any, *paths: str) -> dict[str, Any]:
    where = "ScalingPolicies[cpu].Alarms[web-cpu-high]"
    changed = policies(cpu={"alarms": [{**HIGH, name: value}]})
    return change(f"alarm.{name}", changed, *(f"{where}.{path}" for path in paths))


def of_action(name: str, value: Any, *paths: str) -> dict[str, Any]:
    changed = target(scheduled_actions=[{**NIGHT, name: value}])
    return change(f"action.{name}", changed, *(f"ScheduledActions[night].{path}" for path in paths))


LOW = {**HIGH, "name": "web-cpu-low", "comparison_operator": "LessThanThreshold", "threshold": 20}
ONE_MORE = {
    "name": "memory",
    "target_tracking": {"target_value": 60, **{"predefined_metric_type": "ECSServiceAverageMemoryUtilization"}},
}
BASE_POLICIES = target()["autoscaling"]["web"]["scalable_targets"][0]["scaling_policies"]
UPDATES = [
    change("min_capacity", target(min_capacity=2), "MinCapacity"),
    change("max_capacity", target(max_capacity=8), "MaxCapacity"),
    change(
        "suspended_state",
        target(suspended_state={"dynamic_scaling_in_suspended": True}),
        "SuspendedState.DynamicScalingInSuspended",
        back=False,
    ),
    change("tags", target(tags={"Team": "one"}), "tags.Team", back=False),
    change("a policy more", target(scaling_policies=[*BASE_POLICIES, ONE_MORE]), "ScalingPolicies[memory]"),
    change("a policy less", target(scaling_policies=BASE_POLICIES[1:]), "ScalingPolicies[requests]"),
    change(
        "no policies", target(scaling_policies=None), *(f"ScalingPolicies[{n}]" for n in ("requests", "backlog", "cpu"))
    ),
    change(
        "another policy type",
        target(scaling_policies=[*BASE_POLICIES[:2], {"name": "cpu", "target_tracking": ONE_MORE["target_tracking"]}]),
        "ScalingPolicies[cpu]",
    ),
    of_requests("target_value", 200, "TargetValue"),
    of_requests("scale_in_cooldown", 60, "ScaleInCooldown"),
    of_requests("scale_out_cooldown", 30, "ScaleOutCooldown"),
    of_requests("disable_scale_in", True, "DisableScaleIn"),
    change(
        "another metric",
        target(
            scaling_policies=[{"name": "requests", "target_tracking": ONE_MORE["target_tracking"]}, *BASE_POLICIES[1:]]
        ),
        "ScalingPolicies[requests].TargetValue",
        "ScalingPolicies[requests].PredefinedMetricSpecification",
    ),
    change(
        "a metric of one's own",
        policies(backlog={"customized_metric_specification": {**CUSTOM, "dimensions": {"Service": "other"}}}),
        "ScalingPolicies[backlog].CustomizedMetricSpecification",
    ),
    change(
        "metric math",
        policies(backlog={"customized_metric_specification": {"metrics": QUERIES}}),
        "ScalingPolicies[backlog].CustomizedMetricSpecification",
    ),
    of_steps("adjustment_type", "ChangeInCapacity", "AdjustmentType"),
    of_steps("step_adjustments", [{"metric_interval_lower_bound": 0, "scaling_adjustment": 1}], "StepAdjustments"),
    of_steps("cooldown", 120, "Cooldown"),
    of_steps("min_adjustment_magnitude", 2, "MinAdjustmentMagnitude"),
    of_steps("metric_aggregation_type", "Maximum", "MetricAggregationType"),
    of_steps("alarms", [HIGH, LOW], "Alarms[web-cpu-low]"),
    of_steps("alarms", [], "Alarms[web-cpu-high]"),
    of_alarm("metric_name", "MemoryUtilization", "MetricName"),
    of_alarm("namespace", "Web", "Namespace", "Dimensions"),
    of_alarm("dimensions", {"ClusterName": "web"}, "Dimensions"),
    of_alarm("statistic", "Maximum", "Statistic"),
    of_alarm("extended_statistic", "p95", "Statistic", "ExtendedStatistic"),
    of_alarm("period", 120, "Period"),
    of_alarm("evaluation_periods", 5, "EvaluationPeriods"),
    of_alarm("datapoints_to_alarm", 2, "DatapointsToAlarm"),
    of_alarm("threshold", 80, "Threshold"),
    of_alarm("comparison_operator", "GreaterThanOrEqualToThreshold", "ComparisonOperator"),
    of_alarm("treat_missing_data", "notBreaching", "TreatMissingData"),
    of_alarm("unit", "Percent", "Unit"),
    change("no scheduled actions", target(scheduled_actions=None), "ScheduledActions[night]"),
    of_action("schedule", "rate(2 hours)", "Schedule"),
    of_action("timezone", "Europe/Paris", "Timezone"),
    of_action("start_time", "2030-01-01T00:00:00Z", "StartTime"),
    of_action("end_time", "2031-01-01T00:00:00+01:00", "EndTime"),
    of_action("min_capacity", 2, "MinCapacity"),
    of_action("max_capacity", 4, "MaxCapacity"),
]
CASES: list[dict[str, Any]] = [
    {"id": "scalable target", "kind": "scalable_target", "declared": target(), "updates": UPDATES},
    {
        "id": "scalable target that is suspended",
        "kind": "scalable_target",
        "declared": target(suspended_state={"scheduled_scaling_suspended": True}),
        "updates": [
            change("resume", target(suspended_state={}), "SuspendedState.ScheduledScalingSuspended", back=False),
        ],
    },
]
