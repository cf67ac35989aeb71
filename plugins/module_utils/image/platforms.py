# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""On which platforms the tasks run that get an image, as far as the declarations of the services say it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ansible_collections.dockyard.aws.plugins.module_utils.deploy import images
from ansible_collections.dockyard.aws.plugins.module_utils.layers import ecs_service_rules, ecs_services
from ansible_collections.dockyard.aws.plugins.module_utils.layers import ecs_task_definitions as task_definitions
from ansible_collections.dockyard.aws.plugins.module_utils.layers.base import Declaration
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.model import Text
from ansible_collections.dockyard.aws.plugins.module_utils.task_definition.errors import TaskDefinitionError


def by_repository(declarations: Sequence[Declaration]) -> dict[str, dict[str, str]]:
    """ECR repository -> family -> platform of its tasks. Tasks on container instances may not say theirs."""
    services = [item for declaration in declarations for item in declaration.options["services"] or ()]
    found: dict[str, dict[str, str]] = {}
    for declaration in declarations:
        for task in declaration.options["task_definitions"] or ():
            definition = _definition(task, declaration.base_dir)
            types = [
                ecs_service_rules.launch_types(item) for item in services if ecs_services.family(item) == task["family"]
            ]
            fargate = "FARGATE" in (set().union(*types) or set(definition.get("requiresCompatibilities") or ()))
            platforms = images.wanted_platform(definition, fargate)
            for repository in _repositories(definition):
                found.setdefault(repository, {}).update((task["family"], platform) for platform in platforms)
    return found


def _definition(task: Mapping[str, Any], base_dir: str) -> Mapping[str, Any]:
    """What is rendered without AWS; a definition with mistakes is the business of the layer ecs."""
    try:
        return {} if task["from_latest"] else task_definitions.rendered(task, base_dir)
    except TaskDefinitionError:
        return {}


def _repositories(definition: Mapping[str, Any]) -> Iterator[str]:
    for container in definition.get("containerDefinitions") or ():
        image = container.get("image")
        if isinstance(image, Text):
            yield from (ref.name for ref in image.references if ref.kind == "ecr_repository")
        elif isinstance(image, str) and (reference := images.parse(image)) is not None:
            yield reference.repository
