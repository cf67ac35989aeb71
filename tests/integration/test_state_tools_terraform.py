# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What state.yml does to documents of Terraform, and what Terraform makes of documents that it restored or moved."""

from __future__ import annotations

import json

import pytest

from ansible_collections.dockyard.aws.plugins.module_utils.layers.state_actions import run as state_actions
from ansible_collections.dockyard.aws.plugins.module_utils.state.paths import Paths
from tests.integration import art, terraform
from tests.integration.state_helpers import BUCKET, KEY, TABLE, make
from tests.integration.terraform import Terraform, backend, s3_settings

pytestmark = terraform.needed

PATHS = Paths()
SETTING = {"bucket": BUCKET, "lock_table": TABLE}
ART = {"bucket": "art-service-terraform-state", "lock_table": "art-service-terraform-locks"}
ECR = {"ecr": {"a": {"repositories": [{"name": "alpha"}]}}}


@pytest.fixture
def act(runner, tmp_path):
    def run(action, **options):
        defaults = {name: option.get("default") for name, option in state_actions.ARGUMENT_SPEC.items()}
        given = {"environment_name": "test", "region": "us-east-1", "endpoint_url": runner.emulator.url}
        given |= {"base_dir": str(tmp_path), "remote_state": SETTING}
        return state_actions.run({**defaults, **given, "action": action, **options}, False, runner.progress.append)

    return run


def stack(emulator, value):
    return backend(emulator.url, "dynamodb") + (
        f'resource "terraform_data" "x" {{\n  input = "{value}"\n}}\n'
        f'output "x" {{\n  value = terraform_data.x.output\n}}\n'
        f'output "secret" {{\n  value = "hunter-{value}"\n  sensitive = true\n}}\n'
    )


def test_terraform_goes_on_from_its_own_state_as_restored_here(act, emulator, tmp_path):
    make(emulator)
    theirs = Terraform(tmp_path / "tf", stack(emulator, "one")).init()
    theirs.apply()
    theirs.configure(stack(emulator, "two"))
    theirs.apply()
    shown, found = act("show", key=KEY), act("diff", key=KEY)
    assert [item["address"] for item in shown["resources"]] == ["terraform_data.x"]
    assert shown["outputs"]["x"]["value"] == "two" and "hunter" not in json.dumps([shown, found])
    changed = {f"{item['kind']}/{item['name']}" for item in found["differences"]}
    assert changed == {"terraform/terraform_data.x", "output/x", "output/secret"}
    before = act("history", key=KEY)["versions"]
    oldest = next(item["version"] for item in reversed(before) if item["outputs"])
    done = act("restore", key=KEY, version=oldest)
    pulled = json.loads(theirs.run("state", "pull"))
    assert (pulled["serial"], pulled["lineage"]) == (before[0]["serial"] + 1, before[0]["lineage"])
    assert pulled["outputs"]["x"]["value"] == "one" and done["serial"] == pulled["serial"]
    assert "1 to change" in theirs.run("plan", "-no-color")
    theirs.apply()
    assert theirs.outputs()["x"] == "two"


def test_terraform_reads_what_was_migrated(act, runner, emulator, tmp_path):
    runner.make(art.declared("state_bucket"))
    runner.make(ECR, base_dir=str(tmp_path), remote_state=ART)
    make(emulator)
    act("migrate", remote_state=ART, migrate_to=SETTING, migrate_delete_source=True)
    config = s3_settings(emulator.url, PATHS.outputs("ecr", "a"))
    reader = Terraform(
        tmp_path / "reader",
        f'data "terraform_remote_state" "ours" {{\n backend = "s3"\n config = {{ {config} }}\n}}\n'
        'output "arn" {\n value = data.terraform_remote_state.ours.outputs.ecr_repository.alpha.arn\n}\n',
    ).init()
    reader.apply()
    assert reader.outputs()["arn"].endswith(":repository/alpha")
    memory = Terraform(tmp_path / "memory", backend(emulator.url, "dynamodb", PATHS.memory("ecr"))).init()
    assert json.loads(memory.run("state", "pull"))["serial"] == 2
