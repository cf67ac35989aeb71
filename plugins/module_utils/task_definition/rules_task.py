# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules for the task as a whole: family, roles, tags, size of the definition, fields that need each other."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator

from ansible_collections.dockyard.aws.plugins.module_utils.task_definition.context import Task, items_of, text
from ansible_collections.dockyard.aws.plugins.module_utils.task_definition.shapes import Problem
from ansible_collections.dockyard.aws.plugins.module_utils.task_definition.values import shown

MAX_BYTES = 64 * 1024
NAME = re.compile(r"[A-Za-z0-9_-]{1,255}")
_ROLE = re.compile(r"arn:aws[\w-]*:iam::\d{12}:role/[\w+=,.@/-]+|[\w+=,.@-]{1,64}")


def family(task: Task) -> Iterator[Problem]:
    name = text(task.definition, "family")
    if name is not None and not NAME.fullmatch(name):
        yield Problem("family", f"got {shown(name)}, allowed: 1 to 255 letters, digits, hyphens and underscores")


def roles(task: Task) -> Iterator[Problem]:
    for field in ("taskRoleArn", "executionRoleArn"):
        role = text(task.definition, field)
        if role is not None and not _ROLE.fullmatch(role):
            yield Problem(
                field, f"got {shown(role)}, allowed: the ARN (arn:aws:iam::<account>:role/<name>) or the name"
            )


def tags(task: Task) -> Iterator[Problem]:
    entries = items_of(task.definition.get("tags"), "tags")
    counts = Counter(text(entry.value, "key") for entry in entries)
    for entry in entries:
        key, value = text(entry.value, "key"), text(entry.value, "value")
        if "key" not in entry.value:
            yield Problem(f"{entry.path}.key", "is required")
        if key is not None and counts[key] > 1:
            yield Problem(f"{entry.path}.key", f"got {shown(key)}, which is there {counts[key]} times")
        for name, content in (("key", key), ("value", value)):
            if content is not None and content.lower().startswith("aws:"):
                yield Problem(f"{entry.path}.{name}", f"got {shown(content)}, but the prefix aws: is reserved")


def size(task: Task) -> Iterator[Problem]:
    registered = json.dumps(task.definition, separators=(",", ":"), ensure_ascii=False, default=str)
    length = len(registered.encode())
    if length > MAX_BYTES:
        yield Problem("", f"the task definition has {length} bytes as JSON, allowed: up to {MAX_BYTES} (64 KiB)")


def placement_constraints(task: Task) -> Iterator[Problem]:
    constraints = items_of(task.definition.get("placementConstraints"), "placementConstraints")
    if len(constraints) > 10:
        yield Problem("placementConstraints", f"got {len(constraints)} constraints, allowed: up to 10")
    for constraint in constraints:
        if constraint.value.get("type") == "memberOf" and not constraint.value.get("expression"):
            yield Problem(f"{constraint.path}.expression", "is required for a constraint of type memberOf")


def proxy(task: Task) -> Iterator[Problem]:
    configuration = task.definition.get("proxyConfiguration")
    if not isinstance(configuration, dict):
        return
    if task.network_mode != "awsvpc":
        yield Problem("proxyConfiguration", f"needs networkMode awsvpc, got {task.network_mode}")
    name = text(configuration, "containerName")
    if name is not None and name not in task.by_name:
        yield Problem("proxyConfiguration.containerName", f"got {shown(name)}, containers: {', '.join(task.by_name)}")
    properties = {
        item.value.get("name") for item in items_of(configuration.get("properties"), "proxyConfiguration.properties")
    }
    missing = [name for name in ("AppPorts", "ProxyIngressPort", "ProxyEgressPort") if name not in properties]
    if not properties & {"IgnoredUID", "IgnoredGID"}:
        missing.append("IgnoredUID or IgnoredGID")
    for name in missing:
        yield Problem("proxyConfiguration.properties", f"{name} is required")


def fault_injection(task: Task) -> Iterator[Problem]:
    if task.definition.get("enableFaultInjection") is not True:
        return
    if task.network_mode not in ("awsvpc", "host"):
        yield Problem("enableFaultInjection", f"needs networkMode awsvpc or host, got {task.network_mode}")
    if task.windows:
        yield Problem("enableFaultInjection", "is not supported for Windows containers")


def trusted_execution(task: Task) -> Iterator[Problem]:
    configuration = task.definition.get("trustedExecutionConfiguration")
    if not isinstance(configuration, dict):
        return
    others = sorted(task.launch_types - {"MANAGED_INSTANCES"})
    if others:
        yield Problem("trustedExecutionConfiguration", f"needs MANAGED_INSTANCES, got {', '.join(others)}")
    if configuration.get("isolationMode") == "CONFIDENTIAL_SANDBOX" and not configuration.get("attestationPolicy"):
        yield Problem(
            "trustedExecutionConfiguration.attestationPolicy", "is required when isolationMode is CONFIDENTIAL_SANDBOX"
        )


RULES = (family, roles, tags, size, placement_constraints, proxy, fault_injection, trusted_execution)
