# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Mends of ECS services: the calls on them, served from the project's own simulation."""

from __future__ import annotations

import copy
from typing import Any

from moto.core.responses import ActionResult
from moto.ecs.exceptions import ECSException, InvalidParameterException, ServiceNotFoundException
from moto.ecs.models import EC2ContainerServiceBackend, ecs_backends
from moto.ecs.responses import EC2ContainerServiceResponse
from moto.elbv2.models import ELBv2Backend

from emulator import ecs_simulation as simulation
from emulator.ecs_model import FARGATE_PROVIDERS, Service, now
from emulator.mends.ecs_checks import check_service
from emulator.patching import replace

# UpdateService's documentation says for each parameter whether it triggers a new service deployment; these do.
TRIGGERS = (
    "taskDefinition",
    "networkConfiguration",
    "platformVersion",
    "loadBalancers",
    "serviceRegistries",
    "serviceConnectConfiguration",
    "volumeConfigurations",
    "vpcLatticeConfigurations",
)
UPDATABLE = (
    *TRIGGERS,
    "desiredCount",
    "capacityProviderStrategy",
    "availabilityZoneRebalancing",
    "placementConstraints",
    "placementStrategy",
    "healthCheckGracePeriodSeconds",
    "deploymentController",
    "enableExecuteCommand",
    "enableECSManagedTags",
    "propagateTags",
)
# Kept, but part of a deployment in AWS's answer and not of the service.
DEPLOYMENT_ONLY = ("serviceConnectConfiguration", "volumeConfigurations", "vpcLatticeConfigurations")


@replace(EC2ContainerServiceResponse, "create_service")
def create_service(_original: Any, self: Any) -> ActionResult:
    """AWS refuses a second active service of the same name and keeps every field.

    moto overwrote the first service, and dropped deploymentConfiguration, healthCheckGracePeriodSeconds,
    enableExecuteCommand, enableECSManagedTags, capacityProviderStrategy, placement and events.
    """
    backend, params = self.ecs_backend, copy.deepcopy(dict(self.params))
    cluster = backend._get_cluster(params.get("cluster") or "default")
    key = f"{cluster.name}:{params['serviceName']}"
    existing = backend.services.get(key)
    if existing and existing.status == "DRAINING":
        raise InvalidParameterException("Unable to Start a service that is still Draining.")
    if existing and existing.status == "ACTIVE":
        if params.get("clientToken") and params["clientToken"] == existing.client_token:
            return ActionResult({"service": answer(existing)})
        raise InvalidParameterException("Creation of service was not idempotent.")
    if not params.get("taskDefinition"):
        raise InvalidParameterException("TaskDefinition can not be blank.")
    params["taskDefinition"] = backend.describe_task_definition(params["taskDefinition"]).arn
    if params.get("launchType") and params.get("capacityProviderStrategy"):
        raise InvalidParameterException("Specify either a launch type or a capacity provider strategy, not both.")
    data = service_data(backend, cluster, params)
    check_service(backend, cluster, data, params)
    service = Service(data, cluster)
    service.client_token = params.get("clientToken")
    simulation.new_deployment(service)
    backend.services[key] = service
    return ActionResult({"service": answer(service)})


def service_data(backend: Any, cluster: Any, params: dict[str, Any]) -> dict[str, Any]:
    """A new service with AWS's defaults."""
    prefix = cluster.arn.rsplit(":", 1)[0]
    daemon = params.get("schedulingStrategy") == "DAEMON"
    data: dict[str, Any] = {
        "serviceArn": f"{prefix}:service/{cluster.name}/{params['serviceName']}",
        "serviceName": params["serviceName"],
        "clusterArn": cluster.arn,
        "status": "ACTIVE",
        "taskDefinition": params["taskDefinition"],
        "desiredCount": 0 if daemon else int(params.get("desiredCount") or 0),
        "runningCount": 0,
        "pendingCount": 0,
        "deployments": [],
        "events": [],
        "createdAt": now(),
        "createdBy": f"arn:aws:iam::{backend.account_id}:root",
        "loadBalancers": params.get("loadBalancers") or [],
        "serviceRegistries": params.get("serviceRegistries") or [],
        "placementConstraints": params.get("placementConstraints") or [],
        "placementStrategy": params.get("placementStrategy") or [],
        "schedulingStrategy": params.get("schedulingStrategy") or "REPLICA",
        "deploymentController": params.get("deploymentController") or {"type": "ECS"},
        "deploymentConfiguration": deployment_configuration(params.get("deploymentConfiguration") or {}, daemon),
        "enableECSManagedTags": bool(params.get("enableECSManagedTags")),
        "enableExecuteCommand": bool(params.get("enableExecuteCommand")),
        "propagateTags": params.get("propagateTags") or "NONE",
        "availabilityZoneRebalancing": params.get("availabilityZoneRebalancing")
        or ("DISABLED" if daemon else "ENABLED"),
        "tags": params.get("tags") or [],
    }
    if params.get("networkConfiguration"):
        data["networkConfiguration"] = network(params["networkConfiguration"])
    data.update({name: params[name] for name in DEPLOYMENT_ONLY if params.get(name)})
    if data["loadBalancers"]:
        data["healthCheckGracePeriodSeconds"] = int(params.get("healthCheckGracePeriodSeconds") or 0)
        data["roleArn"] = role_arn(backend, params.get("role"))
    set_capacity(cluster, data, params)
    return data


def role_arn(backend: Any, role: str | None) -> str:
    """AWS answers the role's ARN, also when it was given by name; moto gave the bare name back."""
    if role and role.startswith("arn:"):
        return role
    path = "aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS"
    return f"arn:aws:iam::{backend.account_id}:role/{role.lstrip('/') if role else path}"


def network(configuration: dict[str, Any]) -> dict[str, Any]:
    """assignPublicIp is DISABLED and securityGroups is empty unless given."""
    awsvpc = dict(configuration["awsvpcConfiguration"])
    awsvpc.setdefault("assignPublicIp", "DISABLED")
    awsvpc.setdefault("securityGroups", [])
    return {"awsvpcConfiguration": awsvpc}


def deployment_configuration(given: dict[str, Any], daemon: bool) -> dict[str, Any]:
    """AWS's defaults: 200 and 100 percent, 100 and 0 for daemons, ROLLING, circuit breaker off."""
    defaults = {
        "maximumPercent": 100 if daemon else 200,
        "minimumHealthyPercent": 0 if daemon else 100,
        "deploymentCircuitBreaker": {"enable": False, "rollback": False},
        "strategy": "ROLLING",
        "bakeTimeInMinutes": 0,
    }
    return {**defaults, **{name: value for name, value in given.items() if value is not None}}


def set_capacity(cluster: Any, data: dict[str, Any], params: dict[str, Any]) -> None:
    """A launch type, or a strategy, or the cluster's default strategy, or EC2."""
    data.pop("launchType", None)
    data.pop("capacityProviderStrategy", None)
    strategy = params.get("capacityProviderStrategy")
    if strategy is None and not params.get("launchType"):
        strategy = copy.deepcopy(cluster.default_capacity_provider_strategy)
    if strategy:
        filled = [{"weight": 0, "base": 0, **one} for one in strategy]
        data["capacityProviderStrategy"] = filled
    else:
        data["launchType"] = params.get("launchType") or "EC2"
    fargate = any(one["capacityProvider"] in FARGATE_PROVIDERS for one in strategy or [])
    if fargate or data.get("launchType") == "FARGATE":
        data["platformVersion"] = params.get("platformVersion") or data.get("platformVersion") or "LATEST"
        data["platformFamily"] = "Linux"


@replace(EC2ContainerServiceResponse, "update_service")
def update_service(_original: Any, self: Any) -> ActionResult:
    """AWS updates every documented field and starts a new deployment for those that say so.

    moto kept `family:revision` instead of the ARN, and never made a deployment.
    """
    backend, params = self.ecs_backend, copy.deepcopy(dict(self.params))
    cluster = backend._get_cluster(params.get("cluster") or "default")
    service = backend._get_service(cluster.name, params["service"])
    if service.status != "ACTIVE":
        raise ECSException("ServiceNotActiveException", "Service was not ACTIVE.")
    if params.get("taskDefinition"):
        params["taskDefinition"] = backend.describe_task_definition(params["taskDefinition"]).arn
    if params.get("networkConfiguration"):
        params["networkConfiguration"] = network(params["networkConfiguration"])
    wanted = copy.deepcopy(service.data)
    wanted.update({name: params[name] for name in UPDATABLE if params.get(name) is not None})
    if params.get("deploymentConfiguration"):
        merged = {**service.data["deploymentConfiguration"], **params["deploymentConfiguration"]}
        wanted["deploymentConfiguration"] = merged
    if params.get("capacityProviderStrategy") is not None:
        set_capacity(cluster, wanted, {"capacityProviderStrategy": params["capacityProviderStrategy"]})
    if wanted["loadBalancers"]:
        wanted.setdefault("healthCheckGracePeriodSeconds", 0)
    check_service(backend, cluster, wanted, params)
    triggered = any(wanted.get(name) != service.data.get(name) for name in TRIGGERS)
    if wanted["desiredCount"] != service.desired_count:
        service.steady = False
    service.data.update(wanted)
    for name in ("launchType", "capacityProviderStrategy"):
        if name not in wanted:
            service.data.pop(name, None)
    if triggered or params.get("forceNewDeployment"):
        simulation.new_deployment(service)
    service.primary["desiredCount"] = service.desired_count
    return ActionResult({"service": answer(service)})


@replace(EC2ContainerServiceResponse, "describe_services")
def describe_services(_original: Any, self: Any) -> ActionResult:
    """Each call moves each service on by one step: see the simulation. At most 10 services a call, as in AWS."""
    backend = self.ecs_backend
    names = self._get_param("services") or []
    if not names:
        raise InvalidParameterException("Services cannot be empty.")
    if len(names) > 10:
        raise InvalidParameterException("Services length cannot exceed 10.")
    services, failures = backend.describe_services(self._get_param("cluster") or "default", names)
    for service in services:
        if service.status != "INACTIVE":
            simulation.step(backend, service)
    tags = "TAGS" in (self._get_param("include") or [])
    return ActionResult({"services": [answer(one, tags) for one in services], "failures": failures})


@replace(ELBv2Backend, "describe_target_health")
def describe_target_health(original: Any, self: Any, target_group_arn: str, targets: list[dict[str, Any]]) -> Any:
    """Who waits for targets lets time pass too: services on their way from or to the group are moved on."""
    backend = ecs_backends[self.account_id][self.region_name]
    for service in list(backend.services.values()):
        on_its_way = len(service.data["deployments"]) > 1 or service.status == "DRAINING"
        if on_its_way and target_group_arn in simulation.groups_of(backend, service):
            simulation.step(backend, service)
    return original(self, target_group_arn, targets)


def answer(service: Service, tags: bool = True) -> dict[str, Any]:
    """The service as AWS shows it; tags only where they were asked for."""
    hidden = set(DEPLOYMENT_ONLY) | (set() if tags else {"tags"})
    return {name: value for name, value in service.data.items() if name not in hidden and value is not None}


@replace(EC2ContainerServiceResponse, "delete_service")
def delete_service(_original: Any, self: Any) -> ActionResult:
    """AWS: ACTIVE, then DRAINING while tasks stop, then INACTIVE. moto went to INACTIVE at once."""
    backend = self.ecs_backend
    service = backend._get_service(self._get_param("cluster") or "default", self._get_param("service"))
    if service.status != "ACTIVE":
        raise ServiceNotFoundException
    if service.desired_count > 0 and not self._get_param("force") and service.data["schedulingStrategy"] != "DAEMON":
        raise InvalidParameterException("The service cannot be stopped while it is scaled above 0.")
    service.data.update(status="DRAINING", desiredCount=0)
    simulation.step(backend, service)
    return ActionResult({"service": answer(service)})


@replace(EC2ContainerServiceBackend, "_get_service")
def get_service(_original: Any, self: Any, cluster_str: str, service_str: str) -> Any:
    """AWS takes the name, and long and short ARNs; an INACTIVE service is not found by calls that change it."""
    service = self.services.get(f"{self._get_cluster(cluster_str).name}:{service_str.rsplit('/', 1)[-1]}")
    if service is None or service.status == "INACTIVE":
        raise ServiceNotFoundException
    return service


@replace(EC2ContainerServiceResponse, "list_services")
def list_services(_original: Any, self: Any) -> ActionResult:
    """AWS lists only ACTIVE services, 10 a page unless asked for up to 100. moto listed deleted ones, all at once."""
    backend = self.ecs_backend
    cluster = backend._get_cluster(self._get_param("cluster") or "default")
    services = [one for one in backend.services.values() if one.cluster is cluster and one.status == "ACTIVE"]
    for name in ("schedulingStrategy", "launchType"):
        value = self._get_param(name)
        services = [one for one in services if value in (None, one.data.get(name))]
    arns = sorted(one.arn for one in services)
    start, size = int(self._get_param("nextToken") or 0), int(self._get_param("maxResults") or 10)
    following = str(start + size) if start + size < len(arns) else None
    return ActionResult({"serviceArns": arns[start : start + size], "nextToken": following})


@replace(EC2ContainerServiceResponse, "list_service_deployments")
def list_service_deployments(_original: Any, self: Any) -> ActionResult:
    """The newest first. Not in moto."""
    service = service_of(self)
    wanted = self._get_param("status")
    briefs = [one for one in reversed(service.records) if not wanted or one["status"] in wanted]
    return ActionResult({"serviceDeployments": briefs[: int(self._get_param("maxResults") or 20)]})


@replace(EC2ContainerServiceResponse, "describe_service_deployments")
def describe_service_deployments(_original: Any, self: Any) -> ActionResult:
    """Not in moto."""
    wanted = self._get_param("serviceDeploymentArns") or []
    known = {
        one["serviceDeploymentArn"]: one for service in self.ecs_backend.services.values() for one in service.records
    }
    failures = [{"arn": arn, "reason": "MISSING"} for arn in wanted if arn not in known]
    return ActionResult({"serviceDeployments": [known[arn] for arn in wanted if arn in known], "failures": failures})


def service_of(response: Any) -> Service:
    """The service that a call names."""
    backend = response.ecs_backend
    cluster = backend._get_cluster(response._get_param("cluster") or "default")
    service: Service = backend._get_service(cluster.name, response._get_param("service"))
    return service
