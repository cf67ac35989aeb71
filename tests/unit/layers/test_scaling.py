# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Scalable targets in the layer autoscaling: from declarations to resources, and every bad input refused."""

from __future__ import annotations

import copy

import pytest

from ansible_collections.dockyard.aws.plugins.module_utils.layers import base
from ansible_collections.dockyard.aws.plugins.module_utils.layers.autoscaling import Autoscaling
from ansible_collections.dockyard.aws.plugins.module_utils.layers.ecs import Ecs
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.model import Address, Ref

LAYER = Autoscaling()
ENVIRONMENT = base.Environment("test", "us-east-1", "123456789012", tags={"Project": "test"})
TARGET = "autoscaling.scalable_targets[web]"
REQUESTS = {
    "target_value": 500,
    "predefined_metric_type": "ALBRequestCountPerTarget",
    "load_balancer": "front",
    "target_group": "web",
}
CPU = {"target_value": 70, "predefined_metric_type": "ECSServiceAverageCPUUtilization"}
METRIC = {"metric_name": "Backlog", "namespace": "Web", "statistic": "Average"}
UNFINISHED = {"metric_name": "Backlog", "namespace": "Web"}
STEP = {"metric_interval_lower_bound": 0, "scaling_adjustment": 1}
ALARM = {
    "name": "high",
    "metric_name": "CPUUtilization",
    "threshold": 70,
    "comparison_operator": "GreaterThanThreshold",
}
STEPS = {"adjustment_type": "ChangeInCapacity", "step_adjustments": [STEP], "alarms": [ALARM]}
NIGHT = {"name": "night", "schedule": "cron(0 22 * * ? *)", "max_capacity": 2}
SERVICE = {"name": "web", "cluster": "main", "task_definition": "web", "desired_count": 2}


def options(**changes):
    target = {"cluster": "main", "service": "web", "min_capacity": 1, "max_capacity": 4}
    return {"scalable_targets": [copy.deepcopy({**target, "scheduled_actions": [NIGHT], **changes})]}


def tracking(**changes):
    given = {name: value for name, value in {**CPU, **changes}.items() if value is not None}
    return options(scaling_policies=[{"name": "p", "target_tracking": given}])


def steps(**changes):
    return options(scaling_policies=[{"name": "p", "step_scaling": {**STEPS, **changes}}])


def alarm(**changes):
    return steps(alarms=[{**ALARM, **changes}])


def action(**changes):
    return options(scheduled_actions=[{**NIGHT, **changes}])


def parsed(value, layer=LAYER, host="web"):
    declaration, problems = base.parse(layer, host, value)
    assert problems == []
    return declaration


def made(value):
    return next(iter(LAYER.resources(parsed(value), ENVIRONMENT)))


def problems_of(*values):
    declarations = [parsed(value, host=f"host{number}") for number, value in enumerate(values)]
    return [str(problem) for problem in LAYER.validate(declarations, ENVIRONMENT)]


def test_a_plain_declaration_has_no_problem():
    assert problems_of(options()) == []
    assert problems_of(tracking()) == problems_of(steps()) == []


def test_a_target_lies_in_its_service():
    target = made(options())
    assert target.address == Address("scalable_target", "main/web")
    assert target.scope["service"].address == Address("ecs_service", "main/web")
    assert target.properties["MinCapacity"], target.properties["MaxCapacity"] == (1, 4)
    assert "SuspendedState" not in target.properties


def test_a_request_count_names_load_balancer_and_target_group():
    target = made(options(scaling_policies=[{"name": "requests", "target_tracking": REQUESTS}]))
    policy = target.properties["ScalingPolicies"]["requests"]
    label = policy["PredefinedMetricSpecification"]["ResourceLabel"]
    assert label.template == "{}/{}"
    assert [(ref.address, ref.attribute) for ref in label.references] == [
        (Address("load_balancer", "front"), "full_name"),
        (Address("target_group", "web"), "full_name"),
    ]
    assert {ref.address for ref in target.references()} > {ref.address for ref in label.references}


def test_what_is_suspended_and_what_is_not():
    target = made(options(suspended_state={"dynamic_scaling_in_suspended": True}))
    assert target.properties["SuspendedState"] == {
        "DynamicScalingInSuspended": True,
        "DynamicScalingOutSuspended": False,
        "ScheduledScalingSuspended": False,
    }


@pytest.mark.parametrize(
    ("given", "dimensions"),
    [
        ({}, {"ClusterName": "main", "ServiceName": "web"}),
        ({"namespace": "Web"}, {}),
        ({"namespace": "Web", "dimensions": {"Queue": 7}}, {"Queue": "7"}),
        ({"dimensions": {"ClusterName": "main"}}, {"ClusterName": "main"}),
    ],
)
def test_an_alarm_watches_its_own_service_unless_it_is_told_otherwise(given, dimensions):
    found = made(alarm(**given)).properties["ScalingPolicies"]["p"]["Alarms"]["high"]
    assert {item["Name"]: item["Value"] for item in found["Dimensions"]} == dimensions
    assert found["Statistic"] == "Average"


def test_a_percentile_is_no_statistic():
    found = made(alarm(extended_statistic="p95")).properties["ScalingPolicies"]["p"]["Alarms"]["high"]
    assert found["ExtendedStatistic"] == "p95" and "Statistic" not in found


P, S = f"{TARGET}.scaling_policies[p]", f"{TARGET}.scheduled_actions[night]"


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (options(min_capacity=-1), f"{TARGET}.min_capacity: must be at least 0, got -1"),
        (options(min_capacity=5), f"{TARGET}.max_capacity: must be at least min_capacity (5), got 4"),
        (options(scheduled_actions=[NIGHT, NIGHT]), f"{S}: is there 2 times"),
        (
            options(scaling_policies=[{"name": n, "step_scaling": STEPS} for n in "pq"]),
            f"{TARGET}.scaling_policies: the alarm 'high' is there 2 times; an alarm sets off one policy",
        ),
        (options(scaling_policies=[{"name": "p"}]), f"{P}: needs either target_tracking or step_scaling"),
        (
            options(scaling_policies=[{"name": "p", "target_tracking": CPU, "step_scaling": STEPS}]),
            f"{P}: needs either target_tracking or step_scaling",
        ),
        (options(scaling_policies=[{"name": "p[1]", "target_tracking": CPU}]), "no brackets, got 'p[1]'"),
        (tracking(target_value=0), f"{P}.target_tracking.target_value: must be above 0, got 0"),
        (tracking(target_value=101), f"{P}.target_tracking.target_value: is percent, at most 100, got 101"),
        (tracking(scale_in_cooldown=-1), f"{P}.target_tracking.scale_in_cooldown: must be at least 0, got -1"),
        (
            tracking(predefined_metric_type=None),
            f"{P}.target_tracking: needs either predefined_metric_type or customized_metric_specification",
        ),
        (
            tracking(predefined_metric_type="ALBRequestCountPerTarget", load_balancer="front"),
            f"{P}.target_tracking.target_group: is required with predefined_metric_type ALBRequestCountPerTarget",
        ),
        (tracking(target_group="web"), "target_group: is for predefined_metric_type ALBRequestCountPerTarget only"),
        (
            tracking(predefined_metric_type=None, customized_metric_specification=UNFINISHED),
            f"{P}.target_tracking.customized_metric_specification.statistic: is required, unless metrics is given",
        ),
        (
            tracking(
                predefined_metric_type=None,
                customized_metric_specification={**METRIC, "metrics": [{"Id": "a", "Expression": "1"}]},
            ),
            "customized_metric_specification.metrics: stands alone, without metric_name, namespace, statistic",
        ),
        (
            tracking(
                predefined_metric_type=None,
                customized_metric_specification={"metrics": [{"Id": name, "Expression": "1"} for name in "ab"]},
            ),
            "one query returns the metric (ReturnData: true), the others do not; got 2",
        ),
        (steps(cooldown=-1), f"{P}.step_scaling.cooldown: must be at least 0, got -1"),
        (
            steps(min_adjustment_magnitude=1),
            f"{P}.step_scaling.min_adjustment_magnitude: is for PercentChangeInCapacity only, got ChangeInCapacity",
        ),
        (steps(step_adjustments=[]), f"{P}.step_scaling.step_adjustments: needs at least one step"),
        (
            steps(step_adjustments=[{**STEP, "metric_interval_upper_bound": 0}]),
            "the step from 0 to 0 is empty: the upper bound must be above the lower one",
        ),
        (
            steps(step_adjustments=[STEP, {**STEP, "metric_interval_lower_bound": 10}]),
            "the steps that end at inf and begin at 10 overlap",
        ),
        (
            steps(
                step_adjustments=[
                    {**STEP, "metric_interval_upper_bound": 5},
                    {**STEP, "metric_interval_lower_bound": 10},
                ]
            ),
            "the steps that end at 5 and begin at 10 leave a gap",
        ),
        (alarm(period=45), f"{P}.step_scaling.alarms[high].period: must be 10, 20, 30 or a multiple of 60 seconds"),
        (alarm(evaluation_periods=0), "alarms[high].evaluation_periods: must be at least 1, got 0"),
        (alarm(datapoints_to_alarm=2), "datapoints_to_alarm: must be between 1 and evaluation_periods, got 2"),
        (alarm(statistic="Sum", extended_statistic="p95"), "extended_statistic: is given instead of statistic"),
        (action(name="a/b"), "none of : / | [ ], no space at its ends, got 'a/b'"),
        (action(max_capacity=None), f"{S}: needs min_capacity or max_capacity"),
        (action(min_capacity=3), f"{S}.max_capacity: must be at least min_capacity (3), got 2"),
        (action(timezone="Berlin"), f"{S}.timezone: 'Berlin' is no time zone; write it like Europe/Berlin"),
        (action(start_time="soon"), f"{S}.start_time: 'soon' is no time; write it like 2030-01-31T08:00:00Z"),
        (
            action(start_time="2030-01-02T00:00:00Z", end_time="2030-01-01"),
            f"{S}.end_time: must be after start_time (2030-01-02T00:00:00Z), got 2030-01-01",
        ),
        (action(schedule="every day"), "'every day' must be at(yyyy-mm-ddThh:mm:ss), rate(value unit) or cron("),
        (action(schedule="rate(1 hours)"), "rate(1 hours) is no rate; write rate(1 hour) or rate(2 hours)"),
        (action(schedule="rate(0 hours)"), "rate(0 hours) is no rate"),
        (action(schedule="at(2030-02-31T00:00:00)"), "2030-02-31T00:00:00 is no time"),
        (action(schedule="cron(0 22 * * *)"), "has 5 fields, needs 6: minutes hours day-of-month month day-of-week"),
        (action(schedule="cron(0 22 * * * *)"), "exactly one of day-of-month and day-of-week is ?"),
    ],
)
def test_bad_input_is_refused(value, message):
    found = problems_of(value)
    assert len(found) == 1 and message in found[0], found


@pytest.mark.parametrize(
    "schedule", ["rate(1 day)", "rate(30 minutes)", "at(2030-02-28T00:00:00)", "cron(0 6 ? * MON-FRI *)"]
)
def test_schedules_that_aws_takes(schedule):
    assert problems_of(action(schedule=schedule)) == []


def test_an_alarm_sets_off_one_target():
    """Two targets with an alarm of one name would take it from each other in every run."""
    step = {"name": "cpu", "step_scaling": {**STEPS, "alarms": [ALARM]}}
    [found] = problems_of(options(scaling_policies=[step]), options(service="worker", scaling_policies=[step]))
    assert found.startswith("host1: autoscaling.scalable_targets[worker].scaling_policies: alarm ")
    assert found.endswith("is declared already by host0")


def test_one_service_has_one_target():
    assert problems_of(options(), options()) == [
        f"host1: {TARGET}: scalable target 'main/web' is declared already by host0"
    ]


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (options(scheduled_actions=[]), "has neither scaling policies nor scheduled actions"),
        (tracking(), None),
        (steps(alarms=[]), "has no alarms, so that nothing sets it off"),
        (
            options(scaling_policies=[{"name": n, "target_tracking": CPU} for n in "pq"]),
            "2 policies track ECSServiceAverageCPUUtilization; AWS takes the one that asks for more tasks",
        ),
    ],
)
def test_what_has_no_effect_is_warned_of(value, message):
    found = [str(problem) for problem in LAYER.warn([parsed(value)], {})]
    assert [message in text for text in found] == ([True] if message else []), found


def against(value, **service):
    declared = {item.address: item for item in LAYER.resources(parsed(value), ENVIRONMENT)}
    given = {name: value for name, value in {**SERVICE, **service}.items() if value is not None}
    services = parsed({"services": [given]}, Ecs())
    declared |= {item.address: item for item in Ecs().resources(services, ENVIRONMENT)}
    Ecs().connect(declared)
    return declared, [str(problem) for problem in LAYER.check([], declared)]


def test_a_service_that_fits_its_target_is_no_problem():
    assert against(options())[1] == []


@pytest.mark.parametrize(
    ("service", "message"),
    [
        ({"desired_count": 5}, "the desired_count 5 of the service main/web is not between min_capacity (1) and"),
        ({"desired_count": 0}, "the desired_count 0 of the service main/web is not between"),
        ({"desired_count": None, "scheduling_strategy": "DAEMON"}, "DAEMON, which cannot be scaled"),
    ],
)
def test_what_does_not_fit_the_service_is_refused(service, message):
    _declared, problems = against(options(), **service)
    assert len(problems) == 1 and message in problems[0], problems


def test_a_target_group_of_another_service_is_refused():
    value = options(scaling_policies=[{"name": "p", "target_tracking": {**REQUESTS, "target_group": "other"}}])
    balancer = {"target_group": "web", "container_name": "web", "container_port": 80}
    _declared, problems = against(value, load_balancers=[balancer])
    assert problems == [
        f"{TARGET}: scaling_policies[p].target_tracking.target_group: 'other' is none of the service's target "
        "groups: web"
    ]


def test_references_say_where_they_come_from():
    target = made(options(scaling_policies=[{"name": "requests", "target_tracking": REQUESTS}]))
    wheres = {ref.where for ref in target.references() if isinstance(ref, Ref)}
    assert f"{TARGET}.scaling_policies[requests].target_tracking.load_balancer" in wheres
    assert f"{TARGET}.service" in wheres
