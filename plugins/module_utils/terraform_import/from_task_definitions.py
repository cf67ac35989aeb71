# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Task definitions, each with its containers in a file of its own, and log groups."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ansible_collections.dockyard.aws.plugins.module_utils.task_definition.sensitive import secrets_in
from ansible_collections.dockyard.aws.plugins.module_utils.terraform_import.hosts import containers, is_of, log_groups
from ansible_collections.dockyard.aws.plugins.module_utils.terraform_import.report import Remark
from ansible_collections.dockyard.aws.plugins.module_utils.terraform_import.stack import Stack
from ansible_collections.dockyard.aws.plugins.module_utils.terraform_import.states import Block, Thing
from ansible_collections.dockyard.aws.plugins.module_utils.terraform_import.values import Fields, fields, given

TASK: Fields = {
    name: (name, "") for name in ("network_mode", "requires_compatibilities", "cpu", "memory", "pid_mode", "ipc_mode")
}
# Fields of a container in which nobody puts a secret. Of `environment`, only what is no secret is left.
HARMLESS = (
    *("name", "image", "cpu", "memory", "memoryReservation", "essential", "portMappings", "environment", "secrets"),
    *("mountPoints", "volumesFrom", "dependsOn", "logConfiguration", "readonlyRootFilesystem", "user", "links"),
    *("workingDirectory", "ulimits", "startTimeout", "stopTimeout", "hostname", "privileged", "linuxParameters"),
)
LOG_GROUP: Fields = {
    "retention_in_days": ("retention_in_days", 0),
    "kms_key_id": ("kms_key_id", ""),
    "log_group_class": ("log_group_class", "STANDARD"),
}


def task_definition(stack: Stack, task: Thing) -> None:
    family = str(task.get("family"))
    task.skip("container_definitions")
    host, where = stack.hosts.of(task), f"ecs.task_definitions[{family}]"
    definitions = [_without_empty(item) for item in containers(task)]
    overrides = _images(stack, definitions)
    for name, variables in _secrets(stack, task, definitions, host, where).items():
        overrides.setdefault(name, {})["environment"] = variables
    path = f"task-definitions/{family}.json"
    stack.files[path] = [_without_secrets(stack, task, item, path) for item in definitions]
    platform, storage = task.block("runtime_platform"), task.block("ephemeral_storage")
    options: dict[str, Any] = {
        "family": family,
        "file": path,
        **fields(task, TASK),
        "execution_role": _role(stack, task, "execution_role_arn"),
        "task_role": _role(stack, task, "task_role_arn"),
        "runtime_platform": given(
            {name: platform.get(name) for name in ("cpu_architecture", "operating_system_family")}
        )
        or None,
        "ephemeral_storage": storage.get("size_in_gib"),
        "volumes": [_volume(item) for item in task.blocks("volume")] or None,
        "placement_constraints": [
            given({"type": item.get("type"), "expression": item.get("expression")})
            for item in task.blocks("placement_constraints")
        ]
        or None,
        "enable_fault_injection": task.get("enable_fault_injection") or None,
        "containers": overrides or None,
        "tags": stack.tags(task),
    }
    own = list(_own_log_group(stack, task))
    for group in own:
        options["log_group"] = log_group(stack, group)
    stack.add("ecs", "task_definitions", options, task, *own)


def log_group(stack: Stack, group: Thing) -> dict[str, Any]:
    return {"name": group.get("name"), **fields(group, LOG_GROUP), "tags": stack.tags(group)}


def _own_log_group(stack: Stack, task: Thing) -> Iterator[Thing]:
    """The one log group of all its containers, where it is in the state and no other family logs there."""
    used = {name for item in containers(task) for name in log_groups(item)}
    others = {
        name
        for other in stack.of("aws_ecs_task_definition")
        if other.address != task.address
        for item in containers(other)
        for name in log_groups(item)
    }
    for name in used - others if len(used) == 1 else ():
        group = stack.names.find("aws_cloudwatch_log_group", name)
        if group is not None:
            yield group


def _role(stack: Stack, task: Thing, attribute: str) -> str | None:
    arn = task.get(attribute)
    return stack.names.role(arn, task) if arn else None


def _without_empty(container: dict[str, Any]) -> dict[str, Any]:
    """AWS answers with lists that nobody declared. The name and the image come first."""
    first: dict[str, Any] = {name: container[name] for name in ("name", "image") if name in container}
    whole: dict[str, Any] = dict(first) | container
    return {name: value for name, value in whole.items() if value is not None and value != [] and value != {}}


def _images(stack: Stack, definitions: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Images in the state's own repositories, by the repository's name."""
    found: dict[str, dict[str, Any]] = {}
    for item in definitions:
        image = str(item.get("image") or "")
        for repository in stack.of("aws_ecr_repository"):
            if is_of(image, repository):
                rest = image.removeprefix(repository.attributes["repository_url"])
                version = {"digest": rest[1:]} if rest.startswith("@") else {"tag": rest[1:]}
                found[str(item["name"])] = {"image": {"repository": repository.attributes["name"], **version}}
    return found


def _secrets(
    stack: Stack, task: Thing, definitions: list[dict[str, Any]], host: str, where: str
) -> dict[str, dict[str, Any]]:
    """Environment variables that Terraform marks as sensitive, or that look like secrets, are taken out of the file."""
    everything = "container_definitions" in task.sensitive
    found: dict[str, dict[str, Any]] = {}
    for item in definitions:
        kept = []
        for variable in item.get("environment") or ():
            if not everything and not list(secrets_in({"environment": [variable]})):
                kept.append(variable)
                continue
            name, container = str(variable["name"]), str(item["name"])
            path = f"{where}.containers[{container}].environment[{name}]"
            # A platform has task definitions of many families, a service those of one.
            family = [str(task.attributes["family"])] if host == stack.hosts.platform else []
            reference = stack.secret(task, f"container_definitions: {name}", host, path, *family, container, name)
            found.setdefault(container, {})[name] = reference
        if "environment" in item:
            item["environment"] = kept
    return found


def _without_secrets(stack: Stack, task: Thing, container: dict[str, Any], path: str) -> dict[str, Any]:
    """The fields that look as if there were a secret in them are left out; of what is marked, all but the harmless."""
    marked = "container_definitions" in task.sensitive
    result: dict[str, Any] = {}
    for name, value in container.items():
        if list(secrets_in({name: value})) or (marked and name not in HARMLESS):
            message = (
                f"{path} does not have it, as there may be a secret in it: write it there, with the secret elsewhere"
            )
            about = f"container_definitions: {name} of {container.get('name')}"
            stack.report.secrets.append(Remark(task.address, about, message))
        else:
            result[name] = value
    return result


def _volume(volume: Block) -> dict[str, Any]:
    """A volume in AWS's form."""
    result: dict[str, Any] = {"name": volume.get("name")}
    if path := volume.get("host_path"):
        result["host"] = {"sourcePath": path}
    if volume.get("configure_at_launch"):
        result["configuredAtLaunch"] = True
    if "docker_volume_configuration" in volume:
        docker = volume.block("docker_volume_configuration")
        names = {"scope": "scope", "autoprovision": "autoprovision", "driver": "driver", "labels": "labels"}
        names["driver_opts"] = "driverOpts"
        found = {api: docker.get(name) for name, api in names.items()}
        result["dockerVolumeConfiguration"] = given(found)
    if "efs_volume_configuration" in volume:
        result["efsVolumeConfiguration"] = _efs(volume.block("efs_volume_configuration"))
    return result


def _efs(block: Block) -> dict[str, Any]:
    authorization = block.block("authorization_config")
    access = given({"accessPointId": authorization.get("access_point_id"), "iam": authorization.get("iam")})
    return given(
        {
            "fileSystemId": block.get("file_system_id"),
            "rootDirectory": block.get("root_directory"),
            "transitEncryption": block.get("transit_encryption"),
            "transitEncryptionPort": block.get("transit_encryption_port") or None,
            "authorizationConfig": access or None,
        }
    )
