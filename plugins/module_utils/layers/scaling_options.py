# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of the layer `autoscaling` for services: scalable targets, policies, scheduled actions."""

from __future__ import annotations

from typing import Any

PREDEFINED_METRICS = (
    "ALBRequestCountPerTarget",
    "ECSServiceAverageCPUUtilization",
    "ECSServiceAverageMemoryUtilization",
    "ECSServiceAverageCPUUtilizationHighResolution",
    "ECSServiceAverageMemoryUtilizationHighResolution",
)
STATISTICS = ("Average", "Minimum", "Maximum", "SampleCount", "Sum")
COMPARISONS = (
    "GreaterThanOrEqualToThreshold",
    "GreaterThanThreshold",
    "LessThanThreshold",
    "LessThanOrEqualToThreshold",
)

SUSPENDED_STATE: dict[str, Any] = {
    "dynamic_scaling_in_suspended": {
        "type": "bool",
        "default": False,
        "description": "No policy takes tasks away.",
    },
    "dynamic_scaling_out_suspended": {"type": "bool", "default": False, "description": "No policy adds tasks."},
    "scheduled_scaling_suspended": {
        "type": "bool",
        "default": False,
        "description": "No scheduled action is carried out.",
    },
}

DIMENSIONS: dict[str, Any] = {"type": "dict", "description": "Dimensions of the metric, values by their names."}

CUSTOMIZED_METRIC: dict[str, Any] = {
    "metric_name": {"type": "str", "description": "Name of the metric."},
    "namespace": {"type": "str", "description": "Its namespace in CloudWatch."},
    "dimensions": DIMENSIONS,
    "statistic": {"type": "str", "choices": list(STATISTICS), "description": "Its statistic."},
    "unit": {"type": "str", "description": "Its unit, where it is published with one."},
    "metrics": {
        "type": "list",
        "elements": "dict",
        "description": "Metric math instead of one metric: the queries as C(Metrics) of the AWS API, with its names.",
    },
}

TARGET_TRACKING: dict[str, Any] = {
    "target_value": {
        "type": "float",
        "required": True,
        "description": "The value of the metric that is kept: requests in a minute for each task, or percent.",
    },
    "predefined_metric_type": {
        "type": "str",
        "choices": list(PREDEFINED_METRICS),
        "description": "A metric that AWS knows for ECS services.",
    },
    "load_balancer": {
        "type": "str",
        "description": "With V(ALBRequestCountPerTarget): name of the load balancer that sends the requests.",
    },
    "target_group": {
        "type": "str",
        "description": "With V(ALBRequestCountPerTarget): name of the service's target group behind it.",
    },
    "customized_metric_specification": {
        "type": "dict",
        "options": CUSTOMIZED_METRIC,
        "description": "A metric of your own, which falls when tasks are added.",
    },
    "scale_in_cooldown": {
        "type": "int",
        "description": "Seconds after tasks were taken away until more are; of a new policy V(300) by default.",
    },
    "scale_out_cooldown": {
        "type": "int",
        "description": "Seconds for tasks that were added to take effect; of a new policy V(300) by default.",
    },
    "disable_scale_in": {"type": "bool", "default": False, "description": "The policy takes no tasks away."},
}

ALARM: dict[str, Any] = {
    "name": {
        "type": "str",
        "required": True,
        "description": "Name of the alarm. It is deleted with the policy, unless it does something else as well.",
    },
    "metric_name": {"type": "str", "required": True, "description": "Name of the metric."},
    "namespace": {"type": "str", "default": "AWS/ECS", "description": "Its namespace in CloudWatch."},
    "dimensions": {
        "type": "dict",
        "description": "Dimensions of the metric. In V(AWS/ECS) cluster and service, where they are not given.",
    },
    "statistic": {
        "type": "str",
        "choices": list(STATISTICS),
        "description": "Its statistic; V(Average) where neither this nor O(extended_statistic) is given.",
    },
    "extended_statistic": {"type": "str", "description": "A percentile instead, for example V(p95)."},
    "period": {"type": "int", "default": 60, "description": "Seconds of one data point: 10, 20, 30, or n times 60."},
    "evaluation_periods": {"type": "int", "default": 1, "description": "Over how many data points it is watched."},
    "datapoints_to_alarm": {"type": "int", "description": "How many of them must be beyond; by default all."},
    "threshold": {
        "type": "float",
        "required": True,
        "description": "The threshold. The bounds of the policy's steps are counted from it.",
    },
    "comparison_operator": {
        "type": "str",
        "required": True,
        "choices": list(COMPARISONS),
        "description": "How the metric is compared with the threshold.",
    },
    "treat_missing_data": {
        "type": "str",
        "choices": ["missing", "ignore", "breaching", "notBreaching"],
        "default": "missing",
        "description": "What missing data points count as.",
    },
    "unit": {"type": "str", "description": "Its unit, where it is published with one."},
}

STEP_SCALING: dict[str, Any] = {
    "adjustment_type": {
        "type": "str",
        "required": True,
        "choices": ["ChangeInCapacity", "PercentChangeInCapacity", "ExactCapacity"],
        "description": "What an adjustment is: a number of tasks to add, percent to add, or the number to have.",
    },
    "step_adjustments": {
        "type": "list",
        "elements": "dict",
        "required": True,
        "options": {
            "metric_interval_lower_bound": {
                "type": "float",
                "description": "From so far beyond the alarm's threshold; without it from minus infinity.",
            },
            "metric_interval_upper_bound": {
                "type": "float",
                "description": "Up to so far beyond it; without it to infinity.",
            },
            "scaling_adjustment": {
                "type": "int",
                "required": True,
                "description": "The adjustment; negative takes tasks away.",
            },
        },
        "description": "The steps. Together they have no gap and no overlap.",
    },
    "min_adjustment_magnitude": {
        "type": "int",
        "description": "With V(PercentChangeInCapacity): at least so many tasks.",
    },
    "cooldown": {"type": "int", "description": "Seconds until the next step; of a new policy V(300) by default."},
    "metric_aggregation_type": {
        "type": "str",
        "choices": ["Average", "Minimum", "Maximum"],
        "default": "Average",
        "description": "How data points are put together.",
    },
    "alarms": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": ALARM,
        "description": "The CloudWatch alarms that set off the policy.",
    },
}

POLICY: dict[str, Any] = {
    "name": {"type": "str", "required": True, "description": "Name of the policy."},
    "target_tracking": {
        "type": "dict",
        "options": TARGET_TRACKING,
        "description": "Keep a metric at a value. Either this or O(step_scaling).",
    },
    "step_scaling": {
        "type": "dict",
        "options": STEP_SCALING,
        "description": "Steps that alarms set off.",
    },
}

SCHEDULED_ACTION: dict[str, Any] = {
    "name": {"type": "str", "required": True, "description": "Name of the scheduled action."},
    "schedule": {
        "type": "str",
        "required": True,
        "description": "C(at(yyyy-mm-ddThh:mm:ss)), C(rate(value unit)), or C(cron(minutes hours day-of-month month "
        "day-of-week year)).",
    },
    "timezone": {"type": "str", "default": "UTC", "description": "Time zone of C(at) and C(cron), V(Europe/Berlin)."},
    "start_time": {"type": "str", "description": "From when on, for example V(2030-01-31T08:00:00Z)."},
    "end_time": {"type": "str", "description": "Until when."},
    "min_capacity": {"type": "int", "description": "The scalable target's minimum from then on."},
    "max_capacity": {"type": "int", "description": "The scalable target's maximum from then on."},
}

SCALABLE_TARGET: dict[str, Any] = {
    "cluster": {"type": "str", "required": True, "description": "Name of the service's cluster."},
    "service": {"type": "str", "required": True, "description": "Name of the ECS service that is scaled."},
    "min_capacity": {"type": "int", "required": True, "description": "At least so many tasks."},
    "max_capacity": {"type": "int", "required": True, "description": "At most so many tasks."},
    "suspended_state": {
        "type": "dict",
        "options": SUSPENDED_STATE,
        "description": "What is suspended. Options that are not given resume it.",
    },
    "scaling_policies": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": POLICY,
        "description": "The scaling policies. Others of this target are deleted.",
    },
    "scheduled_actions": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": SCHEDULED_ACTION,
        "description": "The scheduled actions. Others of this target are deleted.",
    },
    "tags": {"type": "dict", "description": "Tags of the scalable target, in addition to O(dockyard_tags)."},
    "protect": {"type": "bool", "default": False, "description": "Refuse to delete or replace it."},
}
