# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Amazon ECS refuses of a service, told before anything is written."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ansible_collections.dockyard.aws.plugins.module_utils.layers.ecs_services import FARGATE_PROVIDERS

NAME = re.compile(r"[A-Za-z0-9_-]{1,255}")
CLASSIC = "load_balancer_name"
ROLLOUT_RANGES = {
    "bake_time_in_minutes": (0, 1440),
    "minimum_healthy_percent": (0, 100),
    "maximum_percent": (100, 100_000),
}
STEP_RANGES: dict[str, tuple[str, dict[str, tuple[float, float]]]] = {
    "linear_configuration": ("LINEAR", {"step_percent": (3, 100), "step_bake_time_in_minutes": (0, 1440)}),
    "canary_configuration": ("CANARY", {"canary_percent": (0.1, 100), "canary_bake_time_in_minutes": (0, 1440)}),
}


def name_problem(option: str, name: str) -> Iterator[str]:
    if not NAME.fullmatch(name):
        yield f"{option}: got {name!r}, allowed: letters, digits, '-', '_', at most 255"


def launch_types(service: Mapping[str, Any], default: Sequence[Mapping[str, Any]] | None = None) -> set[str]:
    """Where the service's tasks run. default: the strategy of its cluster; empty where nothing says it."""
    if service["launch_type"]:
        return {service["launch_type"]}
    names = {item["capacity_provider"] for item in service["capacity_provider_strategy"] or default or ()}
    return {"FARGATE" if name in FARGATE_PROVIDERS else "EC2" for name in names}


def service_problems(service: Mapping[str, Any], task: Mapping[str, Any] | None, where: set[str]) -> Iterator[str]:
    """task: the task definition it runs, where that is declared. where: the launch types."""
    yield from name_problem("name", service["name"])
    yield from name_problem("cluster", service["cluster"])
    yield from _capacity(service, where)
    yield from _scheduling(service, where)
    yield from _deployment(service)
    yield from _strategies(service)
    yield from _load_balancers(service)
    yield from _rebalancing(service, where)
    yield from _ranges(service)
    yield from _deploys(service, task)
    if task is not None:
        yield from _with_task(service, task, where)


def _capacity(service: Mapping[str, Any], where: set[str]) -> Iterator[str]:
    if service["launch_type"] and service["capacity_provider_strategy"]:
        yield "launch_type and capacity_provider_strategy cannot both be given"
    yield from strategy_problems("capacity_provider_strategy", service["capacity_provider_strategy"] or ())
    if service["platform_version"] and where and "FARGATE" not in where:
        yield f"platform_version: is for Fargate only, the service runs on {', '.join(sorted(where))}"


def strategy_problems(option: str, items: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    names = [item["capacity_provider"] for item in items]
    yield from (f"{option}: {name!r} is there {count} times" for name, count in Counter(names).items() if count > 1)
    if len({name in FARGATE_PROVIDERS for name in names}) > 1:
        yield f"{option}: got {', '.join(names)}: Fargate and Auto Scaling group capacity providers cannot be mixed"
    if len(items) > 20:
        yield f"{option}: has {len(items)} capacity providers, at most 20 are allowed"
    if sum(item["base"] > 0 for item in items) > 1:
        yield f"{option}: only one capacity provider may have a base"
    if items and not any(item["weight"] > 0 or item["base"] > 0 for item in items):
        yield f"{option}: at least one capacity provider needs a weight above 0"
    for item in items:
        for field, high in (("weight", 1000), ("base", 100_000)):
            if not 0 <= item[field] <= high:
                yield f"{option}[{item['capacity_provider']}].{field}: got {item[field]}, allowed: 0..{high}"


def _scheduling(service: Mapping[str, Any], where: set[str]) -> Iterator[str]:
    daemon = service["scheduling_strategy"] == "DAEMON"
    if daemon and service["desired_count"] is not None:
        yield f"desired_count: got {service['desired_count']}, a DAEMON service runs one task on each instance"
    if not daemon and service["desired_count"] is None:
        yield "desired_count: is required (a service with scheduling_strategy DAEMON has none)"
    if daemon and service["desired_count_owner"] == "autoscaling":
        yield "desired_count_owner: a DAEMON service cannot be scaled"
    if daemon and service["placement_strategy"]:
        yield "placement_strategy: is not allowed with scheduling_strategy DAEMON"
    if daemon and "FARGATE" in where:
        yield "scheduling_strategy: DAEMON is not possible on Fargate"
    if "FARGATE" in where:
        for option in ("placement_strategy", "placement_constraints"):
            if service[option]:
                yield f"{option}: is not possible on Fargate, which has no container instances"
    for number, item in enumerate(service["placement_constraints"] or ()):
        if (item["type"] == "memberOf") != bool(item["expression"]):
            word = "needs an" if item["type"] == "memberOf" else "takes no"
            yield f"placement_constraints[{number}].expression: {item['type']} {word} expression"
    for number, item in enumerate(service["placement_strategy"] or ()):
        if item["type"] == "binpack" and item["field"] not in ("cpu", "memory"):
            yield f"placement_strategy[{number}].field: got {item['field']!r}, binpack allows: cpu, memory"
        if item["type"] == "spread" and not item["field"]:
            yield f"placement_strategy[{number}].field: is required for spread"


def _deployment(service: Mapping[str, Any]) -> Iterator[str]:
    given, daemon = service["deployment_configuration"] or {}, service["scheduling_strategy"] == "DAEMON"
    default_low, default_high = (0, 100) if daemon else (100, 200)
    low, high = given.get("minimum_healthy_percent"), given.get("maximum_percent")
    low, high = default_low if low is None else low, default_high if high is None else high
    if daemon and high != 100:
        yield f"deployment_configuration.maximum_percent: got {high}, a DAEMON service allows 100"
    elif low >= 100 and high <= 100:
        yield (
            f"deployment_configuration: minimum_healthy_percent {low} and maximum_percent {high} block every "
            "deployment: no task may stop first and none may start first"
        )
    controller = service["deployment_controller"] or "ECS"
    if controller != "ECS":
        for option in ("deployment_circuit_breaker", "alarms", "strategy", "lifecycle_hooks"):
            if given.get(option) is not None:
                yield f"deployment_configuration.{option}: needs the deployment_controller ECS, got {controller}"
    threshold = (given.get("deployment_circuit_breaker") or {}).get("threshold_configuration")
    if threshold and threshold["value"] < 1:
        path = "deployment_configuration.deployment_circuit_breaker.threshold_configuration.value"
        yield f"{path}: got {threshold['value']}, must be at least 1"
    for number, hook in enumerate(given.get("lifecycle_hooks") or ()):
        if hook["target_type"] != "PAUSE" and not (hook["hook_target_arn"] and hook["role"]):
            yield f"deployment_configuration.lifecycle_hooks[{number}]: a function needs hook_target_arn and role"


def _strategies(service: Mapping[str, Any]) -> Iterator[str]:
    given = service["deployment_configuration"] or {}
    kind = given.get("strategy") or "ROLLING"
    for option, (needed, ranges) in STEP_RANGES.items():
        if given.get(option) and kind != needed:
            yield f"deployment_configuration.{option}: needs strategy {needed}, got {kind}"
        yield from _out_of_range(f"deployment_configuration.{option}", given.get(option) or {}, ranges)
    if given.get("early_success_criteria") and kind != "ROLLING":
        yield f"deployment_configuration.early_success_criteria: needs strategy ROLLING, got {kind}"
    balanced = [item for item in service["load_balancers"] or () if not item["advanced_configuration"]]
    if kind != "ROLLING" and balanced:
        yield f"load_balancers: strategy {kind} needs advanced_configuration: {_containers(balanced)} has none"
    if kind == "ROLLING" and len(balanced) < len(service["load_balancers"] or ()):
        yield "load_balancers: advanced_configuration needs the strategy BLUE_GREEN, LINEAR or CANARY, got ROLLING"
    if kind in ("LINEAR", "CANARY") and not service["load_balancers"] and not service["service_connect_configuration"]:
        yield f"deployment_configuration.strategy: {kind} needs load_balancers or service_connect_configuration"


def _containers(items: Sequence[Mapping[str, Any]]) -> str:
    return ", ".join(f"{item['container_name']}:{item['container_port']}" for item in items)


def _load_balancers(service: Mapping[str, Any]) -> Iterator[str]:
    items = service["load_balancers"] or ()
    for number, item in enumerate(items):
        if bool(item["target_group"]) == bool(item[CLASSIC]):
            yield f"load_balancers[{number}]: needs either target_group or load_balancer_name"
        if not 1 <= item["container_port"] <= 65535:
            yield f"load_balancers[{number}].container_port: got {item['container_port']}, allowed: 1..65535"
    groups = Counter(item["target_group"] for item in items if item["target_group"])
    yield from (
        f"load_balancers: the target group {name!r} is there {count} times"
        for name, count in groups.items()
        if count > 1
    )
    if len(items) > 5:
        yield f"load_balancers: has {len(items)} target groups, ECS allows 5"
    grace = service["health_check_grace_period_seconds"]
    if grace is not None and not items:
        yield "health_check_grace_period_seconds: needs load_balancers"
    if service["role"] and not items:
        yield "role: needs load_balancers"


def _rebalancing(service: Mapping[str, Any], where: set[str]) -> Iterator[str]:
    if service["availability_zone_rebalancing"] != "ENABLED":
        return
    option, maximum = "availability_zone_rebalancing", (service["deployment_configuration"] or {}).get(
        "maximum_percent"
    )
    if service["scheduling_strategy"] == "DAEMON":
        yield f"{option}: ENABLED is not allowed with scheduling_strategy DAEMON"
    if "EXTERNAL" in where:
        yield f"{option}: ENABLED is not allowed with the launch type EXTERNAL"
    if maximum is not None and maximum <= 100:
        yield f"{option}: ENABLED needs a maximum_percent above 100, got {maximum}"
    if any(item[CLASSIC] for item in service["load_balancers"] or ()):
        yield f"{option}: ENABLED is not allowed with a Classic Load Balancer"
    first = (service["placement_strategy"] or [None])[0]
    zones = "attribute:ecs.availability-zone"
    if first is not None and (first["type"], first["field"]) != ("spread", zones):
        yield f"{option}: ENABLED needs spread over {zones} as the first placement_strategy, got {first['type']}"
    if any(zones in (item["expression"] or "") for item in service["placement_constraints"] or ()):
        yield f"{option}: ENABLED is not allowed with a placement constraint on {zones}"


def _ranges(service: Mapping[str, Any]) -> Iterator[str]:
    high = 2**31 - 1
    whole = {"desired_count": (0, high), "health_check_grace_period_seconds": (0, high), "wait_timeout": (1, 86_400)}
    whole["keep_revisions"] = (0, high)
    yield from _out_of_range("", service, whole)
    yield from _out_of_range("deployment_configuration", service["deployment_configuration"] or {}, ROLLOUT_RANGES)
    network = service["network_configuration"]
    if network:
        for option, low, most in (("subnets", 1, 16), ("security_groups", 0, 5)):
            count = len(network[option] or ())
            if not low <= count <= most:
                yield f"network_configuration.{option}: has {count} entries, ECS allows {low}..{most}"


def _deploys(service: Mapping[str, Any], task: Mapping[str, Any] | None) -> Iterator[str]:
    """One-off tasks whose names tell them apart and whose container is there."""
    items = service["deploy_tasks"] or ()
    for name, count in Counter(item["name"] for item in items).items():
        if count > 1:
            yield f"deploy_tasks: {name!r} is there {count} times"
    known = [item.get("name") for item in (task or {}).get("containerDefinitions") or ()]
    for item in items:
        path = f"deploy_tasks[{item['name']}]"
        yield from _out_of_range(path, item, {"timeout": (1, 86_400)})
        if item["container"] and known and not item["task_definition"] and item["container"] not in known:
            yield f"{path}.container: got {item['container']!r}, the task definition has: {', '.join(map(str, known))}"


def _out_of_range(path: str, values: Mapping[str, Any], ranges: Mapping[str, tuple[float, float]]) -> Iterator[str]:
    for option, (low, high) in ranges.items():
        value = values.get(option)
        if value is not None and not low <= value <= high:
            yield f"{path + '.' if path else ''}{option}: got {value}, allowed: {low}..{high}"


def network_mode(task: Mapping[str, Any], where: set[str]) -> str:
    return str(task.get("networkMode") or ("awsvpc" if "FARGATE" in where else "bridge"))


def _with_task(service: Mapping[str, Any], task: Mapping[str, Any], where: set[str]) -> Iterator[str]:
    mode = network_mode(task, where)
    if mode == "awsvpc" and not service["network_configuration"]:
        yield "network_configuration: is required, because the task definition has the network mode awsvpc"
    if mode != "awsvpc" and service["network_configuration"]:
        yield f"network_configuration: needs the network mode awsvpc, the task definition has {mode}"
    if mode == "awsvpc" and service["role"]:
        yield "role: is not allowed with the network mode awsvpc, which needs the service-linked role"
    public = (service["network_configuration"] or {}).get("assign_public_ip")
    if public and where and "FARGATE" not in where:
        yield "network_configuration.assign_public_ip: is possible on Fargate only"
    if service["enable_execute_command"] and not task.get("taskRoleArn"):
        yield "enable_execute_command: needs a task_role in the task definition"
    ports = {item["name"]: set(_ports(item)) for item in task.get("containerDefinitions") or () if item.get("name")}
    for number, item in enumerate(service["load_balancers"] or ()):
        yield from _port_problems(f"load_balancers[{number}]", item, ports)
    for number, item in enumerate(service["service_registries"] or ()):
        if item["container_name"]:
            yield from _port_problems(f"service_registries[{number}]", item, ports)


def _ports(container: Mapping[str, Any]) -> Iterator[int]:
    for mapping in container.get("portMappings") or ():
        if mapping.get("containerPort"):
            yield mapping["containerPort"]
        low, dash, high = str(mapping.get("containerPortRange") or "").partition("-")
        if dash and low.isdecimal() and high.isdecimal():
            yield from range(int(low), int(high) + 1)


def _port_problems(path: str, item: Mapping[str, Any], ports: Mapping[str, set[int]]) -> Iterator[str]:
    name, port = item["container_name"], item["container_port"]
    if name not in ports:
        yield f"{path}.container_name: got {name!r}, the task definition has: {', '.join(sorted(ports)) or 'none'}"
    elif port is not None and port not in ports[name]:
        shown = ", ".join(map(str, sorted(ports[name])[:10])) or "none"
        yield f"{path}.container_port: got {port}, the container {name!r} has the ports: {shown}"
