# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The file of a saved plan: from a plan to JSON and back. Pure."""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from ansible.module_utils.common.parameters import remove_values

from ansible_collections.dockyard.aws.plugins.module_utils.layers.report import ACTIONS, differences
from ansible_collections.dockyard.aws.plugins.module_utils.layers.run import PlannedRun
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.errors import ReconcileError
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.model import (
    DELETE,
    NONE,
    REPLACE,
    Change,
    Ref,
    Resource,
    Text,
)
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.planner import Plan

FORMAT = 1
COLLECTION = "dockyard.aws"
COLLECTION_VERSION = "0.1.0"
# The options of a run that make it another plan, with the variables that set them.
SETTINGS = {
    "state": "state",
    "adopt": "dockyard_adopt",
    "ownership_tags": "dockyard_ownership_tags",
    "remote_state": "dockyard_remote_state",
    "prune": "prune",
    "destroy_only": "destroy_only",
}
# Where the documents lie makes another plan; how they are locked and encrypted, and how long to wait, does not.
NO_MATTER = {"lock", "lock_table", "lock_timeout", "encrypt", "kms_key_id", "bucket_owner", "region"}
SHOWN = ("changes", "would_remove", "left_alone", "left_to_others", "warnings")
# The one member that has another name in the result of the plan task.
RESULT_NAMES = {"warnings": "plan_warnings"}
MEMBERS: dict[str, type] = {
    "account_id": str,
    "changes": list,
    "checksum": str,
    "collection": str,
    "collection_version": str,
    "counts": dict,
    "environment": str,
    "format": int,
    "hosts": list,
    "layers": list,
    "left_alone": list,
    "left_to_others": list,
    "made_at": str,
    "messages": list,
    "region": str,
    "resources": dict,
    "salt": str,
    "settings": dict,
    "status": str,
    "warnings": list,
    "would_remove": list,
}
FREE = ("salt", "made_at", "left_alone", "left_to_others", "warnings")
CHANGE_MEMBERS = {"action", "kind", "name", "layer", "host", "differences", "reason", "notes"}
FIELD_MEMBERS = {"path", "before", "after"}


class PlanFileError(ReconcileError):
    """A plan could not be saved, or the saved one cannot be carried out. Nothing was written to AWS."""


def render(
    planned: PlannedRun, result: Mapping[str, Any], hidden: Collection[str] = (), like: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """A plan and its result as what the file holds. hidden: texts that nobody may be shown.

    like: what a file holds; then with its salt and its time, so that the two can be compared.
    """
    plan, params = planned.plan, planned.params
    document = {
        **_empty(),
        "status": result["status"],
        "counts": dict(result["counts"]),
        "environment": params["environment_name"],
        "account_id": planned.where.account_id,
        "region": planned.where.region,
        "layers": list(planned.layers),
        "hosts": list(planned.hosts),
        "settings": {variable: _setting(params.get(option)) for option, variable in SETTINGS.items()},
        **remove_values(_plain_json({name: result.get(RESULT_NAMES.get(name, name), []) for name in SHOWN}), hidden),
    }
    if like is not None:
        document.update({name: like[name] for name in ("salt", "made_at")})
    key = _key(document if like is None else like)
    active = [item for item in plan.shown() if item.layer in planned.layers and item.action != NONE]
    for shown, change in zip(document["changes"], active, strict=True):
        shown["digest"] = _digest(key, _done_by(change, plan))
        if change.action in (DELETE, REPLACE):
            shown["id"] = _identity(change)
    document["resources"] = {
        str(address): {"layer": item.layer, "host": item.host, "digest": _digest(key, _declared(item))}
        for address, item in plan.resources.items()
        if address not in plan.absent
    }
    return _sealed(document)


def render_error(messages: Iterable[str], hidden: Collection[str] = ()) -> dict[str, Any]:
    """What the file holds where planning failed."""
    return _sealed({**_empty(), "status": "error", "messages": remove_values(list(messages), hidden)})


def dump(document: Mapping[str, Any]) -> str:
    return json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False, default=str) + "\n"


def parse(text: str, name: str) -> dict[str, Any]:
    """What a file holds; raises PlanFileError where it is not as it was written."""
    document = _read(text)
    if document is None:
        raise refusal(name, "is no saved plan")
    if (found := document.get("format")) != FORMAT:
        raise refusal(name, f"has the format {found!r}, and this version of the collection knows format {FORMAT}")
    if document.get("checksum") != _checksum(document) or not _is_whole(document):
        raise refusal(name, "was changed after it was made: its checksum does not fit what it holds")
    if document["status"] == "error":
        raise refusal(name, f"holds no plan, because planning failed at {document['made_at']}", document["messages"])
    return document


def is_ours(text: str) -> bool:
    """Whether it is a saved plan at all, of whatever format, whole or not."""
    return _read(text) is not None


def refusal(name: str, problem: str, details: Iterable[Any] = ()) -> PlanFileError:
    """An error that says how to go on."""
    lines = [
        f"plan_file: {name} {problem}. Nothing was changed.",
        *(f"  - {detail}" for detail in details),
        f"Make a new plan with the same command and --check: ansible-playbook … --check -e plan_file={name}",
    ]
    return PlanFileError("\n".join(lines))


def _read(text: str) -> dict[str, Any] | None:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) and document.get("collection") == COLLECTION else None


def _empty() -> dict[str, Any]:
    return {
        **{name: of() for name, of in MEMBERS.items() if name != "checksum"},
        "format": FORMAT,
        "collection": COLLECTION,
        "collection_version": COLLECTION_VERSION,
        "counts": {action: 0 for action in (*ACTIONS, "unchanged")},
        "made_at": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "salt": secrets.token_hex(16),
    }


def _is_whole(document: Mapping[str, Any]) -> bool:
    """Whether it has the members that are read, in the form in which they were written."""
    return (
        document.keys() == MEMBERS.keys()
        and all(isinstance(document[name], of) for name, of in MEMBERS.items())
        and all(_is_change(item) for name in ("changes", "would_remove") for item in document[name])
        and all(isinstance(item, dict) for item in document["resources"].values())
    )


def _is_change(item: Any) -> bool:
    return (
        isinstance(item, dict)
        and item.keys() >= CHANGE_MEMBERS
        and isinstance(item["differences"], list)
        and all(isinstance(field, dict) and field.keys() >= FIELD_MEMBERS for field in item["differences"])
        and all(isinstance(field["path"], str) for field in item["differences"])
    )


def _sealed(document: Mapping[str, Any]) -> dict[str, Any]:
    """As it is read back from the file, with its checksum."""
    plain = _plain_json(document)
    return {**plain, "checksum": _checksum(plain)}


def _plain_json(document: Mapping[str, Any]) -> dict[str, Any]:
    plain: dict[str, Any] = json.loads(dump(document))
    return plain


def _checksum(document: Mapping[str, Any]) -> str:
    content = {name: value for name, value in document.items() if name != "checksum"}
    return hashlib.sha256(_canonical(content).encode()).hexdigest()


def _canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True, default=str)


def free(document: Mapping[str, Any]) -> dict[str, Any]:
    """What tells of its making or of what moves by itself. No comparison finds a change here: the digests hold it."""
    notes = [item["notes"] for item in document["changes"]]
    return {**{name: document[name] for name in FREE}, "notes": notes}


def _key(document: Mapping[str, Any]) -> bytes:
    """The key of all digests: with a salt, so that nobody finds a secret by its digest in a table."""
    return hashlib.sha256(_canonical(free(document)).encode()).digest()


def _digest(key: bytes, value: Any) -> str:
    return hmac.new(key, _canonical(value).encode(), "sha256").hexdigest()


def _done_by(change: Change, plan: Plan) -> list[Any]:
    """A change as it is, with what is masked where it is shown, and how a thing is deleted (force_delete)."""
    fields = [[item.path, _plain(item.before), _plain(item.after)] for item in differences(change, plan)]
    options = _plain(change.resource.options) if change.action == DELETE else {}
    return [change.action, change.kind, change.name, change.reason, fields, options]


def _identity(change: Change) -> str:
    """Which thing goes: another one of the same name may have taken its place."""
    attributes = change.existing.attributes
    return str(attributes.get("arn") or attributes.get("id") or change.existing.name)


def _declared(resource: Resource) -> dict[str, Any]:
    """All that is declared, but for the place in the inventory where it stands."""
    return {name: _plain(value) for name, value in vars(resource).items() if name != "where"}


def _plain(value: Any) -> Any:
    """A nested value with references as data; the place where a reference stands is no part of it."""
    if isinstance(value, Ref):
        return {"kind": value.kind, "name": value.name, "attribute": value.attribute, "scope": _plain(value.scope)}
    if isinstance(value, Text):
        return {"template": value.template, "references": _plain(value.references)}
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, (set, frozenset)):
        return sorted(map(_canonical, value))
    return [_plain(inner) for inner in value] if isinstance(value, (list, tuple)) else value


def _setting(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: inner for name, inner in value.items() if name not in NO_MATTER}
    return value
