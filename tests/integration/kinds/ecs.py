# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tests of all kinds do with clusters, log groups, task definitions and services."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

Declared = dict[str, dict[str, Any]]
Change = Callable[[Declared], None]

ROLE = "arn:aws:iam::123456789012:role/{}"
KEY = "arn:aws:kms:us-east-1:123456789012:key/00000000-0000-0000-0000-00000000000{}"
REGISTRY = "arn:aws:servicediscovery:us-east-1:123456789012:service/srv-{}"
SERVICE, TASK, CLUSTER = "ecs_service/web/web", "ecs_task_definition/web", "ecs_cluster/web"


def task_definition(**changes: Any) -> dict[str, Any]:
    """A task definition of one container, for Fargate."""
    container = {
        "name": "web",
        "image": "public.ecr.aws/nginx/nginx:1.27",
        "essential": True,
        "portMappings": [{"containerPort": 8080, "name": "http"}, {"containerPort": 8081, "name": "admin"}],
        "environment": [{"name": "MODE", "value": "plain"}],
    }
    whole = {
        "family": "web",
        "definition": [container],
        "image_owner": "declaration",
        "network_mode": "awsvpc",
        "requires_compatibilities": ["FARGATE"],
        "cpu": "256",
        "memory": "1024",
        "execution_role": ROLE.format("execution"),
        "task_role": ROLE.format("task"),
    }
    return {**whole, **changes}


NETWORK: dict[str, Any] = {
    "vpc": {"name": "web", "cidr_block": "10.0.0.0/16"},
    "internet_gateway": {"name": "web"},
    "subnets": [
        {"name": "web-a", "cidr_block": "10.0.0.0/24", "availability_zone": "us-east-1a", "public": True},
        {"name": "web-b", "cidr_block": "10.0.1.0/24", "availability_zone": "us-east-1b", "public": True},
    ],
    "security_groups": [
        {"name": "web", "description": "The tasks"},
        {"name": "web-more", "description": "More of them"},
    ],
}


def forward(port: int, group: str) -> dict[str, Any]:
    action = {"type": "forward", "target_groups": [{"name": group}]}
    return {"port": port, "protocol": "HTTP", "default_action": action}


def group(name: str, kind: str) -> dict[str, Any]:
    return {"name": name, "vpc": "web", "port": 8080, "protocol": "HTTP", "target_type": kind}


def load_balancer(kind: str) -> dict[str, Any]:
    """Two listeners, each with a target group of its own."""
    balancer = {
        "name": "web",
        "subnets": ["web-a", "web-b"],
        "security_groups": ["web"],
        "deletion_protection_enabled": False,
        "listeners": [forward(80, "web"), forward(81, "web-more")],
    }
    return {"load_balancers": [balancer], "target_groups": [group("web", kind), group("web-more", kind)]}


FARGATE: Declared = {
    "network": {"platform": NETWORK},
    "alb": {"platform": load_balancer("ip")},
    "ecs": {
        "platform": {
            "clusters": [{"name": "web", "capacity_providers": ["FARGATE", "FARGATE_SPOT"]}],
        },
        "web": {
            "task_definitions": [task_definition()],
            "services": [
                {
                    "name": "web",
                    "cluster": "web",
                    "task_definition": "web",
                    "image_owner": "declaration",
                    "desired_count": 0,
                    "launch_type": "FARGATE",
                    "platform_version": "LATEST",
                    "network_configuration": {"subnets": ["web-a"], "security_groups": ["web"]},
                    "load_balancers": [{"target_group": "web", "container_name": "web", "container_port": 8080}],
                    "service_registries": [{"registry_arn": REGISTRY.format("a")}],
                    "deployment_configuration": {
                        "minimum_healthy_percent": 100,
                        "maximum_percent": 200,
                        "deployment_circuit_breaker": {"enable": True, "rollback": True},
                        "alarms": {"alarm_names": ["errors"], "enable": True, "rollback": True},
                        "strategy": "ROLLING",
                        "bake_time_in_minutes": 0,
                    },
                    "health_check_grace_period_seconds": 30,
                    "availability_zone_rebalancing": "ENABLED",
                    "enable_execute_command": False,
                    "enable_ecs_managed_tags": False,
                    "propagate_tags": "NONE",
                    "service_connect_configuration": {
                        "enabled": True,
                        "namespace": "arn:aws:servicediscovery:us-east-1:123456789012:namespace/ns-a",
                        "services": [{"port_name": "http", "client_aliases": [{"port": 80, "dns_name": "web"}]}],
                    },
                    "wait_for_steady_state": False,
                    "tags": {"Team": "web"},
                }
            ],
        },
    },
}

ON_INSTANCES: Declared = {
    "ecs": {
        "platform": {"clusters": [{"name": "web"}]},
        "web": {
            "task_definitions": [
                task_definition(
                    network_mode="bridge",
                    requires_compatibilities=["EC2"],
                    execution_role=ROLE.format("execution"),
                )
            ],
            "services": [
                {
                    "name": "web",
                    "cluster": "web",
                    "task_definition": "web",
                    "image_owner": "declaration",
                    "desired_count": 0,
                    "launch_type": "EC2",
                    "scheduling_strategy": "REPLICA",
                    "placement_constraints": [{"type": "memberOf", "expression": "attribute:disk == ssd"}],
                    "placement_strategy": [{"type": "spread", "field": "attribute:ecs.availability-zone"}],
                    "deployment_controller": "ECS",
                    "wait_for_steady_state": False,
                }
            ],
        },
    },
}

# A service that reaches its load balancer with a role of its own.
WITH_ROLE: Declared = copy.deepcopy(ON_INSTANCES)
WITH_ROLE["network"] = {"platform": NETWORK}
WITH_ROLE["alb"] = {"platform": load_balancer("instance")}
WITH_ROLE["iam"] = {
    "platform": {"roles": [{"name": "ecs-one", "preset": "ecs_service"}, {"name": "ecs-two", "preset": "ecs_service"}]}
}
WITH_ROLE["ecs"]["web"]["services"][0].update(
    role="ecs-one",
    load_balancers=[{"target_group": "web", "container_name": "web", "container_port": 8080}],
)

CLUSTERS: Declared = {
    "ecs": {
        "platform": {
            "clusters": [
                {
                    "name": "web",
                    "container_insights": "enabled",
                    "capacity_providers": ["FARGATE"],
                    "default_capacity_provider_strategy": [{"capacity_provider": "FARGATE", "weight": 1}],
                    "execute_command_configuration": {
                        "kms_key_id": KEY.format(1),
                        "logging": "OVERRIDE",
                        "log_configuration": {
                            "cloud_watch_log_group_name": "/ecs/exec",
                            "cloud_watch_encryption_enabled": False,
                            "s3_bucket_name": "exec-logs",
                            "s3_encryption_enabled": False,
                            "s3_key_prefix": "exec",
                        },
                    },
                    "managed_storage_configuration": {
                        "kms_key_id": KEY.format(1),
                        "fargate_ephemeral_storage_kms_key_id": KEY.format(1),
                    },
                    "service_connect_defaults": {
                        "namespace": "arn:aws:servicediscovery:us-east-1:123456789012:namespace/ns-a"
                    },
                    "tags": {"Team": "web"},
                }
            ]
        }
    }
}

LOG_GROUPS: Declared = {
    "ecs": {
        "web": {
            "log_groups": [
                {
                    "name": "/ecs/web",
                    "retention_in_days": 30,
                    "kms_key_id": KEY.format(1),
                    "deletion_protection_enabled": False,
                    "tags": {"Team": "web"},
                }
            ]
        }
    }
}

FAMILY: Declared = {"ecs": {"web": {"task_definitions": [task_definition()]}}}


def changed(base: Declared, change: Change) -> Declared:
    declared = copy.deepcopy(base)
    change(declared)
    return declared


def item(declared: Declared, part: str) -> dict[str, Any]:
    """The one item of a part (services, clusters …) in a declaration."""
    return next(host[part][0] for host in declared["ecs"].values() if part in host)


def nested(base: Declared, part: str, path: str, value: Any) -> Declared:
    """The base with one option changed: `a.b` is the option b in the option a of the part's item."""

    def change(declared: Declared) -> None:
        *parents, last = path.split(".")
        target = item(declared, part)
        for name in parents:
            target = target[name]
        target[last] = value

    return changed(base, change)


def update(base: Declared, part: str, address: str, path: str, value: Any, *paths: str, **more: Any) -> dict[str, Any]:
    declared = nested(base, part, path, value)
    return {"id": f"{part}.{path}", "declared": declared, "address": address, "paths": list(paths), **more}


def of_cluster(path: str, value: Any, *paths: str, address: str = CLUSTER, **more: Any) -> dict[str, Any]:
    return update(CLUSTERS, "clusters", address, path, value, *paths, **more)


def of_log_group(path: str, value: Any, *paths: str) -> dict[str, Any]:
    return update(LOG_GROUPS, "log_groups", "log_group//ecs/web", path, value, *paths)


def of_service(path: str, value: Any, *paths: str, **more: Any) -> dict[str, Any]:
    return update(FARGATE, "services", SERVICE, path, value, *paths, **more)


def on_instances(path: str, value: Any, *paths: str, **more: Any) -> dict[str, Any]:
    return update(ON_INSTANCES, "services", SERVICE, path, value, *paths, **more)


def of_task(path: str, value: Any, *paths: str) -> dict[str, Any]:
    return update(FAMILY, "task_definitions", TASK, path, value, *paths)


CONTAINER = "containerDefinitions[web]"
EXECUTE, STORAGE = "configuration.executeCommandConfiguration", "configuration.managedStorageConfiguration"
EXEC_LOGS, LOGGED = "execute_command_configuration.log_configuration", f"{EXECUTE}.logConfiguration"
ROLLOUT, BREAKER = "deploymentConfiguration", "deploymentConfiguration.deploymentCircuitBreaker"
CONNECT = "serviceConnectConfiguration"
PROVIDERS = "ecs_cluster_capacity_providers/web"

CLUSTER_UPDATES = [
    of_cluster("container_insights", "enhanced", "settings.containerInsights"),
    of_cluster("execute_command_configuration.kms_key_id", KEY.format(2), f"{EXECUTE}.kmsKeyId"),
    of_cluster(f"{EXEC_LOGS}.cloud_watch_log_group_name", "/ecs/other", f"{LOGGED}.cloudWatchLogGroupName"),
    of_cluster(f"{EXEC_LOGS}.cloud_watch_encryption_enabled", True, f"{LOGGED}.cloudWatchEncryptionEnabled"),
    of_cluster(f"{EXEC_LOGS}.s3_bucket_name", "other-logs", f"{LOGGED}.s3BucketName"),
    of_cluster(f"{EXEC_LOGS}.s3_encryption_enabled", True, f"{LOGGED}.s3EncryptionEnabled"),
    of_cluster(f"{EXEC_LOGS}.s3_key_prefix", "other", f"{LOGGED}.s3KeyPrefix"),
    of_cluster("managed_storage_configuration.kms_key_id", KEY.format(2), f"{STORAGE}.kmsKeyId"),
    of_cluster(
        "managed_storage_configuration.fargate_ephemeral_storage_kms_key_id",
        KEY.format(2),
        f"{STORAGE}.fargateEphemeralStorageKmsKeyId",
    ),
    of_cluster(
        "service_connect_defaults.namespace",
        "arn:aws:servicediscovery:us-east-1:123456789012:namespace/ns-b",
        "serviceConnectDefaults.namespace",
    ),
    of_cluster("tags.Team", "other", "tags.Team"),
    of_cluster("capacity_providers", ["FARGATE", "FARGATE_SPOT"], "capacityProviders", address=PROVIDERS),
    of_cluster(
        "default_capacity_provider_strategy",
        [{"capacity_provider": "FARGATE", "weight": 2, "base": 1}],
        "defaultCapacityProviderStrategy",
        address=PROVIDERS,
    ),
]

LOG_GROUP_UPDATES = [
    of_log_group("retention_in_days", 90, "retentionInDays"),
    of_log_group("kms_key_id", KEY.format(2), "kmsKeyId"),
    of_log_group("deletion_protection_enabled", True, "deletionProtectionEnabled"),
    of_log_group("tags.Team", "other", "tags.Team"),
]

TASK_UPDATES = [
    of_task("containers", {"web": {"image": "public.ecr.aws/nginx/nginx:1.28"}}, f"{CONTAINER}.image"),
    of_task(
        "containers",
        {"web": {"ports": [8080]}},
        f"{CONTAINER}.portMappings[8080/tcp].name",
        f"{CONTAINER}.portMappings[8081/tcp]",
    ),
    of_task(
        "containers",
        {"web": {"secrets": {"TOKEN": "arn:aws:ssm:us-east-1:123456789012:parameter/token"}}},
        f"{CONTAINER}.secrets[TOKEN]",
    ),
    of_task("containers", {"web": {"docker_labels": {"team": "web"}}}, f"{CONTAINER}.dockerLabels[team]"),
    of_task("containers", {"web": {"cpu": 64, "memory": 128}}, f"{CONTAINER}.cpu", f"{CONTAINER}.memory"),
    of_task("volumes", [{"name": "scratch"}], "volumes[scratch]"),
    of_task("containers", {"web": {"environment": {"MODE": "fast"}}}, f"{CONTAINER}.environment[MODE]"),
    of_task("containers", {"web": {"environment": {"MODE": None}}}, f"{CONTAINER}.environment[MODE]"),
    of_task("containers", {"web": {"command": ["serve", "--fast"]}}, f"{CONTAINER}.command"),
    of_task(
        "containers", {"log": {"add": True, "image": "busybox:1", "essential": False}}, "containerDefinitions[log]"
    ),
    of_task("cpu", "512", "cpu"),
    of_task("memory", "2048", "memory"),
    of_task("execution_role", ROLE.format("other"), "executionRoleArn"),
    of_task("task_role", ROLE.format("other"), "taskRoleArn"),
    of_task("ephemeral_storage", 50, "ephemeralStorage"),
    of_task("runtime_platform", {"cpu_architecture": "ARM64"}, "runtimePlatform"),
]
for number, change_of_task in enumerate(TASK_UPDATES):
    change_of_task["id"] += f"-{number}"

SERVICE_UPDATES = [
    of_service("desired_count", 1, "desiredCount"),
    of_service("platform_version", "1.4.0", "platformVersion"),
    of_service("network_configuration.subnets", ["web-b", "web-a"], "networkConfiguration.awsvpcConfiguration.subnets"),
    of_service(
        "network_configuration.security_groups", ["web-more"], "networkConfiguration.awsvpcConfiguration.securityGroups"
    ),
    of_service(
        "network_configuration.assign_public_ip", True, "networkConfiguration.awsvpcConfiguration.assignPublicIp"
    ),
    of_service(
        "load_balancers",
        [{"target_group": "web-more", "container_name": "web", "container_port": 8081}],
        "loadBalancers",
    ),
    of_service("service_registries", [{"registry_arn": REGISTRY.format("b")}], "serviceRegistries"),
    of_service("deployment_configuration.minimum_healthy_percent", 50, f"{ROLLOUT}.minimumHealthyPercent"),
    of_service("deployment_configuration.maximum_percent", 150, f"{ROLLOUT}.maximumPercent"),
    of_service("deployment_configuration.deployment_circuit_breaker.enable", False, f"{BREAKER}.enable"),
    of_service("deployment_configuration.deployment_circuit_breaker.rollback", False, f"{BREAKER}.rollback"),
    of_service("deployment_configuration.alarms.alarm_names", ["latency"], f"{ROLLOUT}.alarms.alarmNames"),
    of_service("deployment_configuration.alarms.enable", False, f"{ROLLOUT}.alarms.enable"),
    of_service("deployment_configuration.alarms.rollback", False, f"{ROLLOUT}.alarms.rollback"),
    of_service("deployment_configuration.bake_time_in_minutes", 5, f"{ROLLOUT}.bakeTimeInMinutes"),
    of_service("health_check_grace_period_seconds", 60, "healthCheckGracePeriodSeconds"),
    of_service("availability_zone_rebalancing", "DISABLED", "availabilityZoneRebalancing"),
    of_service("enable_execute_command", True, "enableExecuteCommand"),
    of_service("enable_ecs_managed_tags", True, "enableECSManagedTags"),
    of_service("propagate_tags", "SERVICE", "propagateTags"),
    of_service(
        "service_connect_configuration.namespace",
        "arn:aws:servicediscovery:us-east-1:123456789012:namespace/ns-b",
        f"{CONNECT}.namespace",
    ),
    of_service(
        "service_connect_configuration.services",
        [{"port_name": "admin"}],
        f"{CONNECT}.services.admin",
        f"{CONNECT}.services.http",
    ),
    of_service("service_connect_configuration.enabled", False, f"{CONNECT}.enabled"),
    of_service("tags.Team", "other", "tags.Team"),
]


def on_spot(declared: Declared) -> None:
    service = item(declared, "services")
    del service["launch_type"]
    service["capacity_provider_strategy"] = [{"capacity_provider": "FARGATE_SPOT", "weight": 1}]


def as_daemon(declared: Declared) -> None:
    service = item(declared, "services")
    for option in ("desired_count", "placement_strategy"):
        del service[option]
    service["scheduling_strategy"] = "DAEMON"


SERVICE_UPDATES.append(
    {
        "id": "services.launch_type to a strategy",
        "declared": changed(FARGATE, on_spot),
        "address": SERVICE,
        "paths": ["capacityProviderStrategy"],
        "back": False,
    }
)

NEW_IMAGE = {"web": {"image": "public.ecr.aws/nginx/nginx:1.28"}}
INSTANCE_UPDATES = [
    update(
        ON_INSTANCES, "task_definitions", TASK, "containers", NEW_IMAGE, f"{CONTAINER}.image", consequences=[SERVICE]
    ),
    on_instances("placement_constraints", [{"type": "distinctInstance"}], "placementConstraints"),
    on_instances("placement_strategy", [{"type": "binpack", "field": "memory"}], "placementStrategy"),
    on_instances("deployment_controller", "EXTERNAL", "deploymentController.type"),
    on_instances("launch_type", "EXTERNAL", "launchType", action="replace"),
    {
        "id": "services.scheduling_strategy",
        "declared": changed(ON_INSTANCES, as_daemon),
        "address": SERVICE,
        "action": "replace",
        "paths": ["schedulingStrategy"],
    },
]

ROLE_UPDATES = [
    update(WITH_ROLE, "services", SERVICE, "role", "ecs-two", "role", action="replace"),
    {
        "id": "services.load_balancers of a target group that is replaced",
        "declared": changed(
            WITH_ROLE, lambda declared: declared["alb"]["platform"]["target_groups"][0].update(port=9090)
        ),
        "address": "target_group/web",
        "action": "replace",
        "paths": ["Port"],
        "consequences": [SERVICE, "listener/web:80"],
    },
]

CASES = [
    {"id": "log group", "kind": "log_group", "declared": LOG_GROUPS, "updates": LOG_GROUP_UPDATES},
    {
        "id": "cluster",
        "kind": "ecs_cluster",
        "also": ["ecs_cluster_capacity_providers"],
        "declared": CLUSTERS,
        "updates": CLUSTER_UPDATES,
    },
    {"id": "task definition", "kind": "ecs_task_definition", "declared": FAMILY, "updates": TASK_UPDATES},
    {"id": "service on Fargate", "kind": "ecs_service", "declared": FARGATE, "updates": SERVICE_UPDATES},
    {"id": "service with a role", "kind": "ecs_service", "declared": WITH_ROLE, "updates": ROLE_UPDATES},
    {"id": "service on instances", "kind": "ecs_service", "declared": ON_INSTANCES, "updates": INSTANCE_UPDATES},
]
