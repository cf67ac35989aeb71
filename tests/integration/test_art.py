# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The art environment, whole, through the real ansible-playbook."""

from __future__ import annotations

import json

import pytest
import yaml

from tests.emulator.client import Emulator
from tests.integration.art import LAYERS
from tests.integration.playbooks import ROOT, play

pytestmark = pytest.mark.xdist_group("art")
SITE = "playbooks/site.yml"
IDLE_CALLS = 50
# What the state adds: seven memories, one listing, one batch of digests.
STATE_CALLS = 9
OF_THE_STATE = {("s3", "GetObject"), ("s3", "ListObjectsV2"), ("dynamodb", "BatchGetItem")}


class Art:
    """The environment as the first runs left it, with what they said and did."""

    def __init__(self, emulator):
        self.emulator = emulator
        self.check = play(emulator, SITE, "--check", "--diff")
        self.calls_of_check = emulator.calls()
        self.run = play(emulator, SITE)
        emulator.reset_calls()
        self.second = play(emulator, SITE)
        self.calls_of_second = emulator.calls()


@pytest.fixture(scope="module")
def art():
    with Emulator() as emulator:
        yield Art(emulator)


def test_the_plan_of_an_empty_account_stands_without_a_write(art):
    assert art.check.code == 0, art.check.text
    assert art.calls_of_check["mutating"] == 0
    kinds = {kind for _action, kind, _name in art.check.plan()}
    assert {"vpc", "ecr_repository", "ecs_service", "load_balancer", "auto_scaling_group", "s3_bucket"} <= kinds
    assert {action for action, _kind, _name in art.check.plan()} == {"create"}


def test_the_layers_in_check_mode_say_what_the_plan_says(art):
    assert sorted(art.check.done()) == sorted(art.check.plan())


def test_the_run_does_exactly_what_the_plan_said(art):
    assert art.run.code == 0, art.run.failed_messages()
    assert art.run.plan() == art.check.plan()
    assert sorted(art.run.done()) == sorted(art.check.plan())


def test_a_second_run_changes_nothing_and_writes_nothing(art):
    assert art.second.code == 0
    assert art.second.changed == 0
    assert art.second.plan() == []
    assert art.calls_of_second["mutating"] == 0


def test_a_second_run_makes_few_calls(art):
    calls = art.calls_of_second["calls"]
    of_the_state = sum(item["count"] for item in calls if (item["service"], item["action"]) in OF_THE_STATE)
    assert of_the_state <= STATE_CALLS, calls
    assert art.calls_of_second["total"] - of_the_state <= IDLE_CALLS, calls


def test_the_service_runs(art):
    ecs = art.emulator.client("ecs")
    service = ecs.describe_services(
        cluster="art-service-ecs-cluster", services=["art-service-sourcing-data-ecs-service"]
    )["services"][0]
    assert (service["desiredCount"], service["runningCount"]) == (1, 1)
    definition = ecs.describe_task_definition(taskDefinition=service["taskDefinition"])["taskDefinition"]
    container = definition["containerDefinitions"][0]
    assert container["name"] == "sourcing-data-service"
    assert (container["cpu"], container["memory"]) == (10, 500)
    assert container["portMappings"][0]["hostPort"] == 8082
    assert container["image"].endswith("/artservicesourcingdataservice:latest")


@pytest.mark.parametrize("layer", list(LAYERS))
def test_each_role_runs_alone_and_changes_nothing(art, layer):
    art.emulator.reset_calls()
    played = play(art.emulator, SITE, "--tags", layer)
    assert played.code == 0, played.failed_messages()
    assert played.changed == 0
    assert art.emulator.calls()["mutating"] == 0
    ran = {action for action, _host, _result in played.results}
    assert f"dockyard.aws.{layer}" in ran


@pytest.mark.parametrize("layer", list(LAYERS))
def test_each_role_runs_in_somebody_elses_playbook_without_the_plan_task(art, layer, tmp_path):
    playbook = tmp_path / "mine.yml"
    plays = [{"hosts": "all", "gather_facts": False, "roles": [f"dockyard.aws.{layer}"]}]
    playbook.write_text(yaml.safe_dump(plays))
    art.emulator.reset_calls()
    played = play(art.emulator, playbook)
    assert played.code == 0, played.failed_messages()
    assert played.changed == 0
    assert art.emulator.calls()["mutating"] == 0


def test_one_host_alone_changes_nothing(art):
    played = play(art.emulator, SITE, "--limit", "art-service-sourcing-data-service")
    assert played.code == 0, played.failed_messages()
    assert played.changed == 0


def test_another_account_stops_the_run_before_anything_else(art):
    art.emulator.reset_calls()
    played = play(art.emulator, SITE, "-e", "aws_account_id=999999999999")
    assert played.code != 0
    assert "aws_account_id: is 999999999999, but the credentials" in played.failed_messages()
    assert {item["action"] for item in art.emulator.calls()["calls"]} == {"GetCallerIdentity"}


def test_confirmation_that_is_not_given_changes_nothing(art):
    art.emulator.reset_calls()
    played = play(art.emulator, SITE, "-e", "confirm=true", "-e", json.dumps({"dockyard_tags": {"Project": "other"}}))
    assert played.code != 0
    assert "Nothing was changed" in played.failed_messages()
    assert art.emulator.calls()["mutating"] == 0


def test_the_ordinary_module_does_the_same_as_the_action(art, tmp_path):
    """Where a task is delegated to a machine with a way to AWS, the module itself runs there."""
    declared = yaml.safe_load(
        (ROOT / "inventories/art/host_vars/art-service-sourcing-data-service/ecr.yml").read_text()
    )
    playbook = tmp_path / "module.yml"
    task = {
        "ansible.builtin.include_role": {"name": "dockyard.aws.ecr"},
    }
    direct = {
        "dockyard.aws.ecr": {
            "declared": {"x": declared["ecr"]},
            "tags": {"Project": "art", "ManagedBy": "dockyard.aws"},
        }
    }
    playbook.write_text(yaml.safe_dump([{"hosts": "art", "gather_facts": False, "tasks": [task, direct]}]))
    played = play(art.emulator, playbook)
    assert played.code == 0, played.failed_messages()
    assert played.changed == 0


def test_destroy_wants_the_environments_name(art):
    art.emulator.reset_calls()
    played = play(
        art.emulator, "playbooks/destroy.yml", "-e", "destroy_environment=production", "--tags", "ecs,autoscaling"
    )
    assert played.code != 0
    assert "not the name of this environment" in played.failed_messages()
    assert art.emulator.calls()["mutating"] == 0


def test_destroy_without_hosts_is_an_error(art):
    played = play(art.emulator, "playbooks/destroy.yml", "-e", "destroy_environment=art", inventory="/dev/null")
    assert played.code != 0
    assert "No host matches" in played.failed_messages()
