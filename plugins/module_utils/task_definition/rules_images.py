# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules for image references, and for what needs the execution role."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from ansible_collections.dockyard.aws.plugins.module_utils.task_definition.context import Task, text
from ansible_collections.dockyard.aws.plugins.module_utils.task_definition.shapes import Problem
from ansible_collections.dockyard.aws.plugins.module_utils.task_definition.values import shown

_HOST = r"(?:[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)*(?::\d+)?"
_PART = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_IMAGE = re.compile(
    rf"(?P<name>(?:{_HOST}/)?{_PART}(?:/{_PART})*)(?::(?P<tag>\w[\w.-]{{0,127}}))?(?:@sha256:[0-9a-fA-F]{{64}})?",
    re.ASCII,
)
_ECR = re.compile(r"\d{12}\.(dkr\.ecr(-fips)?\.[a-z0-9-]+\.[a-z0-9.-]+|dkr-ecr(-fips)?\.[a-z0-9-]+\.on\.[a-z0-9.-]+)/")


def is_ecr_image(image: str) -> bool:
    """True for an image in a private ECR repository."""
    return bool(_ECR.match(image))


def images(task: Task) -> Iterator[Problem]:
    for path, value in task.containers:
        image = text(value, "image")
        if "image" not in value:
            yield Problem(f"{path}.image", "is required")
        elif image is not None and not _IMAGE.fullmatch(image):
            yield Problem(
                f"{path}.image", f"got {shown(image)}, allowed: repository[:tag][@sha256:digest] in lower case"
            )
        elif image is not None and len(image.partition("@")[0]) > 255:
            yield Problem(f"{path}.image", f"got {len(image.partition('@')[0])} characters, allowed: up to 255")


def execution_role(task: Task) -> Iterator[Problem]:
    """Without an execution role, nobody could fetch these at the start of the task."""
    if task.definition.get("executionRoleArn"):
        return
    needs = [f"{path}.{field}" for path, value in task.containers for field in _needing_role(value, task.fargate)]
    if needs:
        yield Problem("executionRoleArn", f"is required{' on Fargate' if task.fargate else ''} by {', '.join(needs)}")


def _needing_role(container: dict[str, Any], fargate: bool) -> Iterator[str]:
    log = container.get("logConfiguration")
    log = log if isinstance(log, dict) else {}
    for field in ("secrets", "environmentFiles", "repositoryCredentials"):
        if container.get(field):
            yield field
    if log.get("secretOptions"):
        yield "logConfiguration.secretOptions"
    # On EC2 the container instance's own role pulls images and writes logs.
    if fargate and log.get("logDriver") == "awslogs":
        yield "logConfiguration (awslogs)"
    if fargate and is_ecr_image(text(container, "image") or ""):
        yield "image (ECR)"


RULES = (images, execution_role)
