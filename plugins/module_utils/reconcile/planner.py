# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Making a plan: what is declared, against what is there."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.dockyard.aws.plugins.module_utils.reconcile import compare, graph, removal
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.errors import PlanError
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.kind import Kind
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.model import (
    ADOPT,
    CREATE,
    DELETE,
    ENVIRONMENT_TAG,
    NONE,
    REPLACE,
    REPLACED_COPY,
    SUPERSEDED,
    UPDATE,
    Address,
    Change,
    Difference,
    Observed,
    Problem,
    Ref,
    Resource,
    Unknown,
    is_unknown,
    unknown_sources,
)
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.reader import Reader, ReadRequest
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.removal import NOTHING, Removal
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.resolve import resolve


@dataclass(frozen=True)
class Settings:
    """How plans are made.

    environment: the value of the ownership tag. ownership_tags: set and expect it at all.
    adopt: whether resources that exist without it may be taken over.
    last_applied: the properties and tags that were applied last, by address, as the state remembers them.
    """

    environment: str
    ownership_tags: bool = True
    adopt: bool = True
    parallelism: int = 16
    last_applied: Mapping[Address, Mapping[str, Any]] = field(default_factory=dict)


@dataclass
class Plan:
    """Everything declared, what is to happen to it, and the attributes known so far.

    changes: in the order in which they are carried out; also those with nothing to do.
    attributes: of what exists, by address, also of what is only referred to; grows as the plan is carried out.
    removal: what is to go; `absent` has the addresses of what of it is in this plan.
    held_back: deletions that are only shown. left_alone: what a removal found and does not touch, each with why.
    postponed: what waits for somebody else, or for something that does. awaited: what the run itself is to wait for.
    """

    resources: dict[Address, Resource]
    changes: list[Change] = field(default_factory=list)
    observed: dict[Address, Observed] = field(default_factory=dict)
    superseded: dict[Address, list[Observed]] = field(default_factory=dict)
    attributes: dict[Address, dict[str, Any]] = field(default_factory=dict)
    removal: Removal = NOTHING
    absent: frozenset[Address] = frozenset()
    held_back: list[Change] = field(default_factory=list)
    left_alone: list[str] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)
    failed: dict[Address, str] = field(default_factory=dict)
    postponed: set[Address] = field(default_factory=set)
    awaited: set[Address] = field(default_factory=set)

    def pending(self) -> list[Change]:
        return [change for change in self.changes if change.action != NONE and not change.done]

    def shown(self) -> list[Change]:
        """The changes that people see: a replacement is one, with the deletion of the old copy in it."""
        return [change for change in self.changes if change.reason != REPLACED_COPY]

    def deletions(self) -> list[Change]:
        """What is to go and is there."""
        return [change for change in self.pending() if change.address in self.absent]

    def part(self, layer: str, hosts: Collection[str]) -> set[Address]:
        """A layer's resources of some hosts; without what is to be pruned, which goes at the end."""
        return {
            address
            for address, resource in self.resources.items()
            if resource.layer == layer and resource.host in hosts
            if address not in self.absent or self.removal.reason == removal.DESTROY
        }

    def drop_clean_up(self, address: Address) -> None:
        """Forget the deletion of the old copy of something that is not replaced after all."""
        self.changes = [
            change for change in self.changes if change.reason != REPLACED_COPY or change.resource.address != address
        ]


class Planner:
    """Makes a plan, or makes a part of one again: each with a planner, and an `aws_for`, of its own."""

    def __init__(self, kinds: Mapping[str, Kind], aws_for: Callable[[str], Any], settings: Settings) -> None:
        self._kinds = kinds
        self._settings = settings
        self._reader = Reader(kinds, aws_for, settings.parallelism)

    def plan(self, resources: Iterable[Resource], removing: Removal = NOTHING) -> Plan:
        """Read AWS once and plan what is declared and what is to go. Raises PlanError with every problem found."""
        declared = self._in_order(self._index(resources))
        going = self._in_order(graph.without_circles(self._index(removing.resources)))
        plan = Plan({**declared, **going}, removal=removing, absent=frozenset(going))
        externals = self._externals(declared, going)
        requests = [self._request(resource) for resource in plan.resources.values()]
        answers = self._reader.read([*requests, *externals.values()])
        self._remember(plan, answers)
        self._check_externals(declared, answers)
        self._check_lost(plan)
        plan.warnings = [
            Problem(resource.host, resource.where, remark)
            for address, resource in declared.items()
            if address in plan.observed
            for remark in plan.observed[address].remarks
        ]
        self._decide_all(plan, declared, going)
        return plan

    @staticmethod
    def _in_order(indexed: Mapping[Address, Resource]) -> dict[Address, Resource]:
        """Each after what it needs. What stays and what goes do not order each other: the latter goes at the end."""
        return {address: indexed[address] for address in graph.in_order(graph.dependencies(indexed))}

    def again(self, plan: Plan, addresses: Iterable[Address]) -> list[Change]:
        """Read some resources of a plan again and say what is to happen to them now; PlanError where that may not."""
        wanted = set(addresses)
        known = {
            address: Observed(address.name, {}, attributes)
            for address, attributes in plan.attributes.items()
            if address not in wanted
        }
        order = [address for address in plan.resources if address in wanted]
        fresh = self._reader.read([self._request(plan.resources[address]) for address in order], known)
        for address in order:
            plan.observed.pop(address, None)
            plan.attributes.pop(address, None)
        self._remember(plan, fresh)
        settled = {change.address: change for change in plan.changes if change.address not in wanted}
        problems: list[Problem] = []
        found = [change for address in order if (change := self._decide(plan, address, settled, problems)) is not None]
        if problems:
            raise PlanError(problems)
        return found

    @staticmethod
    def _remember(plan: Plan, answers: Mapping[Address, Observed]) -> None:
        for address, item in answers.items():
            if item.superseded:
                plan.superseded[address] = item.superseded
            if item.exists:
                plan.observed[address] = item
                plan.attributes[address] = dict(item.attributes)

    @staticmethod
    def _index(resources: Iterable[Resource]) -> dict[Address, Resource]:
        declared: dict[Address, Resource] = {}
        problems = []
        for resource in resources:
            other = declared.setdefault(resource.address, resource)
            if other is not resource:
                message = f"{resource.address} is declared already by {other.host}: {other.where}"
                problems.append(Problem(resource.host, resource.where, message))
        if problems:
            raise PlanError(problems)
        return declared

    def _request(self, resource: Resource) -> ReadRequest:
        """What was applied last is asked for too: kinds leave out of their reading what nobody wants to know."""
        last_applied = self._settings.last_applied.get(resource.address, {}).get("properties", {})
        defaults = self._kinds[resource.kind].defaults
        applied = {name: value for name, value in last_applied.items() if name in defaults}
        return ReadRequest(resource.address, resource.layer, resource.scope, {**applied, **resource.properties})

    @staticmethod
    def _externals(
        declared: Mapping[Address, Resource], going: Mapping[Address, Resource]
    ) -> dict[Address, ReadRequest]:
        """What is referred to and not in the plan. To find what goes, only what it lies in is looked for."""
        found: dict[Address, ReadRequest] = {}

        def add(ref: Ref, layer: str) -> None:
            if ref.address not in declared and ref.address not in going and ref.address not in found:
                found[ref.address] = ReadRequest(ref.address, layer, dict(ref.scope))
            for _name, inner in ref.scope:
                add(inner, layer)

        for resource in declared.values():
            for ref in resource.references():
                add(ref, resource.layer)
        for resource in going.values():
            for ref in resource.scope.values():
                add(ref, resource.layer)
        return found

    def _check_externals(self, declared: Mapping[Address, Resource], answers: Mapping[Address, Observed]) -> None:
        """What is referred to and not declared has to exist in AWS. Where it does not, its kind may know why."""
        problems = []
        for resource in declared.values():
            for ref in resource.references():
                answer = answers.get(ref.address)
                if ref.address not in declared and (answer is None or not answer.exists):
                    label = self._kinds[ref.kind].label
                    message = (
                        f"{label} {ref.name!r} is neither declared in the selected layers and hosts nor found in AWS"
                    )
                    if answer is not None and answer.remarks:
                        message = f"{label} {ref.name!r}: {'; '.join(answer.remarks)}"
                    problems.append(Problem(resource.host, ref.where or resource.where, message))
        if problems:
            raise PlanError(problems)

    def _check_lost(self, plan: Plan) -> None:
        """What is to go, is not found under its name and still there by its id must not be taken for gone."""
        if plan.removal.held_back:
            return
        lost = {
            Address(address.kind, identity): address
            for address in sorted(plan.absent - plan.observed.keys() - plan.superseded.keys())
            if self._kinds[address.kind].takes_ids
            and (identity := str(plan.removal.known.get(address, {}).get("id") or ""))
        }
        requests = [ReadRequest(by_id, plan.resources[address].layer) for by_id, address in lost.items()]
        there = self._reader.read(requests) if requests else {}
        problems = [
            Problem(
                plan.resources[lost[by_id]].host, plan.resources[lost[by_id]].where, removal.lost(lost[by_id], item)
            )
            for by_id, item in there.items()
            if item.exists
        ]
        if problems:
            raise PlanError(problems)

    def _decide_all(self, plan: Plan, declared: Iterable[Address], going: Iterable[Address]) -> None:
        decided: dict[Address, Change] = {}
        problems: list[Problem] = []
        against: list[Problem] = []
        staying = self._decide_each(plan, declared, decided, problems)
        deletions = list(reversed(self._decide_each(plan, going, decided, against)))
        if plan.removal.held_back:
            removal.hold_back(plan, deletions)
            deletions, against = [], []
        if problems or against:
            raise PlanError([*problems, *against])
        plan.changes = [*staying, *deletions]
        plan.changes += self._clean_ups(plan)

    def _decide_each(
        self, plan: Plan, addresses: Iterable[Address], decided: dict[Address, Change], problems: list[Problem]
    ) -> list[Change]:
        found = []
        for address in addresses:
            change = self._decide(plan, address, decided, problems)
            if change is not None:
                decided[address] = change
                found.append(change)
        return found

    def _decide(
        self, plan: Plan, address: Address, decided: dict[Address, Change], problems: list[Problem]
    ) -> Change | None:
        """What is to happen to one resource, after it was decided for all that it needs."""
        resource, observed = plan.resources[address], plan.observed.get(address)
        change = Change(NONE, resource, observed=observed)
        if address in plan.absent:
            return self._decide_absent(plan, change, decided, problems)
        if observed is not None and (problem := self._foreign(resource, observed)):
            problems.append(problem)
        elif observed is None:
            change.action = CREATE
            if refusal := self._kinds[resource.kind].refuses_create(resource):
                message = f"{resource.address} cannot be created: {refusal}"
                problems.append(Problem(resource.host, resource.where, message))
        else:
            self._decide_existing(plan, change, decided, problems)
        decided[address] = change
        return change

    def _decide_existing(
        self, plan: Plan, change: Change, decided: Mapping[Address, Change], problems: list[Problem]
    ) -> None:
        resource, observed, kind = change.resource, change.existing, self._kinds[change.kind]
        lookup = self._lookup(plan, decided)
        found = self._scope_differences(resource, observed, plan, lookup)
        properties = resolve(resource.properties, lookup)
        managed, notes = self._property_differences(kind, resource, observed, properties)
        change.notes = [*notes, *observed.notes]
        found += managed
        found += self._tag_differences(kind, resource, observed)
        change.differences = found
        change.reason = self._reason(kind, resource, properties, found)
        tagging = self._settings.ownership_tags and kind.taggable
        owned = not tagging or ENVIRONMENT_TAG in (observed.tags or {})
        ours = owned and (tagging or not kind.taggable or self._remembers(resource))
        if any(item.replaces for item in found):
            change.action = REPLACE
            problems.extend(self._replacement_problems(kind, change, ours))
        elif not owned:
            change.action, change.reason = ADOPT, "adoption"
        elif found:
            change.action = UPDATE
        if not ours and not self._settings.adopt:
            missing = "tagged as this environment's" if tagging else "recorded in the state (and there are no tags)"
            message = (
                f"{kind.label} {resource.name!r} exists, is not {missing}, and adoption is refused "
                "(dockyard_adopt: false)"
            )
            problems.append(Problem(resource.host, resource.where, message))
        if found and not kind.taggable and not self._settings.adopt and not self._may_change(plan, resource):
            paths = ", ".join(f"{item.path} is {item.before}" for item in found)
            message = (
                f"{kind.label} {resource.name!r} exists otherwise than declared ({paths}), in something that is not "
                "this environment's, is not recorded in the state, and adoption is refused (dockyard_adopt: false)"
            )
            problems.append(Problem(resource.host, resource.where, message))

    def _may_change(self, plan: Plan, resource: Resource) -> bool:
        """What has no tags is ours where the state has recorded it, or what it lies in is ours."""
        recorded = resource.address in self._settings.last_applied
        return recorded or all(
            ENVIRONMENT_TAG in (plan.observed[ref.address].tags or {}) for ref in resource.scope.values()
        )

    def _lookup(self, plan: Plan, decided: Mapping[Address, Change]) -> Callable[[Ref], Any]:
        def lookup(ref: Ref) -> Any:
            change = decided.get(ref.address)
            if change is not None and not change.done:
                in_itself = any(not item.path.startswith("tags.") for item in change.differences)
                changes_attribute = change.action in (UPDATE, ADOPT) and in_itself
                volatile = changes_attribute and ref.attribute in self._kinds[ref.kind].volatile
                if change.action == CREATE and ref.attribute in self._kinds[ref.kind].named:
                    return ref.name
                if change.action in (CREATE, REPLACE) or volatile:
                    return Unknown.of(ref)
            attributes = plan.attributes.get(ref.address)
            return Unknown.of(ref) if attributes is None else attributes[ref.attribute]

        return lookup

    @staticmethod
    def _scope_differences(
        resource: Resource, observed: Observed, plan: Plan, lookup: Callable[[Ref], Any]
    ) -> list[Difference]:
        """A thing inside something that is being replaced is made anew inside the new one."""
        return [
            Difference(name, plan.attributes[ref.address][ref.attribute], lookup(ref), replaces=True)
            for name, ref in resource.scope.items()
            if is_unknown(lookup(ref))
        ]

    def _property_differences(
        self, kind: Kind, resource: Resource, observed: Observed, properties: Mapping[str, Any]
    ) -> tuple[list[Difference], list[str]]:
        """The differences that are ours to make, and a note on each that is owned elsewhere."""
        last_applied = self._settings.last_applied.get(resource.address, {}).get("properties", {})
        found = kind.differences(kind.canonical(properties), kind.canonical(observed.properties), last_applied)
        elsewhere = {**observed.owned, **resource.create_only}
        owners = [(item, compare.under(item.path, elsewhere)) for item in found]
        notes = [
            f"{item.path} is owned by {elsewhere[owner]}: {item.before} in AWS, left alone"
            for item, owner in owners
            if owner is not None
        ]
        return [item for item, owner in owners if owner is None], notes

    def remaining(
        self, kind: Kind, resource: Resource, observed: Observed
    ) -> tuple[list[Difference], list[Difference]]:
        """What is still to be done to an existing resource whose references are all resolved: properties, tags."""
        found, _notes = self._property_differences(kind, resource, observed, resource.properties)
        return found, self._tag_differences(kind, resource, observed)

    def desired_tags(self, resource: Resource) -> dict[str, str]:
        """The declared tags and the ownership tag."""
        owner = {ENVIRONMENT_TAG: self._settings.environment} if self._settings.ownership_tags else {}
        return {**resource.tags, **owner}

    def _tag_differences(self, kind: Kind, resource: Resource, observed: Observed) -> list[Difference]:
        if not kind.taggable or observed.tags is None:
            return []
        last_applied = self._settings.last_applied.get(resource.address, {}).get("tags", {})
        declared = self.desired_tags(resource)
        # What is declared and still not expected, such as the Name tag of something adopted, is not ours to remove.
        no_more = {key: value for key, value in last_applied.items() if key not in declared}
        return compare.tag_differences(kind.expected_tags(declared, observed.tags), observed.tags, no_more)

    def _reason(self, kind: Kind, resource: Resource, properties: Mapping[str, Any], found: list[Difference]) -> str:
        """Drift is what the declaration did not change since it was applied last."""
        sources = sorted({source for item in found for source in unknown_sources(item.after)})
        if sources:
            return f"consequence of {', '.join(sources)}"
        last_applied = self._settings.last_applied.get(resource.address)
        if not last_applied:
            return "configuration"
        applied, tags = last_applied.get("properties", {}), last_applied.get("tags", {})
        changed = kind.changed_since(kind.canonical(properties), kind.canonical(applied))
        changed += compare.tag_differences(resource.tags, tags, tags)
        paths, anew = ({item.path: item for item in some} for some in (found, changed))
        touched = any(compare.under(path, anew) for path in paths) or any(compare.under(path, paths) for path in anew)
        return "configuration" if touched else "drift"

    def _remembers(self, resource: Resource) -> bool:
        """Where nothing is tagged, only the state can say that something is ours to delete."""
        return resource.address in self._settings.last_applied

    def _replacement_problems(self, kind: Kind, change: Change, owned: bool) -> list[Problem]:
        resource = change.resource
        paths = ", ".join(
            f"{item.path} ({item.before} -> {item.after})" for item in change.differences if item.replaces
        )
        if resource.protect:
            message = f"{resource.address} is protected and would have to be replaced to change {paths}"
            return [Problem(resource.host, resource.where, message)]
        if not owned:
            lacks = "is not tagged as this environment's"
            if not self._settings.ownership_tags:
                lacks = "is in no state of this environment, which sets no ownership tags"
            message = (
                f"{kind.label} {resource.name!r} exists, {lacks}, and would have to be "
                f"replaced to change {paths}: declare it as it is, or choose another name"
            )
            return [Problem(resource.host, resource.where, message)]
        if kind.holds_data and not resource.options.get("allow_replacement"):
            message = (
                f"AWS cannot change {paths} of an existing {kind.label}, and replacing it would destroy what it holds"
            )
            return [Problem(resource.host, resource.where, message)]
        if change.observed is not None and (refusal := kind.refuses_delete(resource, change.observed)):
            message = (
                f"{resource.address} would have to be replaced to change {paths}, and cannot be deleted: {refusal}"
            )
            return [Problem(resource.host, resource.where, message)]
        return []

    def _foreign(self, resource: Resource, observed: Observed) -> Problem | None:
        owner = (observed.tags or {}).get(ENVIRONMENT_TAG)
        if owner is None or owner == self._settings.environment:
            return None
        kind = self._kinds[resource.kind]
        message = f"{kind.label} {resource.name!r} belongs to the environment {owner!r} (tag {ENVIRONMENT_TAG})"
        message += f": {kind.shared}" if kind.shared else ""
        return Problem(resource.host, resource.where, message)

    def _decide_absent(
        self, plan: Plan, change: Change, decided: dict[Address, Change], problems: list[Problem]
    ) -> Change | None:
        """What is to go and may not stops the plan; where it is only shown, its note says why."""
        kind, resource = self._kinds[change.kind], change.resource
        if change.observed is not None and (problem := self._foreign(resource, change.observed)):
            if plan.removal.recorded:
                plan.left_alone.append(f"{resource.address}: {problem.message}")
            else:
                problems.append(problem)
            return None
        if not removal.decide(plan, change, kind, self._settings.ownership_tags, decided):
            return None
        for refusal in removal.refusals(plan, resource, change.existing, kind):
            change.notes.append(refusal)
            problems.append(Problem(resource.host, resource.where, refusal))
        return change

    def _clean_ups(self, plan: Plan) -> list[Change]:
        """The deletion of old copies: those that an earlier run left behind, and those that this plan makes."""
        found = []
        for address, copies in plan.superseded.items():
            if address in plan.resources:
                found += [self._clean_up(plan.resources[address], old, SUPERSEDED) for old in copies]
        for change in plan.changes:
            if change.action == REPLACE and self._kinds[change.kind].create_before_delete:
                found.append(self._clean_up(change.resource, change.existing, REPLACED_COPY))
        return found

    @staticmethod
    def _clean_up(resource: Resource, old: Observed, reason: str) -> Change:
        name = f"{resource.name} ({old.attributes.get('id') or old.name})"
        return Change(DELETE, resource, name, reason=reason, observed=old)
