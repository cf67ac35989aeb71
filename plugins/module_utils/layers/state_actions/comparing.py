# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What differs between two versions of a document, as people may see it: without secrets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ansible.module_utils.common.yaml import yaml_dump

from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.kind import Kind, top_level
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.model import CREATE, DELETE, UPDATE, Difference
from ansible_collections.dockyard.aws.plugins.module_utils.resources.registry import KINDS
from ansible_collections.dockyard.aws.plugins.module_utils.state.document import Document
from ansible_collections.dockyard.aws.plugins.module_utils.state.memory import Entry
from ansible_collections.dockyard.aws.plugins.module_utils.state.outputs import Output, plain
from ansible_collections.dockyard.aws.plugins.module_utils.task_definition.sensitive import SENSITIVE, redacted

# Terraform's state does not tell which values of its resources are secret.
NOT_SHOWN = "(not shown)"


def differences(before: Document | None, after: Document | None) -> list[dict[str, Any]]:
    """One entry for each resource and output that was added, removed or changed."""
    found = [
        *_members("resource", _entries(before), _entries(after), _entry_fields),
        *_members("terraform", terraform_resources(before), terraform_resources(after), _terraform_fields),
        *_members("output", before.outputs if before else {}, after.outputs if after else {}, _output_fields),
    ]
    return [item for item in found if item["action"] != UPDATE or item["differences"]]


def as_diff(found: list[dict[str, Any]], before_header: str, after_header: str) -> list[dict[str, Any]]:
    """The same as Ansible's own --diff shows it."""
    sides = {}
    for side in ("before", "after"):
        values = {
            f"{item['kind']}/{item['name']}": {
                field["path"]: field[side] for field in item["differences"] if field[side] is not None
            }
            for item in found
            if item["action"] != (CREATE if side == "before" else DELETE)
        }
        sides[side] = yaml_dump(values, sort_keys=True, default_flow_style=False) if values else ""
    return [{"before_header": before_header, "after_header": after_header, **sides}] if found else []


def shown_output(output: Output) -> Any:
    return SENSITIVE if output.sensitive else redacted(plain(output.value))


def terraform_resources(document: Document | None) -> dict[str, Mapping[str, Any]]:
    """Terraform's own resources by their addresses."""
    found: dict[str, Mapping[str, Any]] = {}
    for resource in document.resources if document else ():
        if not isinstance(resource, Mapping):
            continue
        parts = [resource.get("module"), "data" if resource.get("mode") == "data" else None]
        parts += [resource.get("type"), resource.get("name")]
        address = ".".join(str(part) for part in parts if part)
        for instance in resource.get("instances") or ():
            found[f"{address}{_index(instance.get('index_key'))}"] = instance.get("attributes") or {}
    return found


def _index(key: Any) -> str:
    if key is None:
        return ""
    return f'["{key}"]' if isinstance(key, str) else f"[{key}]"


def _entries(document: Document | None) -> Mapping[str, Entry]:
    memory = document.memory if document else None
    return {str(address): entry for address, entry in memory.resources.items()} if memory else {}


def _members(what: str, before: Mapping[str, Any], after: Mapping[str, Any], fields: Any) -> Iterator[dict[str, Any]]:
    for address in sorted({*before, *after}):
        old, new = before.get(address), after.get(address)
        if old == new:
            continue
        kind, _slash, name = address.partition("/") if what == "resource" else (what, "/", address)
        yield {
            "action": CREATE if old is None else DELETE if new is None else UPDATE,
            "kind": kind,
            "name": name,
            "differences": [item._asdict() for item in fields(kind, old, new)],
        }


def _entry_fields(kind: str, before: Entry | None, after: Entry | None) -> list[Difference]:
    old, new = (entry.as_json() if entry else {} for entry in (before, after))
    parts = ("attributes", "properties", "tags")
    found = _fields("", *({k: v for k, v in side.items() if k not in parts} for side in (old, new)))
    found += _fields("attributes", old.get("attributes"), new.get("attributes"))
    found += _property_fields(kind, old.get("properties") or {}, new.get("properties") or {})
    found += _fields("tags", old.get("tags"), new.get("tags"))
    return [item._replace(before=redacted(item.before), after=redacted(item.after)) for item in found]


def _property_fields(name: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Difference]:
    """As the plan shows them: a kind knows which of its fields are secret."""
    if before == after:
        return []
    kind: Kind | None = KINDS.get(name)
    if kind is None:
        changed = [field for field in sorted({*before, *after}) if before.get(field) != after.get(field)]
        return [Difference(field, _present(before, field), _present(after, field)) for field in changed]
    found = kind.differences(after, before, {}) if before and after else []
    seen = top_level(found)
    found += [
        Difference(field, before.get(field), after.get(field))
        for field in sorted({*before, *after})
        if before.get(field) != after.get(field) and field not in seen
    ]
    return [item._replace(replaces=False) for item in kind.shown(found)]


def _present(values: Mapping[str, Any], field: str) -> str | None:
    return NOT_SHOWN if field in values else None


def _terraform_fields(_kind: str, before: Any, after: Any) -> list[Difference]:
    old, new = before or {}, after or {}
    changed = [field for field in sorted({*old, *new}) if old.get(field) != new.get(field)]
    return [Difference(field, _present(old, field), _present(new, field)) for field in changed]


def _output_fields(_kind: str, before: Output | None, after: Output | None) -> list[Difference]:
    if any(output is not None and output.sensitive for output in (before, after)):
        return [Difference("value", None if before is None else SENSITIVE, None if after is None else SENSITIVE)]
    old, new = (shown_output(output) if output else None for output in (before, after))
    return (
        _fields("", old, new) if isinstance(old, Mapping) and isinstance(new, Mapping) else _fields("value", old, new)
    )


def _fields(path: str, before: Any, after: Any) -> list[Difference]:
    """What differs in nested mappings, on both sides; everything else is compared whole."""
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        return [
            item
            for name in sorted({*before, *after})
            for item in _fields(f"{path}.{name}" if path else name, before.get(name), after.get(name))
        ]
    return [] if before == after else [Difference(path, before, after)]
