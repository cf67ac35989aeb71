# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One canonical form of a task definition, equal for what is declared and what DescribeTaskDefinition returns of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from ansible_collections.dockyard.aws.plugins.module_utils.task_definition.model import (
    DESCRIBE_ONLY,
    fitted,
    input_shape,
)
from ansible_collections.dockyard.aws.plugins.module_utils.task_definition.sizes import cpu_units, memory_mib
from ansible_collections.dockyard.aws.plugins.module_utils.task_definition.values import is_open

# Lists whose order means nothing to AWS, and the member that identifies an item ("" for scalars).
# Order stays where it has a meaning: command, entryPoint, links, dnsServers, dnsSearchDomains, environmentFiles,
# a health check's command, tmpfs mount options.
_UNORDERED = {
    "containerDefinitions": "name",
    "volumes": "name",
    "requiresCompatibilities": "",
    "placementConstraints": "expression",
    "tags": "key",
    "inferenceAccelerators": "deviceName",
    "properties": "name",
    "environment": "name",
    "secrets": "name",
    "secretOptions": "name",
    "portMappings": "containerPort",
    "mountPoints": "containerPath",
    "volumesFrom": "sourceContainer",
    "dependsOn": "containerName",
    "ulimits": "name",
    "systemControls": "namespace",
    "resourceRequirements": "type",
    "extraHosts": "hostname",
    "dockerSecurityOptions": "",
    "add": "",
    "drop": "",
    "devices": "hostPath",
    "permissions": "",
    "tmpfs": "containerPath",
    "ignoredExitCodes": "",
}

# Booleans that are not simply false where they are absent.
_EXPLICIT_BOOLEANS = ("essential", "enabled")
# Texts that may be empty: an empty value is a value.
_EXPLICIT_TEXTS = ("value",)
# Settings that AWS takes where nothing is given; leaving them out is the same as giving them.
_IMPLIED = {
    "versionConsistency": "enabled",
    "transitEncryption": "DISABLED",
    "iam": "DISABLED",
    "transitEncryptionPort": 0,
}


def canonical(task_definition: Mapping[str, Any]) -> dict[str, Any]:
    """The canonical form: AWS's defaults filled in, empty fields left out, order-free lists sorted.

    The argument is not changed, and a canonical form is its own canonical form.
    """
    declared = {key: value for key, value in task_definition.items() if key not in DESCRIBE_ONLY}
    result = _reduced(fitted(declared, input_shape()), input_shape())
    _task_defaults(result)
    for container in _objects(result.get("containerDefinitions")):
        _container_defaults(container, result["networkMode"])
    for volume in _objects(result.get("volumes")):
        _volume_defaults(volume)
    return dict(_ordered("", result))


def _reduced(value: Any, shape: Any) -> Any:
    """The value without everything that says nothing: nulls, empty lists and objects, false, implied settings."""
    if shape.type_name == "structure" and isinstance(value, dict):
        members = {
            key: _reduced(item, shape.members[key]) if key in shape.members else item for key, item in value.items()
        }
        return {key: item for key, item in members.items() if not _says_nothing(key, item)}
    if shape.type_name == "list" and isinstance(value, list):
        return [_reduced(item, shape.member) for item in value if item is not None]
    return value


def _says_nothing(name: str, value: Any) -> bool:
    if value is None or (isinstance(value, (dict, list)) and not value):
        return True
    if isinstance(value, bool):
        return not value and name not in _EXPLICIT_BOOLEANS
    if isinstance(value, str) and not value:
        return name not in _EXPLICIT_TEXTS
    return name in _IMPLIED and value == _IMPLIED[name]


def _task_defaults(task: dict[str, Any]) -> None:
    compatibilities = task.get("requiresCompatibilities")
    fargate = isinstance(compatibilities, list) and "FARGATE" in compatibilities
    task.setdefault("networkMode", "awsvpc" if fargate else "bridge")
    for name, convert in (("cpu", cpu_units), ("memory", memory_mib)):
        if name in task:
            task[name] = _size(task[name], convert)
    platform = task.get("runtimePlatform")
    if isinstance(platform, dict):
        if fargate:
            platform.setdefault("operatingSystemFamily", "LINUX")
        if fargate or str(platform.get("operatingSystemFamily")).startswith("WINDOWS"):
            platform.setdefault("cpuArchitecture", "X86_64")
    if isinstance(task.get("proxyConfiguration"), dict):
        task["proxyConfiguration"].setdefault("type", "APPMESH")
        for item in _objects(task["proxyConfiguration"].get("properties")):
            item.setdefault("value", "")
    tags = [tag for tag in _objects(task.pop("tags", None)) if not str(tag.get("key")).lower().startswith("aws:")]
    for tag in tags:
        tag.setdefault("value", "")
    if tags:
        task["tags"] = tags


def _size(value: Any, convert: Callable[[str], int | None]) -> Any:
    amount = convert(value) if isinstance(value, str) and not is_open(value) else None
    return value if amount is None else str(amount)


def _container_defaults(container: dict[str, Any], network_mode: Any) -> None:
    container.setdefault("essential", True)
    container.setdefault("cpu", 0)
    for variable in _objects(container.get("environment")):
        variable.setdefault("value", "")
    for mapping in _objects(container.get("portMappings")):
        _port_defaults(mapping, network_mode)
    check = container.get("healthCheck")
    if isinstance(check, dict):
        for name, seconds in (("interval", 30), ("timeout", 5), ("retries", 3), ("startPeriod", 0)):
            check.setdefault(name, seconds)
    policy = container.get("restartPolicy")
    if isinstance(policy, dict) and policy.get("enabled") is True:
        policy.setdefault("restartAttemptPeriod", 300)
    if isinstance(container.get("firelensConfiguration"), dict):
        _firelens_defaults(container)
    parameters = container.get("linuxParameters")
    for device in _objects(parameters.get("devices") if isinstance(parameters, dict) else None):
        device.setdefault("permissions", ["read", "write", "mknod"])


def _port_defaults(mapping: dict[str, Any], network_mode: Any) -> None:
    mapping.setdefault("protocol", "tcp")
    if "containerPortRange" in mapping:
        if not mapping.get("hostPort"):
            mapping.pop("hostPort", None)
    elif network_mode in ("awsvpc", "host"):
        mapping["hostPort"] = mapping.get("hostPort") or mapping.get("containerPort")
    else:
        mapping.setdefault("hostPort", 0)


def _firelens_defaults(container: dict[str, Any]) -> None:
    """AWS runs the log router as root unless it is told otherwise, and shows that; metadata is on by default."""
    container.setdefault("user", "0")
    firelens = container["firelensConfiguration"]
    options = firelens.get("options")
    if isinstance(options, dict) and options.get("enable-ecs-log-metadata") == "true":
        del options["enable-ecs-log-metadata"]
        if not options:
            del firelens["options"]


def _volume_defaults(volume: dict[str, Any]) -> None:
    efs = volume.get("efsVolumeConfiguration")
    if isinstance(efs, dict):
        efs.setdefault("rootDirectory", "/")
    docker = volume.get("dockerVolumeConfiguration")
    if isinstance(docker, dict):
        docker.setdefault("scope", "task")
        docker.setdefault("driver", "local")


def _ordered(name: str, value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _ordered(key, item) for key, item in value.items()}
    if not isinstance(value, list):
        return value
    items = [_ordered("", item) for item in value]
    if name not in _UNORDERED:
        return items
    return sorted(items, key=lambda item: _sort_key(item, _UNORDERED[name]))


def _sort_key(item: Any, member: str) -> tuple[str, str]:
    identity = item.get(member) if member and isinstance(item, dict) else item
    number = f"{identity:020d}" if isinstance(identity, int) else str(identity)
    return number, json.dumps(item, sort_keys=True, default=str)


def _objects(values: Any) -> list[dict[str, Any]]:
    return [value for value in values if isinstance(value, dict)] if isinstance(values, list) else []
