# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the rules look at: a task definition of sound types, its launch types, and the paths of its parts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

from ansible_collections.dockyard.aws.plugins.module_utils.task_definition.shapes import item_paths
from ansible_collections.dockyard.aws.plugins.module_utils.task_definition.values import is_open


class Item(NamedTuple):
    """A part of the task definition with its path."""

    path: str
    value: dict[str, Any]

    def items(self, name: str) -> list[Item]:
        """The objects in one of this part's lists."""
        return items_of(self.value.get(name), f"{self.path}.{name}")


def items_of(values: Any, path: str) -> list[Item]:
    """The objects of a list with their paths; what is no object was reported before."""
    if not isinstance(values, list):
        return []
    paths = item_paths(path, values)
    return [Item(at, value) for at, value in zip(paths, values, strict=True) if isinstance(value, dict)]


def text(value: Mapping[str, Any], name: str) -> str | None:
    """A member that is a text and known; None otherwise, so that a rule can pass over it."""
    found = value.get(name)
    return found if isinstance(found, str) and not is_open(found) else None


def number(value: Mapping[str, Any], name: str) -> int | None:
    """A member that is a number; None otherwise."""
    found = value.get(name)
    return found if isinstance(found, int) else None


@dataclass(frozen=True)
class Task:
    """A task definition as the rules see it."""

    definition: dict[str, Any]
    launch_types: frozenset[str]

    @cached_property
    def containers(self) -> list[Item]:
        return items_of(self.definition.get("containerDefinitions"), "containerDefinitions")

    @cached_property
    def volumes(self) -> list[Item]:
        return items_of(self.definition.get("volumes"), "volumes")

    @cached_property
    def by_name(self) -> dict[str, Item]:
        return {item.value["name"]: item for item in self.containers if text(item.value, "name")}

    @property
    def fargate(self) -> bool:
        return "FARGATE" in self.launch_types

    @property
    def network_mode(self) -> str:
        """The declared network mode, or the one that AWS takes when there is none."""
        return text(self.definition, "networkMode") or ("awsvpc" if self.fargate else "bridge")

    @property
    def operating_system(self) -> str:
        return text(self.definition.get("runtimePlatform") or {}, "operatingSystemFamily") or "LINUX"

    @property
    def windows(self) -> bool:
        return self.operating_system.startswith("WINDOWS")

    def each(self, name: str) -> Iterator[tuple[Item, Item]]:
        """Every object of one list in all containers, with its container."""
        for container in self.containers:
            for item in container.items(name):
                yield container, item
