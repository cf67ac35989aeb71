# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What real Terraform made of the lms environment is taken over untouched, and Terraform sees no difference."""

from __future__ import annotations

import shutil

import pytest
import yaml

from tests.emulator.client import Emulator
from tests.integration import terraform_stack
from tests.integration.playbooks import ROOT, play
from tests.integration.terraform_stack import APPLY_SECONDS, LmsStack

pytestmark = [terraform_stack.needed, pytest.mark.xdist_group("adoption-lms")]
INVENTORY = ROOT / "inventories" / "lms"
SITE = "playbooks/site.yml"
SITE_FILE = "host_vars/lms-front-end/static_site.yml"
OWN_TAGS = {"tags.dockyard:environment", "tags.dockyard:name"}
IGNORE_TAGS = 'ignore_tags {\n    key_prefixes = ["dockyard:"]\n  }'


def inventory(folder):
    """That of lms, but for the team's own tags, and for the website's files, which Terraform goes on publishing."""
    shutil.copytree(INVENTORY, folder)
    site = folder / SITE_FILE
    declared = yaml.safe_load(site.read_text())
    del declared["static_site"]["sites"][0]["files"]
    site.write_text(yaml.safe_dump(declared))
    everything = folder / "group_vars" / "all.yml"
    variables = yaml.safe_load(everything.read_text())
    variables["dockyard_tags"]["ManagedBy"] = "terraform"
    everything.write_text(yaml.safe_dump(variables))
    return folder / "hosts.yml"


class Adoption:
    """One Terraform run, then ours on what it made."""

    def __init__(self, emulator, folder):
        stack = folder / "stack"
        self.stack = LmsStack(stack, emulator.url)
        self.stack.init().apply(timeout=APPLY_SECONDS)
        hosts = inventory(folder / "inventory")
        imported = folder / "imported" / "lms"
        told = ("-e", f"import_from={self.stack.state}", "-e", f"import_to={imported}")
        self.imported = play(emulator, "playbooks/import.yml", *told, inventory="localhost,")
        untagged = ("-e", "dockyard_ownership_tags=false", "--check")
        self.imported_plan = play(emulator, SITE, *untagged, inventory=imported / "hosts.yml")
        emulator.reset_calls()
        self.untagged = play(emulator, SITE, *untagged, inventory=hosts)
        self.calls_untagged = emulator.calls()
        self.check = play(emulator, SITE, "--check", inventory=hosts)
        self.run = play(emulator, SITE, inventory=hosts)
        self.second = play(emulator, SITE, inventory=hosts)
        self.stack.provider(IGNORE_TAGS)
        self.terraform_after = self.stack.plan()
        shutil.copy(INVENTORY / SITE_FILE, hosts.parent / SITE_FILE)
        self.publishing = play(emulator, SITE, "--check", inventory=hosts)


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
    assert adoption.calls_untagged["mutating"] == 0


def test_what_is_imported_from_the_state_plans_to_nothing(adoption):
    assert adoption.imported.code == 0, adoption.imported.text
    report = next(result["report"] for _action, _host, result in adoption.imported.results if "report" in result)
    told = {name: report[name] for name in ("attributes", "changes", "secrets", "notes")}
    assert not any(told.values()), told
    assert [item["address"] for item in report["unmapped"]] == ["aws_s3_object.site"]
    assert adoption.imported_plan.code == 0, adoption.imported_plan.failed_messages()
    assert changes(adoption.imported_plan) == []


def test_the_plan_adopts_everything_and_changes_nothing_else(adoption):
    found = changes(adoption.check)
    assert {item["action"] for item in found} == {"adopt"}
    assert {difference["path"] for item in found for difference in item["differences"]} == OWN_TAGS
    kinds = {item["kind"] for item in found}
    assert {"security_group", "target_group", "ecs_service", "scalable_target", "s3_bucket"} <= kinds
    assert {"acm_certificate", "route53_zone", "listener"} <= kinds
    assert {"lms.example.org", "www.lms.example.org"} <= {item["name"] for item in found}


def test_the_run_does_what_the_plan_said_and_the_next_nothing(adoption):
    assert adoption.run.code == 0, adoption.run.failed_messages()
    assert sorted(adoption.run.done()) == sorted(adoption.check.plan())
    assert (changes(adoption.second), adoption.second.changed) == ([], 0)


def test_terraform_still_has_nothing_to_change(adoption):
    assert "No changes" in adoption.terraform_after


def test_publishing_the_same_files_uploads_none_of_them(adoption):
    """Only what was published is noted down, in an object that the bucket's policy then closes."""
    paths = {item["kind"]: [field["path"] for field in item["differences"]] for item in changes(adoption.publishing)}
    assert paths == {"s3_bucket_policy": ["Policy.Statement"], "s3_site_files": ["Manifest"]}
