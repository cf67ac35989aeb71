# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Drift in lms: what is changed behind the collection's back is told, and nothing else is."""

from __future__ import annotations

import shutil

import pytest

from tests.integration import drift_cases_lms as lms
from tests.integration.drift_cases_lms import CASES, SETTING
from tests.integration.drifting import Applied, expected, fields

# One process makes all changes: what they come to together is told and mended at the end.
pytestmark = pytest.mark.xdist_group("drift-lms")


@pytest.fixture(scope="module")
def used(emulator_process, _runner, tmp_path_factory):
    """Lms that one case after the other changes."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in emulator_process.environment().items():
            patch.setenv(name, value)
        _runner.patch(patch)
        emulator_process.reset()
        emulator_process.faults()
        folder = shutil.copytree(lms.INVENTORY, tmp_path_factory.mktemp("drift") / "lms")
        definition = folder / "task-definitions" / "lms-backend.json"
        definition.write_text(definition.read_text().replace("eu-central-1", "us-east-1"))
        yield Applied(_runner, folder, lms.declared(), SETTING)


def test_nothing_is_told_of_what_is_as_it_was_applied(used):
    found = used.drift()
    assert (found["status"], found["findings"], found["notes"], found["untracked"]) == ("unchanged", [], [], [])


@pytest.mark.parametrize("name", CASES)
def test_a_change_is_told_with_its_path_and_values(used, name):
    used.assert_told(CASES[name])
    used.changed.add(name)


def test_everything_is_mended(used):
    """What all cases together have changed is told at once; one run puts it right."""
    for name in [name for name in CASES if name not in used.changed]:
        used.assert_told(CASES[name])
    told = {address for address, _path in fields(used.drift())}
    assert told == {address for case in CASES.values() for address, _path in expected(case, used.world)}
    mended = used.runner.run(used.declared, **used.options)
    assert mended.failures == {}
    assert {f"{change['kind']}/{change['name']}" for change in mended.changes} == told
    assert used.drift()["findings"] == []
