# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The overrides of a task definition by name, and how each changes the field that it stands for.

For the task:

========================== ========================= =====================================================
override                   field                     value
========================== ========================= =====================================================
family                     family                    text
cpu                        cpu                       256, "256", "0.25 vCPU"
memory                     memory                    512, "512", "0.5 GB"
task_role_arn              taskRoleArn               ARN or name of the role
execution_role_arn         executionRoleArn          ARN or name of the role
network_mode               networkMode               bridge, host, awsvpc, none
requires_compatibilities   requiresCompatibilities   list
runtime_platform           runtimePlatform           object
ephemeral_storage          ephemeralStorage          object, or the size in GiB
volumes                    volumes                   list, replaces
pid_mode                   pidMode                   text
ipc_mode                   ipcMode                   text
placement_constraints      placementConstraints      list, replaces
proxy_configuration        proxyConfiguration        object, replaces
tags                       tags                      mapping, merged; null removes a tag
enable_fault_injection     enableFaultInjection      boolean
========================== ========================= =====================================================

For a container (`containers: {<container name>: {...}}`):

========================== ========================= =====================================================
override                   field                     value
========================== ========================= =====================================================
image                      image                     text
command                    command                   list, or a text that is split as a shell does
entry_point                entryPoint                list, or a text that is split as a shell does
environment                environment               mapping name to value, merged; null removes a variable
environment_files          environmentFiles          list of S3 ARNs or objects, replaces
secrets                    secrets                   mapping name to valueFrom, merged; null removes
cpu                        cpu                       integer
memory                     memory                    integer, MiB
memory_reservation         memoryReservation         integer, MiB
essential                  essential                 boolean
ports                      portMappings              list of 8082, "80:8082/tcp", "8000-8010" or objects, replaces
log_driver                 logConfiguration          text; another driver than before drops the old one's options
log_options                logConfiguration          mapping, merged; null removes an option
docker_labels              dockerLabels              mapping, merged; null removes a label
health_check               healthCheck               object, replaces
user                       user                      text
working_directory          workingDirectory          text
readonly_root_filesystem   readonlyRootFilesystem    boolean
ulimits                    ulimits                   list, replaces
mount_points               mountPoints               list, replaces
depends_on                 dependsOn                 list, replaces
start_timeout              startTimeout              integer, seconds
stop_timeout               stopTimeout               integer, seconds
linux_parameters           linuxParameters           object, replaces
system_controls            systemControls            list, replaces
restart_policy             restartPolicy             object, replaces
========================== ========================= =====================================================

A value of null removes the field; a caller leaves out what is not to be touched. Objects may use AWS's names or their
snake_case forms. A container also takes `add: true` (it may be new), `remove: true`, and `definition`: an object in
AWS's own form for everything without a name here, merged over the container last.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping
from typing import Any

from ansible_collections.dockyard.aws.plugins.module_utils.task_definition.errors import TaskDefinitionError
from ansible_collections.dockyard.aws.plugins.module_utils.task_definition.model import fitted, shape_of
from ansible_collections.dockyard.aws.plugins.module_utils.task_definition.ports import port_mapping
from ansible_collections.dockyard.aws.plugins.module_utils.task_definition.values import (
    as_text,
    is_integer,
    is_open,
    kind_of,
    shown,
)

TASK_OVERRIDES = {
    "family": "family",
    "cpu": "cpu",
    "memory": "memory",
    "task_role_arn": "taskRoleArn",
    "execution_role_arn": "executionRoleArn",
    "network_mode": "networkMode",
    "requires_compatibilities": "requiresCompatibilities",
    "runtime_platform": "runtimePlatform",
    "ephemeral_storage": "ephemeralStorage",
    "volumes": "volumes",
    "pid_mode": "pidMode",
    "ipc_mode": "ipcMode",
    "placement_constraints": "placementConstraints",
    "proxy_configuration": "proxyConfiguration",
    "tags": "tags",
    "enable_fault_injection": "enableFaultInjection",
}

CONTAINER_OVERRIDES = {
    "image": "image",
    "command": "command",
    "entry_point": "entryPoint",
    "environment": "environment",
    "environment_files": "environmentFiles",
    "secrets": "secrets",
    "cpu": "cpu",
    "memory": "memory",
    "memory_reservation": "memoryReservation",
    "essential": "essential",
    "ports": "portMappings",
    "log_driver": "logConfiguration",
    "log_options": "logConfiguration",
    "docker_labels": "dockerLabels",
    "health_check": "healthCheck",
    "user": "user",
    "working_directory": "workingDirectory",
    "readonly_root_filesystem": "readonlyRootFilesystem",
    "ulimits": "ulimits",
    "mount_points": "mountPoints",
    "depends_on": "dependsOn",
    "start_timeout": "startTimeout",
    "stop_timeout": "stopTimeout",
    "linux_parameters": "linuxParameters",
    "system_controls": "systemControls",
    "restart_policy": "restartPolicy",
}

# Not fields of a container, but what is to happen with it.
CONTAINER_ACTIONS = ("add", "remove", "definition")


def new_value(name: str, current: Any, value: Any, path: tuple[str, ...]) -> Any:
    """The field's value once the override is applied to the current one.

    name: of the override. path: of the field in the task definition, for the shape that the value must fit.
    """
    build = _BUILDERS.get(name)
    return build(current, value) if build else fitted(value, shape_of(*path))


def log_configuration(current: Any, override: Mapping[str, Any]) -> dict[str, Any] | None:
    """The log configuration after `log_driver` and `log_options`; another driver does not inherit options."""
    result = dict(current) if isinstance(current, Mapping) else {}
    if "log_driver" in override:
        driver = override["log_driver"]
        if driver is None:
            return None
        if driver != result.get("logDriver"):
            result = {"logDriver": driver}
    if "log_options" in override:
        options = merged_texts(result.get("options"), override["log_options"])
        result.pop("options", None)
        if options:
            result["options"] = options
    if not result.get("logDriver"):
        raise TaskDefinitionError("log_options needs a log driver: the base has none, so set log_driver too")
    return result


def merged_texts(current: Any, changes: Any) -> dict[str, str]:
    """A mapping of texts with changes merged in; null removes a key."""
    if changes is None:
        return {}
    _require_mapping(changes)
    result = dict(current) if isinstance(current, Mapping) else {}
    for key, value in changes.items():
        if value is None:
            result.pop(as_text(key), None)
        else:
            result[as_text(key)] = _text(key, value)
    return result


def deep_merged(base: Any, changes: Any) -> Any:
    """An object merged over another: objects member by member, null removes, everything else replaces."""
    if not isinstance(base, Mapping) or not isinstance(changes, Mapping):
        return changes
    result = dict(base)
    for key, value in changes.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = deep_merged(result.get(key), value)
    return result


def _pairs(key: str, value_name: str) -> Callable[[Any, Any], list[dict[str, Any]]]:
    """A builder for the lists in which AWS keeps mappings, e.g. `[{"name": ..., "value": ...}]`.

    An existing entry keeps its place, a new one comes at the end.
    """

    def build(current: Any, changes: Any) -> list[dict[str, Any]]:
        if changes is None:
            return []
        _require_mapping(changes)
        texts = {as_text(name): value for name, value in changes.items()}
        result = []
        for entry in current or []:
            name = entry.get(key) if isinstance(entry, Mapping) else None
            if name not in texts:
                result.append(entry)
            elif texts[name] is not None and not any(one.get(key) == name for one in result):
                result.append({**entry, value_name: _text(name, texts[name])})
        present = {entry.get(key) for entry in result}
        added = [name for name, value in texts.items() if value is not None and name not in present]
        return result + [{key: name, value_name: _text(name, texts[name])} for name in added]

    return build


def _require_mapping(changes: Any) -> None:
    if not isinstance(changes, Mapping):
        raise TaskDefinitionError(f"must be a mapping of names to values, got {kind_of(changes)}")


def _text(name: Any, value: Any) -> Any:
    if isinstance(value, (Mapping, list, tuple)):
        raise TaskDefinitionError(f"the value of {name} must be a text or a number, got {kind_of(value)}")
    return as_text(value)


def _arguments(current: Any, value: Any) -> Any:
    if isinstance(value, str) and not is_open(value):
        try:
            return shlex.split(value)
        except ValueError as error:
            raise TaskDefinitionError(f"cannot be split as a shell does: {error}") from error
    if value is None or isinstance(value, (list, tuple)):
        return None if value is None else [as_text(item) for item in value]
    raise TaskDefinitionError(f"must be a list, or a text that is split as a shell does, got {kind_of(value)}")


def _ports(current: Any, value: Any) -> Any:
    if not isinstance(value, (list, tuple)):
        if value is None:
            return None
        raise TaskDefinitionError(f"must be a list of ports, got {kind_of(value)}")
    mappings, problems = [], []
    for index, port in enumerate(value):
        try:
            mappings.append(port_mapping(port))
        except TaskDefinitionError as error:
            problems.append(f"[{index}]: {error}")
    if problems:
        raise TaskDefinitionError(problems)
    return mappings


def _environment_files(current: Any, value: Any) -> Any:
    if isinstance(value, str):
        raise TaskDefinitionError(f"must be a list of S3 ARNs, got {shown(value)}")
    entries = [{"value": item, "type": "s3"} if isinstance(item, str) else item for item in value or []]
    return fitted(entries, shape_of("containerDefinitions", "environmentFiles")) or None


def _ephemeral_storage(current: Any, value: Any) -> Any:
    whole = is_integer(value) or (isinstance(value, str) and value.isdecimal())
    return fitted({"sizeInGiB": value} if whole else value, shape_of("ephemeralStorage"))


_BUILDERS: dict[str, Callable[[Any, Any], Any]] = {
    "command": _arguments,
    "entry_point": _arguments,
    "environment": _pairs("name", "value"),
    "secrets": _pairs("name", "valueFrom"),
    "tags": _pairs("key", "value"),
    "docker_labels": merged_texts,
    "ports": _ports,
    "environment_files": _environment_files,
    "ephemeral_storage": _ephemeral_storage,
}
