# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Compare two task definitions: the fields that make a new revision necessary, by name."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

from ansible_collections.dockyard.aws.plugins.module_utils.task_definition.canonical import canonical

Difference = tuple[str, Any, Any]

# Lists that are mappings in truth: identity and the one member that counts.
_PAIRS = {
    "environment": ("name", "value"),
    "secrets": ("name", "valueFrom"),
    "secretOptions": ("name", "valueFrom"),
    "tags": ("key", "value"),
    "properties": ("name", "value"),
    "systemControls": ("namespace", "value"),
    "dependsOn": ("containerName", "condition"),
    "extraHosts": ("hostname", "ipAddress"),
}
# Lists of objects that have a name or something like one.
_NAMED = {
    "containerDefinitions": "name",
    "volumes": "name",
    "ulimits": "name",
    "mountPoints": "containerPath",
    "volumesFrom": "sourceContainer",
    "resourceRequirements": "type",
    "inferenceAccelerators": "deviceName",
    "devices": "hostPath",
    "tmpfs": "containerPath",
}
_MAPS = ("dockerLabels", "options", "driverOpts", "labels")
_ROLES = ("taskRoleArn", "executionRoleArn")


def differences(
    desired: Mapping[str, Any], observed: Mapping[str, Any], ignore: Collection[str] = ()
) -> list[Difference]:
    """What differs, as (path, before, after): before is observed, after is desired, None stands for absent.

    A task definition is declared whole: what is observed and not desired is a difference too.
    ignore: patterns of paths to leave out with everything below, e.g. `containerDefinitions[*].image`.
    """
    ignored = [_path_pattern(pattern) for pattern in ignore]
    found = _object_differences("", canonical(observed), canonical(desired))
    return [difference for difference in found if not any(pattern.match(difference[0]) for pattern in ignored)]


def _path_pattern(pattern: str) -> re.Pattern[str]:
    """A pattern for a path and all paths below it; `*` stands for one name."""
    parts = re.split(r"(\[\*\]|\*)", pattern)
    wild = {"[*]": r"\[[^\]]*\]", "*": r"[^.\[\]]*"}
    return re.compile("".join(wild.get(part) or re.escape(part) for part in parts) + r"(?=$|[.\[])")


def _object_differences(path: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Difference]:
    for name in sorted({*before, *after}):
        yield from _differences(f"{path}.{name}" if path else name, name, before.get(name), after.get(name))


def _differences(path: str, name: str, before: Any, after: Any) -> Iterator[Difference]:
    if before == after or (name in _ROLES and _same_role(before, after)):
        return
    keyed = _keyed_by(name, before, after)
    if keyed:
        old, new = keyed
        for key in sorted({*old, *new}):
            yield from _differences(f"{path}[{key}]", "", old.get(key), new.get(key))
    elif isinstance(before, Mapping) and isinstance(after, Mapping):
        yield from _object_differences(path, before, after)
    else:
        yield path, before, after


def _keyed_by(name: str, before: Any, after: Any) -> tuple[dict[str, Any], dict[str, Any]] | None:
    """Both sides as mappings by name, where the field is one that has names, each of them once."""
    if name in _MAPS:
        both = isinstance(before or {}, Mapping) and isinstance(after or {}, Mapping)
        return (dict(before or {}), dict(after or {})) if both else None
    if name == "portMappings":
        old, new = _by(before, _port), _by(after, _port)
    elif name in _PAIRS:
        key, content = _PAIRS[name]
        old, new = _by(before, _member(key), _member(content)), _by(after, _member(key), _member(content))
    elif name in _NAMED:
        old, new = _by(before, _member(_NAMED[name])), _by(after, _member(_NAMED[name]))
    else:
        return None
    return None if old is None or new is None else (old, new)


def _by(
    items: Any, key: Callable[[Any], Any], content: Callable[[Any], Any] = lambda item: item
) -> dict[str, Any] | None:
    if not isinstance(items or [], list) or not all(isinstance(item, Mapping) for item in items or []):
        return None
    result = {str(key(item)): content(item) for item in items or []}
    return result if len(result) == len(items or []) else None


def _member(name: str) -> Callable[[Any], Any]:
    return lambda item: item.get(name)


def _port(item: Mapping[str, Any]) -> str:
    return f"{item.get('containerPort') or item.get('containerPortRange')}/{item.get('protocol')}"


def _same_role(before: Any, after: Any) -> bool:
    """A role may be given by its name; AWS may show the ARN of the same."""
    if not isinstance(before, str) or not isinstance(after, str) or ("/" in before) == ("/" in after):
        return False
    return before.rpartition("/")[2] == after.rpartition("/")[2]
