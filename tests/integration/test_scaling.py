# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Scaling of ECS services: who owns the desired count, what others made, what goes with what."""

from __future__ import annotations

import copy

import pytest

from tests.integration.kinds import scaling
from tests.integration.kinds.scaling import HIGH, NIGHT, STEPS, TARGET, policies, target

ID = {
    "ServiceNamespace": "ecs",
    "ResourceId": "service/web/web",
    "ScalableDimension": "ecs:service:DesiredCount",
}
CPU = {
    "TargetValue": 50.0,
    "PredefinedMetricSpecification": {"PredefinedMetricType": "ECSServiceAverageCPUUtilization"},
}
SUSPENDED = {f"{name}_suspended": True for name in ("dynamic_scaling_in", "dynamic_scaling_out", "scheduled_scaling")}


@pytest.fixture
def client(emulator):
    return emulator.client("application-autoscaling")


@pytest.fixture
def cloudwatch(emulator):
    return emulator.client("cloudwatch")


@pytest.fixture
def ecs(emulator):
    return emulator.client("ecs")


def put_policy(client, name="by-hand"):
    client.put_scaling_policy(
        PolicyName=name, PolicyType="TargetTrackingScaling", TargetTrackingScalingPolicyConfiguration=CPU, **ID
    )


def policy_names(client):
    found = client.describe_scaling_policies(ServiceNamespace="ecs")["ScalingPolicies"]
    return sorted(item["PolicyName"] for item in found)


def action_names(client):
    found = client.describe_scheduled_actions(ServiceNamespace="ecs")["ScheduledActions"]
    return [item["ScheduledActionName"] for item in found]


def alarm_names(cloudwatch):
    found = cloudwatch.describe_alarms()["MetricAlarms"]
    return sorted(item["AlarmName"] for item in found if not item["AlarmName"].startswith("TargetTracking-"))


def change_count(ecs, count):
    ecs.update_service(cluster="web", service="web", desiredCount=count)


def test_the_desired_count_stays_with_the_autoscaler_whichever_layer_runs(runner, ecs):
    runner.make(target())
    change_count(ecs, 5)
    runner.assert_nothing_to_do(target())
    alone = {"ecs": target()["ecs"]}
    runner.assert_nothing_to_do(alone)
    notes = [note for change in runner.plan(alone).plan.changes for note in change.notes]
    assert "desiredCount is owned by the autoscaler: 5 in AWS, left alone" in notes


def test_a_target_that_others_made_owns_the_desired_count_too(runner, ecs, client):
    declared = {name: layer for name, layer in target().items() if name != "autoscaling"}
    runner.make(declared)
    change_count(ecs, 4)
    assert [item.path for item in runner.plan(declared).plan.pending()[0].differences] == ["desiredCount"]
    client.register_scalable_target(MinCapacity=1, MaxCapacity=6, **ID)
    runner.assert_nothing_to_do(declared)


def test_the_desired_count_is_left_alone_also_while_all_is_suspended(runner, ecs):
    """Whoever suspends scaling in the middle of a rush must not lose tasks by it."""
    runner.make(target())
    change_count(ecs, 5)
    runner.make(target(suspended_state=SUSPENDED))
    runner.assert_nothing_to_do(target(suspended_state=SUSPENDED))
    runner.assert_nothing_to_do({"ecs": target()["ecs"]})


def test_the_desired_count_is_asked_about_only_where_it_is_another(runner, emulator):
    runner.make(target())
    emulator.reset_calls()
    runner.plan({"ecs": target()["ecs"]})
    assert not [call for call in emulator.calls()["calls"] if "autoscaling" in str(call)]


def test_what_is_declared_no_more_goes_without_any_memory(runner, client, cloudwatch):
    runner.make(target())
    put_policy(client)
    client.put_scheduled_action(
        ScheduledActionName="by-hand", Schedule="rate(1 day)", ScalableTargetAction={"MinCapacity": 1}, **ID
    )
    changed = runner.make(target())
    differences = {item["path"]: item["after"] for item in changed.change(TARGET)["differences"]}
    assert differences == {"ScalingPolicies[by-hand]": None, "ScheduledActions[by-hand]": None}
    assert policy_names(client) == ["backlog", "cpu", "requests"]
    assert action_names(client) == ["night"]
    runner.make(target(scaling_policies=None, scheduled_actions=None))
    assert (policy_names(client), action_names(client), alarm_names(cloudwatch)) == ([], [], [])


def test_nothing_is_left_of_a_target_that_goes(runner, client, cloudwatch):
    runner.make(target())
    runner.make({"autoscaling": target()["autoscaling"]}, state="absent")
    assert client.describe_scalable_targets(ServiceNamespace="ecs")["ScalableTargets"] == []
    assert (policy_names(client), action_names(client), alarm_names(cloudwatch)) == ([], [], [])


def test_a_target_that_others_made_is_adopted_with_what_it_has(runner, client):
    declared = target(
        min_capacity=1,
        max_capacity=3,
        scaling_policies=[
            {
                "name": "by-hand",
                "target_tracking": {
                    "target_value": 50,
                    "predefined_metric_type": "ECSServiceAverageCPUUtilization",
                },
            }
        ],
        scheduled_actions=None,
    )
    runner.make({name: layer for name, layer in declared.items() if name != "autoscaling"})
    client.register_scalable_target(MinCapacity=1, MaxCapacity=3, **ID)
    put_policy(client)
    changed = runner.make(declared)
    assert changed.done == [("adopt", "scalable_target", "web/web")]
    assert {item["path"].partition(".")[0] for item in changed.change(TARGET)["differences"]} == {"tags"}
    runner.assert_nothing_to_do(declared)


def test_an_alarm_that_does_something_else_as_well_stays(runner, cloudwatch):
    runner.make(target())
    alarm = cloudwatch.describe_alarms(AlarmNames=["web-cpu-high"])["MetricAlarms"][0]
    topic = "arn:aws:sns:us-east-1:123456789012:people"
    fields = {name: alarm[name] for name in ("MetricName", "Namespace", "Dimensions", "Statistic", "Period")}
    cloudwatch.put_metric_alarm(
        AlarmName="web-cpu-high",
        AlarmActions=[*alarm["AlarmActions"], topic],
        EvaluationPeriods=3,
        Threshold=75,
        ComparisonOperator="GreaterThanThreshold",
        **fields,
    )
    runner.make(target())
    mended = cloudwatch.describe_alarms(AlarmNames=["web-cpu-high"])["MetricAlarms"][0]
    assert mended["Threshold"] == 70 and topic in mended["AlarmActions"]
    runner.make(target(), state="absent")
    assert alarm_names(cloudwatch) == ["web-cpu-high"]


def test_an_alarm_that_does_something_else_stays_without_its_policy(runner, cloudwatch):
    runner.make(target())
    alarm = cloudwatch.describe_alarms(AlarmNames=["web-cpu-high"])["MetricAlarms"][0]
    topic = "arn:aws:sns:us-east-1:123456789012:people"
    names = ("Namespace", "MetricName", "Dimensions", "Statistic", "Period", "EvaluationPeriods", "Threshold")
    fields = {name: alarm[name] for name in (*names, "ComparisonOperator", "AlarmActions")}
    cloudwatch.put_metric_alarm(AlarmName="web-cpu-high", OKActions=[topic], **fields)
    runner.make(policies(cpu={"alarms": []}))
    assert alarm_names(cloudwatch) == ["web-cpu-high"]


def test_an_alarm_that_moves_to_another_policy_sets_off_only_that(runner, client, cloudwatch):
    runner.make(target(scaling_policies=[{"name": name, "step_scaling": {**STEPS, "alarms": []}} for name in "ab"]))
    for owner in "ab":
        declared = target(
            scaling_policies=[
                {"name": name, "step_scaling": {**STEPS, "alarms": [HIGH] if name == owner else []}} for name in "ab"
            ]
        )
        runner.make(declared)
        runner.assert_nothing_to_do(declared)
        alarm = cloudwatch.describe_alarms(AlarmNames=["web-cpu-high"])["MetricAlarms"][0]
        assert [arn.rsplit("policyName/", 1)[-1] for arn in alarm["AlarmActions"]] == [owner]


def test_alarms_have_the_environments_tags(runner, cloudwatch):
    runner.make(target())
    arn = cloudwatch.describe_alarms(AlarmNames=["web-cpu-high"])["MetricAlarms"][0]["AlarmArn"]
    labels = {item["Key"]: item["Value"] for item in cloudwatch.list_tags_for_resource(ResourceARN=arn)["Tags"]}
    assert labels == {"Project": "test"}


def test_a_capacity_that_a_scheduled_action_set_is_left_alone(runner, client):
    declared = target(scheduled_actions=[{**NIGHT, "min_capacity": 0}])
    runner.make(declared)
    client.register_scalable_target(MinCapacity=0, MaxCapacity=3, **ID)
    runner.assert_nothing_to_do(declared)
    client.register_scalable_target(MinCapacity=0, MaxCapacity=5, **ID)
    assert [item["path"] for item in runner.make(declared).change(TARGET)["differences"]] == ["MaxCapacity"]


def without_tasks(declared):
    """The targets of tasks that run leave their target group slowly."""
    declared["ecs"]["web"]["services"][0]["desired_count"] = 0
    return declared


def test_a_replaced_target_group_takes_the_policy_along(runner, client):
    runner.make(without_tasks(target(min_capacity=0)))
    before = client.describe_scaling_policies(ServiceNamespace="ecs")["ScalingPolicies"]
    declared = without_tasks(target(min_capacity=0))
    declared["alb"]["platform"]["target_groups"][0]["port"] = 9090
    changed = runner.make(declared)
    assert ("update", "scalable_target", "web/web") in changed.done
    paths = [item["path"] for item in changed.change(TARGET)["differences"]]
    assert paths == ["ScalingPolicies[requests].PredefinedMetricSpecification"]
    after = client.describe_scaling_policies(ServiceNamespace="ecs")["ScalingPolicies"]
    assert before != after
    runner.assert_nothing_to_do(declared)


def test_many_targets_are_read_in_few_calls(runner, emulator):
    declared = copy.deepcopy(target(scaling_policies=scaling.BASE_POLICIES[1:2], scheduled_actions=None))
    service = declared["ecs"]["web"]["services"][0]
    del service["load_balancers"], service["health_check_grace_period_seconds"]
    names = [f"web-{number}" for number in range(25)]
    declared["ecs"]["web"]["services"] = [{**service, "name": name} for name in names]
    options = declared["autoscaling"]["web"]["scalable_targets"][0]
    declared["autoscaling"]["web"]["scalable_targets"] = [{**options, "service": name} for name in names]
    runner.make(declared)
    emulator.reset_calls()
    runner.plan({"autoscaling": declared["autoscaling"]})
    calls = [text.rsplit(":", 1)[-1] for text in emulator.calls()["log"]]
    assert calls.count("DescribeScalableTargets") == 1
    assert calls.count("DescribeScalingPolicies") == 3
    assert calls.count("DescribeScheduledActions") == 1


def test_a_cooldown_that_is_not_declared_is_left_alone(runner, client):
    """Other tools write 0 where nothing is declared."""
    runner.make(target())
    found = client.describe_scaling_policies(ServiceNamespace="ecs")["ScalingPolicies"]
    policy = next(item for item in found if item["PolicyName"] == "backlog")
    name = "TargetTrackingScalingPolicyConfiguration"
    configuration = {**policy[name], "ScaleInCooldown": 0}
    client.put_scaling_policy(PolicyName="backlog", PolicyType=policy["PolicyType"], **{name: configuration}, **ID)
    runner.assert_nothing_to_do(target())
    runner.make(policies(backlog={"target_value": 20}))
    found = client.describe_scaling_policies(ServiceNamespace="ecs")["ScalingPolicies"]
    assert next(item for item in found if item["PolicyName"] == "backlog")[name]["ScaleInCooldown"] == 0
