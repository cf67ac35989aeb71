# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The modules that render and register one task definition."""

from __future__ import annotations

import json
import sys

import pytest

from ansible_collections.dockyard.aws.plugins.module_utils.layers.task_definition_modules import (
    RENDER_ARGUMENT_SPEC,
    run_register,
    run_render,
)
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.errors import ReconcileError
from ansible_collections.dockyard.aws.plugins.module_utils.task_definition.sensitive import secrets_in
from tests.integration.playbooks import play

CONTAINERS = [{"name": "web", "image": "web:1", "memory": 64, "environment": [{"name": "MODE", "value": "a"}]}]
DEFINITION = {"family": "web", "containerDefinitions": CONTAINERS}


def params(emulator=None, **given):
    known = {name: option.get("default") for name, option in RENDER_ARGUMENT_SPEC.items()}
    keys = {"access_key": "test", "secret_key": "test", "region": "us-east-1"}
    return {**known, **(keys | {"endpoint_url": emulator.url} if emulator else {}), **given}


def test_a_bare_list_is_rendered_without_a_call_to_aws():
    result = run_render(params(definition=CONTAINERS, family="web", containers={"web": {"image": "web:2"}}))
    assert result["task_definition"]["containerDefinitions"][0]["image"] == "web:2"
    assert not result["changed"]


def test_a_file_is_written_only_when_it_differs(tmp_path):
    dest = tmp_path / "out.json"
    first = run_render(params(definition=DEFINITION, dest=str(dest)))
    assert first["changed"] and not dest.exists()
    dest.write_text(first["text"])
    assert json.loads(first["text"]) == DEFINITION
    assert not run_render(params(definition=DEFINITION, dest=str(dest)))["changed"]


def test_the_diff_of_the_file_shows_no_secret(tmp_path):
    secret = {"web": {"environment": {"DB_PASSWORD": "hunter2"}}}
    result = run_render(params(definition=DEFINITION, containers=secret, dest=str(tmp_path / "out.json")))
    assert "hunter2" in result["text"] and "hunter2" not in str(result["diff"])


def test_secrets_in_overrides_are_found_whatever_their_form():
    containers = {
        "web": {
            "environment": {"DB_PASSWORD": "hunter1", "MODE": "a", "N": 1},
            "log_options": {"splunk-token": "hunter2"},
            "definition": {"environment": [{"name": "API_KEY", "value": "hunter3"}]},
            "command": ["run", "--password", "hunter4"],
        }
    }
    assert sorted(secrets_in([None, containers])) == ["hunter1", "hunter2", "hunter3", "hunter4"]


def test_secrets_in_overrides_are_not_in_what_ansible_prints_of_the_call(emulator, tmp_path):
    playbook = tmp_path / "register.yml"
    given = params(emulator, definition=DEFINITION, containers={"web": {"environment": {"DB_PASSWORD": "hunter2"}}})
    task = {name: value for name, value in given.items() if value is not None}
    one = {"hosts": "localhost", "gather_facts": False, "tasks": [{"dockyard.aws.task_definition": task}]}
    playbook.write_text(json.dumps([one]))
    readable = {"ANSIBLE_STDOUT_CALLBACK": "default"}
    local = ("-c", "local", "-e", f"ansible_python_interpreter={sys.executable}", "--diff", "-vvv")
    text = play(emulator, playbook, *local, inventory="localhost,", environment=readable).text
    assert "changed=1" in text and "DB_PASSWORD" in text and "hunter2" not in text


def test_all_problems_are_told_at_once_with_their_paths():
    bad = [{"name": "web", "image": "", "memory": 2, "cpu": "many"}]
    with pytest.raises(ReconcileError) as found:
        run_render(params(definition=bad, family="web", launch_types=["FARGATE"]))
    text = str(found.value)
    assert "containerDefinitions[web].cpu" in text and "containerDefinitions[web].memory" in text
    assert "executionRoleArn" in text or "cpu: is required on Fargate" in text


def test_a_family_that_aws_does_not_have_is_an_error(emulator):
    with pytest.raises(ReconcileError, match="AWS has no active task definition 'web'"):
        run_render(params(emulator, from_family="web"))


def test_registering_twice_makes_one_revision(emulator):
    first = run_register(params(emulator, definition=DEFINITION), False)
    assert (first["changed"], first["revision"]) == (True, 1)
    emulator.reset_calls()
    second = run_register(params(emulator, definition=DEFINITION), False)
    assert (second["changed"], second["revision"], second["differences"]) == (False, 1, [])
    assert emulator.calls()["mutating"] == 0


def test_check_mode_says_why_and_registers_nothing(emulator):
    run_register(params(emulator, definition=DEFINITION), False)
    emulator.reset_calls()
    changed = {"web": {"image": "web:2", "environment": {"MODE": None}}}
    result = run_register(params(emulator, from_family="web", containers=changed), True)
    assert result["registers"] and result["revision"] == 1
    assert [item["path"] for item in result["differences"]] == [
        "containerDefinitions[web].environment[MODE]",
        "containerDefinitions[web].image",
    ]
    assert emulator.calls()["mutating"] == 0


def test_tags_of_the_family_are_kept_and_new_tags_alone_make_no_revision(emulator):
    run_register(params(emulator, definition=DEFINITION, tags={"Team": "a"}), False)
    tagged = run_register(params(emulator, definition=DEFINITION, tags={"Cost": "1"}), False)
    assert (tagged["changed"], tagged["registers"], tagged["revision"]) == (True, False, 1)
    made = run_register(params(emulator, definition=DEFINITION, containers={"web": {"image": "web:2"}}), False)
    labels = emulator.client("ecs").list_tags_for_resource(resourceArn=made["task_definition_arn"])["tags"]
    assert {tag["key"]: tag["value"] for tag in labels} == {"Team": "a", "Cost": "1"}
