# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules for containers: names, dependencies, environment, secrets, health checks, timeouts, limits."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from ansible_collections.dockyard.aws.plugins.module_utils.task_definition.context import Item, Task, number, text
from ansible_collections.dockyard.aws.plugins.module_utils.task_definition.errors import did_you_mean
from ansible_collections.dockyard.aws.plugins.module_utils.task_definition.rules_task import NAME
from ansible_collections.dockyard.aws.plugins.module_utils.task_definition.shapes import Problem
from ansible_collections.dockyard.aws.plugins.module_utils.task_definition.values import shown

MAX_CONTAINERS = 10
_SECRET = re.compile(
    r"arn:aws[\w-]*:secretsmanager:[a-z0-9-]+:\d{12}:secret:[^\s:]+(:[^:]*(:[^:]*(:[^:]*)?)?)?"
    r"|arn:aws[\w-]*:ssm:[a-z0-9-]+:\d{12}:parameter/[\w./-]+(:[\w.-]+)?"
    r"|[\w./-]{1,1011}(:[\w.-]+)?"
)
_ENV_FILE = re.compile(r"arn:aws[\w-]*:s3:::[a-z0-9.-]{3,63}/.+\.env")
_HEALTH_RANGES = {"interval": (5, 300), "timeout": (2, 60), "retries": (1, 10), "startPeriod": (0, 300)}


def container_names(task: Task) -> Iterator[Problem]:
    containers = task.definition.get("containerDefinitions")
    if isinstance(containers, list) and not 1 <= len(containers) <= MAX_CONTAINERS:
        yield Problem("containerDefinitions", f"got {len(containers)} containers, allowed: 1..{MAX_CONTAINERS}")
    counts = Counter(text(item.value, "name") for item in task.containers)
    for path, value in task.containers:
        name = text(value, "name")
        if "name" not in value:
            yield Problem(f"{path}.name", "is required")
        elif name is not None and not NAME.fullmatch(name):
            yield Problem(
                f"{path}.name", f"got {shown(name)}, allowed: 1 to 255 letters, digits, hyphens and underscores"
            )
        elif name is not None and counts[name] > 1:
            yield Problem(f"{path}.name", f"got {shown(name)}, which {counts[name]} containers have")


def essential(task: Task) -> Iterator[Problem]:
    if task.containers and all(item.value.get("essential") is False for item in task.containers):
        yield Problem("containerDefinitions", "at least one container must be essential")


def dependencies(task: Task) -> Iterator[Problem]:
    for container, item in task.each("dependsOn"):
        name, condition = text(item.value, "containerName"), item.value.get("condition")
        if name is None:
            continue
        target = task.by_name.get(name)
        if target is None:
            yield Problem(f"{item.path}.containerName", _unknown_container(name, task))
        elif target is container or name == container.value.get("name"):
            yield Problem(f"{item.path}.containerName", f"got {shown(name)}, but a container cannot depend on itself")
        elif condition == "HEALTHY" and not target.value.get("healthCheck"):
            yield Problem(f"{item.path}.condition", f"got 'HEALTHY', but the container {name} has no healthCheck")
        elif condition in ("SUCCESS", "COMPLETE") and target.value.get("essential", True) is not False:
            yield Problem(
                f"{item.path}.condition",
                f"got {condition!r}, but the container {name} is essential: when it exits, the task stops",
            )


def dependency_cycles(task: Task) -> Iterator[Problem]:
    graph = {
        name: [str(text(one.value, "containerName")) for one in item.items("dependsOn")]
        for name, item in task.by_name.items()
    }
    reported: set[frozenset[str]] = set()
    for start in graph:
        cycle = _cycle(graph, start)
        if len(cycle) > 1 and frozenset(cycle) not in reported:
            reported.add(frozenset(cycle))
            yield Problem(f"{task.by_name[start].path}.dependsOn", f"is a cycle: {' -> '.join([*cycle, start])}")


def _cycle(graph: dict[str, list[str]], start: str) -> list[str]:
    """The names on a way from start back to start, or nothing."""
    ways, seen = [[start]], {start}
    while ways:
        way = ways.pop()
        for name in graph.get(way[-1], []):
            if name == start:
                return way
            if name not in seen:
                seen.add(name)
                ways.append([*way, name])
    return []


def links_and_volumes_from(task: Task) -> Iterator[Problem]:
    for container in task.containers:
        for index, link in enumerate(container.value.get("links") or []):
            name = link.partition(":")[0] if isinstance(link, str) else None
            if name is not None and name not in task.by_name:
                yield Problem(f"{container.path}.links[{index}]", _unknown_container(name, task))
        for item in container.items("volumesFrom"):
            source = text(item.value, "sourceContainer")
            if source is not None and source not in task.by_name:
                yield Problem(f"{item.path}.sourceContainer", _unknown_container(source, task))
            elif source is not None and source == container.value.get("name"):
                yield Problem(f"{item.path}.sourceContainer", f"got {shown(source)}, which is the container itself")


def environment(task: Task) -> Iterator[Problem]:
    for container in task.containers:
        variables, secrets = container.items("environment"), container.items("secrets")
        for items in (variables, secrets):
            counts = _names(items)
            for item in items:
                yield from _variable_name(item, counts)
        plain = _names(variables)
        for item in secrets:
            name = text(item.value, "name")
            if name and plain[name]:
                yield Problem(f"{item.path}.name", f"got {shown(name)}, which is in environment too")
        files = container.items("environmentFiles")
        if len(files) > 10:
            yield Problem(f"{container.path}.environmentFiles", f"got {len(files)} files, allowed: up to 10")
        for file in files:
            value = text(file.value, "value")
            if value is not None and not _ENV_FILE.fullmatch(value):
                yield Problem(
                    f"{file.path}.value", f"got {shown(value)}, allowed: the S3 ARN of a file whose name ends in .env"
                )


def _names(items: list[Item]) -> Counter[str | None]:
    return Counter(text(item.value, "name") for item in items)


def _variable_name(item: Item, counts: Counter[str | None]) -> Iterator[Problem]:
    name = text(item.value, "name")
    if not name:
        if not item.value.get("name"):
            yield Problem(f"{item.path}.name", "must not be empty")
    elif "=" in name:
        yield Problem(f"{item.path}.name", f"got {shown(name)}, but a variable's name cannot contain =")
    elif counts[name] > 1:
        yield Problem(f"{item.path}.name", f"got {shown(name)}, which is there {counts[name]} times")


def secret_sources(task: Task) -> Iterator[Problem]:
    for container in task.containers:
        options = container.value.get("logConfiguration")
        log = Item(f"{container.path}.logConfiguration", options if isinstance(options, dict) else {})
        for item in (*container.items("secrets"), *log.items("secretOptions")):
            source = text(item.value, "valueFrom")
            if source is not None and not _SECRET.fullmatch(source):
                yield Problem(
                    f"{item.path}.valueFrom",
                    f"got {shown(source)}, allowed: the ARN of a Secrets Manager secret or SSM parameter, "
                    "or a parameter's name",
                )


def health_check(task: Task) -> Iterator[Problem]:
    for container in task.containers:
        check = container.value.get("healthCheck")
        if not isinstance(check, dict):
            continue
        path = f"{container.path}.healthCheck"
        for field, (low, high) in _HEALTH_RANGES.items():
            amount = number(check, field)
            if amount is not None and not low <= amount <= high:
                yield Problem(f"{path}.{field}", f"got {amount}, allowed: {low}..{high}")
        command = check.get("command")
        if isinstance(command, list) and (not command or command[0] not in ("CMD", "CMD-SHELL", "NONE")):
            got = shown(command[0]) if command else "an empty list"
            yield Problem(f"{path}.command", f"got {got} first, allowed: CMD, CMD-SHELL or NONE, then the command")
        elif isinstance(command, list) and command[0] != "NONE" and len(command) < 2:
            yield Problem(f"{path}.command", f"got only {command[0]!r}; the command itself is missing")


def timeouts(task: Task) -> Iterator[Problem]:
    low, high = (2, 120) if task.fargate else (0, None)
    for path, value in task.containers:
        for field in ("startTimeout", "stopTimeout"):
            seconds = number(value, field)
            if seconds is not None and (seconds < low or (high is not None and seconds > high)):
                limits = f"{low}..{high} on Fargate" if high else f"{low} or more"
                yield Problem(f"{path}.{field}", f"got {seconds}, allowed: {limits} (seconds)")


def restart_policy(task: Task) -> Iterator[Problem]:
    for path, value in task.containers:
        policy = value.get("restartPolicy")
        if not isinstance(policy, dict):
            continue
        period = number(policy, "restartAttemptPeriod")
        if period is not None and not 60 <= period <= 1800:
            yield Problem(f"{path}.restartPolicy.restartAttemptPeriod", f"got {period}, allowed: 60..1800")
        codes = policy.get("ignoredExitCodes")
        if isinstance(codes, list) and len(codes) > 50:
            yield Problem(f"{path}.restartPolicy.ignoredExitCodes", f"got {len(codes)} codes, allowed: up to 50")


def ulimits(task: Task) -> Iterator[Problem]:
    for container in task.containers:
        counts = _names(container.items("ulimits"))
        for item in container.items("ulimits"):
            name = text(item.value, "name")
            soft, hard = number(item.value, "softLimit"), number(item.value, "hardLimit")
            if name is not None and counts[name] > 1:
                yield Problem(f"{item.path}.name", f"got {shown(name)}, which is there {counts[name]} times")
            if soft is not None and hard is not None and hard != -1 and (soft > hard or soft == -1):
                yield Problem(f"{item.path}.softLimit", f"got {soft}, allowed: up to the hardLimit, {hard}")


def credential_specs(task: Task) -> Iterator[Problem]:
    for path, value in task.containers:
        specs = value.get("credentialSpecs")
        if isinstance(specs, list) and len(specs) > 1:
            yield Problem(f"{path}.credentialSpecs", f"got {len(specs)} entries, allowed: one")


def _unknown_container(name: str, task: Task) -> str:
    return f"got {shown(name)}, but there is no such container{did_you_mean(name, task.by_name)}; containers: " + (
        ", ".join(task.by_name) or "none"
    )


RULES = (
    container_names,
    essential,
    dependencies,
    dependency_cycles,
    links_and_volumes_from,
    environment,
    secret_sources,
    health_check,
    timeouts,
    restart_policy,
    ulimits,
    credential_specs,
)
