# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Overrides over a task definition."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.dockyard.aws.plugins.module_utils.task_definition.errors import TaskDefinitionError
from ansible_collections.dockyard.aws.plugins.module_utils.task_definition.load import load_file
from ansible_collections.dockyard.aws.plugins.module_utils.task_definition.model import DESCRIBE_ONLY, shape_of
from ansible_collections.dockyard.aws.plugins.module_utils.task_definition.render import (
    CONTAINER_OVERRIDES,
    TASK_OVERRIDES,
    render,
)

GOOD = Path(__file__).parent / "good"

BASE: dict[str, Any] = {
    "family": "web",
    "cpu": "256",
    "containerDefinitions": [
        {
            "name": "web",
            "image": "nginx:1",
            "cpu": 10,
            "command": ["old"],
            "environment": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}],
            "secrets": [{"name": "S", "valueFrom": "/s"}],
            "dockerLabels": {"keep": "1", "drop": "2"},
            "logConfiguration": {"logDriver": "awslogs", "options": {"awslogs-group": "g", "awslogs-region": "r"}},
            "healthCheck": {"command": ["CMD", "true"]},
        },
        {"name": "side", "image": "busybox", "essential": False},
    ],
    "tags": [{"key": "Team", "value": "art"}],
}


def rendered(override: dict[str, Any]) -> dict[str, Any]:
    containers: list[dict[str, Any]] = render(BASE, {"containers": {"web": override}})["containerDefinitions"]
    return containers[0]


@pytest.mark.parametrize(
    ("override", "field", "expected"),
    [
        ({"family": "other"}, "family", "other"),
        ({"cpu": 512}, "cpu", "512"),
        ({"cpu": None}, "cpu", None),
        ({"memory": "1 GB"}, "memory", "1 GB"),
        ({"task_role_arn": "web-task"}, "taskRoleArn", "web-task"),
        ({"execution_role_arn": "web-execution"}, "executionRoleArn", "web-execution"),
        ({"network_mode": "awsvpc"}, "networkMode", "awsvpc"),
        ({"requires_compatibilities": ["FARGATE"]}, "requiresCompatibilities", ["FARGATE"]),
        ({"runtime_platform": {"cpu_architecture": "ARM64"}}, "runtimePlatform", {"cpuArchitecture": "ARM64"}),
        ({"runtime_platform": {"cpuArchitecture": "ARM64"}}, "runtimePlatform", {"cpuArchitecture": "ARM64"}),
        ({"ephemeral_storage": 30}, "ephemeralStorage", {"sizeInGiB": 30}),
        ({"ephemeral_storage": {"size_in_gib": "30"}}, "ephemeralStorage", {"sizeInGiB": 30}),
        ({"volumes": [{"name": "v"}]}, "volumes", [{"name": "v"}]),
        ({"pid_mode": "task"}, "pidMode", "task"),
        ({"ipc_mode": "none"}, "ipcMode", "none"),
        (
            {"placement_constraints": [{"type": "memberOf", "expression": "x"}]},
            "placementConstraints",
            [{"type": "memberOf", "expression": "x"}],
        ),
        ({"proxy_configuration": {"container_name": "envoy"}}, "proxyConfiguration", {"containerName": "envoy"}),
        ({"enable_fault_injection": "true"}, "enableFaultInjection", True),
        ({"tags": {"Stage": 1}}, "tags", [{"key": "Team", "value": "art"}, {"key": "Stage", "value": "1"}]),
        ({"tags": {"Team": None}}, "tags", []),
    ],
)
def test_task_overrides(override: dict[str, Any], field: str, expected: Any) -> None:
    assert render(BASE, override).get(field) == expected


@pytest.mark.parametrize(
    ("override", "field", "expected"),
    [
        ({"image": "nginx:2"}, "image", "nginx:2"),
        ({"command": ["a b", 1]}, "command", ["a b", "1"]),
        ({"command": "sh -c 'echo a=b; sleep 1'"}, "command", ["sh", "-c", "echo a=b; sleep 1"]),
        ({"command": None}, "command", None),
        ({"entry_point": "/bin/sh -c"}, "entryPoint", ["/bin/sh", "-c"]),
        (
            {"environment": {"B": "x=y=z", "A": None, "C": True, "D": 1.5}},
            "environment",
            [{"name": "B", "value": "x=y=z"}, {"name": "C", "value": "true"}, {"name": "D", "value": "1.5"}],
        ),
        (
            {"environment": {"A": ""}},
            "environment",
            [{"name": "A", "value": ""}, {"name": "B", "value": "2"}],
        ),
        ({"environment": {}}, "environment", BASE["containerDefinitions"][0]["environment"]),
        ({"environment": None}, "environment", []),
        (
            {"environment_files": ["arn:aws:s3:::bucket/a.env"]},
            "environmentFiles",
            [{"value": "arn:aws:s3:::bucket/a.env", "type": "s3"}],
        ),
        ({"secrets": {"S": "/t"}}, "secrets", [{"name": "S", "valueFrom": "/t"}]),
        ({"secrets": {"S": None, "T": "/t"}}, "secrets", [{"name": "T", "valueFrom": "/t"}]),
        ({"cpu": "20"}, "cpu", 20),
        ({"memory": 128}, "memory", 128),
        ({"memory_reservation": 64}, "memoryReservation", 64),
        ({"essential": False}, "essential", False),
        (
            {"ports": [8082, "9090", "80:8080/tcp", "53/udp", "8000-8010", {"container_port": "1", "name": "x"}]},
            "portMappings",
            [
                {"containerPort": 8082},
                {"containerPort": 9090},
                {"containerPort": 8080, "hostPort": 80, "protocol": "tcp"},
                {"containerPort": 53, "protocol": "udp"},
                {"containerPortRange": "8000-8010"},
                {"containerPort": 1, "name": "x"},
            ],
        ),
        (
            {"log_options": {"awslogs-region": None, "awslogs-stream-prefix": "a=b=c"}},
            "logConfiguration",
            {"logDriver": "awslogs", "options": {"awslogs-group": "g", "awslogs-stream-prefix": "a=b=c"}},
        ),
        (
            {"log_driver": "awslogs"},
            "logConfiguration",
            {"logDriver": "awslogs", "options": {"awslogs-group": "g", "awslogs-region": "r"}},
        ),
        (
            {"log_driver": "splunk", "log_options": {"splunk-url": "https://s"}},
            "logConfiguration",
            {"logDriver": "splunk", "options": {"splunk-url": "https://s"}},
        ),
        ({"log_driver": None}, "logConfiguration", None),
        ({"docker_labels": {"drop": None, "rule": "Host=`a`"}}, "dockerLabels", {"keep": "1", "rule": "Host=`a`"}),
        ({"health_check": None}, "healthCheck", None),
        (
            {"health_check": {"command": ["CMD", "x"], "start_period": 5}},
            "healthCheck",
            {"command": ["CMD", "x"], "startPeriod": 5},
        ),
        ({"user": 1000}, "user", "1000"),
        ({"working_directory": "/srv"}, "workingDirectory", "/srv"),
        ({"readonly_root_filesystem": True}, "readonlyRootFilesystem", True),
        (
            {"ulimits": [{"name": "nofile", "soft_limit": 1, "hard_limit": 2}]},
            "ulimits",
            [{"name": "nofile", "softLimit": 1, "hardLimit": 2}],
        ),
        (
            {"mount_points": [{"sourceVolume": "v", "containerPath": "/v"}]},
            "mountPoints",
            [{"sourceVolume": "v", "containerPath": "/v"}],
        ),
        (
            {"depends_on": [{"containerName": "side", "condition": "START"}]},
            "dependsOn",
            [{"containerName": "side", "condition": "START"}],
        ),
        ({"start_timeout": 30}, "startTimeout", 30),
        ({"stop_timeout": 60}, "stopTimeout", 60),
        ({"linux_parameters": {"init_process_enabled": True}}, "linuxParameters", {"initProcessEnabled": True}),
        (
            {"system_controls": [{"namespace": "net.core.somaxconn", "value": 1024}]},
            "systemControls",
            [{"namespace": "net.core.somaxconn", "value": "1024"}],
        ),
        ({"restart_policy": {"enabled": True}}, "restartPolicy", {"enabled": True}),
        ({"definition": {"hostname": "h", "healthCheck": {"retries": 2}}}, "hostname", "h"),
        (
            {"definition": {"healthCheck": {"retries": 2}}},
            "healthCheck",
            {"command": ["CMD", "true"], "retries": 2},
        ),
        ({"image": "nginx:2", "definition": {"image": "nginx:3"}}, "image", "nginx:3"),
        ({"definition": {"secrets": None}}, "secrets", None),
    ],
)
def test_container_overrides(override: dict[str, Any], field: str, expected: Any) -> None:
    assert rendered(override).get(field) == expected
    assert render(BASE, {"containers": {"web": override}})["containerDefinitions"][1] == BASE["containerDefinitions"][1]


def test_every_override_stands_for_a_field_of_the_model() -> None:
    assert all(shape_of(field) for field in TASK_OVERRIDES.values())
    assert all(shape_of("containerDefinitions", field) for field in CONTAINER_OVERRIDES.values())


def test_containers_are_added_and_removed() -> None:
    result = render(BASE, {"containers": {"side": {"remove": True}, "new": {"add": True, "image": "x", "cpu": 5}}})
    assert [item["name"] for item in result["containerDefinitions"]] == ["web", "new"]
    assert result["containerDefinitions"][1] == {"name": "new", "image": "x", "cpu": 5}


def test_adding_a_container_that_is_there_changes_it() -> None:
    """The base may be the revision that the last run registered."""
    overrides = {"containers": {"new": {"add": True, "image": "x"}}}
    once = render(BASE, overrides)
    assert render(once, overrides) == once


def test_different_images_in_one_call() -> None:
    result = render(BASE, {"containers": {"web": {"image": "w:2"}, "side": {"image": "s:2"}}})
    assert [item["image"] for item in result["containerDefinitions"]] == ["w:2", "s:2"]


def test_what_only_describe_returns_is_left_out() -> None:
    described = {**BASE, **dict.fromkeys(DESCRIBE_ONLY, "x")}
    assert len(DESCRIBE_ONLY) == 9
    assert render(described, {}) == BASE


def test_nulls_are_absent_fields() -> None:
    assert render({"family": "a", "cpu": None, "containerDefinitions": [{"name": "x", "user": None}]}, {}) == {
        "family": "a",
        "containerDefinitions": [{"name": "x"}],
    }


def test_nothing_is_changed_in_place() -> None:
    base = {**copy.deepcopy(BASE), "revision": 4}
    overrides = {
        "cpu": 512,
        "tags": {"a": "b"},
        "containers": {
            "web": {
                "environment": {"A": None, "N": "1"},
                "docker_labels": {"drop": None},
                "log_options": {"x": "y"},
                "definition": {"healthCheck": {"retries": 1}},
            },
            "side": {"remove": True},
        },
    }
    before = copy.deepcopy((base, overrides))
    result = render(base, overrides)
    result["containerDefinitions"][0]["environment"].clear()
    assert (base, overrides) == before


@pytest.mark.parametrize(
    ("overrides", "expected"),
    [
        ({"famliy": "x"}, "famliy: unknown override (did you mean family?); allowed: containers, cpu,"),
        ({"containers": ["web"]}, "containers: must be a mapping of container names to overrides, got a list"),
        ({"containers": {"web": "x"}}, "containers[web]: must be a mapping of overrides, got a string"),
        ({"containers": {"web": {"img": "x"}}}, "containers[web].img: unknown override"),
        ({"containers": {"web": {"portMappings": []}}}, "containers[web].portMappings: unknown override"),
        ({"containers": {"wep": {}}}, "containers[wep]: the task definition has no such container (did you mean web?)"),
        ({"containers": {"new": {"add": True}}}, "containers[new].image: a container that is added must have an image"),
        (
            {"containers": {"web": {"add": True, "remove": True}}},
            "containers[web]: add and remove exclude each other",
        ),
        ({"containers": {"web": {"command": "a 'b"}}}, "containers[web].command: cannot be split as a shell does"),
        ({"containers": {"web": {"command": 3}}}, "containers[web].command: must be a list, or a text"),
        ({"containers": {"web": {"environment": ["A=1"]}}}, "containers[web].environment: must be a mapping of names"),
        ({"containers": {"web": {"environment": {"A": [1]}}}}, "containers[web].environment: the value of A must be"),
        ({"containers": {"web": {"ports": 80}}}, "containers[web].ports: must be a list of ports, got an integer"),
        ({"containers": {"web": {"ports": [80, "a:b"]}}}, "containers[web].ports[1]: got 'a:b', allowed: a container"),
        (
            {"containers": {"side": {"log_options": {"a": "b"}}}},
            "containers[side].log_options: log_options needs a log",
        ),
        ({"containers": {"web": {"definition": []}}}, "containers[web].definition: must be an object in AWS's form"),
        ({"containers": {"web": {"environment_files": "x"}}}, "containers[web].environment_files: must be a list"),
        ({"tags": ["a"]}, "tags: must be a mapping of names to values, got a list"),
    ],
)
def test_bad_overrides_are_refused(overrides: dict[str, Any], expected: str) -> None:
    with pytest.raises(TaskDefinitionError) as caught:
        render(BASE, overrides)
    assert [problem for problem in caught.value.problems if problem.startswith(expected)]


def test_all_problems_come_at_once() -> None:
    with pytest.raises(TaskDefinitionError) as caught:
        render(BASE, {"x": 1, "containers": {"y": {}, "web": {"z": 1, "ports": ["?", "??"]}}})
    assert len(caught.value.problems) == 5


@pytest.mark.parametrize("path", sorted(GOOD.iterdir()), ids=lambda path: path.stem)
def test_without_overrides_a_definition_stays_as_it_is(path: Path) -> None:
    assert render(load_file(path), {}) == load_file(path)
