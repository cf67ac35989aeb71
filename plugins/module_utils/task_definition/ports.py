# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Port mappings in their short forms: `8082`, `80:8082`, `8082/udp`, `80:8082/tcp`, `8000-8010`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ansible_collections.dockyard.aws.plugins.module_utils.task_definition.errors import TaskDefinitionError
from ansible_collections.dockyard.aws.plugins.module_utils.task_definition.model import fitted, shape_of
from ansible_collections.dockyard.aws.plugins.module_utils.task_definition.values import is_integer, shown

_SINGLE = re.compile(r"(?:(?P<host>\d+):)?(?P<container>\d+)(?:/(?P<protocol>\w+))?")
_RANGE = re.compile(r"(?P<range>\d+-\d+)(?:/(?P<protocol>\w+))?")


def port_mapping(port: Any) -> dict[str, Any]:
    """One port in AWS's form. Numbers are container ports; text is `host:container/protocol`."""
    if isinstance(port, Mapping):
        return dict(fitted(port, shape_of("containerDefinitions", "portMappings").member))
    if is_integer(port):
        return {"containerPort": port}
    if isinstance(port, str):
        if single := _SINGLE.fullmatch(port.strip()):
            return _mapping(containerPort=single["container"], hostPort=single["host"], protocol=single["protocol"])
        if ports := _RANGE.fullmatch(port.strip()):
            return _mapping(containerPortRange=ports["range"], protocol=ports["protocol"])
    raise TaskDefinitionError(
        f"got {shown(port)}, allowed: a container port (8082), 'host:container/protocol' ('80:8082/tcp'), "
        "a range ('8000-8010'), or a port mapping object"
    )


def _mapping(**fields: str | None) -> dict[str, Any]:
    given = {name: value for name, value in fields.items() if value is not None}
    return {name: int(value) if value.isdecimal() else value for name, value in given.items()}
