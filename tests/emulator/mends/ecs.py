# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Mends of ECS clusters, capacity providers and task definitions."""

from __future__ import annotations

import copy
from typing import Any

from moto.core.responses import ActionResult
from moto.ecs.exceptions import (
    ClusterNotFoundException,
    EcsClientException,
    ECSException,
    InvalidParameterException,
    TaskDefinitionNotFoundException,
)
from moto.ecs.models import CapacityProvider, EC2ContainerServiceBackend, TaskDefinition
from moto.ecs.responses import EC2ContainerServiceResponse

from emulator import ecs_simulation as simulation
from emulator.ecs_model import FARGATE_PROVIDERS, autoscaling_of, now, sync_instances, tasks_of
from emulator.patching import replace


@replace(EC2ContainerServiceBackend, "_get_cluster")
def get_cluster(_original: Any, self: Any, name: str) -> Any:
    """AWS: no call but DescribeClusters works on an INACTIVE cluster. In moto all did."""
    cluster = self.clusters.get(name.rsplit("/", 1)[-1])
    if cluster is None or cluster.status == "INACTIVE":
        raise ClusterNotFoundException
    return cluster


@replace(EC2ContainerServiceBackend, "create_cluster")
def create_cluster(original: Any, self: Any, cluster_name: str, *args: Any, **kwargs: Any) -> Any:
    """AWS gives back a cluster that is there already. moto replaced it by an empty one."""
    existing = self.clusters.get(cluster_name)
    if existing and existing.status == "ACTIVE":
        return existing
    cluster = original(self, cluster_name, *args, **kwargs)
    check_providers(self, cluster.capacity_providers or [])
    return cluster


def check_providers(backend: Any, names: list[str]) -> None:
    """Capacity providers must exist before a cluster names them."""
    for name in names:
        known = backend.capacity_providers.get(name)
        if name not in FARGATE_PROVIDERS and (known is None or known.status != "ACTIVE"):
            raise InvalidParameterException(
                f"The specified capacity provider '{name}' was not found. Specify a valid name or ARN and try again."
            )


@replace(EC2ContainerServiceBackend, "list_clusters")
def list_clusters(_original: Any, self: Any) -> list[str]:
    """Only ACTIVE clusters."""
    return [cluster.arn for cluster in self.clusters.values() if cluster.status == "ACTIVE"]


@replace(EC2ContainerServiceResponse, "describe_clusters")
def describe_clusters(_original: Any, self: Any) -> ActionResult:
    """Counts are counted, empty lists are there, and settings, configuration and tags come only when asked for.

    moto answered stale counts and left out capacityProviders and defaultCapacityProviderStrategy when empty.
    """
    backend = self.ecs_backend
    clusters, failures = backend.describe_clusters(self._get_param("clusters") or ["default"])
    include = self._get_param("include") or []
    return ActionResult({"clusters": [cluster_data(backend, one, include) for one in clusters], "failures": failures})


def cluster_data(backend: Any, cluster: Any, include: list[str] | None = None) -> dict[str, Any]:
    """A cluster as AWS shows it; `include` None shows everything, as the calls that change a cluster do."""
    if cluster.status == "ACTIVE":
        simulation.drain_all(backend)
        sync_instances(backend, cluster)
    tasks = tasks_of(backend, cluster.name)
    running = sum(1 for task in tasks if task.data["lastStatus"] == "RUNNING")
    services = [one for one in backend.services.values() if one.cluster is cluster and one.status == "ACTIVE"]
    data: dict[str, Any] = {
        "clusterArn": cluster.arn,
        "clusterName": cluster.name,
        "status": cluster.status,
        "registeredContainerInstancesCount": len(backend.container_instances.get(cluster.name, {})),
        "runningTasksCount": running,
        "pendingTasksCount": len(tasks) - running,
        "activeServicesCount": len(services),
        "statistics": [],
        "capacityProviders": cluster.capacity_providers or [],
        "defaultCapacityProviderStrategy": strategy_of(cluster),
        "serviceConnectDefaults": cluster.service_connect_defaults,
        "tags": [],
        "settings": [],
    }
    if set(data["capacityProviders"]) - set(FARGATE_PROVIDERS):
        data["attachmentsStatus"] = "UPDATE_COMPLETE"
    if include is None or "SETTINGS" in include:
        data["settings"] = cluster.settings
    if include is None or "CONFIGURATIONS" in include:
        data["configuration"] = cluster.configuration
    if include is None or "TAGS" in include:
        data["tags"] = cluster.tags or []
    return data


def strategy_of(cluster: Any) -> list[dict[str, Any]]:
    """The default strategy with weight and base filled in."""
    return [{"weight": 0, "base": 0, **one} for one in cluster.default_capacity_provider_strategy or []]


@replace(EC2ContainerServiceBackend, "update_cluster")
def update_cluster(
    _original: Any,
    self: Any,
    cluster_name: str,
    cluster_settings: Any,
    configuration: Any,
    service_connect_defaults: Any,
) -> Any:
    """All three are updatable; an empty namespace takes the default away. moto could not clear it."""
    cluster = self._get_cluster(cluster_name)
    if cluster_settings is not None:
        given = {one["name"]: one["value"] for one in [*cluster.settings, *cluster_settings]}
        cluster.settings = [{"name": name, "value": value} for name, value in given.items()]
    if configuration is not None:
        cluster.configuration = configuration
    if service_connect_defaults is not None:
        cluster.service_connect_defaults = (
            service_connect_defaults if service_connect_defaults.get("namespace") else None
        )
    return cluster


@replace(EC2ContainerServiceBackend, "put_cluster_capacity_providers")
def put_cluster_capacity_providers(
    _original: Any, self: Any, cluster_name: str, capacity_providers: list[str], strategy: list[dict[str, Any]]
) -> Any:
    """AWS checks that they exist, and that no service uses one that is left out. moto checked nothing."""
    cluster = self._get_cluster(cluster_name)
    check_providers(self, capacity_providers or [])
    for one in strategy or []:
        if one["capacityProvider"] not in (capacity_providers or []):
            raise InvalidParameterException(
                "The specified capacity provider strategy cannot contain a capacity provider that is not associated "
                "with the cluster. Associate the capacity provider with the cluster and try again."
            )
    removed = set(cluster.capacity_providers or []) - set(capacity_providers or [])
    if removed & used_providers(self, cluster):
        raise ECSException("ResourceInUseException", "The specified capacity provider is in use and cannot be removed.")
    cluster.capacity_providers = list(capacity_providers or [])
    cluster.default_capacity_provider_strategy = list(strategy or [])
    return cluster


def used_providers(backend: Any, cluster: Any) -> set[str]:
    """The capacity providers that services and tasks of a cluster use."""
    services = [one for one in backend.services.values() if one.cluster is cluster and one.status == "ACTIVE"]
    named = {one["capacityProvider"] for each in services for one in each.data.get("capacityProviderStrategy") or []}
    tasks = [task.data for task in tasks_of(backend, cluster.name)]
    return named | {one["capacityProviderName"] for one in tasks if one.get("capacityProviderName")}


def whole_cluster(name: str) -> None:
    """Calls that change a cluster answer all of it, with the same form as DescribeClusters."""

    @replace(EC2ContainerServiceResponse, name)
    def call(original: Any, self: Any) -> ActionResult:
        cluster = original(self).result["cluster"]
        return ActionResult({"cluster": cluster_data(self.ecs_backend, cluster)})


for _name in ("create_cluster", "update_cluster", "put_cluster_capacity_providers", "delete_cluster"):
    whole_cluster(_name)


@replace(EC2ContainerServiceBackend, "delete_cluster")
def delete_cluster(original: Any, self: Any, cluster_str: str) -> Any:
    """AWS refuses while services, container instances or tasks are there. moto deleted."""
    cluster = self._get_cluster(cluster_str)
    simulation.drain_all(self)
    sync_instances(self, cluster)
    if any(one.cluster is cluster and one.status == "ACTIVE" for one in self.services.values()):
        raise ECSException(
            "ClusterContainsServicesException", "The Cluster cannot be deleted while Services are active."
        )
    if self.container_instances.get(cluster.name):
        raise ECSException(
            "ClusterContainsContainerInstancesException",
            "The Cluster cannot be deleted while Container Instances are active or draining.",
        )
    if tasks_of(self, cluster.name):
        raise ECSException("ClusterContainsTasksException", "The Cluster cannot be deleted while Tasks are active.")
    deleted = original(self, cluster_str)
    deleted.capacity_providers, deleted.default_capacity_provider_strategy = [], []
    return deleted


@replace(CapacityProvider, "_prepare_asg_provider")
def prepare_asg_provider(original: Any, self: Any, asg_details: dict[str, Any]) -> Any:
    """Managed draining is ENABLED unless given: moto did not answer it."""
    details = original(self, copy.deepcopy(asg_details))
    details.setdefault("managedDraining", "ENABLED")
    return details


@replace(CapacityProvider, "update")
def update_provider(original: Any, self: Any, asg_details: dict[str, Any]) -> None:
    """managedDraining is updatable: moto ignored it."""
    original(self, asg_details)
    if asg_details.get("managedDraining"):
        self.auto_scaling_group_provider["managedDraining"] = asg_details["managedDraining"]


@replace(EC2ContainerServiceBackend, "create_capacity_provider")
def create_capacity_provider(original: Any, self: Any, name: str, asg_details: dict[str, Any], tags: Any) -> Any:
    """AWS refuses a name or group that is taken, reserved names and unknown groups. moto overwrote and accepted."""
    if name.lower().startswith(("aws", "ecs", "fargate")):
        raise InvalidParameterException(
            "The specified capacity provider name is invalid. It cannot be prefixed with 'aws', 'ecs' or 'fargate'."
        )
    active = [one for one in self.capacity_providers.values() if one.status == "ACTIVE"]
    if any(one.name == name for one in active):
        raise EcsClientException(
            "The specified capacity provider already exists. "
            "To change the configuration of an existing capacity provider, update the capacity provider."
        )
    arn = asg_details["autoScalingGroupArn"]
    if any(one.auto_scaling_group_provider["autoScalingGroupArn"] == arn for one in active):
        raise EcsClientException(
            "The specified Auto Scaling group ARN is already being used by another capacity provider. "
            "Specify a unique Auto Scaling group ARN and try again."
        )
    check_group(self, asg_details)
    return original(self, name, asg_details, tags)


def check_group(backend: Any, details: dict[str, Any]) -> None:
    """The autoscaling group exists, and protects new instances where managed termination protection is wanted."""
    groups = autoscaling_of(backend).autoscaling_groups
    group = groups.get(details["autoScalingGroupArn"].rsplit("/", 1)[-1])
    if group is None:
        raise EcsClientException(
            "The specified Auto Scaling group ARN does not exist. Specify a valid ARN and try again."
        )
    scaling = (details.get("managedScaling") or {}).get("status")
    protected = scaling == "ENABLED" and group.new_instances_protected_from_scale_in
    if details.get("managedTerminationProtection") == "ENABLED" and not protected:
        raise InvalidParameterException(
            "The managed termination protection setting for the capacity provider is invalid. To enable managed "
            "termination protection for a capacity provider, the Auto Scaling group must have instance protection "
            "from scale in enabled, and managed scaling must be enabled."
        )


@replace(EC2ContainerServiceBackend, "update_capacity_provider")
def update_capacity_provider(original: Any, self: Any, name: str, asg_provider: dict[str, Any]) -> Any:
    """An unknown one is refused: moto answered 500."""
    provider = self._get_provider(name)
    if provider is None or provider.status != "ACTIVE":
        raise EcsClientException("The specified capacity provider does not exist. Specify a valid name and try again.")
    check_group(self, {**provider.auto_scaling_group_provider, **asg_provider})
    return original(self, name, asg_provider)


@replace(EC2ContainerServiceBackend, "delete_capacity_provider")
def delete_capacity_provider(_original: Any, self: Any, name_or_arn: str) -> Any:
    """AWS refuses while a cluster has it, and describes it as INACTIVE afterwards. moto dropped it at once."""
    provider = self._get_provider(name_or_arn)
    if provider is None or provider.status != "ACTIVE":
        raise EcsClientException("The specified capacity provider does not exist. Specify a valid name and try again.")
    if any(provider.name in (one.capacity_providers or []) for one in self.clusters.values()):
        raise EcsClientException("The specified capacity provider is in use and cannot be removed.")
    provider.status, provider.update_status = "INACTIVE", "DELETE_COMPLETE"
    return provider


@replace(EC2ContainerServiceResponse, "describe_capacity_providers")
def describe_capacity_providers(_original: Any, self: Any) -> ActionResult:
    """Without names, all active ones; FARGATE and FARGATE_SPOT are always there. moto answered 500 and MISSING."""
    backend = self.ecs_backend
    names = self._get_param("capacityProviders")
    if names is None:
        active = [one.name for one in backend.capacity_providers.values() if one.status == "ACTIVE"]
        names = [*FARGATE_PROVIDERS, *active]
    own = [name for name in names if name not in FARGATE_PROVIDERS]
    providers, failures = backend.describe_capacity_providers(own)
    prefix = f"arn:aws:ecs:{backend.region_name}:{backend.account_id}:capacity-provider"
    fargate = [
        {"name": name, "capacityProviderArn": f"{prefix}/{name}", "status": "ACTIVE", "tags": []}
        for name in names
        if name in FARGATE_PROVIDERS
    ]
    tags = "TAGS" in (self._get_param("include") or [])
    shown = [provider_data(one, tags) for one in providers]
    return ActionResult({"capacityProviders": fargate + shown, "failures": failures})


def provider_data(provider: Any, tags: bool) -> dict[str, Any]:
    """A capacity provider as AWS shows it."""
    return {
        "capacityProviderArn": provider.capacity_provider_arn,
        "name": provider.name,
        "status": provider.status,
        "autoScalingGroupProvider": provider.auto_scaling_group_provider,
        "updateStatus": provider.update_status,
        "tags": (provider.tags or []) if tags else [],
    }


@replace(TaskDefinition, "__init__")
def task_definition(original: Any, self: Any, *args: Any, **kwargs: Any) -> None:
    """AWS keeps the network mode, fills in ports, and says who registered the revision and when.

    moto turned every Fargate-compatible definition into awsvpc, left hostPort and protocol out, and said neither.
    """
    original(self, *args, **kwargs)
    given, required = kwargs.get("network_mode"), kwargs.get("requires_compatibilities") or []
    self.network_mode = given or "bridge"
    self.compatibilities = ["EC2"]
    if self.network_mode == "awsvpc" and self.cpu and self.memory:
        self.compatibilities.append("FARGATE")
    self.compatibilities += [one for one in required if one not in self.compatibilities]
    self.container_definitions = [with_defaults(one, self.network_mode) for one in self.container_definitions]
    self.registered_at = now()
    self.registered_by = f"{self.arn.split(':ecs:')[0]}:iam::{self.arn.split(':')[4]}:root"
    self.requires_attributes = [{"name": "com.amazonaws.ecs.capability.docker-remote-api.1.18"}]


def with_defaults(declared: dict[str, Any], network_mode: str) -> dict[str, Any]:
    """Protocol tcp; the host port is 0 (chosen by the agent) in bridge mode and the container port otherwise."""
    filled = {"systemControls": [], **copy.deepcopy(declared)}
    for mapping in filled["portMappings"]:
        mapping.setdefault("protocol", "tcp")
        if "containerPort" in mapping:
            mapping.setdefault("hostPort", 0 if network_mode == "bridge" else mapping["containerPort"])
    return filled


@replace(EC2ContainerServiceResponse, "register_task_definition")
def register_task_definition(original: Any, self: Any) -> ActionResult:
    """enableFaultInjection is kept, and tags come back beside the definition: moto dropped both."""
    result: dict[str, Any] = original(self).result
    definition = result["taskDefinition"]
    definition.enable_fault_injection = bool(self._get_param("enableFaultInjection"))
    return ActionResult({**result, "tags": definition.tags})


@replace(EC2ContainerServiceBackend, "describe_task_definition")
def describe_task_definition(original: Any, self: Any, task_definition_str: str) -> Any:
    """A bare family means its latest ACTIVE revision. moto gave the highest revision, deregistered or not."""
    name = task_definition_str.rsplit("/", 1)[-1]
    if ":" in name:
        if not name.rsplit(":", 1)[-1].isdigit():
            raise TaskDefinitionNotFoundException()
        return original(self, task_definition_str)
    active = [one for one in self.task_definitions.get(name, {}).values() if one.status == "ACTIVE"]
    if not active:
        raise TaskDefinitionNotFoundException()
    return max(active, key=lambda one: one.revision)


@replace(EC2ContainerServiceBackend, "deregister_task_definition")
def deregister_task_definition(original: Any, self: Any, task_definition_str: str) -> Any:
    """AWS says when."""
    definition = original(self, task_definition_str)
    definition.deregistered_at = now()
    return definition


@replace(EC2ContainerServiceResponse, "list_task_definitions")
def list_task_definitions(_original: Any, self: Any) -> ActionResult:
    """Ordered by family and revision, descending on request, in pages. moto ignored sort, maxResults and nextToken."""
    prefix, status = self._get_param("familyPrefix"), self._get_param("status") or "ACTIVE"
    every = [one for each in self.ecs_backend.task_definitions.values() for one in each.values()]
    wanted = [one for one in every if one.status == status and prefix in (None, one.family)]
    wanted.sort(key=lambda one: (one.family, one.revision), reverse=self._get_param("sort") == "DESC")
    arns = [one.arn for one in wanted]
    start, size = int(self._get_param("nextToken") or 0), int(self._get_param("maxResults") or 100)
    following = str(start + size) if start + size < len(arns) else None
    return ActionResult({"taskDefinitionArns": arns[start : start + size], "nextToken": following})


@replace(EC2ContainerServiceResponse, "list_task_definition_families")
def list_task_definition_families(_original: Any, self: Any) -> ActionResult:
    """Filtered by status: ALL unless given. moto knew no status."""
    prefix, status = self._get_param("familyPrefix") or "", self._get_param("status") or "ALL"
    families = []
    for family, revisions in sorted(self.ecs_backend.task_definitions.items()):
        active = any(one.status == "ACTIVE" for one in revisions.values())
        if family.startswith(prefix) and (status == "ALL" or active == (status == "ACTIVE")):
            families.append(family)
    return ActionResult({"families": families})


@replace(EC2ContainerServiceBackend, "iter_tagged_resources")
def iter_tagged_resources(original: Any, self: Any) -> Any:
    """The Resource Groups Tagging API knows no deleted services, clusters and revisions, and no stopped tasks."""
    gone = {one.arn for one in self.services.values() if one.status != "ACTIVE"}
    gone |= {one.arn for one in self.clusters.values() if one.status != "ACTIVE"}
    gone |= {one.arn for each in self.task_definitions.values() for one in each.values() if one.status != "ACTIVE"}
    gone |= {one.task_arn for each in self.tasks.values() for one in each.values() if not one.alive}
    return (resource for resource in original(self) if resource.arn not in gone)
