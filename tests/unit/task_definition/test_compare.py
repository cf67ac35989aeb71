# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Differences by name, patterns to ignore, and no secrets in what is shown."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.dockyard.aws.plugins.module_utils.task_definition.compare import differences
from ansible_collections.dockyard.aws.plugins.module_utils.task_definition.sensitive import redact, redacted

WEB = "containerDefinitions[web]"


def task(container: dict[str, Any] | None = None, **fields: Any) -> dict[str, Any]:
    return {"family": "web", "containerDefinitions": [{"name": "web", "image": "nginx", **(container or {})}], **fields}


def ports(*mappings: dict[str, Any]) -> dict[str, Any]:
    return task({"portMappings": list(mappings)})


def variables(**values: str) -> dict[str, Any]:
    return task({"environment": [{"name": name, "value": value} for name, value in values.items()]})


SIDE = {"name": "side", "image": "busybox"}

CASES: list[tuple[dict[str, Any], dict[str, Any], list[tuple[str, Any, Any]]]] = [
    (task(cpu="512"), task(cpu="256"), [("cpu", "256", "512")]),
    (task(cpu="512"), task(), [("cpu", None, "512")]),
    (task(), task(memory="1 GB"), [("memory", "1024", None)]),
    (task({"image": "nginx:2"}), task(), [(f"{WEB}.image", "nginx", "nginx:2")]),
    (
        variables(A="2", N="1"),
        variables(A="1", GONE="x"),
        [
            (f"{WEB}.environment[A]", "1", "2"),
            (f"{WEB}.environment[GONE]", "x", None),
            (f"{WEB}.environment[N]", None, "1"),
        ],
    ),
    (variables(A="1"), task(), [(f"{WEB}.environment[A]", None, "1")]),
    (
        task({"secrets": [{"name": "S", "valueFrom": "/b"}]}),
        task({"secrets": [{"name": "S", "valueFrom": "/a"}]}),
        [(f"{WEB}.secrets[S]", "/a", "/b")],
    ),
    (
        ports({"containerPort": 8082}),
        ports({"containerPort": 8082, "hostPort": 8082}),
        [(f"{WEB}.portMappings[8082/tcp].hostPort", 8082, 0)],
    ),
    (
        ports({"containerPort": 80}),
        task(),
        [(f"{WEB}.portMappings[80/tcp]", None, {"containerPort": 80, "hostPort": 0, "protocol": "tcp"})],
    ),
    (
        ports({"containerPort": 80, "protocol": "udp"}, {"containerPort": 80}),
        ports({"containerPort": 80}),
        [(f"{WEB}.portMappings[80/udp]", None, {"containerPort": 80, "hostPort": 0, "protocol": "udp"})],
    ),
    (
        ports({"containerPortRange": "80-90"}),
        ports(),
        [(f"{WEB}.portMappings[80-90/tcp]", None, {"containerPortRange": "80-90", "protocol": "tcp"})],
    ),
    (
        ports({"containerPort": 80, "hostPort": 1}, {"containerPort": 80, "hostPort": 2}),
        ports({"containerPort": 80, "hostPort": 1}),
        [
            (
                f"{WEB}.portMappings",
                [{"containerPort": 80, "hostPort": 1, "protocol": "tcp"}],
                [
                    {"containerPort": 80, "hostPort": 1, "protocol": "tcp"},
                    {"containerPort": 80, "hostPort": 2, "protocol": "tcp"},
                ],
            )
        ],
    ),
    (
        task({"dockerLabels": {"a.b": "2"}}),
        task({"dockerLabels": {"a.b": "1"}}),
        [(f"{WEB}.dockerLabels[a.b]", "1", "2")],
    ),
    (
        task({"logConfiguration": {"logDriver": "awslogs", "options": {"awslogs-group": "b"}}}),
        task({"logConfiguration": {"logDriver": "awslogs", "options": {"awslogs-group": "a"}}}),
        [(f"{WEB}.logConfiguration.options[awslogs-group]", "a", "b")],
    ),
    (task({"command": ["b"]}), task({"command": ["a"]}), [(f"{WEB}.command", ["a"], ["b"])]),
    (
        task({"healthCheck": {"command": ["CMD", "x"], "retries": 5}}),
        task({"healthCheck": {"command": ["CMD", "x"]}}),
        [(f"{WEB}.healthCheck.retries", 3, 5)],
    ),
    (task({"essential": False}), task(), [(f"{WEB}.essential", True, False)]),
    (
        task({"ulimits": [{"name": "nofile", "softLimit": 2, "hardLimit": 9}]}),
        task({"ulimits": [{"name": "nofile", "softLimit": 1, "hardLimit": 9}]}),
        [(f"{WEB}.ulimits[nofile].softLimit", 1, 2)],
    ),
    (
        task({"mountPoints": [{"sourceVolume": "v", "containerPath": "/v", "readOnly": True}]}),
        task({"mountPoints": [{"sourceVolume": "v", "containerPath": "/v"}]}),
        [(f"{WEB}.mountPoints[/v].readOnly", None, True)],
    ),
    (
        task({"dependsOn": [{"containerName": "a", "condition": "START"}]}),
        task(),
        [(f"{WEB}.dependsOn[a]", None, "START")],
    ),
    (
        task(volumes=[{"name": "v", "host": {"sourcePath": "/b"}}]),
        task(volumes=[{"name": "v", "host": {"sourcePath": "/a"}}]),
        [("volumes[v].host.sourcePath", "/a", "/b")],
    ),
    (
        task(tags=[{"key": "Team", "value": "lms"}]),
        task(tags=[{"key": "Team", "value": "art"}]),
        [("tags[Team]", "art", "lms")],
    ),
    (task(requiresCompatibilities=["EC2"]), task(), [("requiresCompatibilities", None, ["EC2"])]),
    (
        task(runtimePlatform={"cpuArchitecture": "ARM64"}),
        task(runtimePlatform={"cpuArchitecture": "X86_64"}),
        [("runtimePlatform.cpuArchitecture", "X86_64", "ARM64")],
    ),
    (
        {**task(), "containerDefinitions": [*task()["containerDefinitions"], SIDE]},
        task(),
        [("containerDefinitions[side]", None, {**SIDE, "cpu": 0, "essential": True})],
    ),
    (task(taskRoleArn="web"), task(taskRoleArn="arn:aws:iam::123456789012:role/x/web"), []),
    (
        task(taskRoleArn="web"),
        task(taskRoleArn="arn:aws:iam::123456789012:role/api"),
        [("taskRoleArn", "arn:aws:iam::123456789012:role/api", "web")],
    ),
]


@pytest.mark.parametrize(("desired", "observed", "expected"), CASES)
def test_differences_have_names(desired: dict[str, Any], observed: dict[str, Any], expected: list[Any]) -> None:
    assert differences(desired, observed) == expected


@pytest.mark.parametrize(("desired", "observed", "expected"), CASES)
def test_the_other_way_round_is_the_reverse(desired: Any, observed: Any, expected: list[Any]) -> None:
    assert differences(observed, desired) == [(path, after, before) for path, before, after in expected]


@pytest.mark.parametrize(
    ("ignore", "left"),
    [
        ([], 4),
        (["containerDefinitions[*].image"], 3),
        (["containerDefinitions[web].image"], 3),
        (["containerDefinitions[we].image", "containerDefinitions[*].imag"], 4),
        (["containerDefinitions[*].environment"], 2),
        (["containerDefinitions[*].environment[A]"], 3),
        (["containerDefinitions[*].environment[*]", "cpu"], 1),
        (["containerDefinitions"], 1),
        (["*"], 0),
    ],
)
def test_patterns_leave_fields_out(ignore: list[str], left: int) -> None:
    desired = task(
        {"image": "x", "environment": [{"name": "A", "value": "1"}, {"name": "B.C", "value": "1"}]}, cpu="256"
    )
    assert len(differences(desired, task(), ignore)) == left


@pytest.mark.parametrize(
    ("name", "value", "hidden"),
    [
        ("DB_PASSWORD", "x", True),
        ("api_key", "x", True),
        ("GITHUB_TOKEN", "x", True),
        ("CLIENT_SECRET", "x", True),
        ("DATABASE_URL", "postgres://app:pw@db/app", True),
        ("DATABASE_URL", "postgres://db/app", False),
        ("LOG_LEVEL", "info", False),
        ("DATABASE", "host=db password=hunter2 user=app", True),
        ("SETTINGS", '{"mode": "a", "apiKey": "hunter2"}', True),
        ("PEER", "-----BEGIN RSA PRIVATE KEY-----", True),
        ("ACCOUNT", "AKIAIOSFODNN7EXAMPLE", True),
        ("SEED", "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b", True),
        ("BUCKET_ARN", "arn:aws:s3:::art-media-files-of-production-1", False),
        ("BUCKET", "art-media-files", False),
        ("SECRET_ARN", "arn:aws:secretsmanager:us-east-1:123456789012:secret:db", True),
        ("CONFIG", "/etc/app/settings-of-production-2.yml", False),
        ("FOLDER", "/var/lib/application2/data/files", False),
        ("QUEUE", "art-production-2-sourcing-data", False),
        ("HEADER", "Authorization: Bearer abc", True),
    ],
)
def test_secret_looking_values_are_not_shown(name: str, value: str, hidden: bool) -> None:
    expected = "(sensitive)" if hidden else value
    assert redact(differences(variables(**{name: value}), task())) == [(f"{WEB}.environment[{name}]", None, expected)]
    whole = redact(differences(variables(**{name: value}), {"family": "web", "containerDefinitions": []}))
    assert whole[0][2]["environment"] == [{"name": name, "value": expected}]
    assert redacted(variables(**{name: value}))["containerDefinitions"][0]["environment"][0]["value"] == expected


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        (["run", "--api-token=hunter2"], ["run", "(sensitive)"]),
        (["run", "--password", "hunter2", "-v"], ["run", "--password", "(sensitive)", "-v"]),
        (["run", "--token-file=/run/token"], ["run", "--token-file=/run/token"]),
        (["sh", "-c", "PASSWORD=$DB_PASSWORD exec run"], ["sh", "-c", "PASSWORD=$DB_PASSWORD exec run"]),
    ],
)
def test_secrets_in_commands_are_not_shown(command: list[str], expected: list[str]) -> None:
    assert redact(differences(task({"command": command}), task())) == [(f"{WEB}.command", None, expected)]
    assert redacted(task({"command": command}))["containerDefinitions"][0]["command"] == expected


def test_where_secrets_are_kept_is_shown() -> None:
    arn = "arn:aws:secretsmanager:us-east-1:123456789012:secret:shop/db-AbCdEf:password::"
    found = differences(task({"secrets": [{"name": "DB_PASSWORD", "valueFrom": arn}]}), task())
    assert redact(found) == [(f"{WEB}.secrets[DB_PASSWORD]", None, arn)]


def test_tokens_of_log_drivers_are_not_shown() -> None:
    log = {"logDriver": "splunk", "options": {"splunk-token": "abc", "splunk-url": "https://s"}}
    shown = redact(differences(task({"logConfiguration": log}), task()))
    assert shown == [
        (
            f"{WEB}.logConfiguration",
            None,
            {"logDriver": "splunk", "options": {"splunk-token": "(sensitive)", "splunk-url": "https://s"}},
        )
    ]
