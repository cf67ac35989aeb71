# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module run_task: a command in a task of its own, as the tasks of a service run."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from ansible_collections.dockyard.aws.plugins.module_utils.aws.session import Aws
from ansible_collections.dockyard.aws.plugins.module_utils.deploy import one_off, services
from ansible_collections.dockyard.aws.plugins.module_utils.layers import run as running
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.errors import ReconcileError
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.model import Observed
from ansible_collections.dockyard.aws.plugins.module_utils.resources import ecs_rollout
from ansible_collections.dockyard.aws.plugins.module_utils.resources import ecs_task_definition as resource

ARGUMENT_SPEC: dict[str, Any] = {
    **services.ARGUMENT_SPEC,
    "name": {"type": "str", "default": "task"},
    "command": {"type": "list", "elements": "str"},
    "container": {"type": "str"},
    "environment": {"type": "dict"},
    "cpu": {"type": "str"},
    "memory": {"type": "str"},
    "task_definition": {"type": "str"},
    "timeout": {"type": "int", "default": 1800},
}


def run(params: Mapping[str, Any], check_mode: bool, progress: Callable[[str], None]) -> dict[str, Any]:
    """Run it to its end. Failed where the container's exit code is not 0."""
    _check(params)
    full = {**params, "state": "present", "strict": False}
    sessions, _environment = running.connect(full, progress)
    declared = running.parsed(full)[services.LAYER]
    service = services.one(services.of(declared, params.get("service")), "run_task", "task_service")
    aws = sessions.aws(services.LAYER)
    with services.explained(aws, f"run a task of {service.name}"):
        live = ecs_rollout.described(aws, service.name)
        if live is None or live["status"] != "ACTIVE":
            raise ReconcileError(f"the ECS service {service.name} does not exist: site.yml makes it")
        live = ecs_rollout.as_it_runs(live)
        found = _definition(aws, params.get("task_definition"), live.get("taskDefinition") or "")
    task = one_off.OneOff(
        params["name"],
        params.get("container") or "",
        params.get("command"),
        params.get("environment") or {},
        params.get("cpu") or "",
        params.get("memory") or "",
        params["timeout"],
    )
    container = one_off.container_of(found.properties, task.container)
    arn = found.attributes["arn"]
    result: dict[str, Any] = {
        "changed": True,
        "service": service.name,
        "task_definition": arn.rsplit("/", 1)[-1],
        "container": container,
    }
    if not check_mode:
        with services.explained(aws, f"run a task of {service.name}"):
            ran = one_off.Runner(aws, live).run(task, arn, found.properties)
        result.update(ran.as_result())
        if not ran.succeeded:
            result.update(failed=True, msg=ran.failure())
    return result


def _check(params: Mapping[str, Any]) -> None:
    services.check_seconds(params, "timeout")
    command = list(params.get("command") or ())
    if len(command) == 1 and " " in command[0].strip():
        words = json.dumps(command[0].split())
        raise ReconcileError(
            f"command: got one word with spaces in it, {command[0]!r}, which would be the name of a program. Give a "
            f'list: -e \'{{"task_command": {words}}}\', or ["sh", "-c", "…"] for a shell\'s line'
        )


def _definition(aws: Aws, wanted: str | None, running_arn: str) -> Observed:
    """What the service runs, or what is asked for."""
    if not wanted and not running_arn:
        raise ReconcileError("the service has no task set yet: name a task definition with -e task_family=<family>")
    found = resource.latest(aws, wanted) if wanted else resource.described(aws, running_arn)[0]
    if found is None:
        raise ReconcileError(f"task_definition: there is no active {wanted or running_arn}")
    return found
