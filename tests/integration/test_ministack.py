# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ministack with stub containers does what the tests of deploys take for granted."""

from __future__ import annotations

import json
import time

import pytest

NETWORK = {"awsvpcConfiguration": {"subnets": ["subnet-1"], "securityGroups": ["sg-1"]}}


def task(ministack, tag, command=None):
    """A task of an image with the tag, until it is stopped or runs."""
    ecr, ecs, logs = (ministack.client(name) for name in ("ecr", "ecs", "logs"))
    uri = ecr.create_repository(repositoryName="web")["repository"]["repositoryUri"]
    manifest = json.dumps({"schemaVersion": 2, "config": {}, "layers": []})
    digest = ecr.put_image(repositoryName="web", imageManifest=manifest, imageTag=tag)["image"]["imageId"][
        "imageDigest"
    ]
    logs.create_log_group(logGroupName="web")
    options = {"awslogs-group": "web", "awslogs-region": "us-east-1", "awslogs-stream-prefix": "web"}
    container = {"name": "web", "image": f"{uri}@{digest}", "portMappings": [{"containerPort": 8080}]}
    container["logConfiguration"] = {"logDriver": "awslogs", "options": options}
    ecs.create_cluster(clusterName="web")
    ecs.register_task_definition(family="web", networkMode="awsvpc", containerDefinitions=[container])
    overrides = {"containerOverrides": [{"name": "web", "command": command}]} if command else {}
    wanted = {"cluster": "web", "taskDefinition": "web", "networkConfiguration": NETWORK, "overrides": overrides}
    arn = ecs.run_task(**wanted)["tasks"][0]["taskArn"]
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        found = ecs.describe_tasks(cluster="web", tasks=[arn])["tasks"][0]
        if found["lastStatus"] in ("STOPPED", "RUNNING" if tag == "v1" and not command else "STOPPED"):
            break
        time.sleep(0.05)
    events = logs.get_log_events(logGroupName="web", logStreamName=f"web/web/{arn.rsplit('/', 1)[1]}")["events"]
    return found, [event["message"] for event in events]


@pytest.mark.parametrize(
    ("tag", "command", "status", "code", "line"),
    [
        ("v1", None, "RUNNING", None, "starting"),
        ("crash-1", None, "STOPPED", 1, "fatal: cannot go on"),
        ("exit0", None, "STOPPED", 0, "nothing to do"),
        ("v1", ["exit", "3"], "STOPPED", 3, "the work is done, exit code 3"),
    ],
)
def test_a_container_behaves_as_its_tag_says(ministack, tag, command, status, code, line):
    found, lines = task(ministack, tag, command)
    assert (found["lastStatus"], found["containers"][0].get("exitCode")) == (status, code)
    assert line in lines


def test_a_family_means_its_latest_active_revision(ministack):
    ecs = ministack.client("ecs")
    for _number in range(2):
        ecs.register_task_definition(family="web", containerDefinitions=[{"name": "web", "image": "web"}])
    ecs.deregister_task_definition(taskDefinition="web:2")
    assert ecs.describe_task_definition(taskDefinition="web")["taskDefinition"]["revision"] == 1
