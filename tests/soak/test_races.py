# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two runs at once on one layer, 50 times for each way to lock."""

from __future__ import annotations

import pytest

from tests.integration.killing import SETTINGS
from tests.integration.racing import Race

ROUNDS = 50


@pytest.mark.parametrize("kind", SETTINGS)
def test_of_two_runs_at_once_one_changes_and_nothing_is_lost(runner, mortal, tmp_path, kind):
    race = Race(runner, mortal, tmp_path, kind)
    for number in range(1, ROUNDS + 1):
        play = race.same if number % 2 else race.different
        play(number, timeout=30 * (number // 2 % 2))
    race.nothing_is_lost()
