# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why a deployment failed: stopped tasks, unhealthy targets, the last lines of their logs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.dockyard.aws.plugins.module_utils.aws.calls import chunks, pages
from ansible_collections.dockyard.aws.plugins.module_utils.aws.session import Aws
from ansible_collections.dockyard.aws.plugins.module_utils.deploy import logs
from ansible_collections.dockyard.aws.plugins.module_utils.deploy.verdict import short
from ansible_collections.dockyard.aws.plugins.module_utils.resources.ecs_rollout import primary_of, with_group_names

TASKS_PER_CALL = 100
TASKS_SHOWN = 3
# States of a target that is neither good nor on its way.
BAD = ("unhealthy", "unavailable")


def stopped(aws: Aws, cluster: str, service: str) -> list[dict[str, Any]]:
    """The stopped tasks of a service that ECS still knows, the newest first."""
    ecs = aws.client("ecs")
    found = pages(ecs, "list_tasks", "taskArns", cluster=cluster, serviceName=service, desiredStatus="STOPPED")
    tasks: list[dict[str, Any]] = []
    for some in chunks(found, TASKS_PER_CALL):
        tasks += ecs.describe_tasks(cluster=cluster, tasks=some)["tasks"]
    return sorted(tasks, key=lambda task: str(task.get("stoppedAt") or ""), reverse=True)


def targets(aws: Aws, service: Mapping[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """The targets of a service's target groups, by the groups' ARNs; of both where traffic shifts between two."""
    found: dict[str, list[dict[str, Any]]] = {}
    for balancer in service.get("loadBalancers") or ():
        alternate = (balancer.get("advancedConfiguration") or {}).get("alternateTargetGroupArn")
        for arn in (balancer.get("targetGroupArn"), alternate):
            if arn and arn not in found:
                answer = aws.client("elbv2").describe_target_health(TargetGroupArn=arn)
                found[arn] = list(answer["TargetHealthDescriptions"])
    return found


def bad_targets(found: Mapping[str, Sequence[Mapping[str, Any]]]) -> list[str]:
    """Each unhealthy target with the load balancer's reason."""
    return list(bad(found).values())


def unhealthy_now(aws: Aws, service: Mapping[str, Any]) -> set[str]:
    """The service's targets that are unhealthy; none where that cannot be read."""
    try:
        return set(bad(targets(aws, service)))
    except Exception:  # whoever follows the service asks again, and says it
        return set()


def bad(found: Mapping[str, Sequence[Mapping[str, Any]]]) -> dict[str, str]:
    """The same, by target."""
    result = {}
    for arn, items in found.items():
        for item in items:
            target, health = item["Target"], item["TargetHealth"]
            if health["State"] in BAD:
                name = f"target {target['Id']}:{target.get('Port', '')} of {group_name(arn)}"
                result[name] = f"{name} is {health['State']}: {_health(health)}"
    return result


def _health(health: Mapping[str, Any]) -> str:
    parts = [health.get("Reason"), health.get("Description")]
    return ", ".join(str(part) for part in parts if part) or "no reason given"


def group_name(arn: str) -> str:
    """The name in a target group's ARN."""
    return arn.split(":targetgroup/", 1)[-1].split("/", 1)[0]


def of_tasks(tasks: Sequence[Mapping[str, Any]]) -> list[str]:
    """Why tasks stopped, each reason once with how many they are."""
    counted: dict[str, int] = {}
    for task in tasks:
        text = why(task)
        counted[text] = counted.get(text, 0) + 1
    most = sorted(counted.items(), key=lambda item: -item[1])[:TASKS_SHOWN]
    return [f"{count} tasks: {text}" if count > 1 else f"a task: {text}" for text, count in most]


def why(task: Mapping[str, Any]) -> str:
    """Why one task stopped: its reason, and each container's exit code or reason."""
    code = f" ({task['stopCode']})" if task.get("stopCode") else ""
    parts = [f"{with_group_names(task.get('stoppedReason') or 'stopped without a reason')}{code}"]
    containers = task.get("containers") or ()
    by_itself = task.get("stopCode") == "EssentialContainerExited" and not any(map(_failing, containers))
    for container in containers:
        # A service's container that ends with 0 ends the task all the same.
        if _failing(container) or (by_itself and container.get("exitCode") == 0):
            parts.append(f"container {container['name']} exited with {container['exitCode']}")
        if container.get("reason") and container["reason"] not in parts[0]:
            parts.append(f"container {container['name']}: {container['reason']}")
    return ", ".join(parts)


def _failing(container: Mapping[str, Any]) -> bool:
    return container.get("exitCode") not in (None, 0)


def last_lines(aws: Aws, definition: Mapping[str, Any], tasks: Sequence[Mapping[str, Any]]) -> dict[str, list[str]]:
    """The last lines of the newest failed task, by container; without those that wrote nothing."""
    for task in tasks:
        found = {name: stream.last_lines() for name, stream in logs.streams(aws, definition, task["taskArn"])}
        if any(found.values()):
            return {name: lines for name, lines in found.items() if lines}
    return {}


def running_words(service: Mapping[str, Any] | None) -> str:
    """What a service runs now: its primary deployment, and what is left of others."""
    if service is None:
        return "the service is gone"
    now = primary_of(service) or service
    left = int(service["runningCount"]) - int(now["runningCount"])
    ending = f", and {left} of another revision still stopping" if left > 0 else ""
    return f"{short(now['taskDefinition'])} runs with {now['runningCount']} of {service['desiredCount']} tasks{ending}"
