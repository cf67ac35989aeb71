# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Agreement with the GitHub action amazon-ecs-render-task-definition 1.9.0: the same inputs, the same task definition.

With RENDER_ACTION naming the action's dist/index.js, the table itself is compared with the action, in Node.js.
"""

from __future__ import annotations

import copy
import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from ansible_collections.dockyard.aws.plugins.module_utils.task_definition.load import load_source
from ansible_collections.dockyard.aws.plugins.module_utils.task_definition.render import render

ACTION = os.environ.get("RENDER_ACTION", "")
ROLE = "arn:aws:iam::123456789012:role/web-task"
FILE = "arn:aws:s3:::shop/{}.env"
SECRET = "arn:aws:secretsmanager:us-east-1:123456789012:secret:{}"

WEB: dict[str, Any] = {
    "name": "web",
    "image": "nginx:1",
    "command": ["old"],
    "environment": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}],
    "environmentFiles": [{"value": FILE.format("old"), "type": "s3"}],
    "secrets": [{"name": "S", "valueFrom": SECRET.format("old")}],
    "dockerLabels": {"keep": "1", "change": "2"},
    "logConfiguration": {"logDriver": "awslogs", "options": {"awslogs-group": "g", "awslogs-region": "r"}},
}
SIDE: dict[str, Any] = {"name": "side", "image": "busybox:1", "essential": False}
BASE: dict[str, Any] = {"family": "web", "containerDefinitions": [WEB, SIDE]}
# What DescribeTaskDefinition says of a revision beyond what was registered.
DESCRIBED: dict[str, Any] = {
    **BASE,
    "taskDefinitionArn": "arn:aws:ecs:us-east-1:123456789012:task-definition/web:3",
    "revision": 3,
    "status": "ACTIVE",
    "requiresAttributes": [{"name": "com.amazonaws.ecs.capability.docker-remote-api.1.18"}],
    "compatibilities": ["EC2"],
    "registeredAt": "2026-11-20T10:00:00Z",
    "registeredBy": "arn:aws:iam::123456789012:user/ci",
    "deregisteredAt": "2026-11-21T10:00:00Z",
}


class Case(NamedTuple):
    """inputs: the action's, beside container-name `web` and image `app:2`. web, side, task: what it makes of them.

    fault: where the action does not do what its input says, why we do not follow. ours: what we make then.
    """

    inputs: dict[str, str]
    web: dict[str, Any] = {}
    side: dict[str, Any] = {}
    task: dict[str, Any] = {}
    base: dict[str, Any] = BASE
    fault: str = ""
    ours: dict[str, Any] = {}


def variables(**values: str) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in values.items()]


def logs(driver: str = "awslogs", **options: str) -> dict[str, Any]:
    return {
        "logConfiguration": {
            "logDriver": driver,
            "options": {name.replace("_", "-"): options[name] for name in options},
        }
    }


IN_GROUP = {"awslogs_group": "g", "awslogs_region": "r"}
CASES: dict[str, Case] = {
    "image": Case({}),
    "the same image in several containers": Case({"container-name": "web,side"}, side={"image": "app:2"}),
    "a digest": Case({"image": "app@sha256:" + "0" * 64}, {"image": "app@sha256:" + "0" * 64}),
    "a variable that is there keeps its place": Case(
        {"environment-variables": "A=one"}, {"environment": variables(A="one", B="2")}
    ),
    "new variables come last": Case(
        {"environment-variables": "D=4\nC=3"}, {"environment": variables(A="1", B="2", D="4", C="3")}
    ),
    "blank lines and blanks around lines": Case(
        {"environment-variables": "\n  A=one  \n\n   C= 3\n"}, {"environment": variables(A="one", B="2", C=" 3")}
    ),
    "equals signs in a variable": Case(
        {"environment-variables": "A=x=y==z"}, {"environment": variables(A="x=y==z", B="2")}
    ),
    "an empty value": Case({"environment-variables": "A="}, {"environment": variables(A="", B="2")}),
    "one variable twice": Case({"environment-variables": "C=1\nC=2"}, {"environment": variables(A="1", B="2", C="2")}),
    "quotes are part of a value": Case(
        {"environment-variables": "A=\"x\" 'y'"}, {"environment": variables(A="\"x\" 'y'", B="2")}
    ),
    "variables in several containers": Case(
        {"container-name": "side,web", "environment-variables": "C=3"},
        {"environment": variables(A="1", B="2", C="3")},
        {"image": "app:2", "environment": variables(C="3")},
    ),
    "files of variables replace those that are there": Case(
        {"env-files": f"{FILE.format('a')}\n {FILE.format('b')}\n"},
        {"environmentFiles": [{"value": FILE.format(name), "type": "s3"} for name in "ab"]},
    ),
    "secrets": Case(
        {"secrets": f"S={SECRET.format('new')}\nT={SECRET.format('t')}:key::"},
        {
            "secrets": [
                {"name": "S", "valueFrom": SECRET.format("new")},
                {"name": "T", "valueFrom": SECRET.format("t") + ":key::"},
            ]
        },
    ),
    "options of the log driver": Case(
        {"log-configuration-options": "awslogs-group=new\nawslogs-stream-prefix=web"},
        logs(awslogs_group="new", awslogs_region="r", awslogs_stream_prefix="web"),
    ),
    "the same log driver": Case({"log-configuration-log-driver": "awslogs"}, logs(**IN_GROUP)),
    "log driver and options where there is none": Case(
        {
            "container-name": "side",
            "log-configuration-log-driver": "syslog",
            "log-configuration-options": "syslog-address=udp://a:1",
        },
        {"image": "nginx:1"},
        {"image": "app:2", **logs("syslog", syslog_address="udp://a:1")},
    ),
    "labels": Case({"docker-labels": "change=3\nnew=4"}, {"dockerLabels": {"keep": "1", "change": "3", "new": "4"}}),
    "command": Case({"command": "npm run start"}, {"command": ["npm", "run", "start"]}),
    "roles": Case(
        {"task-role-arn": ROLE, "execution-role-arn": f"{ROLE}-x"},
        task={"taskRoleArn": ROLE, "executionRoleArn": f"{ROLE}-x"},
    ),
    "what only describing returns": Case({}, base=DESCRIBED),
    "an equals sign in a label": Case(
        {"docker-labels": "change=a=b"},
        {"dockerLabels": {"keep": "1", "change": "a"}},
        fault="everything after the second equals sign is lost",
        ours={"dockerLabels": {"keep": "1", "change": "a=b"}},
    ),
    "an equals sign in a log option": Case(
        {"log-configuration-options": "awslogs-datetime-format=x=%Y"},
        logs(**IN_GROUP, awslogs_datetime_format="x"),
        fault="everything after the second equals sign is lost",
        ours=logs(**IN_GROUP, awslogs_datetime_format="x=%Y"),
    ),
    "quotes in a command": Case(
        {"command": "sh -c 'npm start'"},
        {"command": ["sh", "-c", "'npm", "start'"]},
        fault="it splits at every blank, so that no argument can have one; here a text is split as a shell does",
        ours={"command": ["sh", "-c", "npm start"]},
    ),
    "two blanks in a command": Case(
        {"command": "npm  start"},
        {"command": ["npm", "", "start"]},
        fault="it makes an empty argument of them",
        ours={"command": ["npm", "start"]},
    ),
    "another log driver": Case(
        {"log-configuration-log-driver": "syslog"},
        logs("syslog", **IN_GROUP),
        fault="it keeps options that the new driver does not know, with which no task starts",
        ours={"logConfiguration": {"logDriver": "syslog"}},
    ),
    "a revision that is being deleted": Case(
        {},
        base={**DESCRIBED, "deleteRequestedAt": "2026-11-22T10:00:00Z"},
        task={"deleteRequestedAt": "2026-11-22T10:00:00Z"},
        fault="it leaves in what RegisterTaskDefinition refuses",
        ours={"deleteRequestedAt": None},
    ),
}
# What the action refuses, and a mapping by container or an ARN of any partition here does not need refused.
REFUSED = {
    "blanks between containers": ({"container-name": "web, side"}, {"containers": {"web": {}, "side": {}}}),
    "roles of the European sovereign cloud": (
        {"task-role-arn": "arn:aws-eusc:iam::123456789012:role/web"},
        {"task_role_arn": "arn:aws-eusc:iam::123456789012:role/web"},
    ),
    "a log driver that it does not know": (
        {"log-configuration-log-driver": "none"},
        {"containers": {"side": {"log_driver": "none"}}},
    ),
}


def lines(text: str) -> list[str]:
    return [line.strip() for line in text.split("\n") if line.strip()]


def pairs(text: str) -> dict[str, str]:
    """Lines `NAME=value`, as a mapping has them."""
    return dict(line.split("=", 1) for line in lines(text))


CONTAINER = {
    "environment-variables": ("environment", pairs),
    "env-files": ("environment_files", lines),
    "secrets": ("secrets", pairs),
    "log-configuration-log-driver": ("log_driver", str),
    "log-configuration-options": ("log_options", pairs),
    "docker-labels": ("docker_labels", pairs),
    "command": ("command", str),
}
TASK = {"task-role-arn": "task_role_arn", "execution-role-arn": "execution_role_arn"}


def overrides(inputs: dict[str, str]) -> dict[str, Any]:
    """The action's inputs as options of task_definition_render; docs/ci/README.md has the same as a table."""
    container = {option: convert(inputs[name]) for name, (option, convert) in CONTAINER.items() if name in inputs}
    container["image"] = inputs.get("image", "app:2")
    names = inputs.get("container-name", "web").split(",")
    task = {option: inputs[name] for name, option in TASK.items() if name in inputs}
    return {**task, "containers": {name: container for name in names}}


def of_action(case: Case) -> dict[str, Any]:
    """What the action makes."""
    web = {**WEB, "image": "app:2", **case.web}
    return {"family": "web", "containerDefinitions": [web, {**SIDE, **case.side}], **case.task}


def of_ours(case: Case) -> dict[str, Any]:
    """The same, but for the action's faults."""
    result = copy.deepcopy(of_action(case))
    for field, value in case.ours.items():
        target = result if field in case.task else result["containerDefinitions"][0]
        target[field] = value
    return {field: value for field, value in result.items() if value is not None}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_the_same_inputs_give_the_same_task_definition(case: Case) -> None:
    assert render(load_source(case.base), overrides(case.inputs)) == of_ours(case)
    assert (of_ours(case) != of_action(case)) == bool(case.fault)


@pytest.mark.parametrize(("inputs", "options"), REFUSED.values(), ids=REFUSED)
def test_what_only_the_action_refuses(inputs: dict[str, str], options: dict[str, Any]) -> None:
    assert render(BASE, options)["family"] == "web"


def test_tags_of_a_described_revision_come_along() -> None:
    answer = {"taskDefinition": DESCRIBED, "tags": [{"key": "Team", "value": "shop"}]}
    rendered = render(load_source(answer), overrides({}))
    assert rendered == {**of_action(Case({})), "tags": answer["tags"]}


def test_removing_is_more_than_the_action_can() -> None:
    rendered = render(BASE, {"containers": {"web": {"environment": {"A": None}, "secrets": {"S": None}}}})
    assert rendered["containerDefinitions"][0]["environment"] == variables(B="2")
    assert rendered["containerDefinitions"][0]["secrets"] == []


def acted(inputs: dict[str, str], base: dict[str, Any], folder: Path) -> tuple[int, dict[str, Any]]:
    """The action itself: its exit code, and what it wrote."""
    (folder / "base.json").write_text(json.dumps(base))
    given = {"container-name": "web", "image": "app:2", "task-definition": str(folder / "base.json"), **inputs}
    environment = {f"INPUT_{name.upper()}": value for name, value in given.items()}
    environment |= {"PATH": os.environ["PATH"], "RUNNER_TEMP": str(folder)}
    command = [str(shutil.which("node")), ACTION]
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    written = sorted(folder.glob("task-definition-*.json"))
    return ran.returncode, json.loads(written[0].read_text()) if written else {}


with_action = pytest.mark.skipif(not ACTION or not shutil.which("node"), reason="needs RENDER_ACTION and Node.js")


@with_action
@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_the_table_says_what_the_action_does(case: Case, tmp_path: Path) -> None:
    assert acted(case.inputs, case.base, tmp_path) == (0, of_action(case))


@with_action
@pytest.mark.parametrize(("inputs", "options"), REFUSED.values(), ids=REFUSED)
def test_the_action_refuses(inputs: dict[str, str], options: dict[str, Any], tmp_path: Path) -> None:
    assert acted(inputs, BASE, tmp_path)[0] == 1
