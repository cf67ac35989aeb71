# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Between documents and plans: what was applied last, and what to remember next.

canonical: brings properties of a kind to its canonical form (`KINDS[kind].canonical`); the state knows no kinds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.model import (
    CREATE,
    DELETE,
    NONE,
    REPLACE,
    Address,
    Change,
    Ref,
    Resource,
    is_unknown,
)
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.planner import Plan
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.resolve import resolve
from ansible_collections.dockyard.aws.plugins.module_utils.state.memory import Entry, Memory
from ansible_collections.dockyard.aws.plugins.module_utils.state.outputs import plain

Canonical = Callable[[str, Mapping[str, Any]], Mapping[str, Any]]


def last_applied(memories: Iterable[Memory | None]) -> dict[Address, dict[str, Any]]:
    """What `reconcile.planner.Settings.last_applied` takes. What may never have been applied is not in it."""
    return {
        address: {"properties": entry.properties, "tags": entry.tags}
        for memory in memories
        if memory is not None
        for address, entry in memory.resources.items()
        if not entry.pending
    }


def intended(previous: Memory, plan: Plan, layer: str, canonical: Canonical) -> Memory:
    """The memory to write before a plan is carried out: with what it is about to create, as pending.

    A run that is killed after a creation then leaves nothing that prune and destroy do not know.
    """
    entries = dict(previous.resources)
    for change in plan.pending():
        if change.layer == layer and change.action in (CREATE, REPLACE) and change.address not in entries:
            entries[change.address] = replace(entry_of(plan, change.resource, canonical), pending=CREATE)
    return replace(previous, resources=entries)


def next_memory(previous: Memory, plan: Plan, layer: str, canonical: Canonical) -> Memory:
    """The memory after a plan, or a part of it, was carried out: of `layer`, from what its changes came to.

    Done: remembered anew, or forgotten where deleted. Not done or failed: as before. Nothing to do: as declared now.
    Not in the plan (other hosts, declared no more): as before. What is to go and is not there, and what another layer
    declares now, is forgotten. What has an old copy left is not: nothing else would find that.
    """
    entries = dict(previous.resources)
    left = {
        change.resource.address
        for change in plan.changes
        if change.clean_up and change.resource.address in plan.absent and (change.still_there or not change.done)
    }
    for change in plan.changes:
        if change.layer != layer or change.clean_up:
            continue
        if change.action == DELETE:
            if change.done and change.address not in left:
                entries.pop(change.address, None)
        elif change.done or (change.action == NONE and change.observed is not None):
            entries[change.address] = _renewed(entries.get(change.address), plan, change, canonical)
    gone = plan.absent - plan.observed.keys() - left
    elsewhere = {address for address, resource in plan.resources.items() if resource.layer != layer}
    for address in gone | (elsewhere - plan.absent):
        entries.pop(address, None)
    return replace(previous, resources=entries)


def _renewed(before: Entry | None, plan: Plan, change: Change, canonical: Canonical) -> Entry:
    """Attributes that move by themselves (a newest revision) are no reason to write where nothing was done.

    A run of some layers or hosts does not see everything that a thing needs: what is not in the plan stays.
    """
    now = entry_of(plan, change.resource, canonical)
    if before is not None:
        now = _scoped_as_before(before, now, plan)
        unseen = {address for address in before.needs if address not in plan.resources}
        now = replace(now, needs=tuple(sorted(unseen.union(now.needs))))
    if before is not None and change.action == NONE and replace(now, attributes=before.attributes) == before:
        same_thing = before.attributes.get("id") == now.attributes.get("id")
        return before if same_thing else now
    return now


def _scoped_as_before(before: Entry, now: Entry, plan: Plan) -> Entry:
    """What a thing lies in may be found in another way where its declaration is not selected.

    A record then lies in the zone that owns its name, and not in the declared one, which is the same.
    """
    if before.attributes.get("id") != now.attributes.get("id"):
        return now
    kept = {
        name: before.scope[name]
        for name, ref in now.scope.items()
        if name in before.scope and before.scope[name].kind != ref.kind
        if before.scope[name].address not in plan.resources and ref.address not in plan.resources
    }
    found = {now.scope[name].address for name in kept}
    return replace(now, scope={**now.scope, **kept}, needs=tuple(item for item in now.needs if item not in found))


def entry_of(plan: Plan, resource: Resource, canonical: Canonical) -> Entry:
    """A resource as it is remembered; properties that are not known yet are left out."""

    def lookup(ref: Ref) -> Any:
        attributes = plan.attributes.get(ref.address, {})
        return attributes.get(ref.attribute, _UNKNOWN)

    own = resource.own
    resolved = {name: resolve(value, lookup) for name, value in own.items()}
    known = {name: value for name, value in resolved.items() if not _any_unknown(value)}
    needs = {ref.address for ref in replace(resource, properties=own, looked_at=()).references()} - {resource.address}
    return Entry(
        host=resource.host,
        where=resource.where,
        attributes=plain(plan.attributes.get(resource.address, {})),
        properties=plain(canonical(resource.kind, known)),
        tags=plain(resource.tags),
        scope={name: _bare(ref) for name, ref in sorted(resource.scope.items())},
        needs=tuple(sorted(needs)),
        options=plain(resource.options),
        protect=resource.protect,
        create_only=plain(resource.create_only),
    )


def resource_of(address: Address, entry: Entry, layer: str) -> Resource:
    """A remembered resource as one that can be planned again: to be pruned or destroyed."""
    return Resource(
        address.kind,
        address.name,
        dict(entry.properties),
        layer=layer,
        host=entry.host,
        where=entry.where,
        tags=dict(entry.tags),
        scope=dict(entry.scope),
        depends_on=tuple(Ref(*needed) for needed in entry.needs),
        create_only=dict(entry.create_only),
        options=dict(entry.options),
        protect=entry.protect,
    )


def _bare(ref: Ref) -> Ref:
    """Without where it was declared, which the entry has already."""
    return Ref(ref.kind, ref.name, ref.attribute, tuple((name, _bare(inner)) for name, inner in ref.scope))


_UNKNOWN = "(known after apply)"


def _any_unknown(value: Any) -> bool:
    if isinstance(value, Mapping):
        return any(_any_unknown(inner) for inner in value.values())
    if isinstance(value, (list, tuple)):
        return any(_any_unknown(inner) for inner in value)
    return is_unknown(value)
