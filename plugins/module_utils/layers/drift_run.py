# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the module drift does: reads what is remembered and what AWS has, and says how they differ. Writes nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.dockyard.aws.plugins.module_utils.aws.session import Sessions
from ansible_collections.dockyard.aws.plugins.module_utils.layers import drift, remote_state
from ansible_collections.dockyard.aws.plugins.module_utils.layers import run as running
from ansible_collections.dockyard.aws.plugins.module_utils.layers.base import Environment
from ansible_collections.dockyard.aws.plugins.module_utils.layers.drift import Comparison, Finding, Recorded
from ansible_collections.dockyard.aws.plugins.module_utils.layers.recording import Documents, Recorder
from ansible_collections.dockyard.aws.plugins.module_utils.layers.registry import LAYERS
from ansible_collections.dockyard.aws.plugins.module_utils.layers.untracked import (
    Untracked,
    find_tagged,
    renamed,
    untracked,
)
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.errors import PlanError
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.heartbeat import heartbeat
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.model import Address, Problem, Ref
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.reader import Reader, ReadRequest
from ansible_collections.dockyard.aws.plugins.module_utils.resources.registry import KINDS
from ansible_collections.dockyard.aws.plugins.module_utils.state.errors import StateError
from ansible_collections.dockyard.aws.plugins.module_utils.state.paths import Place

UNCHANGED, DRIFT = "unchanged", "drift"
# Those of a run that say where to look, and no more.
_OF_A_RUN = (
    "declared",
    "environment_name",
    "account_id",
    "profiles",
    "tags",
    "ownership_tags",
    "parallelism",
    "remote_state",
    "base_dir",
    "base_dirs",
)
ARGUMENT_SPEC: dict[str, Any] = {
    **{name: running.RUN_ARGUMENT_SPEC[name] for name in _OF_A_RUN},
    "layers": {"type": "list", "elements": "str", "choices": list(LAYERS)},
    "hosts": {"type": "list", "elements": "str"},
    "report": {"type": "path"},
    "junit": {"type": "path"},
}
_COUNTED = {
    drift.CHANGED: "changed",
    drift.GONE: "gone",
    drift.RECREATED: "made anew by somebody else",
    drift.PENDING: "half made",
}
_RENAMED = "{0}: {1} is still there, with the Name tag {2!r}; a run would make another one"
NO_STATE = (
    "is not set. Drift is the difference between what was applied last and what AWS has now: give the environment a "
    "shared state, which remembers what was applied, and run site.yml once"
)


@dataclass
class Looked:
    """What looking for drift came to."""

    recorded: dict[Address, Recorded]
    findings: list[Finding]
    strays: Untracked | None = None
    changed_in_inventory: list[Address] | None = None
    notes: list[str] = field(default_factory=list)


def run(params: Mapping[str, Any], progress: running.Progress, notes: Sequence[str] = ()) -> dict[str, Any]:
    """Look for drift. params: hosts None means all, also those that left the inventory; notes: what is known before."""
    setting = remote_state.of(params)
    if setting is None:
        raise PlanError([Problem("", remote_state.VARIABLE, NO_STATE)])
    layers = list(params.get("layers") or LAYERS)
    sessions, environment = running.connect(params, progress)
    with heartbeat(progress, lambda: "reading what was applied and what AWS has"):
        recorder = Recorder(setting, sessions.aws(running.STATE_LAYER), environment.name, progress)
        documents = recorder.read({layer: () for layer in layers}, outputs=False)
        recorded = _recorded(documents, layers, recorder, environment)
        looked = _look(params, sessions, environment, recorded, layers)
    without = [
        f"Nothing of the layer {layer!r} was compared: {recorder.place(layer, documents)} remembers nothing"
        for layer in layers
        if not _remembered(documents, layer) and (params.get("declared") or {}).get(layer)
    ]
    looked.notes = [*documents.warnings(), *_unknown(documents, layers), *without, *looked.notes, *notes]
    return result_of(looked, environment, layers)


def _recorded(
    documents: Documents, layers: Sequence[str], recorder: Recorder, environment: Environment
) -> dict[Address, Recorded]:
    """Everything that the memories of these layers hold; refused where there is none, which is no clean bill."""
    if not any(_remembered(documents, layer) for layer in layers):
        first, *others = (recorder.place(layer, documents) for layer in layers)
        places = f"{first}{f' and {len(others)} more' if others else ''}"
        raise StateError(
            f"nothing is recorded of the environment {environment.name!r}, so there is nothing to compare AWS with: no "
            f"memory in {places}. Run site.yml once, or check {remote_state.VARIABLE} (bucket, prefix, file_name)"
        )
    return {
        address: Recorded(layer, entry)
        for layer in layers
        for address, entry in documents.memory(environment.name, layer).resources.items()
        if address.kind in KINDS
    }


def _unknown(documents: Documents, layers: Sequence[str]) -> list[str]:
    """What a later version of this collection recorded cannot be compared."""
    return [
        f"{address} was not compared: this version of the collection has no such kind"
        for layer, memory in documents.memories()
        for address in sorted(memory.resources)
        if layer in layers and address.kind not in KINDS
    ]


def _remembered(documents: Documents, layer: str) -> bool:
    """Whether there is a memory; Terraform drops it where it writes the document."""
    found = documents.parsed.get(Place(layer))
    return found is not None and found.memory is not None


def _look(
    params: Mapping[str, Any],
    sessions: Sessions,
    environment: Environment,
    recorded: dict[Address, Recorded],
    layers: Collection[str],
) -> Looked:
    hosts = params.get("hosts")
    mine = {address: item for address, item in recorded.items() if hosts is None or item.entry.host in hosts}
    reading = sessions.reading()
    reader = Reader(KINDS, reading, params["parallelism"])
    observed = reader.read(requests(mine, recorded))
    owner = environment.name if params["ownership_tags"] else ""
    looked = Looked(mine, Comparison(KINDS, recorded, observed, owner).findings(mine))
    looked.notes += [
        f"{address}: {remark}" for address in mine if address in observed for remark in observed[address].remarks
    ]
    whole = hosts is None and set(layers) == set(LAYERS)
    if whole and owner:
        tagged, denied = find_tagged(*(reading(name) for name in (running.STATE_LAYER, "iam", "autoscaling")))
        looked.strays = untracked(tagged, recorded, observed)
        gone = [item.address for item in looked.findings if item.what == drift.GONE]
        looked.notes += [_RENAMED.format(*found) for found in renamed(tagged, recorded, gone)] + denied
    elif whole:
        looked.notes.append("Untracked resources cannot be found without ownership tags (dockyard_ownership_tags)")
    _compare_inventory(looked, params, environment, recorded, hosts is None)
    return looked


def requests(mine: Mapping[Address, Recorded], recorded: Mapping[Address, Recorded]) -> list[ReadRequest]:
    """What is to be read: what is to be compared, what it lies in, and what it follows (a service its revisions)."""
    needed = {address for item in mine.values() for address in item.entry.needs} & recorded.keys()
    wanted = {**mine, **{address: recorded[address] for address in sorted(needed) if KINDS[address.kind].volatile}}
    found: dict[Address, ReadRequest] = {}

    def add(ref: Ref, layer: str) -> None:
        if ref.address not in wanted and ref.address not in found:
            found[ref.address] = ReadRequest(ref.address, layer, dict(ref.scope))
        for _name, inner in ref.scope:
            add(inner, layer)

    for address, (layer, entry) in wanted.items():
        found[address] = ReadRequest(address, layer, entry.scope, entry.properties)
        for ref in entry.scope.values():
            add(ref, layer)
    return list(found.values())


def _compare_inventory(
    looked: Looked,
    params: Mapping[str, Any],
    environment: Environment,
    recorded: Mapping[Address, Recorded],
    all_hosts: bool,
) -> None:
    """What a run would do for the inventory's sake is another matter than drift, and an invalid one hinders nothing."""
    if not params.get("declared"):
        return
    try:
        declared = running.declared_resources(running.parsed(params), environment)
    except PlanError as error:
        looked.notes.append(not_compared(error))
        return
    looked.changed_in_inventory = drift.changed_in_inventory(declared, recorded, KINDS, all_hosts)


def collected(collect: Callable[[], dict[str, Any]]) -> tuple[dict[str, Any], list[str]]:
    """The declarations, and a note where they cannot be read: the rest is told all the same."""
    try:
        return collect(), []
    except PlanError as error:
        return {}, [not_compared(error)]


def not_compared(error: PlanError) -> str:
    problems = "; ".join(map(str, error.problems))
    return f"The inventory could not be compared with what was applied: {problems}"


def result_of(looked: Looked, environment: Environment, layers: Collection[str]) -> dict[str, Any]:
    """What the module returns, and what stands in the JSON file."""
    first = {finding.address: finding.what for finding in reversed(looked.findings)}
    number = Counter(first.values())
    strays = looked.strays or Untracked([], [])
    counts = {
        "recorded": len(looked.recorded),
        "unchanged": len(looked.recorded) - len(first),
        **{what: number[what] for what in drift.WHATS},
        "untracked": len(strays.untracked),
        "old_copies": len(strays.old_copies),
    }
    return {
        "changed": False,
        "status": DRIFT if looked.findings else UNCHANGED,
        "summary": summary(environment.name, counts),
        "environment": environment.name,
        "account_id": environment.account_id,
        "region": environment.region,
        "layers": list(layers),
        "counts": counts,
        "findings": [finding.as_json() for finding in looked.findings],
        "untracked": strays.untracked,
        "untracked_searched": looked.strays is not None,
        "old_copies": strays.old_copies,
        "changed_in_inventory": [str(address) for address in looked.changed_in_inventory or ()],
        "recorded": [
            {"address": str(address), "host": item.entry.host, "layer": item.layer}
            for address, item in looked.recorded.items()
        ],
        "notes": looked.notes,
    }


def summary(environment: str, counts: Mapping[str, int]) -> str:
    """What was found, in one line."""
    parts = [f"{counts[what]} {words}" for what, words in _COUNTED.items() if counts[what]]
    if parts:
        return f"Drift in {environment}: {', '.join(parts)}, {counts['unchanged']} of {counts['recorded']} as applied"
    if not counts["recorded"]:
        return f"No drift in {environment}: nothing is recorded of the selected layers and hosts"
    things = "resource is as it was" if counts["recorded"] == 1 else "resources are as they were"
    return f"No drift in {environment}: {counts['recorded']} {things} applied"
