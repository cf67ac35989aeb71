# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Launch templates: one form for both sides, what is shown, and what a new version is made of."""

from __future__ import annotations

import base64
import gzip
from unittest.mock import MagicMock

import pytest

from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.model import Difference, Observed, Resource, Wanted
from ansible_collections.dockyard.aws.plugins.module_utils.resources.ec2_launch_template import LaunchTemplate

KIND = LaunchTemplate()
OWNED = {"ImageId": "ami.follow: false"}


def differences(declared, observed):
    return {
        item.path: (item.before, item.after)
        for item in KIND.differences(KIND.canonical(declared), KIND.canonical(observed), {})
    }


def encoded(text):
    return base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    ("declared", "observed"),
    [
        ({"SecurityGroupIds": ["sg-b", "sg-a"]}, {"SecurityGroupIds": ["sg-a", "sg-b"]}),
        ({"SecurityGroupIds": [], "NetworkInterfaces": []}, {}),
        ({"InstanceRequirements": None}, {"InstanceType": "t3.small"}),
        (
            {"NetworkInterfaces": [{"DeviceIndex": 0, "Groups": ["sg-b", "sg-a"]}]},
            {"NetworkInterfaces": [{"DeviceIndex": 0, "Groups": ["sg-a", "sg-b"]}]},
        ),
        (
            {"BlockDeviceMappings": [{"DeviceName": "/dev/xvdb"}, {"DeviceName": "/dev/xvda"}]},
            {"BlockDeviceMappings": [{"DeviceName": "/dev/xvda"}, {"DeviceName": "/dev/xvdb"}]},
        ),
        (
            {"TagSpecifications": [{"ResourceType": "instance", "Tags": [{"Key": "b"}, {"Key": "a"}]}]},
            {"TagSpecifications": [{"ResourceType": "instance", "Tags": [{"Key": "a"}, {"Key": "b"}]}]},
        ),
        (
            {"MetadataOptions": {"HttpTokens": "required"}},
            {"MetadataOptions": {"HttpTokens": "required", "HttpEndpoint": "enabled"}},
        ),
        (
            {"BlockDeviceMappings": [{"DeviceName": "/dev/xvda", "Ebs": {"VolumeSize": 30, "VolumeType": "gp3"}}]},
            {
                "BlockDeviceMappings": [
                    {
                        "DeviceName": "/dev/xvda",
                        "VirtualName": "",
                        "Ebs": {"VolumeSize": 30, "VolumeType": "gp3", "Iops": 3000, "Throughput": 125},
                    }
                ]
            },
        ),
        (
            {"NetworkInterfaces": [{"DeviceIndex": 0, "AssociatePublicIpAddress": False}]},
            {
                "NetworkInterfaces": [
                    {
                        "DeviceIndex": 0,
                        "AssociatePublicIpAddress": False,
                        "DeleteOnTermination": True,
                        "Ipv6Addresses": [],
                        "NetworkCardIndex": 0,
                    }
                ]
            },
        ),
        ({}, {"KeyName": "never declared"}),
    ],
)
def test_equal_in_canonical_form(declared, observed):
    assert differences(declared, observed) == {}


def test_canonical_works_before_everything_is_known():
    unknown = "(known after apply: security_group/web.id)"
    declared = {"NetworkInterfaces": [{"Groups": [unknown, "sg-a"]}]}
    assert KIND.canonical(declared)["NetworkInterfaces"][0]["Groups"] == [unknown, "sg-a"]


def test_canonical_leaves_its_input_alone():
    declared = {"NetworkInterfaces": [{"Groups": ["sg-b", "sg-a"]}]}
    KIND.canonical(declared)
    assert declared == {"NetworkInterfaces": [{"Groups": ["sg-b", "sg-a"]}]}


def test_of_user_data_only_the_lines_that_differ_are_shown():
    before, after = "#!/bin/bash\nA=1\nB=1\n", "#!/bin/bash\nA=1\nB=2\nC=3\n"
    (shown,) = KIND.shown([Difference("UserData", before, after)])
    assert (shown.before, shown.after) == ("B=1", "B=2\nC=3")


def client(latest=3, default=3, data=None):
    ec2 = MagicMock()
    template = {
        "LaunchTemplateId": "lt-1",
        "LaunchTemplateName": "web",
        "LatestVersionNumber": latest,
        "DefaultVersionNumber": default,
        "Tags": [{"Key": "Team", "Value": "web"}],
    }
    answers = {
        "describe_launch_templates": {"LaunchTemplates": [template]},
        "describe_launch_template_versions": {
            "LaunchTemplateVersions": [{"LaunchTemplateId": "lt-1", "LaunchTemplateData": data or {}}]
        },
    }
    ec2.get_paginator.side_effect = lambda name: MagicMock(paginate=MagicMock(return_value=[answers[name]]))
    ec2.create_launch_template_version.return_value = {"LaunchTemplateVersion": {"VersionNumber": latest + 1}}
    aws = MagicMock()
    aws.client.return_value = ec2
    return aws, ec2


def test_read_gives_text_and_says_which_version_is_the_default():
    aws, _ec2 = client(
        3, 2, {"UserData": encoded("echo\n"), "MetadataOptions": {"State": "pending", "HttpTokens": "x"}}
    )
    found = KIND.read(aws, [Wanted("web", {}, {"UserData": "echo"})])["web"]
    assert found.properties == {"UserData": "echo\n", "MetadataOptions": {"HttpTokens": "x"}, "DefaultVersion": "2"}
    assert found.attributes == {"id": "lt-1", "name": "web", "latest_version": 3}
    assert found.tags == {"Team": "web"}


def test_the_data_is_not_asked_for_where_only_the_id_is_wanted():
    aws, ec2 = client()
    KIND.read(aws, [Wanted("web")])
    assert [call.args[0] for call in ec2.get_paginator.call_args_list] == ["describe_launch_templates"]


def update(declared, observed, create_only=None, last_applied=None):
    aws, ec2 = client()
    resource = Resource("launch_template", "web", declared, create_only=create_only or {})
    seen = Observed("web", observed, {"id": "lt-1", "name": "web", "latest_version": 3}, {})
    found = KIND.differences(KIND.canonical(declared), KIND.canonical(observed), last_applied or {})
    found = [item for item in found if item.path not in (create_only or {})]
    return ec2, KIND.update(aws, resource, seen, found)


def test_an_update_makes_a_version_and_makes_it_the_default():
    ec2, attributes = update({"InstanceType": "t3.large", "DefaultVersion": "$Latest"}, {"InstanceType": "t3.small"})
    ec2.modify_launch_template.assert_called_once_with(LaunchTemplateId="lt-1", DefaultVersion="4")
    assert attributes == {"latest_version": 4}


@pytest.mark.parametrize(
    ("declared", "observed", "create_only", "last_applied", "sent"),
    [
        (
            {"InstanceType": "t3.large"},
            {"InstanceType": "t3.small", "KeyName": "never-declared", "DefaultVersion": "$Latest"},
            {},
            {},
            {"InstanceType": "t3.large", "KeyName": "never-declared"},
        ),
        (
            {"InstanceType": "t3.large", "ImageId": "ami-new"},
            {"InstanceType": "t3.small", "ImageId": "ami-old"},
            OWNED,
            {},
            {"InstanceType": "t3.large", "ImageId": "ami-old"},
        ),
        (
            {"InstanceType": "t3.large"},
            {"InstanceType": "t3.large", "KeyName": "declared-before"},
            {},
            {"KeyName": "declared-before"},
            {"InstanceType": "t3.large"},
        ),
        (
            {"InstanceType": None, "InstanceRequirements": {"VCpuCount": {"Min": 2}}},
            {"InstanceType": "t3.large"},
            {},
            {},
            {"InstanceRequirements": {"VCpuCount": {"Min": 2}}},
        ),
        (
            {"MetadataOptions": {"HttpTokens": "required"}},
            {"MetadataOptions": {"HttpTokens": "optional", "InstanceMetadataTags": "enabled"}},
            {},
            {},
            {"MetadataOptions": {"HttpTokens": "required", "InstanceMetadataTags": "enabled"}},
        ),
        ({"UserData": "new\n"}, {"UserData": "old\n"}, {}, {}, {"UserData": encoded("new\n")}),
        ({"EbsOptimized": False}, {"EbsOptimized": True}, {}, {}, {"EbsOptimized": False}),
    ],
    ids=[
        "never declared stays",
        "image owned elsewhere stays",
        "no longer declared",
        "type",
        "merged",
        "base64",
        "off",
    ],
)
def test_what_a_new_version_is_made_of(declared, observed, create_only, last_applied, sent):
    ec2, _attributes = update(declared, observed, create_only, last_applied)
    assert ec2.create_launch_template_version.call_args.kwargs["LaunchTemplateData"] == sent


def test_a_run_killed_before_the_new_version_became_the_default_is_finished():
    ec2, attributes = update({"DefaultVersion": "$Latest"}, {"DefaultVersion": "2"})
    ec2.create_launch_template_version.assert_not_called()
    ec2.modify_launch_template.assert_called_once_with(LaunchTemplateId="lt-1", DefaultVersion="3")
    assert attributes == {"latest_version": 3}


def test_user_data_that_is_no_text_goes_into_the_next_version_as_it_is():
    compressed = base64.b64encode(gzip.compress(b"#!/bin/bash\n")).decode()
    aws, ec2 = client(data={"UserData": compressed, "ImageId": "ami-1"})
    wanted = {"ImageId": "ami-2"}
    found = KIND.read(aws, [Wanted("web", {}, wanted)])["web"]
    changed = KIND.differences(KIND.canonical(wanted), KIND.canonical(found.properties), {})
    KIND.update(aws, Resource("launch_template", "web", wanted), found, changed)
    sent = ec2.create_launch_template_version.call_args.kwargs["LaunchTemplateData"]
    assert sent == {"UserData": compressed, "ImageId": "ami-2"}
