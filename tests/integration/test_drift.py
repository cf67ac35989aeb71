# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Drift in art: what is changed behind the collection's back is told, and nothing else is."""

from __future__ import annotations

import json
import shutil
from typing import Any
from xml.etree import ElementTree

import pytest
import yaml

from ansible_collections.dockyard.aws.plugins.module_utils.layers import drift_run
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.errors import PlanError
from ansible_collections.dockyard.aws.plugins.module_utils.state.errors import StateError
from tests.integration import art
from tests.integration.drift_cases import (
    ANYTHING,
    BUCKET,
    CASES,
    CLUSTER,
    FAMILY,
    GROUP,
    LOG_GROUP,
    REPOSITORY,
    RUNNING,
    SCALING,
    SERVICE,
    TABLE,
    TASKS,
    TRUST,
    new_revision,
    service,
)
from tests.integration.drifting import Applied, expected, fields, same
from tests.integration.playbooks import ROOT, play
from tests.integration.test_state_runs import PATHS

SETTING = {"bucket": BUCKET, "lock_table": TABLE}
OWNED = {"Key": "dockyard:environment", "Value": "test"}
# Stated in docs/drift.md; 1 for sts:GetCallerIdentity, which a kept session asks once.
CALLS = 54


class Art(Applied):
    """Art, made by a run that remembers."""

    def __init__(self, runner: Any, folder: Any, declared: Any = None) -> None:
        super().__init__(runner, folder, art.declared() if declared is None else declared, SETTING)


@pytest.fixture(scope="module")
def used(emulator_process, _runner, tmp_path_factory):
    """Art that one case after the other changes."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in emulator_process.environment().items():
            patch.setenv(name, value)
        _runner.patch(patch)
        emulator_process.reset()
        emulator_process.faults()
        yield Art(_runner, shutil.copytree(art.INVENTORY, tmp_path_factory.mktemp("drift") / "art"))


@pytest.fixture
def folder(tmp_path):
    return shutil.copytree(art.INVENTORY, tmp_path / "art")


def kinds(result):
    return {(item["what"], item["address"]) for item in result["findings"]}


@pytest.mark.parametrize("name", CASES)
def test_a_change_is_told_with_its_path_and_values(used, name):
    used.assert_told(CASES[name])


def test_everything_at_once_is_told_and_mended(runner, folder):
    made = Art(runner, folder)
    wanted = {}
    for case in CASES.values():
        case.change(made.world)
        wanted.update(expected(case, made.world))
    found = made.drift()
    same(fields(found), wanted)
    assert found["status"] == "drift" and found["untracked"] == [] and found["changed_in_inventory"] == []
    assert found["counts"]["changed"] == len({address for address, _path in wanted})
    assert "hunter2" not in json.dumps(found)
    mended = runner.run(made.declared, **made.options)
    assert not mended.failures
    # A subnet without the ownership tag could be anybody's, and what follows a revision follows it.
    reasons = {
        f"{change['kind']}/{change['name']}": change["reason"]
        for change in mended.changes
        if change["reason"] != "drift"
    }
    assert reasons == {
        "subnet/art-public-b": "adoption",
        SCALING: f"consequence of launch_template/{GROUP}",
        RUNNING: f"consequence of {TASKS}",
    }
    assert {f"{change['kind']}/{change['name']}" for change in mended.changes} == {address for address, _path in wanted}
    assert made.drift()["findings"] == []


def test_nothing_is_told_of_what_is_as_it_was_applied(runner, emulator, folder):
    made = Art(runner, folder)
    emulator.reset_calls()
    found = made.drift()
    calls = emulator.calls()
    assert found["status"] == "unchanged" and found["findings"] == [] and found["notes"] == []
    assert found["counts"] == {
        **dict.fromkeys(("changed", "gone", "recreated", "pending", "untracked", "old_copies"), 0),
        "recorded": 44,
        "unchanged": 44,
    }
    assert found["untracked_searched"] and found["changed_in_inventory"] == []
    assert calls["mutating"] == 0 and calls["total"] + 1 == CALLS
    assert f"makes {CALLS} API calls" in (ROOT / "docs" / "drift.md").read_text()
    what_nobody_declared(made.world)
    assert made.drift()["findings"] == []
    declared = art.changed("ecs", art.SERVICE, "services.0.desired_count", 3)
    del declared["ecr"]
    found = made.drift(declared)
    assert found["status"] == "unchanged"
    assert found["changed_in_inventory"] == [f"ecr_repository/{REPOSITORY}", RUNNING]
    emulator.client("s3").delete_object(Bucket=BUCKET, Key=PATHS.memory("ecr"))
    emulator.client("dynamodb").delete_item(
        TableName=TABLE, Key={"LockID": {"S": f"{BUCKET}/{PATHS.memory('ecr')}-md5"}}
    )
    found = made.drift()
    assert found["notes"] == [
        f"Nothing of the layer 'ecr' was compared: s3://{BUCKET}/{PATHS.memory('ecr')} remembers nothing"
    ]
    assert [arn.rsplit("/", 1)[1] for arn in found["untracked"]] == [REPOSITORY]
    found = made.drift(art.changed("ecs", art.SERVICE, "services.0.desired_count", "many"), layers=["ecs"])
    assert found["status"] == "unchanged" and "desired_count" in found["notes"][0]


def what_nobody_declared(world):
    """Fields that the declarations leave open."""
    world.ec2.create_tags(Resources=[world.id("vpc/art")], Tags=[{"Key": "Owner", "Value": "somebody"}])
    world.elbv2.modify_load_balancer_attributes(
        LoadBalancerArn=world.arn("load_balancer/art-service-load-balancer"),
        Attributes=[{"Key": "idle_timeout.timeout_seconds", "Value": "120"}],
    )
    world.elbv2.modify_target_group(
        TargetGroupArn=world.arn("target_group/art-sourcing-data-service"), HealthyThresholdCount=7
    )
    everybody = {"Effect": "Allow", "Principal": "*", "Action": "ecr:BatchGetImage"}
    world.ecr.set_repository_policy(
        repositoryName=REPOSITORY, policyText=json.dumps({"Version": "2012-10-17", "Statement": [everybody]})
    )
    world.autoscaling.update_auto_scaling_group(AutoScalingGroupName=GROUP, DefaultCooldown=30)
    world.iam.update_role(RoleName="art-ecs-instance-role", Description="by hand", MaxSessionDuration=7200)
    service(world, enableExecuteCommand=True)


def test_what_others_own_is_no_drift(runner, folder):
    declared = art.changed("ecs", art.SERVICE, "services.0.desired_count_owner", "autoscaling")
    made = Art(runner, folder, declared)
    image = f"123456789012.dkr.ecr.us-east-1.amazonaws.com/{REPOSITORY}:v2"
    service(made.world, taskDefinition=new_revision(made.world, image=image), desiredCount=3)
    assert made.drift()["findings"] == []
    assert made.drift(layers=["ecs"], hosts=[art.SERVICE])["findings"] == []
    service(made.world, taskDefinition=f"{FAMILY}:1")
    assert fields(made.drift()) == {}, "the one that was applied"
    new_revision(made.world, image=image, memory=300)
    assert fields(made.drift()) == {(TASKS, "containerDefinitions[sourcing-data-service].memory"): (500, 300)}


def test_what_is_gone_or_made_anew(runner, folder):
    made = Art(runner, folder)
    world = made.world
    world.logs.delete_log_group(logGroupName=LOG_GROUP)
    world.ecs.delete_service(cluster=CLUSTER, service=SERVICE, force=True)
    world.elbv2.delete_listener(ListenerArn=world.arn("listener/art-service-load-balancer:80"))
    role = "art-sourcing-data-service-task"
    old = world.id(f"iam_role/{role}")
    world.iam.delete_role(RoleName=role)
    world.iam.create_role(RoleName=role, AssumeRolePolicyDocument=json.dumps(TRUST))
    found = made.drift()
    listener = "listener/art-service-load-balancer:80"
    assert kinds(found) - {("changed", f"iam_role/{role}")} == {
        ("gone", f"log_group/{LOG_GROUP}"),
        ("gone", RUNNING),
        ("gone", listener),
        ("gone", f"listener_rule/{listener.partition('/')[2]}/sourcing-data-service"),
        ("recreated", f"iam_role/{role}"),
    }
    new = world.iam.get_role(RoleName=role)["Role"]["RoleId"]
    assert fields(found)[f"iam_role/{role}", "id"] == (old, new)
    assert fields(found)[f"iam_role/{role}", "tags.dockyard:environment"] == ("test", None)
    assert (found["counts"]["gone"], found["counts"]["recreated"], found["counts"]["changed"]) == (4, 1, 0)
    elsewhere = made.drift(hosts=["art"])
    assert kinds(elsewhere) == {("gone", listener)} and not elsewhere["untracked_searched"]
    assert kinds(made.drift(layers=["iam"])) == {("recreated", f"iam_role/{role}"), ("changed", f"iam_role/{role}")}
    vpc = world.id("vpc/art")
    world.ec2.create_tags(Resources=[vpc], Tags=[{"Key": "Name", "Value": "by hand"}])
    renamed = made.drift()
    assert ("gone", "vpc/art") in kinds(renamed) and ("gone", "subnet/art-public-a") in kinds(renamed)
    assert [note for note in renamed["notes"] if note.startswith("vpc/art")] == [
        f"vpc/art: arn:aws:ec2:us-east-1:123456789012:vpc/{vpc} is still there, with the Name tag 'by hand'; "
        "a run would make another one"
    ]
    world.ec2.create_tags(Resources=[vpc], Tags=[{"Key": "Name", "Value": "art"}])
    without = {
        layer: {host: value for host, value in hosts.items() if host == "art"}
        for layer, hosts in art.declared().items()
    }
    assert kinds(made.drift(without)) == kinds(found), "what a host declared counts when the host has left, too"


def test_what_a_run_left_half_made(runner, emulator, folder):
    options = {"base_dir": str(folder), "remote_state": SETTING}
    runner.make(art.declared("state_bucket"), **options)
    denied = {"fault": "error", "service": "ecr", "action": "CreateRepository", "code": "AccessDeniedException"}
    emulator.faults({**denied, "status": 400, "times": 9})
    assert runner.run(art.declared("ecr"), **options).failures
    params = {**runner.params(art.declared("ecr"), **options), "hosts": None, "layers": ["ecr"]}
    address = f"ecr_repository/{REPOSITORY}"
    found = drift_run.run(params, runner.progress.append)
    assert kinds(found) == {("pending", address)} and fields(found) == {(address, ""): (None, None)}
    emulator.faults()
    emulator.client("ecr").create_repository(repositoryName=REPOSITORY)
    assert fields(drift_run.run(params, runner.progress.append)) == {(address, ""): (None, REPOSITORY)}
    runner.run(art.declared("ecr"), **options)
    assert drift_run.run(params, runner.progress.append)["findings"] == []


def by_hand(world):
    """Things that carry the ownership tag and that no run made; their ARNs, without what AWS makes up."""
    lower = [{"key": OWNED["Key"], "value": OWNED["Value"]}]
    world.ecr.create_repository(repositoryName="by-hand", tags=[OWNED])
    world.iam.create_role(RoleName="by-hand", AssumeRolePolicyDocument=json.dumps(TRUST), Tags=[OWNED])
    world.iam.create_user(UserName="by-hand", Tags=[OWNED])
    world.iam.create_policy(PolicyName="by-hand", PolicyDocument=json.dumps(ANYTHING), Tags=[OWNED])
    world.logs.create_log_group(logGroupName="by-hand", tags={OWNED["Key"]: OWNED["Value"]})
    world.ecs.create_cluster(clusterName="by-hand", tags=lower)
    world.autoscaling.create_auto_scaling_group(
        AutoScalingGroupName="by-hand",
        LaunchTemplate={"LaunchTemplateId": world.id(f"launch_template/{GROUP}"), "Version": "1"},
        MinSize=0,
        MaxSize=0,
        VPCZoneIdentifier=world.id("subnet/art-public-a"),
        Tags=[{**OWNED, "PropagateAtLaunch": False}],
    )
    return [
        "arn:aws:autoscaling:…:autoScalingGroupName/by-hand",
        "arn:aws:ec2:us-east-1:123456789012:internet-gateway/igw-…",
        "arn:aws:ecr:us-east-1:123456789012:repository/by-hand",
        "arn:aws:ecs:us-east-1:123456789012:cluster/by-hand",
        "arn:aws:iam::123456789012:policy/by-hand",
        "arn:aws:iam::123456789012:role/by-hand",
        "arn:aws:iam::123456789012:user/by-hand",
        "arn:aws:logs:us-east-1:123456789012:log-group:by-hand",
    ]


def test_what_carries_the_tag_and_is_recorded_nowhere(runner, emulator, folder):
    made = Art(runner, folder)
    world = made.world
    new_revision(world, memory=300)
    new_revision(world, memory=500)
    assert made.drift()["untracked"] == [], "revisions of a recorded family, instances of a recorded group"
    wanted = by_hand(world)
    specification = {"ResourceType": "internet-gateway", "Tags": [OWNED]}
    gateway = world.ec2.create_internet_gateway(TagSpecifications=[specification])["InternetGateway"]
    other = {**specification, "Tags": [{**OWNED, "Value": "another"}]}
    world.ec2.create_internet_gateway(TagSpecifications=[other])
    old = {**specification, "Tags": [OWNED, {"Key": "dockyard:superseded", "Value": "true"}]}
    copy = world.ec2.create_internet_gateway(TagSpecifications=[old])["InternetGateway"]
    found = made.drift()
    assert found["status"] == "unchanged" and found["counts"]["untracked"] == len(wanted)
    arns = [arn.replace(gateway["InternetGatewayId"], "igw-…") for arn in found["untracked"]]
    arns = [f"arn:aws:autoscaling:…:{arn.rsplit(':', 1)[1]}" if ":autoscaling:" in arn else arn for arn in arns]
    assert arns == wanted
    assert [arn.rsplit("/", 1)[1] for arn in found["old_copies"]] == [copy["InternetGatewayId"]]
    emulator.faults(
        {
            "fault": "error",
            "service": "resourcegroupstaggingapi",
            "code": "AccessDeniedException",
            "status": 400,
            "times": 9,
        }
    )
    found = made.drift()
    assert found["status"] == "unchanged" and [arn.split(":")[2] for arn in found["untracked"]] == [
        "autoscaling",
        "iam",
        "iam",
    ]
    assert found["notes"] == [
        "Untracked resources (tag:GetResources) were not looked for: the credentials do not allow it"
    ]


def test_without_anything_recorded_there_is_no_clean_bill(runner, folder):
    params = {**runner.params(art.declared("ecr")), "hosts": None, "layers": ["ecr"]}
    with pytest.raises(PlanError, match="dockyard_remote_state: is not set"):
        drift_run.run(params, print)
    with pytest.raises(StateError, match=r"nothing is recorded of the environment 'test'.*ecr-repositories"):
        drift_run.run({**params, "base_dir": str(folder), "remote_state": SETTING}, print)


def remembering(folder):
    path = folder / "group_vars" / "all.yml"
    path.write_text(yaml.safe_dump({**yaml.safe_load(path.read_text()), "dockyard_remote_state": SETTING}))
    return folder


def test_the_playbook_ends_with_an_error_where_there_is_drift(emulator, folder, tmp_path):
    inventory = remembering(folder)
    assert play(emulator, "playbooks/site.yml", inventory=inventory).code == 0
    report, junit = tmp_path / "drift.json", tmp_path / "drift.xml"
    files = ["-e", f"drift_report={report} drift_junit={junit}"]
    clean = play(emulator, "playbooks/drift.yml", *files, inventory=inventory)
    assert clean.code == 0 and "No drift in art: 44 resources are as they were applied" in clean.text
    assert json.loads(report.read_text())["status"] == "unchanged"
    suite = ElementTree.parse(junit).getroot().find("testsuite")
    assert suite.attrib == {"name": "drift of art", "tests": "44", "failures": "0", "errors": "0"}
    emulator.client("logs").put_retention_policy(logGroupName=LOG_GROUP, retentionInDays=7)
    found = play(emulator, "playbooks/drift.yml", *files, inventory=inventory)
    assert found.code == 2 and found.failed_messages() == "Drift in art: 1 changed, 43 of 44 as applied"
    assert found.text.splitlines().count("        retentionInDays  30 → 7") == 1
    written = json.loads(report.read_text())
    assert written["status"] == "drift" and "failed" not in written
    assert fields(written) == {(f"log_group/{LOG_GROUP}", "retentionInDays"): (30, 7)}
    failed = ElementTree.parse(junit).getroot().findall("testsuite/testcase[failure]")
    assert [case.get("name") for case in failed] == [f"log_group/{LOG_GROUP}"]
    without_view = {"ANSIBLE_CALLBACKS_ENABLED": "ansible.posix.timer"}
    shown = play(emulator, "playbooks/drift.yml", inventory=inventory, environment=without_view).text
    assert shown.splitlines().count("        retentionInDays  30 → 7") == 1
    limited = play(emulator, "playbooks/drift.yml", *files, "--tags", "ecr", inventory=inventory)
    assert limited.code == 0 and json.loads(report.read_text())["counts"]["recorded"] == 1


def test_an_error_is_written_too(emulator, tmp_path):
    report, junit = tmp_path / "drift.json", tmp_path / "drift.xml"
    files = {"drift_report": str(report), "drift_junit": str(junit)}
    ended = play(emulator, "playbooks/drift.yml", "-e", json.dumps({**files, "dockyard_remote_state": None}))
    assert ended.code == 2 and "dockyard_remote_state" in ended.failed_messages()
    written = json.loads(report.read_text())
    assert written["status"] == "error" and "dockyard_remote_state" in written["error"]
    assert ElementTree.parse(junit).getroot().find("testsuite").get("errors") == "1"
