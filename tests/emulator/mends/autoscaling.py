# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Mends of EC2 Auto Scaling."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import Any

from moto.autoscaling.exceptions import AutoscalingClientError, ValidationError
from moto.autoscaling.models import AutoScalingBackend, FakeAutoScalingGroup
from moto.autoscaling.responses import AutoScalingResponse
from moto.core.responses import ActionResult, EmptyResult

from emulator.mends.ec2_templates import apply_template
from emulator.patching import replace

# Attribute of moto's group, by the parameter that CreateAutoScalingGroup and UpdateAutoScalingGroup take.
KEPT = {
    "DefaultCooldown": "default_cooldown",
    "TerminationPolicies": "termination_policies",
    "CapacityRebalance": "capacity_rebalance",
    "PlacementGroup": "placement_group",
    "MaxInstanceLifetime": "max_instance_lifetime",
    "DefaultInstanceWarmup": "default_instance_warmup",
    "DesiredCapacityType": "desired_capacity_type",
    "Context": "context",
    "InstanceMaintenancePolicy": "instance_maintenance_policy",
    "AvailabilityZoneDistribution": "availability_zone_distribution",
    "ServiceLinkedRoleARN": "service_linked_role_arn",
}
METRICS = (
    "GroupMinSize",
    "GroupMaxSize",
    "GroupDesiredCapacity",
    "GroupInServiceInstances",
    "GroupPendingInstances",
    "GroupStandbyInstances",
    "GroupTerminatingInstances",
    "GroupTotalInstances",
    "GroupInServiceCapacity",
    "GroupPendingCapacity",
    "GroupStandbyCapacity",
    "GroupTerminatingCapacity",
    "GroupTotalCapacity",
    "WarmPoolDesiredCapacity",
    "WarmPoolWarmedCapacity",
    "WarmPoolPendingCapacity",
    "WarmPoolTerminatingCapacity",
    "WarmPoolTotalCapacity",
    "GroupAndWarmPoolDesiredCapacity",
    "GroupAndWarmPoolTotalCapacity",
)


def group_of(self: Any) -> Any:
    """The group that the request names."""
    name = self._get_param("AutoScalingGroupName")
    group = self.autoscaling_backend.autoscaling_groups.get(name)
    if group is None:
        raise ValidationError(f"AutoScalingGroup name not found - AutoScalingGroup '{name}' not found")
    return group


def keep(self: Any, group: Any) -> None:
    """Store what moto drops; -1 for the warm-up and 0 for the lifetime take the value away."""
    params = self._get_params()
    for parameter, attribute in KEPT.items():
        if params.get(parameter) is not None:
            setattr(group, attribute, params[parameter])
    if getattr(group, "default_instance_warmup", None) == -1:
        group.default_instance_warmup = None
    if getattr(group, "max_instance_lifetime", None) == 0:
        group.max_instance_lifetime = None
    if params.get("HealthCheckGracePeriod") is not None:
        group.health_check_grace_period = params["HealthCheckGracePeriod"]


def check_sizes(low: Any, high: Any, desired: Any) -> None:
    """The desired capacity lies between the sizes."""
    if low is not None and high is not None and low > high:
        raise ValidationError("Max bound must be greater than or equal to min bound")
    if desired is not None and low is not None and high is not None and not low <= desired <= high:
        raise ValidationError(
            f"Desired capacity:{desired} must be between the specified min size:{low} and max size:{high}"
        )


@replace(AutoScalingResponse, "create_auto_scaling_group")
def create_auto_scaling_group(original: Any, self: Any) -> Any:
    """AWS refuses a name that is taken and sizes that do not fit, and keeps every field.

    moto overwrote the group, and dropped the fields of KEPT that it does not know.
    """
    name, params = self._get_param("AutoScalingGroupName"), self._get_params()
    if name in self.autoscaling_backend.autoscaling_groups:
        raise AutoscalingClientError(
            "AlreadyExists", "AutoScalingGroup by this name already exists - A group with the name already exists"
        )
    check_sizes(params.get("MinSize"), params.get("MaxSize"), params.get("DesiredCapacity"))
    check_target_groups(self.autoscaling_backend, params.get("TargetGroupARNs") or [])
    result = original(self)
    group = self.autoscaling_backend.autoscaling_groups[name]
    if params.get("HealthCheckGracePeriod") is None:
        group.health_check_grace_period = 0
    keep(self, group)
    return result


def check_target_groups(backend: Any, arns: list[str]) -> None:
    """Target groups must exist."""
    for arn in arns:
        if arn not in backend.elbv2_backend.target_groups:
            raise ValidationError("Provided Target Groups may not be valid. Please ensure they exist and try again.")


@replace(AutoScalingResponse, "update_auto_scaling_group")
def update_auto_scaling_group(original: Any, self: Any) -> Any:
    """AWS updates every field. moto left many alone, and lost the mixed instances policy with each update."""
    group, params = group_of(self), self._get_params()
    low = params.get("MinSize") if params.get("MinSize") is not None else group.min_size
    high = params.get("MaxSize") if params.get("MaxSize") is not None else group.max_size
    check_sizes(low, high, params.get("DesiredCapacity"))
    mixed = group.mixed_instances_policy
    result = original(self)
    if params.get("MixedInstancesPolicy") is None and not params.get("LaunchTemplate"):
        group.mixed_instances_policy = mixed
    keep(self, group)
    if params.get("DesiredCapacity") is None and not low <= group.desired_capacity <= high:
        group.set_desired_capacity(max(low, min(high, group.desired_capacity)))
    return result


@replace(AutoScalingResponse, "set_desired_capacity")
def set_desired_capacity(original: Any, self: Any) -> Any:
    """The desired capacity lies between the sizes: moto took any."""
    group, desired = group_of(self), self._get_int_param("DesiredCapacity")
    if desired > group.max_size:
        raise ValidationError(
            f"New SetDesiredCapacity value {desired} is above max value {group.max_size} for the AutoScalingGroup."
        )
    if desired < group.min_size:
        raise ValidationError(
            f"New SetDesiredCapacity value {desired} is below min value {group.min_size} for the AutoScalingGroup."
        )
    return original(self)


@replace(AutoScalingResponse, "delete_auto_scaling_group")
def delete_auto_scaling_group(original: Any, self: Any) -> Any:
    """AWS refuses while there are instances, unless forced; then all go. moto left the protected ones running."""
    group = group_of(self)
    if group.instance_states and not self._get_bool_param("ForceDelete"):
        raise AutoscalingClientError(
            "ResourceInUse",
            "You cannot delete an AutoScalingGroup while there are instances or pending Spot instance request(s) still "
            "in the group.",
        )
    for state in group.instance_states:
        state.protected_from_scale_in = False
    return original(self)


@replace(FakeAutoScalingGroup, "replace_autoscaling_group_instances")
def launch_instances(original: Any, self: Any, count_needed: int, propagated_tags: dict[str, str]) -> None:
    """AWS spreads instances over the subnets. moto put all of them into the first."""
    subnets = (self.vpc_zone_identifier or "").split(",")
    every = self.vpc_zone_identifier
    for _number in range(count_needed):
        used = [state.instance.subnet_id for state in self.instance_states]
        self.vpc_zone_identifier = min(subnets, key=used.count) or None
        try:
            original(self, 1, propagated_tags)
        finally:
            self.vpc_zone_identifier = every
        if self.ec2_launch_template:
            version = self.ec2_launch_template.get_version(self.launch_template_version)
            apply_template(self.instance_states[-1].instance, version.data)


@replace(AutoScalingResponse, "enable_metrics_collection")
def enable_metrics_collection(_original: Any, self: Any) -> Any:
    """Without a list all metrics are enabled: moto answered 500 on the next describe."""
    group, wanted = group_of(self), self._get_param("Metrics")
    group.metrics = sorted({*group.metrics, *(wanted or METRICS)})
    return EmptyResult()


@replace(AutoScalingResponse, "disable_metrics_collection")
def disable_metrics_collection(_original: Any, self: Any) -> Any:
    """moto knew no such call."""
    group, unwanted = group_of(self), self._get_param("Metrics")
    group.metrics = [one for one in group.metrics if unwanted and one not in unwanted]
    return EmptyResult()


def refreshes_of(group: Any) -> list[dict[str, Any]]:
    """The instance refreshes of a group, the newest first."""
    if not hasattr(group, "instance_refreshes"):
        group.instance_refreshes = []
    refreshes: list[dict[str, Any]] = group.instance_refreshes
    return refreshes


def now() -> datetime:
    """The time as moto's serializers want it."""
    return datetime.now(UTC).replace(tzinfo=None)


@replace(AutoScalingResponse, "start_instance_refresh")
def start_instance_refresh(_original: Any, self: Any) -> ActionResult:
    """One at a time. moto knew no such call."""
    group, params = group_of(self), self._get_params()
    if any(one["Status"] in ("Pending", "InProgress") for one in refreshes_of(group)):
        raise AutoscalingClientError(
            "InstanceRefreshInProgress",
            "An Instance Refresh is already in progress and blocks the execution of this one.",
        )
    defaults = {"MinHealthyPercentage": 90, "SkipMatching": False, "AutoRollback": False}
    refresh = {
        "InstanceRefreshId": str(uuid.uuid4()),
        "AutoScalingGroupName": group.name,
        "Status": "Pending",
        "StartTime": now(),
        "PercentageComplete": 0,
        "InstancesToUpdate": len(group.instance_states),
        "Preferences": {**defaults, **(params.get("Preferences") or {})},
        "DesiredConfiguration": params.get("DesiredConfiguration"),
    }
    refreshes_of(group).insert(0, refresh)
    return ActionResult({"InstanceRefreshId": refresh["InstanceRefreshId"]})


@replace(AutoScalingResponse, "describe_instance_refreshes")
def describe_instance_refreshes(_original: Any, self: Any) -> ActionResult:
    """Each call moves a refresh on: Pending, InProgress, Successful, with new instances then."""
    group, wanted = group_of(self), self._get_param("InstanceRefreshIds")
    refreshes = refreshes_of(group)
    for refresh in refreshes:
        if refresh["Status"] == "Pending":
            refresh.update(Status="InProgress", PercentageComplete=50)
        elif refresh["Status"] == "InProgress":
            refresh.update(Status="Successful", PercentageComplete=100, InstancesToUpdate=0, EndTime=now())
            refresh_instances(group, refresh)
    shown = [one for one in refreshes if not wanted or one["InstanceRefreshId"] in wanted]
    return ActionResult({"InstanceRefreshes": [dict(one) for one in shown]})


def refresh_instances(group: Any, refresh: dict[str, Any]) -> None:
    """The refresh takes over its desired configuration and replaces the instances."""
    wanted = refresh["DesiredConfiguration"] or {}
    if wanted:
        group._set_launch_configuration(None, wanted.get("LaunchTemplate"), wanted.get("MixedInstancesPolicy"))
    old = [state.instance.id for state in group.instance_states]
    if old:
        group.instance_states = []
        group.autoscaling_backend.ec2_backend.terminate_instances(old)
        group.set_desired_capacity(group.desired_capacity)


@replace(AutoScalingResponse, "cancel_instance_refresh")
def cancel_instance_refresh(_original: Any, self: Any) -> ActionResult:
    """moto knew no such call."""
    return ActionResult({"InstanceRefreshId": end_refresh(self, "Cancelled")})


@replace(AutoScalingResponse, "rollback_instance_refresh")
def rollback_instance_refresh(_original: Any, self: Any) -> ActionResult:
    """moto knew no such call."""
    return ActionResult({"InstanceRefreshId": end_refresh(self, "RollbackSuccessful")})


def end_refresh(self: Any, status: str) -> str:
    """End the refresh that is going on, or ActiveInstanceRefreshNotFound."""
    for refresh in refreshes_of(group_of(self)):
        if refresh["Status"] in ("Pending", "InProgress"):
            refresh.update(Status=status, EndTime=now())
            return str(refresh["InstanceRefreshId"])
    raise AutoscalingClientError("ActiveInstanceRefreshNotFound", "No in progress or pending Instance Refresh found.")


@replace(AutoScalingBackend, "create_or_update_tags")
def create_or_update_tags(original: Any, self: Any, tags: list[dict[str, str]]) -> None:
    """The group must exist: moto answered 500."""
    for tag in tags:
        if tag["ResourceId"] not in self.autoscaling_groups:
            raise ValidationError(f"AutoScalingGroup name not found - {tag['ResourceId']}")
    original(self, tags)
