# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What only other declarations can tell of a service: the order of things, fitting target groups, room to deploy."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from ansible_collections.dockyard.aws.plugins.module_utils.layers import ecs_reachability
from ansible_collections.dockyard.aws.plugins.module_utils.layers.ecs_service_rules import launch_types, network_mode
from ansible_collections.dockyard.aws.plugins.module_utils.layers.ecs_task_definitions import awslogs
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.model import (
    Address,
    Ref,
    Resource,
    references_in,
)
from ansible_collections.dockyard.aws.plugins.module_utils.resources.ecs_task_definition import ON_LATEST, image_path

Declared = Mapping[Address, Resource]


def connect(declared: Declared) -> None:
    """Complete task definitions and services with what their own declarations do not know."""
    for resource in declared.values():
        if resource.kind == "ecs_task_definition":
            _after(resource, declared, _log_groups(resource))
            _own_images(resource, image_owner(resource, declared))
        elif resource.kind == "ecs_service":
            cluster = resource.name.split("/", 1)[0]
            _after(resource, declared, [Address("ecs_cluster_capacity_providers", cluster)])
            _after(resource, declared, _forwarding(resource, declared))
            ecs_reachability.look_at_subnets(resource, declared)


def _after(resource: Resource, declared: Declared, addresses: list[Address]) -> None:
    there = {ref.address for ref in resource.depends_on}
    refs = [
        Ref(*address, where=resource.where) for address in addresses if address in declared and address not in there
    ]
    resource.depends_on = (*resource.depends_on, *refs)


def _log_groups(resource: Resource) -> list[Address]:
    names = {options.get("awslogs-group") for _container, options in awslogs(resource.properties)}
    return [Address("log_group", name) for name in sorted(str(name) for name in names if name)]


def _forwarding(service: Resource, declared: Declared) -> list[Address]:
    """ECS accepts a target group only when a listener or a rule forwards to it."""
    groups = {ref.address for ref in references_in(service.properties) if ref.kind == "target_group"}
    return [
        address
        for address, resource in declared.items()
        if resource.kind in ("listener", "listener_rule")
        and groups & {ref.address for ref in references_in(resource.properties)}
    ]


def owners(resource: Resource, declared: Declared) -> dict[str, str]:
    """The services that follow a family, each with who owns the images there."""
    return {
        service.name: service.options["image_owner"]
        for service in declared.values()
        if service.kind == "ecs_service" and service.options.get("family") == resource.name
    }


def image_owner(resource: Resource, declared: Declared) -> str:
    of_services = list(owners(resource, declared).values())
    return (of_services or [resource.options.get("image_owner") or "declaration"])[0]


def _own_images(resource: Resource, owner: str) -> None:
    if owner == "pipeline" and ON_LATEST not in resource.properties:
        names = [container["name"] for container in resource.properties.get("containerDefinitions") or ()]
        resource.create_only = {image_path(name): "the pipeline" for name in names}


def owner_problems(resource: Resource, declared: Declared) -> Iterator[str]:
    of_services = owners(resource, declared)
    own = resource.options.get("image_owner")
    named = dict(of_services) | ({f"the family {resource.name}": own} if own else {})
    if len(set(named.values())) > 1:
        listed = ", ".join(f"{name} says {owner}" for name, owner in sorted(named.items()))
        yield f"image_owner: must be the same for all that use one family: {listed}"


def group_problems(service: Resource, mode: str, declared: Declared) -> Iterator[str]:
    """Tasks with a network interface of their own need targets by IP address, all others by instance."""
    wanted = "ip" if mode == "awsvpc" else "instance"
    for ref in references_in(service.properties.get("loadBalancers")):
        group = declared.get(ref.address)
        if ref.kind == "target_group" and group is not None:
            kind = group.properties.get("TargetType") or "instance"
            if kind != wanted:
                yield (
                    f"load_balancers.target_group: {group.name!r} has the target type {kind}, "
                    f"the network mode {mode} of the task definition needs {wanted}"
                )


def unforwarded(service: Resource, declared: Declared) -> Iterator[str]:
    """Declared target groups that no declared listener or rule forwards to."""
    if not any(address.kind in ("listener", "listener_rule", "load_balancer") for address in declared):
        return
    for ref in references_in(service.properties.get("loadBalancers")):
        if ref.kind == "target_group" and ref.address in declared and not _forwarding(service, declared):
            yield (
                f"load_balancers: no declared listener or rule forwards to the target group {ref.name!r}; "
                "ECS refuses the service unless one that is not declared here does"
            )


def deadlock(
    options: Mapping[str, Any], service: Resource, task: Mapping[str, Any], declared: Declared
) -> Iterator[str]:
    """A fixed host port, no room for a second task, and no leave to stop the first one."""
    ports = fixed_ports(task, network_mode(task, launch_types(options)))
    count, size = options["desired_count"], group_size(service, declared)
    if not ports or not count or options["scheduling_strategy"] == "DAEMON" or size is None:
        return
    given = options["deployment_configuration"] or {}
    minimum = 100 if given.get("minimum_healthy_percent") is None else given["minimum_healthy_percent"]
    shown = ", ".join(map(str, ports))
    if count > size:
        yield (
            f"desired_count: {count} tasks with the fixed host port {shown} need {count} container instances, "
            f"and the Auto Scaling group has a max_size of {size}"
        )
    elif count == size and math.ceil(count * minimum / 100) >= count:
        yield (
            f"deployment_configuration: no deployment can ever finish: the host port {shown} is fixed, so a new task "
            f"needs an instance without an old one, the Auto Scaling group has a max_size of {size}, and "
            f"minimum_healthy_percent {minimum} lets none of the {count} tasks stop first. Lower "
            "minimum_healthy_percent, raise max_size, or use host port 0"
        )


def fixed_ports(task: Mapping[str, Any], mode: str) -> list[int]:
    if mode not in ("bridge", "host"):
        return []
    mappings = [item for each in task.get("containerDefinitions") or () for item in each.get("portMappings") or ()]
    ports = [item.get("hostPort") or (item.get("containerPort") if mode == "host" else 0) for item in mappings]
    return sorted({port for port in ports if port})


def group_size(service: Resource, declared: Declared) -> int | None:
    """The largest number of container instances behind a service's capacity providers, where that is declared."""
    own = service.properties.get("capacityProviderStrategy")
    cluster = declared.get(Address("ecs_cluster_capacity_providers", service.name.split("/", 1)[0]))
    default = cluster.properties.get("defaultCapacityProviderStrategy") if cluster is not None else None
    strategy = own if own or service.properties.get("launchType") else default
    sizes: list[Any] = []
    for ref in references_in(strategy):
        provider = declared.get(ref.address)
        groups = references_in(provider.properties) if provider is not None else ()
        found = [declared[group.address] for group in groups if group.address in declared]
        sizes += [group.properties.get("MaxSize") for group in found if group.kind == "auto_scaling_group"]
    return sum(sizes) if sizes and all(isinstance(size, int) for size in sizes) else None
