# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Playbooks that people write around the roles: whose variables count, and when a plan is the one for a task."""

from __future__ import annotations

import json

import pytest
from ansible.parsing.vault import VaultLib, VaultSecret

from tests.integration.playbooks import play

SETTINGS = {"dockyard_environment": "test", "aws_region": "us-east-1", "ansible_connection": "local"}


def ecr(name):
    return {"repositories": [{"name": name}]}


@pytest.fixture
def run(emulator, tmp_path):
    """Runs a playbook on two hosts, of which only web declares something."""
    inventory = tmp_path / "hosts.json"
    hosts = {"web": {"ecr": ecr("web")}, "bare": {}}
    inventory.write_text(json.dumps({"all": {"hosts": hosts, "vars": SETTINGS}}))

    def run(*tasks, arguments=(), **keywords):
        playbook = tmp_path / "playbook.yml"
        playbook.write_text(json.dumps([{"hosts": "all", "gather_facts": False, "tasks": list(tasks), **keywords}]))
        emulator.reset_calls()
        return play(emulator, playbook, *arguments, inventory=inventory)

    return run


def reads(emulator):
    calls = emulator.calls()["calls"]
    return sum(item["count"] for item in calls if item["action"] == "DescribeRepositories")


PLAN = {"dockyard.aws.plan": {"layers": ["ecr"]}}
LAYER = {"dockyard.aws.ecr": None}
DEFAULTS = {"module_defaults": {"group/dockyard.aws.aws": {"region": "us-east-1"}}}


@pytest.mark.parametrize("keywords", [{}, DEFAULTS, {"vars": {"dockyard_tags": {"Team": "a"}}}])
def test_the_plan_is_carried_out_as_it_is(emulator, run, keywords):
    """Also where a host declares nothing, and where module_defaults or the play set options."""
    made = run(PLAN, LAYER, **keywords)
    assert made.code == 0, made.failed_messages()
    assert made.done() == made.plan() == [("create", "ecr_repository", "web")]
    run(PLAN, LAYER, **keywords)
    assert reads(emulator) == 1


def test_the_same_layer_a_second_time_plans_anew(emulator, run):
    assert run(PLAN, LAYER).code == 0
    later = {"dockyard.aws.ecr": None, "when": "true"}
    assert run(PLAN, later, later).code == 0
    assert reads(emulator) == 2, "carried out once; the second time plans anew"


@pytest.mark.parametrize(
    "other", [{"region": "eu-central-1"}, {"environment": {"AWS_ENDPOINT_URL_ECR": "http://127.0.0.1:9"}}]
)
def test_a_task_with_other_options_or_credentials_plans_for_itself(emulator, run, other):
    assert run(PLAN, LAYER).code == 0
    environment = {"environment": other["environment"]} if "environment" in other else {}
    options = None if environment else other
    done = run(PLAN, {"dockyard.aws.ecr": options, **environment})
    if environment:
        assert done.code != 0, "the task's environment does not count"
    else:
        assert done.done() == [("create", "ecr_repository", "web")]


def test_variables_of_the_role_count_for_a_single_host(run):
    role = {"include_role": {"name": "dockyard.aws.ecr"}, "vars": {"ecr": ecr("from-the-role")}}
    done = run(PLAN, role, arguments=("--limit", "web"))
    assert done.code == 0, done.failed_messages()
    assert done.done() == [("create", "ecr_repository", "from-the-role")]


def test_variables_of_the_play_are_no_declaration_of_many_hosts(run):
    done = run(LAYER, vars={"ecr": ecr("twice")})
    assert done.code != 0
    assert "ecr: is set by the play, the role or the task" in done.failed_messages()
    assert "bare, web" in done.failed_messages() or "web, bare" in done.failed_messages()


def test_the_tasks_environment_has_the_credentials(emulator, run):
    """Not those of the process that runs the playbook."""
    task = {**LAYER, "environment": {"AWS_ACCESS_KEY_ID": "", "AWS_PROFILE": "nobody-has-this-profile"}}
    done = run(task)
    assert done.code != 0
    assert "nobody-has-this-profile" in done.failed_messages()


def test_what_is_vaulted_is_shown_nowhere(emulator, tmp_path):
    """Whatever it is called, with all the output there is, in check mode and in a run."""
    encrypted = VaultLib().encrypt("hunter2-and-more", secret=VaultSecret(b"pw")).decode()
    names = ("hosts.yml", "password", "playbook.yml", "plan.json")
    inventory, password, playbook, saved = (tmp_path / name for name in names)
    password.write_text("pw")
    container = {"name": "web", "image": "nginx", "memory": 128}
    container["environment"] = [{"name": "GREETING", "value": "{{ greeting }}"}]
    ecs = {"task_definitions": [{"family": "web", "definition": {"containerDefinitions": [container]}}]}
    variables = json.dumps({**SETTINGS, "ecs": ecs})[1:-1]
    vault = encrypted.strip().replace("\n", "\\n")
    inventory.write_text(
        f'{{"all": {{"hosts": {{"web": {{}}}}, "vars": {{{variables}, "greeting": !vault "{vault}"}}}}}}'
    )
    tasks = [{"dockyard.aws.plan": {"layers": ["ecs"]}}, {"dockyard.aws.ecs": None}]
    playbook.write_text(json.dumps([{"hosts": "all", "gather_facts": False, "tasks": tasks}]))
    for arguments in (["--check"], []):
        output = {"ANSIBLE_STDOUT_CALLBACK": "ansible.builtin.default"}
        options = ["--vault-password-file", str(password), "--diff", "-vvv", "-e", f"plan_file={saved}", *arguments]
        done = play(emulator, playbook, *options, inventory=inventory, environment=output)
        assert done.code == 0, done.text
        assert "ecs_task_definition/web" in done.text
        assert "hunter2" not in done.text
        assert "ecs_task_definition/web" in saved.read_text() and "hunter2" not in saved.read_text()
    made = emulator.client("ecs").describe_task_definition(taskDefinition="web")["taskDefinition"]
    assert made["containerDefinitions"][0]["environment"] == [{"name": "GREETING", "value": "hunter2-and-more"}]


def test_a_removal_of_a_part_deletes_nothing_else_of_a_greater_plan(emulator, run):
    both = {"vars": {"ecr": {"repositories": [{"name": "web"}, {"name": "other"}]}}, "hosts": "web"}
    assert run(PLAN, LAYER, **both).code == 0
    plan = {"dockyard.aws.plan": {"layers": ["ecr"], "state": "absent"}}
    part = {"layers": ["ecr"], "state": "absent", "destroy_only": ["ecr_repository/web"]}
    removed = run(plan, {"dockyard.aws.remove": part}, **both)
    assert removed.code == 0, removed.failed_messages()
    assert len(removed.plan()) == 2 and removed.done() == [("delete", "ecr_repository", "web")]
    rest = run(plan, {"dockyard.aws.remove": {"state": "absent"}}, **both)
    assert rest.done() == [("delete", "ecr_repository", "other")]
