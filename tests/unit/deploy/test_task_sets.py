# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Services whose deployments CodeDeploy or an external controller carries out: what runs is in their task sets."""

from __future__ import annotations

import pytest

from ansible_collections.dockyard.aws.plugins.module_utils.deploy import running_task, status
from ansible_collections.dockyard.aws.plugins.module_utils.deploy.services import Service
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.errors import ReconcileError
from ansible_collections.dockyard.aws.plugins.module_utils.resources import ecs_rollout

ARN = "arn:aws:ecs:eu-central-1:123456789012:task-definition/web:{}"
NETWORK = {"awsvpcConfiguration": {"subnets": ["subnet-1"]}}
SERVICE = {
    "status": "ACTIVE",
    "serviceName": "web",
    "deploymentController": {"type": "EXTERNAL"},
    "deployments": [],
    "runningCount": 2,
    "pendingCount": 0,
    "desiredCount": 2,
}
SETS = [
    {"status": "ACTIVE", "taskDefinition": ARN.format(8), "launchType": "EC2"},
    {"status": "PRIMARY", "taskDefinition": ARN.format(7), "launchType": "FARGATE", "networkConfiguration": NETWORK},
]


class Sessions:
    """ECS with one answer for all task definitions."""

    def aws(self, layer):
        return self

    def client(self, name, region=None):
        return self

    def describe_task_definition(self, taskDefinition, include):
        task = {"taskDefinitionArn": taskDefinition, "family": "web", "revision": 7, "containerDefinitions": []}
        return {"taskDefinition": task}


def test_a_service_runs_what_its_primary_task_set_has():
    found = ecs_rollout.as_it_runs({**SERVICE, "taskDefinition": ARN.format(1), "taskSets": SETS})
    assert (found["taskDefinition"], found["launchType"]) == (ARN.format(7), "FARGATE")
    assert found["networkConfiguration"] == NETWORK
    assert ecs_rollout.as_it_runs({"taskDefinition": "web:1"}) == {"taskDefinition": "web:1"}


@pytest.mark.parametrize(("sets", "shown"), [(SETS, "web:7"), ([], "")])
def test_status_shows_it(sets, shown):
    service = Service("web", {"cluster": "shop", "name": "web", "task_definition": "web"}, None)
    row = status._row(Sessions(), service, {**SERVICE, "taskSets": sets}, 3)
    assert (row["task_definition"], row["running"], row["problems"]) == (shown, 2, [])


def test_a_task_of_a_service_without_a_task_set_has_to_be_named():
    with pytest.raises(ReconcileError, match="no task set yet: name a task definition with -e task_family"):
        running_task._definition(Sessions(), None, "")
