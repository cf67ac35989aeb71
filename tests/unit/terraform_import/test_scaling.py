# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What becomes of scalable targets, their policies, alarms and scheduled actions."""

from __future__ import annotations

import pytest

from .stack import Imported, arn, resource

WHERE = {
    "service_namespace": "ecs",
    "resource_id": "service/shop/web",
    "scalable_dimension": "ecs:service:DesiredCount",
}
POLICY = arn("autoscaling", "scalingPolicy:1:resource/ecs/service/shop/web:policyName/p")
SERVICE = resource(
    "aws_ecs_service",
    "web",
    {"id": arn("ecs", "service/shop/web"), "name": "web", "cluster": arn("ecs", "cluster/shop"), "desired_count": 2},
)
BALANCER = resource("aws_lb", "x", {"id": "x", "name": "front", "arn_suffix": "app/front/1", "subnets": []})
GROUP = resource("aws_lb_target_group", "x", {"id": "y", "name": "web", "arn_suffix": "targetgroup/web/2"})
LABEL = "app/front/1/targetgroup/web/2"


def target(**more):
    attributes = {"id": "service/shop/web", "min_capacity": 1, "max_capacity": 4, "role_arn": arn("iam", "role/x")}
    return resource("aws_appautoscaling_target", "web", {**WHERE, **attributes, **more})


def policy(kind, configuration, **more):
    names = {"TargetTrackingScaling": "target_tracking", "StepScaling": "step"}
    attributes = {"id": "p", "arn": POLICY, "name": "p", "policy_type": kind, "alarm_arns": ["arn:aws:made-by-aws"]}
    block = {f"{names[kind]}_scaling_policy_configuration": [configuration]}
    return resource("aws_appautoscaling_policy", "p", {**WHERE, **attributes, **block, **more})


def tracking(**configuration):
    return policy("TargetTrackingScaling", {"disable_scale_in": False, **configuration})


def declared(*more):
    imported = Imported(target(), *more)
    assert (imported.left(), imported.unmapped()) == (set(), {})
    return imported.declared("autoscaling")["scalable_targets"][0]


STEPS = {
    "adjustment_type": "ChangeInCapacity",
    "cooldown": 60,
    "metric_aggregation_type": "Average",
    "step_adjustment": [
        {"metric_interval_lower_bound": "0", "metric_interval_upper_bound": "2.5", "scaling_adjustment": 1},
        {"metric_interval_lower_bound": "2.5", "metric_interval_upper_bound": "", "scaling_adjustment": 3},
    ],
}
SHORT_STEPS = {
    "adjustment_type": "ChangeInCapacity",
    "cooldown": 60,
    "step_adjustments": [
        {"metric_interval_lower_bound": 0, "metric_interval_upper_bound": 2.5, "scaling_adjustment": 1},
        {"metric_interval_lower_bound": 2.5, "scaling_adjustment": 3},
    ],
}
POLICIES = {
    "requests, by things of the state": (
        [
            BALANCER,
            GROUP,
            tracking(
                target_value=500,
                scale_out_cooldown=60,
                predefined_metric_specification=[
                    {"predefined_metric_type": "ALBRequestCountPerTarget", "resource_label": LABEL}
                ],
            ),
        ],
        {
            "target_tracking": {
                "target_value": 500,
                "predefined_metric_type": "ALBRequestCountPerTarget",
                "load_balancer": "front",
                "target_group": "web",
                "scale_out_cooldown": 60,
            }
        },
    ),
    "a metric of one's own": (
        [
            tracking(
                target_value=5,
                customized_metric_specification=[
                    {
                        "metric_name": "Backlog",
                        "namespace": "Shop",
                        "statistic": "Average",
                        "unit": "",
                        "dimensions": [{"name": "Service", "value": "web"}],
                    }
                ],
            )
        ],
        {
            "target_tracking": {
                "target_value": 5,
                "customized_metric_specification": {
                    "metric_name": "Backlog",
                    "namespace": "Shop",
                    "statistic": "Average",
                    "dimensions": {"Service": "web"},
                },
            }
        },
    ),
    "steps": ([policy("StepScaling", STEPS)], {"step_scaling": SHORT_STEPS}),
}


@pytest.mark.parametrize("name", POLICIES)
def test_policies(name):
    things, expected = POLICIES[name]
    assert [item for item in things if item["type"] == "aws_appautoscaling_policy"]
    imported = Imported(target(), *things)
    found = imported.declared("autoscaling")["scalable_targets"][0]
    assert found == {
        "cluster": "shop",
        "service": "web",
        "min_capacity": 1,
        "max_capacity": 4,
        "scaling_policies": [{"name": "p", **expected}],
    }
    assert "aws_appautoscaling_policy.p" not in {address for address, _path in imported.left()}
    assert not [address for address in imported.unmapped() if "appautoscaling" in address]


def test_an_alarm_that_sets_off_a_policy_belongs_to_it():
    alarm = {
        "id": "high",
        "arn": arn("cloudwatch", "alarm:high"),
        "alarm_name": "high",
        "alarm_actions": [POLICY],
        "actions_enabled": True,
        "namespace": "AWS/ECS",
        "metric_name": "CPUUtilization",
        "statistic": "Average",
        "period": 60,
        "evaluation_periods": 3,
        "threshold": 70,
        "comparison_operator": "GreaterThanThreshold",
        "treat_missing_data": "missing",
        "dimensions": {"ClusterName": "shop", "ServiceName": "web"},
    }
    other = resource("aws_cloudwatch_metric_alarm", "other", {**alarm, "id": "o", "ok_actions": ["arn:aws:sns:x"]})
    imported = Imported(
        target(), policy("StepScaling", STEPS), resource("aws_cloudwatch_metric_alarm", "high", alarm), other
    )
    found = imported.declared("autoscaling")["scalable_targets"][0]["scaling_policies"][0]["step_scaling"]["alarms"]
    assert found == [
        {
            "name": "high",
            "metric_name": "CPUUtilization",
            "dimensions": {"ClusterName": "shop", "ServiceName": "web"},
            "evaluation_periods": 3,
            "threshold": 70,
            "comparison_operator": "GreaterThanThreshold",
        }
    ]
    assert set(imported.unmapped()) == {"aws_cloudwatch_metric_alarm.other"}
    assert imported.left() == set()


def test_scheduled_actions():
    action = {
        **WHERE,
        "id": "n",
        "arn": arn("autoscaling", "scheduledAction:1"),
        "name": "night",
        "schedule": "cron(0 22 * * ? *)",
        "timezone": "Europe/Berlin",
        "scalable_target_action": [{"min_capacity": "0", "max_capacity": "2"}],
    }
    assert declared(resource("aws_appautoscaling_scheduled_action", "night", action))["scheduled_actions"] == [
        {
            "name": "night",
            "schedule": "cron(0 22 * * ? *)",
            "timezone": "Europe/Berlin",
            "min_capacity": 0,
            "max_capacity": 2,
        }
    ]


def test_what_is_suspended():
    suspended = [{"dynamic_scaling_in_suspended": True, "dynamic_scaling_out_suspended": False}]
    imported = Imported(target(suspended_state=suspended))
    found = imported.declared("autoscaling")["scalable_targets"][0]
    assert found["suspended_state"] == {"dynamic_scaling_in_suspended": True}


def test_it_belongs_to_the_host_of_its_service():
    imported = Imported(SERVICE, target())
    assert imported.declared("autoscaling", "web")["scalable_targets"][0]["service"] == "web"


def test_what_is_not_of_ecs_stays_with_terraform():
    table = {"service_namespace": "dynamodb", "resource_id": "table/x", "scalable_dimension": "dynamodb:table:x"}
    imported = Imported(SERVICE, resource("aws_appautoscaling_target", "table", {**table, "id": "x"}))
    assert "something else than an ECS service" in imported.unmapped()["aws_appautoscaling_target.table"]


def test_a_policy_without_its_target_is_told():
    imported = Imported(SERVICE, tracking(target_value=5))
    assert "its scalable target is not in this state" in imported.unmapped()["aws_appautoscaling_policy.p"]
