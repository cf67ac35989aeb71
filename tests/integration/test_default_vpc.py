# Copyright: Contributors to dockyard.aws
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The default VPC: found, never touched, and clearly missed."""

from __future__ import annotations

import copy

import pytest

from ansible_collections.dockyard.aws.plugins.module_utils.reconcile.errors import PlanError
from ansible_collections.dockyard.aws.plugins.module_utils.resources import ec2_default
from tests.integration.kinds.ecs import FARGATE

NETWORK = {
    "vpc": {"default": True},
    "security_groups": [
        {"name": "balancer", "description": "HTTP", "ingress": [{"from_port": 80, "cidr_blocks": ["0.0.0.0/0"]}]},
        {"name": "tasks", "description": "Tasks", "ingress": [{"from_port": 4000, "security_groups": ["balancer"]}]},
    ],
}
DECLARED = {"network": {"platform": NETWORK}}


@pytest.fixture
def ec2(emulator):
    return emulator.client("ec2")


def what_is_there(ec2):
    tags = [item for item in ec2.describe_tags()["Tags"] if item["ResourceType"] != "security-group"]
    return (
        ec2.describe_vpcs()["Vpcs"],
        ec2.describe_subnets()["Subnets"],
        ec2.describe_route_tables()["RouteTables"],
        tags,
    )


def default_subnets(ec2):
    filters = [{"Name": "default-for-az", "Values": ["true"]}]
    found = ec2.describe_subnets(Filters=filters)["Subnets"]
    return sorted(found, key=lambda item: item["AvailabilityZone"])


def without(ec2, kept):
    """Delete all default subnets but the first ones."""
    for item in default_subnets(ec2)[kept:]:
        ec2.delete_subnet(SubnetId=item["SubnetId"])


def in_default_subnets(*names, public=True):
    """A service on Fargate and its load balancer in the default VPC."""
    declared = copy.deepcopy(FARGATE)
    declared["network"] = DECLARED["network"]
    for group in declared["alb"]["platform"]["target_groups"]:
        group["vpc"] = "default"
    balancer = declared["alb"]["platform"]["load_balancers"][0]
    balancer.update(subnets=["default-1", "default-2"], security_groups=["balancer"])
    service = declared["ecs"]["web"]["services"][0]
    service["network_configuration"] = {
        "subnets": list(names),
        "security_groups": ["tasks"],
        "assign_public_ip": public,
    }
    return declared


def warnings(runner, declared):
    return [str(item) for item in runner.plan(declared).plan.warnings]


def test_nothing_but_security_groups_is_made_and_all_else_stays_as_it_is(runner, emulator, ec2):
    before = what_is_there(ec2)
    created = runner.make(DECLARED)
    assert sorted(created.done) == [
        ("create", kind, name) for kind in ("security_group", "security_group_rules") for name in ("balancer", "tasks")
    ]
    runner.assert_nothing_to_do(DECLARED)
    group = ec2.describe_security_groups(Filters=[{"Name": "tag:Name", "Values": ["tasks"]}])["SecurityGroups"][0]
    assert group["VpcId"] == next(item["VpcId"] for item in before[0] if item["IsDefault"])
    runner.make(DECLARED, state="absent")
    assert what_is_there(ec2) == before


def test_other_layers_refer_to_the_default_vpc_and_its_subnets_by_name(runner, emulator, ec2):
    first, second, third = default_subnets(ec2)[:3]
    declared = in_default_subnets("default-1", f"default-{third['AvailabilityZone']}")
    runner.make(declared)
    runner.assert_nothing_to_do(declared)
    balancer = emulator.client("elbv2").describe_load_balancers()["LoadBalancers"][0]
    assert {zone["SubnetId"] for zone in balancer["AvailabilityZones"]} == {first["SubnetId"], second["SubnetId"]}
    service = emulator.client("ecs").describe_services(cluster="web", services=["web"])["services"][0]
    assert service["networkConfiguration"]["awsvpcConfiguration"]["subnets"] == [first["SubnetId"], third["SubnetId"]]


def test_a_layer_alone_finds_them_too(runner):
    declared = in_default_subnets("default-1", "default-2")
    runner.make(declared)
    runner.assert_nothing_to_do({"ecs": declared["ecs"]})
    runner.assert_nothing_to_do({"alb": declared["alb"]})


def test_no_default_vpc(runner, ec2):
    without(ec2, 0)
    vpc = ec2.describe_vpcs(Filters=[{"Name": "is-default", "Values": ["true"]}])["Vpcs"][0]["VpcId"]
    attached = [{"Name": "attachment.vpc-id", "Values": [vpc]}]
    gateway = ec2.describe_internet_gateways(Filters=attached)["InternetGateways"][0]["InternetGatewayId"]
    ec2.detach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    ec2.delete_vpc(VpcId=vpc)
    with pytest.raises(PlanError) as raised:
        runner.plan(DECLARED)
    message = str(raised.value)
    assert "platform: network.vpc: VPC 'default': this account has no default VPC in us-east-1" in message
    assert "platform: network.default_subnets: Subnet 'default-1': this account has no default VPC" in message


def test_fewer_default_subnets_than_asked_for(runner, ec2):
    without(ec2, 1)
    with pytest.raises(PlanError) as raised:
        runner.plan(DECLARED)
    assert (
        "network.default_subnets: Subnet 'default-2': the default VPC in us-east-1 has 1 default subnets that can be "
        "used, number 2 is asked for; they are in: us-east-1a"
    ) in str(raised.value)


def test_a_zone_without_a_default_subnet(runner, ec2):
    without(ec2, 3)
    with pytest.raises(PlanError, match="has no default subnet in the zone us-east-1f; it has in: us-east-1a, us-east"):
        runner.plan(in_default_subnets("default-us-east-1f"))


def test_a_zone_in_which_fargate_cannot_be(runner, ec2, monkeypatch):
    first, second, third = default_subnets(ec2)[:3]
    monkeypatch.setattr(ec2_default, "WITHOUT_FARGATE", {first["AvailabilityZoneId"]})
    with pytest.raises(PlanError, match="AWS offers neither Fargate nor new load balancers; zones that can be used"):
        runner.plan(in_default_subnets(f"default-{first['AvailabilityZone']}"))
    declared = in_default_subnets("default-1", "default-2")
    runner.make(declared)
    service = runner.emulator.client("ecs").describe_services(cluster="web", services=["web"])["services"][0]
    subnets = service["networkConfiguration"]["awsvpcConfiguration"]["subnets"]
    assert subnets == [second["SubnetId"], third["SubnetId"]]


def test_another_vpc_of_that_name_is_told_apart(runner, ec2):
    other = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    ec2.create_tags(Resources=[other], Tags=[{"Key": "Name", "Value": "default"}])
    with pytest.raises(PlanError, match=f"and {other} has the Name tag 'default'; refer to {other} by its id"):
        runner.plan(DECLARED)


def test_a_service_that_reaches_ecr_is_no_warning(runner):
    assert not [text for text in warnings(runner, in_default_subnets("default-1", "default-2")) if "ECR" in text]


def test_a_service_without_public_addresses_behind_an_internet_gateway_is_warned_of(runner):
    found = [text for text in warnings(runner, in_default_subnets("default-1", public=False)) if "ECR" in text]
    assert found == [
        "web: ecs.services[web]: network_configuration: in the subnet 'default-1' no task can reach ECR, so none would "
        "start: tasks have no public address and the subnet's default route leads to an internet gateway, and "
        "its VPC has no endpoints for ecr.api, ecr.dkr, s3. Set assign_public_ip: true, or make VPC endpoints for ECR"
    ]


def test_a_public_address_without_a_route_is_warned_of(runner, ec2):
    vpc = ec2.describe_vpcs(Filters=[{"Name": "is-default", "Values": ["true"]}])["Vpcs"][0]["VpcId"]
    subnet = default_subnets(ec2)[0]["SubnetId"]
    table = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    ec2.associate_route_table(RouteTableId=table, SubnetId=subnet)
    found = [text for text in warnings(runner, in_default_subnets("default-1", "default-2")) if "ECR" in text]
    assert len(found) == 1
    assert "in the subnet 'default-1' no task can reach ECR" in found[0]
    assert "has no default route to an internet gateway, and its VPC has no endpoints for ecr.api" in found[0]


def test_endpoints_lead_to_ecr_without_any_route(runner, ec2):
    vpc = ec2.describe_vpcs(Filters=[{"Name": "is-default", "Values": ["true"]}])["Vpcs"][0]["VpcId"]
    for name in ("ecr.api", "ecr.dkr", "s3"):
        ec2.create_vpc_endpoint(VpcId=vpc, ServiceName=f"com.amazonaws.us-east-1.{name}")
    declared = in_default_subnets("default-1", public=False)
    assert not [text for text in warnings(runner, declared) if "ECR" in text]
