# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What real Terraform made of the art environment is taken over untouched, and Terraform sees no difference."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.emulator.client import Emulator
from tests.integration import art, terraform_stack
from tests.integration.playbooks import ROOT, play
from tests.integration.terraform_stack import APPLY_SECONDS, ArtStack

pytestmark = [terraform_stack.needed, pytest.mark.xdist_group("adoption")]
SITE, IMPORT = "playbooks/site.yml", "playbooks/import.yml"
UNTAGGED = ("-e", "dockyard_ownership_tags=false")
OWN_TAGS = {"tags.dockyard:environment", "tags.dockyard:name"}
IGNORE_TAGS = 'ignore_tags {\n    key_prefixes = ["dockyard:"]\n  }'


def inventory(folder):
    """That of art, but for what this version of the AWS provider cannot say, and for the team's own tags."""
    shutil.copytree(art.INVENTORY, folder)
    everything = folder / "group_vars" / "all.yml"
    variables = yaml.safe_load(everything.read_text())
    variables["dockyard_tags"]["ManagedBy"] = "terraform"
    everything.write_text(yaml.safe_dump(variables))
    ecr = folder / "host_vars" / art.SERVICE / "ecr.yml"
    declared = yaml.safe_load(ecr.read_text())
    repository = declared["ecr"]["repositories"][0]
    del repository["image_tag_mutability_exclusion_filters"]
    repository["image_tag_mutability"] = "MUTABLE"
    ecr.write_text(yaml.safe_dump(declared))
    return folder / "hosts.yml"


class Adoption:
    """One Terraform run, then ours on what it made, in the order in which a team would do it."""

    def __init__(self, emulator, folder):
        self.stack = ArtStack(folder / "stack", emulator.url)
        self.stack.init().apply(timeout=APPLY_SECONDS)
        hosts = inventory(folder / "inventory")
        emulator.reset_calls()
        self.untagged = play(emulator, SITE, *UNTAGGED, inventory=hosts)
        self.calls_untagged = emulator.calls()
        self.imported = folder / "imported" / "art"
        told = ("-e", f"import_from={self.stack.state}", "-e", f"import_to={self.imported}")
        self.imports = [play(emulator, IMPORT, *told, *more, inventory="localhost,") for more in (["--check"], [], [])]
        self.validated = play(emulator, "playbooks/validate.yml", inventory=self.imported / "hosts.yml")
        self.imported_plan = play(emulator, SITE, *UNTAGGED, "--check", inventory=self.imported / "hosts.yml")
        self.refused = play(emulator, SITE, "-e", "dockyard_adopt=false", inventory=hosts)
        self.check = play(emulator, SITE, "--check", inventory=hosts)
        self.terraform_before = self.stack.plan()
        self.run = play(emulator, SITE, inventory=hosts)
        self.second = play(emulator, SITE, inventory=hosts)
        self.stack.provider(IGNORE_TAGS)
        self.terraform_after = self.stack.plan()
        blocks = self.imported / "files" / "terraform" / "terraform"
        self.let_go = self.stack.let_go(blocks / "removed.tf")
        self.third = play(emulator, SITE, "--check", inventory=hosts)
        self.back = self.stack.plan_to_take_back(blocks / "import.tf")


@pytest.fixture(scope="module")
def adoption(tmp_path_factory):
    with Emulator() as emulator:
        yield Adoption(emulator, tmp_path_factory.mktemp("adoption"))


def changes(played):
    plans = [result for action, _host, result in played.results if action == "dockyard.aws.plan"]
    return plans[0]["changes"]


def test_without_ownership_tags_there_is_nothing_to_do(adoption):
    assert adoption.untagged.code == 0, adoption.untagged.text
    assert changes(adoption.untagged) == []
    written = {item["action"] for item in adoption.calls_untagged["calls"] if item["mutating"]}
    # What art remembers of itself, with the locks and digests.
    assert written <= {"PutObject", "PutItem", "UpdateItem", "DeleteItem"}


def test_what_is_imported_from_the_state_plans_to_nothing(adoption):
    assert [played.code for played in adoption.imports] == [0, 0, 0], adoption.imports[0].text
    assert [played.changed for played in adoption.imports] == [1, 1, 0]
    report = next(result["report"] for _action, _host, result in adoption.imports[1].results if "report" in result)
    assert {name: report[name] for name in ("unmapped", "attributes", "changes", "secrets", "notes")} == {
        "unmapped": [],
        "attributes": [],
        "changes": [],
        "secrets": [],
        "notes": [],
    }
    assert adoption.imported_plan.code == 0, adoption.imported_plan.failed_messages()
    assert changes(adoption.imported_plan) == []


def test_what_is_imported_is_as_people_write_it(adoption):
    assert adoption.validated.code == 0, adoption.validated.failed_messages()
    tools = Path(sys.executable).parent
    for command in (
        [sys.executable, "scripts/format.py", "--check", adoption.imported],
        [tools / "yamllint", "--strict", "-c", ".yamllint", adoption.imported],
    ):
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


def test_adoption_can_be_refused_for_everything(adoption):
    assert adoption.refused.code != 0
    said = adoption.refused.failed_messages()
    adopted = [item for item in changes(adoption.check) if item["action"] == "adopt"]
    assert said.count("adoption is refused (dockyard_adopt: false)") == len(adopted)
    assert "art: network.vpc: VPC 'art' exists, is not tagged as this environment's" in said


def test_the_plan_adopts_everything_and_changes_nothing_else(adoption):
    assert {item["action"] for item in changes(adoption.check)} == {"adopt"}
    assert {item["reason"] for item in changes(adoption.check)} == {"adoption"}
    paths = {difference["path"] for item in changes(adoption.check) for difference in item["differences"]}
    assert paths == OWN_TAGS
    kinds = {item["kind"] for item in changes(adoption.check)}
    assert {"vpc", "security_group", "target_group", "listener_rule", "ecs_service", "s3_bucket"} <= kinds


def test_the_run_does_what_the_plan_said_and_the_next_nothing(adoption):
    assert adoption.run.code == 0, adoption.run.failed_messages()
    assert sorted(adoption.run.done()) == sorted(adoption.check.plan())
    assert changes(adoption.second) == []
    assert adoption.second.changed == 0


def test_terraform_still_has_nothing_to_change(adoption):
    """Where there are our tags, its provider is told to ignore them."""
    assert "No changes" in adoption.terraform_before
    assert "No changes" in adoption.terraform_after


def test_terraform_lets_go_with_the_removed_blocks(adoption):
    assert "Resources: 0 added, 0 changed, 0 destroyed." in adoption.let_go
    assert adoption.let_go.splitlines()[-1] == "data.aws_caller_identity.current"
    assert changes(adoption.third) == []


def test_terraform_takes_everything_back_with_the_import_blocks(adoption):
    """What its state forgot is imported again; two resources have settings of Terraform's own that no import reads."""
    assert "Plan: 66 to import, 0 to add, 2 to change, 0 to destroy." in adoption.back
    of_terraform = {
        *("force_delete", "force_delete_warm_pool", "ignore_failed_scaling_activities", "wait_for_capacity_timeout"),
        *("default_version", "update_default_version"),
    }
    assert set(re.findall(r"^ {6}[+~-] (\w+) +=", adoption.back, re.MULTILINE)) == of_terraform
