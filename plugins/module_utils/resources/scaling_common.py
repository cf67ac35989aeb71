# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Application Auto Scaling: what its calls have in common, and which ECS services it scales."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.dockyard.aws.plugins.module_utils.aws.calls import chunks, pages
from ansible_collections.dockyard.aws.plugins.module_utils.aws.session import Aws

NAMESPACE = "ecs"
DIMENSION = "ecs:service:DesiredCount"
TARGETS_PER_CALL = 50
# From so many targets on, one listing of all that the account has is cheaper than asking for each.
LIST_ALL_FROM = 20
GONE = "ObjectNotFoundException"
SUSPENDED = ("DynamicScalingInSuspended", "DynamicScalingOutSuspended", "ScheduledScalingSuspended")


def resource_id(name: str) -> str:
    """The id of a service `<cluster>/<service>` in Application Auto Scaling."""
    return f"service/{name}"


def arguments(name: str) -> dict[str, str]:
    """What every call about one target says."""
    return {"ServiceNamespace": NAMESPACE, "ResourceId": resource_id(name), "ScalableDimension": DIMENSION}


def targets(aws: Aws, names: Sequence[str]) -> dict[str, dict[str, Any]]:
    """The scalable targets of these services, by the services' names."""
    client = aws.client("application-autoscaling")
    found: list[dict[str, Any]] = []
    for some in chunks(sorted({resource_id(name) for name in names}), TARGETS_PER_CALL):
        found += pages(
            client,
            "describe_scalable_targets",
            "ScalableTargets",
            ServiceNamespace=NAMESPACE,
            ScalableDimension=DIMENSION,
            ResourceIds=some,
        )
    return {_name(item): item for item in found}


def of_targets(aws: Aws, names: Sequence[str], operation: str, key: str) -> dict[str, list[dict[str, Any]]]:
    """The policies or scheduled actions of targets, by the services' names. AWS takes one target in a call, or none."""
    client = aws.client("application-autoscaling")
    if len(names) >= LIST_ALL_FROM:
        found = pages(client, operation, key, ServiceNamespace=NAMESPACE)
    else:
        found = [item for name in names for item in pages(client, operation, key, **arguments(name))]
    return {name: [item for item in found if _name(item) == name] for name in names}


def scaled(aws: Aws, names: Sequence[str]) -> list[str]:
    """Those of the services that have a scalable target, also where it is suspended: that stops, and resumes."""
    return list(targets(aws, names))


def suspended_state(target: Mapping[str, Any]) -> dict[str, bool]:
    state = target.get("SuspendedState") or {}
    return {name: bool(state.get(name)) for name in SUSPENDED}


def _name(item: Mapping[str, Any]) -> str:
    return str(item["ResourceId"]).removeprefix("service/")
