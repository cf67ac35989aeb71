# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Services of the layer `ecs`: what a declaration means."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.dockyard.aws.plugins.module_utils.layers.base import Environment, api_names, refer
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.model import Ref, Resource

IRREGULAR = {
    "enable_ecs_managed_tags": "enableECSManagedTags",
    "managed_ebs_volume": "managedEBSVolume",
    "size_in_gib": "sizeInGiB",
}
AS_THEY_ARE = (
    "desired_count",
    "launch_type",
    "platform_version",
    "health_check_grace_period_seconds",
    "placement_constraints",
    "placement_strategy",
    "scheduling_strategy",
    "availability_zone_rebalancing",
    "enable_execute_command",
    "enable_ecs_managed_tags",
    "propagate_tags",
    "service_registries",
    "vpc_lattice_configurations",
    "volume_configurations",
    "service_connect_configuration",
    "monitoring",
)
FARGATE_PROVIDERS = ("FARGATE", "FARGATE_SPOT")
# With these controllers somebody else changes the service in a deployment.
OWNED_BY_CODEDEPLOY = ("taskDefinition", "loadBalancers", "platformVersion", "networkConfiguration")


def place(service: Mapping[str, Any]) -> str:
    return f"ecs.services[{service['name']}]"


def resource(service: Mapping[str, Any], environment: Environment) -> Resource:
    where = place(service)
    return Resource(
        "ecs_service",
        f"{service['cluster']}/{service['name']}",
        properties(service, where),
        where=where,
        tags={**environment.tags, **(service["tags"] or {})},
        scope={"cluster": Ref("ecs_cluster", service["cluster"], "name", where=f"{where}.cluster")},
        create_only=owned_elsewhere(service),
        options={
            "wait_for_steady_state": service["wait_for_steady_state"],
            "wait_timeout": service["wait_timeout"],
            "image_owner": service["image_owner"],
            "family": family(service),
        },
        protect=service["protect"],
    )


def family(service: Mapping[str, Any]) -> str:
    """The family that the service follows; empty where it names one revision."""
    name: str = service["task_definition"]
    return "" if ":" in name else name


def owned_elsewhere(service: Mapping[str, Any]) -> dict[str, str]:
    owned = {"desiredCount": "the autoscaler"} if service["desired_count_owner"] == "autoscaling" else {}
    if service["deployment_controller"] == "CODE_DEPLOY":
        owned.update(dict.fromkeys(OWNED_BY_CODEDEPLOY, "CodeDeploy"))
    return owned


def properties(service: Mapping[str, Any], where: str) -> dict[str, Any]:
    """The fields of CreateService, with references where other things are named."""
    plain = {name: service[name] for name in AS_THEY_ARE}
    result = api_names(_with_roles(plain, where), IRREGULAR)
    _keep_log_options(service, result)
    result["taskDefinition"] = refer(
        "ecs_task_definition", service["task_definition"], "arn", f"{where}.task_definition"
    )
    if service["role"]:
        result["role"] = refer("iam_role", service["role"], "arn", f"{where}.role")
    if service["deployment_controller"]:
        result["deploymentController"] = {"type": service["deployment_controller"]}
    if service["capacity_provider_strategy"] is not None:
        result["capacityProviderStrategy"] = strategy(service["capacity_provider_strategy"], where)
    if service["network_configuration"]:
        result["networkConfiguration"] = _network(service["network_configuration"], f"{where}.network_configuration")
    if service["load_balancers"] is not None:
        result["loadBalancers"] = [_load_balancer(item, where) for item in service["load_balancers"]]
    if service["gateway_connectors"] is not None:
        result["gatewayConnectors"] = service["gateway_connectors"]
    if configuration := _deployment(service, where):
        result["deploymentConfiguration"] = configuration
    if "availabilityZoneRebalancing" not in result and not allows_rebalancing(service):
        result["availabilityZoneRebalancing"] = "DISABLED"
    return result


def allows_rebalancing(service: Mapping[str, Any]) -> bool:
    """AWS turns rebalancing on unless it is told otherwise, and refuses it where it cannot start a task first."""
    maximum = (service["deployment_configuration"] or {}).get("maximum_percent")
    return service["scheduling_strategy"] == "DAEMON" or maximum is None or maximum > 100


def strategy(items: list[dict[str, Any]], where: str) -> list[dict[str, Any]]:
    return [
        {
            "capacityProvider": provider(item["capacity_provider"], f"{where}.capacity_provider_strategy"),
            "weight": item["weight"],
            "base": item["base"],
        }
        for item in items
    ]


def provider(name: str, where: str) -> Any:
    return name if name in FARGATE_PROVIDERS else Ref("ecs_capacity_provider", name, "name", where=where)


def _with_roles(value: Any, where: str) -> Any:
    """Roles by name as references, under the name of the API."""
    if isinstance(value, Mapping):
        return {
            "role_arn" if name == "role" else name: (
                refer("iam_role", inner, "arn", f"{where}.role")
                if name == "role" and inner
                else _with_roles(inner, f"{where}.{name}")
            )
            for name, inner in value.items()
        }
    return [_with_roles(item, where) for item in value] if isinstance(value, list) else value


def _keep_log_options(service: Mapping[str, Any], result: dict[str, Any]) -> None:
    """The keys of log options are the driver's own words."""
    logs = (service["service_connect_configuration"] or {}).get("log_configuration") or {}
    if logs.get("options"):
        options = {str(key): str(value) for key, value in logs["options"].items()}
        result["serviceConnectConfiguration"]["logConfiguration"]["options"] = options


def _network(network: Mapping[str, Any], where: str) -> dict[str, Any]:
    def refs(kind: str, option: str) -> list[Ref]:
        return [Ref(kind, name, "id", where=f"{where}.{option}") for name in network[option]]

    groups = {} if network["security_groups"] is None else {"securityGroups": refs("security_group", "security_groups")}
    public = "ENABLED" if network["assign_public_ip"] else "DISABLED"
    return {"awsvpcConfiguration": {"subnets": refs("subnet", "subnets"), **groups, "assignPublicIp": public}}


def _load_balancer(item: Mapping[str, Any], where: str) -> dict[str, Any]:
    where = f"{where}.load_balancers"
    result = {"containerName": item["container_name"], "containerPort": item["container_port"]}
    if item["target_group"]:
        result["targetGroupArn"] = refer("target_group", item["target_group"], "arn", f"{where}.target_group")
    if item["load_balancer_name"]:
        result["loadBalancerName"] = item["load_balancer_name"]
    advanced = item["advanced_configuration"]
    if advanced:
        where = f"{where}.advanced_configuration"
        rules = {"production_listener_rule": "productionListenerRule", "test_listener_rule": "testListenerRule"}
        result["advancedConfiguration"] = {
            "alternateTargetGroupArn": refer(
                "target_group", advanced["alternate_target_group"], "arn", f"{where}.alternate_target_group"
            ),
            "roleArn": refer("iam_role", advanced["role"], "arn", f"{where}.role"),
            **{
                field: rule(advanced[option], f"{where}.{option}")
                for option, field in rules.items()
                if advanced[option]
            },
        }
    return result


def rule(name: str, where: str) -> Any:
    """A listener rule (`load balancer:port/rule`) or a listener (`load balancer:port`), or its ARN."""
    if name.startswith("arn:"):
        return name
    listener_name, _slash, rule_name = name.partition("/")
    balancer = Ref("load_balancer", listener_name.rsplit(":", 1)[0], "arn", where=where)
    listener = Ref("listener", listener_name, "arn", (("LoadBalancerArn", balancer),), where)
    return Ref("listener_rule", name, "arn", (("ListenerArn", listener),), where) if rule_name else listener


def _deployment(service: Mapping[str, Any], where: str) -> dict[str, Any]:
    declared = dict(service["deployment_configuration"] or {})
    hooks = declared.pop("lifecycle_hooks", None)
    result = api_names(declared)
    if hooks is not None:
        details = [hook.get("hook_details") for hook in hooks]
        converted = api_names({"hooks": _with_roles(hooks, f"{where}.deployment_configuration.lifecycle_hooks")})
        result["lifecycleHooks"] = [
            {**hook, "hookDetails": detail} if detail is not None else hook
            for hook, detail in zip(converted["hooks"], details, strict=True)
        ]
    rolling = service["deployment_controller"] in (None, "ECS") and result.get("strategy") in (None, "ROLLING")
    if rolling and "deploymentCircuitBreaker" not in result:
        result["deploymentCircuitBreaker"] = {"enable": True, "rollback": True}
    return result
