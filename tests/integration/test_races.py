# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two runs at once on one layer: exactly one changes, and nothing is lost. `make soak` does it 50 times."""

from __future__ import annotations

import pytest

from tests.integration.killing import SETTINGS, Mortal
from tests.integration.racing import Race


@pytest.fixture(scope="module")
def mortal(emulator_process):
    return Mortal(emulator_process)


@pytest.mark.parametrize("kind", SETTINGS)
def test_of_two_runs_at_once_one_changes_and_nothing_is_lost(runner, mortal, tmp_path, kind):
    race = Race(runner, mortal, tmp_path, kind)
    race.same(1, timeout=0)
    race.different(2, timeout=30)
    race.nothing_is_lost()
