# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is to go: whether it may, and why not."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from ansible_collections.dockyard.aws.plugins.module_utils.reconcile import compare
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.kind import Kind
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.model import (
    DELETE,
    ENVIRONMENT_TAG,
    NAME_TAG,
    Address,
    Change,
    Observed,
    Ref,
    Resource,
)

if TYPE_CHECKING:
    from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.planner import Plan

DESTROY, PRUNE = "destroy", "prune"


@dataclass(frozen=True)
class Removal:
    """The part of a plan that is to go.

    reason: `destroy` or `prune`. recorded: the state has them, so they are this environment's also where it sets no
    ownership tags. held_back: they are only shown; what speaks against deleting them stops nothing.
    known: the recorded attributes, which tell a thing from a namesake; not of what may never have been made.
    """

    resources: Sequence[Resource] = ()
    reason: str = DESTROY
    recorded: bool = False
    held_back: bool = False
    known: Mapping[Address, Mapping[str, Any]] = field(default_factory=dict)


NOTHING = Removal()


def decide(plan: Plan, change: Change, kind: Kind, tagging: bool, decided: Collection[Address]) -> bool:
    """Make `change` a deletion; False where there is nothing to delete, or it is not ours to touch."""
    if change.observed is None:
        return False
    if problem := _not_ours(plan, change, kind, tagging, decided):
        plan.left_alone.append(f"{change.address}: {problem}")
        return False
    change.action, change.reason = DELETE, plan.removal.reason
    return True


def _not_ours(plan: Plan, change: Change, kind: Kind, tagging: bool, decided: Collection[Address]) -> str:
    """Why something is not this environment's; empty where it is."""
    tags = change.existing.tags
    if tagging or not plan.removal.recorded:
        if kind.taggable and tags is not None:
            return "" if ENVIRONMENT_TAG in tags else "not tagged as this environment's"
        if kind.taggable or all(_goes_or_is_ours(plan, ref, decided) for ref in change.resource.scope.values()):
            return ""
        if not plan.removal.recorded:
            return "it lies in something that is not this environment's"
    # What has no tags is ours where the state has recorded it, as a record in a hosted zone of somebody else.
    return _unlike_recorded(plan.removal, change, kind)


def _unlike_recorded(removal: Removal, change: Change, kind: Kind) -> str:
    """Where no tag says whose a thing is: why it cannot be known to be the one that was recorded."""
    recorded = removal.known.get(change.address)
    if recorded is None:
        return (
            "a run was ended while it made it, and without a tag it cannot be told whether this is it: declare it and "
            "run site.yml, which records it"
        )
    if other := compare.other_thing(kind.volatile, recorded, change.existing.attributes):
        name, before, now = other
        return f"it is not what was recorded, but another thing of the same name ({name} {before} -> {now})"
    return ""


def lost(address: Address, observed: Observed) -> str:
    """Why something cannot go that is there by its id, but not found under its name."""
    found = f"{address} is recorded as {observed.name}, which exists and is not found by its name"
    name = (observed.tags or {}).get(NAME_TAG)
    if name == address.name:
        return f"{found}, because what it lies in is not"
    return f"{found}: its Name tag {f'is {name!r}' if name else 'is missing'}; give it back {address.name!r}"


def refusals(plan: Plan, resource: Resource, observed: Observed, kind: Kind) -> Iterator[str]:
    """What speaks against deleting it now."""
    if resource.protect:
        yield f"{resource.address} is protected (protect: true){_unprotect(plan.removal)}"
    elif refusal := kind.refuses_delete(resource, observed):
        yield f"{resource.address} cannot be deleted: {refusal}"
    elif plan.removal.recorded and (refusal := kind.refuses_delete(replace(resource, properties={}), observed)):
        # What was applied last said that it may be deleted, and somebody has protected it since.
        yield f"{resource.address} cannot be deleted: {refusal}. Somebody protected it since the last run"
    if users := _users(plan, resource.address):
        yield f"{resource.address} is declared no more, but {', '.join(users)} still refers to it"


def _unprotect(removal: Removal) -> str:
    if removal.reason == PRUNE:
        return "; to let it go, declare it with protect: false, run site.yml, and leave it out then"
    return ": set that to false and run site.yml before" if removal.recorded else ""


def _users(plan: Plan, address: Address) -> list[str]:
    """What stays and refers to it."""
    return [
        str(user.address)
        for user in plan.resources.values()
        if user.address not in plan.absent and any(ref.address == address for ref in user.references())
    ]


def _goes_or_is_ours(plan: Plan, parent: Ref, decided: Collection[Address]) -> bool:
    observed = plan.observed.get(parent.address)
    return parent.address in decided or (observed is not None and ENVIRONMENT_TAG in (observed.tags or {}))


def hold_back(plan: Plan, changes: Sequence[Change]) -> None:
    """Take what is to go out of a plan, so that it is only shown."""
    plan.held_back = list(changes)
    for address in plan.absent:
        del plan.resources[address]
        plan.superseded.pop(address, None)
    plan.absent = frozenset()
