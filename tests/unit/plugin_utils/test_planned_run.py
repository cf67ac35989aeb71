# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where plans are made, and for which tasks a plan is the one."""

from __future__ import annotations

from threading import Event
from types import SimpleNamespace

import pytest

from ansible_collections.dockyard.aws.plugins.module_utils.aws.session import Aws
from ansible_collections.dockyard.aws.plugins.module_utils.layers import run as running
from ansible_collections.dockyard.aws.plugins.module_utils.layers.run import PlannedRun
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile import heartbeat
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.errors import PlanError, ReconcileError
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


class FakeSessions:
    """Sessions whose identity is told for each layer; asking for any other layer's is an error."""

    def __init__(self, **where):
        self.where = where

    def aws(self, layer):
        account, region = self.where[layer]
        session = SimpleNamespace(
            identity=lambda: {"Account": account, "Arn": f"arn:{account}"}, region=region, partition="aws"
        )
        return Aws(session, layer, "art")


DECLARED = {"ecr": {"web": {}}, "iam": {}, "ecs": {"web": {}}}


def environment(where, **params):
    params = {"environment_name": "art", "declared": DECLARED, **params}
    return running._environment(params, FakeSessions(**where))


def test_only_layers_that_somebody_declares_need_credentials():
    found = environment({"ecr": ("1", "eu-west-1"), "ecs": ("1", "eu-west-1")})
    assert (found.account_id, found.region) == ("1", "eu-west-1")


@pytest.mark.parametrize(
    ("where", "params", "message"),
    [
        ({"ecr": ("1", "r"), "ecs": ("2", "r")}, {}, "aws_profiles: the layer 'ecs' would work in account 2, region r"),
        ({"ecr": ("1", "r"), "ecs": ("1", "s")}, {}, "region s, and the layer 'ecr' in account 1, region r"),
        ({"ecr": ("1", "r"), "ecs": ("2", "r")}, {"account_id": "1"}, "credentials of the layer 'ecs' belong to"),
        ({}, {"profiles": {"ecss": "a"}}, "aws_profiles: has 'ecss', which is no layer. Layers: .*ecs"),
    ],
)
def test_an_environment_is_in_one_account_and_region(where, params, message):
    with pytest.raises(PlanError, match=message):
        environment(where, **params)
