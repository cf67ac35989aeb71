# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The long tests use what the integration tests use."""

from __future__ import annotations

import pytest

from tests.integration.conftest import _runner, emulator, emulator_process, runner
from tests.integration.killing import Mortal

__all__ = ["_runner", "emulator", "emulator_process", "mortal", "runner"]


@pytest.fixture(scope="session")
def mortal(emulator_process):
    return Mortal(emulator_process)
