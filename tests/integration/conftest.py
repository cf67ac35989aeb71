# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One emulator for each test process; an empty account for each test."""

from __future__ import annotations

import pytest

from tests.emulator.client import Emulator
from tests.integration.engine import Runner
from tests.integration.playbooks import forget
from tests.ministack.client import Ministack


@pytest.fixture(scope="session")
def emulator_process():
    with Emulator() as emulator:
        yield emulator


@pytest.fixture
def emulator(emulator_process):
    emulator_process.reset()
    emulator_process.faults()
    forget(emulator_process)
    return emulator_process


@pytest.fixture(scope="session")
def _runner(emulator_process):
    return Runner(emulator_process)


@pytest.fixture
def runner(_runner, emulator, monkeypatch):
    """Plans and carries out declarations as the modules do, without ansible-playbook around it."""
    for name, value in emulator.environment().items():
        monkeypatch.setenv(name, value)
    _runner.patch(monkeypatch)
    return _runner


@pytest.fixture(scope="session")
def ministack_process():
    with Ministack() as ministack:
        yield ministack


@pytest.fixture
def ministack(ministack_process):
    """An emulator with rollouts, load balancers that pass requests on, and a registry; an empty account."""
    ministack_process.reset()
    forget(ministack_process)
    return ministack_process
