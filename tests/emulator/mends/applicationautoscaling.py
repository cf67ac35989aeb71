# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Mends of Application Auto Scaling."""

from __future__ import annotations

import json
from typing import Any

from moto.applicationautoscaling.exceptions import AWSValidationException
from moto.applicationautoscaling.models import (
    ApplicationAutoscalingBackend,
    FakeApplicationAutoscalingPolicy,
    FakeScalableTarget,
)
from moto.applicationautoscaling.responses import ApplicationAutoScalingResponse
from moto.cloudwatch.models import cloudwatch_backends
from moto.core.exceptions import JsonRESTError
from moto.ecs.models import ecs_backends
from moto.elbv2.models import elbv2_backends

from emulator.patching import replace


def target_of(self: Any) -> FakeScalableTarget:
    """The scalable target whose ARN the request names."""
    arn = self._get_param("ResourceARN")
    for dimensions in self.applicationautoscaling_backend.targets.values():
        for target in dimensions.values():
            if target.arn == arn:
                found: FakeScalableTarget = target
                return found
    raise JsonRESTError("ResourceNotFoundException", f"The specified resource doesn't exist: {arn}")


def tags_of(target: Any) -> dict[str, str]:
    """The tags kept on a target."""
    if not hasattr(target, "tags"):
        target.tags = {}
    tags: dict[str, str] = target.tags
    return tags


@replace(ApplicationAutoScalingResponse, "list_tags_for_resource")
def list_tags_for_resource(_original: Any, self: Any) -> str:
    """moto answered 500."""
    return json.dumps({"Tags": tags_of(target_of(self))})


@replace(ApplicationAutoScalingResponse, "tag_resource")
def tag_resource(_original: Any, self: Any) -> str:
    """moto answered 500."""
    tags_of(target_of(self)).update(self._get_param("Tags") or {})
    return json.dumps({})


@replace(ApplicationAutoScalingResponse, "untag_resource")
def untag_resource(_original: Any, self: Any) -> str:
    """moto answered 500."""
    for key in self._get_param("TagKeys") or []:
        tags_of(target_of(self)).pop(key, None)
    return json.dumps({})


@replace(ApplicationAutoScalingResponse, "register_scalable_target")
def register_scalable_target(original: Any, self: Any) -> str:
    """Tags given with the registration are kept: moto dropped them."""
    answer: str = original(self)
    tags = self._get_param("Tags")
    if tags:
        for dimensions in self.applicationautoscaling_backend.targets.values():
            for target in dimensions.values():
                if target.arn == json.loads(answer)["ScalableTargetARN"]:
                    tags_of(target).update(tags)
    return answer


@replace(ApplicationAutoscalingBackend, "_ecs_service_exists_for_target")
def ecs_service_exists(_original: Any, self: Any, r_id: str) -> bool:
    """Only an ACTIVE service can be registered."""
    _kind, cluster, name = r_id.split("/")
    service = ecs_backends[self.account_id][self.region_name].services.get(f"{cluster}:{name}")
    return service is not None and service.status == "ACTIVE"


POLICIES_PER_PAGE = 10
NOT_SUSPENDED = {
    "DynamicScalingInSuspended": False,
    "DynamicScalingOutSuspended": False,
    "ScheduledScalingSuspended": False,
}


def needs_target(self: Any, r_id: str, dimension: str) -> None:
    """AWS answers so to every call about a target that is not registered."""
    if not self._scalable_target_exists(r_id, dimension):
        message = f"No scalable target registered for service namespace: ecs, resource ID: {r_id}"
        raise JsonRESTError("ObjectNotFoundException", f"{message}, scalable dimension: {dimension}")


@replace(ApplicationAutoscalingBackend, "register_scalable_target")
def register(original: Any, self: Any, namespace: str, r_id: str, dimension: str, *values: Any, **named: Any) -> Any:
    """moto took a minimum above the maximum, a new target without them, and had no state where nothing is suspended."""
    given = dict(zip(("min_capacity", "max_capacity", "role_arn", "suspended_state"), values, strict=False)) | named
    there = self.targets.get(dimension, {}).get(r_id)
    least, most = (
        getattr(there, name, None) if given.get(name) is None else given[name]
        for name in ("min_capacity", "max_capacity")
    )
    if least is None or most is None:
        raise AWSValidationException("MinCapacity and MaxCapacity are required for a new scalable target")
    if least > most:
        raise AWSValidationException("Maximum capacity cannot be less than minimum capacity")
    target = original(self, namespace, r_id, dimension, **given)
    target.suspended_state = {**NOT_SUSPENDED, **(target.suspended_state or {})}
    return target


@replace(ApplicationAutoscalingBackend, "deregister_scalable_target")
def deregister(original: Any, self: Any, namespace: str, r_id: str, dimension: str) -> None:
    """The policies and scheduled actions go with their target: moto left them behind."""
    needs_target(self, r_id, dimension)
    for policy in [item for item in self.policies.values() if item.resource_id == r_id]:
        self.delete_scaling_policy(policy.policy_name, namespace, r_id, dimension)
    self.scheduled_actions = [item for item in self.scheduled_actions if item.resource_id != r_id]
    original(self, namespace, r_id, dimension)


@replace(ApplicationAutoscalingBackend, "put_scaling_policy")
def put_scaling_policy(
    original: Any,
    self: Any,
    policy_name: str,
    service_namespace: str,
    resource_id: str,
    scalable_dimension: str,
    policy_body: dict[str, Any],
    policy_type: str | None,
) -> Any:
    """A policy keeps its ARN and its type; a request count needs a target group behind the load balancer."""
    needs_target(self, resource_id, scalable_dimension)
    key = (service_namespace, resource_id, scalable_dimension, policy_name)
    old = self.policies.get(FakeApplicationAutoscalingPolicy.formulate_key(*key))
    if old is not None and policy_type not in (None, old.policy_type):
        raise AWSValidationException("The policy type of an existing scaling policy cannot be changed")
    check_label(self, (policy_body or {}).get("PredefinedMetricSpecification") or {})
    if old is not None:
        old.delete_alarms(self.account_id, self.region_name)
    policy = original(self, policy_name, *key[:3], policy_body, policy_type)
    if old is not None:
        policy.policy_arn = old.policy_arn
    return policy


def check_label(self: Any, metric: dict[str, Any]) -> None:
    """AWS: app/<name>/<id>/targetgroup/<name>/<id>, and the load balancer sends requests to the target group."""
    if metric.get("PredefinedMetricType") != "ALBRequestCountPerTarget":
        return
    balancer_name, found, group_name = str(metric.get("ResourceLabel")).partition("/targetgroup/")
    backend = elbv2_backends[self.account_id][self.region_name]
    balancer = next((arn for arn in backend.load_balancers if arn.endswith(f":loadbalancer/{balancer_name}")), None)
    group = next(
        (item for arn, item in backend.target_groups.items() if arn.endswith(f":targetgroup/{group_name}")), None
    )
    if not found or balancer is None or group is None:
        raise AWSValidationException(f"Invalid resource label: {metric.get('ResourceLabel')}")
    if balancer not in group.load_balancer_arns:
        raise AWSValidationException(f"The load balancer does not route traffic to the target group: {group_name}")


@replace(ApplicationAutoscalingBackend, "delete_scaling_policy")
def delete_scaling_policy(
    original: Any, self: Any, policy_name: str, service_namespace: str, resource_id: str, scalable_dimension: str
) -> None:
    """moto answered with a validation error where there is none."""
    key = (service_namespace, resource_id, scalable_dimension, policy_name)
    if FakeApplicationAutoscalingPolicy.formulate_key(*key) not in self.policies:
        raise JsonRESTError("ObjectNotFoundException", f"No scaling policy found: {policy_name}")
    original(self, policy_name, *key[:3])


@replace(ApplicationAutoscalingBackend, "describe_scaling_policies")
def describe_scaling_policies(original: Any, self: Any, *values: Any, **named: Any) -> Any:
    """AWS gives ten in a page, and for step scaling the alarms that set it off."""
    if not values:
        named["max_results"] = min(named.get("max_results") or POLICIES_PER_PAGE, POLICIES_PER_PAGE)
    token, policies = original(self, *values, **named)
    alarms = cloudwatch_backends[self.account_id][self.region_name].alarms.values()
    for policy in policies:
        if policy.policy_type == "StepScaling":
            policy.alarms = [alarm for alarm in alarms if policy.policy_arn in (alarm.alarm_actions or [])]
    return token, policies


@replace(ApplicationAutoscalingBackend, "put_scheduled_action")
def put_scheduled_action(original: Any, self: Any, **named: Any) -> None:
    """Only a registered target has scheduled actions."""
    needs_target(self, named["resource_id"], named["scalable_dimension"])
    original(self, **named)


@replace(FakeApplicationAutoscalingPolicy, "delete_alarms")
def delete_alarms(original: Any, self: Any, account_id: str, region_name: str) -> None:
    """AWS deletes the alarms that it made itself, not those of step scaling."""
    if self.policy_type != "StepScaling":
        original(self, account_id, region_name)
