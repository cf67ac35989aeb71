# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The first run of art is killed with SIGKILL at some of its API calls; `make soak` does it at all of them."""

from __future__ import annotations

import pytest

from tests.integration import art
from tests.integration.killing import Mortal, Trial

CALLS = tuple(range(6, 230, 19))


@pytest.fixture(scope="module")
def mortal(emulator_process):
    return Mortal(emulator_process)


@pytest.mark.parametrize("number", CALLS)
def test_a_run_that_was_killed_is_completed_by_the_next_one(runner, mortal, tmp_path, number):
    trial = Trial(runner, mortal, tmp_path, number)
    expected = trial.expected("first", art.declared())
    assert trial.die(art.declared())
    trial.stale_locks_are_reported_and_broken(art.declared())
    trial.next_run_completes_it(art.declared(), expected)
