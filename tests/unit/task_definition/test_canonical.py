# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The canonical form: equal for what is declared and what AWS shows of it, whatever the order."""

from __future__ import annotations

import copy
import random
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.dockyard.aws.plugins.module_utils.task_definition.canonical import canonical
from ansible_collections.dockyard.aws.plugins.module_utils.task_definition.compare import differences
from ansible_collections.dockyard.aws.plugins.module_utils.task_definition.load import load_file
from ansible_collections.dockyard.aws.plugins.module_utils.task_definition.model import input_shape
from tests.unit.task_definition.bad_definitions import GOOD

FILES = sorted(GOOD.glob("*-*.*"))
ORDERED = {"command", "entryPoint", "links", "dnsServers", "dnsSearchDomains", "environmentFiles", "mountOptions"}


def task(container: dict[str, Any] | None = None, **fields: Any) -> dict[str, Any]:
    return {"family": "web", "containerDefinitions": [{"name": "web", "image": "nginx", **(container or {})}], **fields}


# (what was declared, what AWS shows of it)
SAME: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    (
        "server defaults",
        task(),
        task(
            {
                "cpu": 0,
                "essential": True,
                "portMappings": [],
                "environment": [],
                "mountPoints": [],
                "volumesFrom": [],
                "systemControls": [],
            },
            networkMode="bridge",
            volumes=[],
            placementConstraints=[],
            taskDefinitionArn="arn:aws:ecs:us-east-1:123456789012:task-definition/web:7",
            revision=7,
            status="ACTIVE",
            requiresAttributes=[{"name": "com.amazonaws.ecs.capability.docker-remote-api.1.18"}],
            compatibilities=["EXTERNAL", "EC2"],
            registeredAt="2026-11-22T10:00:00Z",
            registeredBy="arn:aws:iam::123456789012:user/art",
        ),
    ),
    (
        "ports on bridge",
        task({"portMappings": [{"containerPort": 80}]}),
        task({"portMappings": [{"containerPort": 80, "hostPort": 0, "protocol": "tcp"}]}, networkMode="bridge"),
    ),
    (
        "ports on awsvpc",
        task({"portMappings": [{"containerPort": 80}]}, networkMode="awsvpc", requiresCompatibilities=["FARGATE"]),
        task(
            {"portMappings": [{"containerPort": 80, "hostPort": 80, "protocol": "tcp"}]},
            networkMode="awsvpc",
            requiresCompatibilities=["FARGATE"],
        ),
    ),
    (
        "ports on host",
        task({"portMappings": [{"containerPort": 80, "protocol": "udp"}]}, networkMode="host"),
        task({"portMappings": [{"containerPort": 80, "hostPort": 80, "protocol": "udp"}]}, networkMode="host"),
    ),
    (
        "port range",
        task({"portMappings": [{"containerPortRange": "80-90"}]}),
        task({"portMappings": [{"containerPortRange": "80-90", "protocol": "tcp", "hostPort": 0}]}),
    ),
    (
        "sizes",
        task(cpu="0.25 vCPU", memory="1 GB"),
        task(cpu="256", memory="1024"),
    ),
    (
        "numbers and texts",
        task({"memory": "500", "essential": "true", "environment": [{"name": "A", "value": 1}]}, cpu=256),
        task({"memory": 500, "essential": True, "environment": [{"name": "A", "value": "1"}]}, cpu="256"),
    ),
    (
        "health check",
        task({"healthCheck": {"command": ["CMD", "true"]}}),
        task(
            {"healthCheck": {"command": ["CMD", "true"], "interval": 30, "timeout": 5, "retries": 3, "startPeriod": 0}}
        ),
    ),
    (
        "booleans that are false",
        task(
            {"privileged": False, "readonlyRootFilesystem": False, "linuxParameters": {"initProcessEnabled": False}},
            enableFaultInjection=False,
        ),
        task(),
    ),
    (
        "mounts",
        task({"mountPoints": [{"sourceVolume": "v", "containerPath": "/v"}]}, volumes=[{"name": "v"}]),
        task(
            {"mountPoints": [{"sourceVolume": "v", "containerPath": "/v", "readOnly": False}]},
            volumes=[{"name": "v", "host": {}}],
        ),
    ),
    (
        "efs",
        task(volumes=[{"name": "v", "efsVolumeConfiguration": {"fileSystemId": "fs-1"}}]),
        task(
            volumes=[
                {
                    "name": "v",
                    "efsVolumeConfiguration": {
                        "fileSystemId": "fs-1",
                        "rootDirectory": "/",
                        "transitEncryption": "DISABLED",
                        "authorizationConfig": {"iam": "DISABLED"},
                    },
                }
            ]
        ),
    ),
    (
        "docker volume",
        task(volumes=[{"name": "v", "dockerVolumeConfiguration": {"driver": "local"}}]),
        task(
            volumes=[
                {
                    "name": "v",
                    "dockerVolumeConfiguration": {
                        "driver": "local",
                        "scope": "task",
                        "autoprovision": False,
                        "labels": {},
                    },
                }
            ]
        ),
    ),
    (
        "log router",
        task({"firelensConfiguration": {"type": "fluentbit"}}),
        task(
            {
                "user": "0",
                "firelensConfiguration": {"type": "fluentbit", "options": {"enable-ecs-log-metadata": "true"}},
            }
        ),
    ),
    (
        "restart policy",
        task({"restartPolicy": {"enabled": True}}),
        task({"restartPolicy": {"enabled": True, "ignoredExitCodes": [], "restartAttemptPeriod": 300}}),
    ),
    (
        "empty value of a variable",
        task({"environment": [{"name": "A"}]}),
        task({"environment": [{"name": "A", "value": ""}]}),
    ),
    (
        "tags of AWS itself",
        task(tags=[{"key": "a", "value": "b"}]),
        task(tags=[{"key": "aws:cloudformation:stack-name", "value": "x"}, {"key": "a", "value": "b"}]),
    ),
    (
        "platform",
        task(runtimePlatform={"operatingSystemFamily": "LINUX"}, requiresCompatibilities=["FARGATE"]),
        task(
            runtimePlatform={"operatingSystemFamily": "LINUX", "cpuArchitecture": "X86_64"},
            requiresCompatibilities=["FARGATE"],
            networkMode="awsvpc",
        ),
    ),
]

DIFFERENT: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("order of a command", task({"command": ["a", "b"]}), task({"command": ["b", "a"]})),
    ("order of an entry point", task({"entryPoint": ["a", "b"]}), task({"entryPoint": ["b", "a"]})),
    ("order of links", task({"links": ["a", "b"]}), task({"links": ["b", "a"]})),
    (
        "order of name servers",
        task({"dnsServers": ["1.1.1.1", "8.8.8.8"]}),
        task({"dnsServers": ["8.8.8.8", "1.1.1.1"]}),
    ),
    (
        "a variable",
        task({"environment": [{"name": "A", "value": "1"}]}),
        task({"environment": [{"name": "A", "value": "2"}]}),
    ),
    ("an empty variable", task({"environment": [{"name": "A", "value": ""}]}), task()),
    (
        "a fixed host port",
        task({"portMappings": [{"containerPort": 80, "hostPort": 80}]}),
        task({"portMappings": [{"containerPort": 80}]}),
    ),
    ("essential", task({"essential": False}), task()),
    ("read-only", task({"readonlyRootFilesystem": True}), task()),
    ("cpu", task(cpu="256"), task(cpu="512")),
    ("network mode", task(networkMode="host"), task()),
    (
        "swappiness of none",
        task({"linuxParameters": {"maxSwap": 1, "swappiness": 0}}),
        task({"linuxParameters": {"maxSwap": 1}}),
    ),
    ("stop timeout", task({"stopTimeout": 30}), task()),
    ("architecture", task(runtimePlatform={"cpuArchitecture": "ARM64"}), task()),
]


@pytest.mark.parametrize(("declared", "shown"), [case[1:] for case in SAME], ids=[case[0] for case in SAME])
def test_what_aws_shows_equals_what_was_declared(declared: dict[str, Any], shown: dict[str, Any]) -> None:
    assert canonical(declared) == canonical(shown)
    assert differences(declared, shown) == []


@pytest.mark.parametrize(("one", "other"), [case[1:] for case in DIFFERENT], ids=[case[0] for case in DIFFERENT])
def test_what_differs_stays_different(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert canonical(one) != canonical(other)
    assert differences(one, other) != []


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_canonical_form_is_its_own_and_nothing_is_changed(path: Path) -> None:
    definition = load_file(path)
    before = copy.deepcopy(definition)
    once = canonical(definition)
    assert canonical(once) == once
    assert definition == before
    assert differences(once, definition) == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_the_order_of_lists_without_order_does_not_count(path: Path) -> None:
    definition = load_file(path)
    for seed in range(20):
        assert canonical(_shuffled(definition, random.Random(seed))) == canonical(definition)


def _shuffled(value: Any, source: random.Random, name: str = "") -> Any:
    if isinstance(value, dict):
        keys = source.sample(list(value), len(value))
        return {key: _shuffled(value[key], source, key) for key in keys}
    if isinstance(value, list):
        items = [_shuffled(item, source) for item in value]
        return items if name in ORDERED else source.sample(items, len(items))
    return value


def test_every_list_of_the_model_is_either_sorted_or_ordered_on_purpose() -> None:
    """A new list in AWS's model must be judged before its order counts or does not."""
    from ansible_collections.dockyard.aws.plugins.module_utils.task_definition import canonical as module

    lists = set(_list_names(input_shape()))
    assert lists - set(module._UNORDERED) == ORDERED | {"credentialSpecs"}
    assert set(module._UNORDERED) <= lists


def _list_names(shape: Any) -> list[str]:
    while shape.type_name == "list":
        shape = shape.member
    members = shape.members if shape.type_name == "structure" else {}
    names = [name for name, member in members.items() if member.type_name == "list"]
    return names + [name for member in members.values() for name in _list_names(member)]


def test_values_that_are_not_known_yet_are_kept() -> None:
    unknown = "(known after apply: iam_role/web.arn)"
    assert canonical(task(executionRoleArn=unknown, cpu=unknown))["executionRoleArn"] == unknown
