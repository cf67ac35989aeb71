# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Saved plans: carried out as they are, refused where anything has moved since."""

from __future__ import annotations

import copy
import json
import os
import shutil

import pytest
import yaml

from ansible_collections.dockyard.aws.plugins.module_utils.layers import plan_file, saved_plan
from ansible_collections.dockyard.aws.plugins.module_utils.layers import run as running
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.errors import PlanError, PlanMoved
from tests.integration import art
from tests.integration.playbooks import ROOT, play

SITE = "playbooks/site.yml"
SERVICE = "art-service-sourcing-data-service"
STATE = {"bucket": "art-service-terraform-state", "lock_table": "art-service-terraform-locks", "lock_timeout": 5}
REPOSITORIES = ("changed", "kept", "made", "taken")
ECR = {"ecr": {"web": {"repositories": [{"name": name, "image_tag_mutability": "MUTABLE"} for name in REPOSITORIES]}}}
WANTED = copy.deepcopy(ECR)
WANTED["ecr"]["web"]["repositories"][0]["image_tag_mutability"] = "IMMUTABLE"


@pytest.fixture
def path(tmp_path):
    return tmp_path / "plan.json"


@pytest.fixture
def runs(runner, path):
    """Saving a plan, following it, and carrying it out, as plan task and layers do."""

    class Runs:
        def check(self, declared, **options):
            return self._plan(declared, True, **options)

        def follow(self, declared, **options):
            return self._plan(declared, False, **options)

        def run(self, declared, **options):
            planned = self.follow(declared, **options)
            done = []
            for layer in planned.layers:
                answer = running.carry_out(planned, layer, planned.hosts, runner.progress.append)
                assert answer["failures"] == {}
                done += answer["changes"]
            removed = running.remove(planned, planned.hosts, runner.progress.append)
            assert removed["failures"] == {}
            return done + removed["changes"]

        @staticmethod
        def _plan(declared, check_mode, **options):
            params = runner.params(declared, **{"plan_file": str(path), "strict": False, "prune": False, **options})
            return saved_plan.plan(params, check_mode, runner.progress.append)

    return Runs()


@pytest.fixture
def ecr(runner, emulator):
    """Two of the four repositories as declared, one still to be changed, one without the ownership tag."""
    client = emulator.client("ecr")
    declared = copy.deepcopy(ECR)
    declared["ecr"]["web"]["repositories"] = [
        item for item in declared["ecr"]["web"]["repositories"] if item["name"] in ("changed", "kept")
    ]
    runner.make(declared)
    client.create_repository(repositoryName="taken")
    emulator.reset_calls()
    return client


def writes(emulator):
    return [item for item in emulator.calls()["calls"] if item["mutating"]]


def untag(client, name):
    repository = client.describe_repositories(repositoryNames=[name])["repositories"][0]
    client.untag_resource(resourceArn=repository["repositoryArn"], tagKeys=["dockyard:environment"])


def test_a_plan_of_every_layer_is_carried_out_as_it_was_saved_elsewhere(runs, runner, tmp_path, path):
    """On another machine the inventory lies in another folder. The state is in the bucket that the run makes."""
    here, there = (
        {"base_dir": str(shutil.copytree(art.INVENTORY, tmp_path / name)), "remote_state": STATE}
        for name in ("here", "there")
    )
    runs.check(art.declared(), **here)
    saved = json.loads(path.read_text())
    done = runs.run(art.declared(), **there)
    assert {(item["action"], item["kind"], item["name"]) for item in done} == {
        (item["action"], item["kind"], item["name"]) for item in saved["changes"]
    }
    runs.check(art.declared(), **here)
    assert json.loads(path.read_text())["status"] == "unchanged"
    runner.emulator.reset_calls()
    assert runs.run(art.declared(), **there) == []
    assert writes(runner.emulator) == []
    elsewhere = {**here, "remote_state": {**STATE, "prefix": "other"}}
    with pytest.raises(
        plan_file.PlanFileError, match=r"dockyard_remote_state.prefix: planned with \(none\), now other"
    ):
        runs.follow(art.declared(), **elsewhere)


def test_a_replacement_with_its_consequences_is_followed(runs, runner, path):
    """Also where what is replaced has an old copy, which goes in the same run."""
    options = {"base_dir": str(art.INVENTORY)}
    runner.make(art.declared(), **options)
    wanted = art.changed("alb", SERVICE, "target_groups.0.protocol", "HTTPS")
    runs.check(wanted, **options)
    saved = json.loads(path.read_text())
    assert saved["counts"]["replace"] == 1
    replaced = next(item for item in saved["changes"] if item["action"] == "replace")
    assert replaced["kind"] == "target_group" and replaced["id"].startswith("arn:")
    done = runs.run(wanted, **options)
    assert sorted(item["name"] for item in done) == sorted(item["name"] for item in saved["changes"])


def test_another_thing_of_the_same_name_is_not_destroyed(runs, ecr, emulator, path):
    """A VPC of the same name and tags has taken the place of the one that was planned to go."""
    made = {"network": {"web": {"vpc": {"name": "test", "cidr_block": "10.0.0.0/16"}}}}
    runs.check(made)
    runs.run(made)
    runs.check(made, state="absent")
    ec2 = emulator.client("ec2")
    planned = next(item for item in json.loads(path.read_text())["changes"] if item["kind"] == "vpc")["id"]
    tags = ec2.describe_vpcs(VpcIds=[planned])["Vpcs"][0]["Tags"]
    ec2.delete_vpc(VpcId=planned)
    other = ec2.create_vpc(CidrBlock="10.0.0.0/16", TagSpecifications=[{"ResourceType": "vpc", "Tags": tags}])
    with pytest.raises(plan_file.PlanFileError, match=f"id was {planned} when planned, now {other['Vpc']['VpcId']}"):
        runs.follow(made, state="absent")


def test_creations_updates_and_adoptions_are_counted_and_carried_out(runs, ecr, path):
    runs.check(WANTED)
    saved = json.loads(path.read_text())
    assert saved["status"] == "changes"
    assert saved["counts"] == {"create": 1, "update": 1, "adopt": 1, "replace": 0, "delete": 0, "unchanged": 1}
    assert sorted((item["action"], item["name"]) for item in runs.run(WANTED)) == [
        ("adopt", "taken"),
        ("create", "made"),
        ("update", "changed"),
    ]


def test_a_plan_is_carried_out_once(runs, ecr, emulator):
    runs.check(WANTED)
    runs.run(WANTED)
    emulator.reset_calls()
    with pytest.raises(plan_file.PlanFileError, match="nothing of it is left to do: it was carried out"):
        runs.follow(WANTED)
    assert writes(emulator) == []


@pytest.mark.parametrize(
    ("behind", "said"),
    [
        (
            lambda ecr: ecr.delete_repository(repositoryName="kept"),
            "ecr_repository/kept: nothing planned, now create",
        ),
        (
            lambda ecr: ecr.put_image_tag_mutability(repositoryName="kept", imageTagMutability="IMMUTABLE"),
            "ecr_repository/kept: nothing planned, now update (imageTagMutability IMMUTABLE → MUTABLE)",
        ),
        (
            lambda ecr: ecr.put_image_tag_mutability(repositoryName="changed", imageTagMutability="IMMUTABLE"),
            "ecr_repository/changed: planned update (imageTagMutability MUTABLE → IMMUTABLE), now nothing to do",
        ),
        (
            lambda ecr: ecr.delete_repository(repositoryName="changed"),
            "ecr_repository/changed: planned update (imageTagMutability MUTABLE → IMMUTABLE), now create",
        ),
        (
            lambda ecr: ecr.create_repository(repositoryName="made"),
            "ecr_repository/made: planned create, now adopt (",
        ),
        (lambda ecr: untag(ecr, "kept"), "ecr_repository/kept: nothing planned, now adopt "),
        (lambda ecr: ecr.delete_repository(repositoryName="taken"), "ecr_repository/taken: planned adopt "),
    ],
)
def test_what_moved_in_aws_is_said_and_nothing_is_written(runs, ecr, emulator, behind, said):
    runs.check(WANTED)
    behind(ecr)
    emulator.reset_calls()
    with pytest.raises(plan_file.PlanFileError) as refused:
        runs.follow(WANTED)
    lines = str(refused.value).splitlines()
    assert lines[1].startswith(f"  - {said}") and len(lines) == 3, lines
    assert writes(emulator) == []


def declared(which, **values):
    """What is wanted, with one repository declared differently, or no more."""
    found = copy.deepcopy(WANTED)
    repositories = found["ecr"]["web"]["repositories"]
    changed = [{**item, **values} if item["name"] == which else item for item in repositories]
    repositories[:] = changed if values else [item for item in repositories if item["name"] != which]
    return found


@pytest.mark.parametrize(
    ("now", "said"),
    [
        (declared("kept", scan_on_push=False), "web declares ecr_repository/kept differently"),
        (declared("kept", force_delete=True), "web declares ecr_repository/kept differently"),
        (declared("kept", tags={"Team": "two"}), "web declares ecr_repository/kept differently"),
        (declared("kept"), "web declares ecr_repository/kept no more"),
        (declared("kept", name="new"), "web declares ecr_repository/new, which it did not when planned"),
    ],
)
def test_what_moved_in_the_inventory_is_said_and_nothing_is_written(runs, ecr, emulator, now, said):
    runs.check(WANTED)
    with pytest.raises(plan_file.PlanFileError, match=f"  - inventory: {said}"):
        runs.follow(now)
    assert writes(emulator) == []


@pytest.fixture
def remembered(runner, tmp_path):
    """All repositories made and recorded."""
    runner.make(art.declared("state_bucket"))
    options = {"base_dir": str(tmp_path), "remote_state": STATE, "whole_inventory": True}
    runner.make(ECR, **options)
    return options


def test_what_is_to_be_pruned_is_in_the_file(runs, remembered, emulator, path):
    fewer = copy.deepcopy(ECR)
    del fewer["ecr"]["web"]["repositories"][1]
    runs.check(fewer, **remembered)
    saved = json.loads(path.read_text())
    assert (saved["status"], saved["counts"]["delete"]) == ("unchanged", 0)
    assert [(item["action"], item["name"], item["reason"]) for item in saved["would_remove"]] == [
        ("delete", "kept", "prune")
    ]
    with pytest.raises(plan_file.PlanFileError, match="prune: planned with false, now true"):
        runs.follow(fewer, prune=True, **remembered)
    runs.check(fewer, prune=True, **remembered)
    saved = json.loads(path.read_text())
    assert (saved["status"], saved["counts"]["delete"], saved["would_remove"]) == ("changes", 1, [])
    with pytest.raises(plan_file.PlanFileError, match="prune: planned with true, now false"):
        runs.follow(fewer, **remembered)
    emulator.reset_calls()
    with pytest.raises(plan_file.PlanFileError) as refused:
        runs.follow(declared("made"), prune=True, **remembered)
    assert "inventory: web declares ecr_repository/made no more" in str(refused.value)
    assert "ecr_repository/made: nothing planned, now delete" in str(refused.value)
    assert writes(emulator) == []
    assert [(item["action"], item["name"]) for item in runs.run(fewer, prune=True, **remembered)] == [
        ("delete", "kept")
    ]
    with pytest.raises(plan_file.PlanFileError, match="nothing of it is left to do"):
        runs.follow(fewer, prune=True, **remembered)


def test_what_is_shown_for_removal_moves_too(runs, remembered, emulator):
    fewer = copy.deepcopy(ECR)
    del fewer["ecr"]["web"]["repositories"][1]
    runs.check(fewer, **remembered)
    emulator.client("ecr").delete_repository(repositoryName="kept")
    with pytest.raises(plan_file.PlanFileError, match="ecr_repository/kept: shown as removable when planned, now not"):
        runs.follow(fewer, **remembered)


def test_a_removal_stops_where_aws_moves_after_the_comparison(runs, remembered, emulator, runner):
    runs.check(ECR, state="absent", **remembered)
    planned = runs.follow(ECR, state="absent", **remembered)
    emulator.client("ecr").delete_repository(repositoryName="kept")
    emulator.reset_calls()
    with pytest.raises(PlanMoved, match="ecr_repository/kept: planned delete"):
        running.remove(planned, planned.hosts, runner.progress.append)
    assert [item for item in writes(emulator) if item["service"] == "ecr"] == []


def test_what_moves_after_the_comparison_stops_the_layer(runs, ecr, emulator, runner):
    runs.check(WANTED)
    planned = runs.follow(WANTED)
    ecr.delete_repository(repositoryName="changed")
    emulator.reset_calls()
    with pytest.raises(PlanMoved, match="nothing was written:\n  - ecr_repository/changed: planned update"):
        running.carry_out(planned, "ecr", planned.hosts, runner.progress.append)
    assert writes(emulator) == []


def test_another_environments_file_is_refused(runs, runner, path):
    runs.check(WANTED)
    with pytest.raises(plan_file.PlanFileError, match="dockyard_environment: planned for test, this run is for prod"):
        runs.follow(WANTED, environment_name="prod")


def test_a_plan_may_be_refused_and_saved_again(runs, ecr, path):
    runs.check(WANTED)
    first = json.loads(path.read_text())
    ecr.delete_repository(repositoryName="kept")
    runs.check(WANTED)
    second = json.loads(path.read_text())
    assert (first["counts"]["create"], second["counts"]["create"]) == (1, 2)
    assert len(runs.run(WANTED)) == 4


def test_no_plan_is_saved_where_planning_fails(runs, runner, path):
    with pytest.raises(PlanError):
        runs.check({"ecr": {"web": {"repositories": [{"name": "UPPER"}]}}})
    assert not path.exists()


@pytest.fixture
def inventory(tmp_path):
    return shutil.copytree(art.INVENTORY, tmp_path / "art")


def site(emulator, inventory, path, *arguments):
    return play(emulator, SITE, "--tags", "ecr", "-e", f"plan_file={path}", *arguments, inventory=inventory)


def test_the_playbook_saves_and_follows(emulator, inventory, path):
    """With a path that is relative to where ansible-playbook is started."""
    relative = os.path.relpath(path, ROOT)
    checked = site(emulator, inventory, relative, "--check")
    assert checked.code == 0, checked.failed_messages()
    assert (
        f"Saved in {relative}. The same command without --check carries out exactly this, or nothing." in checked.text
    )
    result = next(result for action, _host, result in checked.results if action == "dockyard.aws.plan")
    saved = json.loads(path.read_text())
    assert (result["status"], result["counts"]) == (saved["status"], saved["counts"]) == ("changes", saved["counts"])
    assert result["plan_file"] == {"path": relative, "made_at": saved["made_at"], "use": "saved"}
    limited = site(emulator, inventory, relative, "--limit", "art")
    assert f"hosts: planned with {SERVICE} (select the same with --limit)" in limited.failed_messages()
    more = play(emulator, SITE, "--tags", "ecr,iam", "-e", f"plan_file={relative}", inventory=inventory)
    assert "layers: planned without iam" in more.failed_messages()
    assert writes(emulator) == []
    done = site(emulator, inventory, relative)
    assert done.code == 0, done.failed_messages()
    assert done.done() == checked.plan() != []
    assert f"As saved in {relative} at {saved['made_at']}." in done.text
    again = site(emulator, inventory, relative)
    assert again.code == 2
    assert "nothing of it is left to do: it was carried out already" in again.failed_messages()


def test_the_playbook_saves_why_there_is_no_plan(emulator, inventory, path):
    assert site(emulator, inventory, path, "--check").code == 0
    variables = inventory / "host_vars" / SERVICE / "ecr.yml"
    variables.write_text(yaml.safe_dump({"ecr": {"repositories": [{"name": "UPPER"}, {"nam": "x"}]}}))
    failed = site(emulator, inventory, path, "--check")
    assert failed.code == 2
    saved = json.loads(path.read_text())
    assert saved["status"] == "error" and saved["changes"] == []
    assert all(message.startswith(f"{SERVICE}: ecr") and "ecr.yml:1" in message for message in saved["messages"])
    refused = site(emulator, inventory, path)
    assert (
        f"plan_file: {path} holds no plan, because planning failed at {saved['made_at']}" in refused.failed_messages()
    )
    assert writes(emulator) == []


@pytest.mark.parametrize("arguments", [[], ["--check"]])
def test_without_the_plan_task_there_is_no_run_with_a_file(emulator, inventory, path, tmp_path, arguments):
    playbook = tmp_path / "mine.yml"
    playbook.write_text(yaml.safe_dump([{"hosts": "all", "gather_facts": False, "roles": ["dockyard.aws.ecr"]}]))
    refused = play(emulator, playbook, "-e", f"plan_file={path}", *arguments, inventory=inventory)
    assert refused.code == 2
    assert (
        "plan_file is given, and dockyard.aws.ecr would make a plan of its own here. It did nothing."
        in refused.failed_messages()
    )
    assert emulator.calls()["total"] == 0


def test_what_the_saved_plan_does_not_cover_is_not_carried_out(emulator, inventory, path, tmp_path):
    """The file is named by the task, and a role comes with other options than were planned."""
    tasks = [
        {"dockyard.aws.plan": {"plan_file": str(path), "layers": ["ecr"]}},
        {"dockyard.aws.ecr": {"tags": {"Other": "tag"}}},
    ]
    playbook = tmp_path / "mine.yml"
    playbook.write_text(yaml.safe_dump([{"hosts": "all", "gather_facts": False, "tasks": tasks}]))
    refused = play(emulator, playbook, "--check", inventory=inventory)
    assert path.exists()
    assert (
        "plan_file is given, and dockyard.aws.ecr would make a plan of its own here. It did nothing."
        in refused.failed_messages()
    )


def test_a_plan_of_destruction_is_saved_and_followed(emulator, inventory, path):
    def destroy(*arguments):
        options = ("--tags", "ecr", "-e", f"plan_file={path}", "-e", "destroy_environment=art")
        return play(emulator, "playbooks/destroy.yml", *options, *arguments, inventory=inventory)

    made = play(emulator, SITE, "--tags", "ecr", inventory=inventory)
    assert made.code == 0, made.failed_messages()
    assert destroy("--check").code == 0
    assert json.loads(path.read_text())["counts"]["delete"] == 1
    refused = site(emulator, inventory, path)
    assert "state: planned with absent, now present" in refused.failed_messages()
    destroyed = destroy()
    assert destroyed.code == 0, destroyed.failed_messages()
    assert destroyed.done() == [("delete", "ecr_repository", "artservicesourcingdataservice")]


def test_nothing_is_removed_without_the_plan_task(emulator, inventory, path, tmp_path):
    playbook = tmp_path / "mine.yml"
    tasks = [{"dockyard.aws.remove": {"state": "absent"}}]
    playbook.write_text(yaml.safe_dump([{"hosts": "all", "gather_facts": False, "tasks": tasks}]))
    refused = play(emulator, playbook, "-e", f"plan_file={path}", inventory=inventory)
    assert "plan_file is given, and dockyard.aws.remove would make a plan of its own here." in refused.failed_messages()
    assert emulator.calls()["total"] == 0
