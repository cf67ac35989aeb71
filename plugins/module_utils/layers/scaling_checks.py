# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong with declarations of scalable targets, found without AWS."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any
from zoneinfo import available_timezones

from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.model import Address, Ref, Resource, Text

Complaints = Iterator[tuple[str, str]]

BY_REQUESTS = "ALBRequestCountPerTarget"
# Colons, slashes and pipes AWS refuses itself; brackets stand around names in plans.
ACTION_NAME = re.compile(r"[^\x00-\x1f\x7f-\x9f:/|\[\]]{1,256}")
POLICY_NAME = re.compile(r"[^\x00-\x1f\x7f-\x9f\[\]]{1,256}")
AT = re.compile(r"at\((\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\)")
RATE = re.compile(r"rate\((\d+) (minutes?|hours?|days?)\)")
CRON = re.compile(r"cron\((.*)\)")
CRON_FIELDS = ("minutes", "hours", "day-of-month", "month", "day-of-week", "year")
SHORT_PERIODS = (10, 20, 30)


def target_path(target: Mapping[str, Any]) -> str:
    return f"autoscaling.scalable_targets[{target['service']}]"


def policy_path(target: Mapping[str, Any], policy: Mapping[str, Any]) -> str:
    return f"{target_path(target)}.scaling_policies[{policy['name']}]"


def complaints(target: Mapping[str, Any]) -> Complaints:
    """Each with the path below the target."""
    yield from _capacities("", target["min_capacity"], target["max_capacity"])
    for option in ("scaling_policies", "scheduled_actions"):
        for name, count in Counter(item["name"] for item in target[option]).items():
            if count > 1:
                yield f"{option}[{name}]", f"is there {count} times"
    for name, count in Counter(alarms(target)).items():
        if count > 1:
            yield "scaling_policies", f"the alarm {name!r} is there {count} times; an alarm sets off one policy"
    for policy in target["scaling_policies"]:
        yield from _below(f"scaling_policies[{policy['name']}]", _policy(policy))
    for action in target["scheduled_actions"]:
        yield from _below(f"scheduled_actions[{action['name']}]", _action(action))


def alarms(target: Mapping[str, Any]) -> list[str]:
    """The names of its alarms; an account has each name once."""
    return [alarm["name"] for policy in target["scaling_policies"] for alarm in _alarms(policy)]


def warnings(target: Mapping[str, Any]) -> Complaints:
    """What is allowed and has no effect, or another than one would expect."""
    if target["min_capacity"] == target["max_capacity"] and not target["scheduled_actions"]:
        yield "max_capacity", "equals min_capacity, so that nothing is ever scaled"
    if not target["scaling_policies"] and not target["scheduled_actions"]:
        yield "", "has neither scaling policies nor scheduled actions, so that nothing is ever scaled"
    for policy in target["scaling_policies"]:
        if policy["step_scaling"] and not policy["step_scaling"]["alarms"]:
            yield f"scaling_policies[{policy['name']}]", "has no alarms, so that nothing sets it off"
    metrics = Counter(
        policy["target_tracking"]["predefined_metric_type"]
        for policy in target["scaling_policies"]
        if policy["target_tracking"] and policy["target_tracking"]["predefined_metric_type"]
    )
    for name, count in metrics.items():
        if count > 1:
            yield "scaling_policies", f"{count} policies track {name}; AWS takes the one that asks for more tasks"


def against_declared(target: Resource, declared: Mapping[Address, Resource]) -> Iterator[str]:
    """What does not fit the service, where that is declared too."""
    service = declared.get(Address("ecs_service", target.name))
    if service is None:
        return
    if service.properties.get("schedulingStrategy") == "DAEMON":
        yield f"the service {target.name} has the scheduling strategy DAEMON, which cannot be scaled"
        return
    least, most = target.properties["MinCapacity"], target.properties["MaxCapacity"]
    desired = service.properties.get("desiredCount")
    if desired is not None and not least <= desired <= most:
        yield (
            f"the desired_count {desired} of the service {target.name} is not between min_capacity ({least}) and "
            f"max_capacity ({most}); the autoscaler would change it at once"
        )
    groups = {ref.name for item in service.properties.get("loadBalancers") or () for ref in _groups(item)}
    for name, policy in target.properties["ScalingPolicies"].items():
        label = policy.get("PredefinedMetricSpecification", {}).get("ResourceLabel")
        if isinstance(label, Text) and groups and label.references[1].name not in groups:
            yield (
                f"scaling_policies[{name}].target_tracking.target_group: {label.references[1].name!r} is none of the "
                f"service's target groups: {', '.join(sorted(groups))}"
            )


def _groups(item: Mapping[str, Any]) -> list[Ref]:
    values = (item.get("targetGroupArn"), (item.get("advancedConfiguration") or {}).get("alternateTargetGroupArn"))
    return [value for value in values if isinstance(value, Ref)]


def _below(path: str, found: Complaints) -> Complaints:
    for where, message in found:
        yield f"{path}.{where}" if where else path, message


def _capacities(path: str, least: int | None, most: int | None) -> Complaints:
    for name, value in (("min_capacity", least), ("max_capacity", most)):
        if value is not None and value < 0:
            yield f"{path}{name}", f"must be at least 0, got {value}"
    if least is not None and most is not None and most < least:
        yield f"{path}max_capacity", f"must be at least min_capacity ({least}), got {most}"


def _alarms(policy: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    return policy["step_scaling"]["alarms"] if policy["step_scaling"] else ()


def _policy(policy: Mapping[str, Any]) -> Complaints:
    if not POLICY_NAME.fullmatch(policy["name"]):
        yield "name", f"must have 1 to 256 characters and no brackets, got {policy['name']!r}"
    if bool(policy["target_tracking"]) == bool(policy["step_scaling"]):
        yield "", "needs either target_tracking or step_scaling"
    elif policy["target_tracking"]:
        yield from _below("target_tracking", _tracking(policy["target_tracking"]))
    else:
        yield from _below("step_scaling", _steps(policy["step_scaling"]))


def _tracking(tracking: Mapping[str, Any]) -> Complaints:
    kind, custom = tracking["predefined_metric_type"], tracking["customized_metric_specification"]
    if tracking["target_value"] <= 0:
        yield "target_value", f"must be above 0, got {tracking['target_value']:g}"
    elif tracking["target_value"] > 100 and kind and kind != BY_REQUESTS:
        yield "target_value", f"is percent, at most 100, got {tracking['target_value']:g}"
    for name in ("scale_in_cooldown", "scale_out_cooldown"):
        if tracking[name] is not None and tracking[name] < 0:
            yield name, f"must be at least 0, got {tracking[name]}"
    if bool(kind) == bool(custom):
        yield "", "needs either predefined_metric_type or customized_metric_specification"
    for name in ("load_balancer", "target_group"):
        if kind == BY_REQUESTS and not tracking[name]:
            yield name, f"is required with predefined_metric_type {BY_REQUESTS}"
        elif kind != BY_REQUESTS and tracking[name]:
            yield name, f"is for predefined_metric_type {BY_REQUESTS} only, got {kind or 'a metric of your own'}"
    if custom:
        yield from _below("customized_metric_specification", _custom(custom))


def _custom(metric: Mapping[str, Any]) -> Complaints:
    single = ("metric_name", "namespace", "statistic")
    if metric["metrics"]:
        given = [name for name in (*single, "dimensions", "unit") if metric[name]]
        if given:
            yield "metrics", f"stands alone, without {', '.join(given)}"
        returned = [item for item in metric["metrics"] if item.get("ReturnData", True)]
        if len(returned) != 1:
            yield "metrics", f"one query returns the metric (ReturnData: true), the others do not; got {len(returned)}"
        return
    for name in single:
        if not metric[name]:
            yield name, "is required, unless metrics is given"


def _steps(steps: Mapping[str, Any]) -> Complaints:
    if steps["cooldown"] is not None and steps["cooldown"] < 0:
        yield "cooldown", f"must be at least 0, got {steps['cooldown']}"
    if steps["min_adjustment_magnitude"] is not None and steps["adjustment_type"] != "PercentChangeInCapacity":
        yield "min_adjustment_magnitude", f"is for PercentChangeInCapacity only, got {steps['adjustment_type']}"
    yield from _intervals(steps["step_adjustments"])
    for alarm in steps["alarms"]:
        yield from _below(f"alarms[{alarm['name']}]", _alarm(alarm))


def _intervals(adjustments: Sequence[Mapping[str, Any]]) -> Complaints:
    """AWS wants them to touch each other."""
    path = "step_adjustments"
    if not adjustments:
        yield path, "needs at least one step"
    low, high = float("-inf"), float("inf")
    spans = []
    for item in adjustments:
        lower, upper = item["metric_interval_lower_bound"], item["metric_interval_upper_bound"]
        spans.append((low if lower is None else lower, high if upper is None else upper))
    for start, end in spans:
        if start >= end:
            yield path, f"the step from {start:g} to {end:g} is empty: the upper bound must be above the lower one"
    for (_start, end), (start, _end) in pairwise(sorted(spans)):
        if end != start:
            word = "overlap" if end > start else "leave a gap"
            yield path, f"the steps that end at {end:g} and begin at {start:g} {word}"


def _alarm(alarm: Mapping[str, Any]) -> Complaints:
    if not POLICY_NAME.fullmatch(alarm["name"]):
        yield "name", f"must have 1 to 256 characters and no brackets, got {alarm['name']!r}"
    if alarm["statistic"] and alarm["extended_statistic"]:
        yield "extended_statistic", "is given instead of statistic, not with it"
    period = alarm["period"]
    if period not in SHORT_PERIODS and (period < 60 or period % 60):
        yield "period", f"must be 10, 20, 30 or a multiple of 60 seconds, got {period}"
    if alarm["evaluation_periods"] < 1:
        yield "evaluation_periods", f"must be at least 1, got {alarm['evaluation_periods']}"
    points = alarm["datapoints_to_alarm"]
    if points is not None and not 1 <= points <= alarm["evaluation_periods"]:
        yield "datapoints_to_alarm", f"must be between 1 and evaluation_periods, got {points}"


def _action(action: Mapping[str, Any]) -> Complaints:
    if not ACTION_NAME.fullmatch(action["name"]) or action["name"] != action["name"].strip(" "):
        yield "name", f"must have 1 to 256 characters, none of : / | [ ], no space at its ends, got {action['name']!r}"
    if action["min_capacity"] is None and action["max_capacity"] is None:
        yield "", "needs min_capacity or max_capacity"
    yield from _capacities("", action["min_capacity"], action["max_capacity"])
    if message := _bad_schedule(action["schedule"]):
        yield "schedule", message
    zones = available_timezones()
    if zones and action["timezone"] not in zones:
        yield "timezone", f"{action['timezone']!r} is no time zone; write it like Europe/Berlin"
    times = {name: _time(action[name]) for name in ("start_time", "end_time") if action[name]}
    for name, value in times.items():
        if value is None:
            yield name, f"{action[name]!r} is no time; write it like 2030-01-31T08:00:00Z"
    start, end = times.get("start_time"), times.get("end_time")
    if start and end and start >= end:
        yield "end_time", f"must be after start_time ({action['start_time']}), got {action['end_time']}"


def _time(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _bad_schedule(schedule: str) -> str:
    """What is wrong with it, or nothing."""
    if at := AT.fullmatch(schedule):
        return "" if _time(at[1]) else f"{at[1]} is no time"
    if rate := RATE.fullmatch(schedule):
        one = rate[1] == "1"
        if int(rate[1]) < 1 or one == rate[2].endswith("s"):
            return f"{schedule} is no rate; write rate(1 hour) or rate(2 hours)"
        return ""
    if cron := CRON.fullmatch(schedule):
        fields = cron[1].split()
        if len(fields) != len(CRON_FIELDS):
            return f"{schedule} has {len(fields)} fields, needs {len(CRON_FIELDS)}: {' '.join(CRON_FIELDS)}"
        if (fields[2] == "?") == (fields[4] == "?"):
            return f"{schedule}: exactly one of day-of-month and day-of-week is ?"
        return ""
    return f"{schedule!r} must be at(yyyy-mm-ddThh:mm:ss), rate(value unit) or cron({' '.join(CRON_FIELDS)})"
