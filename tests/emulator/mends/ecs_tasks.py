# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Mends of ECS tasks and container instances, served from the project's own simulation."""

from __future__ import annotations

import copy
from typing import Any

from moto.core.responses import ActionResult
from moto.ecs.exceptions import EcsClientException, InvalidParameterException
from moto.ecs.models import EC2ContainerServiceBackend
from moto.ecs.responses import EC2ContainerServiceResponse

from emulator import ecs_simulation as simulation
from emulator.ecs_model import Task, refresh, stop_now, sync_instances
from emulator.patching import replace


@replace(EC2ContainerServiceResponse, "run_task")
def run_task(_original: Any, self: Any) -> ActionResult:
    """AWS places what it can and lists the rest as failures.

    moto answered 500 for containers without memory and for awsvpc without security groups, and knew no failures.
    """
    backend, params = self.ecs_backend, copy.deepcopy(dict(self.params))
    cluster = backend._get_cluster(params.get("cluster") or "default")
    sync_instances(backend, cluster)
    definition = backend.describe_task_definition(params["taskDefinition"])
    if params.get("launchType") and params.get("capacityProviderStrategy"):
        raise InvalidParameterException("Specify either a launch type or a capacity provider strategy, not both.")
    if not params.get("launchType") and not params.get("capacityProviderStrategy"):
        params["capacityProviderStrategy"] = cluster.default_capacity_provider_strategy
    if definition.network_mode == "awsvpc" and not params.get("networkConfiguration"):
        raise InvalidParameterException(
            "Network Configuration must be provided when networkMode 'awsvpc' is specified."
        )
    if params.get("launchType") == "FARGATE" and "FARGATE" not in definition.compatibilities:
        raise InvalidParameterException("Task definition does not support launch_type FARGATE.")
    tasks, failures = [], []
    for _number in range(int(params.get("count") or 1)):
        try:
            tasks.append(simulation.launch(backend, cluster, definition, None, params).data)
        except simulation.Unplaceable as exc:
            instances = list(backend.container_instances.get(cluster.name, {}).values())
            if not instances:
                raise InvalidParameterException("No Container Instances were found in your cluster.") from exc
            failures.append({"arn": instances[0].container_instance_arn, "reason": exc.failure})
    return ActionResult({"tasks": tasks, "failures": failures})


@replace(EC2ContainerServiceResponse, "describe_tasks")
def describe_tasks(_original: Any, self: Any) -> ActionResult:
    """One-off tasks move on by one step a call; what is unknown is a failure with the reason MISSING."""
    backend = self.ecs_backend
    cluster = backend._get_cluster(self._get_param("cluster") or "default")
    wanted = self._get_param("tasks") or []
    if not wanted:
        raise InvalidParameterException("Tasks cannot be empty.")
    hidden = () if "TAGS" in (self._get_param("include") or []) else ("tags",)
    tasks, failures = [], []
    for name in wanted:
        task = find(backend, cluster, name)
        if task is None:
            prefix = cluster.arn.rsplit(":", 1)[0]
            arn = name if name.startswith("arn:") else f"{prefix}:task/{cluster.name}/{name}"
            failures.append({"arn": arn, "reason": "MISSING"})
            continue
        if task.alive and not task.data["group"].startswith("service:"):
            simulation.advance(backend, task)
        tasks.append({key: value for key, value in task.data.items() if key not in hidden})
    return ActionResult({"tasks": tasks, "failures": failures})


def find(backend: Any, cluster: Any, name: str) -> Task | None:
    """A task by id or ARN."""
    known = backend.tasks.get(cluster.name, {}).values()
    return next((task for task in known if task.short_id == name.rsplit("/", 1)[-1]), None)


@replace(EC2ContainerServiceResponse, "list_tasks")
def list_tasks(_original: Any, self: Any) -> ActionResult:
    """AWS filters by service, and lists running tasks unless asked for stopped ones. moto ignored serviceName."""
    backend = self.ecs_backend
    cluster = backend._get_cluster(self._get_param("cluster") or "default")
    tasks: list[Task] = list(backend.tasks.get(cluster.name, {}).values())
    status = self._get_param("desiredStatus") or "RUNNING"
    service, family = self._get_param("serviceName"), self._get_param("family")
    instance, started_by = self._get_param("containerInstance"), self._get_param("startedBy")
    if service:
        backend._get_service(cluster.name, service)
        tasks = [one for one in tasks if one.data["group"] == f"service:{service.rsplit('/', 1)[-1]}"]
    if family:
        tasks = [one for one in tasks if one.definition.family == family]
    if instance:
        suffix = instance.rsplit("/", 1)[-1]
        tasks = [one for one in tasks if (one.container_instance or "").endswith(suffix)]
    if started_by:
        tasks = [one for one in tasks if one.data["startedBy"] == started_by]
    if self._get_param("launchType"):
        tasks = [one for one in tasks if one.data["launchType"] == self._get_param("launchType")]
    return ActionResult({"taskArns": [one.task_arn for one in tasks if one.data["desiredStatus"] == status]})


@replace(EC2ContainerServiceResponse, "stop_task")
def stop_task(_original: Any, self: Any) -> ActionResult:
    """AWS: UserInitiated, with the reason given; an unknown task is InvalidParameterException. moto answered 500."""
    backend = self.ecs_backend
    cluster = backend._get_cluster(self._get_param("cluster") or "default")
    task = find(backend, cluster, self._get_param("task"))
    if task is None:
        raise InvalidParameterException("The referenced task was not found.")
    if task.alive:
        stop_now(backend, task, self._get_param("reason") or "Task stopped by user", "UserInitiated", exit_code=143)
    return ActionResult({"task": task.data})


@replace(EC2ContainerServiceResponse, "list_container_instances")
def list_container_instances(original: Any, self: Any) -> ActionResult:
    """Instances of an autoscaling group join the cluster that their user data names; in moto they never did."""
    cluster = self.ecs_backend._get_cluster(self._get_param("cluster") or "default")
    sync_instances(self.ecs_backend, cluster)
    result: ActionResult = original(self)
    return result


@replace(EC2ContainerServiceBackend, "describe_container_instances")
def describe_container_instances(original: Any, self: Any, cluster_str: str, wanted: list[str]) -> Any:
    """What is left on each instance comes from the tasks on it."""
    sync_instances(self, self._get_cluster(cluster_str))
    return original(self, cluster_str, wanted)


@replace(EC2ContainerServiceBackend, "deregister_container_instance")
def deregister_container_instance(_original: Any, self: Any, cluster_str: str, wanted: str, force: bool) -> Any:
    """A deregistered instance stays away, and its tasks are orphaned: here they end. Unknown ones were a 500."""
    cluster = self._get_cluster(cluster_str)
    instance = self.container_instances.get(cluster.name, {}).get(wanted.rsplit("/", 1)[-1])
    if instance is None:
        raise EcsClientException("Referenced container instance not found.")
    refresh(self, instance)
    if instance.running_tasks_count and not force:
        raise InvalidParameterException("Found running tasks on the instance.")
    for task in self.tasks.get(cluster.name, {}).values():
        if task.alive and task.container_instance == instance.container_instance_arn:
            stop_now(self, task, "Container instance deregistration forced by user")
    del self.container_instances[cluster.name][instance.id]
    left: set[str] = getattr(cluster, "deregistered_instances", set())
    cluster.deregistered_instances = left | {instance.ec2_instance_id}
    instance.status = "INACTIVE"
    return instance
