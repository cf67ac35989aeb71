# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Scalable targets: what is a difference, and what is none."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.model import Difference
from ansible_collections.dockyard.aws.plugins.module_utils.resources.scalable_target import ScalableTarget

KIND = ScalableTarget()
TRACKING = {
    "PolicyType": "TargetTrackingScaling",
    "TargetValue": 50,
    "PredefinedMetricSpecification": {"PredefinedMetricType": "ECSServiceAverageCPUUtilization"},
}
STEP = {"PolicyType": "StepScaling", "AdjustmentType": "ChangeInCapacity", "StepAdjustments": [], "Alarms": {}}
NIGHT = {"Schedule": "rate(1 day)", "MaxCapacity": 2}


def differences(desired, observed, applied=None):
    found = KIND.differences(KIND.canonical(desired), KIND.canonical(observed), applied or {})
    return {item.path: (item.before, item.after) for item in found}


def policies(one, other, applied=None):
    before = {} if applied is None else {"ScalingPolicies": {"p": applied}}
    return differences({"ScalingPolicies": {"p": one}}, {"ScalingPolicies": {"p": other}}, before)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (TRACKING, {**TRACKING, "TargetValue": 50.0}),
        (TRACKING, {**TRACKING, "DisableScaleIn": False}),
        (TRACKING, {**TRACKING, "ScaleInCooldown": 0, "ScaleOutCooldown": 300}),
        (
            {
                **STEP,
                "StepAdjustments": [{"ScalingAdjustment": 1}, {"MetricIntervalLowerBound": 5, "ScalingAdjustment": 2}],
            },
            {
                **STEP,
                "MetricAggregationType": "Average",
                "StepAdjustments": [
                    {"MetricIntervalLowerBound": 5.0, "ScalingAdjustment": 2},
                    {"ScalingAdjustment": 1, "MetricIntervalLowerBound": None},
                ],
            },
        ),
    ],
)
def test_what_is_the_same_in_another_form(one, other):
    assert policies(one, other) == {}


def test_a_cooldown_that_was_declared_goes_back_to_awss_own():
    declared = {**TRACKING, "ScaleInCooldown": 60}
    assert policies(TRACKING, declared) == {}
    assert policies(TRACKING, declared, declared) == {"ScalingPolicies[p].ScaleInCooldown": (60, 300)}


def test_another_type_is_another_policy():
    assert list(policies(STEP, TRACKING)) == ["ScalingPolicies[p]"]


@pytest.mark.parametrize(
    "written",
    ["2030-01-01T01:00:00+01:00", "2030-01-01T00:00:00", datetime(2030, 1, 1, tzinfo=UTC), "2030-01-01"],
)
def test_times_are_one_moment_however_they_are_written(written):
    desired = {"ScheduledActions": {"n": {**NIGHT, "StartTime": "2030-01-01T00:00:00Z"}}}
    observed = {"ScheduledActions": {"n": {**NIGHT, "Timezone": "UTC", "StartTime": written}}}
    assert differences(desired, observed) == {}


@pytest.mark.parametrize(("observed", "expected"), [(2, {}), (3, {"MaxCapacity": (3, 6)}), (6, {})])
def test_what_a_scheduled_action_set_is_no_difference(observed, expected):
    desired = {"MaxCapacity": 6, "ScheduledActions": {"n": NIGHT}}
    assert differences(desired, {"MaxCapacity": observed, "ScheduledActions": {"n": NIGHT}}) == expected


def test_what_a_scheduled_action_set_before_it_was_changed_is_no_difference():
    desired = {"MaxCapacity": 6, "ScheduledActions": {"n": {**NIGHT, "MaxCapacity": 3}}}
    found = differences(desired, {"MaxCapacity": 2, "ScheduledActions": {"n": NIGHT}})
    assert found == {"ScheduledActions[n].MaxCapacity": (2, 3)}


def test_what_a_scheduled_action_set_goes_with_it():
    found = differences(
        {"MaxCapacity": 6, "ScheduledActions": {}}, {"MaxCapacity": 2, "ScheduledActions": {"n": NIGHT}}
    )
    assert found["MaxCapacity"] == (2, 6) and "ScheduledActions[n]" in found


def test_a_capacity_that_is_declared_anew_is_set_although_a_scheduled_action_sets_the_old_one():
    desired = {"MaxCapacity": 6, "ScheduledActions": {"n": NIGHT}}
    observed = {"MaxCapacity": 2, "ScheduledActions": {"n": NIGHT}}
    assert differences(desired, observed, {"MaxCapacity": 2}) == {"MaxCapacity": (2, 6)}
    assert differences(desired, observed, {"MaxCapacity": 6}) == {}


def test_a_new_target_is_shown_part_by_part():
    created = [Difference("ScalingPolicies", None, {"p": TRACKING}), Difference("MinCapacity", None, 1)]
    assert [item.path for item in KIND.shown(created)] == ["ScalingPolicies[p]", "MinCapacity"]
