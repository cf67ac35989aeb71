# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The layer `ecs`: clusters, log groups, task definitions, services."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ansible_collections.dockyard.aws.plugins.module_utils.layers import (
    ecs_reachability,
    ecs_services,
    ecs_task_definitions,
    ecs_wiring,
)
from ansible_collections.dockyard.aws.plugins.module_utils.layers import ecs_service_rules as rules
from ansible_collections.dockyard.aws.plugins.module_utils.layers.base import (
    Declaration,
    Environment,
    Layer,
    api_names,
)
from ansible_collections.dockyard.aws.plugins.module_utils.layers.ecs_options import (
    CLUSTER,
    LOG_GROUP,
    TASK_DEFINITION,
    mappings,
)
from ansible_collections.dockyard.aws.plugins.module_utils.layers.ecs_service_options import SERVICE
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.model import Address, Problem, Ref, Resource

PARTS = ("clusters", "log_groups", "task_definitions", "services")


class Ecs(Layer):
    NAME = "ecs"
    DESCRIPTION = "Amazon ECS clusters, log groups, task definitions and services"
    ARGUMENT_SPEC = {
        "clusters": mappings("Clusters.", CLUSTER),
        "log_groups": mappings("Log groups that several task definitions share.", LOG_GROUP),
        "task_definitions": mappings("Task definitions.", TASK_DEFINITION),
        "services": mappings("Services.", SERVICE),
    }

    def resources(self, declaration: Declaration, environment: Environment) -> Iterator[Resource]:
        for cluster in _items(declaration, "clusters"):
            yield from _cluster(cluster, environment)
        for group in _items(declaration, "log_groups"):
            yield ecs_task_definitions.log_group(group, environment, f"ecs.log_groups[{group['name']}]")
        for task in _items(declaration, "task_definitions"):
            if task["log_group"]:
                where = f"{ecs_task_definitions.place(task)}.log_group"
                yield ecs_task_definitions.log_group(task["log_group"], environment, where)
            yield ecs_task_definitions.task_definition(task, environment, declaration.base_dir)
        for service in _items(declaration, "services"):
            yield ecs_services.resource(service, environment)

    def validate(self, declarations: Sequence[Declaration], environment: Environment) -> Iterator[Problem]:
        clusters = {item["name"]: item for each in declarations for item in _items(each, "clusters")}
        services = [item for each in declarations for item in _items(each, "services")]
        where = {_address(item): _launch_types(item, clusters) for item in services}
        definitions: dict[str, Any] = {}
        for declaration in declarations:
            for place, message in _own_problems(declaration):
                yield Problem(declaration.host, place, message)
            for task in _items(declaration, "task_definitions"):
                using = [where[_address(item)] for item in services if ecs_services.family(item) == task["family"]]
                launch_types = sorted(set().union(*using))
                found = ecs_task_definitions.problems(task, environment, declaration.base_dir, launch_types)
                definitions[task["family"]] = found[0]
                place = ecs_task_definitions.place(task)
                yield from (Problem(declaration.host, place, message) for message in found[1])
        for declaration in declarations:
            for service in _items(declaration, "services"):
                definition = definitions.get(ecs_services.family(service))
                found_here = rules.service_problems(service, definition, where[_address(service)])
                messages = [*found_here, *_provider_problems(service, clusters)]
                yield from (Problem(declaration.host, ecs_services.place(service), text) for text in messages)

    def connect(self, declared: Mapping[Address, Resource]) -> None:
        ecs_wiring.connect(declared)

    def check(self, declarations: Sequence[Declaration], declared: Mapping[Address, Resource]) -> Iterator[Problem]:
        for resource in declared.values():
            if resource.kind == "ecs_task_definition":
                for message in ecs_wiring.owner_problems(resource, declared):
                    yield Problem(resource.host, resource.where, message)
        for host, options, service, task in _services(declarations, declared):
            mode = rules.network_mode(task, rules.launch_types(options))
            for message in ecs_wiring.group_problems(service, mode, declared):
                yield Problem(host, service.where, message)

    def warn(self, declarations: Sequence[Declaration], declared: Mapping[Address, Resource]) -> Iterator[Problem]:
        for host, options, service, task in _services(declarations, declared):
            for message in ecs_wiring.deadlock(options, service, task, declared):
                yield Problem(host, service.where, message)
            for message in ecs_wiring.unforwarded(service, declared):
                yield Problem(host, service.where, message)

    def warn_of_what_is_there(
        self, declared: Mapping[Address, Resource], attributes: Mapping[Address, Mapping[str, Any]]
    ) -> Iterator[Problem]:
        for service in (item for item in declared.values() if item.kind == "ecs_service"):
            for message in ecs_reachability.warnings(service, declared, attributes):
                yield Problem(service.host, service.where, message)


def _items(declaration: Declaration, part: str) -> list[dict[str, Any]]:
    return declaration.options[part] or []


def _address(service: Mapping[str, Any]) -> str:
    return f"{service['cluster']}/{service['name']}"


def _launch_types(service: Mapping[str, Any], clusters: Mapping[str, Mapping[str, Any]]) -> set[str]:
    default = clusters.get(service["cluster"], {}).get("default_capacity_provider_strategy")
    return rules.launch_types(service, default)


def _services(
    declarations: Sequence[Declaration], declared: Mapping[Address, Resource]
) -> Iterator[tuple[str, Mapping[str, Any], Resource, Mapping[str, Any]]]:
    """The services that run a declared, whole task definition."""
    for declaration in declarations:
        for options in _items(declaration, "services"):
            service = declared[Address("ecs_service", _address(options))]
            task = declared.get(Address("ecs_task_definition", ecs_services.family(options)))
            if task is not None and "containerDefinitions" in task.properties:
                yield declaration.host, options, service, task.properties


def _own_problems(declaration: Declaration) -> Iterator[tuple[str, str]]:
    """What is wrong with clusters and log groups, and with names that are there twice on one host."""
    keys = {"clusters": "name", "log_groups": "name", "task_definitions": "family"}
    for part, key in keys.items():
        names = Counter(item[key] for item in _items(declaration, part))
        yield from ((f"ecs.{part}[{name}]", f"is there {count} times") for name, count in names.items() if count > 1)
    services = Counter(_address(item) for item in _items(declaration, "services"))
    yield from ((f"ecs.services[{name}]", f"is there {n} times") for name, n in services.items() if n > 1)
    for cluster in _items(declaration, "clusters"):
        yield from ((f"ecs.clusters[{cluster['name']}]", message) for message in _cluster_problems(cluster))
    for group in _items(declaration, "log_groups"):
        found = ecs_task_definitions.log_group_problems(group)
        yield from ((f"ecs.log_groups[{group['name']}]", message) for message in found)
    for task in _items(declaration, "task_definitions"):
        found = ecs_task_definitions.log_group_problems(task["log_group"]) if task["log_group"] else iter(())
        yield from ((f"{ecs_task_definitions.place(task)}.log_group", message) for message in found)


def _cluster_problems(cluster: Mapping[str, Any]) -> Iterator[str]:
    yield from rules.name_problem("name", cluster["name"])
    option, providers = "default_capacity_provider_strategy", cluster["capacity_providers"] or ()
    items = cluster[option] or ()
    yield from rules.strategy_problems(option, items)
    for item in items:
        if item["capacity_provider"] not in providers:
            listed = ", ".join(providers) or "none"
            yield f"{option}: {item['capacity_provider']!r} is not in capacity_providers, which has: {listed}"
    for name, count in Counter(providers).items():
        if count > 1:
            yield f"capacity_providers: {name!r} is there {count} times"
    command = cluster["execute_command_configuration"] or {}
    logs = command.get("log_configuration")
    if (command.get("logging") == "OVERRIDE") != bool(logs):
        yield "execute_command_configuration: logging OVERRIDE and log_configuration go together"
    if logs and not (logs["cloud_watch_log_group_name"] or logs["s3_bucket_name"]):
        yield "execute_command_configuration.log_configuration: needs cloud_watch_log_group_name or s3_bucket_name"


def _provider_problems(service: Mapping[str, Any], clusters: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    providers = clusters.get(service["cluster"], {}).get("capacity_providers")
    for item in service["capacity_provider_strategy"] or ():
        if providers is not None and item["capacity_provider"] not in providers:
            yield (
                f"capacity_provider_strategy: {item['capacity_provider']!r} is not among the capacity_providers of the "
                f"cluster {service['cluster']!r}: {', '.join(providers) or 'none'}"
            )


def _cluster(cluster: Mapping[str, Any], environment: Environment) -> Iterator[Resource]:
    where, name = f"ecs.clusters[{cluster['name']}]", cluster["name"]
    properties: dict[str, Any] = {}
    if cluster["container_insights"]:
        properties["settings"] = {"containerInsights": cluster["container_insights"]}
    parts = ("execute_command_configuration", "managed_storage_configuration")
    if configuration := api_names({part: cluster[part] for part in parts}):
        properties["configuration"] = configuration
    if cluster["service_connect_defaults"]:
        properties["serviceConnectDefaults"] = dict(cluster["service_connect_defaults"])
    labels = {**environment.tags, **(cluster["tags"] or {})}
    yield Resource("ecs_cluster", name, properties, where=where, tags=labels, protect=cluster["protect"])
    if cluster["capacity_providers"] is not None:
        strategy = ecs_services.strategy(cluster["default_capacity_provider_strategy"] or [], where)
        providers = [
            ecs_services.provider(item, f"{where}.capacity_providers") for item in cluster["capacity_providers"]
        ]
        yield Resource(
            "ecs_cluster_capacity_providers",
            name,
            {"capacityProviders": providers, "defaultCapacityProviderStrategy": strategy},
            where=where,
            scope={"cluster": Ref("ecs_cluster", name, "name", where=where)},
        )
