# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""For which tasks a plan is the one."""

from __future__ import annotations

import pytest

from ansible_collections.dockyard.aws.plugins.module_utils.layers.run import PlannedRun
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
