# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules for volumes and mount points."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

from ansible_collections.dockyard.aws.plugins.module_utils.task_definition.context import Item, Task, number, text
from ansible_collections.dockyard.aws.plugins.module_utils.task_definition.errors import did_you_mean
from ansible_collections.dockyard.aws.plugins.module_utils.task_definition.rules_task import NAME
from ansible_collections.dockyard.aws.plugins.module_utils.task_definition.shapes import Problem
from ansible_collections.dockyard.aws.plugins.module_utils.task_definition.values import shown

_EFS_ID = re.compile(
    r"fs-[0-9a-f]{8,40}|arn:aws[\w-]*:elasticfilesystem:[a-z0-9-]+:\d{12}:file-system/fs-[0-9a-f]{8,40}"
)
_ACCESS_POINT = re.compile(
    r"fsap-[0-9a-f]{8,40}|arn:aws[\w-]*:elasticfilesystem:[a-z0-9-]+:\d{12}:access-point/fsap-[0-9a-f]{8,40}"
)
_KINDS = (
    "host",
    "dockerVolumeConfiguration",
    "efsVolumeConfiguration",
    "s3filesVolumeConfiguration",
    "fsxWindowsFileServerVolumeConfiguration",
    "configuredAtLaunch",
)


def volume_names(task: Task) -> Iterator[Problem]:
    counts = Counter(text(item.value, "name") for item in task.volumes)
    for path, value in task.volumes:
        name = text(value, "name")
        if "name" not in value:
            yield Problem(f"{path}.name", "is required")
        elif name is not None and not NAME.fullmatch(name):
            yield Problem(
                f"{path}.name", f"got {shown(name)}, allowed: 1 to 255 letters, digits, hyphens and underscores"
            )
        elif name is not None and counts[name] > 1:
            yield Problem(f"{path}.name", f"got {shown(name)}, which {counts[name]} volumes have")


def volume_kinds(task: Task) -> Iterator[Problem]:
    for path, value in task.volumes:
        kinds = [kind for kind in _KINDS if value.get(kind)]
        if len(kinds) > 1:
            yield Problem(path, f"has {', '.join(kinds)}, allowed: one of them")
    at_launch = [item.path for item in task.volumes if item.value.get("configuredAtLaunch") is True]
    for path in at_launch[1:]:
        yield Problem(f"{path}.configuredAtLaunch", f"only one volume can be configured at launch: {at_launch[0]}")


def efs(task: Task) -> Iterator[Problem]:
    for volume in task.volumes:
        efs_volume = volume.value.get("efsVolumeConfiguration")
        if isinstance(efs_volume, dict):
            yield from _efs(Item(f"{volume.path}.efsVolumeConfiguration", efs_volume))


def _efs(item: Item) -> Iterator[Problem]:
    path, value = item
    file_system = text(value, "fileSystemId")
    if file_system is not None and not _EFS_ID.fullmatch(file_system):
        yield Problem(f"{path}.fileSystemId", f"got {shown(file_system)}, allowed: fs-<hexadecimal digits>")
    authorization: dict[str, Any] = value.get("authorizationConfig") or {}
    access_point = text(authorization, "accessPointId")
    if access_point and not _ACCESS_POINT.fullmatch(access_point):
        yield Problem(
            f"{path}.authorizationConfig.accessPointId",
            f"got {shown(access_point)}, allowed: fsap-<hexadecimal digits>",
        )
    if authorization.get("accessPointId") and (value.get("rootDirectory") or "/") != "/":
        yield Problem(f"{path}.rootDirectory", f"got {shown(value['rootDirectory'])}, allowed with an access point: /")
    encrypted = value.get("transitEncryption") == "ENABLED"
    port = number(value, "transitEncryptionPort")
    needs = {
        "authorizationConfig.iam": authorization.get("iam") == "ENABLED",
        "authorizationConfig.accessPointId": bool(authorization.get("accessPointId")),
        "transitEncryptionPort": port is not None,
    }
    for field in [field for field, used in needs.items() if used and not encrypted]:
        yield Problem(f"{path}.transitEncryption", f"must be ENABLED with {field}")
    if port is not None and not 1 <= port <= 65535:
        yield Problem(f"{path}.transitEncryptionPort", f"got {port}, allowed: 1..65535")


def docker_volumes(task: Task) -> Iterator[Problem]:
    for path, value in task.volumes:
        docker = value.get("dockerVolumeConfiguration")
        if isinstance(docker, dict) and docker.get("autoprovision") is True and docker.get("scope") != "shared":
            yield Problem(f"{path}.dockerVolumeConfiguration.autoprovision", "needs scope shared")


def volume_platforms(task: Task) -> Iterator[Problem]:
    for path, value in task.volumes:
        host = value.get("host")
        if task.fargate and isinstance(host, dict) and host.get("sourcePath"):
            yield Problem(f"{path}.host.sourcePath", "is not supported on Fargate, which has no host of yours")
        if task.fargate:
            for kind in ("dockerVolumeConfiguration", "fsxWindowsFileServerVolumeConfiguration"):
                if value.get(kind):
                    yield Problem(f"{path}.{kind}", "is not supported on Fargate")
        if value.get("efsVolumeConfiguration") and (task.windows or "EXTERNAL" in task.launch_types):
            where = "for Windows containers" if task.windows else "on EXTERNAL"
            yield Problem(f"{path}.efsVolumeConfiguration", f"is not supported {where}")
        fsx = value.get("fsxWindowsFileServerVolumeConfiguration")
        if fsx and task.definition.get("runtimePlatform") and not task.windows:
            yield Problem(
                f"{path}.fsxWindowsFileServerVolumeConfiguration",
                f"needs a Windows operatingSystemFamily, got {task.operating_system}",
            )


def mount_points(task: Task) -> Iterator[Problem]:
    known = [name for item in task.volumes if (name := text(item.value, "name"))]
    for container in task.containers:
        items = container.items("mountPoints")
        counts = Counter(text(item.value, "containerPath") for item in items)
        for item in items:
            for field in ("sourceVolume", "containerPath"):
                if not item.value.get(field):
                    yield Problem(f"{item.path}.{field}", "is required")
            source, target = text(item.value, "sourceVolume"), text(item.value, "containerPath")
            if source and source not in known:
                yield Problem(
                    f"{item.path}.sourceVolume",
                    f"got {shown(source)}, but there is no such volume{did_you_mean(source, known)}; "
                    f"volumes: {', '.join(known) or 'none'}",
                )
            if target and counts[target] > 1:
                yield Problem(f"{item.path}.containerPath", f"got {shown(target)}, which {counts[target]} mounts have")


RULES = (volume_names, volume_kinds, efs, docker_volumes, volume_platforms, mount_points)
