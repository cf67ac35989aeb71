# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What holds for every resource kind: the plan is the run, in every kind of change. A kind joins by being listed."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

from ansible_collections.dockyard.aws.plugins.module_utils.resources.registry import KINDS

MODULES = sorted(path.stem for path in (Path(__file__).parent / "kinds").glob("*.py"))
CASES = [case for name in MODULES for case in importlib.import_module(f"tests.integration.kinds.{name}").CASES]
UPDATES = [(case, update) for case in CASES for update in case.get("updates", ())]
# Only read, never declared.
READ_ONLY = {"ssm_parameter", "route53_zone_of", "subnet_route"}


def prepare(emulator, case):
    """Make what the case needs and no layer makes."""
    if "prepare" in case:
        case["prepare"](emulator.client)


def test_every_kind_is_listed():
    made = {kind for case in CASES for kind in [case["kind"], *case.get("also", ())]}
    assert made >= set(KINDS) - READ_ONLY


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_create_then_nothing_then_destroy(runner, emulator, case):
    prepare(emulator, case)
    created = runner.make(case["declared"])
    assert case["kind"] in {kind for _action, kind, _name in created.done}
    assert {action for action, _kind, _name in created.done} == {"create"}
    runner.assert_nothing_to_do(case["declared"])
    destroyed = runner.make(case.get("destroyed", case["declared"]), state="absent")
    assert {action for action, _kind, _name in destroyed.done} == {"delete"}
    assert sorted(key[1:] for key in destroyed.done) == sorted(key[1:] for key in created.done)
    again = runner.plan(case["declared"])
    assert [change.action for change in again.plan.shown()] == ["create"] * len(created.done)


@pytest.mark.parametrize(("case", "update"), UPDATES, ids=lambda item: item["id"])
def test_each_change_alone(runner, emulator, case, update):
    prepare(emulator, case)
    runner.make(case["declared"])
    changed = runner.make(update["declared"])
    change = changed.change(update["address"])
    assert change["action"] == update.get("action", "update")
    assert sorted(item["path"] for item in change["differences"]) == sorted(update["paths"])
    expected = {update["address"], *update.get("consequences", ())}
    assert {f"{kind}/{name}" for _action, kind, name in changed.done} == expected
    runner.assert_nothing_to_do(update["declared"])
    if update.get("back", True):
        runner.make(case["declared"])
        runner.assert_nothing_to_do(case["declared"])
