# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules for the operating system, Linux parameters, namespaces and kernel settings."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ansible_collections.dockyard.aws.plugins.module_utils.task_definition.context import Task, number, text
from ansible_collections.dockyard.aws.plugins.module_utils.task_definition.shapes import Problem
from ansible_collections.dockyard.aws.plugins.module_utils.task_definition.values import shown

_NOT_ON_WINDOWS = (
    "links",
    "privileged",
    "readonlyRootFilesystem",
    "disableNetworking",
    "linuxParameters",
    "ulimits",
    "dnsServers",
    "dnsSearchDomains",
    "extraHosts",
    "systemControls",
)
_IPC_CONTROL = re.compile(r"kernel\.(msgmax|msgmnb|msgmni|sem|shmall|shmmax|shmmni|shm_rmid_forced)|fs\.mqueue\..+")
_SECURITY_OPTION = re.compile(r"no-new-privileges(:(true|false))?|(apparmor|label|seccomp|credentialspec\w*):.+")


def windows(task: Task) -> Iterator[Problem]:
    if not task.windows:
        return
    if (task.definition.get("runtimePlatform") or {}).get("cpuArchitecture") == "ARM64":
        yield Problem("runtimePlatform.cpuArchitecture", "got 'ARM64', allowed for Windows: X86_64")
    for field in ("pidMode", "ipcMode"):
        if task.definition.get(field):
            yield Problem(field, "is not supported for Windows containers")
    for path, value in task.containers:
        for field in _NOT_ON_WINDOWS:
            if value.get(field):
                yield Problem(f"{path}.{field}", "is not supported for Windows containers")


def linux_parameters(task: Task) -> Iterator[Problem]:
    for container, parameters in ((item, item.value.get("linuxParameters")) for item in task.containers):
        if not isinstance(parameters, dict):
            continue
        path = f"{container.path}.linuxParameters"
        swappiness, swap = number(parameters, "swappiness"), number(parameters, "maxSwap")
        if swappiness is not None and not 0 <= swappiness <= 100:
            yield Problem(f"{path}.swappiness", f"got {swappiness}, allowed: 0..100")
        if swappiness is not None and "maxSwap" not in parameters:
            yield Problem(f"{path}.swappiness", "needs maxSwap")
        if swap is not None and swap < 0:
            yield Problem(f"{path}.maxSwap", f"got {swap}, allowed: 0 or more MiB")
        shared = number(parameters, "sharedMemorySize")
        if shared is not None and shared < 1:
            yield Problem(f"{path}.sharedMemorySize", f"got {shared}, allowed: 1 or more MiB")
        for index, mount in enumerate(parameters.get("tmpfs") or []):
            size = number(mount, "size") if isinstance(mount, dict) else None
            if size is not None and size < 1:
                yield Problem(f"{path}.tmpfs[{index}].size", f"got {size}, allowed: 1 or more MiB")


def system_controls(task: Task) -> Iterator[Problem]:
    for _unused, item in task.each("systemControls"):
        namespace = text(item.value, "namespace")
        if namespace is None:
            continue
        ipc = bool(_IPC_CONTROL.fullmatch(namespace))
        if not ipc and not namespace.startswith("net."):
            allowed = "net.*, fs.mqueue.*, kernel.msgmax, .msgmnb, .msgmni, .sem, .shmall, .shmmax, .shmmni, "
            yield Problem(f"{item.path}.namespace", f"got {shown(namespace)}, allowed: {allowed}.shm_rmid_forced")
        if ipc and task.definition.get("ipcMode") == "host":
            yield Problem(f"{item.path}.namespace", f"got {shown(namespace)}, which ipcMode host excludes")
        if namespace.startswith("net.") and task.network_mode == "host":
            yield Problem(f"{item.path}.namespace", f"got {shown(namespace)}, which networkMode host excludes")


def security_options(task: Task) -> Iterator[Problem]:
    for path, value in task.containers:
        for index, option in enumerate(value.get("dockerSecurityOptions") or []):
            if isinstance(option, str) and not _SECURITY_OPTION.fullmatch(option):
                yield Problem(
                    f"{path}.dockerSecurityOptions[{index}]",
                    f"got {shown(option)}, allowed: no-new-privileges, apparmor:PROFILE, label:VALUE, "
                    "credentialspec:FILE",
                )


RULES = (windows, linux_parameters, system_controls, security_options)
