# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Auto Scaling where several things move: instances that join, refreshes, AMIs, lost answers, runs that were killed."""

from __future__ import annotations

import base64

import pytest

from ansible_collections.dockyard.aws.plugins.module_utils.aws import waiting
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.errors import PlanError
from tests.integration.kinds.autoscaling import AMI, GROUP, PROVIDER, TEMPLATE, batch, declared, in_use

LARGER = {"instance_type": "t3.medium"}


@pytest.fixture
def autoscaling(emulator):
    return emulator.client("autoscaling")


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr(waiting, "LONGEST_DELAY", 0.2)


def group(autoscaling):
    return autoscaling.describe_auto_scaling_groups(AutoScalingGroupNames=["web"])["AutoScalingGroups"][0]


def image(emulator):
    ec2 = emulator.client("ec2")
    versions = ec2.describe_launch_template_versions(LaunchTemplateName="web", Versions=["$Default"])
    return versions["LaunchTemplateVersions"][0]["LaunchTemplateData"]["ImageId"]


def test_instances_join_the_cluster_and_carry_the_tags(runner, emulator):
    runner.make(in_use(declared()))
    ecs, ec2 = emulator.client("ecs"), emulator.client("ec2")
    arns = ecs.list_container_instances(cluster="main")["containerInstanceArns"]
    joined = ecs.describe_container_instances(cluster="main", containerInstances=arns)["containerInstances"]
    assert [item["capacityProviderName"] for item in joined] == ["web"]
    instance = ec2.describe_instances(InstanceIds=[joined[0]["ec2InstanceId"]])["Reservations"][0]["Instances"][0]
    labels = {item["Key"]: item["Value"] for item in instance["Tags"]}
    assert labels["Name"] == "web"
    assert labels["Project"] == "test"
    assert labels["dockyard:environment"] == "test"
    assert instance["MetadataOptions"]["HttpTokens"] == "required"
    text = ec2.describe_instance_attribute(InstanceId=instance["InstanceId"], Attribute="userData")
    assert "ECS_CLUSTER=main" in base64.b64decode(text["UserData"]["Value"]).decode()


def test_a_refresh_that_is_waited_for_has_replaced_the_instances(runner, autoscaling, quick):
    runner.make(declared())
    before = {item["InstanceId"] for item in group(autoscaling)["Instances"]}
    runner.progress.clear()
    runner.make(declared(template=LARGER, group={"instance_refresh": {"wait": True}}))
    after = group(autoscaling)
    assert not before & {item["InstanceId"] for item in after["Instances"]}
    assert {item["InstanceType"] for item in after["Instances"]} == {"t3.medium"}
    assert after["LaunchTemplate"]["Version"] == "2"
    assert any("instance refresh" in line and "% done" in line for line in runner.progress)


def test_a_refresh_is_rolled_back_and_the_next_run_tries_again(runner, autoscaling):
    runner.make(declared())
    runner.make(declared(template=LARGER))
    autoscaling.rollback_instance_refresh(AutoScalingGroupName="web")
    again = runner.plan(declared(template=LARGER))
    (change,) = [item for item in again.plan.shown() if item.action != "none"]
    assert str(change.address) == GROUP
    assert [item.path for item in change.differences] == ["LaunchTemplate.Version"]


def test_a_refresh_under_way_gives_place_to_a_newer_one(runner, autoscaling, quick):
    runner.make(declared())
    runner.make(declared(template=LARGER))
    runner.make(declared(template={"instance_type": "t3.large"}))
    found = autoscaling.describe_instance_refreshes(AutoScalingGroupName="web")["InstanceRefreshes"]
    versions = [item["DesiredConfiguration"]["LaunchTemplate"]["Version"] for item in found]
    assert versions == ["3", "2"]


def test_the_ami_stays_and_the_plan_says_so_until_it_is_followed(runner, emulator):
    volumes = {"block_device_mappings": [{"device_name": "/dev/xvda", "ebs": {"volume_size": 30}}]}
    runner.make(declared(template={**volumes, "ami": {"image_id": "ami-0123456789abcdef0"}}))
    planned = runner.plan(declared(template=volumes))
    notes = [note for item in planned.plan.shown() for note in item.notes]
    assert any("ami-0123456789abcdef0 in AWS, left alone" in note for note in notes), notes
    assert {item.action for item in planned.plan.shown()} == {"none"}
    runner.make(declared(template={**volumes, **LARGER}))
    assert image(emulator) == "ami-0123456789abcdef0"
    followed = runner.make(declared(template={**volumes, **LARGER, "ami": {**AMI, "follow": True}}))
    assert [item["path"] for item in followed.change(TEMPLATE)["differences"]] == ["ImageId"]
    assert image(emulator) != "ami-0123456789abcdef0"


def test_what_managed_scaling_made_of_the_desired_capacity_stays(runner, autoscaling):
    wanted = declared(group={"desired_capacity": 1})
    runner.make(wanted)
    autoscaling.set_desired_capacity(AutoScalingGroupName="web", DesiredCapacity=3)
    notes = [note for item in runner.plan(wanted).plan.shown() for note in item.notes]
    assert any("DesiredCapacity is owned by the managed scaling" in note for note in notes), notes
    runner.assert_nothing_to_do(wanted)
    assert group(autoscaling)["DesiredCapacity"] == 3


@pytest.mark.parametrize(
    ("service", "action", "address"),
    [
        ("ec2", "CreateLaunchTemplate", TEMPLATE),
        ("autoscaling", "CreateAutoScalingGroup", GROUP),
        ("ecs", "CreateCapacityProvider", PROVIDER),
    ],
)
def test_a_lost_answer_makes_nothing_twice(runner, emulator, service, action, address):
    emulator.faults({"service": service, "action": action, "fault": "after", "times": 1})
    made = runner.make(declared())
    assert made.change(address)["action"] == "create"
    emulator.faults()
    runner.assert_nothing_to_do(declared())
    providers = emulator.client("ecs").describe_capacity_providers()["capacityProviders"]
    assert [item["name"] for item in providers if not item["name"].startswith("FARGATE")] == ["web"]


@pytest.mark.parametrize(
    ("service", "action", "address", "path"),
    [
        ("ec2", "ModifyLaunchTemplate", TEMPLATE, "DefaultVersion"),
        ("autoscaling", "StartInstanceRefresh", GROUP, "LaunchTemplate.Version"),
    ],
)
def test_a_run_that_broke_off_is_finished_by_the_next(runner, emulator, service, action, address, path):
    runner.make(declared())
    emulator.faults({"service": service, "action": action, "fault": "error", "code": "AccessDenied", "times": 1})
    broken = runner.run(declared(template=LARGER))
    assert any(action in message for message in broken.failures.values())
    emulator.faults()
    finished = runner.run(declared(template=LARGER))
    assert not finished.failures
    assert path in [item["path"] for item in finished.change(address)["differences"]]
    runner.assert_nothing_to_do(declared(template=LARGER))


@pytest.mark.parametrize(
    ("wanted", "variable", "name"),
    [
        (batch(group={"launch_template": "absent"}), "auto_scaling_groups[batch].launch_template", "absent"),
        (batch(group={"subnets": ["absent"]}), "auto_scaling_groups[batch].subnets", "absent"),
        (batch(template={"security_groups": ["absent"]}), "launch_templates[batch].security_groups", "absent"),
        (batch(template={"ami": {"ssm_parameter": "/absent"}}), "launch_templates[batch].ami.ssm_parameter", "absent"),
        (declared(template={"instance_profile": "absent"}), "launch_templates[web].instance_profile", "absent"),
        (declared(template={"cluster": "absent"}), "launch_templates[web].cluster", "absent"),
    ],
)
def test_a_name_that_nothing_declares_and_aws_does_not_have(runner, emulator, wanted, variable, name):
    with pytest.raises(PlanError) as error:
        runner.plan(wanted)
    assert variable in str(error.value)
    assert name in str(error.value)
    assert emulator.calls()["mutating"] == 0


def test_a_subnet_of_a_group_can_be_referred_to_by_id(runner, emulator):
    runner.make(batch())
    subnets = emulator.client("ec2").describe_subnets()["Subnets"]
    identity = next(item["SubnetId"] for item in subnets if {"Key": "Name", "Value": "a"} in item["Tags"])
    runner.assert_nothing_to_do(batch(group={"subnets": [identity]}))
