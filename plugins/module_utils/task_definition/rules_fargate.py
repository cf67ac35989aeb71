# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules for what Fargate does not offer, beyond sizes, network mode, volumes and log drivers."""

from __future__ import annotations

from collections.abc import Iterator

from ansible_collections.dockyard.aws.plugins.module_utils.task_definition.context import Task
from ansible_collections.dockyard.aws.plugins.module_utils.task_definition.shapes import Problem
from ansible_collections.dockyard.aws.plugins.module_utils.task_definition.values import shown

_TASK_FIELDS = ("placementConstraints", "ipcMode", "inferenceAccelerators")
_CONTAINER_FIELDS = ("privileged", "disableNetworking", "dnsServers", "dnsSearchDomains", "dockerSecurityOptions")
_LINUX_PARAMETERS = ("devices", "sharedMemorySize", "maxSwap", "swappiness")
_CAPABILITIES = ("SYS_PTRACE",)
_OPERATING_SYSTEMS = (
    "LINUX",
    "WINDOWS_SERVER_2019_CORE",
    "WINDOWS_SERVER_2019_FULL",
    "WINDOWS_SERVER_2022_CORE",
    "WINDOWS_SERVER_2022_FULL",
    "WINDOWS_SERVER_2025_CORE",
    "WINDOWS_SERVER_2025_FULL",
)


def task_fields(task: Task) -> Iterator[Problem]:
    if not task.fargate:
        return
    declared = [name for name in task.definition.get("requiresCompatibilities") or [] if isinstance(name, str)]
    if declared and "FARGATE" not in declared:
        yield Problem("requiresCompatibilities", f"got {', '.join(declared)}, but the service runs the task on FARGATE")
    for field in _TASK_FIELDS:
        if task.definition.get(field):
            yield Problem(field, "is not supported on Fargate")
    if task.definition.get("pidMode") == "host":
        yield Problem("pidMode", "got 'host', allowed on Fargate: task")
    if task.operating_system not in _OPERATING_SYSTEMS:
        yield Problem(
            "runtimePlatform.operatingSystemFamily",
            f"got {shown(task.operating_system)}, allowed on Fargate: {', '.join(_OPERATING_SYSTEMS)}",
        )


def container_fields(task: Task) -> Iterator[Problem]:
    if not task.fargate:
        return
    for path, value in task.containers:
        for field in _CONTAINER_FIELDS:
            if value.get(field):
                yield Problem(f"{path}.{field}", "is not supported on Fargate")
        parameters = value.get("linuxParameters")
        parameters = parameters if isinstance(parameters, dict) else {}
        for field in _LINUX_PARAMETERS:
            if parameters.get(field) is not None and parameters[field] != []:
                yield Problem(f"{path}.linuxParameters.{field}", "is not supported on Fargate")
        added = (parameters.get("capabilities") or {}).get("add") or []
        for index, capability in enumerate(added):
            if capability not in _CAPABILITIES:
                yield Problem(
                    f"{path}.linuxParameters.capabilities.add[{index}]",
                    f"got {shown(capability)}, allowed on Fargate: {', '.join(_CAPABILITIES)}",
                )


def accelerators(task: Task) -> Iterator[Problem]:
    if not task.fargate:
        return
    for _unused, item in task.each("resourceRequirements"):
        yield Problem(item.path, f"got {item.value.get('type')}, which is not supported on Fargate")


RULES = (task_fields, container_fields, accelerators)
