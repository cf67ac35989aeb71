# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""VPCs, subnets, gateways, route tables: canonical forms and differences; and what is done when AWS says in use."""

from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import MagicMock

import pytest
from botocore import xform_name
from botocore.exceptions import ClientError
from botocore.loaders import Loader

from ansible_collections.dockyard.aws.plugins.module_utils.layers.actions.network import ACTIONS
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.errors import StillInUse
from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.model import (
    ENVIRONMENT_TAG,
    SUPERSEDED_TAG,
    Difference,
    Ref,
    Resource,
    Unknown,
    Wanted,
)
from ansible_collections.dockyard.aws.plugins.module_utils.resources import (
    ec2_common,
    ec2_default,
    ec2_network,
    ec2_routing,
    ec2_security_groups,
)

VPC, SUBNET = ec2_network.Vpc(), ec2_network.Subnet()
NAT, TABLE = ec2_routing.NatGateway(), ec2_routing.RouteTable()
UNKNOWN = Unknown.of(Ref("subnet", "a"))


def differences(kind, declared, observed):
    return kind.differences(kind.canonical(declared), kind.canonical(observed), {})


OBSERVED_VPC = VPC.properties(
    {
        "CidrBlock": "10.0.0.0/16",
        "CidrBlockAssociationSet": [
            {"CidrBlock": "10.0.0.0/16", "CidrBlockState": {"State": "associated"}},
            {"CidrBlock": "10.2.0.0/16", "CidrBlockState": {"State": "associated"}},
            {"CidrBlock": "10.1.0.0/16", "CidrBlockState": {"State": "associating"}},
            {"CidrBlock": "10.3.0.0/16", "CidrBlockState": {"State": "disassociated"}},
        ],
    }
)


@pytest.mark.parametrize(
    ("declared", "expected"),
    [
        ({"CidrBlock": "10.0.0.0/16"}, []),
        ({"SecondaryCidrBlocks": ["10.1.0.0/16", "10.2.0.0/16"]}, []),
        (
            {"SecondaryCidrBlocks": []},
            [Difference("SecondaryCidrBlocks", ["10.1.0.0/16", "10.2.0.0/16"], [])],
        ),
        ({"CidrBlock": "10.9.0.0/16"}, [Difference("CidrBlock", "10.0.0.0/16", "10.9.0.0/16", replaces=True)]),
        ({"InstanceTenancy": "dedicated"}, [Difference("InstanceTenancy", "default", "dedicated", replaces=True)]),
    ],
)
def test_vpc(declared, expected):
    assert differences(VPC, declared, OBSERVED_VPC) == expected


def test_dedicated_tenancy_can_be_taken_back_without_replacement():
    found = differences(VPC, {"InstanceTenancy": "default"}, {**OBSERVED_VPC, "InstanceTenancy": "dedicated"})
    assert found == [Difference("InstanceTenancy", "dedicated", "default", replaces=False)]


@pytest.mark.parametrize(
    ("declared", "replaces"),
    [
        ({"MapPublicIpOnLaunch": True}, False),
        ({"CidrBlock": "10.0.9.0/24"}, True),
        ({"AvailabilityZone": "us-east-1b"}, True),
    ],
)
def test_subnet(declared, replaces):
    observed = {"CidrBlock": "10.0.0.0/24", "AvailabilityZone": "us-east-1a", "MapPublicIpOnLaunch": False}
    (found,) = differences(SUBNET, {**observed, **declared}, observed)
    assert (found.path, found.replaces) == (next(iter(declared)), replaces)


@pytest.mark.parametrize(
    ("allowed", "after"),
    [
        (["subnet-1", "subnet-2"], None),
        (["subnet-2", "subnet-1"], None),
        ([UNKNOWN, "subnet-1"], None),
        (["subnet-2", "subnet-3"], "subnet-2"),
        ([UNKNOWN, "subnet-2"], UNKNOWN),
    ],
)
def test_a_nat_gateway_stays_in_its_subnet_as_long_as_that_is_one_of_its_own(allowed, after):
    observed = {"SubnetIds": ["subnet-1"], "AllocationId": "eipalloc-1", "State": "available"}
    expected = [] if after is None else [Difference("SubnetId", "subnet-1", after, replaces=True)]
    assert differences(NAT, {**observed, "SubnetIds": allowed}, observed) == expected


def test_a_nat_gateway_that_is_still_pending_is_waited_for():
    observed = {"SubnetIds": ["subnet-1"], "AllocationId": "eipalloc-1", "State": "pending"}
    found = differences(NAT, {**observed, "State": "available"}, observed)
    assert found == [Difference("State", "pending", "available")]


DESCRIBED = {
    "Routes": [
        {"DestinationCidrBlock": "10.0.0.0/16", "GatewayId": "local", "Origin": "CreateRouteTable"},
        {"DestinationCidrBlock": "0.0.0.0/0", "GatewayId": "igw-1", "Origin": "CreateRoute"},
        {"DestinationIpv6CidrBlock": "::/0", "EgressOnlyInternetGatewayId": "eigw-1", "Origin": "CreateRoute"},
        {"DestinationCidrBlock": "10.8.0.0/16", "GatewayId": "vgw-1", "Origin": "EnableVgwRoutePropagation"},
        {"DestinationPrefixListId": "pl-1", "GatewayId": "vpce-1", "Origin": "CreateRoute"},
        {"DestinationCidrBlock": "10.7.0.0/16", "GatewayId": "vpce-2", "Origin": "CreateRoute"},
        {
            "DestinationCidrBlock": "10.6.0.0/16",
            "InstanceId": "i-1",
            "NetworkInterfaceId": "eni-1",
            "Origin": "CreateRoute",
        },
    ],
    "Associations": [
        {"Main": True, "RouteTableAssociationId": "rtbassoc-0"},
        {"SubnetId": "subnet-1", "AssociationState": {"State": "associated"}},
        {"SubnetId": "subnet-9", "AssociationState": {"State": "disassociated"}},
        {"GatewayId": "igw-1"},
    ],
}
ROUTES = {
    "0.0.0.0/0": {"GatewayId": "igw-1"},
    "::/0": {"EgressOnlyInternetGatewayId": "eigw-1"},
    "10.7.0.0/16": {"VpcEndpointId": "vpce-2"},
    "10.6.0.0/16": {"NetworkInterfaceId": "eni-1"},
}


def test_only_what_somebody_made_counts_as_a_route():
    assert TABLE.properties(DESCRIBED) == {"Routes": ROUTES, "Associations": {"subnet-1": "subnet-1"}}


@pytest.mark.parametrize(
    ("declared", "expected"),
    [
        ({}, []),
        (
            {"Routes": {**ROUTES, "0.0.0.0/0": {"NatGatewayId": "nat-1"}}},
            [Difference("Routes[0.0.0.0/0]", "igw-1", "nat-1")],
        ),
        (
            {"Routes": {**ROUTES, "172.16.0.0/12": {"TransitGatewayId": "tgw-1"}}},
            [Difference("Routes[172.16.0.0/12]", None, "tgw-1")],
        ),
        (
            {"Routes": {key: value for key, value in ROUTES.items() if key != "::/0"}},
            [Difference("Routes[::/0]", "eigw-1", None)],
        ),
        (
            {"Associations": {"a": "subnet-1", "b": "subnet-2"}},
            [Difference("Associations[b]", None, "subnet-2")],
        ),
        ({"Associations": {}}, [Difference("Associations[subnet-1]", "subnet-1", None)]),
    ],
)
def test_route_table(declared, expected):
    desired = {"Routes": ROUTES, "Associations": {"a": "subnet-1"}, **declared}
    assert differences(TABLE, desired, TABLE.properties(DESCRIBED)) == expected


def in_use():
    answer = {"Error": {"Code": "DependencyViolation", "Message": "has dependencies"}}
    return ClientError(answer, "DeleteSubnet")


@pytest.fixture
def aws(monkeypatch):
    """Nobody is asked, and nobody sleeps: time goes on with each look at the clock."""
    ticks = iter(range(0, 100000, 3))
    monkeypatch.setattr(ec2_common, "time", SimpleNamespace(monotonic=lambda: next(ticks)))
    monkeypatch.setattr(ec2_common, "pause", lambda seconds: None)
    monkeypatch.setattr(ec2_common, "is_superseded", lambda aws, identifier: identifier.endswith("-old"))
    monkeypatch.setattr(ec2_common, "users", lambda aws, identifier: "" if identifier == "vpc-1" else "ELB app/web")
    told = []
    return SimpleNamespace(progress=told.append, told=told)


@pytest.mark.parametrize(("identifier", "most"), [("subnet-1", 200), ("subnet-old", 3), ("vpc-1", 11)])
def test_only_what_interfaces_may_let_go_of_is_waited_for(aws, identifier, most):
    attempts = []

    def delete():
        attempts.append(1)
        raise in_use()

    with pytest.raises(StillInUse, match=f"Thing {identifier} is still in use: (ELB app/web|has dependencies)"):
        ec2_common.delete_when_free(aws, identifier, "Thing", "Gone", delete)
    assert most / 2 < len(attempts) <= most
    assert aws.told == (
        [f"Thing {identifier}: waiting until ELB app/web is gone from it"] if "vpc" not in identifier else []
    )


def test_what_gets_free_while_waiting_is_deleted(aws):
    answers = [in_use(), in_use(), None]
    freed = []

    def delete():
        answer = answers.pop(0)
        if answer is not None:
            raise answer

    ec2_common.delete_when_free(aws, "sg-1", "Security group", "Gone", delete, lambda: freed.append(1))
    assert (answers, len(freed)) == ([], 2)


def described(identifier, vpc="vpc-1", name="web", environment="test", superseded=False, **more):
    tags = {"Name": name, ENVIRONMENT_TAG: environment} if environment else {"Name": name}
    tags |= {SUPERSEDED_TAG: "true"} if superseded else {}
    listed = [{"Key": key, "Value": value} for key, value in tags.items() if value]
    return {"VpcId": vpc, "Tags": listed, **identifier, **more}


def subnet(identifier, **more):
    return described({"SubnetId": identifier}, CidrBlock="10.0.0.0/24", AvailabilityZone="us-east-1a", **more)


def group(identifier, group_name="web-1a2b3c", **more):
    return described({"GroupId": identifier}, GroupName=group_name, Description="Web", **more)


def gateway(identifier, vpc, **more):
    attachments = [{"State": "available", "VpcId": vpc}] if vpc else []
    return {**described({"InternetGatewayId": identifier}, **more), "Attachments": attachments}


@pytest.fixture
def listed(monkeypatch):
    """What EC2 lists, by filter; each test fills it."""
    answers = {}
    monkeypatch.setattr(
        ec2_common.Listing, "by", lambda self, aws, name, values: answers.get(name, []) if values else []
    )
    return answers


IN_VPC = [Wanted("web", {"VpcId": "vpc-1"})]
ANYWHERE = [Wanted("web")]
AWS = SimpleNamespace(environment="test")


@pytest.mark.parametrize(
    ("kind", "things", "wanted", "found"),
    [
        (SUBNET, [subnet("subnet-1")], IN_VPC, "subnet-1"),
        (SUBNET, [subnet("subnet-1", environment=None)], IN_VPC, "subnet-1"),
        (SUBNET, [subnet("subnet-1", environment=None, vpc="vpc-2")], IN_VPC, None),
        (SUBNET, [subnet("subnet-1", environment="other")], IN_VPC, None),
        (SUBNET, [subnet("subnet-1"), subnet("subnet-2", environment=None)], ANYWHERE, "subnet-1"),
        (ec2_network.InternetGateway(), [gateway("igw-1", "vpc-1")], IN_VPC, "igw-1"),
        (ec2_network.InternetGateway(), [gateway("igw-1", None)], IN_VPC, "igw-1"),
        (ec2_network.InternetGateway(), [gateway("igw-1", None, environment=None)], IN_VPC, None),
        (ec2_network.InternetGateway(), [gateway("igw-1", "vpc-2")], IN_VPC, None),
    ],
)
def test_a_name_means_the_thing_of_this_environment_in_this_vpc(listed, kind, things, wanted, found):
    listed["tag:Name"] = things
    answer = kind.read(AWS, wanted)
    assert (answer["web"].attributes["id"] if answer else None) == found


def test_an_old_copy_in_an_old_copy_of_the_vpc_is_not_forgotten(listed):
    listed["tag:Name"] = [subnet("subnet-1"), subnet("subnet-old", vpc="vpc-old", superseded=True)]
    found = SUBNET.read(AWS, IN_VPC)["web"]
    assert (found.attributes["id"], [item.attributes["id"] for item in found.superseded]) == (
        "subnet-1",
        ["subnet-old"],
    )


def test_a_thing_can_be_meant_by_its_id(listed):
    listed["subnet-id"] = [subnet("subnet-1", name="anything", environment=None)]
    assert SUBNET.read(AWS, [Wanted("subnet-1")])["subnet-1"].attributes["id"] == "subnet-1"


RULES = [{"SecurityGroupRuleId": name, "GroupId": "sg-1", "IsEgress": False} for name in ("sgr-1", "sgr-2")]


def test_a_rule_that_is_gone_already_keeps_no_other_from_going():
    ec2 = MagicMock()
    gone = ClientError({"Error": {"Code": "InvalidSecurityGroupRuleId.NotFound", "Message": "sgr-1"}}, "Revoke")
    ec2.revoke_security_group_ingress.side_effect = [gone, gone, {}]
    ec2_security_groups._revoke(SimpleNamespace(client=lambda service: ec2), "sg-1", "ingress", RULES)
    revoked = [item.kwargs["SecurityGroupRuleIds"] for item in ec2.revoke_security_group_ingress.call_args_list]
    assert revoked == [["sgr-1", "sgr-2"], ["sgr-1"], ["sgr-2"]]


def test_a_new_group_is_ready_when_the_rule_can_be_seen_that_aws_gives_it():
    ec2 = MagicMock()
    ec2.create_security_group.return_value = {"GroupId": "sg-1"}
    groups, rules = {"SecurityGroups": [{"GroupId": "sg-1"}]}, {"SecurityGroupRules": [{"IsEgress": True}]}
    ec2.get_paginator.return_value.paginate.side_effect = [[groups], [{"SecurityGroupRules": []}], [rules]]
    aws = SimpleNamespace(client=lambda service: ec2, once=lambda service: ec2)
    made = ec2_security_groups.SecurityGroup().create(
        aws, Resource("security_group", "web", {}, scope={"VpcId": "vpc-1"})
    )
    assert (made["id"], ec2.get_paginator.return_value.paginate.call_count) == ("sg-1", 3)


def test_an_address_is_seen_before_a_nat_gateway_gets_it():
    address = {"AllocationId": "eipalloc-1", "PublicIp": "192.0.2.1"}
    ec2 = MagicMock()
    ec2.allocate_address.return_value = address
    ec2.describe_addresses.side_effect = [{"Addresses": []}, {"Addresses": [address]}]
    aws = SimpleNamespace(client=lambda service: ec2, once=lambda service: ec2)
    made = ec2_routing.ElasticIp().create(aws, Resource("elastic_ip", "main-nat", {}))
    assert (made["id"], ec2.describe_addresses.call_count) == ("eipalloc-1", 2)


@pytest.mark.parametrize(
    ("by_tag", "by_group_name", "found"),
    [
        ([group("sg-1")], [], "sg-1"),
        ([], [group("sg-2", "web", name=None, environment=None)], "sg-2"),
        ([], [group("sg-3", "web", name="something else")], None),
        ([], [group("sg-4", "web", name=None, environment=None, vpc="vpc-2")], None),
    ],
)
def test_a_security_group_that_others_made_is_known_by_its_group_name(listed, by_tag, by_group_name, found):
    listed |= {"tag:Name": by_tag, "group-name": by_group_name}
    answer = ec2_security_groups.SecurityGroup().read(AWS, IN_VPC)
    assert (answer["web"].attributes["id"] if answer else None) == found


def test_the_iam_actions_are_those_of_the_calls():
    """Every word of the code that is the name of an EC2 call; the descriptions' calls are put together there."""
    operations = Loader().load_service_model("ec2", "service-2")["operations"]
    calls = {xform_name(name): f"ec2:{name}" for name in operations}
    modules = (ec2_common, ec2_default, ec2_network, ec2_routing, ec2_security_groups)
    words = {word for module in modules for word in re.findall(r"[a-z_]+", Path(module.__file__).read_text())}
    words |= {f"update_security_group_rule_descriptions_{direction}" for direction in ("ingress", "egress")}
    assert set(ACTIONS) == {calls[word] for word in words & calls.keys()} | {"sts:GetCallerIdentity"}


@pytest.mark.parametrize(
    ("name", "filtered"), [("subnet-public-1", "tag:Name"), ("subnet-0a1b2c3d", "subnet-id"), ("web", "tag:Name")]
)
def test_a_name_that_only_begins_like_an_id_is_a_name(name, filtered):
    ec2 = MagicMock()
    ec2.get_paginator.return_value.paginate.return_value = [{"Subnets": []}]
    SUBNET.read(SimpleNamespace(client=lambda service: ec2, environment="art"), [Wanted(name, {"VpcId": "vpc-1"})])
    asked = [call.kwargs["Filters"][0]["Name"] for call in ec2.get_paginator.return_value.paginate.call_args_list]
    assert asked == [filtered]
