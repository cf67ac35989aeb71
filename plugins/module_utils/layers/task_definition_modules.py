# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rendering and registering one task definition: what the modules of these names do."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.dockyard.aws.plugins.module_utils.aws.session import Aws, Credentials, Session
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.errors import ReconcileError
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.model import Difference, Observed, Resource
from ansible_collections.dockyard.aws.plugins.module_utils.resources.ecs_task_definition import (
    EcsTaskDefinition,
    latest,
)
from ansible_collections.dockyard.aws.plugins.module_utils.task_definition.errors import TaskDefinitionError
from ansible_collections.dockyard.aws.plugins.module_utils.task_definition.load import load_file, load_source
from ansible_collections.dockyard.aws.plugins.module_utils.task_definition.render import TASK_OVERRIDES, render
from ansible_collections.dockyard.aws.plugins.module_utils.task_definition.sensitive import (
    redacted,
    secrets_in,
)
from ansible_collections.dockyard.aws.plugins.module_utils.task_definition.validate import validate

LAUNCH_TYPES = ["EC2", "FARGATE", "EXTERNAL", "MANAGED_INSTANCES"]
# Ansible blots values out wherever they stand, which for a shorter text would make results unreadable.
SHORTEST_SECRET = 6
SOURCES = ("file", "definition", "from_family")
ARGUMENT_SPEC: dict[str, Any] = {
    "file": {"type": "path"},
    "definition": {"type": "raw"},
    "from_family": {"type": "str"},
    "containers": {"type": "dict"},
    "family": {"type": "str"},
    "cpu": {"type": "str"},
    "memory": {"type": "str"},
    "task_role_arn": {"type": "str"},
    "execution_role_arn": {"type": "str"},
    "network_mode": {"type": "str", "choices": ["awsvpc", "bridge", "host", "none"]},
    "requires_compatibilities": {"type": "list", "elements": "str", "choices": LAUNCH_TYPES},
    "runtime_platform": {"type": "dict"},
    "ephemeral_storage": {"type": "raw"},
    "volumes": {"type": "list", "elements": "dict"},
    "pid_mode": {"type": "str", "choices": ["host", "task"]},
    "ipc_mode": {"type": "str", "choices": ["host", "task", "none"]},
    "placement_constraints": {"type": "list", "elements": "dict"},
    "proxy_configuration": {"type": "dict"},
    "tags": {"type": "dict"},
    "enable_fault_injection": {"type": "bool"},
    "launch_types": {"type": "list", "elements": "str", "choices": LAUNCH_TYPES, "default": []},
}
RENDER_ARGUMENT_SPEC: dict[str, Any] = {**ARGUMENT_SPEC, "dest": {"type": "path"}}


def render_module() -> None:
    """The module task_definition_render."""
    module, result = _carried_out(RENDER_ARGUMENT_SPEC, lambda module: run_render(module.params))
    text = result.pop("text", "")
    if result["changed"] and not module.check_mode:
        handle, partial = tempfile.mkstemp(dir=module.tmpdir)
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.write(text)
        module.atomic_move(partial, result["dest"])
    module.exit_json(**result)


def register_module() -> None:
    """The module task_definition."""
    module, result = _carried_out(ARGUMENT_SPEC, _registered)
    module.exit_json(**result)


def _registered(module: AnsibleAWSModule) -> dict[str, Any]:
    """What is given as a secret's value is not in the invocation that Ansible prints with -vvv either."""
    given = [module.params["definition"], module.params["containers"]]
    module._module.no_log_values.update(text for text in secrets_in(given) if len(text) >= SHORTEST_SECRET)
    return run_register(module.params, module.check_mode)


def _carried_out(
    spec: dict[str, Any], work: Callable[[AnsibleAWSModule], dict[str, Any]]
) -> tuple[AnsibleAWSModule, dict[str, Any]]:
    module = AnsibleAWSModule(
        argument_spec=spec, supports_check_mode=True, mutually_exclusive=[SOURCES], required_one_of=[SOURCES]
    )
    try:
        return module, work(module)
    except ReconcileError as error:
        return module, module.fail_json(msg=str(error))


def rendered(params: Mapping[str, Any]) -> dict[str, Any]:
    """The source with the overrides applied, validated; raises with every problem found."""
    overrides = {name: params[name] for name in (*TASK_OVERRIDES, "containers") if params.get(name) is not None}
    try:
        definition = render(_source(params), overrides)
    except TaskDefinitionError as error:
        raise _refused(list(error.problems)) from error
    problems = [str(problem) for problem in validate(definition, launch_types=params["launch_types"])]
    if problems:
        raise _refused(problems)
    return definition


def _refused(problems: list[str]) -> ReconcileError:
    count = len(problems)
    lines = "\n".join(f"  - {problem}" for problem in problems)
    return ReconcileError(f"{count} problem{'s' if count != 1 else ''} in the task definition:\n{lines}")


def _source(params: Mapping[str, Any]) -> dict[str, Any]:
    if params["file"]:
        return load_file(params["file"])
    if params["definition"] is not None:
        return load_source(params["definition"], "definition")
    aws = _aws(params)
    found = _read(aws, params["from_family"])
    if found is None:
        raise ReconcileError(f"from_family: AWS has no active task definition {params['from_family']!r}")
    labels = [{"key": key, "value": value} for key, value in (found.tags or {}).items()]
    return {**found.properties, **({"tags": labels} if labels else {})}


def _aws(params: Mapping[str, Any]) -> Aws:
    return Aws(Session(Credentials.of(params)), "ecs", "")


def _read(aws: Aws, name: str) -> Observed | None:
    try:
        return latest(aws, name)
    except Exception as error:
        raise aws.explained(error, f"read the task definition {name}") from error


def run_render(params: Mapping[str, Any]) -> dict[str, Any]:
    """What task_definition_render does, but for writing the file; `text` is its content."""
    definition = rendered(params)
    text = json.dumps(definition, indent=2, ensure_ascii=False) + "\n"
    if not params["dest"]:
        return {"changed": False, "task_definition": definition}
    path = Path(params["dest"])
    try:
        before = path.read_text(encoding="utf-8") if path.exists() else ""
    except (OSError, UnicodeDecodeError) as error:
        raise ReconcileError(f"dest: {path} cannot be read: {error}") from error
    return {
        "changed": before != text,
        "task_definition": definition,
        "dest": str(path),
        "text": text,
        "diff": {
            "before_header": str(path),
            "after_header": str(path),
            "before": _without_secrets(before),
            "after": _without_secrets(text),
        },
    }


def _without_secrets(text: str) -> str:
    try:
        return json.dumps(redacted(json.loads(text)), indent=2, ensure_ascii=False) + "\n" if text else ""
    except ValueError:
        return text


def run_register(params: Mapping[str, Any], check_mode: bool) -> dict[str, Any]:
    """Register a revision where the definition differs from the family's latest; tags of the latest are kept."""
    definition = rendered(params)
    labels = {tag["key"]: tag.get("value", "") for tag in definition.pop("tags", ())}
    aws, kind, family = _aws(params), EcsTaskDefinition(), definition["family"]
    observed = _read(aws, family)
    before = observed.properties if observed is not None else {}
    found = kind.differences(kind.canonical(definition), kind.canonical(before), {})
    old_labels = (observed.tags or {}) if observed is not None else {}
    changed_labels = {key: value for key, value in labels.items() if old_labels.get(key) != value}
    resource = Resource(kind.kind, family, definition, tags={**old_labels, **labels})
    result = _result(kind, observed, found, changed_labels, old_labels)
    if check_mode or not result["changed"]:
        return result
    try:
        if observed is None:
            made = kind.create(aws, resource)
        elif found:
            made = kind.update(aws, resource, observed, found)
        else:
            kind.retag(aws, observed, changed_labels, ())
            made = observed.attributes
    except Exception as error:
        raise aws.explained(error, f"register the task definition {family}") from error
    return {**result, "task_definition_arn": made["arn"], "revision": made["revision"]}


def _result(
    kind: EcsTaskDefinition,
    observed: Observed | None,
    found: list[Difference],
    changed_labels: Mapping[str, str],
    old_labels: Mapping[str, str],
) -> dict[str, Any]:
    labels = [Difference(f"tags.{key}", old_labels.get(key), value) for key, value in changed_labels.items()]
    shown = [{"path": item.path, "before": item.before, "after": item.after} for item in kind.shown(found) + labels]
    sides = {
        side: "".join(f"{item['path']}: {json.dumps(item[side])}\n" for item in shown if item[side] is not None)
        for side in ("before", "after")
    }
    current = observed.attributes if observed is not None else {}
    return {
        "changed": bool(found or changed_labels or observed is None),
        "registers": bool(found or observed is None),
        "differences": shown,
        "diff": sides,
        "task_definition_arn": current.get("arn"),
        "revision": current.get("revision"),
    }
