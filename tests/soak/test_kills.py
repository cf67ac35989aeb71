# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs of art that are killed with SIGKILL at every single one of their API calls."""

from __future__ import annotations

import pytest

from tests.integration import art
from tests.integration.killing import Trial, changed_art, destroyable_art

# More than any of these runs makes: what comes after the last call is skipped.
FIRST, CHANGES, DESTROY = range(1, 261), range(1, 175, 3), range(1, 265, 3)
ENOUGH = 100


@pytest.mark.parametrize("number", FIRST)
def test_a_first_run_that_was_killed_is_completed_by_the_next_one(runner, mortal, tmp_path, number):
    trial = Trial(runner, mortal, tmp_path, number)
    expected = trial.expected("first", art.declared())
    if not trial.die(art.declared()):
        assert number > ENOUGH
        pytest.skip(f"a first run makes fewer than {number} calls")
    trial.stale_locks_are_reported_and_broken(art.declared())
    trial.next_run_completes_it(art.declared(), expected)


@pytest.mark.parametrize("number", CHANGES)
def test_updates_and_replacements_that_were_killed_are_completed_by_the_next_run(runner, mortal, tmp_path, number):
    trial = Trial(runner, mortal, tmp_path, number)
    expected = trial.expected("changes", art.declared(), changed_art())
    trial.make(art.declared())
    if not trial.die(changed_art()):
        pytest.skip(f"these changes make fewer than {number} calls")
    trial.stale_locks_are_reported_and_broken(changed_art())
    trial.next_run_completes_it(changed_art(), expected)


@pytest.mark.parametrize("number", DESTROY)
def test_a_destroy_that_was_killed_is_completed_by_the_next_one(runner, mortal, tmp_path, number):
    trial = Trial(runner, mortal, tmp_path, number)
    trial.make(destroyable_art())
    if not trial.die(destroyable_art(), state="absent"):
        pytest.skip(f"a destroy makes fewer than {number} calls")
    trial.stale_locks_are_reported_and_broken(destroyable_art(), state="absent")
    trial.next_run_destroys_the_rest(destroyable_art())
