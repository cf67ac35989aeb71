# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Scaling policies of a scalable target, with the alarms of step scaling: read, compared, written by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.dockyard.aws.plugins.module_utils.aws import tags
from ansible_collections.dockyard.aws.plugins.module_utils.aws.calls import chunks, pages, unless
from ansible_collections.dockyard.aws.plugins.module_utils.aws.session import Aws
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.model import ENVIRONMENT_TAG, is_unknown
from ansible_collections.dockyard.aws.plugins.module_utils.resources.scaling_common import (
    GONE,
    NAMESPACE,
    arguments,
    resource_id,
)

TARGET_TRACKING, STEP = "TargetTrackingScaling", "StepScaling"
CONFIGURATIONS = {
    TARGET_TRACKING: "TargetTrackingScalingPolicyConfiguration",
    STEP: "StepScalingPolicyConfiguration",
}
# AWS's values of what is not given.
DEFAULTS: dict[str, dict[str, Any]] = {
    TARGET_TRACKING: {"DisableScaleIn": False},
    STEP: {"MetricAggregationType": "Average"},
}
# For ECS services. Where they are not declared, they stay as they are: other tools write 0 for them.
COOLDOWNS = {"ScaleInCooldown": 300, "ScaleOutCooldown": 300, "Cooldown": 300}
ALARM_FIELDS = (
    "MetricName",
    "Namespace",
    "Dimensions",
    "Statistic",
    "ExtendedStatistic",
    "Period",
    "EvaluationPeriods",
    "DatapointsToAlarm",
    "Threshold",
    "ComparisonOperator",
    "TreatMissingData",
    "Unit",
    "ActionsEnabled",
)
ALARMS_PER_CALL = 100
# What an alarm does in each of its states.
ACTIONS = ("AlarmActions", "OKActions", "InsufficientDataActions")
BOUNDS = ("MetricIntervalLowerBound", "MetricIntervalUpperBound")
# Says in a plan that an alarm sets off its policy.
CALLS = "CallsPolicy"


def observed(
    aws: Aws, found: Mapping[str, Sequence[Mapping[str, Any]]], declared: Mapping[str, Mapping[str, Any]]
) -> dict[str, dict[str, dict[str, Any]]]:
    """The policies by target and name, in the form in which they are declared. declared: the same of the wanted."""
    names = {alarm["AlarmName"] for items in found.values() for item in items for alarm in _alarms_of(item)}
    names |= {
        name for policies in declared.values() for policy in policies.values() for name in policy.get("Alarms", ())
    }
    alarms = _describe_alarms(aws, sorted(names))
    return {
        target: {
            item["PolicyName"]: _observed_policy(
                item, alarms, declared.get(target, {}).get(item["PolicyName"], {}).get("Alarms", ())
            )
            for item in items
        }
        for target, items in found.items()
    }


def _alarms_of(policy: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """Those of step scaling: AWS makes and deletes those of target tracking itself."""
    return policy.get("Alarms") or () if policy["PolicyType"] == STEP else ()


def _describe_alarms(aws: Aws, names: Sequence[str]) -> dict[str, dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for some in chunks(names, ALARMS_PER_CALL):
        found += pages(aws.client("cloudwatch"), "describe_alarms", "MetricAlarms", AlarmNames=some)
    return {item["AlarmName"]: item for item in found}


def _observed_policy(
    policy: Mapping[str, Any], alarms: Mapping[str, Mapping[str, Any]], declared: Sequence[str]
) -> dict[str, Any]:
    kind = policy["PolicyType"]
    result = {"PolicyType": kind, **(policy.get(CONFIGURATIONS.get(kind, "")) or {})}
    if kind == STEP:
        own = {item["AlarmName"] for item in _alarms_of(policy)}
        result["Alarms"] = {
            name: _observed_alarm(alarms[name], policy["PolicyARN"])
            for name in sorted({*own, *declared})
            if name in alarms and (name in declared or is_only_for(alarms[name], policy["PolicyARN"]))
        }
    return result


def is_only_for(alarm: Mapping[str, Any], policy_arn: str) -> bool:
    """Whether an alarm does nothing but set off this policy."""
    others = [*alarm.get("OKActions", ()), *alarm.get("InsufficientDataActions", ())]
    return list(alarm.get("AlarmActions", ())) == [policy_arn] and not others


def _observed_alarm(alarm: Mapping[str, Any], policy_arn: str) -> dict[str, Any]:
    fields = {name: alarm[name] for name in ALARM_FIELDS if alarm.get(name) is not None}
    return {**fields, CALLS: policy_arn in alarm.get("AlarmActions", ())}


def canonical(policy: Mapping[str, Any]) -> dict[str, Any]:
    """One form, complete: a policy is written whole."""
    given = {name: value for name, value in policy.items() if value is not None}
    result = {
        **given,
        **{name: value for name, value in DEFAULTS.get(policy["PolicyType"], {}).items() if name not in given},
    }
    if result.get("TargetValue") is not None:
        result["TargetValue"] = _decimal(result["TargetValue"])
    if "CustomizedMetricSpecification" in result:
        result["CustomizedMetricSpecification"] = _metric(result["CustomizedMetricSpecification"])
    if "StepAdjustments" in result:
        steps = [
            {k: (_decimal(v) if k in BOUNDS else int(v)) for k, v in step.items() if v is not None}
            for step in result["StepAdjustments"]
        ]
        result["StepAdjustments"] = sorted(steps, key=lambda step: step.get(BOUNDS[0], float("-inf")))
    if result["PolicyType"] == STEP:
        alarms = result.get("Alarms") or {}
        result["Alarms"] = {name: _canonical_alarm(alarm) for name, alarm in sorted(alarms.items())}
    return result


def _decimal(value: Any) -> Any:
    return value if is_unknown(value) else float(value)


def _metric(value: Mapping[str, Any]) -> dict[str, Any]:
    result = {name: item for name, item in value.items() if item not in (None, [])}
    if "Dimensions" in result:
        result["Dimensions"] = _dimensions(result["Dimensions"])
    if "Metrics" in result:
        result["Metrics"] = sorted((_query(item) for item in result["Metrics"]), key=lambda item: str(item["Id"]))
    return result


def _query(item: Mapping[str, Any]) -> dict[str, Any]:
    result = {"ReturnData": True, **{name: value for name, value in item.items() if value is not None}}
    if "MetricStat" in result:
        metric = {name: value for name, value in result["MetricStat"]["Metric"].items() if value not in (None, [])}
        if "Dimensions" in metric:
            metric["Dimensions"] = _dimensions(metric["Dimensions"])
        stat = {name: value for name, value in result["MetricStat"].items() if value is not None}
        result["MetricStat"] = {**stat, "Metric": metric}
    return result


def _dimensions(items: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return sorted((dict(item) for item in items), key=lambda item: str(item["Name"]))


def _canonical_alarm(alarm: Mapping[str, Any]) -> dict[str, Any]:
    given = {name: value for name, value in alarm.items() if value is not None}
    result = {"TreatMissingData": "missing", "ActionsEnabled": True, CALLS: True, **given}
    if result.get("DatapointsToAlarm") == result.get("EvaluationPeriods"):
        result.pop("DatapointsToAlarm", None)
    result["Threshold"] = _decimal(result["Threshold"])
    result["Dimensions"] = _dimensions(result.get("Dimensions") or ())
    return result


def put(aws: Aws, target: str, name: str, policy: Mapping[str, Any], labels: Mapping[str, str]) -> None:
    """Write a policy whole, and the alarms that set it off."""
    kind, policy = policy["PolicyType"], canonical(policy)
    configuration = {key: value for key, value in policy.items() if key not in ("PolicyType", "Alarms")}
    answer = aws.client("application-autoscaling").put_scaling_policy(
        PolicyName=name, PolicyType=kind, **{CONFIGURATIONS[kind]: configuration}, **arguments(target)
    )
    for alarm_name, alarm in (policy.get("Alarms") or {}).items():
        _put_alarm(aws, alarm_name, alarm, answer["PolicyARN"], labels)


def _put_alarm(aws: Aws, name: str, alarm: Mapping[str, Any], policy_arn: str, labels: Mapping[str, str]) -> None:
    """What else an existing alarm does stays. AWS takes tags with a new one only. It is a part of its target, and so
    has no ownership tag of its own."""
    there = _describe_alarms(aws, [name]).get(name, {})
    # One alarm sets off one policy of a target, so those of the policy it belonged to before are not kept.
    same_target = policy_arn.split(":policyName/", 1)[0].split(":resource/", 1)[-1]
    others = [action for action in there.get("AlarmActions", ()) if f":resource/{same_target}:" not in action]
    kept = {key: there[key] for key in ("OKActions", "InsufficientDataActions", "AlarmDescription") if there.get(key)}
    own = {key: value for key, value in labels.items() if key != ENVIRONMENT_TAG}
    new = {} if there else {"Tags": tags.to_list(own)}
    fields = {key: value for key, value in alarm.items() if key != CALLS}
    aws.client("cloudwatch").put_metric_alarm(
        AlarmName=name, AlarmActions=[policy_arn, *others], **kept, **new, **fields
    )


def delete(aws: Aws, target: str, name: str) -> None:
    unless(GONE, aws.client("application-autoscaling").delete_scaling_policy, PolicyName=name, **arguments(target))


def delete_alarms(aws: Aws, target: str, names: Sequence[str]) -> None:
    """Those that do nothing else, now that the policies are gone. AWS deletes none if one of them is not there."""
    ours = f":resource/{NAMESPACE}/{resource_id(target)}:"

    def does_more(alarm: Mapping[str, Any]) -> bool:
        return any(ours not in action for key in ACTIONS for action in alarm.get(key, ()))

    going = [name for name, alarm in sorted(_describe_alarms(aws, names).items()) if not does_more(alarm)]
    for some in chunks(going, ALARMS_PER_CALL):
        aws.client("cloudwatch").delete_alarms(AlarmNames=some)
