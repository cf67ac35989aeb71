# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the ECS simulation keeps: services, tasks and their resources, in the form in which AWS answers them."""

from __future__ import annotations

import base64
import binascii
import re
import uuid
from datetime import UTC, datetime
from typing import Any

from moto.autoscaling.models import autoscaling_backends
from moto.ec2.models import ec2_backends
from moto.ecr.models import ecr_backends
from moto.elbv2.models import elbv2_backends
from moto.logs.models import logs_backends

FARGATE_PROVIDERS = ("FARGATE", "FARGATE_SPOT")
AGENT_PORTS = ["22", "2375", "2376", "51678", "51679"]
ECS_CLUSTER = re.compile(r"ECS_CLUSTER=[\"']?([A-Za-z0-9_-]+)")


def now() -> datetime:
    """The time as moto's serializers want it."""
    return datetime.now(UTC).replace(tzinfo=None)


class Service:
    """One service: `data` is what AWS answers, the properties are what the rest of moto asks for."""

    def __init__(self, data: dict[str, Any], cluster: Any) -> None:
        self.data = data
        self.cluster = cluster
        self.client_token: str | None = None
        self.task_sets: list[Any] = []
        self.records: list[dict[str, Any]] = []  # of its service deployments, the newest last
        self.steady = False

    name = property(lambda self: self.data["serviceName"])
    arn = property(lambda self: self.data["serviceArn"])
    physical_resource_id = arn
    status = property(lambda self: self.data["status"])
    cluster_name = property(lambda self: self.cluster.name)
    cluster_arn = property(lambda self: self.cluster.arn)
    desired_count = property(lambda self: self.data["desiredCount"])

    @property
    def tags(self) -> list[dict[str, str]]:
        """Tags in ECS's form."""
        tags: list[dict[str, str]] = self.data.setdefault("tags", [])
        return tags

    @tags.setter
    def tags(self, tags: list[dict[str, str]]) -> None:
        self.data["tags"] = tags

    @property
    def primary(self) -> dict[str, Any]:
        """The deployment that the service is heading for."""
        deployments: list[dict[str, Any]] = self.data["deployments"]
        return next(one for one in deployments if one["status"] == "PRIMARY")

    def record(self, status: str, reason: str, *of: str) -> None:
        """Bring the records that are in one of these states to another one."""
        for one in self.records:
            if one["status"] in of:
                one.update(status=status, statusReason=reason, updatedAt=now())

    def event(self, message: str) -> None:
        """AWS keeps the last 100 events, the newest first."""
        text = f"(service {self.name}) {message}"
        self.data["events"].insert(0, {"id": str(uuid.uuid4()), "createdAt": now(), "message": text})
        del self.data["events"][100:]


class Task:
    """One task; `data` is what AWS answers."""

    def __init__(self, data: dict[str, Any], definition: Any) -> None:
        self.data = data
        self.definition = definition
        self.targets: list[tuple[str, dict[str, Any]]] = []
        self.network_interface: str | None = None
        self.unhealthy = False

    task_arn = property(lambda self: self.data["taskArn"])
    short_id = property(lambda self: self.data["taskArn"].rsplit("/", 1)[-1])
    deployment = property(lambda self: self.data.get("startedBy"))
    container_instance = property(lambda self: self.data.get("containerInstanceArn"))
    running = property(lambda self: self.data["lastStatus"] == "RUNNING" and self.wanted)
    wanted = property(lambda self: self.data["desiredStatus"] == "RUNNING")
    healthy = property(lambda self: self.running and not (self.unhealthy and self.targets))
    alive = property(lambda self: self.data["lastStatus"] != "STOPPED")

    @property
    def tags(self) -> list[dict[str, str]]:
        """Tags in ECS's form."""
        tags: list[dict[str, str]] = self.data.setdefault("tags", [])
        return tags

    @tags.setter
    def tags(self, tags: list[dict[str, str]]) -> None:
        self.data["tags"] = tags


def needs(definition: Any) -> dict[str, Any]:
    """CPU units, MiB and fixed host ports that a task takes from a container instance."""
    containers = definition.container_definitions
    memory = sum(int(one.get("memoryReservation") or one.get("memory") or 0) for one in containers)
    cpu = sum(int(one.get("cpu") or 0) for one in containers)
    ports: list[str] = []
    if definition.network_mode != "awsvpc":
        mappings = [mapping for one in containers for mapping in one.get("portMappings") or []]
        ports = [str(mapping["hostPort"]) for mapping in mappings if mapping.get("hostPort")]
    return {"CPU": int(definition.cpu or cpu), "MEMORY": int(definition.memory or memory), "PORTS": ports}


def cluster_of_user_data(user_data: Any) -> str | None:
    """The cluster that an instance joins: the last ECS_CLUSTER= line in its user data wins."""
    if not user_data:
        return None
    raw = user_data if isinstance(user_data, bytes) else str(user_data).encode()
    for _layer in range(2):  # moto keeps it as it came: plain, or in base64 once or twice
        found = ECS_CLUSTER.findall(raw.decode("utf-8", "replace"))
        if found:
            return str(found[-1])
        try:
            raw = base64.b64decode(raw, validate=True)
        except binascii.Error:
            return None
    found = ECS_CLUSTER.findall(raw.decode("utf-8", "replace"))
    return str(found[-1]) if found else None


def ec2_of(backend: Any) -> Any:
    """The EC2 backend of the same account and region."""
    return ec2_backends[backend.account_id][backend.region_name]


def elbv2_of(backend: Any) -> Any:
    """The ELBv2 backend of the same account and region."""
    return elbv2_backends[backend.account_id][backend.region_name]


def ecr_of(backend: Any) -> Any:
    """The ECR backend of the same account and region."""
    return ecr_backends[backend.account_id][backend.region_name]


def logs_of(backend: Any) -> Any:
    """The CloudWatch Logs backend of the same account and region."""
    return logs_backends[backend.account_id][backend.region_name]


def autoscaling_of(backend: Any) -> Any:
    """The autoscaling backend of the same account and region."""
    return autoscaling_backends[backend.account_id][backend.region_name]


def capacity_of(ec2: Any, instance_type: str) -> dict[str, int]:
    """CPU units and MiB that the agent registers: all cores, and the memory that the kernel leaves."""
    info: dict[str, Any] = next((one for one in ec2.instance_types if one.get("InstanceType") == instance_type), {})
    vcpus = int(info.get("VCpuInfo", {}).get("DefaultVCpus", 2))
    memory = int(info.get("MemoryInfo", {}).get("SizeInMiB", 4096))
    return {"CPU": vcpus * 1024, "MEMORY": int(memory * 0.94)}


def architecture_of(ec2: Any, instance_type: str) -> str:
    """As the agent registers it."""
    info: dict[str, Any] = next((one for one in ec2.instance_types if one.get("InstanceType") == instance_type), {})
    return str((info.get("ProcessorInfo", {}).get("SupportedArchitectures") or ["x86_64"])[-1])


def resources(capacity: dict[str, int], ports: list[str]) -> list[dict[str, Any]]:
    """registeredResources or remainingResources of a container instance."""
    blank = {"doubleValue": 0.0, "longValue": 0, "integerValue": 0}
    numbers = [{**blank, "name": name, "type": "INTEGER", "integerValue": capacity[name]} for name in ("CPU", "MEMORY")]
    sets = [
        {**blank, "name": name, "type": "STRINGSET", "stringSetValue": values}
        for name, values in (("PORTS", ports), ("PORTS_UDP", []))
    ]
    return numbers + sets


def tasks_of(backend: Any, cluster_name: str) -> list[Task]:
    """All tasks of a cluster that are not stopped."""
    return [task for task in backend.tasks.get(cluster_name, {}).values() if task.alive]


def sync_instances(backend: Any, cluster: Any) -> None:
    """Instances whose user data names the cluster are its container instances; instances that are gone leave it."""
    registered = backend.container_instances.setdefault(cluster.name, {})
    ec2 = ec2_of(backend)
    left: set[str] = getattr(cluster, "deregistered_instances", set())
    running = {one.id: one for group in ec2.reservations.values() for one in group.instances if one.state == "running"}
    known = {one.ec2_instance_id for one in registered.values()}
    for instance_id, instance in running.items():
        if instance_id in known | left or cluster_of_user_data(instance.user_data) != cluster.name:
            continue
        joined = backend.register_container_instance(cluster.name, instance_id)
        joined.capacity = capacity_of(ec2, instance.instance_type)
        joined.registered_resources = resources(joined.capacity, AGENT_PORTS)
        joined.capacity_provider_name = provider_of(backend, cluster, instance)
        joined.attributes["ecs.cpu-architecture"] = architecture_of(ec2, instance.instance_type)
    for key, joined in list(registered.items()):
        if joined.ec2_instance_id not in running:
            del registered[key]
            for task in tasks_of(backend, cluster.name):
                if task.container_instance == joined.container_instance_arn:
                    stop_now(backend, task, f"Host EC2 (instance {joined.ec2_instance_id}) terminated.")
    cluster.registered_container_instances_count = len(registered)
    for joined in registered.values():
        refresh(backend, joined)
        if joined.capacity_provider_name is None:  # here instances boot faster than a provider is made; in AWS slower
            joined.capacity_provider_name = provider_of(backend, cluster, running[joined.ec2_instance_id])


def provider_of(backend: Any, cluster: Any, instance: Any) -> str | None:
    """The cluster's capacity provider whose autoscaling group made the instance."""
    group = getattr(getattr(instance, "autoscaling_group", None), "name", None)
    for provider in backend.capacity_providers.values():
        arn = provider.auto_scaling_group_provider.get("autoScalingGroupArn", "")
        if group and arn.rsplit("/", 1)[-1] == group and provider.name in (cluster.capacity_providers or []):
            return str(provider.name)
    return None


def refresh(backend: Any, joined: Any) -> None:
    """What is left on a container instance, from the tasks that are on it."""
    if not hasattr(joined, "capacity"):  # one that was registered by hand
        joined.capacity = {"CPU": 4096, "MEMORY": 7482}
        joined.capacity_provider_name = None
    mine = [
        one for one in tasks_of(backend, joined.cluster_name) if one.container_instance == joined.container_instance_arn
    ]
    used = [needs(task.definition) for task in mine]
    remaining = {name: joined.capacity[name] - sum(one[name] for one in used) for name in ("CPU", "MEMORY")}
    ports = [binding["hostPort"] for task in mine for binding in bindings(task)]
    joined.remaining_resources = resources(remaining, AGENT_PORTS + sorted({str(port) for port in ports}))
    joined.running_tasks_count = sum(1 for task in mine if task.data["lastStatus"] == "RUNNING")
    joined.pending_tasks_count = len(mine) - joined.running_tasks_count


def bindings(task: Task) -> list[dict[str, Any]]:
    """The network bindings of all containers of a task."""
    return [one for container in task.data["containers"] for one in container["networkBindings"]]


def stop_now(
    backend: Any, task: Task, reason: str, code: str = "ServiceSchedulerInitiated", exit_code: int = 0
) -> None:
    """The task ends: its targets leave their target groups and its network interface goes."""
    release_targets(backend, task)
    if task.network_interface:
        ec2 = ec2_of(backend)
        ec2.enis.pop(task.network_interface, None)
        task.network_interface = None
    stopped = {"lastStatus": "STOPPED", "desiredStatus": "STOPPED", "stoppedReason": reason, "stopCode": code}
    task.data.update(stopped, stoppingAt=now(), stoppedAt=now(), executionStoppedAt=now())
    for container in task.data["containers"]:
        container["lastStatus"] = "STOPPED"
        if code != "TaskFailedToStart":
            container["exitCode"] = exit_code


def release_targets(backend: Any, task: Task) -> list[str]:
    """Take the task out of its target groups; the ARNs of those that it was in."""
    groups = elbv2_of(backend).target_groups
    left = []
    for arn, target in task.targets:
        if arn in groups:
            groups[arn].deregister([target])
            groups[arn].failing = getattr(groups[arn], "failing", set()) - {target["Id"]}
            left.append(arn)
    task.targets = []
    return left
