# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules for network mode, port mappings and names in the network."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from ipaddress import ip_address

from ansible_collections.dockyard.aws.plugins.module_utils.task_definition.context import Item, Task, number, text
from ansible_collections.dockyard.aws.plugins.module_utils.task_definition.shapes import Problem
from ansible_collections.dockyard.aws.plugins.module_utils.task_definition.values import shown

_PORT_NAME = re.compile(r"[a-z0-9_][a-z0-9_-]{0,63}")
_PORT_RANGE = re.compile(r"(\d+)-(\d+)")
MAX_PORT = 65535
# Network mode -> the container fields that it excludes.
_EXCLUDED = {
    "awsvpc": ("links", "hostname", "extraHosts", "disableNetworking"),
    "host": ("links",),
    "none": ("links",),
}


def network_mode(task: Task) -> Iterator[Problem]:
    declared = text(task.definition, "networkMode")
    if task.fargate and declared != "awsvpc" and not (declared is None and task.definition.get("networkMode")):
        yield Problem(
            "networkMode",
            f"got {shown(declared)}, allowed on Fargate: awsvpc" if declared else "is required on Fargate: awsvpc",
        )
    if "EXTERNAL" in task.launch_types and declared == "awsvpc":
        yield Problem("networkMode", "got 'awsvpc', allowed on EXTERNAL: bridge, host, none")
    if "MANAGED_INSTANCES" in task.launch_types and declared in ("bridge", "none"):
        yield Problem("networkMode", f"got {declared!r}, allowed on MANAGED_INSTANCES: awsvpc, host")
    if task.windows and declared in ("host", "none"):
        yield Problem("networkMode", f"got {declared!r}, allowed for Windows: awsvpc, or none given")


def excluded_fields(task: Task) -> Iterator[Problem]:
    for path, value in task.containers:
        for field in _EXCLUDED.get(task.network_mode, ()):
            if value.get(field):
                yield Problem(f"{path}.{field}", f"is not supported with networkMode {task.network_mode}")
        if task.network_mode == "none" and value.get("portMappings"):
            yield Problem(f"{path}.portMappings", "is not supported with networkMode none")
        for host in Item(path, value).items("extraHosts"):
            address = text(host.value, "ipAddress")
            if address is not None and not _is_address(address):
                yield Problem(f"{host.path}.ipAddress", f"got {shown(address)}, which is no IP address")


def _is_address(value: str) -> bool:
    try:
        ip_address(value)
    except ValueError:
        return False
    return True


def port_values(task: Task) -> Iterator[Problem]:
    for _unused, item in task.each("portMappings"):
        port, host, ports = (item.value.get(name) for name in ("containerPort", "hostPort", "containerPortRange"))
        if ports is None and port is None:
            if not {"containerPort", "containerPortRange"} & set(item.value):
                yield Problem(f"{item.path}.containerPort", "is required")
        elif ports is not None and (port is not None or host is not None):
            yield Problem(f"{item.path}.containerPortRange", "excludes containerPort and hostPort")
        if isinstance(port, int) and not 1 <= port <= MAX_PORT:
            yield Problem(f"{item.path}.containerPort", f"got {port}, allowed: 1..{MAX_PORT}")
        if isinstance(host, int) and not 0 <= host <= MAX_PORT:
            yield Problem(f"{item.path}.hostPort", f"got {host}, allowed: 0..{MAX_PORT}")
        elif host != port and isinstance(host, int) and task.network_mode in ("awsvpc", "host"):
            yield Problem(
                f"{item.path}.hostPort",
                f"got {host}, allowed with networkMode {task.network_mode}: {port} (the containerPort), or none",
            )


def port_ranges(task: Task) -> Iterator[Problem]:
    for container in task.containers:
        taken: dict[tuple[int, str], str] = {}
        for item in container.items("portMappings"):
            ports = _ports(item)
            declared = text(item.value, "containerPortRange")
            if declared is not None:
                if ports is None:
                    yield Problem(
                        f"{item.path}.containerPortRange",
                        f"got {shown(declared)}, allowed: first-last, rising, within 1..{MAX_PORT}",
                    )
                if task.network_mode not in ("bridge", "awsvpc"):
                    yield Problem(
                        f"{item.path}.containerPortRange",
                        f"needs networkMode bridge or awsvpc, got {task.network_mode}",
                    )
            protocol = item.value.get("protocol") or "tcp"
            overlap = next((taken[port, protocol] for port in ports or () if (port, protocol) in taken), None)
            if overlap is not None and (declared is not None or "-" in overlap):
                yield Problem(
                    item.path, f"got {declared or next(iter(ports or ()), '')}, which overlaps with {overlap}"
                )
            taken.update({(port, protocol): declared or str(port) for port in ports or ()})


def _ports(item: Item) -> range | None:
    declared = text(item.value, "containerPortRange")
    if declared is None:
        port = number(item.value, "containerPort")
        return None if port is None else range(port, port + 1)
    match = _PORT_RANGE.fullmatch(declared)
    if not match or not 1 <= int(match[1]) < int(match[2]) <= MAX_PORT:
        return None
    return range(int(match[1]), int(match[2]) + 1)


def duplicate_ports(task: Task) -> Iterator[Problem]:
    """Two mappings cannot have one port of the host or, where all containers share one address, of the task."""
    field = "hostPort" if task.network_mode == "bridge" else "containerPort"
    users: dict[tuple[int, str], list[Item]] = defaultdict(list)
    for _unused, item in task.each("portMappings"):
        port = number(item.value, field)
        if port:
            users[port, str(item.value.get("protocol") or "tcp")].append(item)
    for (port, protocol), items in users.items():
        for item in items[1:]:
            yield Problem(f"{item.path}.{field}", f"got {port}/{protocol}, which {items[0].path} has already")


def port_names(task: Task) -> Iterator[Problem]:
    items = [item for _unused, item in task.each("portMappings")]
    counts = Counter(text(item.value, "name") for item in items)
    for item in items:
        name = text(item.value, "name")
        if name is not None and not _PORT_NAME.fullmatch(name):
            yield Problem(
                f"{item.path}.name",
                f"got {shown(name)}, allowed: up to 64 lower-case letters, digits, _ and -, not beginning with -",
            )
        elif name is not None and counts[name] > 1:
            yield Problem(f"{item.path}.name", f"got {shown(name)}, which {counts[name]} port mappings have")
    for container in task.containers:
        mappings = container.value.get("portMappings")
        if isinstance(mappings, list) and len(mappings) > 100:
            yield Problem(f"{container.path}.portMappings", f"got {len(mappings)} port mappings, allowed: up to 100")


RULES = (network_mode, excluded_fields, port_values, port_ranges, duplicate_ports, port_names)
