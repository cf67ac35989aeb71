# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What becomes of launch templates, Auto Scaling groups and capacity providers."""

from __future__ import annotations

import base64
import gzip

import pytest

from ansible_collections.dockyard.aws.plugins.module_utils.layers.user_data import user_data

from .stack import Imported, arn, group, resource, subnet, vpc

AROUND = [vpc(), subnet("a"), group("web")]
PARAMETER = "/aws/service/ecs/optimized-ami/amazon-linux-2023/recommended/image_id"
GROUP = arn("autoscaling", "autoScalingGroup:1:autoScalingGroupName/web")
METADATA = [{"http_endpoint": "enabled", "http_tokens": "required", "http_put_response_hop_limit": 1}]
TAGS = {"Name": "web"}


def template(**more):
    attributes = {
        "id": "lt-1",
        "arn": arn("ec2", "launch-template/lt-1"),
        "name": "web",
        "image_id": "ami-12345678",
        "instance_type": "t3.small",
        "iam_instance_profile": [{"name": "web", "arn": ""}],
        "vpc_security_group_ids": ["sg-web"],
        "metadata_options": METADATA,
        "tag_specifications": [{"resource_type": kind, "tags": TAGS} for kind in ("instance", "volume")],
        "latest_version": 1,
        "default_version": 1,
    }
    return resource("aws_launch_template", "web", attributes | more)


def scaling_group(**more):
    attributes = {"id": "web", "arn": GROUP, "name": "web", "min_size": 0, "max_size": 2, "desired_capacity": 1}
    attributes |= {
        "vpc_zone_identifier": ["subnet-a"],
        "launch_template": [{"id": "lt-1", "name": "web", "version": "1"}],
    }
    return resource("aws_autoscaling_group", "web", {**attributes, "health_check_type": "EC2", **more})


SHORT = {
    "name": "web",
    "ami": {"image_id": "ami-12345678"},
    "instance_type": "t3.small",
    "instance_profile": "web",
    "security_groups": ["web"],
}


def encoded(text):
    return base64.b64encode(text.encode()).decode()


CLUSTER = resource("aws_ecs_cluster", "x", {"id": arn("ecs", "cluster/shop"), "name": "shop"})
JOIN = user_data("shop", None, None)
EBS = {"delete_on_termination": "true", "encrypted": "true", "volume_size": 30, "volume_type": "gp3", "iops": 0}
AMI = resource("aws_ssm_parameter", "ami", {"name": PARAMETER, "insecure_value": "ami-12345678"}, mode="data")
TEMPLATES = {
    "as the layer makes it": ([], {}, {}),
    "an interface of its own": (
        [],
        {
            "vpc_security_group_ids": [],
            "network_interfaces": [{"associate_public_ip_address": "true", "security_groups": ["sg-web"]}],
        },
        {"associate_public_ip_address": True},
    ),
    "an AMI that was read from a parameter": (
        [AMI],
        {},
        {"ami": {"ssm_parameter": PARAMETER}, "block_device_mappings": []},
    ),
    "with the usual volume": (
        [AMI],
        {"block_device_mappings": [{"device_name": "/dev/xvda", "ebs": [EBS]}]},
        {"ami": {"ssm_parameter": PARAMETER}},
    ),
    "other volumes": (
        [],
        {"block_device_mappings": [{"device_name": "/dev/sdb", "ebs": [{**EBS, "encrypted": "false", "iops": 4000}]}]},
        {
            "block_device_mappings": [
                {"device_name": "/dev/sdb", "ebs": {"volume_size": 30, "iops": 4000, "encrypted": False}}
            ]
        },
    ),
    "user data that joins a cluster": ([CLUSTER], {"user_data": encoded(JOIN)}, {"cluster": "shop"}),
    "user data that does more": (
        [CLUSTER],
        {"user_data": encoded(f"{JOIN}echo hello\n")},
        {"cluster": "shop", "user_data": "echo hello\n"},
    ),
    "user data of its own": ([CLUSTER], {"user_data": encoded("#!/bin/sh\n")}, {"user_data": "#!/bin/sh\n"}),
    "odds and ends": (
        [],
        {"key_name": "ops", "monitoring": [{"enabled": True}], "ebs_optimized": "true"},
        {"key_name": "ops", "monitoring": True, "ebs_optimized": True},
    ),
}


@pytest.mark.parametrize(("others", "attributes", "expected"), TEMPLATES.values(), ids=TEMPLATES)
def test_launch_templates(others, attributes, expected, tmp_path):
    imported = Imported(*AROUND, *others, template(**attributes))
    assert imported.declared("autoscaling")["launch_templates"] == [{**SHORT, **expected}]
    assert (imported.changes(), imported.left()) == (set(), set())
    assert "launch_template/web" in imported.validate(tmp_path)


CHANGES = {
    "metadata_options": {"metadata_options": []},
    "tag_specifications": {"tag_specifications": []},
    "default_version": {"latest_version": 2},
}


@pytest.mark.parametrize(("about", "attributes"), CHANGES.items(), ids=CHANGES)
def test_what_the_layer_would_change_is_said(about, attributes):
    assert Imported(*AROUND, template(**attributes)).changes() == {("aws_launch_template.web", about)}


@pytest.mark.parametrize(("text", "marked"), [("echo hidden\n", True), ("password=hidden\n", False)])
def test_secret_user_data_is_not_written(text, marked):
    item = template(user_data=encoded(text))
    if marked:
        item["instances"][0]["sensitive_attributes"] = [[{"type": "get_attr", "value": "user_data"}]]
    imported = Imported(*AROUND, item)
    assert imported.declared("autoscaling")["launch_templates"][0]["user_data"] == "{{ vault_shop_web_user_data }}"
    assert "define it, vaulted" in imported.report.secrets[0].message
    assert not [path for path, text in imported.files.items() if "hidden" in text]


def provider(**more):
    scaling = [{"status": "ENABLED", "target_capacity": 90, "minimum_scaling_step_size": 1}]
    block = {"auto_scaling_group_arn": GROUP, "managed_scaling": scaling, "managed_draining": "ENABLED"}
    block["managed_termination_protection"] = "DISABLED"
    return resource(
        "aws_ecs_capacity_provider",
        "web",
        {"id": "x", "arn": "x", "name": "web", "auto_scaling_group_provider": [block | more]},
    )


def test_a_group_without_capacity_provider(tmp_path):
    imported = Imported(*AROUND, template(), scaling_group(health_check_grace_period=300, protect_from_scale_in=True))
    assert imported.declared("autoscaling")["auto_scaling_groups"] == [
        {
            "name": "web",
            "launch_template": "web",
            "subnets": ["main-a"],
            "min_size": 0,
            "max_size": 2,
            "desired_capacity": 1,
            "new_instances_protected_from_scale_in": True,
            "health_check_grace_period": 300,
        }
    ]
    assert imported.left() == set()
    imported.validate(tmp_path)


def test_a_group_with_a_capacity_provider(tmp_path):
    tags = [{"key": "AmazonECSManaged", "value": "true", "propagate_at_launch": True}]
    imported = Imported(*AROUND, CLUSTER, template(user_data=encoded(JOIN)), scaling_group(tag=tags), provider())
    found = imported.declared("autoscaling")["auto_scaling_groups"][0]
    assert found["capacity_provider"] == {
        "name": "web",
        "target_capacity": 90,
        "managed_termination_protection": "DISABLED",
    }
    assert {"desired_capacity", "tags"} & found.keys() == set()
    assert (imported.left(), imported.unmapped()) == (set(), {})
    assert "ecs_capacity_provider/web" in imported.validate(tmp_path)


def test_a_group_of_several_types(tmp_path):
    specification = {"launch_template_id": "lt-1", "version": "$Latest"}
    overrides = [{"instance_type": "t3.small", "weighted_capacity": "1"}, {"instance_type": "t3a.small"}]
    distribution = {"on_demand_base_capacity": 1, "on_demand_percentage_above_base_capacity": 0}
    mixed = {
        "launch_template": [{"launch_template_specification": [specification], "override": overrides}],
        "instances_distribution": [{**distribution, "spot_allocation_strategy": "lowest-price"}],
    }
    imported = Imported(*AROUND, template(), scaling_group(launch_template=[], mixed_instances_policy=[mixed]))
    assert imported.declared("autoscaling")["auto_scaling_groups"][0]["mixed_instances_policy"] == {
        "instances_distribution": {**distribution, "spot_allocation_strategy": "lowest-price"},
        "overrides": [{"instance_type": "t3.small", "weighted_capacity": 1}, {"instance_type": "t3a.small"}],
    }
    assert imported.changes() == {("aws_autoscaling_group.web", "launch_template.version")}


def test_what_has_no_place():
    unmapped = Imported(vpc(), scaling_group(launch_template=[], launch_configuration="x"), provider()).unmapped()
    assert "no launch template" in unmapped["aws_autoscaling_group.web"]
    assert "its Auto Scaling group" in unmapped["aws_ecs_capacity_provider.web"]


def test_user_data_that_is_no_text_is_left_as_it_is():
    compressed = base64.b64encode(gzip.compress(b"#!/bin/sh\n")).decode()
    imported = Imported(*AROUND, template(user_data=compressed))
    assert "user_data" not in imported.declared("autoscaling")["launch_templates"][0]
    assert ("aws_launch_template.web", "user_data") in imported.left()
