# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Drift: what was applied last, against what AWS has now. Pure: from what is recorded and observed to findings."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from ansible_collections.dockyard.aws.plugins.module_utils.reconcile import compare
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.errors import ReconcileError
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.kind import Kind
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.model import (
    ENVIRONMENT_TAG,
    Address,
    Difference,
    Observed,
    Ref,
    Resource,
    Unknown,
    unknown_sources,
)
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.resolve import resolve
from ansible_collections.dockyard.aws.plugins.module_utils.state.memory import Entry
from ansible_collections.dockyard.aws.plugins.module_utils.state.outputs import plain

WHATS = CHANGED, GONE, RECREATED, PENDING = "changed", "gone", "recreated", "pending"


class Recorded(NamedTuple):
    """A resource as the memory of its layer has it."""

    layer: str
    entry: Entry


@dataclass(frozen=True)
class Finding:
    """One thing that is not as it was applied.

    what: `changed` (a field), `gone`, `recreated` (another thing stands in its place), `pending` (a run was ended
    while it made the thing). path, applied, now: the field; of whole things, their ids.
    """

    address: Address
    host: str
    layer: str
    what: str
    path: str = ""
    applied: Any = None
    now: Any = None

    def as_json(self) -> dict[str, Any]:
        return {
            "address": str(self.address),
            "host": self.host,
            "layer": self.layer,
            "what": self.what,
            "path": self.path,
            "applied": self.applied,
            "now": self.now,
        }


@dataclass(frozen=True)
class Comparison:
    """What is recorded and what AWS has. environment: the value of the ownership tag; empty where none is used."""

    kinds: Mapping[str, Kind]
    recorded: Mapping[Address, Recorded]
    observed: Mapping[Address, Observed]
    environment: str = ""

    def findings(self, addresses: Iterable[Address]) -> list[Finding]:
        """Everything of these that is not as it was applied, without secrets; of one thing, the worst first."""
        return [finding for address in addresses for finding in self._of(address)]

    def _of(self, address: Address) -> Iterator[Finding]:
        layer, entry = self.recorded[address]
        observed = self.observed.get(address)
        exists = observed is not None and observed.exists

        def finding(what: str, path: str = "", applied: Any = None, now: Any = None) -> Finding:
            return Finding(address, entry.host, layer, what, path, plain(applied), plain(now))

        if entry.pending:
            yield finding(PENDING, now=_identity(observed.attributes) if observed is not None and exists else None)
        elif observed is None or not exists:
            yield finding(GONE, applied=_identity(entry.attributes))
        else:
            if other := self._other_thing(address, entry, observed):
                yield finding(RECREATED, *other)
            for item in self._differences(address, entry, observed):
                yield finding(CHANGED, item.path, item.after, item.before)

    def _other_thing(self, address: Address, entry: Entry, observed: Observed) -> tuple[str, Any, Any] | None:
        return compare.other_thing(self.kinds[address.kind].volatile, entry.attributes, observed.attributes)

    def _differences(self, address: Address, entry: Entry, observed: Observed) -> list[Difference]:
        """`before` is what AWS has, `after` what was applied."""
        kind = self.kinds[address.kind]
        found = self._in_properties(kind, entry, observed.properties)
        if found:
            moved = {item.path for item in self._in_properties(kind, entry, self._as_recorded(entry, observed))}
            found = [item for item in found if item.path in moved and not compare.under(item.path, observed.owned)]
        if kind.taggable and observed.tags is not None:
            owner = {ENVIRONMENT_TAG: self.environment} if self.environment else {}
            expected = kind.expected_tags({**entry.tags, **owner}, observed.tags)
            found += compare.tag_differences(expected, observed.tags, {})
        return kind.shown(found)

    @staticmethod
    def _in_properties(kind: Kind, entry: Entry, properties: Mapping[str, Any]) -> list[Difference]:
        found = kind.differences(kind.canonical(entry.properties), kind.canonical(properties), entry.properties)
        return [item for item in found if compare.under(item.path, entry.create_only) is None]

    def _as_recorded(self, entry: Entry, observed: Observed) -> dict[str, Any]:
        """What AWS has, with attributes that move by themselves as they were then.

        A service that follows the newest revision of its task definition is as it was applied: what differs in the
        revision is said of the task definition.
        """
        moved: dict[str, str] = {}
        for address in entry.needs:
            before, now = self.recorded.get(address), self.observed.get(address)
            if before is None or now is None:
                continue
            for name in self.kinds[address.kind].volatile:
                old, new = (one.get(name) for one in (before.entry.attributes, now.attributes))
                # A version's bare number may stand for many things.
                if isinstance(old, str) and isinstance(new, str):
                    moved[new] = old
        return {name: _replaced(value, moved) for name, value in observed.properties.items()}


def _identity(attributes: Mapping[str, Any]) -> Any:
    return next((attributes[name] for name in compare.IDENTITY if attributes.get(name)), None)


def _replaced(value: Any, by: Mapping[str, str]) -> Any:
    if isinstance(value, Mapping):
        return {name: _replaced(inner, by) for name, inner in value.items()}
    if isinstance(value, list):
        return [_replaced(inner, by) for inner in value]
    return by.get(value, value) if isinstance(value, str) else value


def changed_in_inventory(
    declared: Iterable[Resource], recorded: Mapping[Address, Recorded], kinds: Mapping[str, Kind], whole: bool
) -> list[Address]:
    """What is declared otherwise than it was applied, or not recorded; with `whole`, also what is declared no more.

    References are resolved from what is recorded, so AWS is not asked. What they do not say is not compared.
    """
    found, seen = [], set()
    for resource in declared:
        seen.add(resource.address)
        item = recorded.get(resource.address)
        if item is None or (not item.entry.pending and _declared_otherwise(resource, item.entry, recorded, kinds)):
            found.append(resource.address)
    return sorted([*found, *(address for address in recorded if whole and address not in seen)])


def _declared_otherwise(
    resource: Resource, entry: Entry, recorded: Mapping[Address, Recorded], kinds: Mapping[str, Kind]
) -> bool:
    def lookup(ref: Ref) -> Any:
        item = recorded.get(ref.address)
        attributes: Mapping[str, Any] = item.entry.attributes if item is not None else {}
        return attributes.get(ref.attribute, Unknown.of(ref))

    kind = kinds[resource.kind]
    if compare.tag_differences(resource.tags, entry.tags, entry.tags):
        return True
    try:
        properties = plain(kind.canonical(resolve(resource.own, lookup)))
        found = kind.changed_since(properties, plain(kind.canonical(entry.properties)))
    except ReconcileError:
        return False
    ours = [item for item in found if compare.under(item.path, resource.create_only) is None]
    return any(not list(unknown_sources(item.after)) for item in ours)
