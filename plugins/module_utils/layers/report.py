# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plans and outcomes as module results."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from typing import Any

from ansible.module_utils.common.yaml import yaml_dump

from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.executor import Outcome
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.model import (
    ADOPT,
    CREATE,
    DELETE,
    NONE,
    REPLACE,
    UPDATE,
    Address,
    Change,
    Difference,
    Ref,
    Unknown,
)
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.planner import Plan
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.resolve import resolve, shown
from ansible_collections.dockyard.aws.plugins.module_utils.resources.registry import KINDS

# Declared as empty, which is what a new thing is anyway.
EMPTY: tuple[Any, ...] = (None, [], {}, "")
ACTIONS = (CREATE, UPDATE, REPLACE, DELETE, ADOPT)


def result_of_plan(plan: Plan, layers: Collection[str]) -> dict[str, Any]:
    """What is to be done, as check mode and the plan task return it."""
    changes = [change for change in plan.shown() if change.layer in layers]
    return _result(plan, layers, changes, [change for change in changes if change.action != NONE])


def result_of_apply(plan: Plan, layers: Collection[str], part: Collection[Address], outcome: Outcome) -> dict[str, Any]:
    """What was done to a part of a plan, as a module returns it."""
    result = _result(plan, layers, [change for change in plan.shown() if change.resource.address in part], outcome.done)
    result["failures"] = {host: "\n".join(messages) for host, messages in outcome.failures.items()}
    result["moved"] = outcome.moved
    result["notes"] = outcome.notes
    return result


def _result(plan: Plan, layers: Collection[str], changes: list[Change], active: list[Change]) -> dict[str, Any]:
    described = [describe(change, plan) for change in active]
    return {
        "changed": bool(active),
        "changes": described,
        "unchanged": sum(change.action == NONE for change in changes),
        "left_to_others": [f"{change.address}: {note}" for change in changes for note in change.notes],
        "left_alone": list(plan.left_alone),
        "diff": [_diff(item) for item in described],
        "resources": {str(change.address): _attributes(plan, change, ("id", "arn")) for change in changes},
        "outputs": _outputs(plan, changes),
        "plan_warnings": [str(warning) for warning in plan.warnings],
        "failures": {},
        "would_remove": [describe(change, plan) for change in plan.held_back if change.layer in layers],
        "layers": list(layers),
    }


def counts(result: Mapping[str, Any]) -> dict[str, int]:
    """How many changes of each action a plan has, and how many resources are as declared."""
    number = Counter(change["action"] for change in result["changes"])
    return {**{action: number[action] for action in ACTIONS}, "unchanged": result["unchanged"]}


def describe(change: Change, plan: Plan) -> dict[str, Any]:
    """One change as a mapping. For a creation the differences are its properties."""
    return {
        "action": change.action,
        "kind": change.kind,
        "name": change.name,
        "layer": change.layer,
        "host": change.host,
        "differences": [
            {"path": item.path, "before": shown(item.before), "after": shown(item.after)}
            | ({"replaces": True} if item.replaces else {})
            for item in KINDS[change.kind].shown(differences(change, plan))
        ],
        "reason": change.reason,
        "notes": list(change.notes),
    }


def differences(change: Change, plan: Plan) -> list[Difference]:
    """What a change is to do, with secrets; of a creation every property."""
    return _created(change, plan) if change.action == CREATE else change.differences


def _created(change: Change, plan: Plan) -> list[Difference]:
    going = {item.address for item in plan.pending() if item.action == REPLACE}

    def lookup(ref: Ref) -> Any:
        if ref.attribute in KINDS[ref.kind].named:
            return ref.name
        known = {} if ref.address in going else plan.attributes.get(ref.address, {})
        return known.get(ref.attribute, Unknown.of(ref))

    properties = KINDS[change.kind].canonical(resolve(change.resource.properties, lookup))
    return [Difference(path, None, value) for path, value in properties.items() if value not in EMPTY]


def _diff(described: dict[str, Any]) -> dict[str, Any]:
    """One change as Ansible's own --diff shows it."""
    address = f"{described['kind']}/{described['name']}"
    sides: dict[str, str] = {}
    for side in ("before", "after"):
        values = {item["path"]: item[side] for item in described["differences"] if item[side] is not None}
        sides[side] = yaml_dump(values, sort_keys=True, default_flow_style=False) if values else ""
    if described["action"] == "delete":
        sides = {"before": f"{address}\n", "after": ""}
    header = f"{address} ({described['action']})"
    return {"before_header": header, "after_header": header, **sides}


def _attributes(plan: Plan, change: Change, names: Collection[str]) -> dict[str, Any]:
    attributes = plan.attributes.get(change.address, {})
    return {name: attributes[name] for name in names if name in attributes}


def _outputs(plan: Plan, changes: list[Change]) -> dict[str, dict[str, Any]]:
    found = {}
    for change in changes:
        attributes = plan.attributes.get(change.address, {})
        rest = {name: value for name, value in attributes.items() if name not in ("id", "arn", "name")}
        if rest:
            found[str(change.address)] = rest
    return found
