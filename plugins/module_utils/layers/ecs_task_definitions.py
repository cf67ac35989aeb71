# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Task definitions and log groups of the layer `ecs`: what a declaration means, and what is wrong with it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ansible_collections.dockyard.aws.plugins.module_utils.layers.base import (
    Environment,
    api_names,
    declared_only,
    refer,
)
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.model import Ref, Resource, Text
from ansible_collections.dockyard.aws.plugins.module_utils.resources.ecs_task_definition import ON_LATEST
from ansible_collections.dockyard.aws.plugins.module_utils.task_definition.errors import TaskDefinitionError
from ansible_collections.dockyard.aws.plugins.module_utils.task_definition.load import load_file, load_source
from ansible_collections.dockyard.aws.plugins.module_utils.task_definition.render import TASK_OVERRIDES, render
from ansible_collections.dockyard.aws.plugins.module_utils.task_definition.validate import validate

SOURCES = ("file", "definition", "from_latest")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_LOG_GROUP_NAME = re.compile(r"[.\-_/#A-Za-z0-9]{1,512}")
_KEY_ARN = re.compile(r"arn:[\w-]+:kms:[\w-]+:\d{12}:key/[\w-]+")


def place(task: Mapping[str, Any]) -> str:
    return f"ecs.task_definitions[{task['family']}]"


def task_definition(task: Mapping[str, Any], environment: Environment, base_dir: str) -> Resource:
    """The family as a resource. Raises TaskDefinitionError where its source or overrides cannot be used."""
    where, own = place(task), dict(task["tags"] or {})
    if task["from_latest"]:
        properties: dict[str, Any] = {ON_LATEST: overrides(task)}
    else:
        properties = rendered(task, base_dir)
        own = {tag["key"]: tag.get("value", "") for tag in properties.pop("tags", ())} | own
    return Resource(
        "ecs_task_definition",
        task["family"],
        properties,
        where=where,
        tags={**environment.tags, **own},
        depends_on=(Ref("log_group", task["log_group"]["name"], where=where),) if task["log_group"] else (),
        options={"image_owner": task["image_owner"]},
        protect=task["protect"],
    )


def rendered(task: Mapping[str, Any], base_dir: str) -> dict[str, Any]:
    """The whole task definition, with references where it names repositories and roles."""
    return render(_source(task, base_dir), overrides(task))


def _source(task: Mapping[str, Any], base_dir: str) -> dict[str, Any]:
    if task["file"] is not None:
        return load_file(Path(base_dir) / task["file"])
    return load_source(task["definition"])


def overrides(task: Mapping[str, Any]) -> dict[str, Any]:
    """The declaration's own options as overrides of its source."""
    where = place(task)
    given = {name: task[name] for name in TASK_OVERRIDES if name != "tags" and task.get(name) is not None}
    if task["runtime_platform"]:
        given["runtime_platform"] = declared_only(task["runtime_platform"])
    for name in ("execution_role", "task_role"):
        if task[name]:
            given[f"{name}_arn"] = refer("iam_role", task[name], "arn", f"{where}.{name}")
    if task["containers"]:
        problems: list[str] = []
        given["containers"] = {
            name: _container(name, override, f"{where}.containers[{name}].image", problems)
            for name, override in task["containers"].items()
        }
        if problems:
            raise TaskDefinitionError(problems)
    return given


def _container(name: str, override: Any, where: str, problems: list[str]) -> Any:
    if not isinstance(override, Mapping) or not isinstance(override.get("image"), Mapping):
        return override
    image = override["image"]
    path = f"containers[{name}].image"
    found = list(_image_problems(image, path))
    problems += found
    if found:
        return {key: value for key, value in override.items() if key != "image"}
    template = f"{{}}@{image['digest']}" if image.get("digest") else f"{{}}:{image['tag']}"
    return {**override, "image": Text(template, (Ref("ecr_repository", image["repository"], "uri", where=where),))}


def _image_problems(image: Mapping[str, Any], path: str) -> Iterator[str]:
    unknown = sorted(set(image) - {"repository", "tag", "digest"})
    if unknown:
        yield f"{path}: unknown {', '.join(unknown)}; allowed: repository, and tag or digest"
    if not image.get("repository") or not isinstance(image["repository"], str):
        yield f"{path}.repository: is required: the name of an ECR repository"
    if bool(image.get("tag")) == bool(image.get("digest")):
        yield f"{path}: needs either tag or digest"
    elif image.get("tag") and not _TAG.fullmatch(str(image["tag"])):
        yield f"{path}.tag: got {image['tag']!r}, allowed: letters, digits, '_', '.', '-', at most 128"
    elif image.get("digest") and not _DIGEST.fullmatch(str(image["digest"])):
        yield f"{path}.digest: got {image['digest']!r}, allowed: sha256: and 64 hexadecimal digits"


def log_group(group: Mapping[str, Any], environment: Environment, where: str) -> Resource:
    fields = {key: value for key, value in group.items() if key not in ("name", "tags", "protect")}
    return Resource(
        "log_group",
        group["name"],
        api_names(fields),
        where=where,
        tags={**environment.tags, **(group["tags"] or {})},
        protect=group["protect"],
    )


def problems(
    task: Mapping[str, Any], environment: Environment, base_dir: str, launch_types: Sequence[str]
) -> tuple[dict[str, Any] | None, list[str]]:
    """What is wrong with a declaration, and the whole definition where it can be known without AWS."""
    given = [name for name in SOURCES if task[name]]
    if len(given) != 1:
        got = f"got {', '.join(given)}" if given else "got none"
        return None, [f"needs exactly one of {', '.join(SOURCES)}: {got}"]
    if task["image_owner"] == "pipeline" and task["from_latest"] and _images(task):
        return None, [f"image of {', '.join(_images(task))} is never used with from_latest and image_owner: pipeline"]
    try:
        if task["from_latest"]:
            # The containers are in AWS: only the form of the overrides can be checked.
            containers = [{"name": name} for name in task["containers"] or ()]
            render({"containerDefinitions": containers}, overrides(task))
            return None, []
        definition = rendered(task, base_dir)
    except TaskDefinitionError as error:
        return None, list(error.problems)
    found = [str(problem) for problem in validate(definition, launch_types=launch_types)]
    found += _log_problems(task, definition, environment)
    return definition, found


def _images(task: Mapping[str, Any]) -> list[str]:
    items = (task["containers"] or {}).items()
    return [name for name, override in items if isinstance(override, Mapping) and override.get("image")]


def _log_problems(task: Mapping[str, Any], definition: Mapping[str, Any], environment: Environment) -> Iterator[str]:
    if not task["log_group"]:
        return
    name = task["log_group"]["name"]
    used = dict(awslogs(definition))
    groups = {container: options.get("awslogs-group") for container, options in used.items()}
    if name not in groups.values():
        named = ", ".join(f"{container} logs to {group}" for container, group in groups.items())
        yield f"log_group.name: no container logs to {name!r} ({named or 'no container has the log driver awslogs'})"
    for container, options in used.items():
        region = options.get("awslogs-region")
        if options.get("awslogs-group") == name and environment.region and region not in (None, environment.region):
            path = f"containerDefinitions[{container}].logConfiguration.options[awslogs-region]"
            yield f"{path}: got {region!r}, but the log group is made in {environment.region!r}"


def awslogs(definition: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The options of the log driver awslogs, by container."""
    for container in definition.get("containerDefinitions") or ():
        configuration = container.get("logConfiguration") or {}
        if configuration.get("logDriver") == "awslogs":
            yield container.get("name", ""), configuration.get("options") or {}


def log_group_problems(group: Mapping[str, Any]) -> Iterator[str]:
    if not _LOG_GROUP_NAME.fullmatch(group["name"]):
        yield f"name: got {group['name']!r}, allowed: letters, digits, '.', '-', '_', '/', '#', at most 512"
    if group["kms_key_id"] and not _KEY_ARN.fullmatch(group["kms_key_id"]):
        yield f"kms_key_id: got {group['kms_key_id']!r}, CloudWatch Logs wants the ARN of a key"
