# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The input shape of RegisterTaskDefinition, from botocore's service model, and values fitted to it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from ansible_collections.dockyard.aws.plugins.module_utils.task_definition.values import as_text, is_open

# What DescribeTaskDefinition returns and RegisterTaskDefinition refuses.
DESCRIBE_ONLY = (
    "taskDefinitionArn",
    "revision",
    "status",
    "requiresAttributes",
    "compatibilities",
    "registeredAt",
    "deregisteredAt",
    "deleteRequestedAt",
    "registeredBy",
)


@lru_cache(maxsize=1)
def input_shape() -> Any:
    """The shape of RegisterTaskDefinition's input; read from disk once, without a client."""
    # Loaded here, because most tasks that import this package never need the model.
    from botocore.loaders import Loader
    from botocore.model import ServiceModel

    model = ServiceModel(Loader().load_service_model("ecs", "service-2"), service_name="ecs")
    return model.operation_model("RegisterTaskDefinition").input_shape


def shape_of(*path: str) -> Any:
    """The shape of a field, e.g. `shape_of("containerDefinitions", "healthCheck")`; lists are passed through."""
    shape = input_shape()
    for name in path:
        while shape.type_name == "list":
            shape = shape.member
        shape = shape.members[name]
    return shape


def fitted(value: Any, shape: Any) -> Any:
    """A copy of the value with numbers, booleans and member names in the form that the shape asks for.

    Templates turn numbers into text, and options are snake_case where AWS is camelCase: both have one meaning only.
    What does not fit stays as it is, for validation to report.
    """
    if value is None or is_open(value):
        return value
    if shape.type_name == "structure" and isinstance(value, Mapping):
        names = {_flat(name): name for name in shape.members}
        renamed = {key if key in shape.members else names.get(_flat(key), key): item for key, item in value.items()}
        return {
            key: fitted(item, shape.members[key]) if key in shape.members else item for key, item in renamed.items()
        }
    if shape.type_name == "list" and isinstance(value, (list, tuple)):
        return [fitted(item, shape.member) for item in value]
    if shape.type_name == "map" and isinstance(value, Mapping):
        return {as_text(key): fitted(item, shape.value) for key, item in value.items()}
    return fitted_scalar(value, shape.type_name)


def fitted_scalar(value: Any, type_name: str) -> Any:
    """A scalar in the type that AWS wants, where it has exactly one such form; otherwise as it is."""
    if type_name == "string":
        return as_text(value)
    if not isinstance(value, str):
        return value
    text = value.strip()
    if type_name in ("integer", "long") and text.removeprefix("-").isdecimal():
        return int(text)
    if type_name == "boolean" and text.lower() in ("true", "false"):
        return text.lower() == "true"
    return value


def _flat(name: Any) -> str:
    return str(name).replace("_", "").lower()
