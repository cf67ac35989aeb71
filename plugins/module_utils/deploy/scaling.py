# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module scale: another desired count for a service, now."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ansible_collections.dockyard.aws.plugins.module_utils.aws.session import Aws
from ansible_collections.dockyard.aws.plugins.module_utils.deploy import services
from ansible_collections.dockyard.aws.plugins.module_utils.deploy.services import Service
from ansible_collections.dockyard.aws.plugins.module_utils.layers import run as running
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.errors import ReconcileError
from ansible_collections.dockyard.aws.plugins.module_utils.resources import ecs_rollout

ARGUMENT_SPEC: dict[str, Any] = {
    **services.ARGUMENT_SPEC,
    "desired_count": {"type": "int", "required": True},
    "wait": {"type": "bool", "default": True},
    "timeout": {"type": "int"},
}


def run(params: Mapping[str, Any], check_mode: bool, progress: Callable[[str], None]) -> dict[str, Any]:
    """Set it and wait until as many tasks run."""
    count = params["desired_count"]
    if count < 0:
        raise ReconcileError(f"desired_count: got {count}, it is a number of tasks, 0 or more")
    services.check_seconds(params, "timeout")
    full = {**params, "state": "present", "strict": False}
    sessions, _environment = running.connect(full, progress)
    declared = running.parsed(full)[services.LAYER]
    service = services.one(services.of(declared, params.get("service")), "scale", "scale_service")
    aws = sessions.aws(services.LAYER)
    with services.explained(aws, f"look at {service.name}"):
        live = ecs_rollout.described(aws, service.name)
    if live is None or live["status"] != "ACTIVE":
        raise ReconcileError(f"the ECS service {service.name} does not exist: site.yml makes it")
    notes = _check(aws, service, count)
    result: dict[str, Any] = {
        "changed": live["desiredCount"] != count,
        "service": service.name,
        "before": live["desiredCount"],
        "after": count,
        "notes": notes,
    }
    if result["changed"] and not check_mode:
        _scale(aws, service, count, params)
    return result


def _check(aws: Aws, service: Service, count: int) -> list[str]:
    """Refuse what somebody else would undo at once; say what somebody will undo later."""
    options = service.options
    if options["scheduling_strategy"] == "DAEMON":
        raise ReconcileError(f"{service.name} runs one task on each container instance (DAEMON): it is not scaled")
    target = _scalable_target(aws, service)
    if target is not None:
        low, high = target["MinCapacity"], target["MaxCapacity"]
        if not low <= count <= high:
            raise ReconcileError(
                f"desired_count: got {count}, and the autoscaler keeps {service.name} between {low} and {high} tasks: "
                "change min_capacity and max_capacity in the inventory"
            )
        return [f"{service.name} is autoscaled between {low} and {high} tasks: the autoscaler goes on from {count}"]
    declared = options["desired_count"]
    if options["desired_count_owner"] == "declaration" and declared != count:
        return [f"the inventory declares desired_count {declared}: the next run of site.yml sets it back"]
    return []


def _scalable_target(aws: Aws, service: Service) -> dict[str, Any] | None:
    resource = f"service/{service.cluster}/{service.short_name}"
    call = aws.client("application-autoscaling").describe_scalable_targets
    try:
        found: list[dict[str, Any]] = call(ServiceNamespace="ecs", ResourceIds=[resource])["ScalableTargets"]
    except Exception as error:
        raise aws.explained(error, f"find out whether {service.name} is autoscaled") from error
    return found[0] if found else None


def _scale(aws: Aws, service: Service, count: int, params: Mapping[str, Any]) -> None:
    call = aws.client("ecs").update_service
    try:
        answer = call(cluster=service.cluster, service=service.short_name, desiredCount=count)["service"]
        if params["wait"]:
            timeout = float(params.get("timeout") or service.options["wait_timeout"])
            ecs_rollout.wait_until_steady(aws, service.name, answer, timeout)
    except Exception as error:
        raise aws.explained(error, f"scale {service.name} to {count}") from error
