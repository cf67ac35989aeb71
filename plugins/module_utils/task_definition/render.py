# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Render a task definition: a base with overrides applied (the overrides are documented in overrides.py)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ansible_collections.dockyard.aws.plugins.module_utils.task_definition.errors import (
    TaskDefinitionError,
    did_you_mean,
)
from ansible_collections.dockyard.aws.plugins.module_utils.task_definition.model import DESCRIBE_ONLY
from ansible_collections.dockyard.aws.plugins.module_utils.task_definition.overrides import (
    CONTAINER_ACTIONS,
    CONTAINER_OVERRIDES,
    TASK_OVERRIDES,
    deep_merged,
    log_configuration,
    new_value,
)
from ansible_collections.dockyard.aws.plugins.module_utils.task_definition.values import copied, kind_of

__all__ = ["CONTAINER_OVERRIDES", "TASK_OVERRIDES", "render"]


def render(base: Mapping[str, Any], overrides: Mapping[str, Any]) -> dict[str, Any]:
    """The base with the overrides applied, ready for RegisterTaskDefinition; neither argument is changed.

    A base as DescribeTaskDefinition returns it is fine: what cannot be registered is left out.
    Raises TaskDefinitionError with every problem of the overrides.
    """
    result = {key: _without_nulls(copied(value)) for key, value in base.items() if key not in DESCRIBE_ONLY}
    result = {key: value for key, value in result.items() if value is not None}
    problems = _unknown_keys("", overrides, (*TASK_OVERRIDES, "containers"))
    for name, field in TASK_OVERRIDES.items():
        if name in overrides:
            problems += _apply(result, name, field, overrides[name], name, (field,))
    containers = overrides.get("containers")
    if containers is not None:
        result["containerDefinitions"] = _containers(result.get("containerDefinitions") or [], containers, problems)
    if problems:
        raise TaskDefinitionError(problems)
    return result


def _containers(base: list[Any], overrides: Any, problems: list[str]) -> list[Any]:
    if not isinstance(overrides, Mapping):
        problems.append(f"containers: must be a mapping of container names to overrides, got {kind_of(overrides)}")
        return base
    known = [item["name"] for item in base if isinstance(item, Mapping) and item.get("name")]
    for name, override in overrides.items():
        problems += _container_problems(name, override, known)
    usable = {name: override for name, override in overrides.items() if isinstance(override, Mapping)}
    result = []
    for item in base:
        override = usable.get(item.get("name")) if isinstance(item, Mapping) else None
        if override is None:
            result.append(item)
        elif not override.get("remove"):
            result.append(_container(item, override, problems))
    added = [name for name, override in usable.items() if name not in known and override.get("add")]
    return result + [_container({"name": name}, usable[name], problems) for name in added]


def _container_problems(name: str, override: Any, known: list[str]) -> list[str]:
    path = f"containers[{name}]"
    if override is None:
        return []
    if not isinstance(override, Mapping):
        return [f"{path}: must be a mapping of overrides, got {kind_of(override)}"]
    problems = _unknown_keys(path, override, (*CONTAINER_OVERRIDES, *CONTAINER_ACTIONS))
    if override.get("add") and override.get("remove"):
        problems.append(f"{path}: add and remove exclude each other")
    if name in known:
        return problems
    if not override.get("add"):
        problems.append(
            f"{path}: the task definition has no such container{did_you_mean(name, known)}; "
            f"it has: {', '.join(known) or 'none'}. A new container needs add: true"
        )
    elif not override.get("image") and not (override.get("definition") or {}).get("image"):
        problems.append(f"{path}.image: a container that is added must have an image")
    return problems


def _container(item: Mapping[str, Any], override: Mapping[str, Any], problems: list[str]) -> dict[str, Any]:
    result = dict(item)
    path = f"containers[{result.get('name')}]"
    for name, field in CONTAINER_OVERRIDES.items():
        if name in override and field != "logConfiguration":
            place = ("containerDefinitions", field)
            problems += _apply(result, name, field, override[name], f"{path}.{name}", place)
    if "log_driver" in override or "log_options" in override:
        problems += _set(
            result,
            "logConfiguration",
            f"{path}.log_options",
            lambda: log_configuration(result.get("logConfiguration"), override),
        )
    definition = override.get("definition")
    if definition is not None:
        if isinstance(definition, Mapping):
            return dict(deep_merged(result, copied(definition)))
        problems.append(f"{path}.definition: must be an object in AWS's form, got {kind_of(definition)}")
    return result


def _apply(target: dict[str, Any], name: str, field: str, value: Any, path: str, place: tuple[str, ...]) -> list[str]:
    return _set(target, field, path, lambda: new_value(name, target.get(field), copied(value), place))


def _set(target: dict[str, Any], field: str, path: str, build: Callable[[], Any]) -> list[str]:
    """Set a field to what build returns; None removes it. Returns the problems instead of raising them."""
    try:
        value = build()
    except TaskDefinitionError as error:
        return [f"{path}{problem}" if problem.startswith("[") else f"{path}: {problem}" for problem in error.problems]
    if value is None:
        target.pop(field, None)
    else:
        target[field] = value
    return []


def _unknown_keys(path: str, overrides: Mapping[str, Any], allowed: Iterable[str]) -> list[str]:
    names = sorted(allowed)
    prefix = f"{path}." if path else ""
    return [
        f"{prefix}{key}: unknown override{did_you_mean(key, names)}; allowed: {', '.join(names)}"
        for key in overrides
        if key not in names
    ]


def _without_nulls(value: Any) -> Any:
    """The value without members that are null: that is how templates write an absent field."""
    if isinstance(value, dict):
        return {key: _without_nulls(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [_without_nulls(item) for item in value]
    return value
