# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A small cloud in memory, with the kinds that the engine's tests need. It refuses what a real one refuses."""

from __future__ import annotations

import itertools
import threading
from typing import Any

from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.errors import ReconcileError, StillInUse
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.executor import Executor, Outcome
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.kind import Kind
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.model import (
    ENVIRONMENT_TAG,
    SUPERSEDED_TAG,
    Observed,
    Ref,
    Resource,
)
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.planner import Plan, Planner, Settings
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.removal import NOTHING, Removal


class Lost(Exception):
    """The answer to a call was lost."""


class Cloud:
    """Things by id. `calls` is the log of writes; `fail` names (verb, kind, name) that go wrong once, and how."""

    def __init__(self) -> None:
        self.things: dict[str, dict[str, Any]] = {}
        self.calls: list[str] = []
        self.reads: list[str] = []
        self.fail: dict[tuple[str, str, str], Exception] = {}
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()

    def write(self, verb: str, kind: str, name: str) -> None:
        with self._lock:
            self.calls.append(f"{verb} {kind}/{name}")
            error = self.fail.pop((verb, kind, name), None)
        if error is not None and not isinstance(error, Lost):
            raise error

    def create(self, kind: str, resource: Resource) -> str:
        error = self.fail.get(("create", kind, resource.name))
        self.write("create", kind, resource.name)
        identifier = f"{kind}-{next(self._numbers)}"
        self.things[identifier] = {
            "kind": kind,
            "name": resource.name,
            "properties": {**resource.properties, **resource.scope},
            "tags": dict(resource.tags),
            "version": 1,
        }
        if isinstance(error, Lost):
            raise error
        return identifier

    # The way to AWS, as the engine sees it.
    @staticmethod
    def is_lost_answer(error: BaseException) -> bool:
        return isinstance(error, Lost)

    @staticmethod
    def explained(error: BaseException, doing: str) -> ReconcileError:
        return ReconcileError(f"cannot {doing}: {error}")


class FakeKind(Kind):
    """Things with properties; a property that holds another's id is a use of it."""

    def __init__(self, kind: str, **traits: Any) -> None:
        self.kind = kind  # type: ignore[misc]
        self.label = kind.replace("_", " ")  # type: ignore[misc]
        for name, value in traits.items():
            setattr(self, name, value)

    def read(self, aws: Cloud, wanted: Any) -> dict[str, Observed]:
        aws.reads.append(self.kind)
        found: dict[str, list[Observed]] = {}
        for item in wanted:
            for identifier, thing in aws.things.items():
                inside = all(thing["properties"].get(key) == value for key, value in item.scope.items())
                if (thing["kind"], thing["name"]) == (self.kind, item.name) and inside:
                    found.setdefault(item.name, []).append(self._observe(identifier, thing))
        return {name: self._choose(name, items) for name, items in found.items()}

    def _observe(self, identifier: str, thing: dict[str, Any]) -> Observed:
        attributes = {"id": identifier, "name": thing["name"], "version": thing["version"]}
        return Observed(thing["name"], dict(thing["properties"]), attributes, dict(thing["tags"]))

    @staticmethod
    def _choose(name: str, items: list[Observed]) -> Observed:
        current = [item for item in items if SUPERSEDED_TAG not in (item.tags or {})]
        old = [item for item in items if SUPERSEDED_TAG in (item.tags or {})]
        if not current:
            return Observed(name, {}, {}, {}, old, exists=False)
        current[0].superseded = old
        return current[0]

    def create(self, aws: Cloud, resource: Resource) -> dict[str, Any]:
        return {"id": aws.create(self.kind, resource), "name": resource.name, "version": 1}

    def update(self, aws: Cloud, resource: Resource, observed: Observed, differences: Any) -> dict[str, Any]:
        aws.write("update", self.kind, resource.name)
        thing = aws.things[observed.attributes["id"]]
        for item in differences:
            thing["properties"][item.path.split(".")[0]] = resource.properties.get(item.path.split(".")[0])
        thing["version"] += 1
        return {"version": thing["version"]}

    def retag(self, aws: Cloud, observed: Observed, add: Any, remove: Any) -> None:
        aws.write("retag", self.kind, observed.name)
        tags = aws.things[observed.attributes["id"]]["tags"]
        tags.update(add)
        for key in remove:
            tags.pop(key)

    def delete(self, aws: Cloud, resource: Resource | None, observed: Observed) -> None:
        identifier = observed.attributes["id"]
        for thing in aws.things.values():
            if identifier in _leaves(thing["properties"]):
                raise StillInUse(f"{identifier} is used by {thing['name']}")
        aws.write("delete", self.kind, observed.name)
        aws.things.pop(identifier, None)


def _leaves(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [leaf for inner in value.values() for leaf in _leaves(inner)]
    if isinstance(value, list):
        return [leaf for inner in value for leaf in _leaves(inner)]
    return [value]


KINDS: dict[str, Kind] = {
    kind.kind: kind
    for kind in (
        FakeKind("net", immutable=frozenset({"cidr"}), create_before_delete=True),
        FakeKind("group", immutable=frozenset({"net", "description"}), create_before_delete=True),
        FakeKind("balancer", immutable=frozenset({"scheme"}), named=frozenset({"name"})),
        FakeKind("listener", immutable=frozenset({"port"})),
        FakeKind("template", volatile=frozenset({"version"})),
        FakeKind("service", defaults={"grace": 0}),
        FakeKind("store", immutable=frozenset({"key"}), holds_data=True),
        FakeKind("note", taggable=False),
        FakeKind(
            "tagged",
            immutable=frozenset({"size"}),
            create_before_delete=True,
            named_by_tag=True,
            takes_ids=True,
            valueless_tags=frozenset({"Managed"}),
        ),
    )
}


def ref(kind: str, name: str, attribute: str = "id") -> Ref:
    return Ref(kind, name, attribute, where="a.variable")


def thing(kind: str, name: str, layer: str = "one", host: str = "h", **properties: Any) -> Resource:
    return Resource(kind, name, properties, layer=layer, host=host, where=f"{layer}.{name}")


class Bench:
    """An engine on a cloud."""

    def __init__(self, cloud: Cloud | None = None, **settings: Any) -> None:
        self.cloud = cloud or Cloud()
        self.planner = Planner(KINDS, lambda layer: self.cloud, Settings("test", **settings))
        self.progress: list[str] = []
        self.executor = Executor(KINDS, lambda layer: self.cloud, self.planner, progress=self.progress.append)

    def plan(self, *resources: Resource, going: Removal = NOTHING) -> Plan:
        return self.planner.plan(resources, going)

    def destroy(self, *resources: Resource) -> Plan:
        return self.plan(going=Removal(resources))

    def apply(self, plan: Plan, *layers: str, hosts: tuple[str, ...] = ("h",), strict: bool = False) -> Outcome:
        whole = Outcome()
        for layer in layers or ("one",):
            whole.add(self.executor.apply(plan, plan.part(layer, hosts), strict))
        return whole

    def make(self, *resources: Resource, layers: tuple[str, ...] = ("one",)) -> Outcome:
        outcome = self.apply(self.plan(*resources), *layers)
        assert not outcome.failures, outcome.failures
        return outcome


def keys(changes: Any) -> list[tuple[str, str, str]]:
    return [change.key for change in changes if change.action != "none"]


__all__ = ["ENVIRONMENT_TAG", "KINDS", "SUPERSEDED_TAG", "Bench", "Cloud", "Lost", "keys", "ref", "thing"]
