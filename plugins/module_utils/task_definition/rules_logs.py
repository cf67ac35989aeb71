# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules for log configurations and FireLens."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from ansible_collections.dockyard.aws.plugins.module_utils.task_definition.context import Task, text
from ansible_collections.dockyard.aws.plugins.module_utils.task_definition.errors import did_you_mean
from ansible_collections.dockyard.aws.plugins.module_utils.task_definition.shapes import Problem
from ansible_collections.dockyard.aws.plugins.module_utils.task_definition.values import shown

AWSLOGS_OPTIONS = (
    "awslogs-create-group",
    "awslogs-datetime-format",
    "awslogs-group",
    "awslogs-multiline-pattern",
    "awslogs-region",
    "awslogs-stream-prefix",
    "max-buffer-size",
    "mode",
)
FARGATE_LOG_DRIVERS = ("awslogs", "splunk", "awsfirelens")
_GROUP = re.compile(r"[\w./#-]{1,512}", re.ASCII)


def log_drivers(task: Task) -> Iterator[Problem]:
    firelens = [item for item in task.containers if item.value.get("firelensConfiguration")]
    for path, value in task.containers:
        log = value.get("logConfiguration")
        driver = log.get("logDriver") if isinstance(log, dict) else None
        if task.fargate and driver is not None and driver not in FARGATE_LOG_DRIVERS:
            yield Problem(
                f"{path}.logConfiguration.logDriver",
                f"got {shown(driver)}, allowed on Fargate: {', '.join(FARGATE_LOG_DRIVERS)}",
            )
        if driver == "awsfirelens" and not firelens:
            yield Problem(
                f"{path}.logConfiguration.logDriver", "got 'awsfirelens', but no container has a firelensConfiguration"
            )
        if driver == "awsfirelens" and value.get("firelensConfiguration"):
            yield Problem(
                f"{path}.logConfiguration.logDriver", "got 'awsfirelens', but this container is the log router itself"
            )
    for path, _unused in firelens[1:]:
        yield Problem(f"{path}.firelensConfiguration", f"only one container can be the log router: {firelens[0].path}")


def awslogs(task: Task) -> Iterator[Problem]:
    for path, value in task.containers:
        log = value.get("logConfiguration")
        if isinstance(log, dict) and log.get("logDriver") == "awslogs":
            options = log.get("options")
            yield from _awslogs(f"{path}.logConfiguration.options", options if isinstance(options, dict) else {}, task)


def _awslogs(path: str, options: dict[str, Any], task: Task) -> Iterator[Problem]:
    required = ["awslogs-group", "awslogs-region", *(["awslogs-stream-prefix"] if task.fargate else [])]
    for name in required:
        if not options.get(name):
            yield Problem(
                f"{path}[{name}]", f"is required for awslogs{' on Fargate' if name not in required[:2] else ''}"
            )
    for name in options:
        if name not in AWSLOGS_OPTIONS:
            hint = did_you_mean(name, AWSLOGS_OPTIONS)
            yield Problem(f"{path}[{name}]", f"unknown option{hint}; allowed: {', '.join(AWSLOGS_OPTIONS)}")
    group = text(options, "awslogs-group")
    if group and not _GROUP.fullmatch(group):
        yield Problem(f"{path}[awslogs-group]", f"got {shown(group)}, allowed: up to 512 letters, digits and . _ / # -")
    for name, allowed in (("mode", ("blocking", "non-blocking")), ("awslogs-create-group", ("true", "false"))):
        chosen = text(options, name)
        if chosen is not None and chosen not in allowed:
            yield Problem(f"{path}[{name}]", f"got {shown(chosen)}, allowed: {', '.join(allowed)}")
    if "awslogs-datetime-format" in options and "awslogs-multiline-pattern" in options:
        yield Problem(f"{path}[awslogs-multiline-pattern]", "excludes awslogs-datetime-format")


def firelens_options(task: Task) -> Iterator[Problem]:
    for path, value in task.containers:
        firelens = value.get("firelensConfiguration")
        options = firelens.get("options") if isinstance(firelens, dict) else None
        source = options.get("config-file-type") if isinstance(options, dict) else None
        allowed = ("file",) if task.fargate else ("file", "s3")
        if source is not None and source not in allowed:
            where = " on Fargate" if task.fargate else ""
            yield Problem(
                f"{path}.firelensConfiguration.options[config-file-type]",
                f"got {shown(source)}, allowed{where}: {', '.join(allowed)}",
            )


RULES = (log_drivers, awslogs, firelens_options)
