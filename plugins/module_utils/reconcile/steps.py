# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From changes to steps: what is written, what is deleted, and which step waits for which."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from ansible_collections.dockyard.aws.plugins.module_utils.reconcile import graph
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.kind import Kind
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.model import (
    DELETE,
    REPLACE,
    Address,
    Change,
    Observed,
)
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.planner import Plan

StepKey = tuple[str, Address]


@dataclass
class Step:
    """One thing to do. `write` creates or updates, `delete` removes, `clean` removes a copy that was replaced.

    A clean step is deferred: done as soon as nothing of the plan refers to the copy; it may wait for the next run.
    """

    verb: Literal["write", "delete", "clean"]
    change: Change
    observed: Observed | None = None
    needs: set[StepKey] = field(default_factory=set)

    @property
    def key(self) -> StepKey:
        return (self.verb, self.change.address)


def build(plan: Plan, kinds: Mapping[str, Kind]) -> dict[StepKey, Step]:
    """The steps of everything in the plan that is still to be done."""
    steps: dict[StepKey, Step] = {}
    for change in plan.pending():
        for step in _steps_of(change, kinds[change.kind]):
            steps[step.key] = step
    needs = graph.dependencies(plan.resources)
    needed_by: dict[Address, set[Address]] = defaultdict(set)
    for address, others in needs.items():
        for other in others:
            needed_by[other].add(address)
    for step in steps.values():
        step.needs = _needs(step, steps, needs, needed_by)
    return steps


def _steps_of(change: Change, kind: Kind) -> list[Step]:
    if change.clean_up:
        return [Step("clean", change, change.observed)]
    if change.action == DELETE:
        return [Step("delete", change, change.observed)]
    write = Step("write", change)
    if change.action == REPLACE and not kind.create_before_delete and change.observed is not None:
        return [write, Step("delete", change, change.observed)]
    return [write]


def _needs(
    step: Step,
    steps: Mapping[StepKey, Step],
    needs: Mapping[Address, set[Address]],
    needed_by: Mapping[Address, set[Address]],
) -> set[StepKey]:
    address = step.change.resource.address
    if step.verb == "write":
        own = {("delete", address)}
        wanted = own | {("write", other) for other in needs[address]}
    elif step.verb == "delete":
        wanted = {("delete", other) for other in needed_by[address]} | _cleans(steps, needed_by[address])
    else:
        users = needed_by[address]
        wanted = {("write", address)} | {(verb, other) for other in users for verb in ("write", "delete")}
        wanted |= _cleans(steps, users)
    return {key for key in wanted if key in steps and key != step.key}


def _cleans(steps: Mapping[StepKey, Step], addresses: set[Address]) -> set[StepKey]:
    """The deletions of old copies of these resources: a copy has an address of its own, with its id in it."""
    return {key for key, step in steps.items() if step.verb == "clean" and step.change.resource.address in addresses}
