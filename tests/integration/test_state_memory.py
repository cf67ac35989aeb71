# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What documents remember of every kind is enough to compare with and to destroy from, without any inventory."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

from ansible_collections.dockyard.aws.plugins.module_utils.layers import run as running
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.executor import Executor
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.model import NONE
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.planner import Planner, Settings
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.removal import Removal
from ansible_collections.dockyard.aws.plugins.module_utils.resources.registry import KINDS
from ansible_collections.dockyard.aws.plugins.module_utils.state import document, remembering
from ansible_collections.dockyard.aws.plugins.module_utils.state.memory import Memory

MODULES = sorted(path.stem for path in (Path(__file__).parent / "kinds").glob("*.py"))
CASES = [case for name in MODULES for case in importlib.import_module(f"tests.integration.kinds.{name}").CASES]


def canonical(kind, properties):
    return KINDS[kind].canonical(properties)


def through_a_document(memory):
    """As the next run reads it."""
    written = document.render(document.successor(None, {}, memory))
    return document.parse(written, "x").memory


def apply(runner, plan, layers, hosts, planner, sessions):
    executor = Executor(KINDS, sessions.aws, planner, progress=runner.progress.append)
    outcomes = [executor.apply(plan, plan.part(layer, hosts)) for layer in layers]
    assert [outcome.failures for outcome in outcomes if outcome.failures] == []


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_memory_is_enough(runner, emulator, case):
    if "prepare" in case:
        case["prepare"](emulator.client)
    declared = case.get("destroyed", case["declared"])
    planned = runner.plan(declared)
    params, layers, hosts = planned.params, planned.layers, planned.hosts
    sessions = running._sessions(params, runner.progress.append)
    empty = {layer: Memory("test", layer) for layer in layers}
    before = {layer: remembering.intended(empty[layer], planned.plan, layer, canonical) for layer in layers}
    assert {address for memory in before.values() for address in memory.resources} == set(planned.plan.resources)
    for layer in layers:
        assert not running.carry_out(planned, layer, hosts, runner.progress.append)["failures"]

    memories = {
        layer: through_a_document(remembering.next_memory(before[layer], planned.plan, layer, canonical))
        for layer in layers
    }
    entries = {address: entry for memory in memories.values() for address, entry in memory.resources.items()}
    assert set(entries) == set(planned.plan.resources)
    assert not [address for address, entry in entries.items() if entry.pending or "id" not in entry.attributes]

    # A run after it, with the memory as what was applied last, has nothing to do and nothing to write.
    settings = Settings("test", last_applied=remembering.last_applied(memories.values()))
    planner = Planner(KINDS, sessions.aws, settings)
    again = planner.plan(runner.plan(declared).plan.resources.values())
    assert [change for change in again.changes if change.action != NONE] == []
    assert {
        layer: remembering.next_memory(memory, again, layer, canonical) for layer, memory in memories.items()
    } == memories

    # And from the memory alone everything goes.
    resources = [
        remembering.resource_of(address, entry, layer)
        for layer, memory in memories.items()
        for address, entry in memory.resources.items()
    ]
    gone = planner.plan([], Removal(resources, recorded=True))
    assert {change.address for change in gone.changes} == set(entries), gone.left_alone
    apply(runner, gone, list(reversed(layers)), hosts, planner, sessions)
    left = {layer: remembering.next_memory(memory, gone, layer, canonical) for layer, memory in memories.items()}
    assert not [memory for memory in left.values() if memory.resources]
    assert planner.plan([], Removal(resources, recorded=True)).changes == []
