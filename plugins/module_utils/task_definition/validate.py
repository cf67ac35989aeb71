# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Validate a task definition against the service model and against the rules that AWS enforces beyond it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from ansible_collections.dockyard.aws.plugins.module_utils.task_definition import (
    rules_containers,
    rules_fargate,
    rules_images,
    rules_logs,
    rules_network,
    rules_platform,
    rules_resources,
    rules_task,
    rules_volumes,
)
from ansible_collections.dockyard.aws.plugins.module_utils.task_definition.context import Task
from ansible_collections.dockyard.aws.plugins.module_utils.task_definition.shapes import Problem, check_shapes

__all__ = ["Problem", "validate"]

Rule = Callable[[Task], Iterator[Problem]]

RULES: tuple[Rule, ...] = (
    *rules_task.RULES,
    *rules_resources.RULES,
    *rules_containers.RULES,
    *rules_images.RULES,
    *rules_logs.RULES,
    *rules_network.RULES,
    *rules_volumes.RULES,
    *rules_platform.RULES,
    *rules_fargate.RULES,
)


def validate(task_definition: Mapping[str, Any], *, launch_types: Sequence[str] = ()) -> list[Problem]:
    """Everything that AWS would refuse, all at once; an empty list means that it can be registered.

    launch_types: where the service runs the task (FARGATE, EC2, EXTERNAL, MANAGED_INSTANCES), in addition to the
        definition's own requiresCompatibilities.
    """
    checked = check_shapes(task_definition)
    declared = [name for name in checked.clean.get("requiresCompatibilities") or [] if isinstance(name, str)]
    task = Task(checked.clean, frozenset((*declared, *launch_types)))
    reported = {problem.path for problem in checked.problems}
    problems = [problem for rule in RULES for problem in rule(task) if problem.path not in reported]
    return list(dict.fromkeys((*checked.problems, *problems)))
