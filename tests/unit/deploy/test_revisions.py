# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which revisions are in use: what runs or may come back, and not what only ends."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from ansible_collections.dockyard.aws.plugins.module_utils.aws import waiting
from ansible_collections.dockyard.aws.plugins.module_utils.deploy import revisions


def deployment(number, status, state, desired=2):
    return {"taskDefinition": f"web:{number}", "status": status, "rolloutState": state, "desiredCount": desired}


@pytest.mark.parametrize(
    ("deployments", "expected"),
    [
        ([deployment(7, "PRIMARY", "COMPLETED")], {7}),
        ([deployment(7, "PRIMARY", "IN_PROGRESS"), deployment(6, "ACTIVE", "COMPLETED", 0)], {6, 7}),
        ([deployment(6, "PRIMARY", "COMPLETED"), deployment(7, "ACTIVE", "COMPLETED", 0)], {6}),
        ([deployment(7, "PRIMARY", "COMPLETED"), deployment(6, "ACTIVE", "COMPLETED")], {6, 7}),
        ([deployment(6, "PRIMARY", "IN_PROGRESS"), deployment(7, "ACTIVE", "FAILED")], {6}),
        ([deployment(7, "PRIMARY", "FAILED"), deployment(6, "ACTIVE", "COMPLETED")], {6, 7}),
    ],
    ids=["runs", "may come back", "drains after a return", "bakes", "failed and goes", "failed and stays"],
)
def test_what_a_service_uses(deployments, expected):
    service = {"taskDefinition": deployments[0]["taskDefinition"], "deployments": deployments}
    assert revisions.of_service(service) == {f"web:{number}" for number in expected}


def test_task_sets_and_services_without_deployments():
    assert revisions.of_service({"deployments": [], "taskSets": [{"taskDefinition": "web:3"}]}) == {"web:3"}


class Ecs:
    """A cluster without services, and one task of web:7 that is on its way out."""

    def __init__(self):
        self.asked = []

    def get_paginator(self, operation):
        return SimpleNamespace(paginate=lambda **given: self._paginate(operation, given))

    def _paginate(self, operation, given):
        wanted = given.get("desiredStatus")
        self.asked += [wanted] if wanted else []
        return [{"clusterArns": ["shop"], "serviceArns": [], "taskArns": ["t"] if wanted == "STOPPED" else []}]

    def describe_tasks(self, cluster, tasks):
        return {"tasks": [{"taskDefinitionArn": "web:7", "desiredStatus": "STOPPED", "lastStatus": "STOPPING"}]}


def test_tasks_that_are_on_their_way_out_need_no_revision():
    ecs = Ecs()
    assert revisions.in_use(SimpleNamespace(client=lambda _name: ecs), "web") == set()
    assert "RUNNING" in ecs.asked


@pytest.mark.parametrize(("free_after", "gone"), [(2, ["web:7"]), (1000, [])])
def test_what_is_free_in_a_moment_is_waited_for(monkeypatch, free_after, gone):
    looks = []

    def deregister(_aws, _family, going):
        looks.append(list(going))
        return ["web:7"] if len(looks) > free_after else []

    monkeypatch.setattr(waiting, "FIRST_DELAY", 0.01)
    monkeypatch.setattr(revisions, "deregister", deregister)
    assert revisions.deregister_when_free(None, "web", ["arn/web:7"], 0.2) == gone
    assert len(looks) > 1
