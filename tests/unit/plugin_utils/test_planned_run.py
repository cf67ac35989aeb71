# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""For which tasks a plan is the one."""

from __future__ import annotations

from threading import Event

import pytest

from ansible_collections.dockyard.aws.plugins.module_utils.layers import run as running
from ansible_collections.dockyard.aws.plugins.module_utils.layers.run import PlannedRun
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile import heartbeat
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.errors import ReconcileError
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.planner import Plan


@pytest.mark.parametrize(
    ("layer", "hosts", "covered"),
    [
        ("ecr", ["a", "b"], True),
        ("ecr", ["b"], True),
        ("ecr", ["b", "c"], False),
        ("ecs", ["a"], True),
        ("iam", ["a"], False),
    ],
)
def test_a_plan_is_for_its_layers_and_hosts(layer, hosts, covered):
    assert PlannedRun({}, ["ecr", "ecs"], ["a", "b"], Plan({})).covers(layer, hosts) is covered


def test_each_batch_carries_out_its_hosts_once():
    run = PlannedRun({}, ["ecr"], ["a", "b"], Plan({}), carried_out={("ecr", "a")})
    assert not run.covers("ecr", ["a"])
    assert not run.covers("ecr", ["a", "b"])
    assert run.covers("ecr", ["b"])


def test_reading_is_not_silent(monkeypatch):
    """Where AWS takes its time to answer, from the first call on."""

    def slow(params, sessions):
        Event().wait(0.2)
        raise ReconcileError("no answer")

    monkeypatch.setattr(heartbeat, "SECONDS", 0.05)
    monkeypatch.setattr(running, "_environment", slow)
    said = []
    with pytest.raises(ReconcileError, match="no answer"):
        running.plan({"declared": {}, "environment_name": "art", "state": "present"}, said.append)
    assert said[:2] == ["reading what AWS has"] * 2
